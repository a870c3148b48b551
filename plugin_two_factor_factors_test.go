package auth

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

// TestTwoFactorBudget: a challenge bears five wrong codes of apps and of paper,
// together.
func TestTwoFactorBudget(t *testing.T) {
	w := newTwoFactorWorld(t, nil)
	_, a := w.enrolled()
	b := w.challenged("ann")
	for i := range 5 {
		if i%2 == 0 {
			b.post("/two-factor/verify-totp", code(a.wrong())).fails(t, 401, ErrInvalidCode)
		} else {
			b.post("/two-factor/verify-backup-code", code("wrong")).fails(t, 401, ErrInvalidBackupCode)
		}
	}
	cookie := b.cookies["better-auth.two_factor"]
	r := b.post("/two-factor/verify-totp", code(a.code(0))).fails(t, 400, ErrTooManyAttemptsRequestNewCode)
	if line := r.cookie("better-auth.two_factor"); !strings.Contains(line, "Max-Age=0") {
		t.Errorf("cookies %q", r.Header["Set-Cookie"])
	}
	b.cookies["better-auth.two_factor"] = cookie
	b.post("/two-factor/verify-totp", code(a.code(0))).fails(t, 401, ErrInvalidTwoFactorCookie)
	b.post("/two-factor/verify-otp", code("000000")).fails(t, 401, ErrInvalidTwoFactorCookie)
	w.challenged("ann").post("/two-factor/verify-totp", code(a.code(0))).ok(t)
}

// TestTwoFactorBudgetDamaged: what is no number of wrong codes is too many.
func TestTwoFactorBudgetDamaged(t *testing.T) {
	for _, value := range []string{"", "x", "-1", "1e9", "99999999999999999999"} {
		w := newTwoFactorWorld(t, nil)
		_, a := w.enrolled()
		b := w.challenged("ann")
		if _, err := w.store.Update(t.Context(), w.core.verifications.table, map[string]any{"value": value},
			Condition{Column: "identifier", Op: "starts with", Value: "2fa-attempts-"}); err != nil {
			t.Fatal(err)
		}
		b.post("/two-factor/verify-totp", code(a.code(0))).fails(t, 400, ErrTooManyAttemptsRequestNewCode)
	}
}

// TestTwoFactorLockout: wrong codes count over challenges and kinds, a right one
// ends the count, a lock ends by itself.
func TestTwoFactorLockout(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newTwoFactorWorld(t, func(p *TwoFactor) { p.Lockout.MaxFailedAttempts = 4 })
		ann, a := w.enrolled()
		wrong := []func(b *browser){
			func(b *browser) { b.post("/two-factor/verify-totp", code(a.wrong())).fails(t, 401, ErrInvalidCode) },
			func(b *browser) {
				b.post("/two-factor/send-otp", "{}").ok(t)
				b.post("/two-factor/verify-otp", code("wrong")).fails(t, 401, ErrInvalidCode)
			},
			func(b *browser) {
				b.post("/two-factor/verify-backup-code", code("wrong")).fails(t, 401, ErrInvalidBackupCode)
			},
		}
		for _, try := range wrong {
			try(w.challenged("ann"))
		}
		ann.post("/two-factor/verify-totp", code(a.wrong())).fails(t, 401, ErrInvalidCode) // has a session
		if n := *w.rowOf(ann).FailedVerificationCount; n != 3 {
			t.Errorf("counted %d", n)
		}
		w.challenged("ann").post("/two-factor/verify-totp", code(a.code(0))).ok(t)
		if n := *w.rowOf(ann).FailedVerificationCount; n != 0 {
			t.Errorf("counted %d after a right one", n)
		}
		for i := range 4 {
			wrong[i%3](w.challenged("ann"))
		}
		b := w.challenged("ann")
		b.post("/two-factor/send-otp", "{}").ok(t)
		b.post("/two-factor/verify-totp", code(a.code(0))).fails(t, 429, ErrAccountTemporarilyLocked)
		b.post("/two-factor/verify-otp", code(w.lastCode())).fails(t, 429, ErrAccountTemporarilyLocked)
		b.post("/two-factor/verify-backup-code", code(a.backup[0])).fails(t, 429, ErrAccountTemporarilyLocked)
		if until := w.rowOf(ann).LockedUntil; until == nil || !until.Equal(now().Add(15*time.Minute)) {
			t.Errorf("locked until %v", until)
		}
		time.Sleep(15*time.Minute + time.Millisecond)
		b = w.challenged("ann")
		b.post("/two-factor/verify-totp", code(a.wrong())).fails(t, 401, ErrInvalidCode)
		if row := w.rowOf(ann); *row.FailedVerificationCount != 1 || row.LockedUntil != nil {
			t.Errorf("%+v", row)
		}
		b.post("/two-factor/verify-backup-code", code(a.backup[0])).ok(t)
	})
}

