package auth

import (
	"context"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"
)

// The tests in this file let two things happen at the same moment: one stops at
// a place where time passes, a hash or a hook, and the other runs there.

// gateHasher stops where a test wants it to.
type gateHasher struct {
	plainHasher
	onHash, onVerify func(password string)
}

func (g *gateHasher) Hash(ctx context.Context, p string) (string, error) {
	if g.onHash != nil {
		g.onHash(p)
	}
	return g.plainHasher.Hash(ctx, p)
}

func (g *gateHasher) Verify(ctx context.Context, h, p string) (bool, error) {
	ok, err := g.plainHasher.Verify(ctx, h, p)
	if g.onVerify != nil {
		g.onVerify(p)
	}
	return ok, err
}

func resetPasswordOf(w *world, name, password string) {
	w.t.Helper()
	w.browser().post("/request-password-reset", map[string]any{"email": name + "@example.com"}).ok(w.t)
	w.browser().post("/reset-password", map[string]any{"token": w.lastMail().Token, "newPassword": password}).ok(w.t)
}

// A password that was reset while another was being hashed stays, and the reset
// signs everybody out.
func TestResetWinsOverChangePassword(t *testing.T) {
	g := &gateHasher{}
	w := newWorld(t, func(c *Config) {
		c.Passwords.Hasher = g
		c.Passwords.MaxConcurrent = 4
		c.EmailPassword.RevokeSessionsOnPasswordReset = true
	})
	thief := w.as("ann") // has ann's old password and a session
	once := false
	g.onHash = func(p string) {
		if p == "chosen by thief" && !once {
			once = true
			resetPasswordOf(w, "ann", "chosen by ann") // the owner takes her account back
		}
	}
	thief.post("/change-password", map[string]any{
		"currentPassword": "password of ann", "newPassword": "chosen by thief", "revokeOtherSessions": true})
	in := func(p string) int {
		return w.browser().post("/sign-in/email", map[string]any{"email": "ann@example.com", "password": p}).StatusCode
	}
	if got := in("chosen by thief"); got != 401 {
		t.Errorf("the thief's password: %d", got)
	}
	if got := in("chosen by ann"); got != 200 {
		t.Errorf("ann's new password: %d", got)
	}
	if thief.signedIn() {
		t.Error("the thief has a new session after the reset revoked all")
	}
}

// A sign-in with the old password that began before a reset ends without a
// session.
func TestResetEndsSignInsUnderWay(t *testing.T) {
	g := &gateHasher{}
	w := newWorld(t, func(c *Config) {
		c.Passwords.Hasher = g
		c.Passwords.MaxConcurrent = 4
		c.EmailPassword.RevokeSessionsOnPasswordReset = true
	})
	w.as("ann")
	once := false
	g.onVerify = func(string) {
		if !once {
			once = true
			resetPasswordOf(w, "ann", "chosen by ann")
		}
	}
	thief := w.browser()
	thief.post("/sign-in/email", credentials("ann"))
	if thief.signedIn() {
		t.Error("the old password made a session that outlives the reset")
	}
}

// A link proves the address that it was sent to, not the one that the user took
// meanwhile.
func TestVerificationIsOfItsAddress(t *testing.T) {
	var mallory *browser
	w := newWorld(t, func(c *Config) {
		c.User.ChangeEmail.WithoutVerification = true
		c.EmailVerification.BeforeVerification = func(context.Context, *User) error { // stands for any delay
			mallory.post("/change-email", map[string]any{"newEmail": "victim@example.org"}).ok(t)
			return nil
		}
	})
	mallory = w.as("mallory")
	w.browser().post("/send-verification-email", map[string]any{"email": "mallory@example.com"}).ok(t)
	w.browser().follow(w.mails[0].URL)
	data := mallory.get("/get-session").ok(t)
	if data.field(t, "user.email") == "victim@example.org" && data.field(t, "user.emailVerified") == true {
		t.Error("mallory owns the verified address of somebody else")
	}
}

// A change of address that needs no proof ends when the old address is proved.
func TestChangeDoesNotInheritVerification(t *testing.T) {
	var link string
	var w *world
	w = newWorld(t, func(c *Config) {
		c.User.ChangeEmail.WithoutVerification = true
		c.DatabaseHooks.User.BeforeUpdate = func(_ context.Context, changes map[string]any) error {
			if changes["email"] != nil && link != "" {
				l := link
				link = ""
				w.browser().follow(l)
			}
			return nil
		}
	})
	mallory := w.as("mallory")
	w.browser().post("/send-verification-email", map[string]any{"email": "mallory@example.com"}).ok(t)
	link = w.lastMail().URL
	mallory.post("/change-email", map[string]any{"newEmail": "victim@example.org"})
	data := mallory.get("/get-session").ok(t)
	if data.field(t, "user.email") == "victim@example.org" && data.field(t, "user.emailVerified") == true {
		t.Error("mallory owns the verified address of somebody else")
	}
}

