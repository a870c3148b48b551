package auth

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/cookiejar"
	"net/http/httptest"
	"net/url"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"
)

// codes are those of the findings, in their order.
func (d *Diagnosis) codes() string {
	var codes []string
	for _, f := range d.Findings {
		codes = append(codes, f.Code)
	}
	return strings.Join(codes, " ")
}

// A diagnosisCase is a request and what is found about it. The request is one of ann's
// browser, which has signed in, to testOrigin.
type diagnosisCase struct {
	reason string
	edit   func(*Config)
	spoil  func(w *world, ann *browser, r *http.Request) // nil: nothing
	want   string                                        // codes
	has    []string                                      // in the texts
}

func withHeaders(pairs ...string) func(*world, *browser, *http.Request) {
	return func(_ *world, _ *browser, r *http.Request) {
		for i := 0; i < len(pairs); i += 2 {
			r.Header.Set(pairs[i], pairs[i+1])
			if pairs[i] == "X-Forwarded-Proto" {
				r.RemoteAddr = "127.0.0.1:5" // a trusted proxy
			}
		}
	}
}

// withoutCookies is withHeaders for a request that has no cookie.
func withoutCookies(pairs ...string) func(*world, *browser, *http.Request) {
	return func(w *world, ann *browser, r *http.Request) {
		r.Header.Del("Cookie")
		withHeaders(pairs...)(w, ann, r)
	}
}

// httpsBase is a configuration with https, in which the tests sign in all the same.
func httpsBase(c *Config) { c.BaseURL = "https://localhost:3000" }

func sameSite(mode http.SameSite, partitioned bool) func(*Config) {
	return func(c *Config) {
		httpsBase(c)
		c.Cookies.Default.SameSite, c.Cookies.Default.Partitioned = mode, partitioned
	}
}

func cached(c *Config) { c.Session.CookieCache.Enabled = true }

