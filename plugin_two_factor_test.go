package auth

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"
)

// twoFactorWorld is an instance with the plugin, and a telephone that gets codes.
type twoFactorWorld struct {
	*world
	plugin *TwoFactor

	mu    sync.Mutex
	codes []string
}

func newTwoFactorWorld(t *testing.T, edit func(*TwoFactor), configs ...func(*Config)) *twoFactorWorld {
	t.Helper()
	w := &twoFactorWorld{}
	w.plugin = &TwoFactor{Issuer: "Acme", OTP: TwoFactorOTPOptions{Send: w.receive}}
	if edit != nil {
		edit(w.plugin)
	}
	w.world = newWorld(t, append(configs, func(c *Config) { c.Plugins = append(c.Plugins, w.plugin) })...)
	return w
}

func (w *twoFactorWorld) receive(_ context.Context, _ *User, code string) error {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.codes = append(w.codes, code)
	return nil
}

func (w *twoFactorWorld) lastCode() string {
	w.mu.Lock()
	defer w.mu.Unlock()
	if len(w.codes) == 0 {
		w.t.Fatal("no code was sent")
	}
	return w.codes[len(w.codes)-1]
}

// app is what a user has on a telephone and on paper.
type app struct {
	w      *twoFactorWorld
	key    []byte
	backup []string
}

// code is what the app shows, some steps from now.
func (a *app) code(steps int64) string {
	generator := a.w.plugin.totp(a.key)
	return generator.code(generator.step(time.Now()) + steps)
}

// wrong is a code that the app does not show.
func (a *app) wrong() string {
	for _, code := range []string{"000000", "111111", "222222", "333333"} {
		if _, ok := a.w.plugin.totp(a.key).verify(code, time.Now()); !ok {
			return code
		}
	}
	panic("four codes at once")
}

// setUp gives a signed-in user an app and confirms it.
func (w *twoFactorWorld) setUp(b *browser, name string) *app {
	w.t.Helper()
	a := w.begin(b, name)
	b.post("/two-factor/verify-totp", map[string]any{"code": a.code(0)}).ok(w.t)
	return a
}

// begin gives a signed-in user an app that is not confirmed.
func (w *twoFactorWorld) begin(b *browser, name string) *app {
	w.t.Helper()
	r := b.post("/two-factor/enable", map[string]any{"password": "password of " + name}).ok(w.t)
	return w.install(r)
}

func (w *twoFactorWorld) install(r reply) *app {
	w.t.Helper()
	var out EnableTwoFactorResponse
	if err := json.Unmarshal([]byte(r.body), &out); err != nil {
		w.t.Fatal(err)
	}
	u, err := url.Parse(out.TOTPURI)
	if err != nil {
		w.t.Fatal(err)
	}
	key, err := decodeBase32(u.Query().Get("secret"))
	if err != nil {
		w.t.Fatal(err)
	}
	return &app{w, key, out.BackupCodes}
}

// challenged signs a new browser in as far as it goes with a password.
func (w *twoFactorWorld) challenged(name string) *browser {
	w.t.Helper()
	b := w.browser()
	r := b.post("/sign-in/email", credentials(name)).ok(w.t)
	if r.field(w.t, "twoFactorRedirect") != true {
		w.t.Fatalf("no challenge: %s", r.body)
	}
	return b
}

// enrolled is ann with an app.
func (w *twoFactorWorld) enrolled() (*browser, *app) {
	w.t.Helper()
	ann := w.as("ann")
	return ann, w.setUp(ann, "ann")
}

func (w *twoFactorWorld) rowOf(b *browser) *twoFactorRow {
	w.t.Helper()
	row, err := w.plugin.row(w.t.Context(), currentUser(w.t, b))
	if err != nil {
		w.t.Fatal(err)
	}
	return row
}

func code(text string) map[string]any { return map[string]any{"code": text} }

