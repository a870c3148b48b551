package auth_test

import (
	"bytes"
	"context"
	"encoding/base32"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/cookiejar"
	"net/http/httptest"
	"net/url"
	"os"
	"regexp"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/seed3b05b409/auth"
)

// A strictWorld is an instance in strict mode, exactly as the page shows it, and the
// application around it.
type strictWorld struct {
	*testing.T
	auth   *auth.Auth
	factor *auth.TwoFactor

	hashes      []string // of passwords, as they were stored
	identifiers []string // of verifications

	mu    sync.Mutex
	mails []strictMail
}

type strictMail struct{ to, subject, text string }

// Mail implements Application.
func (w *strictWorld) Mail(_ context.Context, to, subject, text string) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.mails = append(w.mails, strictMail{to, subject, text})
}

// Unfit implements Application.
func (w *strictWorld) Unfit(_ context.Context, password string) (bool, error) {
	if password == "unlucky password" {
		return false, errors.New("the list is gone")
	}
	return password == "password password" || strings.Contains(password, "example"), nil
}

// inStrictMode runs a test in virtual time.
func inStrictMode(t *testing.T, run func(w *strictWorld)) {
	synctest.Test(t, func(t *testing.T) {
		w := &strictWorld{T: t}
		config := Strict(w)
		config.BaseURL = strictOrigin
		config.Secret = strings.Repeat("s", 32)
		config.Store = auth.NewMemoryStore()
		config.Logger = slog.New(slog.DiscardHandler)
		config.DatabaseHooks.Account.AfterCreate = func(_ context.Context, a *auth.Account) { w.hashes = append(w.hashes, *a.Password) }
		config.DatabaseHooks.Verification.AfterCreate = func(_ context.Context, v *auth.Verification) { w.identifiers = append(w.identifiers, v.Identifier) }
		w.factor = config.Plugins[0].(*auth.TwoFactor)
		var err error
		if w.auth, err = auth.New(config); err != nil {
			t.Fatal(err)
		}
		run(w)
		synctest.Wait()
	})
}

const (
	strictOrigin   = "https://example.com"
	strictPassword = "correct horse battery"
)

// lastMail returns what was written last, once all goroutines are done.
func (w *strictWorld) lastMail() strictMail {
	w.Helper()
	synctest.Wait()
	w.mu.Lock()
	defer w.mu.Unlock()
	if len(w.mails) == 0 {
		w.Fatal("no mail")
	}
	return w.mails[len(w.mails)-1]
}

// A strictBrowser obeys cookies as browsers do.
type strictBrowser struct {
	w   *strictWorld
	jar *cookiejar.Jar
}

func (w *strictWorld) browser() *strictBrowser {
	jar, err := cookiejar.New(nil)
	if err != nil {
		w.Fatal(err)
	}
	return &strictBrowser{w, jar}
}

// requests gives every request an address of its own: what is shown here is not the
// rate limit.
var requests struct {
	sync.Mutex
	n int
}

// do sends a request to a URL or a path below the base path.
func (b *strictBrowser) do(method, target string, body any) *httptest.ResponseRecorder {
	b.w.Helper()
	if !strings.HasPrefix(target, strictOrigin) {
		target = strictOrigin + "/api/auth" + target
	}
	text, err := json.Marshal(body)
	if err != nil {
		b.w.Fatal(err)
	}
	r := httptest.NewRequest(method, target, bytes.NewReader(text))
	r.Header.Set("Content-Type", "application/json")
	r.Header.Set("Origin", strictOrigin)
	requests.Lock()
	requests.n++
	r.RemoteAddr = fmt.Sprintf("203.0.%d.%d:1", requests.n/250, 1+requests.n%250)
	requests.Unlock()
	for _, c := range b.jar.Cookies(r.URL) {
		r.AddCookie(c)
	}
	rec := httptest.NewRecorder()
	Headers(b.w.auth).ServeHTTP(rec, r)
	b.jar.SetCookies(r.URL, rec.Result().Cookies())
	return rec
}

