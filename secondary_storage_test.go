package auth

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"net/http"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"
)

// secondaryModes are the ways to keep sessions beside a secondary storage.
var secondaryModes = map[string]func(*Config){
	"alone": func(*Config) {},
	"both": func(c *Config) {
		c.Session.StoreInDatabase, c.Verification.StoreInDatabase = true, true
	},
	"preserved": func(c *Config) {
		c.Session.StoreInDatabase, c.Session.PreserveInDatabase = true, true
	},
}

// inSecondaryModes runs a test in every mode.
func inSecondaryModes(t *testing.T, run func(t *testing.T, mode string, w *world, kv *brokenSecondary), edit ...func(*Config)) {
	for mode, apply := range secondaryModes {
		t.Run(mode, func(t *testing.T) {
			kv := &brokenSecondary{MemorySecondaryStorage: NewMemorySecondaryStorage()}
			w := newWorld(t, append(edit, apply, func(c *Config) { c.SecondaryStorage = kv })...)
			run(t, mode, w, kv)
		})
	}
}

// brokenSecondary fails when an operation and its key match.
type brokenSecondary struct {
	*MemorySecondaryStorage
	broken *regexp.Regexp
	pause  time.Duration // of every Get
}

var errSecondary = errors.New("the secondary storage is down")

func (s *brokenSecondary) fails(operation, key string) error {
	if s.broken != nil && s.broken.MatchString(operation+" "+key) {
		return errSecondary
	}
	return nil
}

func (s *brokenSecondary) Get(ctx context.Context, key string) (string, bool, error) {
	if err := s.fails("get", key); err != nil {
		return "", false, err
	}
	value, found, err := s.MemorySecondaryStorage.Get(ctx, key)
	time.Sleep(s.pause) // what was read may be old
	return value, found, err
}

func (s *brokenSecondary) Set(ctx context.Context, key, value string, ttl time.Duration) error {
	if err := s.fails("set", key); err != nil {
		return err
	}
	return s.MemorySecondaryStorage.Set(ctx, key, value, ttl)
}

func (s *brokenSecondary) Delete(ctx context.Context, key string) error {
	if err := s.fails("delete", key); err != nil {
		return err
	}
	return s.MemorySecondaryStorage.Delete(ctx, key)
}

// contents are what the storage holds, by key.
func (s *brokenSecondary) contents() map[string]string {
	s.mu.Lock()
	defer s.mu.Unlock()
	all := make(map[string]string)
	for key, e := range s.entries {
		all[key] = e.value
	}
	return all
}

