package auth

import (
	"bytes"
	"context"
	"errors"
	"io"
	"log/slog"
	"net/http"
	"net/http/cookiejar"
	"net/http/httptest"
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

// A roundTrip is a server without a socket.
type roundTrip func(*http.Request) (*http.Response, error)

func (f roundTrip) RoundTrip(r *http.Request) (*http.Response, error) { return f(r) }

// answers is a server that always says the same.
func answers(status int, body string, header ...string) *http.Client {
	return &http.Client{Transport: roundTrip(func(r *http.Request) (*http.Response, error) {
		rec := httptest.NewRecorder()
		for i := 0; i+1 < len(header); i += 2 {
			rec.Header().Set(header[i], header[i+1])
		}
		rec.WriteHeader(status)
		_, _ = rec.WriteString(body)
		response := rec.Result()
		response.Request = r
		return response, nil
	})}
}

const remoteToken = "abcdefghijklmnopqrstuvwxyzABCDEF"

// remoteCookie has a signature that only the server could judge.
var remoteCookie = cookies(tokenName + "=" + encodeURIComponent(newSigner(foreign).signCookie(remoteToken)))

// TestVerifierOddAnswers: null is no session, and everything that is neither null
// nor the session is a failure, never "no session".
func TestVerifierOddAnswers(t *testing.T) {
	const session = `{"session":{"id":"s1","token":"` + remoteToken + `","userId":"u1","expiresAt":"2999-01-01T00:00:00.000Z"},"user":{"id":"u1","name":"ann"}}`
	edit := func(old, new string) string { return strings.Replace(session, old, new, 1) }
	for _, tt := range []struct {
		reason string
		client *http.Client
		name   string
		fails  bool
	}{
		{"a session", answers(200, session), "ann", false},
		{"members of plugins", answers(200, edit(`"user":{`, `"roles":["x"],"user":{"role":"x",`)), "ann", false},
		{"null", answers(200, "null"), "", false},
		{"null and a line end", answers(200, " null\r\n"), "", false},
		{"expired", answers(200, edit("2999", "1999")), "", false},
		{"no end", answers(200, edit(`,"expiresAt":"2999-01-01T00:00:00.000Z"`, "")), "", false},
		{"nothing", answers(200, ""), "", true},
		{"white space", answers(200, " \n"), "", true},
		{"a page", answers(200, "<!doctype html><title>Welcome</title>"), "", true},
		{"cut short", answers(200, session[:len(session)-1]), "", true},
		{"two answers", answers(200, session+session), "", true},
		{"an empty object", answers(200, "{}"), "", true},
		{"an array", answers(200, "[]"), "", true},
		{"false", answers(200, "false"), "", true},
		{"no user", answers(200, `{"session":{"token":"`+remoteToken+`","userId":"u1","expiresAt":"2999-01-01T00:00:00.000Z"},"user":null}`), "", true},
		{"no session in it", answers(200, `{"session":null,"user":null}`), "", true},
		{"nobody's session", answers(200, `{"session":{"token":"`+remoteToken+`","expiresAt":"2999-01-01T00:00:00.000Z"},"user":{}}`), "", true},
		{"another user", answers(200, edit(`"user":{"id":"u1"`, `"user":{"id":"u2"`)), "", true},
		{"another session, as a cache would answer", answers(200, edit(remoteToken, strings.ToLower(remoteToken))), "", true},
		{"a date that is none", answers(200, edit("2999-01-01T00:00:00.000Z", "tomorrow")), "", true},
		{"too long", answers(200, session+strings.Repeat(" ", maxRemoteSession)+"x"), "", true},
		{"null and too long", answers(200, "null"+strings.Repeat(" ", 2*maxRemoteSession)), "", true},
		{"unauthorized", answers(401, session), "", true},
		{"not found", answers(404, "null"), "", true},
		{"too many requests", answers(429, "null"), "", true},
		{"failed", answers(500, `{"code":"FAILED_TO_GET_SESSION"}`), "", true},
		{"no content", answers(204, ""), "", true},
		{"a redirect", answers(302, session, "Location", "https://evil.example/get-session"), "", true},
		{"down", &http.Client{Transport: roundTrip(func(*http.Request) (*http.Response, error) { return nil, io.ErrUnexpectedEOF })}, "", true},
	} {
		data, err := newVerifier(t, VerifierConfig{URL: testBase, HTTPClient: tt.client}).Session(&http.Request{Header: remoteCookie})
		got := ""
		if data != nil {
			got = data.User.Name
		}
		if got != tt.name || (err != nil) != tt.fails {
			t.Errorf("%s: %q, %v", tt.reason, got, err)
		}
		if err != nil && strings.Contains(err.Error(), remoteToken[:20]) {
			t.Errorf("%s: the error has the token in it: %v", tt.reason, err)
		}
	}
}

// TestVerifierRedirect: the cookies go nowhere but to the server, whatever it says
// and whatever the client is told to do.
func TestVerifierRedirect(t *testing.T) {
	visited := false
	elsewhere := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { visited = true }))
	defer elsewhere.Close()
	server := httptest.NewServer(http.RedirectHandler(elsewhere.URL, http.StatusTemporaryRedirect))
	defer server.Close()
	eager := &http.Client{CheckRedirect: func(*http.Request, []*http.Request) error { return nil }}
	_, err := newVerifier(t, VerifierConfig{URL: server.URL, HTTPClient: eager}).Session(&http.Request{Header: remoteCookie})
	if err == nil || !strings.Contains(err.Error(), "status 307") || visited {
		t.Errorf("%v, visited %v", err, visited)
	}
}

