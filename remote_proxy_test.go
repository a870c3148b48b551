package auth

import (
	"bytes"
	"context"
	"errors"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/url"
	"reflect"
	"regexp"
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

// through sends a request to a handler as it would have come over the network.
func through(h http.Handler, method, target, body string, header ...string) *httptest.ResponseRecorder {
	r := httptest.NewRequest(method, target, strings.NewReader(body))
	if body == "" {
		r = httptest.NewRequest(method, target, nil)
	}
	for i := 0; i+1 < len(header); i += 2 {
		r.Header.Add(header[i], header[i+1])
	}
	rec := httptest.NewRecorder()
	h.ServeHTTP(rec, r)
	return rec
}

// TestClientServesTheDoors: behind a Client every endpoint says over HTTP what it says
// without one, with hooks on the Client and without.
func TestClientServesTheDoors(t *testing.T) {
	for _, hooked := range []bool{false, true} {
		for _, c := range doorCases {
			synctest.Test(t, func(t *testing.T) {
				prepare := func() *doorWorld {
					d := newDoorWorld(t, doorSet{})
					d.store.broken = c.broken
					return d
				}
				base := prepare().throughHTTP(c)
				d := prepare()
				client := d.client(doorSet{})
				if hooked {
					for _, op := range client.API.Operations() {
						op.untyped().before = []Hook{func(*Exchange) error { return nil }}
						op.untyped().after = []Hook{func(*Exchange) error { return nil }}
					}
				}
				rec := httptest.NewRecorder()
				client.ServeHTTP(rec, d.request(c, d.API.Operation(c.op)))
				got := d.answer(rec.Code, rec.Header(), rec.Body.String())
				if !reflect.DeepEqual(got, base) {
					t.Errorf("%s %s %s, hooked %v:\n got %+v\nwant %+v", c.op, c.as, c.input, hooked, got, base)
				}
			})
		}
	}
}

// seen is what a server is asked.
type seen struct {
	method, target, host, body string
	header                     http.Header
}

// observer is a server that keeps what it was asked and answers in some odd ways.
func observer(t *testing.T, last *seen) *http.Client {
	return servePipe(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		*last = seen{r.Method, r.RequestURI, r.Host, string(body), r.Header}
		w.Header()["X-Answer"] = []string{"1", "2"}
		w.Header()["Set-Cookie"] = []string{"a=1", "b=2"}
		w.Header().Set("Connection", "x-hop")
		w.Header().Set("X-Hop", "1")
		w.Header().Set("Content-Type", "application/json;charset=utf-8")
		w.WriteHeader(http.StatusAccepted)
		_, _ = io.WriteString(w, `{"success":true, "more":1}`)
	}))
}

// TestClientProxy: the server sees the request of the client as it was, and the client
// the answer.
func TestClientProxy(t *testing.T) {
	for _, hooked := range []bool{false, true} {
		synctest.Test(t, func(t *testing.T) {
			var last seen
			c := mustClient(t, "http://auth.internal/v1", ClientHTTP(observer(t, &last)), ClientOrigin("https://example.com"))
			if hooked {
				c.API.SignOut.Before(func(context.Context, *SignOutRequest) error { return nil })
			}
			rec := through(c, "POST", "https://app.example/v1/sign-out?x=%20y", `{"state" : "s", "unknown":[1]}`,
				"Origin", "https://evil.example", "Cookie", "a=b", "Content-Type", "application/json", "X-Mine", "1",
				"Connection", "x-hop", "X-Hop", "1", "X-Forwarded-For", "198.51.100.7", "X-Forwarded-Host", "spoofed", "Sec-Fetch-Site", "same-origin")
			want := http.Header{
				"Origin": {"https://evil.example"}, "Cookie": {"a=b"}, "Content-Type": {"application/json"}, "X-Mine": {"1"}, "Sec-Fetch-Site": {"same-origin"},
				"X-Forwarded-For": {"198.51.100.7, 192.0.2.1"}, "X-Forwarded-Host": {"app.example"}, "X-Forwarded-Proto": {"https"}, "Content-Length": {"30"},
			}
			last.header.Del("Accept-Encoding")
			if !reflect.DeepEqual(last.header, want) || last.target != "/v1/sign-out?x=%20y" || last.method != "POST" || last.host != "auth.internal" || last.body != `{"state" : "s", "unknown":[1]}` {
				t.Errorf("hooked %v: the server sees %+v\nwant %v", hooked, last, want)
			}
			header := rec.Header()
			if rec.Code != 202 || rec.Body.String() != `{"success":true, "more":1}` || !reflect.DeepEqual(header["Set-Cookie"], []string{"a=1", "b=2"}) || len(header["X-Answer"]) != 2 || header.Get("X-Hop") != "" || header.Get("Content-Type") != "application/json;charset=utf-8" {
				t.Errorf("hooked %v: the client sees %d %v %s", hooked, rec.Code, header, rec.Body)
			}
		})
	}
}

