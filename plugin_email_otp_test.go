package auth

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"
)

// otpWorld is a world with the plugin and a box for its codes.
type otpWorld struct {
	*world
	plugin *EmailOTP

	mu   sync.Mutex
	sent []OTPMail
}

func newOTPWorld(t *testing.T, plugin *EmailOTP, edit ...func(*Config)) *otpWorld {
	t.Helper()
	w := &otpWorld{plugin: plugin}
	if plugin.Send == nil {
		plugin.Send = func(_ context.Context, m OTPMail) error {
			w.mu.Lock()
			defer w.mu.Unlock()
			w.sent = append(w.sent, m)
			return nil
		}
	}
	w.world = newWorld(t, append([]func(*Config){func(c *Config) { c.Plugins = []Plugin{plugin} }}, edit...)...)
	return w
}

// code asks for a code and returns it.
func (w *otpWorld) code(typ OTPType, email string) string {
	w.t.Helper()
	w.browser().post("/email-otp/send-verification-otp", map[string]any{"email": email, "type": typ}).ok(w.t)
	return w.lastCode()
}

func (w *otpWorld) lastCode() string {
	w.t.Helper()
	w.mu.Lock()
	defer w.mu.Unlock()
	if len(w.sent) == 0 {
		w.t.Fatal("no code was sent")
	}
	return w.sent[len(w.sent)-1].Code
}

// stored counts what waits to be brought back.
func (w *otpWorld) stored() int64 { return count(w.t, w.world, w.core.verifications.table) }

// wrongCode returns a code that is not this one.
func wrongCode(code string) string {
	if code[0] == '0' {
		return "1" + code[1:]
	}
	return "0" + code[1:]
}

