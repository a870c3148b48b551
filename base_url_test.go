package auth

import (
	"context"
	"crypto/tls"
	"errors"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
)

// dynamic is the edit that makes an instance serve hosts.
func dynamic(d DynamicBaseURL) func(*Config) {
	return func(c *Config) { c.BaseURL, c.DynamicBaseURL = "", d }
}

// visit returns a request for a URL of the instance; the peer of httptest is no
// proxy. Headers are names and values in turn.
func visit(method, url, body string, headers ...string) *http.Request {
	r := httptest.NewRequest(method, url, strings.NewReader(body))
	if body != "" {
		r.Header.Set("Content-Type", "application/json")
	}
	for i := 0; i < len(headers); i += 2 {
		r.Header.Add(headers[i], headers[i+1])
	}
	return r
}

// at is a browser whose requests have no Origin of their own.
func (w *world) at() *browser { return &browser{w, map[string]string{}, http.Header{}} }

const (
	annSignUp = `{"name":"Ann","email":"ann@example.com","password":"password of ann"}`
	annReset  = `{"email":"ann@example.com","redirectTo":"/new"}`
	resetPath = "/api/auth/reset-password/abc?callbackURL=/x" // redirects to the own origin
)

// The rows without "here:" are those of the original, run or read.
func TestDynamicBaseURL_hosts(t *testing.T) {
	hosts := []string{"app.example", "*.pre.example", "Localhost:3000", "[::1]:3000", "any.example:*", "192.168.*.*", "edge-*.cdn.example", "127.0.0.1", "_dmarc.example"}
	w := newWorld(t, dynamic(DynamicBaseURL{AllowedHosts: hosts, Protocol: "https"}))
	tests := []struct{ host, want, reason string }{
		{"app.example", "https://app.example", "in the list"},
		{"APP.example", "https://app.example", "case does not matter; here: links have lower case"},
		{"app.example:8080", "", "another port is another host"},
		{"app.example:443", "https://app.example", "here: the default port says nothing"},
		{"app.example:80", "", "the default port of the other scheme does"},
		{"x.pre.example", "https://x.pre.example", "a subdomain"},
		{"a.b.pre.example", "https://a.b.pre.example", "a wildcard stands for several labels"},
		{"pre.example", "", "and for at least one"},
		{".pre.example", "", "an empty label is none"},
		{"x..pre.example", "", "nor in between"},
		{"evil.example", "", "not in the list"},
		{"app.example.", "", "an absolute name is another one"},
		{"app.example.evil.example", "", "not at the end"},
		{"evil-app.example", "", "not at the start"},
		{"localhost:3000", "https://localhost:3000", "the list's case does not matter either"},
		{"localhost", "", "without its port"},
		{"[::1]:3000", "https://[::1]:3000", "IPv6"},
		{"[0:0::1]:3000", "https://[::1]:3000", "here: however it is spelt"},
		{"[::1]", "", "IPv6 without its port"},
		{"::1:3000", "", "IPv6 without brackets"},
		{"[::1%25lo]:3000", "", "a zone"},
		{"any.example", "", "a wildcard for the port needs one"},
		{"any.example:1", "https://any.example:1", "any port"},
		{"any.example:65536", "", "here: no port"},
		{"any.example:1a", "", "no port"},
		{"192.168.1.2", "https://192.168.1.2", "a range of addresses"},
		{"192.168.evil.example", "", "here: which is no range of names"},
		{"edge-7.cdn.example", "https://edge-7.cdn.example", "a part of a label"},
		{"127.1", "", "an address in a short form"},
		{"0x7f.0.0.1", "", "and in hexadecimal"},
		{"_dmarc.example", "https://_dmarc.example", "an underscore"},
		{"", "", "no host"},
		{"app.example/", "", "a path"},
		{"app.example#", "", "a fragment"},
		{"x@app.example", "", "user information"},
		{"app.example:443@evil.example", "", "user information that looks like a host"},
		{"evil.example\\.pre.example", "", "a backslash"},
		{"evil.example?.pre.example", "", "a query"},
		{"evil.example/.pre.example", "", "a slash"},
		{"%61pp.example", "", "an encoded letter"},
		{"äpp.pre.example", "", "a letter beyond ASCII"},
		{"app.example, app.example", "", "a list"},
		{"app.example ", "", "a blank"},
		{"app.example\x00", "", "a control character"},
		{"https://app.example", "", "a URL"},
	}
	for _, tt := range tests {
		r := visit("GET", resetPath, "")
		r.Host = tt.host
		reply := w.at().do(r)
		if tt.want == "" {
			if reply.StatusCode != http.StatusMisdirectedRequest {
				t.Errorf("%q: %d to %s, want 421: %s", tt.host, reply.StatusCode, reply.Header.Get("Location"), tt.reason)
			}
			continue
		}
		if got := reply.Header.Get("Location"); got != tt.want+"/x?error=INVALID_TOKEN" {
			t.Errorf("%q: %d to %s, want %s: %s", tt.host, reply.StatusCode, got, tt.want, tt.reason)
		}
	}
}

