package auth

import (
	"context"
	"errors"
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

// signsIn tries a password of ann's.
func (w *world) signsIn(password string) bool {
	w.t.Helper()
	return w.browser().post("/sign-in/email", map[string]any{"email": "ann@example.com", "password": password}).StatusCode == 200
}

// signsUp tries to sign up ann with a password.
func (w *world) signsUp(password string) reply {
	w.t.Helper()
	return w.browser().post("/sign-up/email", map[string]any{"name": "ann", "email": "ann@example.com", "password": password})
}

// TestPasswordsOfEightCharactersAreAllowed, and none that are shorter.
func TestPasswordsOfEightCharactersAreAllowed(t *testing.T) {
	w := newWorld(t)
	w.signsUp("1234567").fails(t, 400, ErrPasswordTooShort)
	w.signsUp("12345678").ok(t)
	if !w.signsIn("12345678") {
		t.Error("refused at sign-in")
	}
}

// TestLongPasswordsAreAllowed: up to 128 characters, all of which count.
func TestLongPasswordsAreAllowed(t *testing.T) {
	for _, hash := range []Passwords{{Hasher: plainHasher{}}, {}, {Argon2id: true}} {
		w := newWorld(t, func(c *Config) { c.Passwords = hash })
		long := strings.Repeat("0123456789abcdef", 8)
		w.signsUp(long+"x").fails(t, 400, ErrPasswordTooLong)
		w.signsUp(long).ok(t)
		if !w.signsIn(long) || w.signsIn(long[:127]) || w.signsIn(long[:72]) || w.signsIn(long[:127]+"x") {
			t.Errorf("%+v: a part of the password counts", hash)
		}
	}
}

// TestPasswordsOfAnyCompositionAreAllowed: nobody has to mix kinds of characters,
// and none is forbidden.
func TestPasswordsOfAnyCompositionAreAllowed(t *testing.T) {
	for _, password := range []string{
		"aaaaaaaa", "AAAAAAAA", "11111111", "        ", "!!!!!!!!", "correct horse", "пароль-пароль", "密码密码密码密码", "🐎🐎🐎🐎",
		"quote\"'`;--", "<script>1</script>", "tab\tand\nline", "null\x00byte!", "%00%0a%25",
	} {
		w := newWorld(t)
		w.signsUp(password).ok(t)
		if !w.signsIn(password) {
			t.Errorf("%q is refused at sign-in", password)
		}
	}
}

// TestPasswordsAreVerifiedAsTheyAre: neither case nor white space is changed, with
// each of the built-in hashes.
func TestPasswordsAreVerifiedAsTheyAre(t *testing.T) {
	const password = " Correct Horse "
	for _, hash := range []Passwords{{}, {Argon2id: true}} {
		w := newWorld(t, func(c *Config) { c.Passwords = hash })
		w.signsUp(password).ok(t)
		others := []string{"Correct Horse", " correct horse ", " CORRECT HORSE ", " Correct  Horse ", password + " "}
		if hash.Argon2id {
			others = append(others, password+"\x00") // to scrypt, whose HMAC fills its key up with zeros, that is the same
		}
		for _, other := range others {
			if w.signsIn(other) {
				t.Errorf("%+v: %q counts as %q", hash, other, password)
			}
		}
		if !w.signsIn(password) {
			t.Errorf("%+v: refused", hash)
		}
	}
}

// TestPasswordsDoNotExpire: nobody has to choose another one because of the time.
func TestPasswordsDoNotExpire(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		w.signsUp("password of ann").ok(t)
		time.Sleep(10 * 365 * 24 * time.Hour)
		if !w.signsIn("password of ann") {
			t.Error("refused after ten years")
		}
	})
}

