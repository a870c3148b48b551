package auth

import (
	"strings"
	"testing"
)

func TestIDs(t *testing.T) {
	seen := make(map[string]bool)
	for range 1000 {
		id := newUUID()
		if !isUUID(id) || id[14] != '4' || !strings.ContainsRune("89ab", rune(id[19])) || seen[id] {
			t.Fatalf("%q is no new random UUID", id)
		}
		seen[id] = true
	}
	for _, no := range []string{"", "x", strings.ToUpper(newUUID()), strings.ReplaceAll(newUUID(), "-", "0"), newUUID() + "0", "g" + newUUID()[1:]} {
		if isUUID(no) {
			t.Errorf("%q is a UUID", no)
		}
	}
}

// TestIDKinds: sign-up, session and deletion work with ids of every kind, and
// in JSON all of them are strings.
func TestIDKinds(t *testing.T) {
	for name, tt := range map[string]struct {
		edit func(*Config)
		is   func(id string) bool
	}{
		"text":   {func(*Config) {}, func(id string) bool { return len(id) == 32 }},
		"uuid":   {func(c *Config) { c.IDs = IDUUID }, isUUID},
		"serial": {func(c *Config) { c.IDs = IDSerial }, func(id string) bool { _, ok := parseSerial(id); return ok }},
		"custom": {func(c *Config) { c.NewID = func(table string) string { return table + "_" + newID()[:8] } },
			func(id string) bool { return strings.HasPrefix(id, "user_") }},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t, tt.edit)
			ann := w.as("ann")
			got := ann.get("/get-session").ok(t)
			id, isString := got.field(t, "user.id").(string)
			if !isString || !tt.is(id) || got.field(t, "session.userId") != id || got.field(t, "session.id") == "" {
				t.Errorf("%s", got.body)
			}
			if listed := ann.get("/list-accounts").ok(t).body; !strings.Contains(listed, `"accountId":"`+id+`"`) {
				t.Errorf("the account is not the user's: %s", listed)
			}
			if w.as("bob").get("/get-session").field(t, "user.id") == id {
				t.Error("two users have one id")
			}
			ann.post("/delete-user", `{"password":"password of ann"}`).ok(t)
		})
	}
}

// TestPretendedSignUpHasAnID: a sign-up that must not tell that the address is
// taken answers with an id of the kind that a new user would get.
func TestPretendedSignUpHasAnID(t *testing.T) {
	w := newWorld(t, func(c *Config) {
		c.IDs = IDSerial
		c.EmailPassword.NoAutoSignIn = true
	})
	body := map[string]any{"name": "Ann", "email": "ann@example.com", "password": "a long password"}
	w.browser().post("/sign-up/email", body).ok(t)
	id, _ := w.browser().post("/sign-up/email", body).ok(t).field(t, "user.id").(string)
	if _, ok := parseSerial(id); !ok {
		t.Errorf("the id %q gives it away", id)
	}
}