func TestEmailOTPDoors(t *testing.T) {
	const code = "123456"
	prepare := func(d *doorWorld) {
		e := d.API.Operation("createVerificationOTP").(*Endpoint[CreateVerificationOTPRequest, string])
		for _, in := range []CreateVerificationOTPRequest{
			{"ann@example.com", OTPSignIn}, {"ann@example.com", OTPVerifyEmail}, {"ann@example.com", OTPForgetPassword},
			{"new@example.com", OTPSignIn}, {"nobody@example.com", OTPVerifyEmail},
		} {
			if _, err := e.Call(d.t.Context(), in); err != nil {
				d.t.Fatal(err)
			}
		}
		d.ann.post("/email-otp/request-email-change", `{"newEmail":"annie@example.com"}`).ok(d.t)
	}
	plugin := func() Plugin {
		return &EmailOTP{
			Send:        func(context.Context, OTPMail) error { return nil },
			Generate:    func(context.Context, string, OTPType) string { return code },
			EmailChange: OTPEmailChange{Enabled: true},
		}
	}
	checkPluginDoors(t, doorSet{plugin: plugin, prepare: prepare, cases: []doorCase{
		{op: "sendVerificationOTP", input: `{"email":"ann@example.com","type":"sign-in"}`, want: 200},
		{op: "sendVerificationOTP", input: `{"email":"nobody@example.com","type":"forget-password"}`, want: 200},
		{op: "sendVerificationOTP", input: `{"email":"ann@example.com","type":"change-email"}`, want: 400},
		{op: "sendVerificationOTP", input: `{"email":"ann","type":"sign-in"}`, want: 400},
		{op: "sendVerificationOTP", input: `{"email":"ann@example.com","type":"other"}`, want: 400},
		{op: "sendVerificationOTP", input: `{"email":5}`, wire: true, want: 400},
		{op: "sendVerificationOTP", input: `{"email":"ann@example.com","type":"sign-in"}`, broken: true, want: 500},
		{op: "checkVerificationOTP", input: `{"email":"ann@example.com","type":"sign-in","otp":"123456"}`, want: 200},
		{op: "checkVerificationOTP", input: `{"email":"ann@example.com","type":"sign-in","otp":"000000"}`, want: 400},
		{op: "checkVerificationOTP", input: `{"email":"new@example.com","type":"sign-in","otp":"123456"}`, want: 400},
		{op: "checkVerificationOTP", input: `{"email":"ann@example.com","type":"sign-in","otp":"123456"}`, broken: true, want: 500},
		{op: "verifyEmailOTP", input: `{"email":"ann@example.com","otp":"123456"}`, want: 200},
		{op: "verifyEmailOTP", input: `{"email":"ann@example.com","otp":"123456"}`, as: "ann", want: 200},
		{op: "verifyEmailOTP", input: `{"email":"ann@example.com","otp":"000000"}`, want: 400},
		{op: "verifyEmailOTP", input: `{"email":"nobody@example.com","otp":"123456"}`, want: 400},
		{op: "verifyEmailOTP", input: `{"email":"ann@example.com","otp":"123456"}`, broken: true, want: 500},
		{op: "signInEmailOTP", input: `{"email":"ann@example.com","otp":"123456"}`, want: 200},
		{op: "signInEmailOTP", input: `{"email":"new@example.com","otp":"123456","name":"New","image":"http://i"}`, want: 200},
		{op: "signInEmailOTP", input: `{"email":"ann@example.com","otp":"000000"}`, want: 400},
		{op: "signInEmailOTP", input: `{"email":"ann@example.com","otp":5}`, wire: true, want: 400},
		{op: "signInEmailOTP", input: `{"email":"ann@example.com","otp":"123456"}`, broken: true, want: 500},
		{op: "requestPasswordResetEmailOTP", input: `{"email":"ann@example.com"}`, want: 200},
		{op: "requestPasswordResetEmailOTP", input: `{"email":"nobody@example.com"}`, want: 200},
		{op: "requestPasswordResetEmailOTP", input: `{"email":"ann"}`, want: 400},
		{op: "requestPasswordResetEmailOTP", input: `{"email":"ann@example.com"}`, broken: true, want: 500},
		{op: "forgetPasswordEmailOTP", input: `{"email":"ann@example.com"}`, want: 200},
		{op: "forgetPasswordEmailOTP", input: `{"email":"ann"}`, want: 400},
		{op: "resetPasswordEmailOTP", input: `{"email":"ann@example.com","otp":"123456","password":"a new password"}`, want: 200},
		{op: "resetPasswordEmailOTP", input: `{"email":"ann@example.com","otp":"000000","password":"a new password"}`, want: 400},
		{op: "resetPasswordEmailOTP", input: `{"email":"ann@example.com","otp":"123456","password":"short"}`, want: 400},
		{op: "resetPasswordEmailOTP", input: `{"email":"ann@example.com","otp":"123456","password":"a new password"}`, broken: true, want: 500},
		{op: "requestEmailChangeEmailOTP", input: `{"newEmail":"anna@example.com"}`, as: "ann", want: 200},
		{op: "requestEmailChangeEmailOTP", input: `{"newEmail":"ann@example.com"}`, as: "ann", want: 400},
		{op: "requestEmailChangeEmailOTP", input: `{"newEmail":"anna@example.com"}`, as: "forged", want: 401},
		{op: "changeEmailEmailOTP", input: `{"newEmail":"annie@example.com","otp":"123456"}`, as: "ann", want: 200},
		{op: "changeEmailEmailOTP", input: `{"newEmail":"annie@example.com","otp":"000000"}`, as: "ann", want: 400},
		{op: "changeEmailEmailOTP", input: `{"newEmail":"annie@example.com","otp":"123456"}`, as: "forged", want: 401},
	}})
}