// The samples of contract section 13, from the original.
func TestSecondaryFormats(t *testing.T) {
	const date = `"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z"`
	user := `"user":{"name":"ann","email":"ann@example.com","emailVerified":false,"image":null,"createdAt":D,"updatedAt":D,"note":"secret","id":"\w{32}"}`
	alone := `{"session":{"id":"\w{32}","ipAddress":"192.0.2.1","userAgent":"","expiresAt":D,"userId":"\w{32}","token":"\w{32}","createdAt":D,"updatedAt":D,"theme":"dark"},` + user + `}`
	row := `{"session":{"expiresAt":D,"token":"\w{32}","createdAt":D,"updatedAt":D,"ipAddress":"192.0.2.1","userAgent":"","userId":"\w{32}","theme":"dark","font":null,"id":"\w{32}"},` + user + `}`
	verification := `{"createdAt":D,"updatedAt":D,"value":"\w{32}","identifier":"reset-password:\w{24}","expiresAt":D}`
	verificationRow := `{"identifier":"reset-password:\w{24}","value":"\w{32}","expiresAt":D,"createdAt":D,"updatedAt":D,"id":"\w{32}"}`
	want := map[string][2]string{"alone": {alone, verification}, "both": {row, verificationRow}, "preserved": {row, verification}}
	inSecondaryModes(t, func(t *testing.T, mode string, w *world, kv *brokenSecondary) {
		ann := w.as("ann")
		ann.post("/request-password-reset", map[string]any{"email": "ann@example.com"}).ok(t)
		forms := []string{`\w{32} ` + want[mode][0], `verification:reset-password:\w{24} ` + want[mode][1],
			`active-sessions-\w{32} [{"token":"\w{32}","expiresAt":\d{13}}]`}
		entries := kv.contents()
		for _, form := range forms {
			form = strings.NewReplacer("{\"", `\{"`, "}", `\}`, "[{", `\[\{`, "}]", `\}\]`, "D", date).Replace(form)
			form = regexp.MustCompile(`(\\w|\\d)\{(\d+)\\\}`).ReplaceAllString(form, "$1{$2}")
			form = regexp.MustCompile(`\{(\d+)\\\}`).ReplaceAllString(form, "{$1}")
			matches := regexp.MustCompile("^" + form + "$").MatchString
			if !slices.ContainsFunc(slices.Collect(maps.Keys(entries)), func(key string) bool { return matches(key + " " + entries[key]) }) {
				t.Errorf("nothing matches\n%s\nin %q", form, entries)
			}
		}
		if len(entries) != 3 {
			t.Errorf("%q", entries)
		}
	}, func(c *Config) {
		c.User.Fields = []Column{{Name: "note", Type: TypeString, Hidden: true, Nullable: true, Optional: true, Default: func() any { return "secret" }}}
		c.Session.Fields = []Column{
			{Name: "theme", Type: TypeString, Nullable: true, Optional: true, Default: func() any { return "dark" }},
			{Name: "font", Type: TypeString, Nullable: true, Optional: true},
		}
	})
}

// Columns that clients do not see, and those that only another server knows, are
// kept and never shown.
func TestSecondaryHidesColumns(t *testing.T) {
	inSecondaryModes(t, func(t *testing.T, mode string, w *world, kv *brokenSecondary) {
		ann := w.as("ann")
		token := w.core.home.cookies.token(ann.headers())
		entry := kv.contents()[token]
		entry = strings.Replace(entry, `"user":{`, `"user":{"pin":"unknown to us",`, 1)
		entry = strings.Replace(entry, `"session":{`, `"session":{"organization":"unknown to us",`, 1)
		if err := kv.Set(t.Context(), token, entry, time.Hour); err != nil {
			t.Fatal(err)
		}
		for _, path := range []string{"/get-session", "/list-sessions"} {
			if r := ann.get(path).ok(t); strings.Contains(r.body, "secret") || strings.Contains(r.body, "unknown to us") {
				t.Errorf("%s shows %s", path, r.body)
			}
		}
		ann.post("/update-session", map[string]any{"theme": "light"}).ok(t)
		entry = kv.contents()[token]
		if !strings.Contains(entry, `"note":"secret"`) || !strings.Contains(entry, `"theme":"light"`) {
			t.Errorf("kept %s", entry)
		}
		if mode == "alone" && !strings.Contains(entry, `"organization":"unknown to us"`) {
			t.Errorf("lost a column of another server: %s", entry)
		}
	}, func(c *Config) {
		c.User.Fields = []Column{{Name: "note", Type: TypeString, Hidden: true, Nullable: true, Optional: true, Default: func() any { return "secret" }}}
		c.Session.Fields = []Column{{Name: "theme", Type: TypeString, Nullable: true, Optional: true}}
	})
}

