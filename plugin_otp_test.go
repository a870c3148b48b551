package auth

import (
	"context"
	"fmt"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"
	"unicode/utf8"
)

// outcomes brings codes at the same moment and counts what became of them.
func (w *otpWorld) outcomes(codes []string, right func(ctx context.Context) error) map[otpOutcome]int {
	w.t.Helper()
	counts := make(map[otpOutcome]int)
	var mu sync.Mutex
	var start, done sync.WaitGroup
	start.Add(1)
	for _, code := range codes {
		done.Go(func() {
			start.Wait()
			outcome, err := w.plugin.codes.redeem(w.t.Context(), OTPSignIn.purpose(), "ann@example.com", code, right)
			mu.Lock()
			defer mu.Unlock()
			if err != nil {
				w.t.Error(err)
			}
			counts[outcome]++
		})
	}
	start.Done()
	done.Wait()
	return counts
}

func noMore(context.Context) error { return nil }

// Of many guesses at the same moment no more count than are allowed; of many right
// codes one does, and wrong ones beside it do not make it wrong.
func TestOTPAtOnce(t *testing.T) {
	const rounds, guesses = 20, 64
	for name, edit := range map[string]func(*Config){
		"memory":    func(*Config) {},
		"secondary": func(c *Config) { c.SecondaryStorage = NewMemorySecondaryStorage() },
	} {
		t.Run(name, func(t *testing.T) {
			for range rounds {
				w := newOTPWorld(t, &EmailOTP{}, edit)
				code := w.code(OTPSignIn, "ann@example.com")
				if got := w.outcomes(slices.Repeat([]string{wrongCode(code)}, guesses), noMore); got[otpWrong] > 3 || got[otpRight] != 0 || name == "memory" && got[otpWrong] != 3 {
					t.Fatalf("wrong ones: %v", got)
				}
				code = w.code(OTPSignIn, "ann@example.com")
				if got := w.outcomes(slices.Repeat([]string{code}, guesses), noMore); got[otpRight] != 1 || got[otpMissing] != guesses-1 {
					t.Fatalf("right ones: %v", got)
				}
				code = w.code(OTPSignIn, "ann@example.com")
				got := w.outcomes(append(slices.Repeat([]string{code}, 6), wrongCode(code), wrongCode(code)), noMore)
				if got[otpRight] > 1 || name == "memory" && got[otpRight] != 1 {
					t.Fatalf("both: %v", got)
				}
			}
		})
	}
}

// Whoever checks a code at the same moment does not take it from whoever uses it.
func TestOTPCheckedAtOnce(t *testing.T) {
	for range 20 {
		w := newOTPWorld(t, &EmailOTP{})
		code := w.code(OTPSignIn, "ann@example.com")
		var wg sync.WaitGroup
		for range 2 {
			wg.Go(func() {
				if _, err := w.plugin.codes.check(t.Context(), OTPSignIn.purpose(), "ann@example.com", code); err != nil {
					t.Error(err)
				}
			})
		}
		wg.Go(func() {
			if outcome, err := w.plugin.codes.redeem(t.Context(), OTPSignIn.purpose(), "ann@example.com", code, noMore); err != nil || outcome != otpRight {
				t.Errorf("outcome %d %v", outcome, err)
			}
		})
		wg.Wait()
		if n := w.stored(); n != 0 {
			t.Fatalf("%d codes are left", n)
		}
	}
}

// One address signs up once, with as many codes as there may be.
func TestEmailOTPSignUpsAtOnce(t *testing.T) {
	for range 10 {
		w := newOTPWorld(t, &EmailOTP{})
		code := w.code(OTPSignIn, "new@example.com")
		var wg sync.WaitGroup
		var mu sync.Mutex
		statuses := make(map[int]int)
		for range 16 {
			wg.Go(func() {
				status := w.browser().post("/sign-in/email-otp", map[string]any{"email": "new@example.com", "otp": code}).StatusCode
				mu.Lock()
				defer mu.Unlock()
				statuses[status]++
			})
		}
		wg.Go(func() { // the same address, by a password
			w.browser().post("/sign-up/email", credentials("new"))
		})
		wg.Wait()
		if statuses[200] != 1 || statuses[400] != 15 || count(t, w.world, w.core.users.table) != 1 {
			t.Fatalf("%v, %d users", statuses, count(t, w.world, w.core.users.table))
		}
	}
}

// A code resets a password once.
func TestEmailOTPResetsAtOnce(t *testing.T) {
	w := newOTPWorld(t, &EmailOTP{})
	w.as("ann")
	code := w.code(OTPForgetPassword, "ann@example.com")
	var winners []string
	var wg sync.WaitGroup
	var mu sync.Mutex
	for i := range 16 {
		wg.Go(func() {
			password := "new password " + string(rune('a'+i))
			r := w.browser().post("/email-otp/reset-password", map[string]any{"email": "ann@example.com", "otp": code, "password": password})
			mu.Lock()
			defer mu.Unlock()
			if r.StatusCode == 200 {
				winners = append(winners, password)
			}
		})
	}
	wg.Wait()
	if len(winners) != 1 {
		t.Fatalf("winners %v", winners)
	}
	w.browser().post("/sign-in/email", map[string]string{"email": "ann@example.com", "password": winners[0]}).ok(t)
}