func TestTwoFactorMistakes(t *testing.T) {
	encrypt := func(context.Context, string) (string, error) { return "", nil }
	_, err := New(Config{BaseURL: testOrigin, Secret: testSecret, Store: NewMemoryStore(), Plugins: []Plugin{&TwoFactor{
		CookieMaxAge: -1, TrustDeviceMaxAge: time.Millisecond, Everywhere: true,
		TOTP:        TOTPOptions{Digits: 9, Period: 1500 * time.Millisecond},
		OTP:         TwoFactorOTPOptions{Digits: 33, Period: -1, AllowedAttempts: -1, Storage: OTPStorage{Encrypt: encrypt}},
		BackupCodes: BackupCodeOptions{Amount: -1, Length: -1, Storage: BackupCodeStorage{Plain: true, Encrypt: encrypt, Decrypt: encrypt}},
		Lockout:     TwoFactorLockout{MaxFailedAttempts: -1, Duration: -1},
	}}})
	for _, want := range []string{"CookieMaxAge", "TrustDeviceMaxAge", "Page", "TOTP.Digits", "TOTP.Period", "OTP.Digits", "OTP.Period",
		"OTP.AllowedAttempts", "OTPStorage", "BackupCodes.Amount", "BackupCodes.Length", "BackupCodes.Storage", "MaxFailedAttempts", "Lockout.Duration"} {
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("error %v does not mention %s", err, want)
		}
	}
	for _, p := range []*TwoFactor{
		{Page: "two-factor"},
		{BackupCodes: BackupCodeOptions{Storage: BackupCodeStorage{Encrypt: encrypt}}},
	} {
		if _, err := New(Config{BaseURL: testOrigin, Secret: testSecret, Store: NewMemoryStore(), Plugins: []Plugin{p}}); err == nil {
			t.Errorf("%+v is accepted", p)
		}
	}
}

// TestTwoFactorSignIn goes through the flow of the contract.
func TestTwoFactorSignIn(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newTwoFactorWorld(t, nil)
		ann := w.as("ann")
		a := w.begin(ann, "ann")
		before := ann.cookies["better-auth.session_token"]
		r := ann.post("/two-factor/verify-totp", code(a.code(0))).ok(t)
		if r.field(t, "user.twoFactorEnabled") != true || ann.cookies["better-auth.session_token"] == before {
			t.Errorf("turned on: %s", r.body)
		}
		if token := ann.get("/get-session").field(t, "session.token"); r.field(t, "token") != token {
			t.Errorf("the token %v is not that of the session, %v", r.field(t, "token"), token)
		}

		b := w.browser()
		r = b.post("/sign-in/email", credentials("ann")).ok(t)
		if r.body != `{"twoFactorRedirect":true,"twoFactorMethods":["totp","otp"]}` {
			t.Errorf("challenge %s", r.body)
		}
		lines := r.Header["Set-Cookie"]
		if len(lines) != 3 || !strings.HasPrefix(lines[0], "better-auth.session_token=; Max-Age=0") || !strings.HasPrefix(lines[1], "better-auth.session_data=; Max-Age=0") ||
			!strings.HasPrefix(lines[2], "better-auth.two_factor=2fa-") || !strings.Contains(lines[2], "Max-Age=600") {
			t.Errorf("cookies %q", lines)
		}
		b.post("/two-factor/verify-totp", code(a.wrong())).fails(t, 401, ErrInvalidCode)
		if b.signedIn() {
			t.Error("signed in without the second factor")
		}
		r = b.post("/two-factor/verify-totp", map[string]any{"code": a.code(0), "trustDevice": true}).ok(t)
		if r.field(t, "user.email") != "ann@example.com" || !b.signedIn() || b.cookies["better-auth.two_factor"] != "" {
			t.Errorf("signed in: %s", r.body)
		}
		b.post("/two-factor/verify-totp", code("wrong")).fails(t, 401, ErrInvalidCode) // with a session
	})
}

// TestTwoFactorCall: a typed call of a sign-in has the challenge as its error.
func TestTwoFactorCall(t *testing.T) {
	w := newTwoFactorWorld(t, nil)
	w.enrolled()
	var header http.Header
	out, err := w.API.SignInEmail.Call(t.Context(), SignInEmailRequest{Email: "ann@example.com", Password: "password of ann"}, ReturnHeaders(&header))
	challenge, ok := errors.AsType[*TwoFactorChallenge](err)
	if !ok || out != nil || !challenge.TwoFactorRedirect || strings.Join(challenge.TwoFactorMethods, " ") != "totp otp" {
		t.Fatalf("%v, %v", out, err)
	}
	if !strings.Contains(err.Error(), "totp or otp") || len(header["Set-Cookie"]) != 3 {
		t.Errorf("%v with %q", err, header)
	}
}