// Where sessions and verifications are is what the modes are about.
func TestSecondaryModes(t *testing.T) {
	inSecondaryModes(t, func(t *testing.T, mode string, w *world, kv *brokenSecondary) {
		ann, other := w.as("ann"), w.signIn("ann")
		rows := func(where ...Condition) int64 { return count(t, w, w.core.sessions.table, where...) }
		if want := map[string]int64{"alone": 0, "both": 2, "preserved": 2}[mode]; rows() != want {
			t.Errorf("%d rows, want %d", rows(), want)
		}
		var names []string
		for _, table := range w.core.tables() {
			names = append(names, table.Name)
		}
		want := map[string]string{"alone": "user account", "both": "user session account verification", "preserved": "user session account"}[mode]
		if got := strings.Join(names, " "); got != want {
			t.Errorf("tables %s, want %s", got, want)
		}

		other.post("/sign-out", "").ok(t)
		live := Condition{Column: "expiresAt", Op: ">", Value: now()}
		if all, alive := rows(), rows(live); other.signedIn() || mode == "both" && all != 1 || mode == "preserved" && (all != 2 || alive != 1) {
			t.Errorf("signed out: %d rows, %d alive", all, alive)
		}
		if list := ann.get("/list-sessions").ok(t); strings.Count(list.body, `"token"`) != 1 {
			t.Errorf("listed %s", list.body)
		}

		// A storage that was emptied.
		if err := kv.Delete(t.Context(), w.core.home.cookies.token(ann.headers())); err != nil {
			t.Fatal(err)
		}
		if ann.signedIn() != (mode == "both") {
			t.Errorf("fallback to the database: %v", ann.signedIn())
		}
	})
}

// A session that was read before all of its user's were revoked and is written
// after that stays dead.
func TestRevocationOutlivesLateWrites(t *testing.T) {
	inSecondaryModes(t, func(t *testing.T, mode string, w *world, kv *brokenSecondary) {
		ann := w.as("ann")
		token := w.core.home.cookies.token(ann.headers())
		entry, list := kv.contents()[token], kv.contents()[keyActiveSessions+currentUser(t, ann)]
		user := currentUser(t, ann)
		time.Sleep(2 * time.Millisecond) // the mark has milliseconds
		stolen := w.browser()
		maps.Copy(stolen.cookies, ann.cookies)
		ann.post("/revoke-sessions", "").ok(t)
		for key, value := range map[string]string{token: entry, keyActiveSessions + user: list} {
			if err := kv.Set(t.Context(), key, value, time.Hour); err != nil {
				t.Fatal(err)
			}
		}
		if stolen.signedIn() {
			t.Error("the revoked session is back")
		}
		again := w.signIn("ann")
		if r := again.get("/list-sessions").ok(t); strings.Count(r.body, `"token"`) != 1 || strings.Contains(r.body, token) {
			t.Errorf("listed %s", r.body)
		}
	})
}

// What the secondary storage cannot say or do is an error, never "no session"
// and never silence.
func TestSecondaryFailures(t *testing.T) {
	inSecondaryModes(t, func(t *testing.T, mode string, w *world, kv *brokenSecondary) {
		ann := w.as("ann")
		w.signIn("ann")
		token := w.core.home.cookies.token(ann.headers())
		password := map[string]any{"currentPassword": "password of ann", "newPassword": "new password", "revokeOtherSessions": true}
		for _, test := range []struct {
			broken  string
			request func() reply
		}{
			{"get " + token, func() reply { return ann.get("/get-session") }},
			{"get " + token, func() reply { return ann.get("/list-sessions") }},
			{"get revoked", func() reply { return ann.get("/get-session") }},
			{"(get|delete) ", func() reply { return ann.post("/revoke-sessions", "") }},
			{"delete ", func() reply { return ann.post("/revoke-other-sessions", "") }},
			{"set ", func() reply { return ann.post("/update-user", map[string]any{"name": "Ann"}) }},
			{"set verification", func() reply {
				return w.browser().post("/request-password-reset", map[string]any{"email": "ann@example.com"})
			}},
			{"delete |set revoked", func() reply { return ann.post("/change-password", password) }},
		} {
			kv.broken = regexp.MustCompile("^(" + test.broken + ")")
			r := test.request()
			kv.broken = nil
			if r.StatusCode != http.StatusInternalServerError || r.cookie("better-auth.session_token") != "" {
				t.Errorf("with broken %q: %d %s %v", test.broken, r.StatusCode, r.body, r.Header)
			}
		}
	})
}

