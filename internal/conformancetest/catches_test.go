package conformancetest

import (
	"bytes"
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
)

// A suite that finds nothing may be blind: it has to find what is broken on
// purpose, one thing at a time.
func TestSuiteCatches(t *testing.T) {
	const text = `
== probe
join
GET /get-session
POST /sign-in/email {"email":"me@example.com","password":"wrong horse"}
stranger: POST /update-user 5
POST /request-password-reset {"email":"me@example.com"}
POST /sign-out {}
`
	cases, err := parse("probe", text)
	if err != nil {
		t.Fatal(err)
	}
	probe, v := cases[0], variants[0]
	if findings := probe.compare(t, v, nil); len(findings) > 0 {
		t.Fatalf("without sabotage: %s", findings)
	}
	for _, test := range []struct {
		name   string
		change func(r *http.Request, a *httptest.ResponseRecorder)
		finds  string
	}{
		{"a missing header", func(r *http.Request, a *httptest.ResponseRecorder) { a.Header().Del("Cache-Control") }, "- cache-control: no-store"},
		{"another status", func(r *http.Request, a *httptest.ResponseRecorder) {
			if a.Code == 401 {
				a.Code = 403
			}
		}, "+ 403"},
		{"another code", replaceBody("INVALID_EMAIL_OR_PASSWORD", "INVALID_PASSWORD"), `"code":"INVALID_PASSWORD"`},
		{"another text", replaceBody("Invalid email or password", "Invalid email or password."), `or password."`},
		{"members in another order", func(r *http.Request, a *httptest.ResponseRecorder) {
			var body map[string]any
			if json.Unmarshal(a.Body.Bytes(), &body) == nil && body["user"] != nil {
				text, _ := json.Marshal(body)
				a.Body = bytes.NewBuffer(text)
			}
		}, "* body in another order"},
		{"a value of another type", replaceBody(`"emailVerified":false`, `"emailVerified":"false"`), `+ body`},
		{"another order of checks", func(r *http.Request, a *httptest.ResponseRecorder) {
			if strings.HasSuffix(r.URL.Path, "/update-user") && r.Header.Get("Cookie") == "" {
				a.Code, a.Body = 401, bytes.NewBufferString(`{"message":"Unauthorized","code":"UNAUTHORIZED"}`)
			}
		}, "+ 401"},
		{"an attribute less", changeCookies(func(c []string) []string { return replaceAll(c, "; HttpOnly", "") }), "+ set-cookie: "},
		{"another lifetime", changeCookies(func(c []string) []string { return replaceAll(c, "=604800", "=604801") }), "Max-Age=604801"},
		{"another order of cookies", changeCookies(func(c []string) []string {
			if len(c) > 1 {
				c[0], c[1] = c[1], c[0]
			}
			return c
		}), "set-cookie"},
		{"a forged signature", changeCookies(func(c []string) []string { return replaceAll(c, ".", ".A") }), "+ set-cookie"},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			findings := strings.Join(probe.compare(t, v, sabotaged(test.change)), "\n")
			if !strings.Contains(findings, test.finds) {
				t.Errorf("%s is not in the findings:\n%s", test.finds, findings)
			}
		})
	}
}

// sabotaged changes every answer.
func sabotaged(change func(*http.Request, *httptest.ResponseRecorder)) func(http.Handler) http.Handler {
	return func(next http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			a := httptest.NewRecorder()
			next.ServeHTTP(a, r)
			change(r, a)
			for name, values := range a.Header() {
				w.Header()[name] = values
			}
			w.Header().Del("Content-Length")
			w.WriteHeader(a.Code)
			_, _ = io.Copy(w, a.Body)
		})
	}
}

func replaceBody(old, with string) func(*http.Request, *httptest.ResponseRecorder) {
	return func(_ *http.Request, a *httptest.ResponseRecorder) {
		a.Body = bytes.NewBufferString(strings.ReplaceAll(a.Body.String(), old, with))
	}
}

func changeCookies(change func([]string) []string) func(*http.Request, *httptest.ResponseRecorder) {
	return func(_ *http.Request, a *httptest.ResponseRecorder) {
		if cookies := a.Header()["Set-Cookie"]; cookies != nil {
			a.Header()["Set-Cookie"] = change(cookies)
		}
	}
}

func replaceAll(texts []string, old, with string) (changed []string) {
	for _, text := range texts {
		changed = append(changed, strings.Replace(text, old, with, 1))
	}
	return changed
}
