package auth

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"
)

// eventWorld is an instance with nearly everything switched on, and what OnEvent was
// told.
type eventWorld struct {
	*world
	provider  *fakeProvider
	twoFactor *twoFactorWorld

	mu     sync.Mutex
	events []Event
	codes  []string // that were mailed or sent
	links  []MagicLinkMail
}

func newEventWorld(t *testing.T, edit func(*Config)) *eventWorld {
	w := &eventWorld{twoFactor: &twoFactorWorld{}}
	w.twoFactor.plugin = &TwoFactor{Lockout: TwoFactorLockout{MaxFailedAttempts: 2}, OTP: TwoFactorOTPOptions{Send: w.twoFactor.receive}}
	w.world, w.provider = newSocialWorld(t, func(c *Config) {
		c.OnEvent = func(_ context.Context, e Event) {
			w.mu.Lock()
			defer w.mu.Unlock()
			w.events = append(w.events, e)
		}
		c.Plugins = []Plugin{
			&Username{}, &OneTimeToken{}, &MultiSession{}, w.twoFactor.plugin,
			&EmailOTP{EmailChange: OTPEmailChange{Enabled: true}, Send: func(_ context.Context, m OTPMail) error { w.codes = append(w.codes, m.Code); return nil }},
			&MagicLink{Send: func(_ context.Context, m MagicLinkMail) error { w.links = append(w.links, m); return nil }},
		}
		if edit != nil {
			edit(c)
		}
	})
	w.twoFactor.world = w.world
	return w
}

// told returns what OnEvent was told since the last call, a line each: the fields that
// are the same in each run with their values, of the others that they are there.
func (w *eventWorld) told() (lines []string) {
	w.mu.Lock()
	defer w.mu.Unlock()
	for _, e := range w.events {
		lines = append(lines, sketch(e))
	}
	w.events = nil
	return lines
}

func sketch(e Event) string {
	line := string(e.Name)
	for _, field := range e.attrs() {
		if slices.Contains([]string{"address", "user", "session", "identifier", "key"}, field.Key) {
			line += " " + field.Key
		} else {
			line += " " + field.String()
		}
	}
	return line
}

func (w *eventWorld) lastMail() Mail          { return w.mails[len(w.mails)-1] }
func (w *eventWorld) lastCode() string        { return w.codes[len(w.codes)-1] }
func (w *eventWorld) lastLink() MagicLinkMail { return w.links[len(w.links)-1] }
func (w *eventWorld) code(typ OTPType, email string) string {
	w.browser().post("/email-otp/send-verification-otp", map[string]any{"email": email, "type": typ}).ok(w.t)
	return w.lastCode()
}

// challenged is a browser in which ann has given her password and no second factor.
func (w *eventWorld) challenged() *browser {
	b := w.browser()
	b.post("/sign-in/email", credentials("ann")).ok(w.t)
	return b
}

// An eventFlow is what somebody does and the events of it, all of them, in order. Ann
// has signed up in a browser of her own before.
type eventFlow struct {
	does string
	edit func(*Config)
	run  func(w *eventWorld, ann *browser)
	want string // lines
}

const (
	startsAnn  = "sign_in address user session identifier method=email\n"
	challenges = "second_factor_challenged address user method=email\n"
)

