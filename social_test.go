package auth

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"reflect"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"
)

// acme is a provider that is in no table.
var acme = Provider{
	ID: "acme", ClientID: "client", ClientSecret: "client secret",
	AuthorizationURL: "https://acme.test/authorize", TokenURL: "https://acme.test/token", UserInfoURL: "https://acme.test/userinfo",
	Scopes: []string{"profile"},
}

// fakeProvider answers the requests to a provider without a network. Its users are
// JSON objects by code; the access token for a code is the code.
type fakeProvider struct {
	users  map[string]string
	tokens map[string]string                                    // members of the token response beside access_token, by code
	answer func(r *http.Request, form url.Values) (int, string) // instead, unless it returns 0

	mu       sync.Mutex
	requests []string
}

func (f *fakeProvider) RoundTrip(r *http.Request) (*http.Response, error) {
	var body []byte
	if r.Body != nil {
		body, _ = io.ReadAll(r.Body)
	}
	form, _ := url.ParseQuery(string(body))
	f.mu.Lock()
	f.requests = append(f.requests, r.Method+" "+r.URL.String()+" "+string(body))
	f.mu.Unlock()
	status, text := 0, ""
	if f.answer != nil {
		status, text = f.answer(r, form)
	}
	if status == 0 {
		status, text = f.respond(r, form)
	}
	return &http.Response{
		StatusCode: status, Status: http.StatusText(status), Header: http.Header{"Content-Type": {"application/json"}},
		Body: io.NopCloser(strings.NewReader(text)), Request: r,
	}, nil
}

func (f *fakeProvider) respond(r *http.Request, form url.Values) (int, string) {
	code := form.Get("code") + form.Get("refresh_token")
	if r.Method == http.MethodGet {
		code = strings.TrimPrefix(r.Header.Get("Authorization"), "Bearer ")
	}
	user, known := f.users[code]
	switch {
	case !known:
		return http.StatusBadRequest, `{"error":"invalid_grant"}`
	case r.Method == http.MethodGet:
		return http.StatusOK, user
	}
	return http.StatusOK, fmt.Sprintf(`{"access_token":%q,"token_type":"Bearer"%s}`, code, f.tokens[code])
}

const annAtAcme = `{"id":7,"name":"Ann A.","email":"Ann@example.com","email_verified":true,"picture":"https://acme.test/ann.png"}`

func newSocialWorld(t *testing.T, edit ...func(*Config)) (*world, *fakeProvider) {
	f := &fakeProvider{users: map[string]string{"ann": annAtAcme}, tokens: map[string]string{}}
	w := newWorld(t, append([]func(*Config){func(c *Config) {
		c.Providers = []Provider{acme}
		c.HTTPClient = &http.Client{Transport: f}
	}}, edit...)...)
	return w, f
}

// begin starts a flow and returns the authorization URL.
func (b *browser) begin(path string, members map[string]any) *url.URL {
	b.t.Helper()
	body := map[string]any{"provider": "acme", "callbackURL": "/in", "errorCallbackURL": "/oops?x=1#top"}
	for name, value := range members {
		body[name] = value
	}
	u, err := url.Parse(b.post(path, body).ok(b.t).field(b.t, "url").(string))
	if err != nil {
		b.t.Fatal(err)
	}
	return u
}

// callback comes back from the provider with a code.
func (b *browser) callback(u *url.URL, code string) reply {
	b.t.Helper()
	return b.get("/callback/acme?" + url.Values{"code": {code}, "state": {u.Query().Get("state")}}.Encode())
}

// signInAt goes through a whole flow.
func (b *browser) signInAt(code string) reply {
	b.t.Helper()
	return b.callback(b.begin("/sign-in/social", nil), code)
}

// leads checks a redirect.
func (r reply) leads(t *testing.T, target string) reply {
	t.Helper()
	if got := r.Header.Get("Location"); r.StatusCode != http.StatusFound || got != target {
		t.Fatalf("answer %d to %q %s, want a redirect to %q", r.StatusCode, got, r.body, target)
	}
	return r
}