func TestEmailOTPOptions(t *testing.T) {
	same := func(_ context.Context, code string) (string, error) { return code, nil }
	for name, plugin := range map[string]*EmailOTP{
		"a negative length":              {Length: -1},
		"a negative lifetime":            {ExpiresIn: -time.Second},
		"a negative number of attempts":  {AllowedAttempts: -1},
		"an unknown form":                {Store: OTPStorage{Form: 9}},
		"a negative form":                {Store: OTPStorage{Form: -1}},
		"encryption without decryption":  {Store: OTPStorage{Encrypt: same}},
		"decryption without encryption":  {Store: OTPStorage{Decrypt: same}},
		"a hash beside a form":           {Store: OTPStorage{Form: HashedOTP, Hash: same}},
		"a hash beside encryption":       {Store: OTPStorage{Hash: same, Encrypt: same, Decrypt: same}},
		"encryption beside a form of it": {Store: OTPStorage{Form: EncryptedOTP, Encrypt: same, Decrypt: same}},
	} {
		_, err := New(Config{BaseURL: testOrigin, Secret: testSecret, Store: NewMemoryStore(), Plugins: []Plugin{plugin}})
		if err == nil || !strings.Contains(err.Error(), "plugin email-otp") {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// A code has its length, its lifetime, and no more attempts than are allowed.
func TestEmailOTPCodes(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newOTPWorld(t, &EmailOTP{Length: 9, ExpiresIn: time.Minute, AllowedAttempts: 2})
		w.as("ann")
		code := w.code(OTPVerifyEmail, "ann@example.com")
		if len(code) != 9 || strings.Trim(code, Digits) != "" {
			t.Errorf("code %q", code)
		}
		verify := func(code string) reply {
			return w.browser().post("/email-otp/verify-email", map[string]any{"email": "ann@example.com", "otp": code})
		}
		time.Sleep(time.Minute)
		verify(code).ok(t) // to the last millisecond
		code = w.code(OTPVerifyEmail, "ann@example.com")
		time.Sleep(time.Minute + time.Millisecond)
		verify(code).fails(t, 400, ErrOTPExpired)
		verify(code).fails(t, 400, ErrInvalidOTP)
		code = w.code(OTPVerifyEmail, "ann@example.com")
		verify(wrongCode(code)).fails(t, 400, ErrInvalidOTP)
		verify(wrongCode(code)).fails(t, 400, ErrInvalidOTP)
		verify(code).fails(t, 403, ErrTooManyAttempts)
		verify(code).fails(t, 400, ErrInvalidOTP)
		if n := w.stored(); n != 0 {
			t.Errorf("%d codes are left", n)
		}
	})
}

// A code that is sent again counts as before, and lives on.
func TestEmailOTPReuse(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newOTPWorld(t, &EmailOTP{Reuse: true})
		w.as("ann")
		code := w.code(OTPSignIn, "ann@example.com")
		signIn := func(code string) reply {
			return w.browser().post("/sign-in/email-otp", map[string]any{"email": "ann@example.com", "otp": code})
		}
		for range 2 {
			signIn(wrongCode(code)).fails(t, 400, ErrInvalidOTP)
			time.Sleep(4 * time.Minute)
			if again := w.code(OTPSignIn, "ann@example.com"); again != code {
				t.Fatalf("another code, %s after %s", again, code)
			}
		}
		signIn(wrongCode(code)).fails(t, 400, ErrInvalidOTP)
		signIn(code).fails(t, 403, ErrTooManyAttempts)
		if again := w.code(OTPSignIn, "ann@example.com"); again == code {
			t.Error("the code that was guessed at is sent again")
		}
	})
}

// In each form a code is good once, and what is stored is what the form says.
func TestOTPStorage(t *testing.T) {
	for name, test := range map[string]struct {
		storage  OTPStorage
		readable bool // for Go code
		plain    bool // in the store
	}{
		"plain":     {OTPStorage{}, true, true},
		"hashed":    {OTPStorage{Form: HashedOTP}, false, false},
		"encrypted": {OTPStorage{Form: EncryptedOTP}, true, false},
		"own hash": {OTPStorage{Hash: func(_ context.Context, code string) (string, error) {
			return "h" + HashIdentifier("salt"+code), nil
		}}, false, false},
		"own encryption": {OTPStorage{
			Encrypt: func(_ context.Context, code string) (string, error) { return "a:" + rot5(code) + ":b", nil },
			Decrypt: func(_ context.Context, stored string) (string, error) {
				return rot5(strings.TrimSuffix(strings.TrimPrefix(stored, "a:"), ":b")), nil
			},
		}, true, false},
	} {
		t.Run(name, func(t *testing.T) {
			w := newOTPWorld(t, &EmailOTP{Store: test.storage})
			w.as("ann")
			code := w.code(OTPVerifyEmail, "ann@example.com")
			v, err := w.core.verifications.newest(t.Context(), "email-verification-otp-ann@example.com")
			if err != nil || v == nil || strings.Contains(v.Value, code) != test.plain || !strings.HasSuffix(v.Value, ":0") {
				t.Fatalf("stored %v %v", v, err)
			}
			out, err := w.plugin.GetVerificationOTP.Call(t.Context(), GetVerificationOTPRequest{Email: "Ann@example.com", Type: OTPVerifyEmail})
			if test.readable != (err == nil) || test.readable && *out.OTP != code {
				t.Errorf("read %v %v", out, err)
			}
			b := w.browser()
			b.post("/email-otp/verify-email", map[string]any{"email": "ann@example.com", "otp": wrongCode(code)}).fails(t, 400, ErrInvalidOTP)
			b.post("/email-otp/verify-email", map[string]any{"email": "ann@example.com", "otp": v.Value}).fails(t, 400, ErrInvalidOTP)
			b.post("/email-otp/verify-email", map[string]any{"email": "ann@example.com", "otp": code}).ok(t)
		})
	}
}

