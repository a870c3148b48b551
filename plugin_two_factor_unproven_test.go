package auth

import (
	"context"
	"testing"
)

// A squatter signed up with somebody's address and set up a second factor: the owner
// of the mailbox, whose link takes the squatter's password away, could not get past
// it.
func TestAdvisory_GHSA_qq9h_g4jm_xgf3_TwoFactor(t *testing.T) {
	tf := &TwoFactor{Everywhere: true, Page: "/second-step", SkipVerificationOnEnable: true}
	var link MagicLinkMail
	links := &MagicLink{Send: func(_ context.Context, m MagicLinkMail) error {
		link = m
		return nil
	}}
	w := newWorld(t, func(c *Config) { c.Plugins = []Plugin{links, tf} })
	squatter := w.as("ann")
	squatter.post("/two-factor/enable", map[string]string{"password": "password of ann"}).ok(t)

	owner := w.browser()
	owner.post("/sign-in/magic-link", `{"email":"ann@example.com"}`).ok(t)
	owner.follow(link.URL)
	if user := owner.get("/get-session").ok(t).field(t, "user").(map[string]any); user["twoFactorEnabled"] != false {
		t.Errorf("the owner is %v", user)
	}
	if n, err := w.store.Count(t.Context(), tf.rows.table()); n != 0 || err != nil {
		t.Errorf("%d secrets of the squatter are left, %v", n, err)
	}
	if squatter.signedIn() {
		t.Error("the squatter's session goes on")
	}

	// what a proven owner sets up stays, and is asked for
	owner.post("/sign-in/magic-link", `{"email":"ann@example.com"}`).ok(t)
	if _, err := w.core.updateUser(t.Context(), owner.get("/get-session").field(t, "user.id").(string), map[string]any{"twoFactorEnabled": true}); err != nil {
		t.Fatal(err)
	}
	again := w.browser()
	if again.follow(link.URL); again.signedIn() {
		t.Error("the second factor was not asked for")
	}
}