// TestTwoFactorLastAttempt: the last code that may be wrong may be right.
func TestTwoFactorLastAttempt(t *testing.T) {
	w := newTwoFactorWorld(t, func(p *TwoFactor) { p.Lockout.MaxFailedAttempts = 1 })
	ann, a := w.enrolled()
	w.challenged("ann").post("/two-factor/verify-totp", code(a.code(0))).ok(t)
	if row := w.rowOf(ann); row.LockedUntil != nil || *row.FailedVerificationCount != 0 {
		t.Errorf("%+v", row)
	}
	b := w.challenged("ann")
	b.post("/two-factor/verify-totp", code(a.wrong())).fails(t, 401, ErrInvalidCode)
	b.post("/two-factor/verify-totp", code(a.code(0))).fails(t, 429, ErrAccountTemporarilyLocked)
}

func TestTwoFactorLockoutDisabled(t *testing.T) {
	w := newTwoFactorWorld(t, func(p *TwoFactor) { p.Lockout = TwoFactorLockout{Disabled: true, MaxFailedAttempts: 1} })
	ann, a := w.enrolled()
	b := w.challenged("ann")
	b.post("/two-factor/verify-totp", code(a.wrong())).fails(t, 401, ErrInvalidCode)
	b.post("/two-factor/verify-totp", code(a.code(0))).ok(t)
	if row := w.rowOf(ann); *row.FailedVerificationCount != 0 || row.LockedUntil != nil {
		t.Errorf("%+v", row)
	}
}

// TestTwoFactorPreventReplay: a code is good once, whoever brings it, and none is
// that is older than the last one.
func TestTwoFactorPreventReplay(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newTwoFactorWorld(t, func(p *TwoFactor) { p.PreventReplay = true })
		ann, a := w.enrolled() // with the code of now
		b := w.challenged("ann")
		b.post("/two-factor/verify-totp", code(a.code(0))).fails(t, 401, ErrInvalidCode)
		b.post("/two-factor/verify-totp", code(a.code(-1))).fails(t, 401, ErrInvalidCode)
		b.post("/two-factor/verify-totp", code(a.code(1))).ok(t)
		time.Sleep(30 * time.Second)
		b = w.challenged("ann")
		b.post("/two-factor/verify-totp", code(a.code(0))).fails(t, 401, ErrInvalidCode)
		if n := *w.rowOf(ann).FailedVerificationCount; n != 1 {
			t.Errorf("counted %d", n)
		}
		time.Sleep(30 * time.Second)
		b.post("/two-factor/verify-totp", code(a.code(0))).ok(t)
		ann.post("/two-factor/disable", map[string]any{"password": "password of ann"}).ok(t)
		w.setUp(ann, "ann")

		bob := w.as("bob") // replaces a secret that is not confirmed, after a code of it
		w.begin(bob, "bob")
		if _, err := w.plugin.rows.Update(t.Context(), map[string]any{lastTOTPStep: int64(1) << 40}, Where("userId", currentUser(t, bob))); err != nil {
			t.Fatal(err)
		}
		w.setUp(bob, "bob")
	})
}