func TestSignInSocial(t *testing.T) {
	w, f := newSocialWorld(t)
	f.tokens["ann"] = `,"refresh_token":"r","expires_in":3600,"scope":"profile  mail"`
	b := w.browser()
	u := b.begin("/sign-in/social", map[string]any{"newUserCallbackURL": "/welcome", "loginHint": "ann", "scopes": []string{"mail"}})
	q := u.Query()
	for name, want := range map[string]string{
		"response_type": "code", "client_id": "client", "scope": "mail profile", "redirect_uri": testBase + "/callback/acme",
		"login_hint": "ann", "code_challenge_method": "S256",
	} {
		if got := q.Get(name); got != want {
			t.Errorf("%s is %q, want %q", name, got, want)
		}
	}
	if len(q.Get("state")) != 32 || len(q.Get("code_challenge")) != 43 || q.Has("nonce") {
		t.Errorf("state, challenge or nonce in %v", u)
	}
	first := b.callback(u, "ann").leads(t, "/welcome")
	if first.cookie("better-auth.session_token") == "" {
		t.Error("nobody is signed in")
	}
	session := b.get("/get-session").ok(t)
	for path, want := range map[string]any{"user.name": "Ann A.", "user.email": "ann@example.com", "user.emailVerified": true, "user.image": "https://acme.test/ann.png"} {
		if got := session.field(t, path); got != want {
			t.Errorf("%s is %v, want %v", path, got, want)
		}
	}
	exchange, _ := url.ParseQuery(f.requests[0][strings.LastIndex(f.requests[0], " ")+1:])
	if got := codeChallenge(exchange.Get("code_verifier")); got != q.Get("code_challenge") {
		t.Error("the verifier is not that of the challenge")
	}
	again := w.browser()
	again.signInAt("ann").leads(t, "/in")
	if got := again.get("/get-session").field(t, "user.id"); got != session.field(t, "user.id") {
		t.Error("the second sign-in made another user")
	}
	accounts := again.get("/list-accounts").ok(t).body
	if !strings.Contains(accounts, `"accountId":"7","providerId":"acme"`) || !strings.Contains(accounts, `"scopes":["profile","mail"]`) {
		t.Errorf("accounts: %s", accounts)
	}
}

// TestFlowBelongsToBrowser: whoever knows a state can do nothing with it, and does
// not spoil it for the rightful browser.
func TestFlowBelongsToBrowser(t *testing.T) {
	for _, strategy := range []StateStrategy{StateInDatabase, StateInCookie} {
		t.Run(string(strategy), func(t *testing.T) {
			w, _ := newSocialWorld(t, func(c *Config) {
				c.Account.State = strategy
				second := acme
				second.ID = "second"
				c.Providers = append(c.Providers, second)
			})
			b, stranger := w.browser(), w.browser()
			u := b.begin("/sign-in/social", nil)
			lost := testBase + "/error?error=state_mismatch"
			target := "/oops?x=1&error=state_mismatch#top"
			if strategy == StateInCookie {
				target = lost // it cannot be read
			}
			stranger.callback(u, "ann").leads(t, target)
			stranger.begin("/sign-in/social", nil)
			stranger.callback(u, "ann").leads(t, "/oops?x=1&error=state_mismatch#top")
			b.get("/callback/second?code=ann&state="+u.Query().Get("state")).leads(t, "/oops?x=1&error=state_mismatch#top")
			b.callback(u, "ann").leads(t, "/in")
			b.callback(u, "ann").leads(t, lost)
		})
	}
}

func TestFlowExpires(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w, _ := newSocialWorld(t)
		b := w.browser()
		u := b.begin("/sign-in/social", nil)
		time.Sleep(stateLifetime + time.Second)
		b.callback(u, "ann").leads(t, testBase+"/error?error=state_mismatch") // the memory store keeps nothing that has expired
	})
}

// account returns the account of a signed-in browser as it is stored.
func (b *browser) account() *Account {
	b.t.Helper()
	accounts, err := b.core.accountsOf(b.t.Context(), b.get("/get-session").field(b.t, "user.id").(string))
	if err != nil || len(accounts) != 1 {
		b.t.Fatal(accounts, err)
	}
	return accounts[0]
}

// TestRefreshOnce: many requests that find an expired token use the refresh token
// once, and all of them get the new tokens. The provider revokes everything if it
// sees a refresh token twice.
func TestRefreshOnce(t *testing.T) {
	w, f := newSocialWorld(t)
	var mu sync.Mutex
	current := "first"
	f.tokens["ann"] = `,"refresh_token":"first","expires_in":1`
	f.answer = func(_ *http.Request, form url.Values) (int, string) {
		if form.Get("grant_type") != "refresh_token" {
			return 0, ""
		}
		mu.Lock()
		defer mu.Unlock()
		if form.Get("refresh_token") != current {
			current = "revoked"
			return http.StatusBadRequest, `{"error":"invalid_grant"}`
		}
		current += "+"
		return http.StatusOK, fmt.Sprintf(`{"access_token":"access of %s","refresh_token":%q,"expires_in":3600}`, current, current)
	}
	b := w.browser()
	b.signInAt("ann").leads(t, "/in")
	id := b.account().ID
	var wg sync.WaitGroup
	for range 16 {
		wg.Go(func() {
			out, err := w.API.GetAccessToken.Call(t.Context(), AccountRequest{AccountID: id}, WithHeaders(b.headers()))
			if err != nil || out.AccessToken != "access of first+" {
				t.Errorf("got %+v, %v", out, err)
			}
		})
	}
	wg.Wait()
	for range 8 {
		wg.Go(func() {
			if _, err := w.API.RefreshToken.Call(t.Context(), AccountRequest{AccountID: id}, WithHeaders(b.headers())); err != nil {
				t.Error(err)
			}
		})
	}
	wg.Wait()
	if want := "first" + strings.Repeat("+", 9); current != want || *b.account().RefreshToken != want {
		t.Errorf("the provider has %q, the account %q, want %q", current, *b.account().RefreshToken, want)
	}
}