func rot5(code string) string {
	return strings.Map(func(r rune) rune { return '0' + (r-'0'+5)%10 }, code)
}

// What fails inside of a comparison costs neither the code nor an attempt.
func TestOTPStorageFails(t *testing.T) {
	failing := false
	w := newOTPWorld(t, &EmailOTP{Store: OTPStorage{Hash: func(_ context.Context, code string) (string, error) {
		if failing {
			return "", errors.New("the vault is locked")
		}
		return "hash of " + code, nil
	}}})
	w.as("ann")
	code := w.code(OTPVerifyEmail, "ann@example.com")
	failing = true
	for range 5 {
		w.browser().post("/email-otp/verify-email", map[string]any{"email": "ann@example.com", "otp": code}).fails(t, 500, "")
	}
	failing = false
	w.browser().post("/email-otp/verify-email", map[string]any{"email": "ann@example.com", "otp": code}).ok(t)
}

// What somebody else has stored opens nothing and fails nothing.
func TestEmailOTPDamagedRows(t *testing.T) {
	for _, value := range []string{"123456:x", "123456:-1", "123456:", "123456:1e3", "123456: 0", "123456:99999999999999999999", ":", "123456:3"} {
		w := newOTPWorld(t, &EmailOTP{})
		w.as("ann")
		services := w.plugin.services
		if err := services.CreateVerification(t.Context(), "sign-in-otp-", "ann@example.com", value, time.Minute); err != nil {
			t.Fatal(err)
		}
		w.browser().post("/sign-in/email-otp", `{"email":"ann@example.com","otp":"123456"}`).fails(t, 403, ErrTooManyAttempts)
	}
	w := newOTPWorld(t, &EmailOTP{Store: OTPStorage{Form: EncryptedOTP}})
	if err := w.plugin.services.CreateVerification(t.Context(), "sign-in-otp-", "ann@example.com", "123456:0", time.Minute); err != nil {
		t.Fatal(err)
	}
	for _, code := range []string{"", "123456", "\x00"} {
		w.browser().post("/sign-in/email-otp", map[string]any{"email": "ann@example.com", "otp": code}).fails(t, 400, ErrInvalidOTP)
	}
	w.browser().post("/sign-in/email-otp", `{"email":"ann@example.com","otp":"123456"}`).fails(t, 403, ErrTooManyAttempts)
	if out, err := w.plugin.GetVerificationOTP.Call(t.Context(), GetVerificationOTPRequest{Email: "ann@example.com", Type: OTPSignIn}); err != nil || out.OTP != nil {
		t.Errorf("%v %v", out, err)
	}
}