// TestTwoFactorReplay: without the option a code is good as long as it is shown, as
// in the original.
func TestTwoFactorReplay(t *testing.T) {
	w := newTwoFactorWorld(t, nil)
	_, a := w.enrolled()
	for range 2 {
		w.challenged("ann").post("/two-factor/verify-totp", code(a.code(0))).ok(t)
	}
}

// TestTwoFactorOTP goes through the life of a code that is sent.
func TestTwoFactorOTP(t *testing.T) {
	xor := func(_ context.Context, text string) (string, error) {
		coded := []byte(text)
		for i := range coded {
			coded[i] ^= 1
		}
		return string(coded) + ":", nil
	}
	for name, storage := range map[string]OTPStorage{
		"plain": {}, "hashed": {Form: HashedOTP}, "encrypted": {Form: EncryptedOTP},
		"own hash": {Hash: func(_ context.Context, code string) (string, error) { return "h:" + code, nil }},
		"own encryption": {Encrypt: xor, Decrypt: func(ctx context.Context, stored string) (string, error) {
			stored, err := xor(ctx, strings.TrimSuffix(stored, ":"))
			return strings.TrimSuffix(stored, ":"), err
		}},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				w := newTwoFactorWorld(t, func(p *TwoFactor) {
					p.OTP.Storage, p.OTP.AllowedAttempts, p.OTP.Digits = storage, 2, 8
				})
				ann := w.as("ann")
				ann.post("/two-factor/enable", map[string]any{"password": "password of ann", "method": "otp"}).ok(t)
				b := w.challenged("ann")
				b.post("/two-factor/verify-otp", code("00000000")).fails(t, 400, ErrOTPHasExpired)
				b.post("/two-factor/verify-totp", code("000000")).fails(t, 400, ErrTOTPNotEnabled)
				b.post("/two-factor/verify-backup-code", code("x")).fails(t, 400, ErrBackupCodesNotEnabled)

				b.post("/two-factor/send-otp", `{"trustDevice":true}`).ok(t)
				old := w.lastCode()
				if len(old) != 8 {
					t.Errorf("code %s", old)
				}
				time.Sleep(time.Millisecond)
				b.post("/two-factor/send-otp", "").ok(t)
				b.post("/two-factor/verify-otp", code(old)).fails(t, 401, ErrInvalidCode)
				b.post("/two-factor/verify-otp", code("wrong")).fails(t, 401, ErrInvalidCode)
				b.post("/two-factor/verify-otp", code(w.lastCode())).fails(t, 400, ErrTooManyAttemptsRequestNewCode)
				b.post("/two-factor/verify-otp", code(w.lastCode())).fails(t, 400, ErrOTPHasExpired)

				b.post("/two-factor/send-otp", "").ok(t)
				time.Sleep(3*time.Minute + time.Second)
				b.post("/two-factor/verify-otp", code(w.lastCode())).fails(t, 400, ErrOTPHasExpired)

				b.post("/two-factor/send-otp", "").ok(t)
				other := w.challenged("ann")
				other.post("/two-factor/verify-otp", code(w.lastCode())).fails(t, 400, ErrOTPHasExpired)
				b.post("/two-factor/verify-otp", code(w.lastCode())).ok(t)
				if !b.signedIn() {
					t.Error("not signed in")
				}
				b.post("/two-factor/send-otp", "").ok(t) // with a session now
				r := b.post("/two-factor/verify-otp", code(w.lastCode())).ok(t)
				if len(r.Header["Set-Cookie"]) != 0 {
					t.Errorf("cookies %q", r.Header["Set-Cookie"])
				}
			})
		})
	}
}