func (b *strictBrowser) post(path string, body map[string]any) *httptest.ResponseRecorder {
	b.w.Helper()
	return b.do(http.MethodPost, path, body)
}

// succeeds posts and wants success.
func (b *strictBrowser) succeeds(path string, body map[string]any) *httptest.ResponseRecorder {
	b.w.Helper()
	rec := b.post(path, body)
	if rec.Code != http.StatusOK {
		b.w.Fatalf("%s: %d %s", path, rec.Code, rec.Body)
	}
	return rec
}

// fails posts and wants a code.
func (b *strictBrowser) fails(path string, body map[string]any, code auth.Code) {
	b.w.Helper()
	if rec := b.post(path, body); rec.Code < 400 || !strings.Contains(rec.Body.String(), `"`+string(code)+`"`) {
		b.w.Errorf("%s: %d %s, want %s", path, rec.Code, rec.Body, code)
	}
}

func (b *strictBrowser) signedIn() bool {
	b.w.Helper()
	return b.do(http.MethodGet, "/get-session", nil).Body.String() != "null"
}

// register makes a user whose address is verified.
func (w *strictWorld) register(name string) {
	w.Helper()
	b := w.browser()
	b.succeeds("/sign-up/email", map[string]any{"name": name, "email": name + "@example.com", "password": strictPassword})
	b.do(http.MethodGet, w.lastMail().text, nil)
}

// signIn returns a browser in which a user is signed in.
func (w *strictWorld) signIn(name string) *strictBrowser {
	w.Helper()
	b := w.browser()
	b.signIn(name)
	return b
}

func (b *strictBrowser) signIn(name string) *httptest.ResponseRecorder {
	b.w.Helper()
	return b.succeeds("/sign-in/email", map[string]any{"email": name + "@example.com", "password": strictPassword})
}

// TestStrictPage: docs/asvs.md shows the code that the tests of strict mode run.
func TestStrictPage(t *testing.T) {
	_, block, _ := strings.Cut(readText(t, "docs/asvs.md"), "\n```go\n")
	block, _, found := strings.Cut(block, "```\n")
	if !found {
		t.Fatal("docs/asvs.md has no Go code")
	}
	declarations := func(code string) string {
		_, after, _ := strings.Cut(code, "\n)\n")
		return after
	}
	if declarations(block) != declarations(readText(t, "asvs_strict_test.go")) {
		t.Error("the code of docs/asvs.md is not that of asvs_strict_test.go")
	}
}

// TestStrictCookies: every cookie is Secure, out of the reach of scripts, of one site
// and of one host.
func TestStrictCookies(t *testing.T) {
	inStrictMode(t, func(w *strictWorld) {
		w.register("ann")
		b := w.browser()
		lines := b.signIn("ann").Header()["Set-Cookie"]
		enabled, _ := b.enable()
		lines = append(lines, enabled.Header()["Set-Cookie"]...)
		lines = append(lines, w.browser().signIn("ann").Header()["Set-Cookie"]...) // a challenge
		lines = append(lines, b.post("/sign-out", nil).Header()["Set-Cookie"]...)
		for _, line := range lines {
			c, err := http.ParseSetCookie(line)
			if err != nil || !strings.HasPrefix(c.Name, "__Host-") || !c.Secure || !c.HttpOnly || c.SameSite != http.SameSiteLaxMode || c.Path != "/" || c.Domain != "" {
				t.Errorf("%s: %v", line, err)
			}
		}
		if len(lines) < 4 {
			t.Errorf("%d cookies", len(lines))
		}
	})
}