// TestClientProxyHooks change what goes to the server and what comes back, or refuse.
func TestClientProxyHooks(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var last seen
		c := mustClient(t, "http://auth.internal", ClientHTTP(observer(t, &last)))
		c.API.SignOut.Before(func(_ context.Context, in *SignOutRequest) error {
			switch in.State {
			case "refuse":
				return NewError(http.StatusForbidden, "NO", "No")
			case "panic":
				panic("secret of the program")
			case "mend":
				in.State = "mended"
			}
			return nil
		})
		c.API.SignOut.After(func(_ context.Context, in *SignOutRequest, out **SignOutResponse) error {
			if in.State == "mended" {
				(*out).URL = "/x"
			}
			return nil
		})
		send := func(body, contentType string) *httptest.ResponseRecorder {
			last = seen{}
			return through(c, "POST", "https://app.example/api/auth/sign-out?q=1", body, "Content-Type", contentType)
		}
		if rec := send(`{"state":"mend","unknown":1}`, mediaJSON); rec.Code != 202 || rec.Body.String() != `{"success":true,"url":"/x"}` || last.body != `{"state":"mended"}` || last.target != "/api/auth/sign-out" {
			t.Errorf("mended: %d %s, sent %+v", rec.Code, rec.Body, last)
		}
		if rec := send(`{"state":"refuse"}`, mediaJSON); rec.Code != 403 || rec.Body.String() != `{"message":"No","code":"NO"}` || last.method != "" {
			t.Errorf("refused: %d %s, sent %+v", rec.Code, rec.Body, last)
		}
		if rec := send(`{"state":"panic"}`, mediaJSON); rec.Code != 500 || rec.Body.String() != "" || last.method != "" {
			t.Errorf("panic: %d %s", rec.Code, rec.Body)
		}
		if rec := send(`{"state":5}`, mediaJSON); rec.Code != 202 || last.body != `{"state":5}` {
			t.Errorf("what does not fit is for the server to judge: %d, sent %+v", rec.Code, last)
		}
		if rec := send(`{"state":`, mediaJSON); rec.Code != 400 || last.method != "" {
			t.Errorf("no JSON: %d %s", rec.Code, rec.Body)
		}
		if rec := send("x", "text/plain"); rec.Code != 415 || last.method != "" {
			t.Errorf("another type: %d %s", rec.Code, rec.Body)
		}
	})
}