// TestTwoFactorOTPTurnsOn: a code that was sent confirms itself.
func TestTwoFactorOTPTurnsOn(t *testing.T) {
	w := newTwoFactorWorld(t, nil)
	ann := w.as("ann")
	before := ann.cookies["better-auth.session_token"]
	ann.post("/two-factor/send-otp", "").ok(t)
	ann.post("/two-factor/verify-otp", code("wrong")).fails(t, 401, ErrInvalidCode)
	r := ann.post("/two-factor/verify-otp", code(w.lastCode())).ok(t)
	session := ann.get("/get-session")
	if session.field(t, "user.twoFactorEnabled") != true || session.field(t, "session.token") != r.field(t, "token") || ann.cookies["better-auth.session_token"] == before {
		t.Errorf("%s, session %s", r.body, session.body)
	}
	w.challenged("ann")
}

// TestTwoFactorOTPFails: nobody learns that a message was not sent; the log does.
func TestTwoFactorOTPFails(t *testing.T) {
	w := newTwoFactorWorld(t, func(p *TwoFactor) {
		p.OTP.Send = func(context.Context, *User, string) error { return errors.New("no network") }
	})
	ann := w.as("ann")
	ann.post("/two-factor/send-otp", "").ok(t)
	if !strings.Contains(w.log.String(), "no network") {
		t.Errorf("log %s", w.log.String())
	}
}

// TestTwoFactorTurnedOff: whoever turned it off while somebody was signing in is not
// asked for it, and that sign-in begins anew.
func TestTwoFactorTurnedOff(t *testing.T) {
	w := newTwoFactorWorld(t, nil)
	ann, a := w.enrolled()
	b := w.challenged("ann")
	b.post("/two-factor/send-otp", "").ok(t)
	ann.post("/two-factor/disable", map[string]any{"password": "password of ann"}).ok(t)
	b.post("/two-factor/verify-totp", code(a.code(0))).fails(t, 400, ErrTOTPNotEnabled)
	b.post("/two-factor/verify-backup-code", code(a.backup[0])).fails(t, 400, ErrBackupCodesNotEnabled)
	b.post("/two-factor/verify-otp", code(w.lastCode())).fails(t, 400, ErrFailedToCreateSession)
	if b.signedIn() {
		t.Error("signed in")
	}
}

// TestTwoFactorBackupCodes goes through all of them.
func TestTwoFactorBackupCodes(t *testing.T) {
	reverse := func(_ context.Context, text string) (string, error) {
		b := []byte(text)
		for i := range len(b) / 2 {
			b[i], b[len(b)-1-i] = b[len(b)-1-i], b[i]
		}
		return string(b), nil
	}
	for name, storage := range map[string]BackupCodeStorage{
		"encrypted": {}, "plain": {Plain: true}, "own": {Encrypt: reverse, Decrypt: reverse},
	} {
		t.Run(name, func(t *testing.T) {
			w := newTwoFactorWorld(t, func(p *TwoFactor) {
				p.BackupCodes = BackupCodeOptions{Amount: 3, Length: 6, Storage: storage}
			})
			ann, a := w.enrolled()
			if len(a.backup) != 3 || len(a.backup[0]) != 7 || a.backup[0][5] != '-' {
				t.Errorf("codes %q", a.backup)
			}
			if stored := w.rowOf(ann).BackupCodes; (stored == fmt.Sprintf(`["%s"]`, strings.Join(a.backup, `","`))) != storage.Plain {
				t.Errorf("stored %s", stored)
			}
			for i, c := range a.backup {
				w.challenged("ann").post("/two-factor/verify-backup-code", code(strings.ToLower(c)+"x")).fails(t, 401, ErrInvalidBackupCode)
				w.challenged("ann").post("/two-factor/verify-backup-code", code(c)).ok(t)
				w.challenged("ann").post("/two-factor/verify-backup-code", code(c)).fails(t, 401, ErrInvalidBackupCode)
				out, err := w.plugin.ViewBackupCodes.Call(t.Context(), ViewBackupCodesRequest{UserID: currentUser(t, ann)})
				if err != nil || len(out.BackupCodes) != 2-i {
					t.Errorf("left %v, %v", out, err)
				}
			}
			r := ann.post("/two-factor/generate-backup-codes", map[string]any{"password": "password of ann"}).ok(t)
			fresh := r.field(t, "backupCodes").([]any)
			w.challenged("ann").post("/two-factor/verify-backup-code", code(fresh[2].(string))).ok(t)
		})
	}
}

