package redistest

import (
	"fmt"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"
)

// A server of the npm package and one of this library share a Redis. Users are
// at home at one of them, whose database has them; their sessions are good at
// both.
func TestInterop(t *testing.T) {
	client := connect(t)
	prefix := namespace(t, client)
	node := startNode(t, prefix)
	ours := startGo(t, client, prefix).origin
	for _, at := range []struct{ name, home, abroad string }{{"ann", ours, node}, {"bob", node, ours}} {
		t.Run(at.name, func(t *testing.T) {
			abroad(t, at.name, at.home, at.abroad)
		})
	}
	t.Run("formats", func(t *testing.T) { sameFormats(t, client, prefix, ours, node) })
	t.Run("rate limit", func(t *testing.T) {
		var statuses []int
		for i := range 8 {
			status, _ := newBrowser(t).get([]string{ours, node}[i%2], "/ok")
			statuses = append(statuses, status)
		}
		if want := []int{200, 200, 200, 200, 200, 429, 429, 429}; !slices.Equal(statuses, want) {
			t.Errorf("turn by turn %v, want %v", statuses, want)
		}
	})
}

// abroad uses the sessions of a user at both servers.
func abroad(t *testing.T, name, home, abroad string) {
	one := signUp(t, home, name)
	if got, want := one.at(abroad), one.at(home); got == nil || *got != *want {
		t.Fatalf("abroad %+v, at home %+v", got, want)
	}
	two, three := signIn(t, home, name), signIn(t, home, name)
	if got, want := sorted(one.tokens(abroad)), sorted(one.tokens(home)); len(got) != 3 || !slices.Equal(got, want) {
		t.Errorf("listed abroad %q, at home %q", got, want)
	}
	one.must(home, "/update-user", map[string]any{"name": "New " + name, "plan": "free"})
	if got := two.at(abroad); got == nil || got.User.Name != "New "+name || got.User.Plan != "free" {
		t.Errorf("abroad the changed user is %+v", got)
	}
	one.must(abroad, "/revoke-session", map[string]any{"token": two.at(home).Session.Token})
	if two.at(home) != nil || two.at(abroad) != nil || three.at(home) == nil {
		t.Error("one session was revoked abroad, not these")
	}
	three.must(abroad, "/sign-out", map[string]any{})
	if three.at(home) != nil || len(one.tokens(home)) != 1 {
		t.Error("signed out abroad")
	}
	four := signIn(t, home, name)
	one.must(home, "/change-password", map[string]any{
		"currentPassword": "password of " + name, "newPassword": "new password", "revokeOtherSessions": true})
	if four.at(abroad) != nil || one.at(abroad) == nil {
		t.Error("a new password at home leaves one session abroad")
	}
	one.must(abroad, "/revoke-sessions", map[string]any{})
	if one.at(home) != nil {
		t.Error("all sessions were revoked abroad")
	}
}

func sorted(tokens []string) []string {
	slices.Sort(tokens)
	return tokens
}

// varying matches what differs between any two sessions.
var varying = regexp.MustCompile(`[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9:.]{12}Z|\b[A-Za-z0-9]{32}\b|\b[A-Za-z0-9]{24}\b|[0-9]{13}`)

// sameFormats compares what both servers write, byte for byte.
func sameFormats(t *testing.T, client *redis.Client, prefix, ours, node string) {
	written := func(origin string) map[string]string {
		before := keys(t, client, prefix)
		b := newBrowser(t)
		// The e-mail addresses are the same: the databases are not.
		user := person("cat")
		user["plan"] = `<A&B> "é"`
		b.must(origin, "/sign-up/email", user)
		b.must(origin, "/request-password-reset", map[string]any{"email": "cat@example.com"})
		b.must(origin, "/update-user", map[string]any{"image": "https://example.com/cat.png"})
		values := make(map[string]string)
		for _, key := range keys(t, client, prefix) {
			if !slices.Contains(before, key) {
				form := varying.ReplaceAllString(strings.TrimPrefix(key, prefix), "…")
				lives := client.TTL(t.Context(), key).Val().Round(time.Minute)
				values[form] = fmt.Sprintf("%s for %v", varying.ReplaceAllString(client.Get(t.Context(), key).Val(), "…"), lives)
			}
		}
		return values
	}
	got, want := written(ours), written(node)
	if len(want) < 3 {
		t.Fatalf("the original wrote %q", want)
	}
	for key, value := range want {
		if got[key] != value {
			t.Errorf("%s is\n%s, want\n%s", key, got[key], value)
		}
	}
	if len(got) != len(want) {
		t.Errorf("keys %q, want %q", got, want)
	}
}
