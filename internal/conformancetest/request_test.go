package conformancetest

import (
	"io"
	"net/http"
	"net/url"
	"strings"
)

var transport = &http.Transport{MaxIdleConnsPerHost: -1}

// request sends a request and describes the response.
func (r *run) request(s *step, method, path, body string) []string {
	answer, err := transport.RoundTrip(r.newRequest(s, method, path, body)) // follows no redirect
	if err != nil {
		r.t.Fatalf("%v: %v", s, err)
	}
	defer answer.Body.Close()
	text, err := io.ReadAll(answer.Body)
	if err != nil {
		r.t.Fatalf("%v: %v", s, err)
	}
	r.jar(s.who()).take(answer.Header["Set-Cookie"])
	r.last = text
	return r.describe(&response{Status: answer.StatusCode, Headers: pairs(answer.Header), Body: string(text)})
}

// newRequest is one that a page of the site itself makes, but for the headers of
// the step.
func (r *run) newRequest(s *step, method, path, body string) *http.Request {
	request, err := http.NewRequestWithContext(r.t.Context(), method, r.address(path), nil)
	if err != nil {
		r.t.Fatalf("%v: %v", s, err)
	}
	base, err := url.Parse(r.variant.base())
	if err != nil {
		r.t.Fatal(err)
	}
	request.Host = base.Host
	request.Header = http.Header{
		"Origin":          {base.Scheme + "://" + base.Host},
		"User-Agent":      {"conformance/1"},
		"X-Forwarded-For": {r.words.address},
	}
	if cookies := r.jar(s.who()).header(); cookies != "" {
		request.Header.Set("Cookie", cookies)
	}
	if body != "" {
		request.Header.Set("Content-Type", "application/json")
		request.Body, request.ContentLength = io.NopCloser(strings.NewReader(body)), int64(len(body))
	}
	r.changeHeaders(s, request)
	return request
}

// changeHeaders sets and removes headers as a step says.
func (r *run) changeHeaders(s *step, request *http.Request) {
	for _, header := range s.headers {
		if name, removed := strings.CutPrefix(header, "-"); removed {
			delete(request.Header, http.CanonicalHeaderKey(name))
			continue
		}
		name, value, _ := strings.Cut(header, ":")
		value = r.expand(s.who(), strings.TrimSpace(value))
		if strings.EqualFold(name, "Host") {
			request.Host = value
			continue
		}
		request.Header.Set(name, value)
	}
	if request.Header.Get("User-Agent") == "" {
		request.Header.Set("User-Agent", "") // or net/http sends its own
	}
}

// address is where a path of a step is: below the base path, from the root with
// ^, or that of a link.
func (r *run) address(path string) string {
	base := strings.TrimSuffix(r.variant.base(), "/")
	if link, err := url.Parse(path); err == nil && link.IsAbs() {
		_, path, _ = strings.Cut(strings.TrimPrefix(path, link.Scheme+"://"), "/")
		return r.site.origin() + "/" + path
	}
	if path, root := strings.CutPrefix(path, "^"); root {
		return r.site.origin() + path
	}
	return r.site.origin() + r.basePath(base) + path
}

// basePath is that of the base URL, if it has one.
func (r *run) basePath(base string) string {
	if u, err := url.Parse(base); err == nil && u.Path != "" {
		return u.Path
	}
	if path, ok := r.variant.options["basePath"].(string); ok {
		return path
	}
	return "/api/auth"
}