// TestClientRoutes as an Auth does.
func TestClientRoutes(t *testing.T) {
	w := newWorld(t)
	c := newClientOf(t, w)
	for _, tt := range []struct {
		method, path string
		status       int
	}{
		{"GET", "/ok", 200}, {"GET", "/ok?x=1", 200}, {"GET", "/unknown", 404}, {"POST", "/ok", 404}, {"HEAD", "/ok", 404}, {"GET", "//ok", 404},
		{"GET", "/ok/", 404}, {"GET", "/%6Fk", 404}, {"GET", "", 404}, {"GET", "/reset-password/", 404}, {"POST", "/set-password", 404},
		{"GET", "/reset-password/%2e%2e?callbackURL=/x", 404}, {"GET", "/reset-password/a%2Fb?callbackURL=/x", 302},
	} {
		if rec := through(c, tt.method, testBase+tt.path, ""); rec.Code != tt.status {
			t.Errorf("%s %s: %d %s", tt.method, tt.path, rec.Code, rec.Body)
		}
	}
	mux := http.NewServeMux()
	mux.Handle("POST /login", c.API.SignInEmail)
	mux.Handle("GET /reset/{token}", c.API.RequestPasswordResetCallback)
	mux.Handle("/none", c.API.SetPassword)
	mux.Handle("/any", c.API.OK)
	w.as("ann")
	if rec := through(mux, "POST", "/login", `{"email":"ann@example.com","password":"password of ann"}`, "Content-Type", mediaJSON); rec.Code != 200 || rec.Header().Get("Set-Cookie") == "" {
		t.Errorf("sign-in: %d %s", rec.Code, rec.Body)
	}
	if rec := through(mux, "POST", "/login", `{"email":"ann@example.com","password":"password of ann"}`, "Content-Type", mediaJSON, "Origin", "https://evil.example"); rec.Code != 403 {
		t.Errorf("a foreign form: %d, the server's guards must see it", rec.Code)
	}
	if rec := through(mux, "GET", "/reset/abc?callbackURL=/x", ""); rec.Header().Get("Location") != testOrigin+"/x?error=INVALID_TOKEN" {
		t.Errorf("a path parameter of ServeMux: %d %v", rec.Code, rec.Header())
	}
	if rec := through(mux, "GET", "/reset/..%2fok?callbackURL=/x", ""); rec.Code != 302 {
		t.Errorf("a path parameter that would lead elsewhere: %d %v", rec.Code, rec.Header())
	}
	if rec := through(mux, "POST", "/none", "{}", "Content-Type", mediaJSON); rec.Code != 500 {
		t.Errorf("an endpoint without a URL: %d", rec.Code)
	}
	if rec := through(mux, "DELETE", "/any", ""); rec.Code != 405 || rec.Header().Get("Allow") != "GET" {
		t.Errorf("a wrong method: %d %v", rec.Code, rec.Header())
	}
}

// TestClientProxyFailures: a server that gives no answer is 502 or 504, and the log says
// why; too long a body is 413.
func TestClientProxyFailures(t *testing.T) {
	for _, hooked := range []bool{false, true} {
		synctest.Test(t, func(t *testing.T) {
			var log bytes.Buffer
			var last seen
			broken := &http.Client{Transport: roundTrip(func(r *http.Request) (*http.Response, error) {
				if r.Body != nil {
					if _, err := io.Copy(io.Discard, r.Body); err != nil {
						return nil, err
					}
				}
				return nil, errors.New("the cable is cut")
			})}
			slow := servePipe(t, http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
				_, _ = io.Copy(io.Discard, r.Body)
				<-r.Context().Done()
			}))
			for _, tt := range []struct {
				client *http.Client
				body   string
				want   int
				log    string
			}{
				{broken, "{}", 502, "the cable is cut"},
				{slow, "{}", 504, "deadline"},
				{observer(t, &last), `{"state":"` + strings.Repeat("x", defaultBodyLimit) + `"}`, 413, ""},
			} {
				log.Reset()
				c := mustClient(t, "http://h", ClientHTTP(tt.client))
				c.API.SignOut.operation.pipeline.logger = slog.New(slog.NewTextHandler(&log, nil))
				if hooked {
					c.API.SignOut.Before(func(context.Context, *SignOutRequest) error { return nil })
				}
				start := time.Now()
				rec := through(c, "POST", "http://app/api/auth/sign-out?token=secret", tt.body, "Content-Type", mediaJSON)
				if rec.Code != tt.want || !strings.Contains(log.String(), tt.log) || strings.Contains(log.String(), "secret") || strings.Contains(rec.Body.String(), "cable") {
					t.Errorf("hooked %v: %d %s after %v, log %s", hooked, rec.Code, rec.Body, time.Since(start), log.String())
				}
			}
		})
	}
}