// A new user whose data cannot be stored has the code for another try.
func TestEmailOTPSignUpFails(t *testing.T) {
	w := newOTPWorld(t, &EmailOTP{}, func(c *Config) {
		c.User.Fields = []Column{{Name: "handle", Type: TypeString, Unique: true}}
	})
	w.browser().post("/sign-up/email", map[string]any{"name": "Ann", "email": "ann@example.com", "password": "password", "handle": "ann"}).ok(t)
	code := w.code(OTPSignIn, "new@example.com")
	signIn := func(handle any) reply {
		return w.browser().post("/sign-in/email-otp", map[string]any{"email": "new@example.com", "otp": code, "handle": handle})
	}
	w.browser().post("/sign-in/email-otp", map[string]any{"email": "new@example.com", "otp": code}).fails(t, 400, ErrMissingField)
	signIn(true).fails(t, 400, ErrValidation)
	signIn("ann").fails(t, 422, ErrFailedToCreateUser)
	if n := count(t, w.world, w.core.users.table); n != 1 {
		t.Errorf("%d users", n)
	}
	r := signIn("new").ok(t)
	if r.field(t, "user.handle") != "new" || r.field(t, "user.emailVerified") != true || r.field(t, "user.name") != "" {
		t.Errorf("%s", r.body)
	}
	signIn("newer").fails(t, 400, ErrInvalidOTP)
}

// A session that a hook refuses leaves the code good and nobody new.
func TestEmailOTPSessionRefused(t *testing.T) {
	refusing := true
	w := newOTPWorld(t, &EmailOTP{}, func(c *Config) {
		c.EmailVerification.AutoSignIn = true
		c.DatabaseHooks.Session.BeforeCreate = func(context.Context, *Session) error {
			if refusing {
				return ErrAborted
			}
			return nil
		}
	})
	code := w.code(OTPSignIn, "new@example.com")
	signIn := func() reply {
		return w.browser().post("/sign-in/email-otp", map[string]any{"email": "new@example.com", "otp": code})
	}
	if r := signIn().fails(t, 500, ""); len(r.Header["Set-Cookie"]) != 0 || count(t, w.world, w.core.users.table) != 0 {
		t.Errorf("%v", r.Header)
	}
	refusing = false
	signIn().ok(t)
	refusing = true
	code = w.code(OTPVerifyEmail, "new@example.com")
	verify := func() reply {
		return w.browser().post("/email-otp/verify-email", map[string]any{"email": "new@example.com", "otp": code})
	}
	verify().fails(t, 500, "")
	refusing = false
	if r := verify().ok(t); r.field(t, "token") == nil {
		t.Errorf("%s", r.body)
	}
}

// A callback that refuses keeps the code, one that fails afterwards leaves no session.
func TestEmailOTPCallbacks(t *testing.T) {
	var before, after error
	w := newOTPWorld(t, &EmailOTP{}, func(c *Config) {
		c.EmailVerification.AutoSignIn = true
		c.EmailVerification.BeforeVerification = func(context.Context, *User) error { return before }
		c.EmailVerification.AfterVerification = func(context.Context, *User) error { return after }
	})
	ann := w.as("ann")
	code := w.code(OTPVerifyEmail, "ann@example.com")
	verify := func() reply {
		return w.browser().post("/email-otp/verify-email", map[string]any{"email": "ann@example.com", "otp": code})
	}
	before = NewError(403, "EARLY", "Too early")
	verify().fails(t, 403, "EARLY")
	before, after = nil, NewError(409, "LATE", "Too late")
	verify().fails(t, 409, "LATE")
	if n := count(t, w.world, w.core.sessions.table); n != 1 || ann.get("/get-session").field(t, "user.emailVerified") != true {
		t.Errorf("%d sessions", n)
	}
	verify().fails(t, 400, ErrInvalidOTP)
}

// A code that is brought while the address changes is for the address, not the user.
func TestEmailOTPAddressChangedMeanwhile(t *testing.T) {
	var change func()
	w := newOTPWorld(t, &EmailOTP{}, func(c *Config) {
		c.EmailVerification.BeforeVerification = func(context.Context, *User) error { change(); return nil }
	})
	ann := w.as("ann")
	id := currentUser(t, ann)
	code := w.code(OTPVerifyEmail, "ann@example.com")
	change = func() {
		if _, err := w.core.updateUser(t.Context(), id, map[string]any{"email": "other@example.com"}); err != nil {
			t.Error(err)
		}
	}
	w.browser().post("/email-otp/verify-email", map[string]any{"email": "ann@example.com", "otp": code}).fails(t, 400, ErrUserNotFound)
	if ann.get("/get-session").field(t, "user.emailVerified") != false {
		t.Error("an address is verified that nobody has proven")
	}
}

