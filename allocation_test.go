//go:build !race

// The race detector counts allocations of its own.

package auth

import (
	"bytes"
	"context"
	"net/http"
	"net/http/httptest"
	"testing"
)

// A silentWriter is a response that costs nothing.
type silentWriter struct {
	header http.Header
	status int
}

func (w *silentWriter) Header() http.Header         { return w.header }
func (w *silentWriter) WriteHeader(status int)      { w.status = status }
func (w *silentWriter) Write(p []byte) (int, error) { return len(p), nil }

// serves returns what serves a request again and again. It must succeed.
func serves(t *testing.T, h http.Handler, r *http.Request, body string) func() {
	w := &silentWriter{header: make(http.Header, 8)}
	content, text := &repeatedBody{}, []byte(body)
	return func() {
		clear(w.header)
		w.status = http.StatusOK
		if body != "" {
			content.Reset(text)
			r.Body, r.ContentLength = content, int64(len(text))
		}
		if h.ServeHTTP(w, r); w.status != http.StatusOK {
			t.Fatalf("status %d", w.status)
		}
	}
}

// get returns a get-session request of a browser.
func get(b *browser) *http.Request {
	r := httptest.NewRequest(http.MethodGet, testBase+"/get-session", nil)
	r.Header = b.headers()
	return r
}

// A repeatedBody can be read again.
type repeatedBody struct{ bytes.Reader }

func (*repeatedBody) Close() error { return nil }

// TestAllocations holds what is done most often to how often it may allocate. A number
// that falls is to be lowered here.
func TestAllocations(t *testing.T) {
	type order struct {
		Item  string `json:"item"`
		Count int    `json:"count"`
	}
	place := NewEndpoint("POST", "/orders", func(_ context.Context, in order) (order, error) { return in, nil })
	ctx := t.Context()
	call := func(opts ...CallOption) func() {
		return func() {
			if _, err := place.Call(ctx, order{"umbrella", 14}, opts...); err != nil {
				t.Fatal(err)
			}
		}
	}
	var (
		header http.Header
		status int
		resp   *http.Response

		w      = newWorld(t)
		ask    = get(w.as("ann"))
		cached = newWorld(t, func(c *Config) { c.Session.CookieCache.Enabled = true })
		copied = get(cached.as("ann"))
		send   = httptest.NewRequest(http.MethodPost, testBase+"/sign-in/email", nil)
		page   = http.HandlerFunc(func(http.ResponseWriter, *http.Request) {})
	)
	send.Header = http.Header{"Content-Type": {"application/json"}, "Origin": {testOrigin}}
	for _, tt := range []struct {
		what string
		most float64
		do   func()
	}{
		{"Call", 1, call()},
		{"WithHeaders", 1, call(WithHeaders(ask.Header))},
		{"WithRequest", 1, call(WithRequest(ask))},
		{"ReturnHeaders", 3, call(ReturnHeaders(&header))},
		{"ReturnStatus", 2, call(ReturnStatus(&status))},
		{"ForwardHeaders", 2, call(ForwardHeaders(&silentWriter{header: make(http.Header)}))},
		{"AsResponse", 17, call(AsResponse(&resp))},
		{"an endpoint with a JSON body", 7, serves(t, place, send, `{"item":"umbrella","count":14}`)},
		{"get-session", 22, serves(t, w, ask, "")},
		{"get-session from a cookie", 105, serves(t, cached, copied, "")},
		{"GetSession.Call", 18, func() {
			if data, err := w.API.GetSession.Call(ctx, GetSessionRequest{}, WithHeaders(ask.Header)); data == nil {
				t.Fatal(err)
			}
		}},
		{"Auth.Session", 12, func() {
			if data, err := w.Session(ask); data == nil {
				t.Fatal(err)
			}
		}},
		{"RequireSession", 23, serves(t, w.RequireSession(page), ask, "")},
		{"sign-in without its hash", 107, serves(t, w, send, `{"email":"ann@example.com","password":"password of ann"}`)},
	} {
		if n := fewestAllocs(tt.do); n > tt.most {
			t.Errorf("%s allocates %v times, at most %v are allowed", tt.what, n, tt.most)
		}
	}
}

// TestPluginAllocations: plugins that a request does not use cost it next to nothing.
func TestPluginAllocations(t *testing.T) {
	plugins := []Plugin{
		&Bearer{}, &Username{}, &TwoFactor{}, &JWT{NoHeader: true}, &MultiSession{}, &OneTimeToken{},
		&MagicLink{Send: func(context.Context, MagicLinkMail) error { return nil }},
		&EmailOTP{Send: func(context.Context, OTPMail) error { return nil }},
	}
	measure := func(plugins ...Plugin) float64 {
		w := newWorld(t, func(c *Config) { c.Plugins = plugins })
		return fewestAllocs(serves(t, w, get(w.as("ann")), ""))
	}
	if none, eight := measure(), measure(plugins...); eight > none+2 {
		t.Errorf("get-session allocates %v times, and %v with eight plugins", none, eight)
	}
}