// A refused host reaches nothing: no hook, no cookie, no row, and learns nothing
// about the list.
func TestDynamicBaseURL_refusal(t *testing.T) {
	ran := 0
	w := newWorld(t, dynamic(DynamicBaseURL{AllowedHosts: []string{"app.example"}}), func(c *Config) {
		c.Hooks.Before = func(*Exchange) error { ran++; return nil }
		c.Hooks.After = func(*Exchange) error { ran++; return nil }
	})
	for _, path := range []string{"/sign-up/email", "/sign-in/email", "/request-password-reset", "/sign-out"} {
		r := w.at().do(visit("POST", "https://evil.example/api/auth"+path, annSignUp))
		if r.StatusCode != 421 || len(r.Header["Set-Cookie"]) > 0 || strings.Contains(r.body, "app.example") {
			t.Errorf("%s: %d %s %v", path, r.StatusCode, r.body, r.Header)
		}
	}
	if ran > 0 || len(w.mails) > 0 {
		t.Errorf("%d hooks, %d mails", ran, len(w.mails))
	}
	if user, err := w.core.userByEmail(t.Context(), "ann@example.com"); user != nil || err != nil {
		t.Errorf("stored %v, %v", user, err)
	}
}

// The scheme, with all that follows from it: link, cookies, trusted origins.
func TestDynamicBaseURL_protocol(t *testing.T) {
	tests := []struct {
		protocol, request, link string
		secure                  bool
		trusted, refused        []string
		reason                  string
	}{
		{"https", "http://app.example", "https://app.example", true,
			[]string{"https://app.example", "http://localhost:3000", "https://localhost:1"}, []string{"http://app.example"}, "TLS ends at a proxy"},
		{"http", "https://app.example", "http://app.example", false,
			[]string{"http://app.example", "http://localhost:3000"}, []string{"https://app.example", "https://localhost:1"}, "no TLS"},
		{"auto", "http://app.example", "http://app.example", false,
			[]string{"http://app.example", "https://app.example"}, []string{"http://evil.example"}, "both, by http"},
		{"auto", "https://app.example", "https://app.example", true,
			[]string{"http://app.example", "https://app.example"}, []string{"https://app.example:444"}, "both, by https"},
		{"", "https://app.example", "https://app.example", true,
			[]string{"https://app.example", "http://localhost:3000"}, []string{"http://app.example", "null"}, "the default trusts https"},
		{"", "http://app.example", "http://app.example", false,
			[]string{"https://app.example"}, []string{"http://app.example"}, "even if it was asked by http"},
	}
	for _, tt := range tests {
		w := newWorld(t, dynamic(DynamicBaseURL{AllowedHosts: []string{"app.example", "localhost:*"}, Protocol: tt.protocol}))
		base := tt.request + "/api/auth"
		name := map[bool]string{true: "__Secure-better-auth.session_token", false: "better-auth.session_token"}[tt.secure]
		line := w.at().do(visit("POST", base+"/sign-up/email", annSignUp)).ok(t).cookie(name)
		if line == "" || strings.Contains(line, "; Secure") != tt.secure || strings.Contains(line, "Domain") {
			t.Errorf("%s: cookie %q", tt.reason, line)
		}
		w.at().do(visit("POST", base+"/request-password-reset", annReset)).ok(t)
		if got := w.lastMail().URL; !strings.HasPrefix(got, tt.link+"/api/auth/reset-password/") {
			t.Errorf("%s: link %s", tt.reason, got)
		}
		for _, origin := range tt.trusted {
			w.at().do(visit("POST", base+"/sign-in/email", annSignUp, "Origin", origin, "Cookie", "a=b")).ok(t)
		}
		for _, origin := range tt.refused {
			if r := w.at().do(visit("POST", base+"/sign-in/email", annSignUp, "Origin", origin, "Cookie", "a=b")); r.StatusCode != 403 {
				t.Errorf("%s: origin %s: %d", tt.reason, origin, r.StatusCode)
			}
		}
	}
}