// Where the database can answer for a session, the secondary storage may fail
// when it begins.
func TestSecondaryFailsAtSignIn(t *testing.T) {
	inSecondaryModes(t, func(t *testing.T, mode string, w *world, kv *brokenSecondary) {
		w.as("ann")
		kv.broken = regexp.MustCompile("^set ")
		ann := w.browser()
		r := ann.post("/sign-in/email", credentials("ann"))
		kv.broken = nil
		if want := mode == "both"; (r.StatusCode == http.StatusOK) != want || ann.signedIn() != want {
			t.Errorf("%d %s, signed in %v", r.StatusCode, r.body, ann.signedIn())
		}
		if rows, want := count(t, w, w.core.sessions.table), map[string]int64{"alone": 0, "both": 2, "preserved": 1}[mode]; rows != want {
			t.Errorf("%d rows, want %d", rows, want)
		}
		if w.signIn("ann"); len(kv.contents()) < 3 {
			t.Errorf("afterwards %q", kv.contents())
		}
	})
}

// Rows that are kept for audits ended once.
func TestPreservedRowsEndOnce(t *testing.T) {
	ended := 0
	w := newWorld(t, secondaryModes["preserved"], func(c *Config) {
		c.SecondaryStorage = NewMemorySecondaryStorage()
		c.DatabaseHooks.Session.AfterDelete = func(context.Context, *Session) { ended++ }
	})
	w.as("ann").post("/sign-out", "").ok(t)
	w.signIn("ann").post("/revoke-sessions", "").ok(t)
	if ended != 2 || count(t, w, w.core.sessions.table) != 2 {
		t.Errorf("2 sessions ended %d times", ended)
	}
}

// A session whose row is gone leaves nothing in the secondary storage either.
func TestSignOutWithoutRow(t *testing.T) {
	kv := NewMemorySecondaryStorage()
	w := newWorld(t, secondaryModes["both"], func(c *Config) { c.SecondaryStorage = kv })
	ann := w.as("ann")
	list := keyActiveSessions + currentUser(t, ann)
	if _, found, _ := kv.Get(t.Context(), list); !found {
		t.Fatal("no list of sessions")
	}
	if _, err := w.store.Delete(t.Context(), w.core.sessions.table); err != nil {
		t.Fatal(err)
	}
	ann.post("/sign-out", "").ok(t)
	if text, found, _ := kv.Get(t.Context(), list); found {
		t.Errorf("the list is still %s", text)
	}
}

// Of two changes of a user the newer one stays, whichever is written first.
func TestSnapshotsDoNotAge(t *testing.T) {
	w := newWorld(t, func(c *Config) { c.SecondaryStorage = NewMemorySecondaryStorage() })
	ann := w.as("ann")
	old, err := w.core.users.first(t.Context(), Where("id", currentUser(t, ann)))
	if err != nil {
		t.Fatal(err)
	}
	time.Sleep(2 * time.Millisecond) // dates have milliseconds
	ann.post("/update-user", map[string]any{"name": "Ann"}).ok(t)
	if err := w.core.sessions.shared.rewriteUser(t.Context(), old); err != nil {
		t.Fatal(err)
	}
	if name := ann.get("/get-session").field(t, "user.name"); name != "Ann" {
		t.Errorf("the user is %v again", name)
	}
}

// A value that nobody can read is no missing session either, and can be signed
// out.
func TestDamagedSharedSession(t *testing.T) {
	for name, value := range map[string]string{
		"no JSON": "x", "null": "null", "another shape": `{"session":5}`, "a foreign token": `{"session":{"token":"x","id":"y"},"user":{}}`,
	} {
		w := newWorld(t, func(c *Config) { c.SecondaryStorage = NewMemorySecondaryStorage() })
		ann := w.as("ann")
		kv := w.core.sessions.shared.storage
		if err := kv.Set(t.Context(), w.core.home.cookies.token(ann.headers()), value, time.Hour); err != nil {
			t.Fatal(err)
		}
		if r := ann.get("/get-session"); r.StatusCode != http.StatusInternalServerError {
			t.Errorf("%s: %d %s", name, r.StatusCode, r.body)
		}
		ann.post("/sign-out", "").ok(t)
		if _, found, _ := kv.Get(t.Context(), w.core.home.cookies.token(ann.headers())); found {
			t.Errorf("%s: still there", name)
		}
	}
}