// TestVerifierDown: a server that is not there is 500 and not 401.
func TestVerifierDown(t *testing.T) {
	server := httptest.NewServer(http.NotFoundHandler())
	server.Close()
	var log bytes.Buffer
	v := newVerifier(t, VerifierConfig{URL: server.URL, Logger: slog.New(slog.NewTextHandler(&log, nil))})
	rec := serve(v.RequireSession(http.NotFoundHandler()), "GET", "/", "", "Cookie", remoteCookie.Get("Cookie"))
	if rec.Code != 500 || !strings.Contains(rec.Body.String(), string(ErrFailedToGetSession)) || strings.Contains(rec.Body.String(), "127.0.0.1") {
		t.Errorf("%d %s", rec.Code, rec.Body)
	}
	if text := log.String(); !strings.Contains(text, "get-session") || strings.Contains(text, remoteToken[:20]) {
		t.Errorf("log: %s", text)
	}
}

// TestVerifierTimeout: a server that does not answer costs five seconds, or what
// the client says, and a request that is given up takes its question along.
func TestVerifierTimeout(t *testing.T) {
	silent := roundTrip(func(r *http.Request) (*http.Response, error) {
		<-r.Context().Done()
		return nil, r.Context().Err()
	})
	for timeout, want := range map[time.Duration]time.Duration{0: 5 * time.Second, time.Second: time.Second, time.Hour: 10 * time.Second} {
		synctest.Test(t, func(t *testing.T) {
			v := newVerifier(t, VerifierConfig{URL: testBase, HTTPClient: &http.Client{Transport: silent, Timeout: timeout}})
			ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
			defer cancel()
			began := time.Now()
			_, err := v.Session((&http.Request{Header: remoteCookie}).WithContext(ctx))
			if took := time.Since(began); !errors.Is(err, context.DeadlineExceeded) || took != want {
				t.Errorf("timeout %v: %v after %v", timeout, err, took)
			}
		})
	}
}

// asked is what a server is asked by a request with these headers, empty if it is
// not asked at all.
func asked(t *testing.T, config VerifierConfig, h http.Header) (question http.Request) {
	t.Helper()
	jar, err := cookiejar.New(nil)
	if err != nil {
		t.Fatal(err)
	}
	config.URL = "http://auth.internal/base/"
	config.HTTPClient = &http.Client{Jar: jar, Transport: roundTrip(func(r *http.Request) (*http.Response, error) {
		question = *r
		return answers(200, "null", "Set-Cookie", tokenName+"=of-somebody").Transport.RoundTrip(r)
	})}
	v := newVerifier(t, config)
	for range 2 { // what the first answer sets must not be in the second question
		sees(t, "null", v, h, "")
	}
	return question
}