func TestTwoFactorMethods(t *testing.T) {
	for _, tt := range []struct {
		edit   func(*TwoFactor)
		method string
		want   string
	}{
		{nil, MethodTOTP, `["totp","otp"]`},
		{func(p *TwoFactor) { p.OTP.Send = nil }, MethodTOTP, `["totp"]`},
		{nil, MethodOTP, `["otp"]`},
		{func(p *TwoFactor) { p.TOTP.Disable = true }, MethodOTP, `["otp"]`},
	} {
		w := newTwoFactorWorld(t, tt.edit)
		ann := w.as("ann")
		if tt.method == MethodOTP {
			ann.post("/two-factor/enable", map[string]any{"password": "password of ann", "method": "otp"}).ok(t)
		} else {
			w.setUp(ann, "ann")
		}
		r := w.browser().post("/sign-in/email", credentials("ann")).ok(t)
		if r.body != `{"twoFactorRedirect":true,"twoFactorMethods":`+tt.want+`}` {
			t.Errorf("%s, want %s", r.body, tt.want)
		}
	}
	// Codes were the only method, and are not sent any more.
	w := newTwoFactorWorld(t, func(p *TwoFactor) { p.OTP.Send = nil })
	ann := w.as("ann")
	if _, err := w.core.updateUser(t.Context(), currentUser(t, ann), map[string]any{enabledColumn: true}); err != nil {
		t.Fatal(err)
	}
	if r := w.browser().post("/sign-in/email", credentials("ann")).ok(t); r.body != `{"twoFactorRedirect":true,"twoFactorMethods":[]}` {
		t.Errorf("%s", r.body)
	}
}

// TestTwoFactorSetUp has what goes wrong while a factor is set up.
func TestTwoFactorSetUp(t *testing.T) {
	w := newTwoFactorWorld(t, func(p *TwoFactor) { p.OTP.Send = nil })
	ann := w.as("ann")
	password := map[string]any{"password": "password of ann"}
	ann.post("/two-factor/enable", map[string]any{}).fails(t, 400, ErrValidation)
	ann.post("/two-factor/enable", map[string]any{"password": "wrong"}).fails(t, 400, ErrInvalidPassword)
	ann.post("/two-factor/enable", map[string]any{"password": ""}).fails(t, 400, ErrInvalidPassword)
	ann.post("/two-factor/enable", map[string]any{"password": strings.Repeat("x", 129)}).fails(t, 400, ErrPasswordTooLong)
	ann.post("/two-factor/enable", map[string]any{"password": "password of ann", "method": "otp"}).fails(t, 400, ErrOTPNotConfigured)
	ann.post("/two-factor/enable", map[string]any{"password": "password of ann", "method": "sms"}).fails(t, 400, ErrValidation)
	ann.post("/two-factor/send-otp", "").fails(t, 400, ErrOTPNotConfigured)
	ann.post("/two-factor/get-totp-uri", password).fails(t, 400, ErrTOTPNotEnabled)
	ann.post("/two-factor/verify-totp", code("000000")).fails(t, 400, ErrTOTPNotEnabled)
	ann.post("/two-factor/verify-otp", code("000000")).fails(t, 400, ErrOTPHasExpired)
	ann.post("/two-factor/verify-backup-code", code("000000")).fails(t, 400, ErrBackupCodesNotEnabled)
	ann.post("/two-factor/generate-backup-codes", password).fails(t, 400, ErrTwoFactorNotEnabled)

	first, second := w.begin(ann, "ann"), w.begin(ann, "ann") // the first one was never confirmed
	if n := count(t, w.world, w.plugin.rows.schema); n != 1 {
		t.Errorf("%d rows", n)
	}
	w.signIn("ann") // it is not on yet
	ann.post("/two-factor/verify-totp", code(first.code(0))).fails(t, 401, ErrInvalidCode)
	ann.post("/two-factor/verify-totp", code(second.code(0))).ok(t)
	ann.post("/two-factor/enable", password).fails(t, 400, ErrTOTPAlreadyEnabled)
	w.challenged("ann")

	uri := ann.post("/two-factor/get-totp-uri", password).ok(t).field(t, "totpURI").(string)
	if !strings.HasPrefix(uri, "otpauth://totp/Acme:ann%40example.com?secret=") {
		t.Errorf("URI %s", uri)
	}
	ann.post("/two-factor/disable", map[string]any{"password": "wrong"}).fails(t, 400, ErrInvalidPassword)
	ann.post("/two-factor/disable", password).ok(t)
	if !ann.signedIn() || w.rowOf(ann) != nil {
		t.Error("turned off")
	}
	w.signIn("ann")
	w.setUp(ann, "ann")
}

