package auth

import (
	"net/http/httptest"
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

func stateless(c *Config) { c.Store, c.Stateless = nil, true }

// TestStateless: the cookies of one server are a session on another one that has
// nothing but the secret, for endpoints that ask the store elsewhere too.
func TestStateless(t *testing.T) {
	ann := newWorld(t, stateless).as("ann")
	other := newWorld(t, stateless)
	there := other.browser()
	there.cookies = ann.cookies
	if name := there.get("/get-session").ok(t).field(t, "user.name"); name != "ann" {
		t.Errorf("the other server sees %v", name)
	}
	there.post("/get-access-token", `{"accountId":"x"}`).fails(t, 400, ErrAccountNotFound)
	r := httptest.NewRequest("GET", "/", nil)
	r.Header = there.headers()
	if data, err := other.Session(r); err != nil || data == nil || data.User.Name != "ann" {
		t.Errorf("Session = %v, %v", data, err)
	}
	there.cookies["better-auth.session_data"] = "x"
	r.Header = there.headers()
	if data, err := other.Session(r); err != nil || data != nil {
		t.Errorf("without the copy: %v, %v", data, err)
	}
}

// TestStatelessSignOut: the cookies that a sign-in at a provider leaves end with
// the session, in the original's order.
func TestStatelessSignOut(t *testing.T) {
	ann := newWorld(t, stateless).as("ann")
	var names []string
	for _, line := range ann.post("/sign-out", "{}").ok(t).Header["Set-Cookie"] {
		name, _, _ := strings.Cut(line, "=")
		names = append(names, strings.TrimPrefix(name, "better-auth."))
	}
	if got := strings.Join(names, " "); got != "session_token session_data account_data oauth_state session_data dont_remember" {
		t.Errorf("cookies %s", got)
	}
	if ann.signedIn() {
		t.Error("still signed in")
	}
}

// TestStatelessRenewal: a copy is renewed in the last fifth of its life, but never
// beyond the end of the session.
func TestStatelessRenewal(t *testing.T) {
	for name, tt := range map[string]struct {
		edit func(*CookieCache)
		wait time.Duration
		want bool
	}{
		"early":      {nil, 79 * time.Minute, false},
		"due":        {nil, 81 * time.Minute, true},
		"own age":    {func(c *CookieCache) { c.RenewAge = time.Hour }, 41 * time.Minute, true},
		"turned off": {func(c *CookieCache) { c.NeverRenew = true }, 99 * time.Minute, false},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				ann := newWorld(t, stateless, func(c *Config) {
					c.Session.CookieCache.MaxAge = 100 * time.Minute
					if tt.edit != nil {
						tt.edit(&c.Session.CookieCache)
					}
				}).as("ann")
				time.Sleep(tt.wait)
				lines := ann.get("/get-session").ok(t).Header["Set-Cookie"]
				if renewed := len(lines) > 0; renewed != tt.want {
					t.Errorf("cookies %v", lines)
				}
				if tt.want && (len(lines) != 2 || !strings.HasPrefix(lines[0], "better-auth.session_data=") || !strings.Contains(lines[1], "Max-Age=604800;")) {
					t.Errorf("cookies %v", lines)
				}
			})
		})
	}
	synctest.Test(t, func(t *testing.T) {
		ann := newWorld(t, stateless).as("ann")
		for range 7 {
			time.Sleep(24 * time.Hour)
			ann.get("/get-session")
		}
		time.Sleep(time.Second)
		if ann.signedIn() {
			t.Error("renewals carried the session beyond its end")
		}
	})
}

func TestStatelessMistakes(t *testing.T) {
	_, err := New(Config{
		BaseURL: testOrigin, Stateless: true, Store: NewMemoryStore(),
		Secrets: []Secret{{Version: 1, Value: "short"}, {Version: 1, Value: testSecret}, {Version: -1, Value: testSecret}},
		Session: SessionOptions{CookieCache: CookieCache{Strategy: "none", Version: "1", VersionFunc: func(*Session, *User) string { return "" }, RenewAge: 1, NeverRenew: true}},
	})
	for _, want := range []string{"Stateless", "Secrets[0] has 5 bytes", "Secrets[1]: version 1", "Secrets[2]: version -1", `Strategy is "none"`, "VersionFunc", "NeverRenew"} {
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("error %v does not mention %s", err, want)
		}
	}
	if _, err = New(Config{BaseURL: testOrigin, Secret: testSecret, Store: NewMemoryStore(), Session: SessionOptions{CookieCache: CookieCache{RenewAge: 1}}}); err == nil || !strings.Contains(err.Error(), "RenewAge is for") {
		t.Errorf("RenewAge with a store: %v", err)
	}
}

// TestRotation: who signed in under an older secret stays signed in, with every
// form of the copy, gets cookies of the new one, and is signed out when the older
// secret is gone.
func TestRotation(t *testing.T) {
	const second = "the second secret, 32 bytes long"
	for _, strategy := range []CacheStrategy{CacheCompact, CacheJWT, CacheJWE} {
		store := NewMemoryStore()
		world := func(secrets ...Secret) *world {
			return newWorld(t, func(c *Config) {
				c.Store, c.Secret, c.Secrets = store, "", secrets
				c.Session.CookieCache = CookieCache{Enabled: true, Strategy: strategy}
			})
		}
		ann := world(Secret{1, testSecret}).as("ann")
		rotated := world(Secret{2, second}, Secret{1, testSecret}).browser()
		rotated.cookies = ann.cookies
		if r := rotated.get("/get-session").ok(t); r.field(t, "user.name") != "ann" || len(r.Header["Set-Cookie"]) > 0 {
			t.Errorf("%s: the copy under the older secret: %s %v", strategy, r.body, r.Header["Set-Cookie"])
		}
		before := rotated.cookies["better-auth.session_token"]
		rotated.post("/update-user", `{"name":"Ann"}`).ok(t)
		if rotated.cookies["better-auth.session_token"] == before {
			t.Errorf("%s: a new cookie was signed with the older secret", strategy)
		}
		late := world(Secret{2, second}).browser()
		late.cookies = rotated.cookies
		if !late.signedIn() {
			t.Errorf("%s: the cookies of the new secret need the older one", strategy)
		}
		late.cookies = map[string]string{"better-auth.session_token": before}
		if late.signedIn() {
			t.Errorf("%s: the older secret is gone and still good", strategy)
		}
	}
}
