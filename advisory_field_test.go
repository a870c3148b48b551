package auth

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"net/url"
	"regexp"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"
)

// The tests of this file stand for flaws of other systems in the field, and for
// changes of the original that have no advisory: those are named after the number of
// their pull request.

// CVE-2026-44166 of PocketBase, CVE-2026-35511 of Authorizer: whoever signed up with an
// address first shared the account of its owner, who came by a provider.
func TestAdvisory_CVE_2026_44166(t *testing.T) {
	w, _ := newSocialWorld(t)
	squatter := w.as("ann")
	owner := w.browser()
	owner.signInAt("ann").leads(t, "/oops?x=1&error=account_not_linked#top")
	if owner.signedIn() {
		t.Error("the owner shares the account of the squatter")
	}
	if accounts := squatter.get("/list-accounts").ok(t).body; strings.Contains(accounts, "acme") {
		t.Errorf("the squatter has the account of the owner: %s", accounts)
	}
}

// verification is a member with which a provider says that an address is verified.
var verification = regexp.MustCompile(`("\w*verified\w*": ?)(true|"true"|1|\[[^]]*\])`)

// CVE-2026-41574 of Nhost: adapters said of addresses that they are verified where the
// provider said no or nothing.
func TestAdvisory_CVE_2026_41574(t *testing.T) {
	for _, change := range []struct{ why, member string }{
		{"the provider says no", "${1}false"}, {"the provider says nothing", `"other":0`}, {"the provider says null", "${1}null"},
	} {
		for _, test := range rowTests {
			replies := make(map[string]string)
			for address, text := range test.replies {
				replies[address] = verification.ReplaceAllString(text, change.member)
			}
			p, _ := opened(t, test.provider(), replies)
			tokens := tokensOf(map[string]any{"access_token": "at", "openid": "wo"})
			if test.claims != "" {
				tokens.IDToken = unsigned(verification.ReplaceAllString(test.claims, change.member))
			}
			if who, err := p.identify(t.Context(), tokens, ""); err != nil {
				t.Errorf("%s: %s: %v", test.id, change.why, err)
			} else if who.user.EmailVerified && test.id != "twitter" { // whose word is confirmed_email
				t.Errorf("%s: %s, and the address is verified", test.id, change.why)
			}
		}
	}
}

// Members named __proto__ reached every object. Here names are names: none of these is
// stored or sent on, and nobody else has what they say.
func TestAdvisory_GHSA_737v_mqg7_c878(t *testing.T) {
	w, _ := newSocialWorld(t, func(c *Config) {
		c.User.Fields = []Column{{Name: "role", Type: TypeString, Nullable: true, Optional: true, ServerOnly: true}}
	})
	other := w.as("eve")
	for i, name := range []string{"__proto__", "constructor", "prototype"} {
		b := w.browser()
		body := credentials("ann" + strconv.Itoa(i))
		body[name] = map[string]any{"role": "admin", "prototype": map[string]any{"role": "admin"}}
		answers := b.post("/sign-up/email", body).ok(t).body
		answers += b.post("/update-user", map[string]any{"name": "Ann", name: body[name]}).ok(t).body
		answers += b.get("/get-session").body + other.get("/get-session?"+name+"[role]=admin").body
		b.begin("/sign-in/social", map[string]any{"additionalData": map[string]any{name: body[name]}})
		if strings.Contains(answers, "admin") || strings.Contains(answers, name) {
			t.Errorf("%s: %s", name, answers)
		}
	}
}

// #10203: a client said in a header what its address is.
func TestAdvisory_10203_ForwardedAddress(t *testing.T) {
	w := newWorld(t, func(c *Config) {
		c.RateLimit = RateLimit{Rules: map[string]RateRule{"/sign-in/email": {Window: 60e9, Max: 3}}}
		c.ClientAddress.TrustedProxies = []string{"10.0.0.0/8"}
	})
	for _, tt := range []struct {
		why, remote, forwarded string
		limited                bool
	}{
		{"a client without a proxy", "203.0.113.7:80", "", true},
		{"a client behind one, which adds the address at the right", "10.0.0.1:80", ", 203.0.113.8", true},
		{"clients of a proxy, which are many", "10.0.0.1:80", "", false},
	} {
		refused := 0
		for i := range 10 {
			r := httptest.NewRequest(http.MethodPost, testBase+"/sign-in/email", strings.NewReader(`{"email":"ann@example.com","password":"wrong password"}`))
			r.Header.Set("Content-Type", "application/json")
			r.RemoteAddr = tt.remote
			r.Header.Set("X-Forwarded-For", "198.51.100."+string(rune('0'+i))+tt.forwarded)
			if w.browser().do(r).StatusCode == http.StatusTooManyRequests {
				refused++
			}
		}
		if limited := refused == 7; limited != tt.limited {
			t.Errorf("%s: %d of 10 were refused", tt.why, refused)
		}
	}
}

