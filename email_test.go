package auth

import (
	"context"
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

func TestVerifyEmail(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var called []string
		w := newWorld(t, func(c *Config) {
			c.EmailVerification.BeforeVerification = func(_ context.Context, u *User) error {
				called = append(called, "before", map[bool]string{true: "verified", false: "unverified"}[u.EmailVerified])
				return nil
			}
			c.EmailVerification.AfterVerification = func(_ context.Context, u *User) error {
				called = append(called, "after", map[bool]string{true: "verified", false: "unverified"}[u.EmailVerified])
				return nil
			}
		})
		ann := w.as("ann")
		ann.post("/send-verification-email", `{"email":"Ann@example.com","callbackURL":"/welcome"}`).ok(t)
		mail := w.lastMail()
		stranger := w.browser()
		if r := stranger.follow(mail.URL); r.StatusCode != 302 || r.Header.Get("Location") != "/welcome" || len(r.Header["Set-Cookie"]) != 0 {
			t.Errorf("%d %v", r.StatusCode, r.Header)
		}
		if ann.get("/get-session").field(t, "user.emailVerified") != true || strings.Join(called, " ") != "before unverified after verified" {
			t.Errorf("called %v", called)
		}
		// the link stays good until it expires, and does nothing more
		if r := stranger.get("/verify-email?token=" + mail.Token).ok(t); r.body != `{"status":true,"user":null}` || len(called) != 4 {
			t.Errorf("%s %v", r.body, called)
		}
		ann.post("/send-verification-email", `{"email":"ann@example.com"}`).fails(t, 400, ErrEmailAlreadyVerified)
		time.Sleep(time.Hour)
		stranger.get("/verify-email?token="+mail.Token).fails(t, 401, ErrTokenExpired)
		if r := stranger.get("/verify-email?callbackURL=/x%3Fa=1%23h&token=" + mail.Token); r.Header.Get("Location") != "/x?a=1&error=TOKEN_EXPIRED#h" {
			t.Errorf("%v", r.Header)
		}
	})
}

// TestRefusedVerificationSignsNobodyIn: a session that a hook refuses leaves the
// address unverified, a callback that fails afterwards leaves no session.
func TestRefusedVerificationSignsNobodyIn(t *testing.T) {
	refusing := false
	w := newWorld(t, func(c *Config) {
		c.EmailVerification.AutoSignIn = true
		c.EmailVerification.AfterVerification = func(context.Context, *User) error { return NewError(409, "LATE", "Too late") }
		c.DatabaseHooks.Session.BeforeCreate = func(context.Context, *Session) error {
			if refusing {
				return NewError(403, "BANNED", "Banned")
			}
			return nil
		}
	})
	ann := w.as("ann")
	ann.post("/send-verification-email", `{"email":"ann@example.com"}`).ok(t)
	link := w.lastMail().URL
	refusing = true
	w.browser().follow(link).fails(t, 403, "BANNED")
	if ann.get("/get-session").field(t, "user.emailVerified") != false {
		t.Error("verified without the session that goes with it")
	}
	refusing = false
	w.browser().follow(link).fails(t, 409, "LATE")
	if n := count(t, w, w.core.sessions.table); n != 1 || ann.get("/get-session").field(t, "user.emailVerified") != true {
		t.Errorf("%d sessions", n)
	}
}

func TestVerificationSignsIn(t *testing.T) {
	w := newWorld(t, func(c *Config) { c.EmailVerification.AutoSignIn = true })
	ann := w.as("ann")
	ann.post("/send-verification-email", `{"email":"ann@example.com"}`).ok(t)
	link := w.lastMail().URL
	phone := w.browser()
	if r := phone.follow(link); r.StatusCode != 302 || !phone.signedIn() {
		t.Errorf("%d %v", r.StatusCode, r.Header)
	}
	again := w.browser()
	if again.follow(link); again.signedIn() {
		t.Error("a link that was used signed somebody in")
	}

	bob := w.as("bob")
	bob.post("/send-verification-email", `{"email":"bob@example.com"}`).ok(t)
	if bob.follow(w.lastMail().URL); count(t, w, w.core.sessions.table, Where("userId", currentUser(t, bob))) != 1 {
		t.Error("who is signed in needs no other session")
	}
}

