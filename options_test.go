package auth

import (
	"bytes"
	"context"
	"errors"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

// TestValidateInfo: the application may refuse who is about to become a user, and
// a judge that fails refuses everybody.
func TestValidateInfo(t *testing.T) {
	for _, test := range []struct {
		name    string
		verdict error
		status  int
		body    string
		logged  bool
	}{
		{"no objection", nil, 200, "", false},
		{"reason and text", NewError(400, "not_invited", "Only with an invitation"), 403, `{"code":"not_invited","message":"Only with an invitation"}`, false},
		{"reason alone", Code("not_invited"), 403, `{"code":"not_invited","message":"not_invited"}`, false},
		{"text alone", NewError(403, "", "Only with an invitation"), 403, `{"code":"validation_failed","message":"Only with an invitation"}`, false},
		{"a judge that fails", errors.New("the list is gone"), 403, `{"code":"validation_failed","message":"User validation failed"}`, true},
	} {
		t.Run(test.name, func(t *testing.T) {
			w := newWorld(t, func(c *Config) {
				c.User.ValidateInfo = func(_ context.Context, user *User, source UserSource) error {
					if user.Email != "ann@example.com" || user.CreatedAt.IsZero() || source.Method != "email-password" || source.Action != "create-user" {
						t.Errorf("asked about %+v from %+v", user, source)
					}
					user.Name = "changed" // a copy: judging is no editing
					return test.verdict
				}
			})
			got := w.browser().post("/sign-up/email", credentials("ann"))
			if got.StatusCode != test.status || test.status != 200 && got.body != test.body {
				t.Errorf("%d %s", got.StatusCode, got.body)
			}
			if test.status == 200 && got.field(t, "user.name") != "ann" {
				t.Errorf("the judge changed the user: %s", got.body)
			}
			if n := count(t, w, w.core.users.table); (n == 1) != (test.verdict == nil) {
				t.Errorf("%d users", n)
			}
			if logged := strings.Contains(w.log.String(), "validation of a user failed"); logged != test.logged {
				t.Errorf("log: %s", w.log.String())
			}
		})
	}
}

// TestSyntheticUser: where hooks give every user something, the user that does not
// exist has it too, and a refusal shows neither.
func TestSyntheticUser(t *testing.T) {
	w := newWorld(t, func(c *Config) {
		c.EmailPassword.NoAutoSignIn = true
		c.User.Fields = []Column{{Name: "plan", Type: TypeString, Optional: true, Nullable: true, ServerOnly: true}}
		c.DatabaseHooks.User.BeforeCreate = func(_ context.Context, user *User) error {
			if user.Name == "bob" {
				return ErrUnauthorized.With(http.StatusForbidden)
			}
			user.Fields = map[string]any{"plan": "free"}
			return nil
		}
		c.EmailPassword.SyntheticUser = func(_ context.Context, user *User) {
			user.Fields = map[string]any{"plan": "free", "unknown": "not in the table"}
		}
	})
	for _, attempt := range []string{"ann", "ann", "bob"} {
		got := w.browser().post("/sign-up/email", credentials(attempt)).ok(t)
		if got.field(t, "user.plan") != "free" || strings.Contains(got.body, "unknown") {
			t.Errorf("%s: %s", attempt, got.body)
		}
	}
}

// TestOnError: the application hears of what no endpoint has answered, once, and
// the answer stays what it is.
func TestOnError(t *testing.T) {
	var heard []error
	refusal := NewError(409, "NOT_NOW", "Not now")
	w := newWorld(t, func(c *Config) {
		c.OnError = func(ctx context.Context, err error) {
			if ExchangeFrom(ctx) == nil {
				t.Error("no exchange")
			}
			heard = append(heard, err)
			panic("harmless")
		}
		c.Hooks.Before = func(x *Exchange) error {
			switch x.Request().Header.Get("X-Hook") {
			case "refuse":
				return refusal
			case "redirect":
				return &APIError{Status: http.StatusFound, Header: http.Header{"Location": {"/"}}}
			case "panic":
				panic("in a hook")
			}
			return nil
		}
		c.EmailPassword.OnPasswordReset = func(context.Context, *User) error { return errors.New("mail is down") }
	})
	b := w.as("ann")
	b.post("/request-password-reset", map[string]any{"email": "ann@example.com"}).ok(t)
	for _, test := range []struct {
		name, path, body string
		header           [2]string
		status           int
		hears            bool
	}{
		{"malformed body", "/sign-in/email", "{", [2]string{}, 400, true},
		{"content type", "/sign-in/email", "{}", [2]string{"Content-Type", "text/plain"}, 415, true},
		{"origin", "/sign-out", "{}", [2]string{"Origin", "https://evil.example"}, 403, true},
		{"hook that refuses", "/sign-out", "{}", [2]string{"X-Hook", "refuse"}, 409, true},
		{"hook that panics", "/sign-out", "{}", [2]string{"X-Hook", "panic"}, 500, true},
		{"hook that redirects: no error", "/sign-out", "{}", [2]string{"X-Hook", "redirect"}, 302, false},
		{"internal error", "/reset-password", `{"token":"` + w.mails[0].Token + `","newPassword":"another one"}`, [2]string{}, 500, true},
		{"the endpoint's own answer", "/sign-in/email", `{"email":"ann@example.com","password":"wrong"}`, [2]string{}, 401, false},
		{"validation", "/sign-in/email", `{}`, [2]string{}, 400, false},
		{"unknown path", "/nothing", `{}`, [2]string{}, 404, false},
		{"success", "/sign-out", `{}`, [2]string{}, 200, false},
	} {
		heard = nil
		r := httptest.NewRequest(http.MethodPost, testBase+test.path, strings.NewReader(test.body))
		r.Header.Set("Content-Type", "application/json")
		b.header.Set("Origin", testOrigin)
		if test.header[0] != "" {
			r.Header.Set(test.header[0], test.header[1])
			if test.header[0] == "Origin" {
				b.header.Set("Origin", test.header[1])
			}
		}
		if got := b.do(r); got.StatusCode != test.status || (len(heard) == 1) != test.hears || len(heard) > 1 {
			t.Errorf("%s: status %d, heard %v; %s", test.name, got.StatusCode, heard, got.body)
		}
	}
	if !bytes.Contains(w.log.Bytes(), []byte("panic in OnError")) {
		t.Error("the panic of OnError is not in the log")
	}
}

// TestHashedIdentifiers: who reads the database cannot redeem what is in it; what
// was stored before is still good, once.
func TestHashedIdentifiers(t *testing.T) {
	hashed := func(c *Config) { c.Verification.StoreIdentifier = HashIdentifier }
	if got := HashIdentifier("reset-password:abc"); got != "IMUqJ3lXuvod79AbI4EdsWmdAkZeIP5syfKs7-d5fQQ" {
		t.Errorf("SHA-256 in base64url: %s", got)
	}
	for name, edit := range map[string]func(*Config){
		"database":          func(*Config) {},
		"secondary storage": func(c *Config) { c.SecondaryStorage = NewMemorySecondaryStorage() },
		"both": func(c *Config) {
			c.SecondaryStorage = NewMemorySecondaryStorage()
			c.Verification.StoreInDatabase, c.Session.StoreInDatabase = true, true
		},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t, edit, hashed)
			w.as("ann")
			reset := func() reply {
				return w.browser().post("/reset-password", map[string]any{"token": w.mails[len(w.mails)-1].Token, "newPassword": "another one"})
			}
			request := func() {
				w.browser().post("/request-password-reset", map[string]any{"email": "ann@example.com"}).ok(t)
			}
			request()
			if v, err := w.core.verifications.newestRow(t.Context(), []string{"reset-password:" + w.mails[0].Token}); v != nil || err != nil {
				t.Errorf("stored as it is: %v %v", v, err)
			}
			reset().ok(t)
			reset().fails(t, 400, ErrInvalidToken)

			w.core.verifications.options.StoreIdentifier = nil // before the option was set
			request()
			w.core.verifications.options.StoreIdentifier = HashIdentifier
			reset().ok(t)
			reset().fails(t, 400, ErrInvalidToken)
		})
	}
}