// hangUp ends a context while a provider answers.
type hangUp struct {
	*fakeProvider
	end context.CancelFunc
}

func (h *hangUp) RoundTrip(r *http.Request) (*http.Response, error) {
	resp, err := h.fakeProvider.RoundTrip(r)
	if h.end != nil {
		h.end()
	}
	if r.Context().Err() != nil {
		return nil, r.Context().Err()
	}
	return resp, err
}

// TestRefreshOutlivesClient: a client that goes away does not lose the tokens that
// the provider has just replaced.
func TestRefreshOutlivesClient(t *testing.T) {
	var h *hangUp
	w, f := newSocialWorld(t, func(c *Config) {
		h = &hangUp{fakeProvider: c.HTTPClient.Transport.(*fakeProvider)}
		c.HTTPClient = &http.Client{Transport: h}
	})
	f.tokens["ann"] = `,"refresh_token":"second","expires_in":1`
	f.users["second"] = annAtAcme
	f.tokens["second"] = `,"refresh_token":"third","expires_in":3600`
	b := w.browser()
	b.signInAt("ann").leads(t, "/in")
	ctx, cancel := context.WithCancel(t.Context())
	h.end = cancel
	_, _ = w.API.GetAccessToken.Call(ctx, AccountRequest{AccountID: b.account().ID}, WithHeaders(b.headers()))
	if got := *b.account().RefreshToken; ctx.Err() == nil || got != "third" {
		t.Errorf("%q is stored, the client is gone: %v", got, ctx.Err())
	}
}

// TestEncryptTokens: what is stored is sealed, what is read is not, and tokens from
// before are still good.
func TestEncryptTokens(t *testing.T) {
	w, f := newSocialWorld(t, func(c *Config) { c.Account.EncryptTokens = true })
	f.tokens["ann"] = `,"refresh_token":"secret refresh","expires_in":3600,"id_token":"a.b.c"`
	b := w.browser()
	b.signInAt("ann").leads(t, "/in")
	stored := b.account()
	if !looksSealed(*stored.AccessToken) || !looksSealed(*stored.RefreshToken) || *stored.IDToken != "a.b.c" {
		t.Errorf("stored %q, %q, %q", *stored.AccessToken, *stored.RefreshToken, *stored.IDToken)
	}
	get := func() reply { return b.post("/get-access-token", map[string]any{"accountId": stored.ID}) }
	if got := get().ok(t).field(t, "accessToken"); got != "ann" {
		t.Errorf("the token is %v", got)
	}
	for value, want := range map[string]string{"from before": "from before", "abcdef": ""} { // which looks sealed and is not
		if _, err := w.core.accounts.change(t.Context(), map[string]any{"accessToken": value}, Where("id", stored.ID)); err != nil {
			t.Fatal(err)
		}
		if want == "" {
			get().fails(t, http.StatusBadRequest, ErrFailedToGetAccessToken)
		} else if got := get().ok(t).field(t, "accessToken"); got != want {
			t.Errorf("%q is read as %v", value, got)
		}
	}
}

// TestProviderUserJSON: what is written is read back.
func TestProviderUserJSON(t *testing.T) {
	for _, user := range []ProviderUser{
		{Fields: map[string]any{}},
		{Name: "Ann", Email: "ann@example.com", EmailVerified: true, Image: "https://acme.test/ann.png", Fields: map[string]any{"theme": "dark", "age": 7.0}},
	} {
		text, err := json.Marshal(&user)
		if err != nil {
			t.Fatal(err)
		}
		var got ProviderUser
		if err := json.Unmarshal(text, &got); err != nil || !reflect.DeepEqual(got, user) {
			t.Errorf("%s is read as %+v, %v", text, got, err)
		}
	}
}

// TestFlowMembers: no member of a flow can be named by the caller's data.
func TestFlowMembers(t *testing.T) {
	fields := reflect.VisibleFields(reflect.TypeFor[oauthFlow]())
	for _, field := range fields {
		if name, _, _ := strings.Cut(field.Tag.Get("json"), ","); name != "" && !flowMembers[name] {
			t.Errorf("flowMembers lacks %s", name)
		}
	}
}

// TestProvidersAreCopied: what an application does with its values later changes
// nothing.
func TestProvidersAreCopied(t *testing.T) {
	p := acme
	p.Scopes, p.Params = []string{"profile"}, map[string]string{"prompt": "login"}
	w, _ := newSocialWorld(t, func(c *Config) { c.Providers = []Provider{p} })
	p.Scopes[0], p.Params["prompt"] = "everything", "none"
	if q := w.browser().begin("/sign-in/social", nil).Query(); q.Get("scope") != "profile" || q.Get("prompt") != "login" {
		t.Errorf("parameters %v", q)
	}
}
