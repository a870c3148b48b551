package auth

import (
	"context"
	"errors"
	"net/http"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"
)

func TestPasswordReset(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var reset []string
		w := newWorld(t, func(c *Config) {
			c.EmailPassword.OnPasswordReset = func(_ context.Context, u *User) error { reset = append(reset, u.Name); return nil }
		})
		ann := w.as("ann")
		known := ann.post("/request-password-reset", `{"email":"ANN@example.com","redirectTo":"/new?a=1#f"}`).ok(t)
		unknown := ann.post("/request-password-reset", `{"email":"bob@example.com"}`).ok(t)
		if known.body != unknown.body || known.body != `{"status":true,"message":"If this email exists in our system, check your email for the reset link"}` {
			t.Errorf("answers\n%s\n%s", known.body, unknown.body)
		}
		mail := w.lastMail()
		if len(w.mails) != 1 || mail.URL != testBase+"/reset-password/"+mail.Token+"?callbackURL=%2Fnew%3Fa%3D1%23f" || len(mail.Token) != 24 {
			t.Fatalf("mails %+v", w.mails)
		}
		for range 2 { // the link can be opened again
			if r := w.browser().follow(mail.URL); r.StatusCode != 302 || r.Header.Get("Location") != testOrigin+"/new?a=1&token="+mail.Token+"#f" {
				t.Errorf("%d %v", r.StatusCode, r.Header)
			}
		}
		b := w.browser()
		b.post("/reset-password", map[string]string{"newPassword": "short", "token": mail.Token}).fails(t, 400, ErrPasswordTooShort)
		b.post("/reset-password", map[string]string{"newPassword": strings.Repeat("x", 129), "token": mail.Token}).fails(t, 400, ErrPasswordTooLong)
		b.post("/reset-password", `{"newPassword":"the new one"}`).fails(t, 400, ErrInvalidToken)
		b.post("/reset-password", `{"newPassword":"short"}`).fails(t, 400, ErrInvalidToken) // before the length
		b.post("/reset-password?token="+mail.Token, `{"newPassword":"the new one"}`).ok(t)
		b.post("/reset-password?token="+mail.Token, `{"newPassword":"another one"}`).fails(t, 400, ErrInvalidToken)
		b.post("/sign-in/email", credentials("ann")).fails(t, 401, ErrInvalidEmailOrPassword)
		b.post("/sign-in/email", `{"email":"ann@example.com","password":"the new one"}`).ok(t)
		if !ann.signedIn() || len(reset) != 1 {
			t.Errorf("signed in %v, reset %v", ann.signedIn(), reset)
		}
		ann.post("/request-password-reset", `{"email":"ann@example.com"}`).ok(t)
		time.Sleep(time.Hour + time.Millisecond)
		mail = w.lastMail()
		if r := w.browser().follow(mail.URL); r.Header.Get("Location") != testBase+"/error?error=INVALID_TOKEN" {
			t.Errorf("an expired link leads to %v", r.Header)
		}
		if r := w.browser().get("/reset-password/" + mail.Token + "?callbackURL=/new"); r.Header.Get("Location") != testOrigin+"/new?error=INVALID_TOKEN" {
			t.Errorf("an expired link leads to %v", r.Header)
		}
		b.post("/reset-password", map[string]string{"newPassword": "another one", "token": mail.Token}).fails(t, 400, ErrInvalidToken)
	})
}

func TestPasswordResetOptions(t *testing.T) {
	off := newWorld(t, func(c *Config) { c.EmailPassword.SendResetPassword = nil })
	off.browser().post("/request-password-reset", `{"email":"ann@example.com"}`).fails(t, 400, ErrResetPasswordDisabled)

	w := newWorld(t, func(c *Config) { c.EmailPassword.RevokeSessionsOnPasswordReset = true })
	ann := w.as("ann")
	ann.post("/request-password-reset", `{"email":"ann@example.com"}`).ok(t)
	w.browser().post("/reset-password", map[string]string{"newPassword": "the new one", "token": w.lastMail().Token}).ok(t)
	if ann.signedIn() {
		t.Error("the sessions outlived the reset")
	}
}

// TestResetGivesAFirstPassword: a user who came from elsewhere gets a
// credential account.
func TestResetGivesAFirstPassword(t *testing.T) {
	w := newWorld(t)
	user := &User{Name: "Soc", Email: "social@example.com"}
	if err := w.core.createUser(t.Context(), user, UserSource{}); err != nil {
		t.Fatal(err)
	}
	b := w.browser()
	b.post("/request-password-reset", `{"email":"social@example.com"}`).ok(t)
	b.post("/reset-password", map[string]string{"newPassword": "the first one", "token": w.lastMail().Token}).ok(t)
	b.post("/sign-in/email", `{"email":"social@example.com","password":"the first one"}`).ok(t)
}

// TestResetTokenHasOneWinner: of many resets with one token one succeeds, and
// its password is the one that is stored.
func TestResetTokenHasOneWinner(t *testing.T) {
	w := newWorld(t)
	w.as("ann").post("/request-password-reset", `{"email":"ann@example.com"}`).ok(t)
	token := w.lastMail().Token
	var mu sync.Mutex
	var winners []string
	var wg sync.WaitGroup
	for i := range 32 {
		wg.Go(func() {
			password := strings.Repeat(string(rune('a'+i)), 8)
			if _, err := w.API.ResetPassword.Call(t.Context(), ResetPasswordRequest{NewPassword: password, Token: token}); err == nil {
				mu.Lock()
				winners = append(winners, password)
				mu.Unlock()
			}
		})
	}
	wg.Wait()
	if len(winners) != 1 {
		t.Fatalf("winners %v", winners)
	}
	w.browser().post("/sign-in/email", map[string]string{"email": "ann@example.com", "password": winners[0]}).ok(t)
}