// What a failed transaction did to the secondary storage is undone.
func TestSecondaryRollback(t *testing.T) {
	inSecondaryModes(t, func(t *testing.T, mode string, w *world, kv *brokenSecondary) {
		w.as("ann")
		w.browser().post("/request-password-reset", map[string]any{"email": "ann@example.com"}).ok(t)
		mail := w.lastMail()
		before := kv.contents()
		failure := errors.New("of the application")
		err := w.Transaction(t.Context(), func(ctx context.Context) error {
			in := SignUpEmailRequest{Name: "bob", Email: "bob@example.com", Password: "password of bob"}
			if _, err := w.API.SignUpEmail.Call(ctx, in); err != nil {
				t.Error(err)
			}
			if _, err := w.API.ResetPassword.Call(ctx, ResetPasswordRequest{Token: mail.Token, NewPassword: "new password"}); err != nil {
				t.Error(err)
			}
			return failure
		})
		if !errors.Is(err, failure) {
			t.Fatal(err)
		}
		if after := kv.contents(); !maps.Equal(before, after) {
			t.Errorf("before %q\nafter %q", before, after)
		}
		w.browser().post("/reset-password", map[string]any{"token": mail.Token, "newPassword": "new password"}).ok(t)
	}, func(c *Config) { c.EmailPassword.RevokeSessionsOnPasswordReset = true })
}

// Hooks of sessions run wherever these are.
func TestSecondaryHooks(t *testing.T) {
	var said []string
	say := func(what string) { said = append(said, what) }
	inSecondaryModes(t, func(t *testing.T, mode string, w *world, kv *brokenSecondary) {
		said = nil
		w.core.sessions.hooks = EntityHooks[Session]{
			BeforeCreate: func(context.Context, *Session) error { say("create"); return nil },
			AfterCreate:  func(context.Context, *Session) { say("created") },
			BeforeUpdate: func(context.Context, map[string]any) error { say("update"); return nil },
			AfterUpdate:  func(_ context.Context, s *Session) { say("updated " + fmt.Sprint(s.Fields["theme"])) },
			BeforeDelete: func(_ context.Context, s *Session) error {
				if s.Fields["theme"] == "kept" {
					return ErrAborted
				}
				say("delete")
				return nil
			},
			AfterDelete: func(_ context.Context, s *Session) {
				if mode == "alone" && kv.contents()[s.Token] != "" {
					t.Error("told of a deletion that is to come")
				}
				say("deleted")
			},
		}
		ann := w.as("ann")
		ann.post("/update-session", map[string]any{"theme": "light"}).ok(t)
		ann.post("/sign-out", "").ok(t)
		if got, want := strings.Join(said, ", "), "create, created, update, updated light, delete, deleted"; got != want {
			t.Errorf("hooks: %s, want %s", got, want)
		}
		kept, other := w.signIn("ann"), w.signIn("ann")
		kept.post("/update-session", map[string]any{"theme": "kept"}).ok(t)
		other.post("/revoke-sessions", "").ok(t)
		if other.signedIn() {
			t.Error("revoked")
		}
		if r := w.browser().get("/get-session"); r.body != "null" {
			t.Error(r.body)
		}
		if !kept.signedIn() {
			t.Error("a hook kept this one")
		}
	}, func(c *Config) {
		c.Session.Fields = []Column{{Name: "theme", Type: TypeString, Nullable: true, Optional: true}}
	})
}