// TestTwoFactorHashedBackupCodes: nobody can read them out of the database or show them
// again, and what is stored is no code.
func TestTwoFactorHashedBackupCodes(t *testing.T) {
	for _, plain := range []bool{false, true} {
		w := newTwoFactorWorld(t, func(p *TwoFactor) {
			p.BackupCodes = BackupCodeOptions{Amount: 3, Length: 19, Storage: BackupCodeStorage{Hashed: true, Plain: plain}}
		})
		ann, a := w.enrolled()
		kept, err := w.plugin.codesOf(t.Context(), w.rowOf(ann))
		if err != nil || len(kept) != 3 || kept[0] != HashIdentifier(a.backup[0]) {
			t.Fatalf("kept %v, %v", kept, err)
		}
		b := w.challenged("ann")
		b.post("/two-factor/verify-backup-code", code(kept[0])).fails(t, 401, ErrInvalidBackupCode)
		b.post("/two-factor/verify-backup-code", code(a.backup[0])).ok(t)
		w.challenged("ann").post("/two-factor/verify-backup-code", code(a.backup[0])).fails(t, 401, ErrInvalidBackupCode)
		w.challenged("ann").post("/two-factor/verify-backup-code", code(a.backup[2])).ok(t)
		if kept, err = w.plugin.codesOf(t.Context(), w.rowOf(ann)); err != nil || len(kept) != 1 || kept[0] != HashIdentifier(a.backup[1]) {
			t.Errorf("kept %v, %v", kept, err)
		}
		if _, err := w.plugin.ViewBackupCodes.Call(t.Context(), ViewBackupCodesRequest{UserID: currentUser(t, ann)}); err == nil {
			t.Error("hashes are shown")
		}
	}
	_, err := New(Config{
		BaseURL: testOrigin, Secret: testSecret, Store: NewMemoryStore(),
		Plugins: []Plugin{&TwoFactor{BackupCodes: BackupCodeOptions{Length: 18, Storage: BackupCodeStorage{Hashed: true}}}},
	})
	if err == nil || !strings.Contains(err.Error(), "Length of 19") {
		t.Errorf("short codes are hashed: %v", err)
	}
}

// TestTwoFactorBackupCodeWithoutSession uses a code up without signing in.
func TestTwoFactorBackupCodeWithoutSession(t *testing.T) {
	w := newTwoFactorWorld(t, nil)
	ann, a := w.enrolled()
	in := map[string]any{"code": a.backup[0], "disableSession": true}
	b := w.challenged("ann")
	r := b.post("/two-factor/verify-backup-code", in).ok(t)
	if strings.Contains(r.body, "token") || len(r.Header["Set-Cookie"]) > 0 || b.signedIn() {
		t.Errorf("%s %q", r.body, r.Header["Set-Cookie"])
	}
	b.post("/two-factor/verify-totp", code(a.code(0))).fails(t, 401, ErrInvalidTwoFactorCookie)
	in["code"] = a.backup[1]
	r = ann.post("/two-factor/verify-backup-code", in).ok(t)
	if r.field(t, "token") != ann.session(t).Token {
		t.Errorf("%s", r.body)
	}
}