var diagnosisCases = []diagnosisCase{
	{reason: "all is well"},
	{reason: "all is well with a copy", edit: cached},
	{reason: "all is well without a store", edit: stateless},
	{reason: "all is well behind a trusted proxy", edit: httpsBase, spoil: withHeaders("X-Forwarded-Proto", "https", "X-Forwarded-For", "198.51.100.7", "Origin", "https://localhost:3000")},
	{reason: "a link from another site", spoil: withHeaders("Sec-Fetch-Site", "cross-site", "Sec-Fetch-Mode", "navigate", "Sec-Fetch-Dest", "document")},

	{reason: "nobody has signed in", spoil: withoutCookies(), want: "no_cookie", has: []string{tokenName}},
	{reason: "a copy expired, and the store knows the session", edit: cached, spoil: func(w *world, ann *browser, r *http.Request) {
		ann.cookies[dataName] = w.copyOfAnn(ann, -time.Minute, nil)
		r.Header.Set("Cookie", ann.cookieHeader())
	}},

	{reason: "https is the base URL, and the page was opened by http", edit: httpsBase, spoil: withoutCookies(),
		want: "secure_cookie_over_http", has: []string{"TLS"}},
	{reason: "the same as a proxy tells it", edit: httpsBase, spoil: withoutCookies("X-Forwarded-Proto", "http"), want: "secure_cookie_over_http"},
	{reason: "http is the base URL, and the page was opened by https", spoil: withHeaders("X-Forwarded-Proto", "https", "Origin", "https://localhost:3000"), want: "scheme_differs origin_not_trusted", has: []string{"Set BaseURL to https://localhost:3000.", "BaseURL is another one"}},
	{reason: "a proxy that is not trusted", spoil: withHeaders("X-Forwarded-For", "198.51.100.7"), want: "proxy_not_trusted"},

	{reason: "another host", spoil: func(_ *world, _ *browser, r *http.Request) { r.Host = "www.example.com" }, want: "host_differs", has: []string{testOrigin, "www.example.com"}},
	{reason: "another host, and no cookie there", spoil: func(w *world, ann *browser, r *http.Request) {
		r.Host = "www.example.com"
		withoutCookies()(w, ann, r)
	}, want: "host_differs"},
	{reason: "another name of this machine", spoil: func(_ *world, _ *browser, r *http.Request) { r.Host = "127.0.0.1:3000" }, want: "loopback_names", has: []string{testOrigin}},
	{reason: "a host that a proxy has changed, and says so", spoil: func(w *world, ann *browser, r *http.Request) {
		r.Host, r.RemoteAddr = "backend:8080", "127.0.0.1:5"
		withHeaders("X-Forwarded-Host", "localhost:3000")(w, ann, r)
	}},
	{reason: "a host that is not served", edit: dynamicTo(""), spoil: func(_ *world, _ *browser, r *http.Request) { r.Host = "evil.example" },
		want: "host_not_allowed", has: []string{"evil.example", "AllowedHosts"}},
	{reason: "a host that only Fallback serves", edit: dynamicTo(testOrigin), spoil: func(_ *world, _ *browser, r *http.Request) { r.Host = "other.example" },
		want: "host_fallback", has: []string{"other.example", testOrigin}},

	{reason: "the cookie of a server with https", spoil: func(_ *world, ann *browser, r *http.Request) {
		r.Header.Set("Cookie", securePrefix+tokenName+"="+ann.cookies[tokenName])
	}, want: "cookie_other_name", has: []string{securePrefix + tokenName}},
	{reason: "the cookie of before HostPrefix", edit: func(c *Config) {
		httpsBase(c)
		c.Cookies.HostPrefix = true
	}, spoil: func(w *world, ann *browser, r *http.Request) {
		withHeaders("X-Forwarded-Proto", "https", "Cookie", securePrefix+tokenName+"="+ann.cookies[hostPrefix+tokenName])(w, ann, r)
	}, want: "cookie_other_name", has: []string{hostPrefix + tokenName}},
	{reason: "the cookie of a server with another prefix", spoil: func(_ *world, ann *browser, r *http.Request) {
		r.Header.Set("Cookie", "acme.session_token="+ann.cookies[tokenName])
	}, want: "cookie_other_name", has: []string{"Cookies.Prefix"}},
	{reason: "more cookies than anybody takes", spoil: withHeaders("Cookie", "a="+strings.Repeat("x", 9000)), want: "cookies_too_large", has: []string{"9002 bytes"}},
	{reason: "a domain in which the host is not", edit: func(c *Config) { c.Cookies.CrossSubDomain, c.Cookies.Domain = true, "example.com" }, spoil: withoutCookies(),
		want: "cookie_domain", has: []string{"Domain=example.com", "localhost"}},
	{reason: "a path that the page is not below", edit: func(c *Config) { c.Cookies.Default.Path = "/api" }, spoil: func(w *world, ann *browser, r *http.Request) {
		r.URL.Path = "/apical"
		withoutCookies()(w, ann, r)
	}, want: "cookie_path", has: []string{"Path=/api"}},
	{reason: "another site", spoil: withoutCookies("Sec-Fetch-Site", "cross-site", "Sec-Fetch-Mode", "no-cors", "Sec-Fetch-Dest", "iframe"),
		want: "same_site", has: []string{"SameSite=lax"}},
	{reason: "a fetch of another site", spoil: withoutCookies("Sec-Fetch-Site", "cross-site", "Sec-Fetch-Mode", "cors", "Origin", "https://app.example"),
		want: "same_site credentials_missing origin_not_trusted", has: []string{`credentials: "include"`, `TrustedOrigins: []string{"https://app.example"}`}},
	{reason: "a link from another site to a strict cookie", edit: sameSite(http.SameSiteStrictMode, false),
		spoil: withoutCookies("X-Forwarded-Proto", "https", "Sec-Fetch-Site", "cross-site", "Sec-Fetch-Mode", "navigate", "Sec-Fetch-Dest", "document"), want: "same_site", has: []string{"SameSite=strict"}},
	{reason: "a cookie of third parties", edit: sameSite(http.SameSiteNoneMode, false),
		spoil: withoutCookies("Sec-Fetch-Site", "cross-site", "Sec-Fetch-Mode", "no-cors", "X-Forwarded-Proto", "https"), want: "third_party_cookie", has: []string{"not Partitioned"}},
	{reason: "a cookie of this site in another one", edit: sameSite(http.SameSiteNoneMode, true),
		spoil: withoutCookies("Sec-Fetch-Site", "cross-site", "Sec-Fetch-Mode", "no-cors", "X-Forwarded-Proto", "https"), want: "third_party_cookie", has: []string{"CHIPS"}},

	{reason: "two cookies", spoil: func(_ *world, ann *browser, r *http.Request) {
		r.Header.Set("Cookie", tokenName+"=old.cookie; "+ann.cookieHeader())
	}, want: "cookie_twice cookie_malformed", has: []string{"2 cookies"}},
	{reason: "two cookies, the good one first", spoil: func(_ *world, ann *browser, r *http.Request) {
		r.Header.Set("Cookie", ann.cookieHeader()+"; "+tokenName+"=old.cookie")
	}, want: "cookie_twice"},
	{reason: "a cookie that was cut", spoil: func(_ *world, ann *browser, r *http.Request) {
		r.Header.Set("Cookie", tokenName+"="+ann.cookies[tokenName][:40])
	}, want: "cookie_malformed"},
	{reason: "a cookie of another secret", spoil: func(_ *world, ann *browser, r *http.Request) {
		token, _, _ := strings.Cut(ann.cookies[tokenName], ".")
		r.Header.Set("Cookie", tokenName+"="+encodeURIComponent(newSigner("another secret of thirty-two bytes").signCookie(token)))
	}, want: "signature_mismatch"},
	{reason: "a session that is gone", spoil: func(w *world, ann *browser, r *http.Request) {
		if err := w.core.deleteSession(w.t.Context(), ann.token()); err != nil {
			w.t.Fatal(err)
		}
	}, want: "session_unknown"},
	{reason: "a session that has expired", spoil: func(w *world, ann *browser, r *http.Request) {
		if _, err := w.core.sessions.change(w.t.Context(), ann.token(), map[string]any{"expiresAt": now().Add(-time.Minute)}); err != nil {
			w.t.Fatal(err)
		}
	}, want: "session_expired"},
	{reason: "a store that fails", spoil: func(w *world, _ *browser, r *http.Request) {
		ctx, cancel := context.WithCancelCause(r.Context())
		cancel(errSecret)
		*r = *r.WithContext(ctx)
	}, want: "store_failed"},

	{reason: "a copy without a part", edit: cached, spoil: func(_ *world, ann *browser, r *http.Request) {
		ann.cookies[dataName+".0"], ann.cookies[dataName+".2"] = "x", "y"
		delete(ann.cookies, dataName)
		r.Header.Set("Cookie", ann.cookieHeader())
	}, want: "copy_chunk_missing"},
	{reason: "a copy that cannot be read", edit: cached, spoil: func(_ *world, ann *browser, r *http.Request) {
		ann.cookies[dataName] = "nonsense"
		r.Header.Set("Cookie", ann.cookieHeader())
	}, want: "copy_unreadable"},
	{reason: "a copy of another session", edit: cached, spoil: func(w *world, ann *browser, r *http.Request) {
		ann.cookies[dataName] = w.signIn("ann").cookies[dataName]
		r.Header.Set("Cookie", ann.cookieHeader())
	}, want: "copy_other_session"},
	{reason: "a copy of another version", edit: cached, spoil: func(w *world, ann *browser, r *http.Request) {
		w.core.session.CookieCache.Version = "2"
	}, want: "copy_other_version"},
	{reason: "no copy where that is all", edit: stateless, spoil: func(_ *world, ann *browser, r *http.Request) {
		delete(ann.cookies, dataName)
		r.Header.Set("Cookie", ann.cookieHeader())
	}, want: "copy_missing"},
	{reason: "an old copy where that is all", edit: stateless, spoil: func(w *world, ann *browser, r *http.Request) {
		ann.cookies[dataName] = w.copyOfAnn(ann, time.Minute, func(s *Session) { s.ExpiresAt = now().Add(-time.Minute) })
		r.Header.Set("Cookie", ann.cookieHeader())
	}, want: "session_expired"},

	{reason: "a bearer token and no plugin", spoil: withoutCookies("Authorization", "Bearer abcdefgh"), want: "bearer_ignored"},
	{reason: "a bearer token that is no good", edit: func(c *Config) { c.Plugins = []Plugin{&Bearer{RequireSignature: true}} },
		spoil: withoutCookies("Authorization", "Bearer abcdefgh"), want: "bearer_refused"},
	{reason: "a good bearer token", edit: func(c *Config) { c.Plugins = []Plugin{&Bearer{}} }, spoil: func(w *world, ann *browser, r *http.Request) {
		withoutCookies("Authorization", "Bearer "+ann.token())(w, ann, r)
	}},

	{reason: "a page that is not trusted", spoil: withHeaders("Origin", "https://app.example"), want: "origin_not_trusted",
		has: []string{`TrustedOrigins: []string{"https://app.example"}`}},
	{reason: "a page that says only where it is", spoil: withHeaders("Referer", "https://app.example/secret?x=1"), want: "origin_not_trusted"},
	{reason: "an origin that is none", spoil: withHeaders("Origin", "evil"), want: "origin_not_trusted"},
	{reason: "any page is trusted", edit: func(c *Config) { c.OriginCheck.DisableCSRFCheck = true }, spoil: withHeaders("Origin", "https://app.example")},
	{reason: "a program that posts with cookies", spoil: func(_ *world, _ *browser, r *http.Request) { r.Method = http.MethodPost }, want: "origin_missing"},
}