// TestTwoFactorIssuer: the request's, the plugin's, the application's name.
func TestTwoFactorIssuer(t *testing.T) {
	for _, tt := range []struct{ plugin, request, want string }{
		{"Acme", "Mine", "Mine"}, {"Acme", "", "Acme"}, {"", "", "My%20App"},
	} {
		w := newTwoFactorWorld(t, func(p *TwoFactor) { p.Issuer = tt.plugin }, func(c *Config) { c.AppName = "My App" })
		r := w.as("ann").post("/two-factor/enable", map[string]any{"password": "password of ann", "issuer": tt.request}).ok(t)
		if uri := r.field(t, "totpURI").(string); !strings.HasPrefix(uri, "otpauth://totp/"+tt.want+":") {
			t.Errorf("URI %s, want %s", uri, tt.want)
		}
	}
}

// TestTwoFactorSkipVerification turns it on at once.
func TestTwoFactorSkipVerification(t *testing.T) {
	w := newTwoFactorWorld(t, func(p *TwoFactor) { p.SkipVerificationOnEnable = true })
	ann := w.as("ann")
	a := w.begin(ann, "ann")
	if ann.get("/get-session").field(t, "user.twoFactorEnabled") != true || w.rowOf(ann).unverified() {
		t.Error("it is not on")
	}
	w.challenged("ann").post("/two-factor/verify-totp", code(a.code(0))).ok(t)
}

// TestTwoFactorPasswordless: users without a password need none where that is
// allowed, those with one do.
func TestTwoFactorPasswordless(t *testing.T) {
	removePassword := func(w *twoFactorWorld, b *browser) {
		if _, err := w.core.accounts.remove(t.Context(), Where("userId", currentUser(t, b))); err != nil {
			t.Fatal(err)
		}
	}
	w := newTwoFactorWorld(t, func(p *TwoFactor) { p.AllowPasswordless = true })
	ann, bob := w.as("ann"), w.as("bob")
	removePassword(w, ann)
	a := w.install(ann.post("/two-factor/enable", map[string]any{}).ok(t))
	ann.post("/two-factor/verify-totp", code(a.code(0))).ok(t)
	ann.post("/two-factor/get-totp-uri", map[string]any{}).ok(t)
	ann.post("/two-factor/generate-backup-codes", map[string]any{}).ok(t)
	ann.post("/two-factor/disable", map[string]any{}).ok(t)
	bob.post("/two-factor/enable", map[string]any{}).fails(t, 400, ErrInvalidPassword)

	w = newTwoFactorWorld(t, func(p *TwoFactor) {
		p.AllowPasswordless, p.TOTP.Password, p.BackupCodes.Password = true, PasswordAlways, PasswordAlways
	})
	ann = w.as("ann")
	removePassword(w, ann)
	w.install(ann.post("/two-factor/enable", map[string]any{}).ok(t))
	ann.post("/two-factor/get-totp-uri", map[string]any{}).fails(t, 400, ErrValidation)
	ann.post("/two-factor/get-totp-uri", map[string]any{"password": "x"}).fails(t, 400, ErrInvalidPassword)
	ann.post("/two-factor/generate-backup-codes", map[string]any{}).fails(t, 400, ErrValidation)

	w = newTwoFactorWorld(t, func(p *TwoFactor) { p.TOTP.Password, p.BackupCodes.Password = PasswordIfAny, PasswordIfAny })
	ann = w.as("ann")
	w.setUp(ann, "ann")
	removePassword(w, ann)
	ann.post("/two-factor/get-totp-uri", map[string]any{}).ok(t)
	ann.post("/two-factor/generate-backup-codes", map[string]any{}).ok(t)
	ann.post("/two-factor/disable", map[string]any{}).fails(t, 400, ErrValidation)
	ann.post("/two-factor/disable", map[string]any{"password": "x"}).fails(t, 400, ErrInvalidPassword)
}