// TestStrictSessionsEnd: after half an hour without a request, and after twelve
// hours whatever happens, also where the user asked not to be remembered.
func TestStrictSessionsEnd(t *testing.T) {
	inStrictMode(t, func(w *strictWorld) {
		w.register("ann")
		for _, remember := range []bool{true, false} {
			in := map[string]any{"email": "ann@example.com", "password": strictPassword, "rememberMe": remember}
			idle, busy := w.browser(), w.browser()
			idle.succeeds("/sign-in/email", in)
			busy.succeeds("/sign-in/email", in)
			for elapsed := time.Duration(0); elapsed < 12*time.Hour; elapsed += 20 * time.Minute {
				if !busy.signedIn() {
					t.Fatalf("remember %v: a busy session ended after %v", remember, elapsed)
				}
				time.Sleep(20 * time.Minute)
				if elapsed == 20*time.Minute && idle.signedIn() {
					t.Errorf("remember %v: an idle session goes on", remember)
				}
			}
			if time.Sleep(time.Second); busy.signedIn() {
				t.Errorf("remember %v: a session goes on after twelve hours", remember)
			}
		}
	})
}

// TestStrictSignInReplacesTheSession: the session that the browser had is gone,
// whether a second factor comes after the first or not.
func TestStrictSignInReplacesTheSession(t *testing.T) {
	inStrictMode(t, func(w *strictWorld) {
		w.register("ann")
		w.register("bob")
		for name, next := range map[string]string{"the same user": "ann", "another one": "bob"} {
			b := w.signIn("ann")
			stolen := b.copied()
			b.signIn(next)
			if stolen.signedIn() || !b.signedIn() {
				t.Errorf("%s: the old session counts: %v; the new one: %v", name, stolen.signedIn(), b.signedIn())
			}
		}
		elsewhere, b := w.signIn("ann"), w.signIn("ann")
		if b.fails("/sign-in/email", map[string]any{"email": "ann@example.com", "password": "not the password of hers"}, auth.ErrInvalidEmailOrPassword); !b.signedIn() {
			t.Error("a wrong password ended the session")
		}
		b.enable()
		stolen := b.copied()
		if rec := b.signIn("ann"); !strings.Contains(rec.Body.String(), `"twoFactorRedirect":true`) || stolen.signedIn() || b.signedIn() {
			t.Errorf("%s: the old session counts: %v; the challenged browser has one: %v", rec.Body, stolen.signedIn(), b.signedIn())
		}
		if !elsewhere.signedIn() {
			t.Error("the session of another browser ended")
		}
	})
}

// copied is another browser with the same cookies.
func (b *strictBrowser) copied() *strictBrowser {
	other := b.w.browser()
	at, _ := url.Parse(strictOrigin)
	cookies := b.jar.Cookies(at)
	for _, c := range cookies {
		c.Secure, c.Path = true, "/"
	}
	other.jar.SetCookies(at, cookies)
	return other
}

// TestStrictAsksAgain: what changes how somebody signs in, or ends sessions, takes a
// sign-in of the last minutes or the password.
func TestStrictAsksAgain(t *testing.T) {
	inStrictMode(t, func(w *strictWorld) {
		w.register("ann")
		b := w.signIn("ann")
		change := map[string]any{"newEmail": "new@example.com"}
		b.succeeds("/change-email", change)
		if mail := w.lastMail(); mail.to != "ann@example.com" || !strings.Contains(mail.subject, "another address") {
			t.Errorf("the old address is not asked: %+v", mail)
		}
		for range 11 {
			time.Sleep(time.Minute)
			b.signedIn()
		}
		for path, body := range map[string]map[string]any{
			"/change-email": change, "/link-social": {"provider": "idp"}, "/revoke-session": {"token": "x"},
			"/revoke-sessions": {}, "/revoke-other-sessions": {}, "/unlink-account": {"providerId": "credential", "accountId": "x"},
		} {
			b.fails(path, body, auth.ErrSessionNotFresh)
		}
		if rec := b.do(http.MethodGet, "/list-sessions", nil); rec.Code != http.StatusForbidden {
			t.Errorf("list-sessions: %d", rec.Code)
		}
		b.signIn("ann")
		b.succeeds("/change-email", change)
		b.succeeds("/revoke-other-sessions", nil)

		w.register("bob")
		second := w.signIn("bob")
		second.enable()
		wrong := map[string]any{"password": "not the password of his", "currentPassword": "not the password of his", "newPassword": strictPassword}
		for _, path := range []string{
			"/change-password", "/two-factor/enable", "/two-factor/disable", "/two-factor/get-totp-uri", "/two-factor/generate-backup-codes",
		} {
			second.fails(path, wrong, auth.ErrInvalidPassword)
		}
	})
}