// A hook that keeps codes from being taken away keeps them from being used, for ever.
func TestEmailOTPKeptByHook(t *testing.T) {
	w := newOTPWorld(t, &EmailOTP{}, func(c *Config) {
		c.DatabaseHooks.Verification.BeforeDelete = func(context.Context, *Verification) error { return ErrAborted }
	})
	w.as("ann")
	code := w.code(OTPSignIn, "ann@example.com")
	w.browser().post("/sign-in/email-otp", map[string]any{"email": "ann@example.com", "otp": code}).fails(t, 400, ErrInvalidOTP)
}

// A code to sign up sends one mail; a sender that panics changes no answer.
func TestEmailOTPAfterSignUp(t *testing.T) {
	w := newOTPWorld(t, &EmailOTP{SendOnSignUp: true})
	w.as("ann")
	if len(w.sent) != 1 || w.sent[0].Email != "ann@example.com" || w.sent[0].Type != OTPVerifyEmail {
		t.Fatalf("sent %v", w.sent)
	}
	w.browser().post("/email-otp/verify-email", map[string]any{"email": "ann@example.com", "otp": w.lastCode()}).ok(t)
	w.browser().post("/sign-up/email", credentials("ann")).fails(t, 422, ErrUserAlreadyExistsUseAnotherEmail)
	if len(w.sent) != 1 {
		t.Errorf("sent %v", w.sent)
	}
	panicking := newOTPWorld(t, &EmailOTP{SendOnSignUp: true, Send: func(context.Context, OTPMail) error { panic("smtp library") }})
	panicking.as("ann")
	if !strings.Contains(panicking.log.String(), "smtp library") || panicking.stored() != 1 {
		t.Errorf("log %s", panicking.log.String())
	}
}

// Codes take the place of links unless the application sends its own.
func TestEmailOTPOverride(t *testing.T) {
	w := newOTPWorld(t, &EmailOTP{OverrideVerification: true}, func(c *Config) {
		c.EmailVerification = EmailVerification{}
		c.EmailPassword.RequireEmailVerification = true
	})
	w.as("ann")
	w.browser().post("/sign-in/email", credentials("ann")).fails(t, 403, ErrEmailNotVerified)
	w.browser().post("/email-otp/verify-email", map[string]any{"email": "ann@example.com", "otp": w.lastCode()}).ok(t)
	w.signIn("ann")
	if len(w.sent) != 1 {
		t.Errorf("sent %v", w.sent)
	}
	own := newOTPWorld(t, &EmailOTP{OverrideVerification: true})
	own.as("ann").post("/send-verification-email", `{"email":"ann@example.com"}`).ok(t)
	if len(own.sent) != 0 || len(own.mails) != 1 {
		t.Errorf("sent %v, mailed %v", own.sent, own.mails)
	}
}

// Each path has its rule; the application's come first.
func TestEmailOTPRateRules(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newOTPWorld(t, &EmailOTP{RateLimit: RateRule{Max: 2}}, func(c *Config) {
			c.RateLimit = RateLimit{Rules: map[string]RateRule{"/email-otp/verify-email": {Window: time.Hour, Max: 1}}}
		})
		b := w.browser()
		statuses := func(path string) string {
			var got []string
			for range 3 {
				got = append(got, fmt.Sprint(b.post(path, `{"email":"ann@example.com","otp":"1"}`).StatusCode))
			}
			return strings.Join(got, " ")
		}
		for range 2 {
			if got := statuses("/sign-in/email-otp"); got != "400 400 429" {
				t.Errorf("sign-in: %s", got)
			}
			time.Sleep(time.Minute + time.Second)
		}
		if got := statuses("/email-otp/verify-email"); got != "400 429 429" {
			t.Errorf("verify-email: %s", got)
		}
	})
}

