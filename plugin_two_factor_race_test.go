package auth

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"
)

// The tests in this file are about the second factor under pressure: what many
// requests do at the same moment, and what strangers send.

// many sends the same request from copies of a browser at the same moment and
// counts the answers by status and code.
func (b *browser) many(n int, path string, body func(i int) any) map[string]int {
	b.t.Helper()
	var mu sync.Mutex
	var start, done sync.WaitGroup
	start.Add(1)
	answers := make(map[string]int)
	for i := range n {
		text, err := json.Marshal(body(i))
		if err != nil {
			b.t.Fatal(err)
		}
		r := httptest.NewRequest(http.MethodPost, testBase+path, bytes.NewReader(text))
		r.Header = http.Header{"Origin": {testOrigin}, "Content-Type": {"application/json"}, "Cookie": {b.cookieHeader()}}
		done.Go(func() {
			start.Wait()
			rec := httptest.NewRecorder()
			b.ServeHTTP(rec, r)
			var out struct{ Code Code }
			_ = json.Unmarshal(rec.Body.Bytes(), &out)
			mu.Lock()
			defer mu.Unlock()
			answers[strings.TrimSpace(fmt.Sprint(rec.Code, " ", out.Code))]++
		})
	}
	start.Done()
	done.Wait()
	return answers
}

func always(text string) func(int) any { return func(int) any { return code(text) } }

// TestTwoFactorOnceAtOnce: a challenge, a backup code, a code that was sent and, with
// PreventReplay, one of an app are good once, however many bring them.
func TestTwoFactorOnceAtOnce(t *testing.T) {
	for round := range 5 {
		w := newTwoFactorWorld(t, func(p *TwoFactor) { p.PreventReplay, p.SkipVerificationOnEnable = true, true })
		ann := w.as("ann")
		a := w.begin(ann, "ann")
		sessions := func() int64 { return count(t, w.world, w.core.sessions.table) }

		before := sessions()
		if got := w.challenged("ann").many(16, "/two-factor/verify-backup-code", always(a.backup[0])); got["200"] != 1 {
			t.Fatalf("round %d: a backup code of one challenge: %v", round, got)
		}
		b := w.challenged("ann")
		b.post("/two-factor/send-otp", "").ok(t)
		if got := b.many(16, "/two-factor/verify-otp", always(w.lastCode())); got["200"] != 1 {
			t.Fatalf("round %d: a code that was sent: %v", round, got)
		}
		if got := w.challenged("ann").many(16, "/two-factor/verify-totp", always(a.code(0))); got["200"] != 1 {
			t.Fatalf("round %d: a code of an app in one challenge: %v", round, got)
		}
		if n := sessions() - before; n != 3 {
			t.Errorf("round %d: %d sessions", round, n)
		}
		if got := ann.many(16, "/two-factor/verify-totp", always(a.code(1))); got["200"] != 1 || got["401 INVALID_CODE"] != 15 {
			t.Errorf("round %d: a code of an app in many hands: %v", round, got)
		}
		if got := ann.many(16, "/two-factor/verify-backup-code", always(a.backup[1])); got["200"] != 1 || got["401 INVALID_BACKUP_CODE"] != 15 {
			t.Errorf("round %d: a backup code in many hands: %v", round, got)
		}
		if got := ann.many(8, "/two-factor/verify-backup-code", func(i int) any { return code(a.backup[2+i]) }); got["200"] != 8 {
			t.Errorf("round %d: other backup codes: %v", round, got)
		}
	}
}