// Who may say what the host was.
func TestDynamicBaseURL_forwarded(t *testing.T) {
	const proxy, client = "127.0.0.1:1", "198.51.100.1:1"
	tests := []struct {
		peer, host  string
		header      []string
		want        string
		reason      string
		noTrust     bool
		withoutHost bool
	}{
		{peer: proxy, host: "internal:1", header: []string{"X-Forwarded-Host", "app.example"}, want: "http://app.example", reason: "a proxy says so"},
		{peer: proxy, host: "internal:1", header: []string{"X-Forwarded-Host", "app.example", "X-Forwarded-Proto", "https"}, want: "https://app.example", reason: "with the scheme"},
		{peer: proxy, host: "app.example", header: []string{"X-Forwarded-Proto", "https"}, want: "https://app.example", reason: "the scheme alone"},
		{peer: proxy, host: "app.example", header: []string{"X-Forwarded-Proto", "javascript"}, want: "http://app.example", reason: "no scheme of ours"},
		{peer: proxy, host: "app.example", header: []string{"X-Forwarded-Proto", "https, http"}, want: "http://app.example", reason: "two schemes are none"},
		{peer: proxy, host: "app.example", header: []string{"X-Forwarded-Host", "evil.example"}, reason: "a forged host that the proxy passed on"},
		{peer: proxy, host: "app.example", header: []string{"X-Forwarded-Host", "b.example"}, want: "http://b.example", reason: "the proxy goes before Host"},
		{peer: proxy, host: "app.example", header: []string{"X-Forwarded-Host", "b.example, app.example"}, want: "http://app.example", reason: "a list is ignored"},
		{peer: proxy, host: "app.example", header: []string{"X-Forwarded-Host", "b.example", "X-Forwarded-Host", "b.example"}, want: "http://app.example", reason: "two lines are a list"},
		{peer: proxy, host: "app.example", header: []string{"X-Forwarded-Host", "b.example/x"}, want: "http://app.example", reason: "an odd one is ignored"},
		{peer: proxy, host: "app.example", header: []string{"X-Forwarded-Host", "https://b.example"}, want: "http://app.example", reason: "a URL is ignored"},
		{peer: proxy, host: "internal:1", header: []string{"X-Forwarded-Host", "b..example"}, reason: "the host behind an odd one counts"},
		{peer: "@", host: "internal:1", header: []string{"X-Forwarded-Host", "app.example"}, want: "http://app.example", reason: "a Unix socket is local"},
		{peer: client, host: "app.example", header: []string{"X-Forwarded-Host", "b.example", "X-Forwarded-Proto", "https"}, want: "http://app.example", reason: "a client says so, which counts for nothing"},
		{peer: client, host: "evil.example", header: []string{"X-Forwarded-Host", "app.example"}, reason: "nor does it save a foreign host"},
		{peer: client, host: "app.example", header: []string{"Host", "b.example", "Forwarded", "host=b.example"}, want: "http://app.example", reason: "other headers mean nothing"},
		{peer: proxy, host: "app.example", header: []string{"X-Forwarded-Host", "b.example"}, want: "http://app.example", noTrust: true, reason: "no proxy is trusted"},
		{peer: proxy, host: "", header: []string{"X-Forwarded-Proto", "https"}, want: "https://app.example", withoutHost: true, reason: "the host of the URL, where a request has no other"},
	}
	for _, tt := range tests {
		w := newWorld(t, dynamic(DynamicBaseURL{AllowedHosts: []string{"app.example", "b.example"}}), func(c *Config) {
			if tt.noTrust {
				c.ClientAddress.TrustedProxies = []string{}
			}
		})
		target := resetPath
		if tt.withoutHost {
			target = "http://app.example" + resetPath
		}
		r := visit("GET", target, "", tt.header...)
		r.RemoteAddr, r.Host = tt.peer, tt.host
		reply := w.at().do(r)
		if tt.want == "" && reply.StatusCode != 421 {
			t.Errorf("%s: %d to %s, want 421", tt.reason, reply.StatusCode, reply.Header.Get("Location"))
		}
		if got := reply.Header.Get("Location"); tt.want != "" && got != tt.want+"/x?error=INVALID_TOKEN" {
			t.Errorf("%s: %d to %q, want %s", tt.reason, reply.StatusCode, got, tt.want)
		}
	}
}