func dynamicTo(fallback string) func(*Config) {
	return func(c *Config) {
		c.BaseURL = ""
		c.DynamicBaseURL = DynamicBaseURL{AllowedHosts: []string{"localhost:3000"}, Protocol: "http", Fallback: fallback}
	}
}

// token is that of the browser's session.
func (b *browser) token() string {
	for name, raw := range b.cookies {
		if strings.HasSuffix(name, ".session_token") {
			token, _ := newSigner(testSecret).openCookie(raw)
			return token
		}
	}
	b.t.Fatal("no session")
	return ""
}

// copyOfAnn seals a copy of ann's session, changed, that expires some time from now.
func (w *world) copyOfAnn(ann *browser, lifetime time.Duration, change func(*Session)) string {
	w.t.Helper()
	r := httptest.NewRequest(http.MethodGet, testOrigin+"/", nil)
	r.Header.Set("Cookie", ann.cookieHeader())
	data, err := w.Session(r)
	if err != nil || data == nil {
		w.t.Fatal(data, err)
	}
	session := *data.Session
	if change != nil {
		change(&session)
	}
	cookies := w.core.home.cookies
	object, err := cookies.copyOf(&SessionData{Session: &session, User: data.User})
	if err != nil {
		w.t.Fatal(err)
	}
	value, err := cookies.seal.Seal(r.Context(), object, time.Now().Add(lifetime))
	if err != nil {
		w.t.Fatal(err)
	}
	return encodeURIComponent(value)
}

