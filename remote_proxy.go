package auth

import (
	"bytes"
	"context"
	"errors"
	"io"
	"log/slog"
	"maps"
	"net/http"
	"net/http/httputil"
	"net/url"
	"strings"
)

// A relayed is the request of a client that is handed on to the server, whose checks
// see it as it was.
type relayed struct {
	target *url.URL
	body   []byte
	input  []byte // what the request says, to find out whether a hook has changed it
}

// serveRemotely hands a request on to the server. Its value is looked at only if there
// are hooks for it.
func (op *operation) serveRemotely(w http.ResponseWriter, r *http.Request, params []param) {
	target, err := op.targetOf(r, params)
	switch {
	case err != nil:
		op.pipeline.writeError(w, r, err)
	case len(op.before)+len(op.after) == 0:
		op.passThrough(w, r, target)
	default:
		op.serveHooked(w, r, params, target)
	}
}

// targetOf returns the URL at the server of a request that was routed here.
func (op *operation) targetOf(r *http.Request, params []param) (*url.URL, error) {
	if op.path == "" {
		return nil, errNoURL
	}
	segments := strings.Split(op.path, "/")
	for i, segment := range segments {
		name, ok := strings.CutPrefix(segment, ":")
		if !ok {
			continue
		}
		segments[i] = url.PathEscape(r.PathValue(name))
		for _, p := range params {
			if p.name == name {
				segments[i] = p.value // as it was sent
			}
		}
		if text := strings.ReplaceAll(strings.ToLower(segments[i]), "%2e", "."); text == "" || text == "." || text == ".." {
			return nil, NewError(http.StatusNotFound, "", "")
		}
	}
	target, err := url.Parse(op.pipeline.remote.base + strings.Join(segments, "/"))
	if err == nil {
		target.RawQuery = r.URL.RawQuery
	}
	return target, err
}

var errNoURL = errors.New("auth: an endpoint without a URL cannot be served by a Client")

// passThrough is a reverse proxy for one request.
func (op *operation) passThrough(w http.ResponseWriter, r *http.Request, target *url.URL) {
	remote := op.pipeline.remote
	ctx, cancel := remote.bounded(r.Context())
	defer cancel()
	r = r.WithContext(ctx)
	switch {
	case r.ContentLength > op.pipeline.bodyLimit:
		op.pipeline.writeError(w, r, ErrPayloadTooLarge.With(http.StatusRequestEntityTooLarge))
		return
	case r.Body != nil:
		r.Body = http.MaxBytesReader(w, r.Body, op.pipeline.bodyLimit)
	}
	proxy := httputil.ReverseProxy{
		Transport: remote.client.Transport,
		ErrorLog:  slog.NewLogLogger(op.pipeline.log().Handler(), slog.LevelWarn),
		Rewrite: func(p *httputil.ProxyRequest) {
			p.Out.URL, p.Out.Host = target, ""
			p.Out.Header["X-Forwarded-For"] = p.In.Header["X-Forwarded-For"]
			p.SetXForwarded()
		},
		ErrorHandler: func(w http.ResponseWriter, _ *http.Request, err error) {
			op.pipeline.writeError(w, r, op.unavailable(r.Context(), withoutURL(err)))
		},
	}
	proxy.ServeHTTP(w, r)
}

// bounded gives a request the time limit that calls have.
func (r *remote) bounded(ctx context.Context) (context.Context, context.CancelFunc) {
	if r.client.Timeout == 0 {
		return context.WithCancel(ctx)
	}
	return context.WithTimeout(ctx, r.client.Timeout)
}

// unavailable is what a client sees of a server that gave no answer, 502 or 504. The
// log has the reason.
func (op *operation) unavailable(ctx context.Context, err error) error {
	if _, tooLarge := errors.AsType[*http.MaxBytesError](err); tooLarge {
		return ErrPayloadTooLarge.With(http.StatusRequestEntityTooLarge)
	}
	op.pipeline.logInternal(ctx, op.label(), err)
	status := http.StatusBadGateway
	if errors.Is(err, context.DeadlineExceeded) {
		status = http.StatusGatewayTimeout
	}
	return NewError(status, "", "").WithCause(err)
}