// #10241: a provider's redirect took the client's secret to somewhere else.
func TestAdvisory_10241_Redirects(t *testing.T) {
	var led atomic.Int64
	elsewhere := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		led.Add(1)
		_, _ = w.Write([]byte(`{"access_token":"stolen","keys":[]}`))
	}))
	t.Cleanup(elsewhere.Close)
	for _, status := range []int{301, 302, 303, 307, 308} {
		provider := httptest.NewServer(http.RedirectHandler(elsewhere.URL, status))
		t.Cleanup(provider.Close)
		out := newOutgoing(nil)
		if _, err := out.postForm(t.Context(), provider.URL, []param{{"client_secret", "secret"}}, nil); err == nil {
			t.Errorf("a token endpoint redirected with %d", status)
		}
		if _, err := out.getKeys(t.Context(), provider.URL, nil); err == nil {
			t.Errorf("keys were redirected with %d", status)
		}
	}
	if led.Load() != 0 {
		t.Errorf("%d requests went elsewhere", led.Load())
	}
}

// #9990: what a request says of the server was believed.
func TestAdvisory_9990_RequestContext(t *testing.T) {
	w := newWorld(t)
	w.as("ann")
	b := w.browser()
	for name, value := range map[string]string{
		"X-Forwarded-Host": "evil.example", "X-Forwarded-Proto": "http", "Forwarded": "host=evil.example", "X-Original-Host": "evil.example",
	} {
		b.header.Set(name, value)
	}
	r := httptest.NewRequest(http.MethodPost, testBase+"/request-password-reset", strings.NewReader(`{"email":"ann@example.com","redirectTo":"/new"}`))
	r.Header.Set("Content-Type", "application/json")
	r.Host = "evil.example"
	b.do(r).ok(t)
	if mail := w.lastMail(); !strings.HasPrefix(mail.URL, testBase+"/reset-password/") {
		t.Errorf("the mail leads to %s", mail.URL)
	}
}

// #9991: the copy of a session in a cookie was believed where the session itself had
// ended.
func TestAdvisory_9991_StaleCopy(t *testing.T) {
	w := newWorld(t, func(c *Config) { c.Session.CookieCache.Enabled = true })
	w.as("ann")
	thief, ann := w.signIn("ann"), w.signIn("ann")
	ann.post("/revoke-other-sessions", map[string]any{}).ok(t)
	for path, body := range map[string]map[string]any{
		"/change-password":       {"currentPassword": "password of ann", "newPassword": "password of eve"},
		"/change-email":          {"newEmail": "eve@example.com"},
		"/delete-user":           {"password": "password of ann"},
		"/revoke-sessions":       {},
		"/revoke-other-sessions": {},
	} {
		if r := thief.post(path, body); r.StatusCode != http.StatusUnauthorized {
			t.Errorf("%s with a copy of what has ended: %d %s", path, r.StatusCode, r.body)
		}
	}
	if !ann.signedIn() {
		t.Error("Ann is signed out")
	}
}

// #10003: a profile without an id was somebody, and the same somebody each time.
func TestAdvisory_10003_ProviderIdentity(t *testing.T) {
	for _, id := range []string{"", `"id":null,`, `"id":"",`, `"id":{},`, `"id":[],`, `"id":true,`, `"sub":"7",`} {
		w, f := newSocialWorld(t)
		f.users["nobody"] = `{` + id + `"name":"N","email":"nobody@example.com","email_verified":true}`
		b := w.browser()
		answer := b.signInAt("nobody")
		if location, err := url.Parse(answer.Header.Get("Location")); err != nil || location.Query().Get("error") == "" || b.signedIn() {
			t.Errorf("a profile with %q: %d to %q", id, answer.StatusCode, answer.Header.Get("Location"))
		}
	}
}

// #10000: what was read first and written later was written twice.
func TestAdvisory_10000_AtomicTransitions(t *testing.T) {
	w := newWorld(t)
	w.as("ann")
	w.browser().post("/request-password-reset", map[string]string{"email": "ann@example.com"}).ok(t)
	token := w.lastMail().Token
	var won atomic.Int64
	done := make(chan struct{})
	for range 16 {
		go func() {
			defer func() { done <- struct{}{} }()
			text, _ := json.Marshal(map[string]string{"token": token, "newPassword": "another password"})
			r := httptest.NewRequest(http.MethodPost, testBase+"/reset-password", strings.NewReader(string(text)))
			r.Header.Set("Content-Type", "application/json")
			recorder := httptest.NewRecorder()
			if w.ServeHTTP(recorder, r); recorder.Code == http.StatusOK {
				won.Add(1)
			}
		}()
	}
	for range 16 {
		<-done
	}
	if won.Load() != 1 {
		t.Errorf("%d of 16 have reset the password", won.Load())
	}
}