// FuzzRemoteProxy sends any request through a Client that serves HTTP: the server is
// asked below its own base path and nowhere else, by the method of the request, and
// is told of the address that the request really came from.
func FuzzRemoteProxy(f *testing.F) {
	for _, seed := range []struct{ method, path, query, header, value string }{
		{"GET", "/get-session", "", "Cookie", "a=b"}, {"GET", "/callback/acme", "code=1&state=%2F", "X-Forwarded-For", "10.0.0.1"},
		{"GET", "/callback/%2e%2e", "", "X-Forwarded-Host", "evil.test"}, {"POST", "/callback/..%2f..%2fadmin", "a;b", "Connection", "x-y, cookie"},
		{"GET", "/callback/a%2fb%3fc%23d", "%zz", "Forwarded", "for=10.0.0.1"}, {"POST", "/sign-in/email", "", "Transfer-Encoding", "chunked"},
		{"GET", "//evil.test/get-session", "", "Host", "evil.test"}, {"PUT", "/callback/@evil.test", "", "X-Forwarded-Proto", "gopher"}, {"GET", "/reset-password/\\", "", "Upgrade", "h2c"},
	} {
		f.Add(seed.method, seed.path, seed.query, seed.header, seed.value)
	}
	f.Fuzz(func(t *testing.T, method, path, query, header, value string) {
		var asked []*http.Request
		transport := roundTrip(func(r *http.Request) (*http.Response, error) {
			asked = append(asked, r)
			return answers(http.StatusOK, "null").Transport.RoundTrip(r)
		})
		c := mustClient(t, "http://inner.test/api/auth", ClientHTTP(&http.Client{Transport: transport}))
		u, err := url.ParseRequestURI("/api/auth" + path)
		if err != nil || !httpToken.MatchString(method) || !httpToken.MatchString(header) || !isHeaderValue(value) {
			return // net/http lets no such request in
		}
		u.RawQuery = query
		r := httptest.NewRequest("GET", "http://outer.test/", strings.NewReader("{}"))
		r.Method, r.URL, r.RemoteAddr = method, u, "192.0.2.7:1234"
		r.Header.Set("Content-Type", mediaJSON)
		r.Header.Add(header, value)
		rec := httptest.NewRecorder()
		c.ServeHTTP(rec, r)
		if len(asked) == 0 && rec.Code < 400 || len(asked) > maxTries {
			t.Fatalf("%s %q is answered with %d after %d requests", method, path, rec.Code, len(asked))
		}
		for _, sent := range asked {
			checkProxied(t, method, path, sent)
		}
	})
}

// httpToken is what methods and the names of headers are (RFC 9110 section 5.6.2).
var httpToken = regexp.MustCompile("^[-!#$%&'*+.^_`|~0-9A-Za-z]+$")

func checkProxied(t *testing.T, method, path string, sent *http.Request) {
	t.Helper()
	below := sent.URL.EscapedPath()
	decoded := strings.ReplaceAll(strings.ToLower(below), "%2e", ".")
	switch {
	case sent.Method != method && !(method == http.MethodHead && sent.Method == http.MethodGet):
		t.Fatalf("%s %q is sent as %s", method, path, sent.Method)
	case sent.URL.Scheme != "http" || sent.URL.Host != "inner.test" || sent.URL.User != nil || sent.Host != "" && sent.Host != "inner.test":
		t.Fatalf("%q is sent to %s as %q", path, sent.URL, sent.Host)
	case !strings.HasPrefix(below, "/api/auth/") || strings.Contains(decoded+"/", "/../") || strings.Contains(decoded+"/", "/./"):
		t.Fatalf("%q is sent to %q", path, below)
	}
	if list := sent.Header["X-Forwarded-For"]; len(list) != 1 || list[0] != "192.0.2.7" && !strings.HasSuffix(list[0], ", 192.0.2.7") {
		t.Fatalf("%q comes from %q", path, list)
	}
	for _, name := range []string{"Forwarded", "Connection", "Keep-Alive", "Proxy-Authorization"} {
		if sent.Header.Get(name) != "" {
			t.Fatalf("%q is sent with %s: %q", path, name, sent.Header[name])
		}
	}
}
