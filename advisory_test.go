package auth

import (
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

// The tests named TestAdvisory_… stand for published flaws of the system that
// this package is compatible with and of its neighbours; docs/security.md lists
// them all.

// The error page reflected its query as HTML.
func TestAdvisory_GHSA_9x4v_xfq5_m8x5(t *testing.T) {
	w := newWorld(t)
	attack := `<script>alert(1)</script>" onload='x'`
	r := w.browser().get("/error?error=" + encodeURIComponent(attack) + "&error_description=" + encodeURIComponent(attack)).ok(t)
	if strings.Contains(r.body, "<script") || strings.Contains(r.body, `" onload`) || !strings.Contains(r.body, "UNKNOWN") {
		t.Errorf("page %s", r.body)
	}
	for name, want := range map[string]string{"X-Content-Type-Options": "nosniff", "Content-Security-Policy": "default-src 'none'"} {
		if got := r.Header.Get(name); !strings.HasPrefix(got, want) {
			t.Errorf("%s: %q", name, got)
		}
	}
	own := newWorld(t, func(c *Config) { c.ErrorPage.URL = "/oops?x=1#f" })
	r = own.browser().get("/error?error=a_b&error_description=" + encodeURIComponent("hi there&x"))
	if got := r.Header.Get("Location"); r.StatusCode != 302 || got != "/oops?x=1&error=a_b&error_description=hi+there%26x#f" {
		t.Errorf("%d %s", r.StatusCode, got)
	}
}

// A by-id operation did not ask whose the thing was: here a stranger tries every
// id of ann's.
func TestAdvisory_GHSA_4vcf_q4xf_f48m(t *testing.T) {
	w := newWorld(t)
	ann, eve := w.as("ann"), w.as("eve")
	session := ann.get("/get-session").field(t, "session.token").(string)
	accounts, err := w.core.accountsOf(t.Context(), currentUser(t, ann))
	if err != nil {
		t.Fatal(err)
	}
	eve.post("/revoke-session", map[string]string{"token": session}).ok(t)
	w.core.unlinkAll = true
	eve.post("/unlink-account", map[string]string{"accountId": accounts[0].ID}).fails(t, 400, ErrAccountNotFound)
	eve.post("/get-access-token", map[string]string{"accountId": accounts[0].ID}).fails(t, 400, ErrAccountNotFound)
	eve.post("/refresh-token", map[string]string{"accountId": accounts[0].ID}).fails(t, 400, ErrAccountNotFound)
	eve.get("/account-info?accountId="+accounts[0].ID).fails(t, 400, ErrAccountNotFound)
	if !ann.signedIn() || count(t, w, w.core.accounts.table) != 2 {
		t.Error("eve reached what is ann's")
	}
}

// The identity came from the body where there was no session.
func TestAdvisory_GHSA_99h5_pjcv_gr6v(t *testing.T) {
	w := newWorld(t)
	ann := currentUser(t, w.as("ann"))
	accounts, err := w.core.accountsOf(t.Context(), ann)
	if err != nil {
		t.Fatal(err)
	}
	body := map[string]string{"accountId": accounts[0].ID, "userId": ann}
	w.browser().post("/get-access-token", body).fails(t, 401, "")
	w.browser().post("/refresh-token", body).fails(t, 401, "")
	w.browser().get("/account-info?accountId="+accounts[0].ID+"&userId="+ann).fails(t, 401, "")
	_, err = w.API.GetAccessToken.Call(t.Context(), AccountRequest{AccountID: accounts[0].ID, UserID: ann}, WithHeaders(http.Header{}))
	if api := apiError(err); api == nil || api.Status != 401 {
		t.Errorf("a call with a client's headers: %v", err)
	}
}

// Sign-out believed cookies whose signature it had not checked.
func TestAdvisory_GHSA_wmjr_v86c_m9jj(t *testing.T) {
	w := newWorld(t)
	ann := w.as("ann")
	token, _, _ := strings.Cut(ann.cookies["better-auth.session_token"], ".")
	for _, forged := range []string{token, token + ".", token + "." + strings.Repeat("A", 43) + "%3D"} {
		eve := w.browser()
		eve.cookies["better-auth.session_token"] = forged
		if eve.post("/sign-out", "").ok(t); !ann.signedIn() {
			t.Fatalf("the cookie %q signed ann out", forged)
		}
	}
}

// Without a base URL the first request decided for everybody where the server
// is.
func TestAdvisory_GHSA_569q_mpph_wgww(t *testing.T) {
	if _, err := New(Config{Secret: testSecret, Store: NewMemoryStore()}); err == nil {
		t.Error("a configuration without BaseURL was accepted")
	}
	w := newWorld(t)
	b := w.browser()
	b.header = http.Header{"Host": {"evil.example"}, "X-Forwarded-Host": {"evil.example"}, "X-Forwarded-Proto": {"https"}}
	b.post("/sign-up/email", credentials("ann")).ok(t)
	b.cookies = map[string]string{}
	b.post("/request-password-reset", `{"email":"ann@example.com"}`).ok(t)
	if !strings.HasPrefix(w.lastMail().URL, testBase+"/") {
		t.Errorf("the mail leads to %s", w.lastMail().URL)
	}
	w = newWorld(t, dynamic(DynamicBaseURL{AllowedHosts: []string{"a.example", "b.example"}, Protocol: "https"}))
	for host, status := range map[string]int{"a.example": 200, "b.example": 200, "evil.example": 421} {
		w.mails = nil
		r := w.at().do(visit("POST", "http://"+host+"/api/auth/sign-up/email", strings.Replace(annSignUp, "ann@", host[:1]+"@", 1), "X-Forwarded-Host", "evil.example"))
		if r.StatusCode != status {
			t.Errorf("%s: %d", host, r.StatusCode)
		}
		w.at().do(visit("POST", "http://"+host+"/api/auth/request-password-reset", `{"email":"`+host[:1]+`@example.com"}`))
		if status == 200 && !strings.HasPrefix(w.lastMail().URL, "https://"+host+"/") || status != 200 && len(w.mails) > 0 {
			t.Errorf("%s: mails %v", host, w.mails)
		}
	}
}

// A doubled slash reached the endpoint and missed the limits and the list of
// disabled paths.
func TestAdvisory_GHSA_x732_6j76_qmhm(t *testing.T) {
	w := newWorld(t, func(c *Config) {
		c.DisabledPaths = []string{"/sign-in/email"}
		c.RateLimit = RateLimit{}
	})
	for _, path := range []string{"//sign-in/email", "/sign-in//email", "/sign-in/email/", "/%73ign-in/email", "/x/../sign-in/email", "/sign-in/email;x"} {
		if r := w.browser().post(path, credentials("ann")); r.StatusCode != 404 {
			t.Errorf("%s: %d", path, r.StatusCode)
		}
	}
}

// No session, cookie or cached copy exists before sign-in is complete: here, the
// proof of the address is missing.
func TestAdvisory_GHSA_xg6x_h9c9_2m83(t *testing.T) {
	w := newWorld(t, func(c *Config) {
		c.EmailPassword.RequireEmailVerification = true
		c.Session.CookieCache.Enabled = true
	})
	w.browser().post("/sign-up/email", credentials("ann")).ok(t)
	r := w.browser().post("/sign-in/email", credentials("ann")).fails(t, 403, ErrEmailNotVerified)
	if len(r.Header["Set-Cookie"]) != 0 || count(t, w, w.core.sessions.table) != 0 {
		t.Errorf("cookies %v", r.Header["Set-Cookie"])
	}
	// and a hook that refuses afterwards takes every cookie back
	w = newWorld(t, func(c *Config) { c.Session.CookieCache.Enabled = true })
	w.as("ann")
	w.pipeline.after = []Hook{func(x *Exchange) error {
		if x.Operation().Name() == "signInEmail" {
			w.core.home.cookies.clear(x)
		}
		return nil
	}}
	for _, line := range w.browser().post("/sign-in/email", credentials("ann")).Header["Set-Cookie"] {
		if !strings.Contains(line, "=; Max-Age=0;") {
			t.Errorf("a withdrawn cookie is still sent: %s", line)
		}
	}
}

// Sessions outlived their user.
func TestAdvisory_GHSA_2vg6_77g8_24mp(t *testing.T) {
	w := newWorld(t)
	ann := w.as("ann")
	phone := w.signIn("ann")
	ann.post("/delete-user", `{"password":"password of ann"}`).ok(t)
	if phone.signedIn() {
		t.Error("a session of a deleted user is good")
	}
	// even if a row was left behind
	bob := w.as("bob")
	id := currentUser(t, bob)
	left := &Session{ID: newID(), Token: newSessionToken(), UserID: "gone", ExpiresAt: now().Add(time.Hour), CreatedAt: now(), UpdatedAt: now()}
	if err := w.core.sessions.insert(t.Context(), left); err != nil {
		t.Fatal(err)
	}
	bob.cookies["better-auth.session_token"] = encodeURIComponent(w.core.signer.signCookie(left.Token))
	if bob.signedIn() {
		t.Errorf("a session without user is good, beside %s", id)
	}
}

// A token that is good once was redeemed twice at the same time.
func TestAdvisory_GHSA_7w99_5wm4_3g79(t *testing.T) {
	w := newWorld(t)
	w.core.deletion.SendVerification = w.core.verification.Send
	ann := w.as("ann")
	ann.post("/delete-user", `{}`).ok(t)
	token := w.lastMail().Token
	var winners atomic.Int32
	var wg sync.WaitGroup
	for range 64 {
		wg.Go(func() {
			v, err := w.core.consumeVerification(t.Context(), purposeDeleteAccount, token)
			if err != nil {
				t.Error(err)
			}
			if v != nil {
				winners.Add(1)
			}
		})
	}
	wg.Wait()
	if winners.Load() != 1 {
		t.Errorf("%d winners", winners.Load())
	}
}

// A secret of one purpose was redeemed for another.
func TestAdvisory_GHSA_965c_763c_88jm(t *testing.T) {
	w := newWorld(t)
	w.core.deletion.SendVerification = w.core.verification.Send
	ann := w.as("ann")
	ann.post("/request-password-reset", `{"email":"ann@example.com"}`).ok(t)
	reset := w.lastMail().Token
	ann.post("/delete-user", `{}`).ok(t)
	deletion := w.lastMail().Token
	ann.post("/send-verification-email", `{"email":"ann@example.com"}`).ok(t)
	verification := w.lastMail().Token

	for _, token := range []string{reset, verification, "reset-password:" + reset} {
		ann.post("/delete-user", map[string]string{"token": token}).fails(t, 404, ErrInvalidToken)
	}
	for _, token := range []string{deletion, verification, "delete-account-" + deletion} {
		ann.post("/reset-password", map[string]string{"token": token, "newPassword": "a new password"}).fails(t, 400, ErrInvalidToken)
	}
	for _, token := range []string{reset, deletion} {
		ann.get("/verify-email?token="+token).fails(t, 401, ErrInvalidToken)
	}
	w.signIn("ann")
}

// What one cookie or token was signed for is nothing to another.
func TestAdvisory_GHSA_r4xp_prcw_77qf(t *testing.T) {
	w := newWorld(t, func(c *Config) { c.Session.CookieCache.Enabled = true })
	ann := w.as("ann")
	ann.post("/send-verification-email", `{"email":"ann@example.com"}`).ok(t)
	jwt := w.lastMail().Token
	sessionCookie, copyCookie := ann.cookies["better-auth.session_token"], ann.cookies["better-auth.session_data"]
	for _, forged := range []map[string]string{
		{"better-auth.session_token": jwt},
		{"better-auth.session_token": copyCookie},
		{"better-auth.session_token": encodeURIComponent(w.core.signer.signCookie("true"))},
		{"better-auth.session_data": sessionCookie},
		{"better-auth.session_data": copyCookie},
		{"better-auth.session_data": jwt, "better-auth.session_token": encodeURIComponent(w.core.signer.signCookie("true"))},
	} {
		eve := w.browser()
		eve.cookies = forged
		if eve.signedIn() {
			t.Errorf("signed in by %v", forged)
		}
	}
	w.browser().get("/verify-email?token="+encodeURIComponent(copyCookie)).fails(t, 401, ErrInvalidToken)
}

// An address was validated before it was normalised, and two spellings became
// one mailbox.
func TestAdvisory_GHSA_7rqj(t *testing.T) {
	w := newWorld(t)
	for _, email := range []string{"ann@exa\u00admple.com", "ａnn@example.com", "ann@example.com\u200b", "ann@example。com", "\"ann\"@example.com", "ann@example.com,eve@example.com", "ann@example.com\nBcc: eve@example.com"} {
		w.browser().post("/sign-up/email", map[string]string{"name": "A", "email": email, "password": "password"}).fails(t, 400, ErrValidation)
		w.browser().post("/request-password-reset", map[string]string{"email": email}).fails(t, 400, ErrValidation)
	}
}

// A malformed header made the server panic.
func TestAdvisory_GHSA_xmf8(t *testing.T) {
	w := newWorld(t)
	for _, header := range []http.Header{
		{"Authorization": {"Bearer"}}, {"Authorization": {"Bearer \x00"}}, {"Cookie": {"=;=;;"}}, {"Cookie": {"better-auth.session_token=%"}},
		{"Cookie": {"better-auth.session_token=.", `better-auth.session_token="`}}, {"Origin": {"://"}}, {"Origin": {"http://[::1"}}, {"Referer": {"%zz"}},
		{"X-Forwarded-For": {",,,"}}, {"Content-Type": {";"}}, {"Sec-Fetch-Site": {"cross-site"}, "Sec-Fetch-Mode": {""}},
	} {
		b := w.browser()
		b.header = header
		if r := b.get("/get-session"); r.StatusCode != 200 || r.body != "null" {
			t.Errorf("%v: %d %s", header, r.StatusCode, r.body)
		}
		if r := b.post("/sign-in/email", credentials("ann")); r.StatusCode >= 500 {
			t.Errorf("%v: %d %s", header, r.StatusCode, r.body)
		}
	}
}
