package auth

import (
	"context"
	"strings"
	"testing"
)

func TestSignIn(t *testing.T) {
	w := newWorld(t)
	w.as("ann")
	for _, tt := range []struct {
		extra, body, location string
		cookies               int
		reason                string
	}{
		{``, `{"redirect":false,"token":"`, "", 1, "no callbackURL: no url"},
		{`,"callbackURL":"/dash"`, `{"redirect":true,"token":"`, "/dash", 1, "the client is told where to go, with status 200"},
		{`,"callbackURL":""`, `{"redirect":false,"token":"`, "", 1, "an empty one comes back"},
		{`,"rememberMe":false`, `{"redirect":false,"token":"`, "", 2, "the mark that this session is not remembered"},
	} {
		r := w.browser().post("/sign-in/email", `{"email":"ANN@example.com","password":"password of ann"`+tt.extra+`}`).ok(t)
		if !strings.HasPrefix(r.body, tt.body) || r.Header.Get("Location") != tt.location || len(r.Header["Set-Cookie"]) != tt.cookies {
			t.Errorf("%s: %s %v", tt.reason, r.body, r.Header)
		}
		if has := strings.Contains(r.body, `"url":`); has != strings.Contains(tt.extra, "callbackURL") {
			t.Errorf("%s: body %s", tt.reason, r.body)
		}
	}
}

// TestSignInFailures: the order of the checks, and one answer for everything
// that would tell whether there is an account.
func TestSignInFailures(t *testing.T) {
	w := newWorld(t)
	w.as("ann")
	social := &User{Name: "Soc", Email: "social@example.com"}
	if err := w.core.createUser(t.Context(), social, UserSource{}); err != nil {
		t.Fatal(err)
	}
	if err := w.core.createCredential(t.Context(), social.ID, ""); err != nil {
		t.Fatal(err)
	}
	off := newWorld(t, func(c *Config) { c.EmailPassword.Enabled = false })
	for _, tt := range []struct {
		w               *world
		email, password string
		status          int
		code            Code
		reason          string
	}{
		{w, "ann@example.com", "wrong", 401, ErrInvalidEmailOrPassword, "a wrong password"},
		{w, "ann@example.com", "", 401, ErrInvalidEmailOrPassword, "an empty password is a wrong one"},
		{w, "bob@example.com", "wrong", 401, ErrInvalidEmailOrPassword, "an unknown address"},
		{w, "social@example.com", "wrong", 401, ErrInvalidEmailOrPassword, "a user with an empty hash"},
		{w, "ann", "wrong", 400, ErrInvalidEmail, "no address"},
		{w, "ann", strings.Repeat("x", 129), 400, ErrInvalidEmail, "which is checked before the length"},
		{w, "ann@example.com", strings.Repeat("x", 129), 400, ErrPasswordTooLong, "too long to be hashed"},
		{off, "ann", "x", 400, ErrEmailPasswordDisabled, "not enabled, which is checked first"},
	} {
		t.Log(tt.reason)
		tt.w.browser().post("/sign-in/email", map[string]any{"email": tt.email, "password": tt.password}).fails(t, tt.status, tt.code)
	}
	if log := w.log.String(); strings.Count(log, " level=WARN msg=sign_in_failed address=192.0.2.1 identifier=") != 4 || strings.Contains(log, "bob") {
		t.Errorf("log %s", w.log.String())
	}
	long := strings.Repeat("x", 1<<18) + "@example.com"
	if w.browser().post("/sign-in/email", map[string]any{"email": long, "password": "x"}); strings.Contains(w.log.String(), strings.Repeat("x", 1000)) {
		t.Error("a stranger fills the log")
	}
}

// countingHasher counts the hashes that are computed.
type countingHasher struct {
	plainHasher
	n *int
}

func (h countingHasher) Hash(ctx context.Context, password string) (string, error) {
	*h.n++
	return h.plainHasher.Hash(ctx, password)
}

func (h countingHasher) Verify(ctx context.Context, hash, password string) (bool, error) {
	*h.n++
	return h.plainHasher.Verify(ctx, hash, password)
}

// TestSignInCostsTheSame: a known and an unknown address cost one hash each, so
// that time does not tell them apart.
func TestSignInCostsTheSame(t *testing.T) {
	n := 0
	w := newWorld(t, func(c *Config) { c.Passwords.Hasher = countingHasher{n: &n} })
	w.as("ann")
	social := &User{Name: "Soc", Email: "social@example.com"}
	if err := w.core.createUser(t.Context(), social, UserSource{}); err != nil {
		t.Fatal(err)
	}
	for _, email := range []string{"ann@example.com", "bob@example.com", "social@example.com"} {
		n = 0
		w.browser().post("/sign-in/email", map[string]any{"email": email, "password": "wrong"})
		if n != 1 {
			t.Errorf("%s costs %d hashes", email, n)
		}
	}
}