// oldHasher takes every hash for outdated until it is stored again.
type oldHasher struct{ *gateHasher }

func (oldHasher) Outdated(hash string) bool { return strings.HasPrefix(hash, "plain:password of") }

// A rehash does not bring back a password that was reset meanwhile.
func TestResetWinsOverRehash(t *testing.T) {
	g := &gateHasher{}
	w := newWorld(t, func(c *Config) { c.Passwords.Hasher, c.Passwords.MaxConcurrent = oldHasher{g}, 4 })
	w.as("ann")
	once := false
	g.onHash = func(p string) {
		if p == "password of ann" && !once {
			once = true
			resetPasswordOf(w, "ann", "chosen by ann")
		}
	}
	w.browser().post("/sign-in/email", credentials("ann")).fails(t, 401, ErrInvalidEmailOrPassword)
	w.browser().post("/sign-in/email", credentials("ann")).fails(t, 401, ErrInvalidEmailOrPassword)
	w.browser().post("/sign-in/email", map[string]any{"email": "ann@example.com", "password": "chosen by ann"}).ok(t)
}

// Two instances do not share a transaction, whatever context they are called
// with.
func TestTransactionsOfTwoInstances(t *testing.T) {
	b := newWorld(t, func(c *Config) {
		c.EmailVerification.SendOnSignUp = true
		c.DatabaseHooks.Session.BeforeCreate = func(context.Context, *Session) error { return ErrAborted }
	})
	a := newWorld(t, func(c *Config) {
		c.DatabaseHooks.User.BeforeCreate = func(ctx context.Context, u *User) error {
			_, _ = b.API.SignUpEmail.Call(ctx, SignUpEmailRequest{Name: "x", Email: u.Email, Password: "password"})
			return nil
		}
	})
	a.as("ann")
	if n := count(t, b, b.core.users.table); n != 0 {
		t.Errorf("the sign-up at B failed and left %d users", n)
	}
}

// A failure inside a transaction is the failure of all of it, even if a hook
// ignores it.
func TestNestedFailureFailsTheWhole(t *testing.T) {
	w := newWorld(t)
	err := w.Transaction(t.Context(), func(ctx context.Context) error {
		if _, err := w.API.SignUpEmail.Call(ctx, SignUpEmailRequest{Name: "A", Email: "a@example.com", Password: "password"}); err != nil {
			return err
		}
		w.core.sessions.hooks.BeforeCreate = func(context.Context, *Session) error { return ErrAborted }
		_, _ = w.API.SignUpEmail.Call(ctx, SignUpEmailRequest{Name: "B", Email: "b@example.com", Password: "password"})
		return nil
	})
	if err == nil || count(t, w, w.core.users.table) != 0 {
		t.Errorf("%v, %d users", err, count(t, w, w.core.users.table))
	}
}

// What waits for the commit waits for that of the application's transaction.
func TestTransactionHoldsMailsBack(t *testing.T) {
	w := newWorld(t, func(c *Config) { c.EmailVerification.SendOnSignUp = true })
	in := SignUpEmailRequest{Name: "A", Email: "a@example.com", Password: "password"}
	for _, fail := range []error{errSecret, nil} {
		err := w.Transaction(t.Context(), func(ctx context.Context) error {
			if _, err := w.API.SignUpEmail.Call(ctx, in); err != nil {
				t.Error(err)
			}
			if len(w.mails) != 0 {
				t.Error("the mail went out before the commit")
			}
			return fail
		})
		if want := map[bool]int{true: 1, false: 0}[fail == nil]; err != fail || len(w.mails) != want || count(t, w, w.core.users.table) != int64(want) {
			t.Errorf("%v: %d mails, %d users", err, len(w.mails), count(t, w, w.core.users.table))
		}
	}
}

// Goroutines of a hook may use its transaction.
func TestTransactionAndGoroutines(t *testing.T) {
	var w *world
	w = newWorld(t, func(c *Config) {
		c.DatabaseHooks.Verification.AfterCreate = func(context.Context, *Verification) {}
		c.DatabaseHooks.User.BeforeCreate = func(ctx context.Context, u *User) error {
			var wg sync.WaitGroup
			for i := range 8 {
				wg.Go(func() {
					if err := w.core.createVerification(ctx, "x:", fmt.Sprint(i), "v", time.Hour); err != nil {
						t.Error(err)
					}
				})
			}
			wg.Wait()
			return nil
		}
	})
	w.as("ann")
}