// TestTwoFactorAttemptsAtOnce: of any number of wrong codes at the same moment no
// more are looked at than there may be.
func TestTwoFactorAttemptsAtOnce(t *testing.T) {
	w := newTwoFactorWorld(t, func(p *TwoFactor) { p.Lockout.MaxFailedAttempts = 4 })
	ann, _ := w.enrolled()

	b := w.challenged("ann")
	got := b.many(40, "/two-factor/verify-totp", always("wrong"))
	if n := got["401 INVALID_CODE"]; n < 1 || n > 4 {
		t.Errorf("one challenge: %v", got)
	}
	if _, err := w.plugin.rows.Update(t.Context(), map[string]any{failedColumn: 0, lockedColumn: nil}); err != nil {
		t.Fatal(err)
	}

	challenges := make([]*browser, 24)
	for i := range challenges {
		challenges[i] = w.challenged("ann")
	}
	var looked, refused atomic.Int64
	var done sync.WaitGroup
	for i, b := range challenges {
		path := []string{"/two-factor/verify-totp", "/two-factor/verify-backup-code"}[i%2]
		done.Go(func() {
			got := b.many(1, path, always("wrong"))
			looked.Add(int64(got["401 INVALID_CODE"] + got["401 INVALID_BACKUP_CODE"]))
			refused.Add(int64(got["429 ACCOUNT_TEMPORARILY_LOCKED"]))
		})
	}
	done.Wait()
	if looked.Load() != 4 || refused.Load() != 20 {
		t.Errorf("many challenges: %d looked at, %d refused", looked.Load(), refused.Load())
	}
	if row := w.rowOf(ann); *row.FailedVerificationCount != 4 || row.LockedUntil == nil {
		t.Errorf("%+v", row)
	}
}

// TestTwoFactorCountAtOnce: those who have all read the same row count under its lock.
func TestTwoFactorCountAtOnce(t *testing.T) {
	w := newTwoFactorWorld(t, func(p *TwoFactor) { p.Lockout.MaxFailedAttempts = 4 })
	ann, _ := w.enrolled()
	row := w.rowOf(ann)
	var counted atomic.Int64
	var done sync.WaitGroup
	for range 24 {
		done.Go(func() {
			if w.plugin.count(t.Context(), &secondFactor{row: row}) == nil {
				counted.Add(1)
			}
		})
	}
	done.Wait()
	if row = w.rowOf(ann); counted.Load() != 4 || *row.FailedVerificationCount != 4 || row.LockedUntil == nil {
		t.Errorf("counted %d, %+v", counted.Load(), row)
	}
}

// TestTwoFactorOTPAttemptsAtOnce: the same for one code that was sent.
func TestTwoFactorOTPAttemptsAtOnce(t *testing.T) {
	w := newTwoFactorWorld(t, func(p *TwoFactor) { p.OTP.AllowedAttempts, p.Lockout.Disabled = 3, true })
	w.enrolled()
	b := w.challenged("ann")
	b.post("/two-factor/send-otp", "").ok(t)
	if got := b.many(40, "/two-factor/verify-otp", always("wrong")); got["401 INVALID_CODE"] > 3 {
		t.Errorf("%v", got)
	}
}

// TestTwoFactorSetUpAtOnce: a user has one secret, whatever they do at the same
// moment.
func TestTwoFactorSetUpAtOnce(t *testing.T) {
	w := newTwoFactorWorld(t, nil)
	ann := w.as("ann")
	body := func(int) any { return map[string]any{"password": "password of ann"} }
	if got := ann.many(16, "/two-factor/enable", body); got["200"] != 16 {
		t.Errorf("set up: %v", got)
	}
	if n := count(t, w.world, w.plugin.rows.schema); n != 1 {
		t.Errorf("%d secrets", n)
	}
	a := w.begin(ann, "ann")
	got := ann.many(16, "/two-factor/verify-totp", always(a.code(0)))
	if got["200"] < 1 || len(got) > 2 {
		t.Errorf("confirmed: %v", got)
	}
}

// TestTwoFactorDeviceAtOnce: sign-ins at the same moment leave a device with one
// name.
func TestTwoFactorDeviceAtOnce(t *testing.T) {
	w := newTwoFactorWorld(t, nil)
	_, a := w.enrolled()
	b := w.challenged("ann")
	b.post("/two-factor/verify-totp", map[string]any{"code": a.code(0), "trustDevice": true}).ok(t)
	b.many(16, "/sign-in/email", func(int) any { return credentials("ann") })
	if n := count(t, w.world, w.core.verifications.table, Condition{Column: "identifier", Op: "starts with", Value: "trust-device-"}); n != 1 {
		t.Errorf("%d names", n)
	}
}