// TestDiagnose: each cause is found, no other one is, and no secret is told.
func TestDiagnose(t *testing.T) {
	for _, tt := range diagnosisCases {
		t.Run(tt.reason, func(t *testing.T) {
			w := newWorld(t, func(c *Config) {
				if tt.edit != nil {
					tt.edit(c)
				}
			})
			ann := w.browser()
			if strings.HasPrefix(w.core.config(), "https") {
				ann.header.Set("Origin", w.core.config())
			}
			ann.post("/sign-up/email", credentials("ann")).ok(t)
			r := httptest.NewRequest(http.MethodGet, testOrigin+"/page", nil)
			r.Header.Set("Cookie", ann.cookieHeader())
			secrets := []string{ann.token(), testSecret}
			for _, value := range ann.cookies {
				secrets = append(secrets, value, decodeURIComponent(value))
			}
			if tt.spoil != nil {
				tt.spoil(w, ann, r)
			}
			before := count(t, w, w.core.sessions.table)
			d := w.Diagnose(r)
			if got := d.codes(); got != tt.want {
				t.Errorf("found %q, want %q\n%s", got, tt.want, d)
			}
			if tt.want == "" && (d.UserID == "" || d.SessionID == "" || d.ExpiresAt == nil) && r.Header.Get("Sec-Fetch-Mode") == "" {
				t.Errorf("no session: %s", d)
			}
			body, err := json.Marshal(d)
			if err != nil || !strings.Contains(string(body), `"findings":[`) {
				t.Errorf("%s, %v", body, err)
			}
			text := d.String() + fmt.Sprintf("%+v", d)
			for _, want := range tt.has {
				if !strings.Contains(text, want) {
					t.Errorf("the text has no %q:\n%s", want, text)
				}
			}
			for _, secret := range secrets {
				if strings.Contains(text, secret) {
					t.Errorf("the text has the secret %q:\n%s", secret, text)
				}
			}
			if count(t, w, w.core.sessions.table) != before {
				t.Error("a session was written or removed")
			}
		})
	}
}