var eventFlows = []eventFlow{
	{does: "sign up", run: func(w *eventWorld, _ *browser) { w.as("bob") }, want: `
sign_up address user identifier method=email-password
sign_in address user session identifier method=email`},
	{does: "sign up where that asks for a mail", edit: requireVerification, run: func(w *eventWorld, _ *browser) { w.as("bob") }, want: `
sign_up address user identifier method=email-password
email_verification_sent address user`},
	{does: "sign up again", run: func(w *eventWorld, _ *browser) { w.browser().post("/sign-up/email", credentials("ann")) }, want: ``},
	{does: "sign in", run: func(w *eventWorld, _ *browser) { w.signIn("ann") }, want: startsAnn},
	{does: "sign in by Call", run: func(w *eventWorld, _ *browser) {
		if _, err := w.API.SignInEmail.Call(w.t.Context(), SignInEmailRequest{Email: "ann@example.com", Password: "password of ann"}); err != nil {
			w.t.Error(err)
		}
	}, want: `sign_in user session identifier method=email`},
	{does: "a wrong password, and an unknown address", run: func(w *eventWorld, _ *browser) {
		for _, email := range []string{"ann@example.com", "nobody@example.com"} {
			w.browser().post("/sign-in/email", map[string]any{"email": email, "password": "password of nobody"}).fails(w.t, 401, ErrInvalidEmailOrPassword)
		}
	}, want: `
sign_in_failed address identifier method=email reason=credentials
sign_in_failed address identifier method=email reason=credentials`},
	{does: "a right password for an address that is not verified", edit: requireVerification, run: func(w *eventWorld, _ *browser) {
		w.browser().post("/sign-in/email", credentials("ann")).fails(w.t, 403, ErrEmailNotVerified)
	}, want: `sign_in_failed address user reason=unverified`},
	{does: "sign in with a user name", run: func(w *eventWorld, ann *browser) {
		ann.post("/update-user", map[string]any{"username": "annie"}).ok(w.t)
		w.browser().post("/sign-in/username", map[string]any{"username": "annie", "password": "password of ann"}).ok(w.t)
		w.browser().post("/sign-in/username", map[string]any{"username": "annie", "password": "password of nobody"})
		w.browser().post("/sign-in/username", map[string]any{"username": "nobody", "password": "password of nobody"})
	}, want: `
user_updated address user fields=[username]
sign_in address user session identifier method=username
sign_in_failed address identifier method=username reason=credentials
sign_in_failed address identifier method=username reason=credentials`},
	{does: "sign out, twice", run: func(w *eventWorld, ann *browser) {
		kept := ann.cookieHeader()
		ann.post("/sign-out", "{}").ok(w.t)
		again := w.browser()
		again.header.Set("Cookie", kept)
		again.post("/sign-out", "{}").ok(w.t)
	}, want: `sign_out address user session`},
	{does: "revoke sessions", run: func(w *eventWorld, ann *browser) {
		other := w.signIn("ann").session(w.t)
		ann.post("/revoke-session", map[string]any{"token": other.Token}).ok(w.t)
		ann.post("/revoke-session", map[string]any{"token": other.Token}).ok(w.t)
		ann.post("/revoke-other-sessions", "{}").ok(w.t)
		ann.post("/revoke-sessions", "{}").ok(w.t)
	}, want: startsAnn + `
session_revoked address user session
sessions_revoked address user session method=others
sessions_revoked address user method=all`},
	{does: "several sessions in a browser", run: func(w *eventWorld, ann *browser) {
		first := ann.session(w.t).Token
		second := ann.alsoAs("bob")
		ann.post("/multi-session/set-active", map[string]string{"sessionToken": first}).ok(w.t)
		ann.post("/multi-session/revoke", map[string]string{"sessionToken": second}).ok(w.t)
	}, want: `
sign_up address user identifier method=email-password
sign_in address user session identifier method=email
session_switched address user session
session_revoked address user session method=multi-session`},
	{does: "change the password", run: func(w *eventWorld, ann *browser) {
		ann.post("/change-password", map[string]any{"currentPassword": "password of nobody", "newPassword": "password of Ann", "revokeOtherSessions": true}).fails(w.t, 400, ErrInvalidPassword)
		ann.post("/change-password", map[string]any{"currentPassword": "password of ann", "newPassword": "password of Ann", "revokeOtherSessions": true}).ok(w.t)
	}, want: `
password_refused address user path=/change-password
password_changed address user session sessions_revoked=true`},
	{does: "show the password", run: func(w *eventWorld, ann *browser) {
		ann.post("/verify-password", map[string]any{"password": "password of nobody"}).fails(w.t, 400, ErrInvalidPassword)
		ann.post("/verify-password", map[string]any{"password": "password of ann"}).ok(w.t)
	}, want: `password_refused address user path=/verify-password`},
	{does: "a first password", run: func(w *eventWorld, _ *browser) {
		b := w.browser()
		w.provider.users["zoe"] = `{"id":8,"name":"Zoe","email":"zoe@example.com","email_verified":true}`
		b.signInAt("zoe")
		if _, err := w.API.SetPassword.Call(w.t.Context(), SetPasswordRequest{NewPassword: "password of zoe"}, WithHeaders(b.headers())); err != nil {
			w.t.Error(err)
		}
	}, want: `
sign_up address user identifier method=oauth provider=acme
sign_in address user session identifier method=social provider=acme
password_set user`},
	{does: "reset the password", run: func(w *eventWorld, _ *browser) {
		b := w.browser()
		b.post("/request-password-reset", map[string]any{"email": "nobody@example.com"}).ok(w.t)
		b.post("/request-password-reset", map[string]any{"email": "ann@example.com"}).ok(w.t)
		reset := map[string]any{"token": w.lastMail().Token, "newPassword": "password of Ann"}
		b.post("/reset-password", reset).ok(w.t)
		b.post("/reset-password", reset).fails(w.t, 400, ErrInvalidToken)
	}, want: `
password_reset_requested address identifier method=link
password_reset_requested address user identifier method=link
password_reset address user method=link sessions_revoked=false
token_refused address method=reset-password reason=invalid`},
	{does: "verify an address", edit: func(c *Config) { c.EmailVerification.AutoSignIn = true }, run: func(w *eventWorld, ann *browser) {
		ann.post("/send-verification-email", map[string]any{"email": "ann@example.com"}).ok(w.t)
		w.browser().follow(w.lastMail().URL)
		w.browser().follow(w.lastMail().URL)
		w.browser().get("/verify-email?token=x").fails(w.t, 401, ErrInvalidToken)
	}, want: `
email_verification_sent address user
email_verified address user method=link
sign_in address user session identifier method=verify-email
token_refused address method=verify-email reason=invalid_token`},
	{does: "change an address", run: func(w *eventWorld, ann *browser) {
		ann.post("/change-email", map[string]any{"newEmail": "annie@example.com"}).ok(w.t)
		ann.follow(w.lastMail().URL)
		w.as("bob")
		w.told()
		ann.post("/change-email", map[string]any{"newEmail": "bob@example.com"}).ok(w.t)
	}, want: `email_change_requested address user identifier reason=taken`},
	{does: "change an address, step by step", run: func(w *eventWorld, ann *browser) {
		ann.post("/change-email", map[string]any{"newEmail": "annie@example.com"}).ok(w.t)
		ann.follow(w.lastMail().URL)
	}, want: `
email_change_requested address user identifier
email_changed address user identifier method=link`},
	{does: "change an address that nobody has verified", edit: func(c *Config) { c.User.ChangeEmail.WithoutVerification = true }, run: func(w *eventWorld, ann *browser) {
		ann.post("/change-email", map[string]any{"newEmail": "annie@example.com"}).ok(w.t)
	}, want: `
email_changed address user identifier method=unverified
email_verification_sent address user`},
	{does: "confirm at the old address first", edit: func(c *Config) { c.User.ChangeEmail.SendConfirmation = c.EmailVerification.Send }, run: func(w *eventWorld, ann *browser) {
		if _, err := w.core.updateUser(w.t.Context(), currentUser(w.t, ann), map[string]any{"emailVerified": true}); err != nil {
			w.t.Error(err)
		}
		ann.post("/change-email", map[string]any{"newEmail": "annie@example.com"}).ok(w.t)
	}, want: `email_change_requested address user identifier`},
	{does: "change a name", run: func(w *eventWorld, ann *browser) { ann.post("/update-user", map[string]any{"name": "Annie"}).ok(w.t) },
		want: `user_updated address user fields=[name]`},
	{does: "delete a user", run: func(w *eventWorld, ann *browser) { ann.post("/delete-user", "{}").ok(w.t) }, want: `user_deleted address user`},
	{does: "delete a user by a link", edit: func(c *Config) { c.User.Delete.SendVerification = c.EmailVerification.Send }, run: func(w *eventWorld, ann *browser) {
		ann.post("/delete-user", "{}").ok(w.t)
		ann.get("/delete-user/callback?token=unknown").fails(w.t, 404, ErrInvalidToken)
		ann.follow(w.lastMail().URL)
	}, want: `
user_deletion_requested address user
token_refused address user method=delete-user reason=invalid
user_deleted address user`},

	{does: "sign in at a provider", run: func(w *eventWorld, ann *browser) {
		if _, err := w.core.updateUser(w.t.Context(), currentUser(w.t, ann), map[string]any{"emailVerified": true}); err != nil {
			w.t.Error(err)
		}
		w.browser().signInAt("ann")
		w.browser().signInAt("ann")
	}, want: `
account_linked address user method=sign-in provider=acme
sign_in address user session identifier method=social provider=acme
sign_in address user session identifier method=social provider=acme`},
	{does: "link and unlink", run: func(w *eventWorld, ann *browser) {
		ann.callback(ann.begin("/link-social", nil), "ann")
		account := onlyAccountAt(w.t, ann, "acme")
		ann.post("/unlink-account", map[string]any{"accountId": account}).ok(w.t)
		ann.post("/unlink-account", map[string]any{"accountId": account}).fails(w.t, 400, ErrFailedToUnlinkLastAccount)
	}, want: `
account_linked address user method=link provider=acme
account_unlinked address user provider=acme`},
	{does: "callbacks that come to nothing", run: func(w *eventWorld, ann *browser) {
		b := w.browser()
		b.get("/callback/acme?code=x&state=unknown")
		b.signInAt("ann")
		u := b.begin("/sign-in/social", nil)
		b.get("/callback/acme?error=access_denied&state=" + u.Query().Get("state"))
		u = b.begin("/sign-in/social", nil)
		b.get("/callback/acme?error=" + strings.Repeat("x", 1000) + "&state=" + u.Query().Get("state"))
		b.signInAt("unknown")
		u = ann.begin("/link-social", nil)
		ann.get("/callback/acme?error=access_denied&state=" + u.Query().Get("state"))
	}, want: `
provider_callback_failed address reason=state_mismatch
provider_callback_failed address provider=acme reason=account_not_linked
provider_callback_failed address provider=acme reason=access_denied
provider_callback_failed address provider=acme reason=provider_error
provider_callback_failed address provider=acme reason=invalid_code
provider_callback_failed address user provider=acme reason=access_denied`},
	{does: "tokens that cannot be refreshed", run: func(w *eventWorld, ann *browser) {
		w.provider.tokens["ann"] = `,"refresh_token":"gone","expires_in":1`
		ann.callback(ann.begin("/link-social", nil), "ann")
		w.told()
		account := onlyAccountAt(w.t, ann, "acme")
		ann.post("/refresh-token", map[string]any{"accountId": account}).fails(w.t, 400, ErrFailedToRefreshAccessToken)
		ann.post("/get-access-token", map[string]any{"accountId": account}).fails(w.t, 400, ErrFailedToGetAccessToken)
	}, want: `
provider_tokens_failed address user provider=acme
provider_tokens_failed address user provider=acme`},
	{does: "two accounts that are one", run: func(w *eventWorld, _ *browser) {
		w.browser().signInAt("ann")
		for _, id := range []string{"a", "b"} {
			err := w.core.accounts.create(w.t.Context(), &Account{AccountID: "7", ProviderID: "acme", UserID: id, CreatedAt: now(), UpdatedAt: now()})
			if err != nil {
				w.t.Error(err)
			}
		}
		w.told()
		w.browser().signInAt("ann")
	}, want: `impossible_state address provider=acme reason=two_accounts`},
	{does: "an account without its user", run: func(w *eventWorld, _ *browser) {
		err := w.core.accounts.create(w.t.Context(), &Account{AccountID: "7", ProviderID: "acme", UserID: "gone", CreatedAt: now(), UpdatedAt: now()})
		if err != nil {
			w.t.Error(err)
		}
		w.browser().signInAt("ann")
	}, want: `
impossible_state address user provider=acme reason=account_without_user
provider_callback_failed address provider=acme reason=unable_to_link_account`},

	{does: "sign in by a link", run: func(w *eventWorld, _ *browser) {
		w.browser().post("/sign-in/magic-link", map[string]any{"email": "new@example.com"}).ok(w.t)
		w.browser().follow(w.lastLink().URL)
		w.browser().follow(w.lastLink().URL)
	}, want: `
sign_in_requested address identifier method=magic-link
sign_up address user identifier method=magic-link
sign_in address user session identifier method=magic-link
sign_in_failed address method=magic-link reason=invalid_token`},
	{does: "prove a mailbox by a link", run: func(w *eventWorld, _ *browser) {
		w.browser().post("/sign-in/magic-link", map[string]any{"email": "ann@example.com"}).ok(w.t)
		w.browser().follow(w.lastLink().URL)
	}, want: `
sign_in_requested address identifier method=magic-link
email_verified address user method=mailbox
sign_in address user session identifier method=magic-link`},
	{does: "sign in by a code", run: func(w *eventWorld, _ *browser) {
		code := w.code(OTPSignIn, "new@example.com")
		w.browser().post("/sign-in/email-otp", map[string]any{"email": "new@example.com", "otp": wrongCode(code)}).fails(w.t, 400, ErrInvalidOTP)
		w.browser().post("/sign-in/email-otp", map[string]any{"email": "new@example.com", "otp": code}).ok(w.t)
	}, want: `
sign_in_requested address identifier method=email-otp
sign_in_failed address method=email-otp reason=invalid_otp
sign_up address user identifier method=email-otp
sign_in address user session identifier method=email-otp`},
	{does: "verify, reset and change by codes", run: func(w *eventWorld, ann *browser) {
		w.code(OTPVerifyEmail, "ann@example.com")
		verify := map[string]any{"email": "ann@example.com", "otp": w.lastCode()}
		ann.post("/email-otp/verify-email", verify).ok(w.t)
		ann.post("/email-otp/verify-email", verify).fails(w.t, 400, ErrInvalidOTP)
		ann.post("/email-otp/request-password-reset", map[string]any{"email": "ann@example.com"}).ok(w.t)
		ann.post("/email-otp/reset-password", map[string]any{"email": "ann@example.com", "otp": w.lastCode(), "password": "password of Ann"}).ok(w.t)
		ann.post("/email-otp/request-email-change", map[string]any{"newEmail": "annie@example.com"}).ok(w.t)
		ann.post("/email-otp/change-email", map[string]any{"newEmail": "annie@example.com", "otp": w.lastCode()}).ok(w.t)
	}, want: `
email_verification_sent address user identifier method=email-otp
email_verified address user method=email-otp
token_refused address method=email-verification reason=invalid_otp
password_reset_requested address user identifier method=email-otp
password_reset address user method=email-otp sessions_revoked=false
email_change_requested address user identifier method=email-otp
email_changed address user identifier method=email-otp`},
	{does: "take a session elsewhere", run: func(w *eventWorld, ann *browser) {
		token := ann.oneTimeToken()
		w.browser().redeem(token).ok(w.t)
		w.browser().redeem(token)
	}, want: `
one_time_token_used address user session
token_refused address method=one-time-token reason=invalid_token`},

	{does: "turn the second factor on and off", run: func(w *eventWorld, ann *browser) {
		w.twoFactor.setUp(ann, "ann")
		ann.post("/two-factor/generate-backup-codes", map[string]any{"password": "password of ann"}).ok(w.t)
		ann.post("/two-factor/disable", map[string]any{"password": "password of nobody"}).fails(w.t, 400, ErrInvalidPassword)
		ann.post("/two-factor/disable", map[string]any{"password": "password of ann"}).ok(w.t)
	}, want: `
second_factor_enabled address user session
backup_codes_generated address user session
password_refused address user path=/two-factor/disable
second_factor_disabled address user session`},
	{does: "sign in with a code of an app and trust the device", run: func(w *eventWorld, ann *browser) {
		app := w.twoFactor.setUp(ann, "ann")
		w.told()
		b := w.challenged()
		b.post("/two-factor/verify-totp", map[string]any{"code": app.wrong()}).fails(w.t, 401, ErrInvalidCode)
		b.post("/two-factor/verify-totp", map[string]any{"code": app.code(0), "trustDevice": true}).ok(w.t)
		b.post("/two-factor/verify-totp", map[string]any{"code": app.code(0)}).ok(w.t)
		b.post("/sign-in/email", credentials("ann")).ok(w.t)
	}, want: challenges + `
second_factor_failed address user method=totp reason=wrong
second_factor_passed address user method=totp
sign_in address user session identifier method=two-factor factor=totp
device_trusted address user session
second_factor_passed address user method=totp
sign_in address user session identifier method=email`},
	{does: "sign in with a code that was sent", run: func(w *eventWorld, ann *browser) {
		w.twoFactor.setUp(ann, "ann")
		w.told()
		b := w.challenged()
		b.post("/two-factor/send-otp", "{}").ok(w.t)
		code := w.twoFactor.lastCode()
		b.post("/two-factor/verify-otp", map[string]any{"code": wrongCode(code)}).fails(w.t, 401, ErrInvalidCode)
		b.post("/two-factor/verify-otp", map[string]any{"code": code}).ok(w.t)
		b.post("/two-factor/verify-otp", map[string]any{"code": code}).fails(w.t, 400, ErrOTPHasExpired)
	}, want: challenges + `
second_factor_failed address user method=otp reason=wrong
second_factor_passed address user method=otp
sign_in address user session identifier method=two-factor factor=otp
second_factor_failed address user method=otp reason=expired`},
	{does: "sign in with a backup code", run: func(w *eventWorld, ann *browser) {
		app := w.twoFactor.setUp(ann, "ann")
		w.told()
		b := w.challenged()
		b.post("/two-factor/verify-backup-code", map[string]any{"code": app.backup[0]}).ok(w.t)
	}, want: challenges + `
backup_code_used address user
second_factor_passed address user method=backup-code
sign_in address user session identifier method=two-factor factor=backup-code`},
	{does: "guess codes until the user is locked", run: func(w *eventWorld, ann *browser) {
		app := w.twoFactor.setUp(ann, "ann")
		w.told()
		b := w.challenged()
		for range 3 {
			b.post("/two-factor/verify-totp", map[string]any{"code": app.wrong()})
		}
	}, want: challenges + `
second_factor_failed address user method=totp reason=wrong
second_factor_failed address user method=totp reason=wrong
second_factor_locked address user method=totp reason=user
second_factor_failed address user method=totp reason=locked`},
	{does: "guess codes until the challenge is over", edit: func(c *Config) {
		for _, p := range c.Plugins {
			if p, ok := p.(*TwoFactor); ok {
				p.Lockout.Disabled = true
			}
		}
	}, run: func(w *eventWorld, ann *browser) {
		app := w.twoFactor.setUp(ann, "ann")
		b := w.challenged()
		for range challengeAttempts {
			b.post("/two-factor/verify-totp", map[string]any{"code": app.wrong()})
		}
		w.told()
		b.post("/two-factor/verify-totp", map[string]any{"code": app.code(0)}).fails(w.t, 400, ErrTooManyAttemptsRequestNewCode)
	}, want: `second_factor_locked address user method=totp reason=challenge`},

	{does: "ask too often", edit: func(c *Config) { c.RateLimit = RateLimit{Max: 1, Window: time.Hour} }, run: func(w *eventWorld, _ *browser) {
		w.browser().get("/ok")
		w.browser().get("/ok")
	}, want: `rate_limited address path=/ok`},
	{does: "come from elsewhere", run: func(w *eventWorld, ann *browser) {
		ann.header.Set("Origin", "https://evil.example/?secret=1")
		ann.post("/sign-out", "{}").fails(w.t, 403, ErrInvalidOrigin)
		ann.header.Del("Origin")
		ann.post("/sign-out", "{}").fails(w.t, 403, ErrMissingOrNullOrigin)
		stranger := w.browser()
		stranger.header.Set("Origin", "https://evil.example")
		stranger.post("/sign-in/email", credentials("ann")).fails(w.t, 403, ErrInvalidOrigin)
		stranger.header = http.Header{"Sec-Fetch-Site": {"cross-site"}, "Sec-Fetch-Mode": {"navigate"}, "Origin": {strings.Repeat("x", 1000)}}
		stranger.post("/sign-in/email", credentials("ann")).fails(w.t, 403, ErrCrossSiteNavigationLoginBlocked)
	}, want: `
origin_refused address reason=invalid_origin path=/sign-out origin=https://evil.example
origin_refused address reason=missing_or_null_origin path=/sign-out origin=
origin_refused address reason=invalid_origin path=/sign-in/email origin=https://evil.example
origin_refused address reason=cross_site_navigation_login_blocked path=/sign-in/email origin=unreadable`},
	{does: "lead elsewhere", run: func(w *eventWorld, _ *browser) {
		w.browser().post("/request-password-reset", map[string]any{"email": "ann@example.com", "redirectTo": "https://evil.example/?token=1"}).fails(w.t, 403, ErrInvalidRedirectURL)
		w.browser().get("/verify-email?token=x&callbackURL=https://evil.example/x").fails(w.t, 403, ErrInvalidCallbackURL)
	}, want: `
redirect_refused address reason=invalid_redirect_url path=/request-password-reset origin=https://evil.example
redirect_refused address reason=invalid_callback_url path=/verify-email origin=https://evil.example`},
	{does: "sign in when all processors hash", run: func(w *eventWorld, _ *browser) {
		ctx, cancel := context.WithDeadline(w.t.Context(), time.Now().Add(-time.Second))
		defer cancel()
		_, err := w.API.SignInEmail.Call(ctx, SignInEmailRequest{Email: "ann@example.com", Password: "password of ann"})
		if !errors.Is(err, ErrServiceOverloaded) && !errors.Is(err, context.DeadlineExceeded) {
			w.t.Error(err)
		}
		if err := w.core.passwords.burn(ctx, "x"); !errors.Is(err, ErrServiceOverloaded) {
			w.t.Error(err)
		}
	}, want: `password_overload`},
	{does: "the first JWT", edit: func(c *Config) { c.Plugins = append(c.Plugins, &JWT{}) }, run: func(_ *eventWorld, ann *browser) {
		ann.jwt()
		ann.jwt()
	}, want: `key_rotated address key algorithm=EdDSA`},
}

