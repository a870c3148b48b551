package auth

import (
	"context"
	"testing"
	"testing/synctest"
	"time"
)

func TestCleanup(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var ended []string
		w := newWorld(t, func(c *Config) {
			c.Session.ExpiresIn = time.Minute // within the time for which the memory store keeps expired rows
			c.EmailPassword.ResetPasswordExpiresIn = time.Minute
			c.DatabaseHooks.Session.AfterDelete = func(_ context.Context, s *Session) { ended = append(ended, s.UserID) }
		})
		ann := w.as("ann")
		w.browser().post("/request-password-reset", `{"email":"ann@example.com"}`).ok(t)
		time.Sleep(2 * time.Minute)
		w.signIn("ann")
		if sessions, tokens := count(t, w, w.core.sessions.table), count(t, w, w.core.verifications.table); sessions != 2 || tokens != 1 {
			t.Fatalf("%d sessions, %d verifications before", sessions, tokens)
		}
		if err := w.Cleanup(t.Context()); err != nil {
			t.Fatal(err)
		}
		if sessions, tokens := count(t, w, w.core.sessions.table), count(t, w, w.core.verifications.table); sessions != 1 || tokens != 0 || len(ended) != 1 {
			t.Errorf("%d sessions, %d verifications, hooks for %q", sessions, tokens, ended)
		}
		if ann.signedIn() {
			t.Error("a session that expired is good")
		}
	})
}