func TestDynamicBaseURL_fallback(t *testing.T) {
	w := newWorld(t, dynamic(DynamicBaseURL{AllowedHosts: []string{"app.example"}, Protocol: "https", Fallback: "http://Fall.example:8080/"}))
	for host, want := range map[string]string{"app.example": "https://app.example", "evil.example": "http://fall.example:8080", "": "http://fall.example:8080"} {
		r := visit("GET", resetPath, "")
		r.Host = host
		if got := w.at().do(r).Header.Get("Location"); got != want+"/x?error=INVALID_TOKEN" {
			t.Errorf("%q: redirected to %s", host, got)
		}
	}
	up := w.at().do(visit("POST", "http://evil.example/api/auth/sign-up/email", annSignUp, "Origin", "http://fall.example:8080")).ok(t)
	if up.cookie("__Secure-better-auth.session_token") == "" {
		t.Errorf("Protocol decides on the cookies of the fallback: %v", up.Header["Set-Cookie"])
	}
	if r := w.at().do(visit("POST", "http://evil.example/api/auth/sign-in/email", annSignUp, "Origin", "https://evil.example")); r.StatusCode != 403 {
		t.Errorf("the foreign host became a trusted origin: %d", r.StatusCode)
	}
}

func TestDynamicBaseURL_crossSubDomain(t *testing.T) {
	tests := []struct{ domain, host, name, want, reason string }{
		{"", "app.example", "__Secure-better-auth", "app.example", "the host of the request"},
		{"", "a.pre.example", "__Secure-better-auth", "a.pre.example", "each has its own"},
		{"", "app.example:8443", "__Secure-better-auth", "app.example", "without the port"},
		{"", "evil.example", "better-auth", "fall.example", "the fallback, whose scheme decides"},
		{"", "[::1]", "__Secure-better-auth", "", "here: an address has no subdomains"},
		{"example", "a.pre.example", "__Secure-better-auth", "example", "the configured domain"},
		{"example", "evil.example", "better-auth", "example", "by plain http"},
	}
	for _, tt := range tests {
		w := newWorld(t, dynamic(DynamicBaseURL{AllowedHosts: []string{"app.example", "app.example:8443", "*.pre.example", "[::1]"}, Protocol: "https", Fallback: "http://fall.example"}),
			func(c *Config) {
				c.Cookies.CrossSubDomain, c.Cookies.Domain = true, tt.domain
				c.Session.CookieCache.Enabled = true
			})
		b := w.at()
		up := b.do(visit("POST", "http://"+tt.host+"/api/auth/sign-up/email", annSignUp)).ok(t)
		for _, name := range []string{".session_token", ".session_data"} {
			line := up.cookie(tt.name + name)
			if _, after, _ := strings.Cut(line, "; Domain="); line == "" || strings.Split(after, ";")[0] != tt.want {
				t.Errorf("%s: cookies %q", tt.reason, up.Header["Set-Cookie"])
			}
		}
		if s := b.do(visit("GET", "http://"+tt.host+"/api/auth/get-session", "")); s.ok(t).body == "null" {
			t.Errorf("%s: not signed in", tt.reason)
		}
	}
}

// Cookies of one scheme are not read by the other.
func TestDynamicBaseURL_cookiesByScheme(t *testing.T) {
	for _, stateless := range []bool{false, true} {
		w := newWorld(t, dynamic(DynamicBaseURL{AllowedHosts: []string{"*.example"}, Protocol: "auto"}), func(c *Config) {
			if c.Stateless = stateless; stateless {
				c.Store = nil
			}
		})
		b := w.at()
		b.do(visit("POST", "https://a.example/api/auth/sign-up/email", annSignUp)).ok(t)
		for url, signedIn := range map[string]bool{"https://a.example": true, "https://b.example": true, "http://a.example": false} {
			if got := b.do(visit("GET", url+"/api/auth/get-session", "")).ok(t).body != "null"; got != signedIn {
				t.Errorf("stateless %v, %s: signed in %v", stateless, url, got)
			}
			r := visit("GET", url, "", "Cookie", b.cookieHeader())
			if data, err := w.Session(r); err != nil || (data != nil) != signedIn {
				t.Errorf("stateless %v, Session at %s: %v, %v", stateless, url, data, err)
			}
		}
		if _, err := w.Session(visit("GET", "https://evil.test", "")); apiError(err) == nil || apiError(err).Status != 421 {
			t.Errorf("Session of a foreign host: %v", err)
		}
		rec := httptest.NewRecorder()
		w.RequireSession(http.NotFoundHandler()).ServeHTTP(rec, visit("GET", "https://evil.test", ""))
		if rec.Code != 421 {
			t.Errorf("RequireSession of a foreign host: %d", rec.Code)
		}
	}
}