// TestTwoFactorStoredCodes: what cannot be read is no code, what cannot be decrypted
// an internal error that costs nobody an attempt.
func TestTwoFactorStoredCodes(t *testing.T) {
	w := newTwoFactorWorld(t, nil)
	ann, a := w.enrolled()
	store := func(column, text string) {
		t.Helper()
		if _, err := w.plugin.rows.Update(t.Context(), map[string]any{column: text}); err != nil {
			t.Fatal(err)
		}
	}
	unreadable, err := w.plugin.seal(`{"no":"array"}`)
	if err != nil {
		t.Fatal(err)
	}
	b := w.challenged("ann")
	store("backupCodes", unreadable)
	b.post("/two-factor/verify-backup-code", code("no")).fails(t, 401, ErrInvalidBackupCode)
	if _, err := w.plugin.ViewBackupCodes.Call(t.Context(), ViewBackupCodesRequest{UserID: currentUser(t, ann)}); !errors.Is(err, ErrInvalidBackupCode) {
		t.Errorf("%v", err)
	}
	if _, err := w.plugin.ViewBackupCodes.Call(t.Context(), ViewBackupCodesRequest{UserID: "nobody"}); !errors.Is(err, ErrBackupCodesNotEnabled) {
		t.Errorf("%v", err)
	}
	store("backupCodes", "damaged")
	secret := w.rowOf(ann).Secret
	store("secret", "damaged")
	for range 6 {
		b.post("/two-factor/verify-backup-code", code(a.backup[0])).fails(t, 500, "")
		b.post("/two-factor/verify-totp", code(a.code(0))).fails(t, 500, "")
	}
	imported, err := w.plugin.seal("base32:JBSWY3DPEHPK3PXP")
	if err != nil {
		t.Fatal(err)
	}
	store("secret", imported)
	key, _ := decodeBase32("JBSWY3DPEHPK3PXP")
	a.key = key
	b.post("/two-factor/verify-totp", code(a.code(0))).ok(t)
	store("secret", secret)
}

// TestTwoFactorTrustedDevice: a device that is trusted needs no second factor, under
// a new name after each sign-in, for as long as it is used.
func TestTwoFactorTrustedDevice(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newTwoFactorWorld(t, nil)
		_, a := w.enrolled()
		bob := w.as("bob")
		w.setUp(bob, "bob")
		b := w.challenged("ann")
		r := b.post("/two-factor/verify-totp", map[string]any{"code": a.code(0), "trustDevice": true}).ok(t)
		if line := r.cookie("better-auth.trust_device"); !strings.Contains(line, "Max-Age=2592000") {
			t.Errorf("cookies %q", r.Header["Set-Cookie"])
		}
		for range 3 {
			old := b.cookies["better-auth.trust_device"]
			time.Sleep(29 * 24 * time.Hour)
			delete(b.cookies, "better-auth.session_token")
			r = b.post("/sign-in/email", credentials("ann")).ok(t)
			lines := r.Header["Set-Cookie"]
			if !b.signedIn() || b.cookies["better-auth.trust_device"] == old || !strings.HasPrefix(lines[len(lines)-1], "better-auth.trust_device=") {
				t.Errorf("cookies %q", lines)
			}
			stolen := w.browser()
			stolen.cookies["better-auth.trust_device"] = old
			if r := stolen.post("/sign-in/email", credentials("ann")).ok(t); r.field(t, "twoFactorRedirect") != true || !strings.Contains(r.cookie("better-auth.trust_device"), "Max-Age=0") {
				t.Errorf("an old name: %s", r.body)
			}
		}
		trust := b.cookies["better-auth.trust_device"]
		if r := b.post("/sign-in/email", credentials("bob")).ok(t); r.field(t, "twoFactorRedirect") != true {
			t.Errorf("ann's device is bob's: %s", r.body)
		}
		b.cookies["better-auth.trust_device"] = trust
		time.Sleep(30*24*time.Hour + time.Second)
		if r := b.post("/sign-in/email", credentials("ann")).ok(t); r.field(t, "twoFactorRedirect") != true {
			t.Errorf("for ever: %s", r.body)
		}
	})
}

