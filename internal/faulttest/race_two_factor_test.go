package faulttest

import (
	"context"
	"encoding/base32"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/url"
	"sync"
	"testing"

	"github.com/seed3b05b409/auth"
)

// secondFactor is the plugin on a stage, and what Ann has of it.
type secondFactor struct {
	*stage
	plugin *auth.TwoFactor

	mu   sync.Mutex
	sent string // the last code that was sent

	secret string   // of the app
	backup []string // codes
}

func newSecondFactor(t *testing.T, db *database) *secondFactor {
	f := &secondFactor{}
	f.plugin = &auth.TwoFactor{
		SkipVerificationOnEnable: true, PreventReplay: true,
		OTP:         auth.TwoFactorOTPOptions{Send: f.receive},
		BackupCodes: auth.BackupCodeOptions{Amount: 30},
		Lockout:     auth.TwoFactorLockout{MaxFailedAttempts: 4},
	}
	f.stage = emptyStage(t, db, func(c *auth.Config) { c.Plugins = []auth.Plugin{f.plugin} })
	f.words["ANN"] = f.session(f.direct("/sign-up/email", `{"name":"Ann","email":"ann@example.com","password":"password of ann"}`))
	w := f.answer("Cookie", tokenCookie+"="+f.words["ANN"], "/two-factor/enable", `{"password":"password of ann"}`)
	var out auth.EnableTwoFactorResponse
	if err := json.Unmarshal(w.Body.Bytes(), &out); err != nil {
		t.Fatal(err)
	}
	f.words["ANN"], f.backup = f.session(w.Result()), out.BackupCodes
	u, err := url.Parse(out.TOTPURI)
	if err != nil {
		t.Fatal(err)
	}
	secret, err := base32.StdEncoding.WithPadding(base32.NoPadding).DecodeString(u.Query().Get("secret"))
	if err != nil {
		t.Fatal(err)
	}
	f.secret = string(secret)
	return f
}

func (f *secondFactor) receive(_ context.Context, _ *auth.User, code string) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.sent = code
	return nil
}

// answer sends a request with a header; none may fail with a 5xx.
func (f *secondFactor) answer(header, value, path, body string) *httptest.ResponseRecorder {
	r := f.request(http.MethodPost, path, body, "")
	r.Header.Set(header, value)
	w := httptest.NewRecorder()
	f.director.ServeHTTP(w, r)
	if w.Code >= 500 {
		log, _ := f.noted()
		f.t.Errorf("%s: %d %s\n%s", path, w.Code, w.Body, log)
	}
	return w
}

// challenge signs in as far as it goes with a password, and returns the cookie.
func (f *secondFactor) challenge() string {
	f.t.Helper()
	for _, c := range f.direct("/sign-in/email", `{"email":"ann@example.com","password":"password of ann"}`).Cookies() {
		if c.Name == "better-auth.two_factor" {
			return c.Name + "=" + c.Value
		}
	}
	f.t.Fatal("no challenge")
	return ""
}

// statuses brings codes at the same moment, each with a cookie.
func (f *secondFactor) statuses(path string, cookies, codes []string) map[int]int {
	var mu sync.Mutex
	counted := make(map[int]int)
	bring := make([]func(), len(cookies))
	for i := range cookies {
		bring[i] = func() {
			status := f.answer("Cookie", cookies[i], path, fmt.Sprintf(`{"code":%q}`, codes[i])).Code
			mu.Lock()
			defer mu.Unlock()
			counted[status]++
		}
	}
	together(bring...)
	return counted
}

func repeated(n int, text string) []string {
	texts := make([]string, n)
	for i := range texts {
		texts[i] = text
	}
	return texts
}

// TestSecondFactorsAtOnce: a code of any kind signs in once, and so does a challenge.
func TestSecondFactorsAtOnce(t *testing.T) {
	onEach(t, func(t *testing.T, db *database) {
		f := newSecondFactor(t, db)
		for round := range 3 {
			cookie := f.challenge()
			if got := f.statuses("/two-factor/verify-backup-code", repeated(6, cookie), repeated(6, f.backup[round])); got[200] != 1 {
				t.Fatalf("round %d: a backup code of one challenge: %v", round, got)
			}
			cookie = f.challenge()
			f.answer("Cookie", cookie, "/two-factor/send-otp", "")
			if got := f.statuses("/two-factor/verify-otp", repeated(6, cookie), repeated(6, f.sent)); got[200] != 1 {
				t.Fatalf("round %d: a code that was sent: %v", round, got)
			}
			own := tokenCookie + "=" + f.words["ANN"]
			spare := f.backup[10+round]
			if got := f.statuses("/two-factor/verify-backup-code", repeated(6, own), repeated(6, spare)); got[200] != 1 || got[401] != 5 {
				t.Fatalf("round %d: a backup code in many hands: %v", round, got)
			}
			if got := f.statuses("/two-factor/verify-backup-code", repeated(3, own), f.backup[20+3*round:][:3]); got[200] != 3 {
				t.Fatalf("round %d: other backup codes: %v", round, got)
			}
		}
		code, err := f.plugin.GenerateTOTP.Call(t.Context(), auth.GenerateTOTPRequest{Secret: f.secret})
		if err != nil {
			t.Fatal(err)
		}
		if got := f.statuses("/two-factor/verify-totp", repeated(6, tokenCookie+"="+f.words["ANN"]), repeated(6, code.Code)); got[200] != 1 {
			t.Fatalf("a code of an app in many hands: %v", got)
		}
	})
}

// TestWrongSecondFactorsAtOnce: of wrong codes at the same moment no more are looked
// at than there may be, in one challenge and in many.
func TestWrongSecondFactorsAtOnce(t *testing.T) {
	onEach(t, func(t *testing.T, db *database) {
		f := newSecondFactor(t, db)
		cookies := make([]string, 12)
		for i := range cookies {
			cookies[i] = f.challenge()
		}
		if got := f.statuses("/two-factor/verify-backup-code", cookies, repeated(12, "wrong")); got[401] != 4 || got[429] != 8 {
			t.Errorf("many challenges: %v", got)
		}
		if got := f.statuses("/two-factor/verify-backup-code", cookies[:1], f.backup[:1]); got[429] != 1 {
			t.Errorf("a right one afterwards: %v", got)
		}
	})
}

// TestSecondFactorSetUpAtOnce: a user has one secret.
func TestSecondFactorSetUpAtOnce(t *testing.T) {
	onEach(t, func(t *testing.T, db *database) {
		plugin := &auth.TwoFactor{}
		s := emptyStage(t, db, func(c *auth.Config) { c.Plugins = []auth.Plugin{plugin} })
		s.words["ANN"] = s.session(s.direct("/sign-up/email", `{"name":"Ann","email":"ann@example.com","password":"password of ann"}`))
		enable := func() { s.post("ANN", "/two-factor/enable", `{"password":"password of ann"}`) }
		together(enable, enable, enable, enable, enable, enable)
		var n int
		if err := db.admin.QueryRowContext(t.Context(), `SELECT COUNT(*) FROM "twoFactor"`).Scan(&n); err != nil || n != 1 {
			t.Errorf("%d secrets, %v", n, err)
		}
	})
}