// An address goes to one of those who want it.
func TestEmailOTPChangesAtOnce(t *testing.T) {
	for range 10 {
		w := newOTPWorld(t, &EmailOTP{EmailChange: OTPEmailChange{Enabled: true}})
		codes := make(map[*browser]string)
		for _, b := range []*browser{w.as("ann"), w.as("bob"), w.as("cat")} {
			b.post("/email-otp/request-email-change", `{"newEmail":"new@example.com"}`).ok(t)
			codes[b] = w.lastCode()
		}
		var wg sync.WaitGroup
		var mu sync.Mutex
		statuses := make(map[int]int)
		for b, code := range codes {
			wg.Go(func() {
				r := b.post("/email-otp/change-email", map[string]any{"newEmail": "new@example.com", "otp": code})
				mu.Lock()
				defer mu.Unlock()
				statuses[r.StatusCode]++
			})
		}
		wg.Wait()
		if statuses[200] != 1 || statuses[400] != 2 {
			t.Fatalf("%v", statuses)
		}
	}
}

// A squatter's password, session and links survived the owner's sign-in by code.
func TestAdvisory_GHSA_qq9h_g4jm_xgf3_ByCode(t *testing.T) {
	for _, test := range []struct {
		typ  OTPType
		path string
		more map[string]any
	}{
		{OTPSignIn, "/sign-in/email-otp", nil},
		{OTPForgetPassword, "/email-otp/reset-password", map[string]any{"password": "password of the owner"}},
	} {
		w := newOTPWorld(t, &EmailOTP{})
		squatter := w.as("ann")
		linked := Account{AccountID: "1", ProviderID: "github", UserID: currentUser(t, squatter), CreatedAt: now(), UpdatedAt: now()}
		if err := w.core.accounts.create(t.Context(), &linked); err != nil {
			t.Fatal(err)
		}
		body := map[string]any{"email": "ann@example.com", "otp": w.code(test.typ, "ann@example.com")}
		for name, value := range test.more {
			body[name] = value
		}
		w.browser().post(test.path, body).ok(t)
		if squatter.signedIn() {
			t.Errorf("%s: the squatter is signed in", test.path)
		}
		w.browser().post("/sign-in/email", credentials("ann")).fails(t, 401, ErrInvalidEmailOrPassword)
		if n := count(t, w.world, w.core.accounts.table, Where("providerId", "github")); n != 0 {
			t.Errorf("%s: the squatter's link is there", test.path)
		}
	}
}

// A code of one purpose is none of another, whatever it is called.
func TestAdvisory_GHSA_965c_763c_88jm_ByCode(t *testing.T) {
	w := newOTPWorld(t, &EmailOTP{EmailChange: OTPEmailChange{Enabled: true}})
	ann := w.as("ann")
	ann.post("/request-password-reset", `{"email":"ann@example.com"}`).ok(t)
	reset := w.lastMail().Token
	ann.post("/email-otp/request-email-change", `{"newEmail":"annie@example.com"}`).ok(t)
	codes := map[OTPType]string{OTPChangeEmail: w.lastCode()}
	for _, typ := range []OTPType{OTPSignIn, OTPVerifyEmail, OTPForgetPassword} {
		codes[typ] = w.code(typ, "ann@example.com")
	}
	paths := map[OTPType]string{
		OTPSignIn: "/sign-in/email-otp", OTPVerifyEmail: "/email-otp/verify-email",
		OTPForgetPassword: "/email-otp/reset-password", OTPChangeEmail: "/email-otp/change-email",
	}
	for typ, path := range paths {
		tries := 0
		for other, code := range codes {
			if other == typ || code == codes[typ] || tries == 3 {
				continue
			}
			tries++
			ann.post(path, map[string]any{"email": "ann@example.com", "newEmail": "annie@example.com", "otp": code, "password": "a new password"}).fails(t, 400, ErrInvalidOTP)
		}
	}
	for _, email := range []string{"reset-password:" + reset, "ann@example.com:0", "../sign-in-otp-ann@example.com"} {
		w.browser().post("/sign-in/email-otp", map[string]any{"email": email, "otp": reset}).fails(t, 400, ErrInvalidOTP)
		w.browser().post("/sign-in/email-otp", map[string]any{"email": email, "otp": currentUser(t, ann)}).fails(t, 400, ErrInvalidOTP)
	}
	w.browser().post("/reset-password", map[string]any{"token": codes[OTPForgetPassword], "newPassword": "a new password"}).fails(t, 400, ErrInvalidToken)
}