// TestSharedSessionRefresh: a prolonged session lives longer in the storage and
// in its user's list, and then ends.
func TestSharedSessionRefresh(t *testing.T) {
	for mode, apply := range secondaryModes {
		t.Run(mode, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				kv := NewMemorySecondaryStorage()
				w := newWorld(t, apply, func(c *Config) { c.SecondaryStorage = kv })
				ann := w.as("ann")
				time.Sleep(6 * 24 * time.Hour)
				ann.get("/get-session").ok(t)
				time.Sleep(6 * 24 * time.Hour)
				if _, listed, _ := kv.Get(t.Context(), keyActiveSessions+currentUser(t, ann)); !listed || !ann.signedIn() {
					t.Error("the prolonged session is gone")
				}
				time.Sleep(7*24*time.Hour + time.Second)
				if ann.signedIn() || len(kv.entries) != 0 {
					t.Errorf("%d entries are left", len(kv.entries))
				}
			})
		})
	}
}

// plainSecondary has the three methods and nothing more.
type plainSecondary struct{ SecondaryStorage }

func TestSecondaryConfiguration(t *testing.T) {
	plain := plainSecondary{NewMemorySecondaryStorage()}
	for name, test := range map[string]struct {
		edit func(*Config)
		want string
	}{
		"no taker":             {func(c *Config) { c.SecondaryStorage = plain }, "SecondaryTaker"},
		"taker not needed":     {func(c *Config) { c.SecondaryStorage, c.Verification.StoreInDatabase = plain, true }, ""},
		"preserved alone":      {func(c *Config) { c.Session.PreserveInDatabase = true }, "PreserveInDatabase"},
		"two places for rates": {func(c *Config) { c.RateLimit = RateLimit{StoreInDatabase: true, Storage: newRateMemory(1)} }, "RateLimit"},
	} {
		config := Config{BaseURL: testOrigin, Secret: testSecret, Store: NewMemoryStore()}
		test.edit(&config)
		_, err := New(config)
		if (test.want == "") != (err == nil) || err != nil && !strings.Contains(err.Error(), test.want) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// What is kept in memory does not pile up.
func TestMemorySecondaryStorage_expires(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := NewMemorySecondaryStorage()
		for i := range 1000 {
			key := fmt.Sprint(i % 700)
			if err := m.Set(t.Context(), key, "v", time.Duration(i%60+1)*time.Second); err != nil {
				t.Fatal(err)
			}
			if i%3 == 0 {
				_ = m.Delete(t.Context(), key)
			}
		}
		for range 60 {
			time.Sleep(time.Second)
			for key, e := range m.entries {
				if _, found, _ := m.Get(t.Context(), key); found != e.expires.After(time.Now()) {
					t.Errorf("%s found: %v", key, found)
				}
			}
		}
		if len(m.entries) != 0 || len(m.expiry) != 0 {
			t.Errorf("%d entries, %d in the queue", len(m.entries), len(m.expiry))
		}
	})
}

// New sessions and updates of one user at the same moment lose nothing.
func TestSharedSessionsAtOnce(t *testing.T) {
	w := newWorld(t, func(c *Config) {
		c.SecondaryStorage = &brokenSecondary{MemorySecondaryStorage: NewMemorySecondaryStorage(), pause: time.Millisecond}
	})
	ann := w.as("ann")
	data, user := ann.headers(), currentUser(t, ann)
	var group sync.WaitGroup
	for i := range 32 {
		group.Go(func() {
			// Not by signing in: the memory store does that one after the other.
			if _, err := w.core.createSession(context.Background(), user, false, nil); err != nil {
				t.Error(err)
			}
		})
		group.Go(func() {
			name := fmt.Sprint("ann ", i)
			if _, err := w.API.UpdateUser.Call(context.Background(), UpdateUserRequest{Name: &name}, WithHeaders(data)); err != nil {
				t.Error(err)
			}
		})
	}
	group.Wait()
	if r := ann.get("/list-sessions").ok(t); strings.Count(r.body, `"token"`) != 33 {
		t.Errorf("%d sessions are listed", strings.Count(r.body, `"token"`))
	}
}