func TestDynamicBaseURL_directCalls(t *testing.T) {
	evil, app := visit("GET", "https://evil.example/", ""), visit("GET", "https://app.example/", "")
	plain := visit("GET", "http://b.example/page", "")
	plain.TLS = &tls.ConnectionState{}
	header := func(pairs ...string) CallOption {
		h := http.Header{}
		for i := 0; i < len(pairs); i += 2 {
			h.Add(pairs[i], pairs[i+1])
		}
		return WithHeaders(h)
	}
	const unknown, refused, fallback = "500", "421", "https://fall.example"
	tests := []struct {
		options        []CallOption
		want, fellBack string
		reason         string
	}{
		{nil, unknown, fallback, "nothing is known"},
		{[]CallOption{header("Cookie", "a=b")}, unknown, fallback, "headers without a host"},
		{[]CallOption{header("Host", "app.example")}, "https://app.example", "https://app.example", "headers with one"},
		{[]CallOption{header("Host", "localhost:3000")}, "http://localhost:3000", "http://localhost:3000", "a loopback host"},
		{[]CallOption{header("Host", "x.localhost")}, "http://x.localhost", "http://x.localhost", "a name below localhost"},
		{[]CallOption{header("Host", "evil.example")}, refused, fallback, "a foreign host"},
		{[]CallOption{header("X-Forwarded-Host", "app.example")}, "https://app.example", "https://app.example", "headers are those of a proxy"},
		{[]CallOption{header("X-Forwarded-Host", "b.example", "Host", "app.example", "X-Forwarded-Proto", "http")}, "http://b.example", "http://b.example", "which go before Host"},
		{[]CallOption{header("X-Forwarded-Host", "odd host")}, refused, fallback, "odd, and no other"},
		{[]CallOption{WithRequest(app)}, "https://app.example", "https://app.example", "a request"},
		{[]CallOption{WithRequest(plain)}, "https://b.example", "https://b.example", "its TLS state"},
		{[]CallOption{WithRequest(evil)}, refused, fallback, "a foreign request"},
		{[]CallOption{WithRequest(evil), header("Host", "app.example")}, refused, fallback, "the request decides, not the headers beside it"},
	}
	for _, tt := range tests {
		for _, d := range []DynamicBaseURL{
			{AllowedHosts: []string{"app.example", "b.example", "localhost:3000", "*.localhost"}},
			{AllowedHosts: []string{"app.example", "b.example", "localhost:3000", "*.localhost"}, Fallback: fallback},
		} {
			w := newWorld(t, dynamic(d))
			w.at().do(visit("POST", "https://app.example/api/auth/sign-up/email", annSignUp)).ok(t)
			w.mails = nil
			want := tt.want
			if d.Fallback != "" {
				want = tt.fellBack
			}
			_, err := w.API.RequestPasswordReset.Call(t.Context(), RequestPasswordResetRequest{Email: "ann@example.com"}, tt.options...)
			var apiErr *APIError
			switch {
			case strings.HasPrefix(want, "http"):
				if err != nil || !strings.HasPrefix(w.lastMail().URL, want+"/api/auth/reset-password/") {
					t.Errorf("%s: %v, mails %v, want %s", tt.reason, err, w.mails, want)
				}
			case !errors.As(err, &apiErr) || http.StatusText(apiErr.Status) == "" || want != map[int]string{500: unknown, 421: refused}[apiErr.Status]:
				t.Errorf("%s: %v, want %s", tt.reason, err, want)
			case len(w.mails) > 0:
				t.Errorf("%s: a mail leads to %s", tt.reason, w.mails[0].URL)
			}
		}
	}
}