func TestVerifyEmailTokens(t *testing.T) {
	w := newWorld(t)
	id := currentUser(t, w.as("ann"))
	token := func(claims emailClaims) string { return w.core.emailToken(claims, time.Hour) }
	for _, tt := range []struct {
		name, token string
		status      int
		code        Code
	}{
		{"no token of ours", "a.b.c", 401, ErrInvalidToken},
		{"another secret", func() string {
			s, _ := newSigner(strings.Repeat("x", 32)).signJWT(emailClaims{Email: "ann@example.com"})
			return s
		}(), 401, ErrInvalidToken},
		{"an unknown user", token(emailClaims{Email: "nobody@example.com"}), 401, ErrUserNotFound},
		{"another user's id", token(emailClaims{Email: "ann@example.com", UserID: "x"}), 401, ErrInvalidToken},
		{"no address", token(emailClaims{UserID: id}), 401, ErrInvalidToken},
		{"a change without user", token(emailClaims{Email: "ann@example.com", UpdateTo: "b@example.com"}), 401, ErrInvalidToken},
		{"a change of a user who is gone", token(emailClaims{Email: "ann@example.com", UpdateTo: "b@example.com", UserID: "x"}), 401, ErrUserNotFound},
		{"a change of an address that was changed", token(emailClaims{Email: "old@example.com", UpdateTo: "b@example.com", UserID: id}), 401, ErrInvalidToken},
		{"without id, of an older version", token(emailClaims{Email: "ann@example.com"}), 200, ""},
	} {
		t.Log(tt.name)
		w.browser().get("/verify-email?token="+tt.token).fails(t, tt.status, tt.code)
	}
	w.browser().get("/verify-email").fails(t, 400, ErrValidation)
	w.browser().get("/verify-email?token=x&callbackURL=https://evil.example").fails(t, 403, ErrInvalidCallbackURL)
}

// TestSendVerificationToStrangers: the answer and its time do not tell whose
// address it is.
func TestSendVerificationToStrangers(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		w.as("ann")
		verified := w.as("vera")
		verified.post("/send-verification-email", `{"email":"vera@example.com"}`).ok(t)
		verified.follow(w.lastMail().URL)
		w.mails = nil
		for _, tt := range []struct {
			email string
			mails int
		}{{"ann@example.com", 1}, {"vera@example.com", 1}, {"nobody@example.com", 1}} {
			start := time.Now()
			r := w.browser().post("/send-verification-email", map[string]string{"email": tt.email}).ok(t)
			if took := time.Since(start); took != 500*time.Millisecond || r.body != `{"status":true}` || len(w.mails) != tt.mails {
				t.Errorf("%s: %v, %s, %d mails", tt.email, took, r.body, len(w.mails))
			}
		}
	})
	off := newWorld(t, func(c *Config) { c.EmailVerification.Send = nil })
	off.browser().post("/send-verification-email", `{"email":"ann@example.com"}`).fails(t, 400, ErrVerificationEmailNotEnabled)
	w := newWorld(t)
	w.as("ann").post("/send-verification-email", `{"email":"bob@example.com"}`).fails(t, 400, ErrEmailMismatch)
}

func TestChangeEmailRefusals(t *testing.T) {
	w := newWorld(t)
	w.as("bob")
	ann := w.as("ann")
	ann.post("/change-email", `{"newEmail":"ANN@example.com"}`).fails(t, 400, "")
	ann.post("/change-email", `{"newEmail":"x"}`).fails(t, 400, ErrValidation)
	if r := ann.post("/change-email", `{"newEmail":"bob@example.com"}`).ok(t); r.body != `{"status":true}` || len(w.mails) != 0 {
		t.Errorf("an address that is taken: %s, %d mails", r.body, len(w.mails))
	}
	off := newWorld(t, func(c *Config) { c.User.ChangeEmail.Enabled = false })
	off.as("ann").post("/change-email", `{"newEmail":"x@example.com"}`).fails(t, 400, ErrChangeEmailDisabled)
	noMail := newWorld(t, func(c *Config) { c.EmailVerification.Send = nil })
	if r := noMail.as("ann").post("/change-email", `{"newEmail":"x@example.com"}`).fails(t, 400, ""); r.field(t, "message") != "Verification email isn't enabled" {
		t.Errorf("%s", r.body)
	}
}

