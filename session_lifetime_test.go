package auth

import (
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

// endOf returns when the session of a browser ends, as a program of its own server
// sees it, zero if it has.
func (b *browser) endOf() time.Time {
	b.t.Helper()
	data, err := b.Session(&http.Request{Header: b.headers()})
	if err != nil {
		b.t.Fatal(err)
	}
	if data == nil {
		return time.Time{}
	}
	return data.Session.ExpiresAt
}

// TestMaxLifetime: however often a session is read, it ends when its time since
// sign-in is over, and says so before.
func TestMaxLifetime(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, func(c *Config) { c.Session.MaxLifetime = 10 * 24 * time.Hour })
		ann := w.as("ann")
		end := time.Now().Add(10 * 24 * time.Hour)
		if first := ann.endOf(); !first.Equal(time.Now().Add(7 * 24 * time.Hour)) {
			t.Errorf("it begins as every session: ends %v", first)
		}
		for day := 1; day <= 9; day++ {
			time.Sleep(24 * time.Hour)
			r := ann.get("/get-session").ok(t)
			want := time.Now().Add(7 * 24 * time.Hour)
			if want.After(end) {
				want = end
			}
			if prolonged := r.cookie(tokenName) != ""; !ann.endOf().Equal(want) || prolonged != (day <= 3) {
				t.Errorf("day %d: ends %v, want %v; cookies %v", day, ann.endOf(), want, r.Header["Set-Cookie"])
			}
		}
		time.Sleep(24*time.Hour + time.Millisecond)
		if r := ann.get("/get-session"); !ann.endOf().IsZero() || r.body != "null" || !strings.Contains(r.cookie(tokenName), "Max-Age=0") {
			t.Errorf("day 10: ends %v: %s %v", ann.endOf(), r.body, r.Header["Set-Cookie"])
		}
		if n := count(t, w, w.core.sessions.table); n != 0 {
			t.Errorf("%d rows were left", n)
		}
	})
}

// TestMaxLifetimeIsShort: below ExpiresIn it is the lifetime, of cookies and of
// sessions that are not to be remembered too.
func TestMaxLifetimeIsShort(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		for name, edit := range map[string]func(*Config){"stored": nil, "stateless": stateless} {
			edits := []func(*Config){func(c *Config) { c.Session.MaxLifetime, c.Session.RefreshAlways = 12*time.Hour, true }}
			if edit != nil {
				edits = append(edits, edit)
			}
			w := newWorld(t, edits...)
			up := w.browser().post("/sign-up/email", credentials("ann")).ok(t)
			if line := up.cookie(tokenName); !strings.Contains(line, "Max-Age=43200;") {
				t.Errorf("%s: %s", name, line)
			}
			for _, remember := range []bool{true, false} {
				b := w.browser()
				b.post("/sign-in/email", map[string]any{"email": "ann@example.com", "password": "password of ann", "rememberMe": remember}).ok(t)
				time.Sleep(12*time.Hour - time.Second)
				if !b.signedIn() {
					t.Errorf("%s, remember %v: ended early", name, remember)
				}
				if time.Sleep(2 * time.Second); b.signedIn() {
					t.Errorf("%s, remember %v: goes on", name, remember)
				}
			}
		}
	})
}

// TestMaxLifetimeOfOtherServers: sessions that a server without the option made and
// prolongs end here all the same, in lists, copies and for a Verifier.
func TestMaxLifetimeOfOtherServers(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		for mode, apply := range map[string]func(*Config){
			"database":  func(*Config) {},
			"secondary": secondaryModes["both"],
			"alone":     secondaryModes["alone"],
		} {
			cached := func(c *Config) { c.Session.CookieCache = CookieCache{Enabled: true, MaxAge: 100 * 24 * time.Hour} }
			kv := NewMemorySecondaryStorage()
			secondary := func(c *Config) {
				if mode != "database" {
					c.SecondaryStorage = kv
				}
			}
			endless := newWorld(t, apply, cached, secondary)
			ann := endless.as("ann")
			limited := newWorld(t, apply, cached, secondary, func(c *Config) { c.Store, c.Session.MaxLifetime = endless.store, time.Hour })
			verifier := func(config VerifierConfig) *Verifier {
				config.Secret, config.MaxLifetime = testSecret, time.Hour
				return newVerifier(t, config)
			}
			stored := VerifierConfig{Store: endless.store, IgnoreCopies: true}
			if mode != "database" {
				stored.SecondaryStorage = kv
			}
			if mode == "alone" {
				stored.Store = nil
			}
			there := &browser{limited, ann.cookies, ann.header}
			time.Sleep(time.Hour - time.Second)
			for _, config := range []VerifierConfig{stored, {}} {
				sees(t, mode+" before", verifier(config), ann.headers(), "ann")
			}
			if !there.signedIn() || !strings.Contains(there.get("/list-sessions").ok(t).body, ann.sessionToken()) {
				t.Error(mode, "the session ended early")
			}
			time.Sleep(2 * time.Second)
			for _, config := range []VerifierConfig{stored, {}} {
				sees(t, mode+" after", verifier(config), ann.headers(), "")
			}
			found, err := limited.core.sessions.active(t.Context(), currentUser(t, ann))
			if err != nil || len(found) != 0 {
				t.Error(mode, "listed:", found, err)
			}
			if !ann.signedIn() {
				t.Error(mode, "the other server has no limit")
			}
			if there.signedIn() {
				t.Error(mode, "the session goes on")
			}
		}
	})
}

// sessionToken is the token in the session's cookie.
func (b *browser) sessionToken() string {
	token, _, _ := strings.Cut(decodeURIComponent(b.cookies[tokenName]), ".")
	return token
}