// TestSignUpCostsTheSame: where the answer hides that an address is taken, its
// time does too.
func TestSignUpCostsTheSame(t *testing.T) {
	n := 0
	w := newWorld(t, func(c *Config) { c.Passwords.Hasher, c.EmailPassword.NoAutoSignIn = countingHasher{n: &n}, true })
	for _, what := range []string{"new", "known"} {
		n = 0
		if w.as("ann"); n != 1 {
			t.Errorf("a %s address costs %d hashes", what, n)
		}
	}
}

func TestUnverifiedSignIn(t *testing.T) {
	w := newWorld(t, func(c *Config) {
		c.EmailPassword.RequireEmailVerification = true
		c.EmailVerification.SendOnSignIn = true
	})
	w.browser().post("/sign-up/email", credentials("ann")).ok(t)
	sent := len(w.mails)
	b := w.browser()
	b.post("/sign-in/email", map[string]any{"email": "ann@example.com", "password": "wrong"}).fails(t, 401, ErrInvalidEmailOrPassword)
	if len(w.mails) != sent {
		t.Error("a wrong password sent a mail")
	}
	r := b.post("/sign-in/email", credentials("ann")).fails(t, 403, ErrEmailNotVerified)
	if len(w.mails) != sent+1 || len(r.Header["Set-Cookie"]) != 0 {
		t.Errorf("%d mails, cookies %v", len(w.mails), r.Header["Set-Cookie"])
	}
	b.follow(w.lastMail().URL)
	b.post("/sign-in/email", credentials("ann")).ok(t)
}

func TestSessionRefusedByHook(t *testing.T) {
	w := newWorld(t, func(c *Config) { c.EmailPassword.NoAutoSignIn = true })
	w.as("ann")
	w.core.sessions.hooks.BeforeCreate = func(context.Context, *Session) error { return ErrAborted }
	w.browser().post("/sign-in/email", credentials("ann")).fails(t, 401, ErrFailedToCreateSession)
}

// TestRehashOnSignIn: a hash of another algorithm is replaced by the configured
// one when the password is seen.
func TestRehashOnSignIn(t *testing.T) {
	store := NewMemoryStore()
	scrypt := newWorld(t, func(c *Config) { c.Store, c.Passwords = store, Passwords{} })
	scrypt.as("ann")
	argon := newWorld(t, func(c *Config) { c.Store, c.Passwords = store, Passwords{Argon2id: true} })
	stored := func() string {
		rows, err := store.Select(t.Context(), Query{Table: argon.core.accounts.table})
		if err != nil || len(rows) != 1 {
			t.Fatal(rows, err)
		}
		account, err := argon.core.accounts.fromRow(rows[0])
		if err != nil {
			t.Fatal(err)
		}
		return *account.Password
	}
	before := stored()
	argon.browser().post("/sign-in/email", map[string]any{"email": "ann@example.com", "password": "wrong password"}).fails(t, 401, ErrInvalidEmailOrPassword)
	if stored() != before {
		t.Error("a wrong password changed the hash")
	}
	argon.signIn("ann")
	if after := stored(); !strings.HasPrefix(after, "$argon2id$") {
		t.Errorf("the hash is still %.20s…", after)
	}
	argon.signIn("ann")
}

func TestSignOut(t *testing.T) {
	w := newWorld(t)
	ann := w.as("ann")
	stolen := w.browser()
	for name, value := range ann.cookies {
		stolen.cookies[name] = value
	}
	r := ann.post("/sign-out", "").ok(t)
	want := []string{
		"better-auth.session_token=; Max-Age=0; Path=/; HttpOnly; SameSite=Lax",
		"better-auth.session_data=; Max-Age=0; Path=/; HttpOnly; SameSite=Lax",
		"better-auth.dont_remember=; Max-Age=0; Path=/; HttpOnly; SameSite=Lax",
	}
	if got := r.Header["Set-Cookie"]; strings.Join(got, "\n") != strings.Join(want, "\n") || r.body != `{"success":true}` {
		t.Errorf("%s %v", r.body, got)
	}
	if stolen.signedIn() {
		t.Error("the session outlived the sign-out")
	}
	w.browser().post("/sign-out", `{"callbackURL":"/"}`).ok(t)
	w.browser().post("/sign-out", `null`).fails(t, 400, ErrValidation)
}