func requireVerification(c *Config) { c.EmailPassword.RequireEmailVerification = true }

// onlyAccountAt returns the id of the account that a user has at a provider.
func onlyAccountAt(t *testing.T, b *browser, provider string) string {
	t.Helper()
	var accounts []AccountInfo
	if err := json.Unmarshal([]byte(b.get("/list-accounts").ok(t).body), &accounts); err != nil {
		t.Fatal(err)
	}
	for _, account := range accounts {
		if account.ProviderID == provider {
			return account.ID
		}
	}
	t.Fatalf("no account at %s among %v", provider, accounts)
	return ""
}

// secrets are all that nobody but its owner may know: cookies, tokens, codes and
// passwords of a world, as far as tests meet them.
func (w *eventWorld) secrets(browsers ...*browser) []string {
	secrets := []string{"password of", testSecret}
	for _, b := range browsers {
		for _, value := range b.cookies {
			secrets = append(secrets, value, decodeURIComponent(value))
		}
	}
	for _, mail := range w.mails {
		secrets = append(secrets, mail.Token, mail.URL)
	}
	for _, link := range w.links {
		secrets = append(secrets, link.Token)
	}
	return slices.Concat(secrets, w.codes, w.twoFactor.codes)
}

// TestEvents: each flow tells what it is said to, once, with the same fields in the
// log, and no secret, address or name of anybody is among them.
func TestEvents(t *testing.T) {
	for _, flow := range eventFlows {
		t.Run(flow.does, func(t *testing.T) {
			w := newEventWorld(t, flow.edit)
			ann := w.as("ann")
			w.told()
			w.log.Reset()
			flow.run(w, ann)
			events := slices.Clone(w.events)
			want := strings.Split(strings.TrimSpace(regexp.MustCompile("\n+").ReplaceAllString(flow.want, "\n")), "\n")
			if got := w.told(); strings.Join(got, "\n") != strings.Join(want, "\n") {
				t.Errorf("events:\n%s\nwant:\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
			}
			log := w.log.String()
			for _, e := range events {
				var line bytes.Buffer
				slog.New(slog.NewTextHandler(&line, nil)).LogAttrs(t.Context(), e.Level, string(e.Name), e.attrs()...)
				if _, record, _ := strings.Cut(line.String(), " "); !strings.Contains(log, record) {
					t.Errorf("the log has no %s: %s", record, log)
				}
				if e.Time.IsZero() {
					t.Errorf("%s happened at no time", e.Name)
				}
			}
			w.hidesSecrets(t, ann, events)
		})
	}
}

func (w *eventWorld) hidesSecrets(t *testing.T, ann *browser, events []Event) {
	for _, e := range events {
		text := fmt.Sprintf("%+v", e)
		for _, secret := range w.secrets(ann) {
			if len(secret) > 5 && strings.Contains(text, secret) {
				t.Errorf("%s tells the secret %q: %s", e.Name, secret, text)
			}
		}
		for _, personal := range []string{"@example", "annie", "nobody", "secret", "?token"} {
			if strings.Contains(text, personal) {
				t.Errorf("%s tells %q: %s", e.Name, personal, text)
			}
		}
	}
}

// eventConstants are the names that the source declares, by their identifiers, and how
// often each is used elsewhere in it.
func eventConstants(t *testing.T) (values map[string]string, uses map[string]int) {
	t.Helper()
	values, uses = make(map[string]string), make(map[string]int)
	paths, err := filepath.Glob("*.go")
	if err != nil {
		t.Fatal(err)
	}
	for _, path := range paths {
		if strings.HasSuffix(path, "_test.go") {
			continue
		}
		file, err := parser.ParseFile(token.NewFileSet(), path, nil, parser.SkipObjectResolution)
		if err != nil {
			t.Fatal(err)
		}
		ast.Inspect(file, func(n ast.Node) bool {
			switch n := n.(type) {
			case *ast.ValueSpec:
				if kind, ok := n.Type.(*ast.Ident); ok && kind.Name == "EventName" {
					values[n.Names[0].Name] = strings.Trim(n.Values[0].(*ast.BasicLit).Value, `"`)
				}
			case *ast.Ident:
				if path != "event_name.go" {
					uses[n.Name]++
				}
			}
			return true
		})
	}
	return values, uses
}

// TestEventNames: each constant is used, and a flow shows what its event looks like.
func TestEventNames(t *testing.T) {
	values, uses := eventConstants(t)
	shown := new(strings.Builder)
	for _, flow := range eventFlows {
		fmt.Fprintf(shown, "\n%s\n", flow.want)
	}
	for name, value := range values {
		if uses[name] == 0 {
			t.Errorf("%s happens nowhere", name)
		}
		if !strings.Contains(shown.String(), "\n"+value) {
			t.Errorf("no flow of TestEvents tells of %s", name)
		}
		if !regexp.MustCompile(`^[a-z]+(_[a-z]+)*$`).MatchString(value) {
			t.Errorf("%s is %q", name, value)
		}
	}
	if len(values) < 40 {
		t.Errorf("only %d constants were found", len(values))
	}
}

// TestEventDocs keeps docs/events.md true: a row for each event, with its level and
// the fields that the flows show.
func TestEventDocs(t *testing.T) {
	text, err := os.ReadFile("docs/events.md")
	if err != nil {
		t.Fatal(err)
	}
	fields := make(map[string][]string)
	for _, flow := range eventFlows {
		for line := range strings.Lines(flow.want) {
			name, rest, _ := strings.Cut(strings.TrimSpace(line), " ")
			for field := range strings.FieldsSeq(rest) {
				if key, _, _ := strings.Cut(field, "="); !slices.Contains(fields[name], key) && key != "address" && regexp.MustCompile(`^[a-z_]+$`).MatchString(key) {
					fields[name] = append(fields[name], key)
				}
			}
		}
	}
	values, _ := eventConstants(t)
	rows := regexp.MustCompile("(?m)^\\| `(Event\\w+)` \\| `(\\w+)` \\| (Info|Warn) \\|([^|]*)\\|").FindAllStringSubmatch(string(text), -1)
	listed := make(map[string]bool)
	for _, row := range rows {
		name, value, level, said := row[1], row[2], row[3], row[4]
		listed[name] = true
		if values[name] != value {
			t.Errorf("%s is %q and not %q", name, values[name], value)
		}
		if suspicious := EventName(value).suspicious(); suspicious != (level == "Warn") {
			t.Errorf("%s has the level %s", name, level)
		}
		var documented []string
		for _, match := range regexp.MustCompile("`([a-z_]+)`").FindAllStringSubmatch(said, -1) {
			documented = append(documented, match[1])
		}
		slices.Sort(documented)
		slices.Sort(fields[value])
		if !slices.Equal(documented, fields[value]) {
			t.Errorf("%s has the fields %v, the page says %v", name, fields[value], documented)
		}
	}
	for name := range values {
		if !listed[name] {
			t.Errorf("docs/events.md has no row for %s", name)
		}
	}
}

// TestEventsWaitForCommit: what is not stored did not happen, what was refused did; and
// nobody is told before it is stored.
func TestEventsWaitForCommit(t *testing.T) {
	w := newEventWorld(t, nil)
	attempt := func(fail error) {
		err := w.Transaction(t.Context(), func(ctx context.Context) error {
			if _, err := w.API.SignUpEmail.Call(ctx, SignUpEmailRequest{Name: "Bob", Email: "bob@example.com", Password: "password of bob"}); err != nil {
				return err
			}
			if got := w.told(); len(got) != 0 {
				t.Errorf("told before the commit: %v", got)
			}
			_, _ = w.API.SignInEmail.Call(ctx, SignInEmailRequest{Email: "bob@example.com", Password: "wrong"})
			if got := w.told(); len(got) != 1 || !strings.HasPrefix(got[0], "sign_in_failed") {
				t.Errorf("a failure tells %v", got)
			}
			return fail
		})
		if !errors.Is(err, fail) {
			t.Error(err)
		}
	}
	attempt(errSecret)
	if got := w.told(); len(got) != 0 {
		t.Errorf("told of what was rolled back: %v", got)
	}
	attempt(nil)
	if got := w.told(); len(got) != 2 {
		t.Errorf("told after the commit: %v", got)
	}
}

// TestOnEventContext: OnEvent has the values of the caller's context, and no part in
// the transaction.
func TestOnEventContext(t *testing.T) {
	type key struct{}
	var world *world
	var told []string
	world = newWorld(t, func(c *Config) {
		c.OnEvent = func(ctx context.Context, e Event) {
			told = append(told, fmt.Sprint(e.Name, " ", ctx.Value(key{}), " ", world.core.queueOf(ctx) != nil))
		}
	})
	ctx := context.WithValue(t.Context(), key{}, "trace")
	err := world.Transaction(ctx, func(ctx context.Context) error {
		_, err := world.API.SignUpEmail.Call(ctx, SignUpEmailRequest{Name: "Ann", Email: "ann@example.com", Password: "password"})
		if err == nil {
			_, _ = world.API.SignInEmail.Call(ctx, SignInEmailRequest{Email: "ann@example.com", Password: "wrong"})
		}
		return err
	})
	if want := []string{"sign_in_failed trace false", "sign_up trace false", "sign_in trace false"}; err != nil || !slices.Equal(told, want) {
		t.Errorf("told %q, %v", told, err)
	}
}

// TestOnEventPanics: a panic of the application is logged and changes nothing.
func TestOnEventPanics(t *testing.T) {
	w := newWorld(t, func(c *Config) { c.OnEvent = func(context.Context, Event) { panic("no such counter") } })
	if !w.as("ann").signedIn() {
		t.Error("nobody is signed in")
	}
	if log := w.log.String(); !strings.Contains(log, "level=ERROR") || !strings.Contains(log, "no such counter") || !strings.Contains(log, "event=sign_up") {
		t.Errorf("log %s", log)
	}
}

// TestEventIdentifier: the same for the same account, whatever the case, another one
// under another secret, and nobody can try out which address it is of.
func TestEventIdentifier(t *testing.T) {
	of := func(secret, email string) string {
		w := newEventWorld(t, func(c *Config) { c.Secret = secret })
		w.browser().post("/sign-in/email", map[string]any{"email": email, "password": "x"})
		return w.events[0].Identifier
	}
	one := of(testSecret, "ann@example.com")
	if len(one) != 16 || of(testSecret, "ANN@example.com") != one || of(testSecret, "bob@example.com") == one || of(testSecret+"x", "ann@example.com") == one {
		t.Errorf("identifier %q", one)
	}
	w := newEventWorld(t, nil)
	w.as("ann")
	for _, e := range w.events {
		if e.Identifier != one {
			t.Errorf("%s has %q, not %q", e.Name, e.Identifier, one)
		}
	}
}

// TestEventsCostNothing: a request that is no event costs what it did, whoever
// listens, and an event that nobody hears costs its fields at most.
func TestEventsCostNothing(t *testing.T) {
	measure := func(onEvent func(context.Context, Event)) float64 {
		w := newWorld(t, func(c *Config) { c.OnEvent = onEvent })
		ann := w.as("ann")
		r := httptest.NewRequest(http.MethodGet, testBase+"/get-session", nil)
		r.Header.Set("Cookie", ann.cookieHeader())
		return fewestAllocs(func() { w.ServeHTTP(httptest.NewRecorder(), r) })
	}
	if without, with := measure(nil), measure(func(context.Context, Event) {}); without != with {
		t.Errorf("get-session allocates %v times, and %v with OnEvent", without, with)
	}
	s := &services{log: slog.New(slog.DiscardHandler)}
	ctx := t.Context()
	if n := testing.AllocsPerRun(100, func() {
		s.event(ctx, Event{Name: EventSignIn, UserID: "u", SessionID: "s", Identifier: "ann@example.com"})
	}); n != 0 {
		t.Errorf("an event that nobody hears allocates %v times", n)
	}
}

// fewestAllocs returns how often f allocates when the pools have what it needs: the race
// detector makes them forget now and then.
func fewestAllocs(f func()) float64 {
	fewest := testing.AllocsPerRun(1, f)
	for range 100 {
		fewest = min(fewest, testing.AllocsPerRun(1, f))
	}
	return fewest
}

// TestEventRotation: a rotated key is one event, and a reused one none.
func TestEventRotation(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newEventWorld(t, func(c *Config) { c.Plugins = append(c.Plugins, &JWT{RotationInterval: time.Hour}) })
		ann := w.as("ann")
		w.told()
		for range 3 {
			ann.jwt()
			time.Sleep(40 * time.Minute)
		}
		if got := w.told(); len(got) != 2 || got[0] != "key_rotated address key algorithm=EdDSA" {
			t.Errorf("told %v", got)
		}
	})
}
