package programtest

import (
	"encoding/json"
	"io"
	"net/http"
	"net/http/cookiejar"
	"strings"
	"testing"
	"time"
)

// A visitor keeps cookies and follows no redirects.
type visitor struct {
	t      *testing.T
	url    string
	client *http.Client
	header http.Header // of every request
}

// visitor returns a new one, who has not been there before.
func (p *program) visitor() *visitor { return newVisitor(p.t, p.url) }

func newVisitor(t *testing.T, url string) *visitor {
	t.Helper()
	jar, err := cookiejar.New(nil)
	if err != nil {
		t.Fatal(err)
	}
	transport := http.DefaultTransport.(*http.Transport).Clone()
	t.Cleanup(transport.CloseIdleConnections)
	return &visitor{t, url, &http.Client{
		Jar: jar, Transport: transport, Timeout: 20 * time.Second,
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}, make(http.Header)}
}

// at is the same visitor at another program: cookies do not know ports.
func (v *visitor) at(p *program) *visitor {
	other := *v
	other.url = p.url
	return &other
}

// with is the same visitor with one more header.
func (v *visitor) with(key, value string) *visitor {
	other := *v
	other.header = v.header.Clone()
	other.header.Set(key, value)
	return &other
}

// An answer is a response.
type answer struct {
	t      *testing.T
	what   string
	status int
	header http.Header
	body   string
}

func (v *visitor) get(path string) *answer { v.t.Helper(); return v.do("GET", path, "", "") }

// post sends JSON.
func (v *visitor) post(path string, body any) *answer {
	v.t.Helper()
	text, err := json.Marshal(body)
	if err != nil {
		v.t.Fatal(err)
	}
	return v.do("POST", path, "application/json", string(text))
}

func (v *visitor) do(method, path, contentType, body string) *answer {
	v.t.Helper()
	r, err := http.NewRequestWithContext(v.t.Context(), method, v.url+path, strings.NewReader(body))
	if err != nil {
		v.t.Fatal(err)
	}
	for key, values := range v.header {
		r.Header[key] = values
	}
	if contentType != "" {
		r.Header.Set("Content-Type", contentType)
	}
	resp, err := v.client.Do(r)
	if err != nil {
		v.t.Fatal(err)
	}
	defer resp.Body.Close()
	text, err := io.ReadAll(resp.Body)
	if err != nil {
		v.t.Fatalf("%s %s: %v", method, path, err)
	}
	return &answer{v.t, method + " " + path, resp.StatusCode, resp.Header, string(text)}
}

const password = "correct horse"

// person is who signs up.
type person struct {
	Name     string `json:"name"`
	Email    string `json:"email"`
	Password string `json:"password"`
}

var ada = person{"Ada", "ada@example.com", password}

// signUp makes an account and keeps its cookie.
func (v *visitor) signUp(p person) *visitor {
	v.t.Helper()
	v.post("/api/auth/sign-up/email", p).is(http.StatusOK).says(p.Email)
	v.get("/api/auth/get-session").is(http.StatusOK).says(p.Email)
	return v
}

func (v *visitor) signIn(p person) *visitor {
	v.t.Helper()
	v.post("/api/auth/sign-in/email", map[string]string{"email": p.Email, "password": p.Password}).is(http.StatusOK)
	return v
}

func (v *visitor) signOut() *visitor {
	v.t.Helper()
	v.with("Origin", v.url).post("/api/auth/sign-out", struct{}{}).is(http.StatusOK)
	return v
}

// cookies returns what the visitor would send, as a header.
func (v *visitor) cookies() string {
	v.t.Helper()
	r, err := http.NewRequest("GET", v.url, nil)
	if err != nil {
		v.t.Fatal(err)
	}
	for _, cookie := range v.client.Jar.Cookies(r.URL) {
		r.AddCookie(cookie)
	}
	return r.Header.Get("Cookie")
}

// is checks the status.
func (a *answer) is(status int) *answer {
	a.t.Helper()
	if a.status != status {
		a.t.Fatalf("%s: status %d, want %d: %s", a.what, a.status, status, a.body)
	}
	return a
}

// says checks the body.
func (a *answer) says(texts ...string) *answer {
	a.t.Helper()
	for _, text := range texts {
		if !strings.Contains(a.body, text) {
			a.t.Errorf("%s does not say %q: %s", a.what, text, a.body)
		}
	}
	return a
}

// has checks a header.
func (a *answer) has(key, value string) *answer {
	a.t.Helper()
	if got := a.header.Get(key); got != value {
		a.t.Errorf("%s: %s is %q, want %q", a.what, key, got, value)
	}
	return a
}

// decode reads the body as JSON.
func (a *answer) decode(v any) {
	a.t.Helper()
	if err := json.Unmarshal([]byte(a.body), v); err != nil {
		a.t.Fatalf("%s: %v: %s", a.what, err, a.body)
	}
}