// TestNewestVerificationCounts: of several with one identifier the newest is the
// one, and none is left.
func TestNewestVerificationCounts(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		for _, value := range []string{"first", "second", "third"} {
			if err := w.core.createVerification(t.Context(), "code:", "ann", value, time.Hour); err != nil {
				t.Fatal(err)
			}
			time.Sleep(time.Second)
		}
		v, err := w.core.consumeVerification(t.Context(), "code:", "ann")
		if err != nil || v == nil || v.Value != "third" {
			t.Fatalf("%+v, %v", v, err)
		}
		if v, err = w.core.consumeVerification(t.Context(), "code:", "ann"); v != nil || err != nil {
			t.Errorf("left: %+v, %v", v, err)
		}
	})
}

// TestCleanupOfVerifications: looking for one removes the expired ones, unless
// somebody else does that.
func TestCleanupOfVerifications(t *testing.T) {
	for _, disabled := range []bool{false, true} {
		synctest.Test(t, func(t *testing.T) {
			w := newWorld(t, func(c *Config) { c.Verification.DisableCleanup = disabled })
			if err := w.core.createVerification(t.Context(), "code:", "ann", "x", time.Minute); err != nil {
				t.Fatal(err)
			}
			time.Sleep(2 * time.Minute)
			w.browser().get("/reset-password/unknown?callbackURL=/x")
			if n := count(t, w, w.core.verifications.table); (n == 1) != disabled {
				t.Errorf("DisableCleanup %v: %d rows", disabled, n)
			}
		})
	}
}

// TestTransformRead: what is stored is not what is shown, from the first answer on.
func TestTransformRead(t *testing.T) {
	upper := func(v any) any {
		if s, ok := v.(string); ok {
			return strings.ToUpper(s)
		}
		return "NONE"
	}
	w := newWorld(t, func(c *Config) {
		c.User.Fields = []Column{{Name: "code", Type: TypeString, Optional: true, TransformRead: upper}}
		c.Session.Fields = []Column{{Name: "device", Type: TypeString, Optional: true, TransformRead: upper}}
	})
	b := w.browser()
	body := credentials("ann")
	body["code"] = "abc"
	if got := b.post("/sign-up/email", body).ok(t); got.field(t, "user.code") != "ABC" {
		t.Errorf("sign-up: %s", got.body)
	}
	if got := b.get("/get-session").ok(t); got.field(t, "user.code") != "ABC" || got.field(t, "session.device") != "NONE" {
		t.Errorf("get-session: %s", got.body)
	}
	if got := b.post("/update-session", map[string]any{"device": "loom"}).ok(t); got.field(t, "session.device") != "LOOM" {
		t.Errorf("update-session: %s", got.body)
	}
	b.post("/update-user", map[string]any{"name": "Ada"}).ok(t)
	for _, stored := range []struct {
		table  *Table
		column string
		want   any
	}{
		{w.core.users.table, "code", "abc"}, {w.core.sessions.table, "device", "loom"},
	} {
		rows, err := w.store.Select(t.Context(), Query{Table: stored.table})
		if i, lookupErr := stored.table.lookup(stored.column); err != nil || lookupErr != nil || len(rows) != 1 || rows[0][i] != stored.want {
			t.Errorf("%s: stored %v, %v", stored.column, rows, err)
		}
	}
}