// TestTwoFactorTrustEnds with the second factor.
func TestTwoFactorTrustEnds(t *testing.T) {
	w := newTwoFactorWorld(t, nil)
	_, a := w.enrolled()
	b := w.challenged("ann")
	b.post("/two-factor/verify-totp", map[string]any{"code": a.code(0), "trustDevice": true}).ok(t)
	trust := b.cookies["better-auth.trust_device"]
	r := b.post("/two-factor/disable", map[string]any{"password": "password of ann"}).ok(t)
	if !strings.Contains(r.cookie("better-auth.trust_device"), "Max-Age=0") {
		t.Errorf("cookies %q", r.Header["Set-Cookie"])
	}
	w.setUp(b, "ann")
	b = w.browser()
	b.cookies["better-auth.trust_device"] = trust
	if r := b.post("/sign-in/email", credentials("ann")).ok(t); r.field(t, "twoFactorRedirect") != true {
		t.Errorf("trusted: %s", r.body)
	}
}

// TestTwoFactorForgedDevice: a device is trusted only by who has signed for it.
func TestTwoFactorForgedDevice(t *testing.T) {
	w := newTwoFactorWorld(t, nil)
	ann, a := w.enrolled()
	user := currentUser(t, ann)
	b := w.challenged("ann")
	b.post("/two-factor/verify-totp", map[string]any{"code": a.code(0), "trustDevice": true}).ok(t)
	real, _ := w.core.signer.openCookie(b.cookies["better-auth.trust_device"])
	signature, name, _ := strings.Cut(real, "!")
	if err := w.core.createVerification(t.Context(), "planted-", "x", user, time.Hour); err != nil {
		t.Fatal(err)
	}
	if err := w.core.createVerification(t.Context(), purposeTrustDevice, "bobs", "bob", time.Hour); err != nil {
		t.Fatal(err)
	}
	sign := func(value string) string { return encodeURIComponent(w.core.signer.signCookie(value)) }
	for reason, value := range map[string]string{
		"a row of another user":   sign(w.plugin.services.Sign(user+"!trust-device-bobs") + "!trust-device-bobs"),
		"no signature":            encodeURIComponent(real),
		"not the name":            sign(signature),
		"another user's":          sign(w.plugin.services.Sign("bob!"+name) + "!" + name),
		"a name without a row":    sign(w.plugin.services.Sign(user+"!trust-device-x") + "!trust-device-x"),
		"a row of another kind":   sign(w.plugin.services.Sign(user+"!planted-x") + "!planted-x"),
		"the cookie of a session": ann.cookies["better-auth.session_token"],
	} {
		b := w.browser()
		b.cookies["better-auth.trust_device"] = value
		if r := b.post("/sign-in/email", credentials("ann")).ok(t); r.field(t, "twoFactorRedirect") != true {
			t.Errorf("%s: %s", reason, r.body)
		}
	}
	good := w.browser()
	good.cookies["better-auth.trust_device"] = sign(real)
	if good.post("/sign-in/email", credentials("ann")).ok(t); !good.signedIn() {
		t.Error("the cookie itself is not believed")
	}
}

// TestTwoFactorTrustOfContract has the signature of the contract, section 0.5.
func TestTwoFactorTrustOfContract(t *testing.T) {
	w := newTwoFactorWorld(t, nil, func(c *Config) { c.Secret = "test-secret-test-secret-test-secret-0123456789" })
	text := deviceText(&User{ID: "user1"}, strings.Repeat("A", 32))
	if got := w.plugin.services.Sign(text); got != "LQYxfSLHc_aQm_q6b9cYMYV1-D9er_RfAb_h6FdqQeI" {
		t.Errorf("signature %s", got)
	}
}