// The current address has to agree to a change, and each code is for one user and one
// address.
func TestEmailOTPChange(t *testing.T) {
	w := newOTPWorld(t, &EmailOTP{EmailChange: OTPEmailChange{Enabled: true, VerifyCurrent: true}})
	ann, bob := w.as("ann"), w.as("bob")
	request := func(b *browser, code string) reply {
		return b.post("/email-otp/request-email-change", map[string]any{"newEmail": "New@example.com", "otp": code})
	}
	if r := request(ann, ""); r.StatusCode != 400 || r.field(t, "message") != "OTP is required to verify current email" {
		t.Errorf("%s", r.body)
	}
	code := w.code(OTPVerifyEmail, "ann@example.com")
	request(bob, code).fails(t, 400, ErrInvalidOTP)
	request(ann, code).ok(t)
	request(ann, code).fails(t, 400, ErrInvalidOTP)
	code = w.lastCode()
	if last := w.sent[len(w.sent)-1]; last.Email != "new@example.com" || last.Type != OTPChangeEmail {
		t.Errorf("sent %v", last)
	}
	change := func(b *browser) reply {
		return b.post("/email-otp/change-email", map[string]any{"newEmail": "new@example.com", "otp": code})
	}
	change(bob).fails(t, 400, ErrInvalidOTP)
	w.browser().post("/email-otp/check-verification-otp", map[string]any{"email": "new@example.com", "type": "change-email", "otp": code}).fails(t, 400, ErrInvalidOTP)
	if r := change(ann).ok(t); r.cookie("better-auth.session_token") == "" {
		t.Errorf("%v", r.Header)
	}
	session := ann.get("/get-session")
	if session.field(t, "user.email") != "new@example.com" || session.field(t, "user.emailVerified") != true {
		t.Errorf("%s", session.body)
	}
}

// Another plugin may want another factor: there is no session before.
func TestEmailOTPChallenged(t *testing.T) {
	w := newOTPWorld(t, &EmailOTP{}, func(c *Config) {
		c.EmailVerification.AutoSignIn = true
		c.Plugins = append(c.Plugins, codeChallenger{})
	})
	w.as("ann")
	for _, typ := range []OTPType{OTPSignIn, OTPVerifyEmail} {
		path := map[OTPType]string{OTPSignIn: "/sign-in/email-otp", OTPVerifyEmail: "/email-otp/verify-email"}[typ]
		b, code := w.browser(), w.code(typ, "ann@example.com")
		r := b.post(path, map[string]any{"email": "ann@example.com", "otp": code}).ok(t)
		if r.body != `{"more":"email-otp"}` || len(r.Header["Set-Cookie"]) != 0 {
			t.Errorf("%s %v", r.body, r.Header)
		}
		b.post(path, map[string]any{"email": "ann@example.com", "otp": code}).fails(t, 400, ErrInvalidOTP)
	}
	if ann := w.browser(); ann.signedIn() || count(t, w.world, w.core.sessions.table) != 0 {
		t.Error("signed in without the other factor")
	}
}

// codeChallenger wants another factor of those who bring a code.
type codeChallenger struct{}

func (codeChallenger) ID() string { return "challenger" }

func (codeChallenger) Extend(*Services) (*Extension, error) {
	return &Extension{Challenge: func(_ context.Context, in *SignIn) (any, error) {
		if in.Method != "email-otp" {
			return nil, nil
		}
		return map[string]string{"more": in.Method}, nil
	}}, nil
}

// Without a function that sends, nothing is stored either.
func TestEmailOTPWithoutSend(t *testing.T) {
	w := newOTPWorld(t, &EmailOTP{EmailChange: OTPEmailChange{Enabled: true}})
	w.plugin.Send = nil
	ann := w.as("ann")
	for path, body := range map[string]string{
		"/email-otp/send-verification-otp":  `{"email":"ann@example.com","type":"sign-in"}`,
		"/email-otp/request-password-reset": `{"email":"ann@example.com"}`,
		"/forget-password/email-otp":        `{"email":"ann@example.com"}`,
		"/email-otp/request-email-change":   `{"newEmail":"annie@example.com"}`,
	} {
		if r := ann.post(path, body); r.StatusCode != http.StatusBadRequest || r.field(t, "message") != "send email verification is not implemented" {
			t.Errorf("%s: %s", path, r.body)
		}
	}
	if n := w.stored(); n != 0 {
		t.Errorf("%d codes", n)
	}
}