// No answer tells which addresses are known, and nothing is left of the question.
func TestEmailOTPTellsNobodyWhoIsThere(t *testing.T) {
	for _, reuse := range []bool{false, true} {
		w := newOTPWorld(t, &EmailOTP{DisableSignUp: true, Reuse: reuse, EmailChange: OTPEmailChange{Enabled: true}})
		ann := w.as("ann")
		w.as("bob")
		for path, members := range map[string]map[string]any{
			"/email-otp/send-verification-otp":  {"type": "sign-in"},
			"/email-otp/request-password-reset": {},
			"/forget-password/email-otp":        {},
		} {
			var answers []string
			for _, email := range []string{"bob@example.com", "nobody@example.com"} {
				members["email"] = email
				r := w.browser().post(path, members).ok(t)
				answers = append(answers, r.body)
			}
			if answers[0] != answers[1] {
				t.Errorf("%s: %v", path, answers)
			}
		}
		if len(w.sent) != 3 || count(t, w.world, w.core.verifications.table, Where("identifier", "sign-in-otp-nobody@example.com")) != 0 ||
			count(t, w.world, w.core.verifications.table, Where("identifier", "forget-password-otp-nobody@example.com")) != 0 {
			t.Errorf("sent %v, %d codes", w.sent, w.stored())
		}
		before := w.stored()
		taken := ann.post("/email-otp/request-email-change", `{"newEmail":"bob@example.com"}`).ok(t)
		if free := ann.post("/email-otp/request-email-change", `{"newEmail":"free@example.com"}`).ok(t); free.body != taken.body || w.stored() != before+1 {
			t.Errorf("%s %s, %d codes", taken.body, free.body, w.stored()-before)
		}
	}
}

func FuzzOTPValue(f *testing.F) {
	for _, value := range []string{"", ":", "123456:0", "a:b:2", "123456", "123456:-1", "x:3", "x:9223372036854775808"} {
		f.Add(value, "123456")
	}
	f.Fuzz(func(t *testing.T, value, code string) {
		stored, wrong, ok := parseOTPValue(value)
		if wrong < 0 && ok || len(stored) > len(value) {
			t.Fatalf("%q is %q with %d", value, stored, wrong)
		}
		if again, n, ok := parseOTPValue(otpValue(code, 7)); again != code || n != 7 || !ok {
			t.Fatalf("%q becomes %q with %d", code, again, n)
		}
	})
}

// FuzzEmailOTP sends strangers' input to the endpoints that take codes. Nobody gets in
// without the code, and nothing fails.
func FuzzEmailOTP(f *testing.F) {
	for _, email := range []string{"ann@example.com", "ANN@example.com", "", "reset-password:x", "ann@example.com\x00", "\xff"} {
		f.Add(email, "123456", "sign-in")
		f.Add(email, "", "change-email")
		f.Add(email, "123456:0", "\xff")
	}
	f.Fuzz(func(t *testing.T, email, code, typ string) {
		w := newOTPWorld(t, &EmailOTP{AllowedAttempts: 1 << 30, Store: OTPStorage{Form: EncryptedOTP}})
		w.as("ann")
		sent := w.code(OTPSignIn, "ann@example.com")
		for path, body := range map[string]map[string]any{
			"/sign-in/email-otp":                {"email": email, "otp": code},
			"/email-otp/verify-email":           {"email": email, "otp": code},
			"/email-otp/check-verification-otp": {"email": email, "otp": code, "type": typ},
			"/email-otp/reset-password":         {"email": email, "otp": code, "password": "password of eve"},
		} {
			r := w.browser().post(path, body)
			if r.StatusCode != 200 && r.StatusCode != 400 || r.StatusCode == 200 && (code != sent || !utf8.ValidString(email)) {
				t.Fatalf("%s %q: %d %s", path, body, r.StatusCode, r.body)
			}
		}
	})
}

// The newest of several codes counts, although an older one is put back after it was
// made, by somebody who has brought a wrong one.
func TestOTPNewestCounts(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		made := 0
		w := newOTPWorld(t, &EmailOTP{Generate: func(context.Context, string, OTPType) string {
			made++
			return fmt.Sprintf("%06d", made)
		}})
		w.as("ann")
		w.code(OTPVerifyEmail, "ann@example.com")
		services, purpose := w.plugin.services, OTPVerifyEmail.purpose()
		old, err := services.ConsumeVerification(t.Context(), purpose, "ann@example.com")
		if err != nil {
			t.Fatal(err)
		}
		time.Sleep(time.Millisecond)
		w.code(OTPVerifyEmail, "ann@example.com")
		time.Sleep(time.Millisecond)
		if err := services.RestoreVerification(t.Context(), old, otpValue("000001", 1)); err != nil {
			t.Fatal(err)
		}
		b := w.browser()
		b.post("/email-otp/verify-email", `{"email":"ann@example.com","otp":"000001"}`).fails(t, 400, ErrInvalidOTP)
		b.post("/email-otp/verify-email", `{"email":"ann@example.com","otp":"000002"}`).ok(t)
		b.post("/email-otp/verify-email", `{"email":"ann@example.com","otp":"000001"}`).fails(t, 400, ErrInvalidOTP)
	})
}