// TestTwoFactorRemember: whether the session is to be remembered is asked before the
// second factor.
func TestTwoFactorRemember(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newTwoFactorWorld(t, nil)
		_, a := w.enrolled()
		b := w.browser()
		in := credentials("ann")
		in["rememberMe"] = false
		r := b.post("/sign-in/email", in).ok(t)
		if first := r.Header["Set-Cookie"][0]; !strings.HasPrefix(first, "better-auth.dont_remember=true.") {
			t.Errorf("cookies %q", r.Header["Set-Cookie"])
		}
		r = b.post("/two-factor/verify-totp", code(a.code(0))).ok(t)
		if line := r.cookie("better-auth.session_token"); strings.Contains(line, "Max-Age") {
			t.Errorf("the session is remembered: %s", line)
		}
		if until := b.session(t).ExpiresAt; until.After(time.Now().Add(25 * time.Hour)) {
			t.Errorf("until %v", until)
		}
		r = b.post("/sign-in/email", credentials("ann")).ok(t)
		if line := r.cookie("better-auth.dont_remember"); !strings.Contains(line, "Max-Age=0") {
			t.Errorf("cookies %q", r.Header["Set-Cookie"])
		}
		r = b.post("/two-factor/verify-totp", code(a.code(0))).ok(t)
		if line := r.cookie("better-auth.session_token"); !strings.Contains(line, "Max-Age=604800") {
			t.Errorf("the session is not remembered: %s", line)
		}
	})
}

// session returns the browser's session as it is stored.
func (b *browser) session(t *testing.T) *Session {
	t.Helper()
	data, err := b.Session(&http.Request{Header: b.headers()})
	if err != nil || data == nil {
		t.Fatal(data, err)
	}
	return data.Session
}

// TestTwoFactorOldRows: rows from before there were these columns count as confirmed
// and can be locked.
func TestTwoFactorOldRows(t *testing.T) {
	w := newTwoFactorWorld(t, func(p *TwoFactor) { p.Lockout.MaxFailedAttempts = 2 })
	ann, a := w.enrolled()
	if _, err := w.plugin.rows.Update(t.Context(), map[string]any{"verified": nil, failedColumn: nil}); err != nil {
		t.Fatal(err)
	}
	b := w.challenged("ann")
	b.post("/two-factor/verify-totp", code(a.wrong())).fails(t, 401, ErrInvalidCode)
	if n := w.rowOf(ann).FailedVerificationCount; n == nil || *n != 1 {
		t.Errorf("counted %v", n)
	}
	b.post("/two-factor/verify-totp", code(a.code(0))).ok(t)
	if row := w.rowOf(ann); row.Verified == nil || !*row.Verified || *row.FailedVerificationCount != 0 {
		t.Errorf("%+v", row)
	}
}

// TestTwoFactorNewPassword: a first factor that is none any more does not count.
func TestTwoFactorNewPassword(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		for _, method := range []string{"totp", "otp", "backup-code"} {
			w := newTwoFactorWorld(t, nil)
			_, a := w.enrolled()
			thief := w.challenged("ann")
			thief.post("/two-factor/send-otp", "{}").ok(t)
			time.Sleep(time.Second)
			resetPasswordOf(w.world, "ann", "another password")
			right := map[string]string{"totp": a.code(0), "otp": w.lastCode(), "backup-code": a.backup[0]}[method]
			thief.post("/two-factor/verify-"+method, code(right)).fails(t, 401, ErrInvalidTwoFactorCookie)
			if thief.signedIn() || thief.cookies["better-auth.two_factor"] != "" {
				t.Errorf("%s: the old password signs in", method)
			}
		}
	})
}