// A call from a hook, and a mail that is sent later, belong to the request.
func TestDynamicBaseURL_inherited(t *testing.T) {
	var tasks []func()
	w := newWorld(t, dynamic(DynamicBaseURL{AllowedHosts: []string{"*.example"}}), func(c *Config) {
		c.Background = func(task func()) { tasks = append(tasks, task) }
	})
	w.API.SignUpEmail.After(func(ctx context.Context, _ *SignUpEmailRequest, _ **SignUpEmailResponse) error {
		if ExchangeFrom(ctx).Request().Host == "a.example" {
			return nil
		}
		_, err := w.API.RequestPasswordReset.Call(ctx, RequestPasswordResetRequest{Email: "ann@example.com"})
		return err
	})
	w.at().do(visit("POST", "https://a.example/api/auth/sign-up/email", annSignUp)).ok(t)
	w.at().do(visit("POST", "https://b.example/api/auth/sign-up/email", strings.Replace(annSignUp, "ann@", "bob@", 1))).ok(t)
	for _, task := range tasks {
		task()
	}
	if len(w.mails) == 0 || !strings.HasPrefix(w.lastMail().URL, "https://b.example/") {
		t.Errorf("mails %v", w.mails)
	}
}

// One endpoint mounted by itself, and an operation called by name.
func TestDynamicBaseURL_otherDoors(t *testing.T) {
	w := newWorld(t, dynamic(DynamicBaseURL{AllowedHosts: []string{"app.example"}, Protocol: "https"}), func(c *Config) { c.BasePath = "/v1/auth/" })
	for host, status := range map[string]int{"app.example": 200, "evil.example": 421} {
		rec := httptest.NewRecorder()
		w.API.SignInEmail.ServeHTTP(rec, visit("POST", "http://"+host+"/login", annSignUp))
		if status == 200 {
			status = 401 // nobody has signed up
		}
		if rec.Code != status {
			t.Errorf("mounted at %s: %d %s", host, rec.Code, rec.Body)
		}
		var resp *http.Response
		_, err := w.API.OK.Call(t.Context(), Empty{}, WithRequest(visit("GET", "http://"+host, "")), AsResponse(&resp))
		if want := map[string]int{"app.example": 200, "evil.example": 421}[host]; err != nil || resp.StatusCode != want {
			t.Errorf("AsResponse for %s: %v, %v", host, resp, err)
		}
	}
	if _, err := w.API.Operation("ok").CallJSON(t.Context(), nil); apiError(err) == nil || apiError(err).Status != 500 {
		t.Errorf("CallJSON without a host: %v", err)
	}
	w.at().do(visit("POST", "http://app.example/v1/auth/sign-up/email", annSignUp)).ok(t)
	w.at().do(visit("POST", "http://app.example/v1/auth/request-password-reset", annReset)).ok(t)
	if got := w.lastMail().URL; !strings.HasPrefix(got, "https://app.example/v1/auth/reset-password/") {
		t.Errorf("link %s", got)
	}
}