// config is the origin of the only site, empty if there are several.
func (c *core) config() string {
	if c.home == nil {
		return ""
	}
	return c.home.origin
}

// TestDiagnoseDocs: docs/troubleshooting.md has a row for each code of the source, a
// case shows each, and no others.
func TestDiagnoseDocs(t *testing.T) {
	text, err := os.ReadFile("docs/troubleshooting.md")
	if err != nil {
		t.Fatal(err)
	}
	found := func(pattern string, texts ...string) (codes []string) {
		for _, text := range texts {
			for _, match := range regexp.MustCompile(pattern).FindAllStringSubmatch(text, -1) {
				codes = append(codes, match[1])
			}
		}
		slices.Sort(codes)
		return slices.Compact(codes)
	}
	var sources, cases []string
	for _, name := range []string{"diagnose.go", "diagnose_cookie.go", "diagnose_origin.go"} {
		source, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		sources = append(sources, string(source))
	}
	for _, tt := range diagnosisCases {
		cases = append(cases, strings.Fields(tt.want)...)
	}
	slices.Sort(cases)
	inSource := found(`d\.find\("(\w+)"`, sources...)
	if listed := found("(?m)^\\| `(\\w+)` \\|", string(text)); !slices.Equal(inSource, listed) {
		t.Errorf("the source has %v\nthe page      %v", inSource, listed)
	}
	if shown := slices.Compact(cases); !slices.Equal(inSource, shown) || len(inSource) < 25 {
		t.Errorf("the source has %v\nthe cases     %v", inSource, shown)
	}
}