// TestStrictPasswords: fifteen characters, none that everybody tries, and stored as
// Argon2id with the parameters of the standard's appendix C.
func TestStrictPasswords(t *testing.T) {
	inStrictMode(t, func(w *strictWorld) {
		up := func(password string) map[string]any {
			return map[string]any{"name": "ann", "email": "ann@example.com", "password": password}
		}
		b := w.browser()
		b.fails("/sign-up/email", up("fourteen chars"), auth.ErrPasswordTooShort)
		b.fails("/sign-up/email", up("password password"), ErrPasswordUnfit)
		b.fails("/sign-up/email", up("the example of today"), ErrPasswordUnfit)
		if rec := b.post("/sign-up/email", up("unlucky password")); rec.Code != http.StatusInternalServerError {
			t.Errorf("the list is gone: %d", rec.Code)
		}
		w.register("ann")
		w.signIn("ann").fails("/change-password", map[string]any{"currentPassword": strictPassword, "newPassword": "password password"}, ErrPasswordUnfit)
		if len(w.hashes) != 1 || !strings.HasPrefix(w.hashes[0], "$argon2id$v=19$m=19456,t=2,p=1$") {
			t.Errorf("stored: %v", w.hashes)
		}
	})
}

var totpSecret = regexp.MustCompile(`secret=([A-Z2-7]+)`)

// enable turns the second factor on and returns the answer of its confirmation and
// the backup codes.
func (b *strictBrowser) enable() (confirmed *httptest.ResponseRecorder, backup []string) {
	b.w.Helper()
	rec := b.succeeds("/two-factor/enable", map[string]any{"password": strictPassword})
	var out struct {
		TOTPURI     string   `json:"totpURI"`
		BackupCodes []string `json:"backupCodes"`
	}
	if err := json.Unmarshal(rec.Body.Bytes(), &out); err != nil {
		b.w.Fatal(err)
	}
	return b.succeeds("/two-factor/verify-totp", map[string]any{"code": b.w.totp(out.TOTPURI)}), out.BackupCodes
}

// totp is what an app shows that has read a URI.
func (w *strictWorld) totp(uri string) string {
	w.Helper()
	secret, err := base32.StdEncoding.WithPadding(base32.NoPadding).DecodeString(totpSecret.FindStringSubmatch(uri)[1])
	if err != nil {
		w.Fatal(err)
	}
	out, err := w.factor.GenerateTOTP.Call(w.Context(), auth.GenerateTOTPRequest{Secret: string(secret)})
	if err != nil {
		w.Fatal(err)
	}
	return out.Code
}