// The cookie cache held a session before the second factor. Wherever a session can
// be, there is none while a challenge is open, and no hook has seen one.
func TestAdvisory_GHSA_xg6x_h9c9_2m83_TwoFactor(t *testing.T) {
	kinds := map[string]func(*Config){
		"plain":   func(*Config) {},
		"compact": func(c *Config) { c.Session.CookieCache = CookieCache{Enabled: true} },
		"jwt":     func(c *Config) { c.Session.CookieCache = CookieCache{Enabled: true, Strategy: CacheJWT} },
		"jwe":     func(c *Config) { c.Session.CookieCache = CookieCache{Enabled: true, Strategy: CacheJWE} },
	}
	for mode, apply := range secondaryModes {
		kinds["secondary "+mode] = func(c *Config) {
			c.SecondaryStorage = NewMemorySecondaryStorage()
			c.Session.CookieCache.Enabled = true
			apply(c)
		}
	}
	for _, kind := range slices.Sorted(maps.Keys(kinds)) {
		t.Run(kind, func(t *testing.T) {
			var hooks []string
			saw := func(what string) func(ctx context.Context, s *Session) error {
				return func(context.Context, *Session) error { hooks = append(hooks, what); return nil }
			}
			var started *SessionData
			w := newTwoFactorWorld(t, nil, kinds[kind], func(c *Config) {
				c.DatabaseHooks.Session.BeforeCreate, c.DatabaseHooks.Session.BeforeDelete = saw("create"), saw("delete")
				c.Hooks.After = func(x *Exchange) error {
					started = NewSessionFromContext(x)
					return nil
				}
			})
			ann, a := w.enrolled()
			storage, _ := w.plugin.services.Config().SecondaryStorage.(*MemorySecondaryStorage)
			stored := func() string {
				if storage == nil {
					return ""
				}
				sessions, _, _ := storage.Get(t.Context(), "active-sessions-"+currentUser(t, ann))
				return sessions
			}
			rows, active := count(t, w.world, w.core.sessions.table), stored()
			if storage != nil && active == "" {
				t.Fatal("the sessions are somewhere else")
			}
			hooks, started = nil, nil
			for _, remember := range []bool{true, false} {
				b := w.browser()
				in := credentials("ann")
				in["rememberMe"] = remember
				r := b.post("/sign-in/email", in).ok(t)
				for _, line := range r.Header["Set-Cookie"] {
					if name, value, _ := strings.Cut(line, "="); strings.Contains(name, "session_") && !strings.HasPrefix(value, ";") {
						t.Errorf("cookie %s", line)
					}
				}
				if strings.Contains(r.body, "token") || strings.Contains(r.body, "ann") {
					t.Errorf("body %s", r.body)
				}
				if n := count(t, w.world, w.core.sessions.table); n != rows || stored() != active || len(hooks) > 0 || started != nil {
					t.Errorf("%d rows instead of %d, hooks %v, session %v, storage %s", n, rows, hooks, started, stored())
				}
				for _, path := range []string{"/get-session", "/list-sessions"} {
					if r := b.get(path); r.body != "null" && r.StatusCode != 401 {
						t.Errorf("%s: %d %s", path, r.StatusCode, r.body)
					}
				}
				b.post("/two-factor/disable", map[string]any{"password": "password of ann"}).fails(t, 401, "UNAUTHORIZED")
				b.post("/two-factor/verify-totp", code(a.code(0))).ok(t)
				if !b.signedIn() || len(hooks) != 1 {
					t.Errorf("afterwards: hooks %v", hooks)
				}
				rows, active = count(t, w.world, w.core.sessions.table), stored()
				hooks, started = nil, nil
			}
		})
	}
}

// TestTwoFactorRefusedSession: what a hook refuses leaves the challenge and
// the code as they were.
func TestTwoFactorRefusedSession(t *testing.T) {
	refuse := false
	w := newTwoFactorWorld(t, nil, func(c *Config) {
		c.DatabaseHooks.Session.BeforeCreate = func(context.Context, *Session) error {
			if refuse {
				return ErrAborted
			}
			return nil
		}
	})
	ann, a := w.enrolled()
	b := w.challenged("ann")
	b.post("/two-factor/send-otp", "").ok(t)
	refuse = true
	b.post("/two-factor/verify-otp", code(w.lastCode())).fails(t, 500, ErrFailedToCreateSession)
	ann.post("/two-factor/disable", map[string]any{"password": "password of ann"}).fails(t, 500, ErrFailedToCreateSession)
	if !ann.signedIn() || w.rowOf(ann) == nil {
		t.Error("half turned off")
	}
	refuse = false
	b.post("/two-factor/verify-otp", code(w.lastCode())).ok(t)
	refuse = true
	b = w.challenged("ann")
	b.post("/two-factor/verify-totp", code(a.code(0))).fails(t, 500, ErrFailedToCreateSession)
}