// TestVerifierQuestion: the server gets the cookies of the session and nothing
// else of the request.
func TestVerifierQuestion(t *testing.T) {
	signed := encodeURIComponent(newSigner(testSecret).signCookie(remoteToken))
	token, secure := tokenName+"="+signed, securePrefix+tokenName+"="+signed
	for _, tt := range []struct {
		reason string
		config VerifierConfig
		h      http.Header
		cookie string
	}{
		{"token", VerifierConfig{}, cookies("a=b", token, "better-auth.dont_remember=x", "c=d"), token},
		{"the name that wins", VerifierConfig{}, cookies(token, secure), secure},
		{"bearer, under each name", VerifierConfig{}, bearer(signed), secure + "; " + token},
		{"bearer of a server with https", VerifierConfig{Cookies: Cookies{AlwaysSecure: true}}, bearer(signed), secure},
		{"bearer and cookie", VerifierConfig{}, merged(bearer(signed), cookies(tokenName+"=other")), secure + "; " + token},
		{"copy", VerifierConfig{}, cookies(token, dataName+"=a.b"), token + "; " + dataName + "=a.b"},
		{"copy in chunks", VerifierConfig{}, cookies(token, dataName+".1=.b", dataName+".0=a"), token + "; " + dataName + "=a.b"},
		{"copy that breaks out", VerifierConfig{}, cookies(token, dataName+"=a%3B x%0D%0A%3d"), token + "; " + dataName + "=a%3B%20x%0D%0A%3D"},
		{"no copy", VerifierConfig{IgnoreCopies: true}, cookies(token, dataName+"=a.b"), token},
		{"a copy that was looked into here", VerifierConfig{Secret: testSecret}, cookies(token, dataName+"=a.b"), token},
		{"a token that nobody could have signed", VerifierConfig{}, cookies(tokenName + "=" + remoteToken), ""},
		{"a token that another secret signed", VerifierConfig{Secret: foreign}, cookies(token), ""},
		{"a JWT of somebody else", VerifierConfig{}, http.Header{"Authorization": {"Bearer eyJhbGciOiJIUzI1NiJ9.e30.c2lnbmF0dXJl"}}, ""},
		{"nothing", VerifierConfig{}, cookies("a=b"), ""},
	} {
		tt.h.Set("X-Forwarded-For", "203.0.113.7")
		q := asked(t, tt.config, tt.h)
		if got := q.Header.Get("Cookie"); got != tt.cookie || len(q.Header["Cookie"]) > 1 {
			t.Errorf("%s: %q\nwant %q", tt.reason, q.Header["Cookie"], tt.cookie)
		}
		if q.Header.Get("Authorization")+q.Header.Get("X-Forwarded-For") != "" {
			t.Errorf("%s: headers %v", tt.reason, q.Header)
		}
		if tt.cookie != "" && (q.Method != "GET" || q.URL.String() != "http://auth.internal/base/get-session?disableRefresh=true") {
			t.Errorf("%s: %s %s", tt.reason, q.Method, q.URL)
		}
	}
}

// TestVerifierRemoteNeverProlongs: a session that is due stays due.
func TestVerifierRemoteNeverProlongs(t *testing.T) {
	w := newWorld(t, func(c *Config) { c.Session.RefreshAlways = true })
	ann := w.as("ann")
	v := newVerifier(t, VerifierConfig{URL: w.listen()})
	before, err := w.Session(&http.Request{Header: ann.headers()})
	if err != nil {
		t.Fatal(err)
	}
	sees(t, "asked", v, ann.headers(), "ann")
	after, err := w.Session(&http.Request{Header: ann.headers()})
	if err != nil || !after.Session.UpdatedAt.Equal(before.Session.UpdatedAt) {
		t.Errorf("%v: %v, before %v", err, after.Session.UpdatedAt, before.Session.UpdatedAt)
	}
}

// FuzzVerifierQuestion: nothing that a stranger sends gets past the names of the
// session's cookies, or makes a request that cannot be sent.
func FuzzVerifierQuestion(f *testing.F) {
	f.Add(remoteCookie.Get("Cookie"), "")
	f.Add(remoteCookie.Get("Cookie")+"; "+dataName+"=a%0d%0aX: y%3B z=1", "")
	f.Add("", "Bearer %0A"+newSigner(foreign).signCookie(remoteToken))
	f.Fuzz(func(t *testing.T, cookie, authorization string) {
		client := &http.Client{Transport: roundTrip(func(r *http.Request) (*http.Response, error) {
			sent := r.CookiesNamed(tokenName)
			for _, name := range []string{securePrefix + tokenName, dataName, securePrefix + dataName} {
				sent = append(sent, r.CookiesNamed(name)...)
			}
			line := r.Header.Get("Cookie")
			if len(sent) == 0 || len(sent) != len(r.Cookies()) || strings.Count(line, ";")+1 != len(sent) || strings.ContainsAny(line, "\r\n\x00") {
				t.Fatalf("the server is sent %q", line)
			}
			return answers(200, "null").Transport.RoundTrip(r)
		})}
		v, err := NewVerifier(VerifierConfig{URL: testBase, HTTPClient: client})
		if err != nil {
			t.Fatal(err)
		}
		h := http.Header{"Cookie": {cookie}, "Authorization": {authorization}}
		if data, err := v.Session(&http.Request{Header: h}); data != nil || err != nil {
			t.Fatalf("%v, %v", data, err)
		}
	})
}