// serveHooked is serve for a server elsewhere.
func (op *operation) serveHooked(w http.ResponseWriter, r *http.Request, params []param, target *url.URL) {
	x := op.frame()
	x.Context, x.op = r.Context(), op
	x.request, x.headers, x.sent = r, r.Header, &sent{params: params}
	x.relayed = &relayed{target: target}
	op.attendHooked(w, x)
	if x.err != nil && apiError(x.err) == nil {
		if _, panicked := x.err.(panicError); !panicked {
			x.err = op.unavailable(x, x.err)
		}
	}
	x.write(w)
}

func (op *operation) attendHooked(w http.ResponseWriter, x *Exchange) {
	defer x.recover()
	if x.err = op.receiveRelayed(w, x); x.err != nil {
		x.refused = true
		return
	}
	op.run(x, func() []issue {
		issues := op.binding.bind(x, op.bodyOptional)
		x.relayed.input = op.fingerprint(x)
		return issues
	})
}

// receiveRelayed is receive that keeps the body as it was sent.
func (op *operation) receiveRelayed(w http.ResponseWriter, x *Exchange) (err error) {
	if x.request.Body == nil || x.request.Body == http.NoBody {
		return nil
	}
	if x.relayed.body, err = readLimited(x.request, w, op.pipeline.bodyLimit); err != nil {
		return err
	}
	again := x.request.WithContext(x.Context)
	again.Body, again.ContentLength = io.NopCloser(bytes.NewReader(x.relayed.body)), int64(len(x.relayed.body))
	x.request = again
	return op.receive(w, x)
}

// fingerprint is what there is to send of the input, nil if that is nothing.
func (op *operation) fingerprint(x *Exchange) []byte {
	m, err := op.compose(x.input)
	if err != nil {
		return nil
	}
	text := bytes.NewBufferString(m.path + "?" + m.query + "\n")
	_ = m.header.Write(text) // a buffer takes everything
	text.Write(m.body)
	return text.Bytes()
}

// relay sends the request of a client: as it was, or with the input that hooks have
// made of it.
func (op *operation) relay(x *Exchange, issues []issue) error {
	target, body, header := x.relayed.target.String(), x.relayed.body, op.relayedHeader(x)
	if !bytes.Equal(op.fingerprint(x), x.relayed.input) {
		if len(issues) > 0 {
			if err := op.binding.review(x.input, issues); err != nil {
				return err
			}
		}
		m, err := op.compose(x.input)
		if err != nil {
			return err
		}
		target, body = op.urlOf(m), op.bodyOf(x.request.Method, m)
		maps.Copy(header, m.header)
		if header.Del("Content-Type"); body != nil {
			header.Set("Content-Type", mediaJSON)
		}
	}
	r, err := http.NewRequestWithContext(x.Context, x.request.Method, target, nil)
	if err != nil {
		return withoutURL(err)
	}
	r.Header = header
	return op.receiveAnswer(x, r, body)
}

// relayedHeader are the headers of a request without those of its connection.
func (op *operation) relayedHeader(x *Exchange) http.Header {
	h := x.headers.Clone()
	dropHopByHop(h)
	h.Del("Accept-Encoding") // the answer is read here
	h.Del("Content-Length")
	h.Del("Forwarded")
	op.pipeline.remote.forwardedFor(h, x.request)
	h["X-Forwarded-Host"], h["X-Forwarded-Proto"] = []string{x.request.Host}, []string{"http"}
	if x.request.TLS != nil {
		h["X-Forwarded-Proto"] = []string{"https"}
	}
	if h["User-Agent"] == nil {
		h["User-Agent"] = []string{""}
	}
	return h
}