func TestDynamicBaseURL_mistakes(t *testing.T) {
	app := []string{"app.example"}
	tests := []struct {
		config Config
		want   string
		reason string
	}{
		{Config{BaseURL: "https://a.example", DynamicBaseURL: DynamicBaseURL{AllowedHosts: app}}, "both BaseURL and DynamicBaseURL", "one or the other"},
		{Config{DynamicBaseURL: DynamicBaseURL{Protocol: "https"}}, "AllowedHosts is empty", "no host"},
		{Config{DynamicBaseURL: DynamicBaseURL{Fallback: "https://a.example"}}, "AllowedHosts is empty", "a fallback is no host"},
		{Config{DynamicBaseURL: DynamicBaseURL{AllowedHosts: app, Protocol: "HTTPS"}}, `Protocol is "HTTPS"`, "an unknown scheme"},
		{Config{DynamicBaseURL: DynamicBaseURL{AllowedHosts: app, Fallback: "a.example"}}, "Fallback", "no URL"},
		{Config{DynamicBaseURL: DynamicBaseURL{AllowedHosts: app, Fallback: "ftp://a.example"}}, "Fallback", "no web URL"},
		{Config{DynamicBaseURL: DynamicBaseURL{AllowedHosts: app, Fallback: "https://a.example/auth"}}, "the path is Config.BasePath", "a path"},
		{Config{DynamicBaseURL: DynamicBaseURL{AllowedHosts: app, Fallback: "https://u@a.example"}}, "Fallback", "user information"},
		{Config{DynamicBaseURL: DynamicBaseURL{AllowedHosts: app, Fallback: "https://a.example?x"}}, "Fallback", "a query"},
		{Config{BasePath: "auth", DynamicBaseURL: DynamicBaseURL{AllowedHosts: app}}, "BasePath", "no path"},
		{Config{Cookies: Cookies{Prefix: "bad prefix"}, DynamicBaseURL: DynamicBaseURL{AllowedHosts: app}}, "bad prefix", "cookies are checked too"},
	}
	for pattern, want := range map[string]string{
		"":                    "no host",
		":3000":               "no host",
		"https://app.example": "no scheme",
		"app.example/":        "no path",
		"app.example:x":       "port is not a number",
		"app.example:443":     "default port",
		"app.example.":        "label of the host is empty",
		"*..example":          "label of the host is empty",
		"app example":         "canonical form",
		"äpp.example":         "canonical form",
		"u@app.example":       "canonical form",
		"[0:0::1]":            "canonical form",
		"127.1":               "canonical form",
		"*":                   "any host",
		"**":                  "any host",
		"*:3000":              "any host",
		"*.*":                 "anybody can register",
		"app.*":               "anybody can register",
		"*app.example":        "anybody can register",
		"app?":                "anybody can register",
	} {
		tests = append(tests, struct {
			config Config
			want   string
			reason string
		}{Config{DynamicBaseURL: DynamicBaseURL{AllowedHosts: []string{pattern}, Protocol: "https"}}, want, pattern})
	}
	for _, tt := range tests {
		tt.config.Secret, tt.config.Store = testSecret, NewMemoryStore()
		if _, err := New(tt.config); err == nil || !strings.Contains(err.Error(), tt.want) {
			t.Errorf("%s: %v, want %q", tt.reason, err, tt.want)
		}
	}
}

// FuzzDynamicBaseURL: whatever a client sends for a host, the base URL is that of
// a host that was allowed, as every parser reads it, or none.
func FuzzDynamicBaseURL(f *testing.F) {
	for _, host := range []string{"app.example", "x.pre.example", "evil.example\\.pre.example", "a@x.pre.example", "[::1]:3000", "app.example:443", "x..pre.example", "%2e.pre.example", "EVIL.PRE.EXAMPLE:"} {
		f.Add(host, host)
	}
	a, err := New(Config{
		DynamicBaseURL: DynamicBaseURL{AllowedHosts: []string{"app.example", "*.pre.example", "[::1]:3000"}, Protocol: "https"},
		Secret:         testSecret, Store: NewMemoryStore(),
	})
	if err != nil {
		f.Fatal(err)
	}
	f.Fuzz(func(t *testing.T, host, forwarded string) {
		r := visit("GET", "/", "")
		r.Host, r.RemoteAddr = host, "127.0.0.1:1"
		r.Header["X-Forwarded-Host"] = []string{forwarded}
		found, err := a.core.sites.find(r, r.Header)
		if err != nil {
			return
		}
		l, ok := parseLocation(found.url)
		if !ok || l.origin() != found.origin || found.url != found.origin+"/api/auth" {
			t.Fatalf("%q, %q: %s is not canonical", host, forwarded, found.url)
		}
		if h := l.authority(); h != "app.example" && h != "[::1]:3000" && !strings.HasSuffix(l.host, ".pre.example") || l.host == ".pre.example" {
			t.Fatalf("%q, %q: %s", host, forwarded, found.url)
		}
		if !a.core.trusted.trustsOrigin(r, found.origin) {
			t.Fatalf("%s does not trust itself", found.origin)
		}
	})
}

// FuzzAllowedHost: no pattern that New accepts panics or allows a host of a
// stranger.
func FuzzAllowedHost(f *testing.F) {
	for _, pattern := range []string{"app.example", "*.pre.example", "a-*.b.example:*", "[::1]", "192.168.*", "*", "*.", ".*", "**.a", "\\*.b", "?.c:?"} {
		f.Add(pattern)
	}
	f.Fuzz(func(t *testing.T, pattern string) {
		host, err := newAllowedHost(pattern, "https")
		if err == nil && host.authority.matches("stranger.invalid") && !strings.HasSuffix(strings.ToLower(pattern), "invalid") {
			t.Fatalf("%q allows everybody", pattern)
		}
	})
}
