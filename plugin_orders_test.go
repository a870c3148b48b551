package auth

import (
	"context"
	"slices"
	"strings"
	"testing"
)

// orderedPlugins are those that look at what a sign-in gives the browser, and the one
// that keeps it from doing so, which puts its last code into sent. Each world needs
// new ones.
func orderedPlugins(sent *string) []Plugin {
	send := func(_ context.Context, _ *User, code string) error {
		*sent = code
		return nil
	}
	return []Plugin{
		&Bearer{}, &MultiSession{}, &OneTimeToken{SendOnNewSession: true}, &JWT{}, &Username{},
		&TwoFactor{OTP: TwoFactorOTPOptions{Send: send}},
	}
}

// orders has, for every choice among the first n things, an order in which those
// chosen stand in front of the last one and the others behind it.
func orders(n int) (orders [][]int) {
	for choice := range 1 << n {
		var front, behind []int
		for i := range n {
			if choice&(1<<i) != 0 {
				front = append(front, i)
			} else {
				behind = append(behind, i)
			}
		}
		orders = append(orders, slices.Concat(front, []int{n}, behind))
	}
	return orders
}

// TestPluginOrders: whatever the order of the plugins, nothing of a session leaves
// before all factors are given, and everything does afterwards. In the original a
// bearer or multi-session plugin in front of two-factor hands out what belongs to a
// session that was just deleted.
func TestPluginOrders(t *testing.T) {
	for _, order := range orders(len(orderedPlugins(nil)) - 1) {
		var sent string
		w := newWorld(t, func(c *Config) {
			c.Session.CookieCache.Enabled = true
			plugins := orderedPlugins(&sent)
			for _, i := range order {
				c.Plugins = append(c.Plugins, plugins[i])
			}
		})
		checkPluginOrder(t, w, &sent)
		if t.Failed() {
			t.Fatalf("in the order %v", order)
		}
	}
}

func checkPluginOrder(t *testing.T, w *world, sent *string) {
	b := w.browser()
	member := credentials("ann")
	member["username"] = "ann_b"
	b.post("/sign-up/email", member).ok(t)
	b.post("/two-factor/enable", map[string]any{"password": member["password"], "method": "otp"}).ok(t)
	b.post("/sign-out", "{}").ok(t)

	for _, in := range []struct {
		path string
		body map[string]any
	}{
		{"/sign-in/email", member},
		{"/sign-in/username", map[string]any{"username": "ann_b", "password": member["password"]}},
	} {
		challenge := b.post(in.path, in.body).ok(t)
		if challenge.field(t, "twoFactorRedirect") != true {
			t.Fatalf("%s answers %s", in.path, challenge.body)
		}
		checkNothingLeft(t, w, challenge)
	}

	b.post("/two-factor/send-otp", "{}").ok(t)
	done := b.post("/two-factor/verify-otp", map[string]any{"code": *sent}).ok(t)
	for _, name := range []string{"Set-Auth-Token", "Set-Ott"} {
		if done.Header.Get(name) == "" {
			t.Errorf("no %s after the second factor: %v", name, done.Header)
		}
	}
	if !slices.ContainsFunc(done.Header["Set-Cookie"], func(line string) bool { return strings.Contains(line, "_multi-") }) {
		t.Errorf("no cookie of multi-session after the second factor: %v", done.Header["Set-Cookie"])
	}
	if r := b.get("/get-session").ok(t); r.body == "null" || r.Header.Get("Set-Auth-Jwt") == "" {
		t.Errorf("get-session after the second factor: %s %v", r.body, r.Header)
	}
}

// checkNothingLeft looks for a session in a response and in the store.
func checkNothingLeft(t *testing.T, w *world, challenge reply) {
	t.Helper()
	for name := range challenge.Header {
		if strings.HasPrefix(name, "Set-") && name != "Set-Cookie" {
			t.Errorf("the challenge has the header %s", name)
		}
	}
	for _, line := range challenge.Header["Set-Cookie"] {
		sets := !strings.Contains(line, "Max-Age=0")
		if sets && !strings.HasPrefix(line, "better-auth.two_factor=") {
			t.Errorf("the challenge sets %s", line)
		}
	}
	if n, err := w.store.Count(t.Context(), w.core.sessions.table); n != 0 || err != nil {
		t.Errorf("there are %d sessions, %v", n, err)
	}
}
