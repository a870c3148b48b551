package auth

import (
	"bytes"
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"sync"
)

// Raw is a result that is no JSON: an endpoint whose Res is Raw (or a hook that
// answers with one) sends Body as it is, with the given Content-Type.
type Raw struct {
	ContentType string
	Body        []byte
}

// outcome returns the HTTP status of the run.
func (x *Exchange) outcome() int {
	status := x.status
	switch api := apiError(x.err); {
	case api != nil:
		status = api.Status
	case x.err != nil:
		return http.StatusInternalServerError
	case status == 0:
		return http.StatusOK
	}
	if status < http.StatusOK || status > 599 {
		x.op.pipeline.log().ErrorContext(x, "no HTTP status", "endpoint", x.op.label(), "status", status)
		return http.StatusInternalServerError
	}
	return status
}

// buffers keeps memory for the bodies of responses.
var buffers = sync.Pool{New: func() any { return new([]byte) }}

// write sends the outcome. It is the one writer of all doors.
func (x *Exchange) write(w http.ResponseWriter) {
	buf := buffers.Get().(*[]byte)
	defer buffers.Put(buf)
	body, contentType := x.body((*buf)[:0])
	status := x.outcome()
	x.copyHeader(w.Header())
	if hasBody := status != http.StatusNoContent && status != http.StatusNotModified; !hasBody {
		body = body[:0]
	} else if contentType != "" {
		w.Header()["Content-Type"] = []string{contentType}
	}
	w.WriteHeader(status)
	_, _ = w.Write(body) // a client that went away needs no answer
	if *buf = body; cap(body) > maxPooled {
		*buf = nil
	}
}

const maxPooled = 64 << 10

// body appends the body of the response to dst and returns its media type. A
// result that cannot be encoded turns the outcome into an internal error.
func (x *Exchange) body(dst []byte) ([]byte, string) {
	if x.err == nil || x.answered && apiError(x.err) != nil {
		raw, err := x.encodeSafely(dst)
		if err == nil {
			return raw, x.contentType()
		}
		x.err = err
	}
	api := apiError(x.err)
	switch {
	case api == nil:
		x.op.pipeline.logInternal(x, x.op.label(), x.err)
		return dst, ""
	case x.received != nil:
		return append(dst, x.received.body...), x.received.contentType()
	}
	return api.appendBody(dst), mediaJSON
}

func (e *APIError) appendBody(dst []byte) []byte {
	if e.empty() {
		return dst
	}
	dst, _ = appendMarshal(dst, e) // two strings always marshal
	return dst
}

// result is the value of a successful response.
func (x *Exchange) result() any {
	if x.answered {
		return x.answer
	}
	return x.op.result(x)
}

func (x *Exchange) contentType() string {
	if x.received != nil {
		return x.received.contentType()
	}
	if raw, ok := x.rawResult(); ok {
		return raw.ContentType
	}
	return mediaJSON
}

func (x *Exchange) rawResult() (Raw, bool) {
	switch v := x.result().(type) {
	case Raw:
		return v, true
	case *Raw:
		if v != nil {
			return *v, true
		}
	}
	return Raw{}, false
}

// encodeSafely turns the panic of a MarshalJSON into an internal error.
func (x *Exchange) encodeSafely(dst []byte) (body []byte, err error) {
	defer func() {
		if v := recover(); v != nil {
			err = fmt.Errorf("auth: panic while encoding the result of %s: %v", x.op.label(), v)
		}
	}()
	return x.encode(dst)
}

// encode appends the successful result in the form that clients receive.
func (x *Exchange) encode(dst []byte) ([]byte, error) {
	if x.received != nil && x.err == nil {
		return append(dst, x.received.body...), nil
	}
	if raw, ok := x.rawResult(); ok {
		return append(dst, raw.Body...), nil
	}
	if v, ok := x.result().(jsonAppender); ok {
		return v.appendJSON(dst)
	}
	return appendMarshal(dst, x.result())
}

// A jsonAppender encodes itself without reflection.
type jsonAppender interface {
	appendJSON(dst []byte) ([]byte, error)
}

// appendMarshal encodes v as JavaScript does: without escaping HTML.
func appendMarshal(dst []byte, v any) ([]byte, error) {
	buf := bytes.NewBuffer(dst)
	encoder := json.NewEncoder(buf)
	encoder.SetEscapeHTML(false)
	if err := encoder.Encode(v); err != nil {
		return dst, err
	}
	return bytes.TrimSuffix(buf.Bytes(), []byte("\n")), nil
}

// copyHeader adds the headers of the run and then those of its error to h.
func (x *Exchange) copyHeader(h http.Header) {
	addHeaders(h, x.header)
	if api := apiError(x.err); api != nil && api != x.merged {
		addHeaders(h, api.Header)
	}
}

func addHeaders(to, from http.Header) {
	for key, values := range from {
		switch {
		case key == "Set-Cookie":
			to[key] = append(to[key], values...)
		case key == exposeHeader:
			expose(to, values...)
		case !requestOnly[key]:
			to[key] = values
		}
	}
}

// exposeHeader lists the headers of a response that scripts of other origins may
// read (Fetch, section 3.3.4).
const exposeHeader = "Access-Control-Expose-Headers"

// expose adds names to that list, each once.
func expose(h http.Header, lists ...string) {
	var names []string
	for name := range strings.SplitSeq(strings.Join(append(slices.Clone(h[exposeHeader]), lists...), ","), ",") {
		known := func(other string) bool { return strings.EqualFold(name, other) }
		if name = strings.TrimSpace(name); name != "" && !slices.ContainsFunc(names, known) {
			names = append(names, name)
		}
	}
	h[exposeHeader] = []string{strings.Join(names, ", ")}
}

// requestOnly are headers that describe a request or a connection; an endpoint
// that hands on what it received cannot break the response with them.
var requestOnly = map[string]bool{
	"Host": true, "Cookie": true, "Origin": true, "Referer": true, "User-Agent": true,
	"Authorization": true, "Proxy-Authorization": true, "Accept": true, "Accept-Encoding": true,
	"Range": true, "If-Match": true, "If-None-Match": true, "If-Modified-Since": true,
	"Connection": true, "Keep-Alive": true, "Transfer-Encoding": true, "Te": true,
	"Trailer": true, "Upgrade": true, "Content-Length": true, "Expect": true,
}

// writeError answers a request that reached no endpoint.
func (p *pipeline) writeError(w http.ResponseWriter, r *http.Request, err error) {
	api := apiError(err)
	if api == nil {
		p.logInternal(r.Context(), r.Method+" "+r.URL.Path, err)
		w.WriteHeader(http.StatusInternalServerError)
		return
	}
	addHeaders(w.Header(), api.Header)
	w.Header().Set("Content-Type", mediaJSON)
	w.WriteHeader(api.Status)
	_, _ = w.Write(api.appendBody(nil))
}
