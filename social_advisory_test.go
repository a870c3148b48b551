package auth

import (
	"encoding/json"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"testing"
)

// TestAdvisory_GHSA_wxw3_q3m9_c3jr: a state in a cookie is worth nothing with the
// state of another flow in the callback.
func TestAdvisory_GHSA_wxw3_q3m9_c3jr(t *testing.T) {
	w, f := newSocialWorld(t, func(c *Config) { c.Account.State = StateInCookie })
	f.users["attacker"] = `{"id":8,"email":"attacker@example.com","email_verified":true}`
	victim, attacker := w.browser(), w.browser()
	victim.begin("/sign-in/social", nil)
	stolen := attacker.begin("/sign-in/social", nil)
	victim.callback(stolen, "attacker").leads(t, "/oops?x=1&error=state_mismatch#top")
	if got := victim.get("/get-session").body; got != "null" {
		t.Errorf("the victim is signed in as the attacker: %s", got)
	}
}

// TestAdvisory_GHSA_g38m_r43w_p2q7: an account is linked to a user who exists only
// if both sides have verified the address, whoever else is trusted.
func TestAdvisory_GHSA_g38m_r43w_p2q7(t *testing.T) {
	for _, tt := range []struct {
		why                                  string
		localVerified, remoteVerified, trust bool
		want                                 string
	}{
		{"a squatter signed up with the address first", false, true, false, "/oops?x=1&error=account_not_linked#top"},
		{"also where the provider is trusted", false, true, true, "/oops?x=1&error=account_not_linked#top"},
		{"the provider asks nobody for a proof", true, false, false, "/oops?x=1&error=account_not_linked#top"},
		{"the application vouches for the provider", true, false, true, "/in"},
		{"both have asked", true, true, false, "/in"},
	} {
		t.Run(tt.why, func(t *testing.T) {
			w, f := newSocialWorld(t, func(c *Config) {
				if tt.trust {
					c.Account.Linking.TrustedProviders = []string{"acme"}
				}
			})
			if !tt.remoteVerified {
				f.users["ann"] = strings.Replace(annAtAcme, "true", `"yes"`, 1)
			}
			w.as("ann")
			user, err := w.core.userByEmail(t.Context(), "ann@example.com")
			if err != nil {
				t.Fatal(err)
			}
			if _, err := w.core.users.change(t.Context(), user.ID, map[string]any{"emailVerified": tt.localVerified}); err != nil {
				t.Fatal(err)
			}
			b := w.browser()
			b.signInAt("ann").leads(t, tt.want)
			accounts, err := w.core.accountsOf(t.Context(), user.ID)
			if linked := len(accounts) == 2; err != nil || linked != (tt.want == "/in") {
				t.Errorf("accounts %v, %v", accounts, err)
			}
			if signedIn := b.get("/get-session").body != "null"; signedIn != (tt.want == "/in") {
				t.Errorf("signed in: %v", signedIn)
			}
		})
	}
}

// TestAdvisory_GHSA_965c_763c_88jm_State: the state of a flow is no token for anything
// else, and what the client put into it replaces nothing.
func TestAdvisory_GHSA_965c_763c_88jm_State(t *testing.T) {
	w, _ := newSocialWorld(t)
	w.as("ann")
	b := w.browser()
	u := b.begin("/sign-in/social", map[string]any{"additionalData": map[string]any{
		"email": "ann@example.com", "userId": "x", "link": map[string]any{"userId": "x", "email": "ann@example.com"},
		"callbackURL": "https://evil.example", "errorURL": "https://evil.example", "expiresAt": 9e15, "oauthProvider": "evil", "codeVerifier": "v",
	}})
	state := u.Query().Get("state")
	v, err := w.core.verifications.newest(t.Context(), purposeOAuthState+state)
	if err != nil || v == nil {
		t.Fatal(v, err)
	}
	flow, err := parseFlow(v.Value)
	if err != nil {
		t.Fatal(err)
	}
	if flow.CallbackURL != "/in" || flow.ErrorURL != "/oops?x=1#top" || flow.Link != nil || flow.Provider != "acme" || len(flow.CodeVerifier) != 128 || flow.ExpiresAt > 4e12 {
		t.Errorf("the client wrote into the flow: %s", v.Value)
	}
	if strings.Count(v.Value, "evil") > 0 {
		t.Errorf("the row keeps what the client wanted: %s", v.Value)
	}
	for _, token := range []string{state, purposeOAuthState + state, "../" + purposeOAuthState + state} {
		b.post("/reset-password", map[string]any{"newPassword": "a new password", "token": token}).fails(t, http.StatusBadRequest, ErrInvalidToken)
	}
	b.callback(u, "ann").leads(t, "/oops?x=1&error=account_not_linked#top")
}

// TestAdvisory_GHSA_9h47_pqcx_hjr4_PKCE: there is a challenge in every flow, and it
// is S256, whatever the client asks for.
func TestAdvisory_GHSA_9h47_pqcx_hjr4_PKCE(t *testing.T) {
	w, _ := newSocialWorld(t)
	b := w.browser()
	for _, name := range []string{"code_challenge_method", "code_challenge", "state", "redirect_uri", "nonce"} {
		b.post("/sign-in/social", map[string]any{"provider": "acme", "additionalParams": map[string]any{name: "plain"}}).
			fails(t, http.StatusBadRequest, ErrValidation)
	}
	if q := b.begin("/sign-in/social", nil).Query(); q.Get("code_challenge_method") != "S256" || q.Get("code_challenge") == "" {
		t.Errorf("parameters %v", q)
	}
}