// diagnosingServer is a real server whose page /debug is the diagnosis of the request.
func diagnosingServer(t *testing.T, edit func(c *Config, port string)) (w *world, port string) {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	_, port, err = net.SplitHostPort(listener.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	w = newWorld(t, func(c *Config) {
		c.BaseURL = "http://localhost:" + port
		if edit != nil {
			edit(c, port)
		}
	})
	mux := http.NewServeMux()
	mux.Handle("/api/auth/", w)
	mux.HandleFunc("/debug", func(rw http.ResponseWriter, r *http.Request) {
		if err := json.NewEncoder(rw).Encode(w.Diagnose(r)); err != nil {
			t.Error(err)
		}
	})
	server := &http.Server{Handler: mux}
	go func() {
		if err := server.Serve(listener); !errors.Is(err, http.ErrServerClosed) {
			t.Error(err)
		}
	}()
	t.Cleanup(func() { _ = server.Close() })
	return w, port
}

// TestDiagnoseWithJar: a client with a cookie jar behaves as browsers do, and the
// findings say what it did.
func TestDiagnoseWithJar(t *testing.T) {
	for _, tt := range []struct {
		reason string
		edit   func(c *Config, port string)
		host   string // of the sign-in
		page   string // its host
		want   string
	}{
		{"all is well", nil, "localhost", "localhost", ""},
		{"the jar has cookies of the other name", nil, "localhost", "127.0.0.1", "loopback_names"},
		{"the jar keeps no Secure cookie of http", func(c *Config, port string) { c.BaseURL = "https://app.test:" + port }, "app.test", "app.test", "secure_cookie_over_http"},
		{"the jar refuses a foreign domain", func(c *Config, _ string) { c.Cookies.CrossSubDomain, c.Cookies.Domain = true, "example.com" }, "localhost", "localhost", "cookie_domain"},
		{"the jar keeps the cookie for a path", func(c *Config, _ string) { c.Cookies.Default.Path = "/api/auth" }, "localhost", "localhost", "cookie_path"},
	} {
		t.Run(tt.reason, func(t *testing.T) {
			w, port := diagnosingServer(t, tt.edit)
			jar, err := cookiejar.New(nil)
			if err != nil {
				t.Fatal(err)
			}
			client := &http.Client{Jar: jar, Timeout: 10 * time.Second, Transport: &http.Transport{
				DisableKeepAlives: true,
				DialContext: func(ctx context.Context, network, _ string) (net.Conn, error) { // whatever localhost means here
					return (&net.Dialer{}).DialContext(ctx, network, "127.0.0.1:"+port)
				},
			}}
			body := strings.NewReader(`{"name":"Ann","email":"ann@example.com","password":"password of ann"}`)
			r, err := http.NewRequestWithContext(t.Context(), http.MethodPost, "http://"+tt.host+":"+port+"/api/auth/sign-up/email", body)
			if err != nil {
				t.Fatal(err)
			}
			r.Header.Set("Content-Type", "application/json")
			r.Header.Set("Origin", w.core.home.origin)
			resp, err := client.Do(r)
			if err != nil {
				t.Fatal(err)
			}
			resp.Body.Close()
			if resp.StatusCode != http.StatusOK {
				t.Fatal(resp.Status)
			}
			resp, err = client.Get((&url.URL{Scheme: "http", Host: tt.page + ":" + port, Path: "/debug"}).String())
			if err != nil {
				t.Fatal(err)
			}
			defer resp.Body.Close()
			text, err := io.ReadAll(resp.Body)
			if err != nil {
				t.Fatal(err)
			}
			var d Diagnosis
			if err := json.Unmarshal(text, &d); err != nil {
				t.Fatal(err)
			}
			if d.codes() != tt.want || (d.SessionID != "") != (tt.want == "") {
				t.Errorf("found %q, want %q: %s", d.codes(), tt.want, text)
			}
		})
	}
}

// FuzzDiagnose: whatever a request has in its headers, there is a diagnosis, and it has
// nothing of a token.
func FuzzDiagnose(f *testing.F) {
	for _, tt := range []string{"", tokenName + "=a.b", securePrefix + tokenName + "=x; " + dataName + ".1=y", "; =;;a", strings.Repeat(tokenName+"=x;", 50)} {
		f.Add(tt, "https://app.example", "localhost:3000", "cross-site", "Bearer x")
	}
	f.Add("", "null", "[::1", "same-site", "bearer \x00")
	f.Add("$", "https://$.example", "$", "$", "Bearer $")
	var w *world
	var cookie, token string
	f.Fuzz(func(t *testing.T, cookies, origin, host, site, authorization string) {
		if w == nil {
			w = newWorld(t, func(c *Config) { c.Plugins = []Plugin{&Bearer{}}; c.Session.CookieCache.Enabled = true })
			ann := w.as("ann")
			cookie, token = ann.cookieHeader(), ann.token()
		}
		fill := strings.NewReplacer("$", token)
		for _, header := range []string{fill.Replace(cookies), cookie + "; " + fill.Replace(cookies)} {
			r := httptest.NewRequest(http.MethodPost, testOrigin+"/x", nil)
			r.Host = fill.Replace(host)
			r.Header = http.Header{
				"Cookie": {header}, "Origin": {fill.Replace(origin)}, "Sec-Fetch-Site": {fill.Replace(site)},
				"Sec-Fetch-Mode": {"cors"}, "Authorization": {fill.Replace(authorization)}, "X-Forwarded-Host": {fill.Replace(host)},
			}
			d := w.Diagnose(r)
			body, err := json.Marshal(d)
			if err != nil {
				t.Fatal(err)
			}
			known := strings.Contains(header, token) || strings.Contains(authorization, "$")
			if text := d.String() + string(body); known && strings.Contains(text, token) {
				t.Errorf("the diagnosis has the token: %s", text)
			}
		}
	})
}
