package auth

import (
	"io"
	"net/http"
	"net/http/cookiejar"
	"net/http/httptest"
	"net/url"
	"reflect"
	"strings"
	"testing"
)

func readBody(t *testing.T, resp *http.Response) string {
	t.Helper()
	body, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	return string(body)
}

// TestClientSecureCookies: a server whose cookies are Secure is reached by http over a
// network of its own.
func TestClientSecureCookies(t *testing.T) {
	w := newWorld(t, func(c *Config) { c.BaseURL = "https://example.com" })
	server := httptest.NewServer(w)
	t.Cleanup(server.Close)
	kept, err := cookiejar.New(nil)
	if err != nil {
		t.Fatal(err)
	}
	c := mustClient(t, server.URL, ClientOrigin("https://example.com"), ClientHTTP(&http.Client{Jar: kept}))
	signUpAs(t, c, "ann")
	if sessions, err := c.API.ListSessions.Call(t.Context(), Empty{}); err != nil || len(sessions) != 1 {
		t.Errorf("%v, %v", sessions, err)
	}
	if _, err := c.API.UpdateUser.Call(t.Context(), UpdateUserRequest{Name: new("Annie")}); err != nil {
		t.Errorf("the origin of a call is not the server's: %v", err)
	}
	if cookies := kept.Cookies(&url.URL{Scheme: "https", Host: "example.com", Path: "/"}); len(cookies) != 1 || cookies[0].Name != "__Secure-better-auth.session_token" {
		t.Errorf("the jar has %v", cookies)
	}
	again := mustClient(t, server.URL, ClientOrigin("https://example.com"), ClientHTTP(&http.Client{Jar: kept}))
	if data, err := again.API.GetSession.Call(t.Context(), GetSessionRequest{}); err != nil || data == nil || data.User.Name != "Annie" {
		t.Errorf("another Client with the jar: %v, %v", data, err)
	}
}

// TestClientOfManyHosts: a server that serves several hosts is told which one is meant,
// though it is asked under an address of its own.
func TestClientOfManyHosts(t *testing.T) {
	w := newWorld(t, func(c *Config) {
		c.BaseURL, c.DynamicBaseURL = "", DynamicBaseURL{AllowedHosts: []string{"example.com", "example.org"}}
	})
	server := httptest.NewServer(w)
	t.Cleanup(server.Close)
	c := mustClient(t, server.URL, ClientOrigin("https://example.org"))
	signUpAs(t, c, "ann")
	if _, err := c.API.ChangeEmail.Call(t.Context(), ChangeEmailRequest{NewEmail: "annie@example.com"}); err != nil {
		t.Fatal(err)
	}
	if link := w.lastMail().URL; !strings.HasPrefix(link, "https://example.org/api/auth/verify-email") {
		t.Errorf("the mail's link is %s", link)
	}
	if _, err := mustClient(t, server.URL).API.OK.Call(t.Context(), Empty{}); apiError(err) == nil || apiError(err).Status != http.StatusMisdirectedRequest {
		t.Errorf("another host: %v", err)
	}
}

// TestClientOnBehalf: a call with somebody's headers is theirs alone, also if there are
// none.
func TestClientOnBehalf(t *testing.T) {
	w := newWorld(t)
	bob := w.as("bob")
	c := newClientOf(t, w)
	signUpAs(t, c, "ann")
	ctx := t.Context()
	who := func(opts ...CallOption) string {
		t.Helper()
		data, err := c.API.GetSession.Call(ctx, GetSessionRequest{}, opts...)
		if err != nil {
			t.Fatal(err)
		}
		if data == nil {
			return ""
		}
		return data.User.Name
	}
	r := httptest.NewRequest("POST", "https://app.example/page", nil)
	r.Header = bob.headers()
	for _, tt := range []struct {
		opts []CallOption
		want string
	}{
		{nil, "ann"},
		{[]CallOption{WithHeaders(bob.headers())}, "bob"},
		{[]CallOption{WithRequest(r)}, "bob"},
		{[]CallOption{WithHeaders(http.Header{})}, ""},
		{[]CallOption{WithHeaders(nil)}, ""},
		{nil, "ann"},
	} {
		if got := who(tt.opts...); got != tt.want {
			t.Errorf("session of %q, want %q", got, tt.want)
		}
	}
	rec := httptest.NewRecorder()
	in := SignInEmailRequest{Email: "bob@example.com", Password: "password of bob"}
	if _, err := c.API.SignInEmail.Call(ctx, in, WithRequest(r), ForwardHeaders(rec)); err != nil {
		t.Fatal(err)
	}
	if line := rec.Header().Get("Set-Cookie"); !strings.HasPrefix(line, "better-auth.session_token=") || rec.Header().Get("Content-Type") != "" {
		t.Errorf("forwarded: %v", rec.Header())
	}
	if _, err := c.API.SignOut.Call(ctx, SignOutRequest{}, WithRequest(r)); err != nil {
		t.Fatal(err)
	}
	if got := who(); got != "ann" {
		t.Errorf("the Client itself is %q now", got)
	}
}