// TestAdvisory_GHSA_7w99_5wm4_3g79_State: of many callbacks of one flow, one ends
// it.
func TestAdvisory_GHSA_7w99_5wm4_3g79_State(t *testing.T) {
	w, _ := newSocialWorld(t)
	b := w.browser()
	u := b.begin("/sign-in/social", nil)
	var (
		wg   sync.WaitGroup
		mu   sync.Mutex
		wins int
	)
	for range 32 {
		own := w.browser()
		for name, value := range b.cookies {
			own.cookies[name] = value
		}
		wg.Go(func() {
			r := own.callback(u, "ann")
			mu.Lock()
			defer mu.Unlock()
			if r.Header.Get("Location") == "/in" {
				wins++
			}
		})
	}
	wg.Wait()
	if wins != 1 {
		t.Errorf("%d callbacks ended the flow", wins)
	}
}

// TestAdvisory_GHSA_x445_ProviderBinding: the callback of one provider does not end
// the flow of another, whose code the first one could have got hold of.
func TestAdvisory_GHSA_x445_ProviderBinding(t *testing.T) {
	evil := acme
	evil.ID = "evil"
	w, f := newSocialWorld(t, func(c *Config) { c.Providers = append(c.Providers, evil) })
	b := w.browser()
	u := b.begin("/sign-in/social", nil)
	b.get("/callback/evil?code=ann&state="+u.Query().Get("state")).leads(t, "/oops?x=1&error=state_mismatch#top")
	if len(f.requests) != 0 {
		t.Errorf("the code was sent to %v", f.requests)
	}
}

// TestAdvisory_GHSA_8fpg_FailsClosed: a provider whose keys cannot be found out
// signs nobody in, though the other URLs are configured.
func TestAdvisory_GHSA_8fpg_FailsClosed(t *testing.T) {
	open := acme
	open.DiscoveryURL = "https://acme.test/.well-known/openid-configuration"
	up := false
	w, f := newSocialWorld(t, func(c *Config) { c.Providers = []Provider{open} })
	f.answer = func(r *http.Request, _ url.Values) (int, string) {
		switch {
		case r.URL.Path != "/.well-known/openid-configuration":
			return 0, ""
		case up:
			return http.StatusOK, `{"issuer":"https://acme.test","jwks_uri":"/keys","id_token_signing_alg_values_supported":["RS256"]}`
		}
		return http.StatusServiceUnavailable, ""
	}
	b := w.browser()
	b.post("/sign-in/social", map[string]any{"provider": "acme"}).fails(t, http.StatusNotFound, ErrProviderNotFound)
	up = true
	if q := b.begin("/sign-in/social", nil).Query(); q.Get("nonce") == "" || q.Get("scope") != "openid profile" {
		t.Errorf("it is not known as an OpenID provider afterwards: %v", q)
	}
}

// TestAdvisory_GHSA_99h5_pjcv_gr6v_Accounts: nobody gets at the accounts of others,
// by whatever id.
func TestAdvisory_GHSA_99h5_pjcv_gr6v_Accounts(t *testing.T) {
	w, f := newSocialWorld(t)
	f.users["eve"] = `{"id":8,"email":"eve@example.com","email_verified":true}`
	ann, eve := w.browser(), w.browser()
	ann.signInAt("ann").leads(t, "/in")
	eve.signInAt("eve").leads(t, "/in")
	var accounts []AccountInfo
	var raw []map[string]any
	if err := json.Unmarshal([]byte(ann.get("/list-accounts").body), &raw); err != nil || len(raw) != 1 {
		t.Fatal(raw, err)
	}
	accounts = append(accounts, AccountInfo{ID: raw[0]["id"].(string), UserID: raw[0]["userId"].(string)})
	for _, path := range []string{"/get-access-token", "/refresh-token"} {
		eve.post(path, map[string]any{"accountId": accounts[0].ID, "userId": accounts[0].UserID}).fails(t, http.StatusBadRequest, ErrAccountNotFound)
		w.browser().post(path, map[string]any{"accountId": accounts[0].ID, "userId": accounts[0].UserID}).fails(t, http.StatusUnauthorized, "")
	}
	eve.get("/account-info?accountId="+accounts[0].ID).fails(t, http.StatusBadRequest, ErrAccountNotFound)
	eve.post("/unlink-account", map[string]any{"accountId": accounts[0].ID}).fails(t, http.StatusBadRequest, ErrFailedToUnlinkLastAccount)
	ann.post("/get-access-token", map[string]any{"accountId": accounts[0].ID}).ok(t)
}

// TestAdvisory_GHSA_7rqj_Provider: whoever has proved an address that only becomes
// another one in lower case is not the owner of that.
func TestAdvisory_GHSA_7rqj_Provider(t *testing.T) {
	for _, address := range []string{"\u0130da@example.com", "i\u0307da@example.com", "ida@example.com\u0000", "\u0131da@example.com"} {
		w, f := newSocialWorld(t)
		w.as("ida")
		ida, err := w.core.userByEmail(t.Context(), "ida@example.com")
		if err != nil || ida == nil {
			t.Fatal(ida, err)
		}
		if _, err := w.core.users.change(t.Context(), ida.ID, map[string]any{"emailVerified": true}); err != nil {
			t.Fatal(err)
		}
		text, err := json.Marshal(map[string]any{"id": 9, "email": address, "email_verified": true})
		if err != nil {
			t.Fatal(err)
		}
		f.users["eve"] = string(text)
		b := w.browser()
		b.signInAt("eve")
		if session := b.get("/get-session"); session.body != "null" && session.field(t, "user.id") == ida.ID {
			t.Errorf("%q signs in as ida", address)
		}
	}
}