func TestChangePassword(t *testing.T) {
	w := newWorld(t)
	ann := w.as("ann")
	other := w.signIn("ann")
	for _, tt := range []struct {
		body   string
		status int
		code   Code
	}{
		{`{"newPassword":"short","currentPassword":"password of ann"}`, 400, ErrPasswordTooShort},
		{`{"newPassword":"long enough","currentPassword":"` + strings.Repeat("x", 129) + `"}`, 400, ErrPasswordTooLong},
		{`{"newPassword":"long enough","currentPassword":"wrong"}`, 400, ErrInvalidPassword},
		{`{"newPassword":"long enough"}`, 400, ErrValidation},
	} {
		ann.post("/change-password", tt.body).fails(t, tt.status, tt.code)
	}
	r := ann.post("/change-password", `{"newPassword":"the second","currentPassword":"password of ann"}`).ok(t)
	if r.field(t, "token") != nil || r.field(t, "user.name") != "ann" || len(r.Header["Set-Cookie"]) != 0 || !other.signedIn() {
		t.Errorf("%s %v", r.body, r.Header)
	}
	old := ann.cookies["better-auth.session_token"]
	r = ann.post("/change-password", `{"newPassword":"the third","currentPassword":"the second","revokeOtherSessions":true}`).ok(t)
	if token := r.field(t, "token").(string); !strings.HasPrefix(ann.cookies["better-auth.session_token"], token+".") || old == ann.cookies["better-auth.session_token"] {
		t.Errorf("token %s, cookies %v", token, ann.cookies)
	}
	if other.signedIn() || !ann.signedIn() || count(t, w, w.core.sessions.table) != 1 {
		t.Error("revokeOtherSessions")
	}
	w.browser().post("/sign-in/email", `{"email":"ann@example.com","password":"the third"}`).ok(t)
}

// TestChangePasswordOfForgottenSession: the new session is not remembered either.
func TestChangePasswordOfForgottenSession(t *testing.T) {
	w := newWorld(t)
	w.as("ann")
	b := w.browser()
	body := credentials("ann")
	body["rememberMe"] = false
	b.post("/sign-in/email", body).ok(t)
	r := b.post("/change-password", `{"newPassword":"the second","currentPassword":"password of ann","revokeOtherSessions":true}`).ok(t)
	if c := r.cookie("better-auth.session_token"); c == "" || strings.Contains(c, "Max-Age") {
		t.Errorf("cookie %q", c)
	}
}

// TestChangePasswordIsAllOrNothing: a session that cannot be created leaves the
// old password and the old sessions.
func TestChangePasswordIsAllOrNothing(t *testing.T) {
	w := newWorld(t)
	ann := w.as("ann")
	w.core.sessions.hooks.BeforeCreate = func(context.Context, *Session) error { return ErrAborted }
	ann.post("/change-password", `{"newPassword":"the second","currentPassword":"password of ann","revokeOtherSessions":true}`).fails(t, 500, ErrFailedToGetSession)
	w.core.sessions.hooks.BeforeCreate = nil
	if !ann.signedIn() {
		t.Error("the session is gone")
	}
	w.signIn("ann")
}

func TestSetPassword(t *testing.T) {
	w := newWorld(t)
	user := &User{Name: "Soc", Email: "social@example.com"}
	if err := w.core.createUser(t.Context(), user, UserSource{}); err != nil {
		t.Fatal(err)
	}
	session, err := w.core.createSession(t.Context(), user.ID, false, nil)
	if err != nil {
		t.Fatal(err)
	}
	headers := http.Header{"Cookie": {"better-auth.session_token=" + encodeURIComponent(w.core.signer.signCookie(session.Token))}}
	for _, tt := range []struct {
		password string
		headers  http.Header
		want     error
	}{
		{"the first one", nil, ErrUnauthorized},
		{"short", headers, ErrPasswordTooShort},
		{"the first one", headers, nil},
		{"the second one", headers, ErrPasswordAlreadySet},
	} {
		_, err := w.API.SetPassword.Call(t.Context(), SetPasswordRequest{NewPassword: tt.password}, WithHeaders(tt.headers))
		if !errors.Is(err, tt.want) {
			t.Errorf("%q: %v, want %v", tt.password, err, tt.want)
		}
	}
	w.browser().post("/sign-in/email", `{"email":"social@example.com","password":"the first one"}`).ok(t)
}

func TestVerifyPassword(t *testing.T) {
	ann := newWorld(t).as("ann")
	ann.post("/verify-password", `{"password":"password of ann"}`).ok(t)
	ann.post("/verify-password", `{"password":"wrong"}`).fails(t, 400, ErrInvalidPassword)
	ann.post("/verify-password", map[string]string{"password": strings.Repeat("x", 129)}).fails(t, 400, ErrPasswordTooLong)
}

func TestUTF16Length(t *testing.T) {
	for s, want := range map[string]int{"": 0, "abc": 3, "é": 1, "€": 1, "😀": 2, "\xff": 1} {
		if got := utf16Length(s); got != want {
			t.Errorf("%q has length %d, want %d", s, got, want)
		}
	}
}