// TestClientBearer: the token of the server's bearer plugin takes the place of cookies.
func TestClientBearer(t *testing.T) {
	w := newWorld(t, func(c *Config) { c.Plugins = []Plugin{&Bearer{RequireSignature: true}} })
	c := newClientOf(t, w, ClientBearer(""))
	if c.Bearer() != "" || newClientOf(t, w).Bearer() != "" {
		t.Error("a token from nowhere")
	}
	up := signUpAs(t, c, "ann")
	if !strings.HasPrefix(c.Bearer(), *up.Token+".") {
		t.Errorf("the token is %q", c.Bearer())
	}
	if _, err := c.API.UpdateUser.Call(t.Context(), UpdateUserRequest{Name: new("Annie")}); err != nil {
		t.Error(err)
	}
	other := newClientOf(t, w, ClientBearer(c.Bearer()))
	data, err := other.API.GetSession.Call(t.Context(), GetSessionRequest{})
	if err != nil || data == nil || data.User.Name != "Annie" {
		t.Fatalf("%v, %v", data, err)
	}
	changed, err := other.API.ChangePassword.Call(t.Context(), ChangePasswordRequest{NewPassword: "new password", CurrentPassword: "password of ann", RevokeOtherSessions: true})
	if err != nil || changed.Token == nil || !strings.HasPrefix(other.Bearer(), *changed.Token+".") {
		t.Errorf("%+v, %v; the token is %q", changed, err, other.Bearer())
	}
	if data, err := c.API.GetSession.Call(t.Context(), GetSessionRequest{}); err != nil || data != nil {
		t.Errorf("a revoked token: %v, %v", data, err)
	}
}

// TestClientCallHeaders: what a call on behalf of a request passes on.
func TestClientCallHeaders(t *testing.T) {
	var sent *http.Request
	r := httptest.NewRequest("POST", "https://app.example/page", strings.NewReader("x"))
	r.RemoteAddr = "192.0.2.1:1234"
	r.Header = http.Header{
		"Cookie": {"a=1", "b=2"}, "Authorization": {"Bearer x"}, "User-Agent": {"browser"}, "Accept-Language": {"de"}, "X-Mine": {"1"},
		"X-Forwarded-For": {"198.51.100.7"}, "X-Forwarded-Host": {"evil.example"}, "X-Forwarded-Proto": {"ftp"}, "Forwarded": {"for=1"},
		"Origin": {"https://evil.example"}, "Sec-Fetch-Site": {"cross-site"}, "Content-Type": {"text/plain"}, "Content-Length": {"1"}, "Content-Encoding": {"gzip"},
		"Accept-Encoding": {"br"}, "Connection": {"x-hop, close"}, "X-Hop": {"1"}, "Te": {"trailers"}, "Upgrade": {"h2c"}, "If-None-Match": {`"x"`}, "Range": {"bytes=0-1"}, "Expect": {"100-continue"},
	}
	before := r.Header.Clone()
	c := mustClient(t, "http://auth.internal", ClientHTTP(recorded(&sent, 200, `{"status":true}`)))
	if _, err := c.API.UpdateUser.Call(t.Context(), UpdateUserRequest{}, WithRequest(r)); err != nil {
		t.Fatal(err)
	}
	want := http.Header{
		"Cookie": {"a=1", "b=2"}, "Authorization": {"Bearer x"}, "User-Agent": {"browser"}, "Accept-Language": {"de"}, "X-Mine": {"1"},
		"X-Forwarded-For": {"198.51.100.7, 192.0.2.1"}, "Origin": {"http://auth.internal"}, "Content-Type": {"application/json"},
	}
	if !reflect.DeepEqual(sent.Header, want) || !reflect.DeepEqual(r.Header, before) {
		t.Errorf("sent %v\nwant %v", sent.Header, want)
	}
	c = mustClient(t, "http://auth.internal", ClientHTTP(recorded(&sent, 200, `{"ok":true}`)), ClientOrigin("https://example.com"))
	if _, err := c.API.OK.Call(t.Context(), Empty{}, WithHeaders(http.Header{"x-lower": {"1"}, "X-Forwarded-For": {"192.0.2.9"}})); err != nil {
		t.Fatal(err)
	}
	want = http.Header{
		"X-Lower": {"1"}, "X-Forwarded-For": {"192.0.2.9"}, "Origin": {"https://example.com"}, "User-Agent": {""},
		"X-Forwarded-Host": {"example.com"}, "X-Forwarded-Proto": {"https"},
	}
	if !reflect.DeepEqual(sent.Header, want) {
		t.Errorf("sent %v\nwant %v", sent.Header, want)
	}
}