// FuzzTwoFactorCode: no text signs in that is no code, whatever it is made of, and
// nothing fails inside.
func FuzzTwoFactorCode(f *testing.F) {
	for _, text := range []string{"", "000000", "abcde-fghij", "\x00", `"`, "0:0", strings.Repeat("9", 400)} {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		synctest.Test(t, func(t *testing.T) {
			w := newTwoFactorWorld(t, func(p *TwoFactor) { p.Lockout.Disabled = true })
			_, a := w.enrolled()
			b := w.challenged("ann")
			b.post("/two-factor/send-otp", "").ok(t)
			right := slices.Concat([]string{a.code(-1), a.code(0), a.code(1), w.lastCode()}, a.backup)
			if slices.Contains(right, text) {
				t.Skip("a right one")
			}
			for _, kind := range []string{"totp", "otp", "backup-code"} {
				if r := b.post("/two-factor/verify-"+kind, code(text)); r.StatusCode != 401 || b.signedIn() {
					t.Errorf("%s %q: %d %s", kind, text, r.StatusCode, r.body)
				}
			}
		})
	})
}

// FuzzTwoFactorCookies: cookies that nobody has signed count for nothing, and those
// that are signed only if they are what they should be.
func FuzzTwoFactorCookies(f *testing.F) {
	for _, value := range []string{"", "2fa-", "2fa-aaaaaaaaaaaaaaaaaaaa", "x!trust-device-y", "!", "!!", "trust-device-", "2fa-attempts-2fa-aaaaaaaaaaaaaaaaaaaa"} {
		f.Add(value, true)
		f.Add(value, false)
	}
	f.Fuzz(func(t *testing.T, value string, signed bool) {
		synctest.Test(t, func(t *testing.T) {
			w := newTwoFactorWorld(t, nil)
			_, a := w.enrolled()
			w.challenged("ann")
			sent := encodeURIComponent(value)
			if signed {
				sent = encodeURIComponent(w.core.signer.signCookie(value))
			}
			b := w.browser()
			b.cookies["better-auth.two_factor"], b.cookies["better-auth.trust_device"] = sent, sent
			b.post("/two-factor/verify-totp", code(a.code(0))).fails(t, 401, ErrInvalidTwoFactorCookie)
			if r := b.post("/sign-in/email", credentials("ann")).ok(t); r.field(t, "twoFactorRedirect") != true {
				t.Errorf("%q: %s", value, r.body)
			}
		})
	})
}

// FuzzTwoFactorStoredCodes: whatever text is stored in place of backup codes, a code
// is good if and only if it is one of its array.
func FuzzTwoFactorStoredCodes(f *testing.F) {
	for _, text := range []string{"", "[]", "null", `["a","b"]`, `{"a":1}`, `["a",1]`, `"a"`, "[", `[null]`} {
		f.Add(text, "a")
	}
	f.Fuzz(func(t *testing.T, text, candidate string) {
		p := &TwoFactor{BackupCodes: BackupCodeOptions{Storage: BackupCodeStorage{Plain: true}}}
		codes, err := p.codesOf(context.Background(), &twoFactorRow{BackupCodes: text})
		if err != nil {
			t.Fatal(err)
		}
		left, found := withoutCode(codes, candidate)
		if found != slices.Contains(codes, candidate) || slices.Contains(left, candidate) {
			t.Errorf("%q of %q: %v, left %q", candidate, text, found, left)
		}
		stored, err := p.storedCodes(context.Background(), left)
		if err != nil {
			t.Fatal(err)
		}
		again, err := p.codesOf(context.Background(), &twoFactorRow{BackupCodes: stored})
		if err != nil || len(again) != len(left) || again == nil {
			t.Errorf("%q comes back as %q, %v", left, again, err)
		}
	})
}

// BenchmarkTwoFactorVerify compares a code of an app with those that may be right.
func BenchmarkTwoFactorVerify(b *testing.B) {
	generator := totp{key: []byte("abcdefghijklmnopqrstuvwxyz012345"), digits: 6, period: 30 * time.Second}
	at := time.Unix(1700000000, 0)
	for b.Loop() {
		if _, ok := generator.verify("413295", at); !ok {
			b.Fatal("refused")
		}
	}
}