// TestTwoFactorChallengeExpires after CookieMaxAge, whoever still has the cookie.
func TestTwoFactorChallengeExpires(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newTwoFactorWorld(t, func(p *TwoFactor) { p.CookieMaxAge = time.Minute })
		_, a := w.enrolled()
		b := w.challenged("ann")
		time.Sleep(time.Minute + time.Second)
		b.post("/two-factor/send-otp", "").fails(t, 401, ErrInvalidTwoFactorCookie)
		b.post("/two-factor/verify-otp", code("000000")).fails(t, 401, ErrInvalidTwoFactorCookie)
		b.post("/two-factor/verify-totp", code(a.code(0))).fails(t, 401, ErrInvalidTwoFactorCookie)
		b.post("/two-factor/verify-backup-code", code(a.backup[0])).fails(t, 401, ErrInvalidTwoFactorCookie)
	})
}

// TestTwoFactorCookieIsNotBelieved: only the name of a challenge counts, however
// well something else is signed.
func TestTwoFactorCookieIsNotBelieved(t *testing.T) {
	w := newTwoFactorWorld(t, nil)
	ann, a := w.enrolled()
	real := w.challenged("ann").cookies["better-auth.two_factor"]
	name, _, _ := strings.Cut(real, ".")
	user := currentUser(t, ann)
	if err := w.core.createVerification(t.Context(), "2fa-", "planted", user, time.Hour); err != nil {
		t.Fatal(err)
	}
	sign := func(value string) string { return encodeURIComponent(w.core.signer.signCookie(value)) }
	for reason, value := range map[string]string{
		"none":                     "",
		"no signature":             name,
		"a wrong signature":        name + "." + strings.Repeat("A", 43) + "%3D",
		"another cookie":           ann.cookies["better-auth.session_token"],
		"another verification":     sign("2fa-planted"),
		"the attempts":             sign("2fa-attempts-" + name),
		"no purpose":               sign(strings.TrimPrefix(name, "2fa-")),
		"a challenge of no one":    sign("2fa-" + strings.Repeat("x", 20)),
		"the user":                 sign(user),
		"something behind the end": sign(name + "x"),
	} {
		b := w.browser()
		b.cookies["better-auth.two_factor"] = value
		if r := b.post("/two-factor/send-otp", ""); r.StatusCode != 401 || !strings.Contains(r.body, string(ErrInvalidTwoFactorCookie)) {
			t.Errorf("%s: %d %s", reason, r.StatusCode, r.body)
		}
	}
	b := w.browser()
	b.cookies["better-auth.two_factor"] = real
	b.post("/two-factor/verify-totp", code(a.code(0))).ok(t)
}