// TestChangeEmailInOneStep: the new address is asked, and has the last word.
func TestChangeEmailInOneStep(t *testing.T) {
	w := newWorld(t)
	ann := w.as("ann")
	ann.post("/change-email", `{"newEmail":"Annie@example.com","callbackURL":"/done"}`).ok(t)
	mail := w.lastMail()
	if mail.User.Email != "annie@example.com" || ann.get("/get-session").field(t, "user.email") != "ann@example.com" {
		t.Fatalf("mail %+v", mail.User)
	}
	bob := w.as("bob")
	bob.get("/verify-email?token="+mail.Token).fails(t, 401, ErrInvalidUser)
	if r := ann.follow(mail.URL); r.StatusCode != 302 || r.Header.Get("Location") != "/done" || r.cookie("better-auth.session_token") == "" {
		t.Errorf("%d %v", r.StatusCode, r.Header)
	}
	if r := ann.get("/get-session"); r.field(t, "user.email") != "annie@example.com" || r.field(t, "user.emailVerified") != false {
		t.Errorf("%s", r.body)
	}
	ann.get("/verify-email?token="+mail.Token).fails(t, 401, ErrInvalidToken) // works once
}

// TestChangeEmailInTwoSteps: the old address of a verified user confirms first.
func TestChangeEmailInTwoSteps(t *testing.T) {
	var confirmations []Mail
	w := newWorld(t, func(c *Config) {
		c.User.ChangeEmail.SendConfirmation = func(_ context.Context, m Mail) error {
			confirmations = append(confirmations, m)
			return nil
		}
	})
	ann := w.as("ann")
	ann.post("/send-verification-email", `{"email":"ann@example.com"}`).ok(t)
	ann.follow(w.lastMail().URL)
	w.mails = nil
	ann.post("/change-email", `{"newEmail":"annie@example.com"}`).ok(t)
	if len(confirmations) != 1 || confirmations[0].NewEmail != "annie@example.com" || confirmations[0].User.Email != "ann@example.com" || len(w.mails) != 0 {
		t.Fatalf("confirmations %+v, mails %+v", confirmations, w.mails)
	}
	stranger := w.browser()
	if r := stranger.get("/verify-email?token=" + confirmations[0].Token).ok(t); r.body != `{"status":true}` {
		t.Errorf("%s", r.body)
	}
	mail := w.lastMail()
	if mail.User.Email != "annie@example.com" {
		t.Fatalf("mail %+v", mail)
	}
	r := stranger.get("/verify-email?token=" + mail.Token).ok(t)
	if r.field(t, "user.email") != "annie@example.com" || r.field(t, "user.emailVerified") != true || len(r.Header["Set-Cookie"]) != 0 {
		t.Errorf("%s", r.body)
	}
	stranger.get("/verify-email?token="+confirmations[0].Token).fails(t, 401, ErrInvalidToken)
}

func TestChangeEmailAtOnce(t *testing.T) {
	w := newWorld(t, func(c *Config) { c.User.ChangeEmail.WithoutVerification = true })
	ann := w.as("ann")
	r := ann.post("/change-email", `{"newEmail":"annie@example.com"}`).ok(t)
	if r.cookie("better-auth.session_token") == "" || ann.get("/get-session").field(t, "user.email") != "annie@example.com" || w.lastMail().User.Email != "annie@example.com" {
		t.Errorf("%s %+v", r.body, w.mails)
	}
}

// TestChangeEmailOfOlderVersions: tokens without a step leave the new address
// to be verified.
func TestChangeEmailOfOlderVersions(t *testing.T) {
	w := newWorld(t)
	ann := w.as("ann")
	token := w.core.emailToken(emailClaims{Email: "ann@example.com", UpdateTo: "annie@example.com", UserID: currentUser(t, ann)}, time.Hour)
	if r := ann.get("/verify-email?token=" + token).ok(t); r.field(t, "user.email") != "annie@example.com" || r.field(t, "user.emailVerified") != false {
		t.Errorf("%s", r.body)
	}
	if w.lastMail().User.Email != "annie@example.com" {
		t.Errorf("%+v", w.lastMail())
	}
}

// TestChangeToTakenAddress: somebody else took the address while the mail was
// under way.
func TestChangeToTakenAddress(t *testing.T) {
	w := newWorld(t)
	ann := w.as("ann")
	ann.post("/change-email", `{"newEmail":"bob@example.com"}`).ok(t)
	mail := w.lastMail()
	w.as("bob")
	ann.get("/verify-email?token="+mail.Token).fails(t, 401, ErrUserAlreadyExists)
	if ann.get("/get-session").field(t, "user.email") != "ann@example.com" {
		t.Error("two users have one address")
	}
}