// TestResetKeepsTheSecondFactor: whoever resets a password by mail is not signed in
// and is asked for the second factor afterwards.
func TestResetKeepsTheSecondFactor(t *testing.T) {
	w := newWorld(t, func(c *Config) { c.Plugins = []Plugin{&TwoFactor{SkipVerificationOnEnable: true}} })
	ann := w.as("ann")
	ann.post("/two-factor/enable", `{"password":"password of ann"}`).ok(t)
	b := w.browser()
	b.post("/request-password-reset", `{"email":"ann@example.com"}`).ok(t)
	b.post("/reset-password", map[string]string{"newPassword": "the new one", "token": w.lastMail().Token}).ok(t)
	if b.signedIn() {
		t.Error("the reset signs in")
	}
	in := b.post("/sign-in/email", `{"email":"ann@example.com","password":"the new one"}`).ok(t)
	if in.field(t, "twoFactorRedirect") != true || b.signedIn() {
		t.Errorf("not asked for it: %s", in.body)
	}
}

// TestNewPasswordsAreJudged: the application has a say wherever a password is chosen,
// and nowhere else.
func TestNewPasswordsAreJudged(t *testing.T) {
	const leaked Code = "PASSWORD_LEAKED"
	var asked []string
	judge := func(_ context.Context, password string) error {
		asked = append(asked, password)
		switch password {
		case "leaked password":
			return leaked
		case "unlucky password":
			return errors.New("the list is gone")
		}
		return nil
	}
	otp := newOTPWorld(t, &EmailOTP{}, func(c *Config) { c.EmailPassword.ValidatePassword = judge })
	w := otp.world
	ann := w.as("ann")
	doors := map[string]func(b *browser, password string) reply{
		"sign-up": func(b *browser, password string) reply {
			return b.post("/sign-up/email", map[string]any{"name": "bob", "email": "bob@example.com", "password": password})
		},
		"change": func(_ *browser, password string) reply {
			return ann.post("/change-password", map[string]any{"currentPassword": "password of ann", "newPassword": password})
		},
		"reset": func(b *browser, password string) reply {
			b.post("/request-password-reset", `{"email":"ann@example.com"}`).ok(t)
			return b.post("/reset-password", map[string]string{"newPassword": password, "token": w.lastMail().Token})
		},
		"reset by code": func(b *browser, password string) reply {
			time.Sleep(2 * time.Millisecond) // of two codes of one millisecond either may count
			b.post("/email-otp/request-password-reset", `{"email":"ann@example.com"}`).ok(t)
			return b.post("/email-otp/reset-password", map[string]string{"email": "ann@example.com", "otp": otp.lastCode(), "password": password})
		},
	}
	for name, door := range doors {
		asked = nil
		door(w.browser(), "leaked password").fails(t, 400, leaked)
		if r := door(w.browser(), "unlucky password"); r.StatusCode != 500 || strings.Contains(r.body, "list") {
			t.Errorf("%s: a judge that fails: %d %s", name, r.StatusCode, r.body)
		}
		door(w.browser(), "short")
		if len(asked) != 2 {
			t.Errorf("%s: asked about %q", name, asked)
		}
	}
	asked = nil
	if !w.signsIn("password of ann") || w.signsIn("leaked password") || len(asked) != 0 {
		t.Errorf("at sign-in: asked about %q", asked)
	}
	doors["change"](nil, "password of ann").ok(t)

	user := &User{Name: "Soc", Email: "social@example.com"}
	if err := w.core.createUser(t.Context(), user, UserSource{}); err != nil {
		t.Fatal(err)
	}
	session, err := w.core.createSession(t.Context(), user.ID, false, nil)
	if err != nil {
		t.Fatal(err)
	}
	soc := w.browser()
	soc.cookies[tokenName] = encodeURIComponent(w.core.signer.signCookie(session.Token))
	if _, err := w.API.SetPassword.Call(t.Context(), SetPasswordRequest{"leaked password"}, WithHeaders(soc.headers())); !errors.Is(err, leaked) {
		t.Errorf("set-password: %v", err)
	}
}