// TestTwoFactorDoors sends every endpoint through every door, with a session.
func TestTwoFactorDoors(t *testing.T) {
	var w *twoFactorWorld
	plugin := func() Plugin {
		w = &twoFactorWorld{}
		w.plugin = &TwoFactor{OTP: TwoFactorOTPOptions{Send: w.receive}, BackupCodes: BackupCodeOptions{
			Generate: func(context.Context) ([]string, error) { return []string{"one", "two"}, nil },
		}}
		return w.plugin
	}
	checkPluginDoors(t, doorSet{
		plugin: plugin,
		prepare: func(d *doorWorld) {
			w.world = d.world
			a := w.setUp(d.ann, "ann")
			d.ann.post("/two-factor/send-otp", "{}").ok(d.t)
			d.secret["$totp"], d.secret["$otp"], d.secret["$backup"] = a.code(0), w.lastCode(), a.backup[0]
		},
		cases: []doorCase{
			{op: "enableTwoFactor", input: `{"password":"password of ann","method":"otp"}`, as: "ann", want: 200},
			{op: "enableTwoFactor", input: `{"password":"password of ann"}`, as: "ann", want: 400},
			{op: "enableTwoFactor", input: `{"password":5}`, as: "ann", wire: true, want: 400},
			{op: "enableTwoFactor", input: `{}`, as: "ann", wire: true, want: 400},
			{op: "enableTwoFactor", input: `{"password":"x"}`, as: "forged", want: 401},
			{op: "enableTwoFactor", input: `{"password":"password of ann"}`, as: "ann", broken: true, want: 500},
			{op: "disableTwoFactor", input: `{"password":"password of ann"}`, as: "ann", want: 200},
			{op: "disableTwoFactor", input: `{"password":"wrong"}`, as: "ann", want: 400},
			{op: "disableTwoFactor", input: `{"password":"x"}`, as: "forged", want: 401},
			{op: "getTOTPURI", input: `{"password":"password of ann"}`, as: "ann", want: 200},
			{op: "getTOTPURI", input: `{"password":"wrong"}`, as: "ann", want: 400},
			{op: "getTOTPURI", input: `{"password":"x"}`, as: "forged", want: 401},
			{op: "verifyTOTP", input: `{"code":"$totp"}`, as: "ann", want: 200},
			{op: "verifyTOTP", input: `{"code":"wrong"}`, as: "ann", want: 401},
			{op: "verifyTOTP", input: `{"code":"$totp"}`, as: "forged", want: 401},
			{op: "verifyTOTP", input: `{}`, as: "ann", wire: true, want: 400},
			{op: "verifyTOTP", input: `{"code":"$totp"}`, as: "ann", broken: true, want: 500},
			{op: "sendTwoFactorOTP", as: "ann", want: 200},
			{op: "sendTwoFactorOTP", as: "forged", want: 401},
			{op: "sendTwoFactorOTP", as: "ann", broken: true, want: 500},
			{op: "verifyTwoFactorOTP", input: `{"code":"$otp"}`, as: "ann", want: 200},
			{op: "verifyTwoFactorOTP", input: `{"code":"wrong"}`, as: "ann", want: 401},
			{op: "verifyTwoFactorOTP", input: `{"code":"$otp"}`, as: "forged", want: 401},
			{op: "verifyBackupCode", input: `{"code":"$backup"}`, as: "ann", want: 200},
			{op: "verifyBackupCode", input: `{"code":"$backup","disableSession":true}`, as: "ann", want: 200},
			{op: "verifyBackupCode", input: `{"code":"wrong"}`, as: "ann", want: 401},
			{op: "verifyBackupCode", input: `{"code":"$backup"}`, as: "forged", want: 401},
			{op: "generateBackupCodes", input: `{"password":"password of ann"}`, as: "ann", want: 200},
			{op: "generateBackupCodes", input: `{"password":"wrong"}`, as: "ann", want: 400},
			{op: "generateBackupCodes", input: `{"password":"x"}`, as: "forged", want: 401},
			{op: "signInEmail", input: `{"email":"ann@example.com","password":"password of ann"}`, wire: true, want: 200},
		},
	})
}

// TestTwoFactorDoorsOfChallenge sends what ends a challenge through every door.
func TestTwoFactorDoorsOfChallenge(t *testing.T) {
	var w *twoFactorWorld
	set := doorSet{
		plugin: func() Plugin {
			w = &twoFactorWorld{}
			w.plugin = &TwoFactor{OTP: TwoFactorOTPOptions{Send: w.receive}}
			return w.plugin
		},
		prepare: func(d *doorWorld) {
			w.world = d.world
			a := w.setUp(d.ann, "ann")
			d.ann.cookies = w.challenged("ann").cookies
			d.ann.post("/two-factor/send-otp", "{}").ok(d.t)
			d.secret["$totp"], d.secret["$otp"], d.secret["$backup"] = a.code(0), w.lastCode(), a.backup[0]
		},
	}
	for _, c := range []doorCase{
		{op: "verifyTOTP", input: `{"code":"$totp","trustDevice":true}`, as: "ann", want: 200},
		{op: "verifyTOTP", input: `{"code":"wrong"}`, as: "ann", want: 401},
		{op: "verifyTOTP", input: `{"code":"$totp"}`, as: "ann", broken: true, want: 500},
		{op: "sendTwoFactorOTP", as: "ann", want: 200},
		{op: "verifyTwoFactorOTP", input: `{"code":"$otp","trustDevice":true}`, as: "ann", want: 200},
		{op: "verifyTwoFactorOTP", input: `{"code":"wrong"}`, as: "ann", want: 401},
		{op: "verifyBackupCode", input: `{"code":"$backup","trustDevice":true}`, as: "ann", want: 200},
		{op: "verifyBackupCode", input: `{"code":"$backup","disableSession":true}`, as: "ann", want: 200},
		{op: "verifyBackupCode", input: `{"code":"wrong"}`, as: "ann", want: 401},
		{op: "enableTwoFactor", input: `{"password":"password of ann"}`, as: "ann", want: 401},
	} {
		t.Run(c.op+" "+c.input, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) { checkDoors(t, c, set) })
		})
	}
}