// readText returns the text of a file.
func readText(t *testing.T, name string) string {
	t.Helper()
	text, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// TestStrictSecondFactor: a code of an app and a backup code are good once, and no
// session is there before.
func TestStrictSecondFactor(t *testing.T) {
	inStrictMode(t, func(w *strictWorld) {
		w.register("ann")
		b := w.signIn("ann")
		_, backup := b.enable()
		uri := b.succeeds("/two-factor/get-totp-uri", map[string]any{"password": strictPassword}).Body.String()
		time.Sleep(time.Minute)
		code := map[string]any{"code": w.totp(uri)}
		first, second := w.signIn("ann"), w.signIn("ann")
		if first.signedIn() {
			t.Error("signed in by the password alone")
		}
		first.succeeds("/two-factor/verify-totp", code)
		second.fails("/two-factor/verify-totp", code, auth.ErrInvalidCode)
		if !first.signedIn() || second.signedIn() {
			t.Error("a code of an app counts twice")
		}
		spare := map[string]any{"code": backup[0]}
		if length := len(strings.ReplaceAll(backup[0], "-", "")); length != 20 {
			t.Errorf("backup codes of %d characters", length)
		}
		second.succeeds("/two-factor/verify-backup-code", spare)
		w.signIn("ann").fails("/two-factor/verify-backup-code", spare, auth.ErrInvalidBackupCode)
	})
}

// TestStrictTellsNobodyWhoHasAnAccount: sign-up, sign-in and reset answer alike.
func TestStrictTellsNobodyWhoHasAnAccount(t *testing.T) {
	inStrictMode(t, func(w *strictWorld) {
		w.register("ann")
		made := regexp.MustCompile(`"(id|createdAt|updatedAt|name|email)":"[^"]*"`)
		for path, body := range map[string]map[string]any{
			"/sign-up/email":          {"name": "x", "password": strictPassword},
			"/sign-in/email":          {"password": "not the password of anybody"},
			"/request-password-reset": {"redirectTo": "/new"},
		} {
			answer := func(name string) string {
				body["email"] = name + "@example.com"
				rec := w.browser().post(path, body)
				return fmt.Sprint(rec.Code, rec.Header(), made.ReplaceAllString(rec.Body.String(), ""))
			}
			if known, unknown := answer("ann"), answer("stranger"+path[1:5]); known != unknown {
				t.Errorf("%s: %s\nand %s", path, known, unknown)
			}
		}
	})
}

// TestStrictTellsUsersOfChanges: whoever changes how a user signs in, the user gets a
// mail.
func TestStrictTellsUsersOfChanges(t *testing.T) {
	inStrictMode(t, func(w *strictWorld) {
		w.register("ann")
		b := w.signIn("ann")
		told := func(what string) {
			t.Helper()
			if mail := w.lastMail(); mail.to != "ann@example.com" || !strings.Contains(mail.subject+mail.text, what) {
				t.Errorf("%s: %+v", what, mail)
			}
		}
		b.succeeds("/change-password", map[string]any{"currentPassword": strictPassword, "newPassword": strictPassword + "!"})
		told("/change-password")
		b.succeeds("/request-password-reset", map[string]any{"email": "ann@example.com", "redirectTo": "/new"})
		link := w.lastMail()
		token := strings.TrimPrefix(strings.Split(link.text, "?")[0], strictOrigin+"/api/auth/reset-password/")
		b.succeeds("/reset-password", map[string]any{"token": token, "newPassword": strictPassword})
		told("Your password was changed")
		if b.signedIn() {
			t.Error("a session outlived the reset")
		}
		b.signIn("ann")
		b.enable()
		told("/two-factor/enable")
		b.succeeds("/two-factor/generate-backup-codes", map[string]any{"password": strictPassword})
		told("/two-factor/generate-backup-codes")
		b.succeeds("/two-factor/disable", map[string]any{"password": strictPassword})
		told("/two-factor/disable")
		w.browser().succeeds("/sign-up/email", map[string]any{"name": "x", "email": "ann@example.com", "password": strictPassword})
		told("Somebody tried to sign up")
	})
}

// TestStrictLinksExpire: what is mailed is good for ten minutes.
func TestStrictLinksExpire(t *testing.T) {
	inStrictMode(t, func(w *strictWorld) {
		b := w.browser()
		b.succeeds("/sign-up/email", map[string]any{"name": "ann", "email": "ann@example.com", "password": strictPassword})
		verify := w.lastMail().text
		time.Sleep(10*time.Minute + time.Second)
		if rec := b.do(http.MethodGet, verify, nil); !strings.Contains(fmt.Sprint(rec.Header(), rec.Body), "TOKEN_EXPIRED") {
			t.Errorf("an old link verifies: %d %v %s", rec.Code, rec.Header(), rec.Body)
		}
		b.succeeds("/request-password-reset", map[string]any{"email": "ann@example.com", "redirectTo": "/new"})
		reset := w.lastMail().text
		time.Sleep(10*time.Minute + time.Second)
		if rec := b.do(http.MethodGet, reset, nil); !strings.HasSuffix(rec.Header().Get("Location"), "/new?error=INVALID_TOKEN") {
			t.Errorf("an old link leads to %v", rec.Header())
		}
	})
}

// TestStrictStoresNoTokensOfMails: who reads the database cannot reset a password.
func TestStrictStoresNoTokensOfMails(t *testing.T) {
	inStrictMode(t, func(w *strictWorld) {
		w.register("ann")
		w.browser().succeeds("/request-password-reset", map[string]any{"email": "ann@example.com", "redirectTo": "/new"})
		link := w.lastMail().text
		for _, identifier := range w.identifiers {
			if len(identifier) != 43 || strings.Contains(link, identifier) {
				t.Errorf("%q is stored", identifier)
			}
		}
		if len(w.identifiers) == 0 {
			t.Error("nothing was stored")
		}
	})
}

// TestStrictHasNoFactorByMail: no mailbox signs anybody in, and tokens of providers
// stay on the server.
func TestStrictHasNoFactorByMail(t *testing.T) {
	inStrictMode(t, func(w *strictWorld) {
		w.register("ann")
		b := w.signIn("ann")
		for _, path := range []string{
			"/sign-in/magic-link", "/magic-link/verify", "/sign-in/email-otp", "/email-otp/send-verification-otp", "/sign-in/username",
			"/get-access-token", "/refresh-token",
		} {
			if rec := b.post(path, map[string]any{"email": "ann@example.com", "providerId": "idp", "accountId": "x"}); rec.Code != http.StatusNotFound {
				t.Errorf("%s: %d %s", path, rec.Code, rec.Body)
			}
		}
		if rec := b.post("/two-factor/send-otp", map[string]any{}); !strings.Contains(rec.Body.String(), "OTP_NOT_CONFIGURED") {
			t.Errorf("%s", rec.Body)
		}
	})
}

// TestStrictHeaders: every answer has what browsers protect it by, that of an unknown
// path and of a failure too.
func TestStrictHeaders(t *testing.T) {
	inStrictMode(t, func(w *strictWorld) {
		w.register("ann")
		b := w.signIn("ann")
		for _, rec := range []*httptest.ResponseRecorder{
			b.do(http.MethodGet, "/get-session", nil), b.do(http.MethodGet, "/list-sessions", nil), b.do(http.MethodGet, "/nowhere", nil),
			b.post("/sign-in/email", nil), b.do(http.MethodGet, "/error?error=X", nil), b.post("/get-access-token", nil), b.post("/sign-out", nil),
		} {
			for name, want := range map[string]string{
				"Strict-Transport-Security": "max-age=63072000; includeSubDomains", "X-Content-Type-Options": "nosniff", "Referrer-Policy": "no-referrer",
				"Cross-Origin-Opener-Policy": "same-origin", "Cross-Origin-Resource-Policy": "same-origin", "Cache-Control": "no-store",
			} {
				if got := rec.Header()[name]; len(got) != 1 || got[0] != want {
					t.Errorf("%d %s: %s is %q", rec.Code, rec.Body, name, got)
				}
			}
			policy := rec.Header().Get("Content-Security-Policy")
			for _, want := range []string{"default-src 'none'", "base-uri 'none'", "frame-ancestors 'none'", "form-action 'none'"} {
				if !strings.Contains(policy, want) {
					t.Errorf("%d %s: Content-Security-Policy is %q", rec.Code, rec.Body, policy)
				}
			}
		}
		if got := w.signIn("ann").post("/sign-out", nil).Header().Get("Clear-Site-Data"); got != `"cache", "storage"` {
			t.Errorf("after sign-out: %q", got)
		}
	})
}