// TestTwoFactorEverywhere: other sign-ins go on as they always did, unless all are to
// be asked.
func TestTwoFactorEverywhere(t *testing.T) {
	for _, everywhere := range []bool{false, true} {
		f := &fakeProvider{users: map[string]string{"ann": annAtAcme}, tokens: map[string]string{}}
		w := newTwoFactorWorld(t, func(p *TwoFactor) {
			p.Everywhere, p.Page = everywhere, "/second?x=1"
		}, func(c *Config) {
			c.Providers = []Provider{acme}
			c.HTTPClient = &http.Client{Transport: f}
			c.EmailVerification.AutoSignIn = true
		})
		w.browser().signInAt("ann").leads(t, "/in")
		user, err := w.plugin.services.UserByEmail(t.Context(), "ann@example.com")
		if err != nil {
			t.Fatal(err)
		}
		change := func(column string, value bool) {
			if _, err := w.core.updateUser(t.Context(), user.ID, map[string]any{column: value}); err != nil {
				t.Fatal(err)
			}
		}
		change(enabledColumn, true)
		b := w.browser()
		r := b.signInAt("ann")
		w.checkLed(b, r, everywhere, "/in")

		change("emailVerified", false)
		b = w.browser()
		b.post("/send-verification-email", map[string]any{"email": "ann@example.com", "callbackURL": "/in"}).ok(t)
		b = w.browser()
		w.checkLed(b, b.follow(w.lastMail().URL), everywhere, "/in")
	}
}

func (w *twoFactorWorld) checkLed(b *browser, r reply, everywhere bool, target string) {
	w.t.Helper()
	if !everywhere {
		if r.leads(w.t, target); !b.signedIn() {
			w.t.Error("not signed in")
		}
		return
	}
	r.leads(w.t, testOrigin+"/second?x=1&methods=otp")
	if b.signedIn() || b.cookies["better-auth.two_factor"] == "" {
		w.t.Errorf("cookies %q", r.Header["Set-Cookie"])
	}
	b.post("/two-factor/send-otp", "").ok(w.t)
	b.post("/two-factor/verify-otp", code(w.lastCode())).ok(w.t)
	if !b.signedIn() {
		w.t.Error("not signed in after the second factor")
	}
}

// TestTwoFactorEverywherePlugins: what plugins sign in with is asked too.
func TestTwoFactorEverywherePlugins(t *testing.T) {
	var link, otp string
	w := newTwoFactorWorld(t, func(p *TwoFactor) { p.Everywhere, p.Page = true, "https://app.example.com/second" }, func(c *Config) {
		c.Plugins = []Plugin{
			&MagicLink{Send: func(_ context.Context, m MagicLinkMail) error { link = m.URL; return nil }},
			&EmailOTP{Send: func(_ context.Context, m OTPMail) error { otp = m.Code; return nil }},
		}
	})
	ann := w.as("ann")
	ann.post("/two-factor/enable", map[string]any{"password": "password of ann", "method": "otp"}).ok(t)
	id := ann.get("/get-session").field(t, "user.id").(string)
	if _, err := w.core.updateUser(t.Context(), id, map[string]any{"emailVerified": true}); err != nil {
		t.Fatal(err) // otherwise the link takes the second factor away
	}

	b := w.browser()
	b.post("/sign-in/magic-link", map[string]any{"email": "ann@example.com", "callbackURL": "/in"}).ok(t)
	b.follow(link).leads(t, "https://app.example.com/second?methods=otp")
	b.post("/two-factor/send-otp", "").ok(t)
	b.post("/two-factor/verify-otp", code(w.lastCode())).ok(t)
	if !b.signedIn() {
		t.Error("a link and a code do not sign in")
	}

	b = w.browser()
	b.post("/email-otp/send-verification-otp", map[string]any{"email": "ann@example.com", "type": "sign-in"}).ok(t)
	r := b.post("/sign-in/email-otp", map[string]any{"email": "ann@example.com", "otp": otp}).ok(t)
	if r.body != `{"twoFactorRedirect":true,"twoFactorMethods":["otp"]}` || b.signedIn() {
		t.Errorf("a code of e-mail signs in: %s", r.body)
	}
	b.post("/two-factor/send-otp", "").ok(t)
	b.post("/two-factor/verify-otp", code(w.lastCode())).ok(t)
	if !b.signedIn() {
		t.Error("two codes do not sign in")
	}
}
