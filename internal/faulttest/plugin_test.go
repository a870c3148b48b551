package faulttest

import (
	"context"
	"crypto/hmac"
	"crypto/sha1"
	"encoding/base32"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"time"

	"github.com/seed3b05b409/auth"
)

// plugged adds all plugins. They send by the mails of the core.
func plugged(c *auth.Config) {
	mail := c.EmailPassword.SendResetPassword
	send := func(ctx context.Context, email, token string) error {
		return mail(ctx, auth.Mail{User: &auth.User{Email: email}, Token: token})
	}
	c.Plugins = []auth.Plugin{
		&auth.Username{},
		&auth.MagicLink{Send: func(ctx context.Context, m auth.MagicLinkMail) error { return send(ctx, m.Email, m.Token) }},
		&auth.EmailOTP{
			Send:        func(ctx context.Context, m auth.OTPMail) error { return send(ctx, m.Email, m.Code) },
			EmailChange: auth.OTPEmailChange{Enabled: true},
		},
		&auth.TwoFactor{OTP: auth.TwoFactorOTPOptions{
			Send: func(ctx context.Context, user *auth.User, code string) error { return send(ctx, user.Email, code) },
		}},
		&auth.JWT{},
		&auth.MultiSession{},
		&auth.OneTimeToken{},
		&auth.Bearer{},
		&auth.OpenAPI{},
	}
}

// sendAs has the director answer a request of somebody, which must succeed.
func (s *stage) sendAs(as, method, path, body string) *httptest.ResponseRecorder {
	s.t.Helper()
	w := httptest.NewRecorder()
	s.director.ServeHTTP(w, s.request(method, path, body, as))
	if w.Code != http.StatusOK {
		s.t.Fatalf("%s: %d %s", path, w.Code, w.Body)
	}
	return w
}

// keep puts the cookies of a response whose names contain a text into the jar.
func (s *stage) keep(r *http.Response, part string) {
	for _, c := range r.Cookies() {
		if strings.Contains(c.Name, part) && c.MaxAge >= 0 {
			s.jar[c.Name] = c.Value
		}
	}
}

// decode reads the JSON of an answer.
func (s *stage) decode(w *httptest.ResponseRecorder, into any) {
	s.t.Helper()
	if err := json.Unmarshal(w.Body.Bytes(), into); err != nil {
		s.t.Fatal(err)
	}
}

// totp is the code of RFC 6238 for the secret of the last protected user.
func (s *stage) totp() string {
	code, err := totp(s.words["SECRET"])
	if err != nil {
		s.t.Fatal(err)
	}
	return code
}

func totp(secret string) (string, error) {
	key, err := base32.StdEncoding.WithPadding(base32.NoPadding).DecodeString(secret)
	mac := hmac.New(sha1.New, key)
	_ = binary.Write(mac, binary.BigEndian, time.Now().Unix()/30)
	sum := mac.Sum(nil)
	return fmt.Sprintf("%06d", binary.BigEndian.Uint32(sum[sum[len(sum)-1]&15:])&0x7fffffff%1_000_000), err
}

// enabling gives Ann an authenticator that she has not used yet.
func enabling(s *stage) {
	var enabled struct {
		TOTPURI     string
		BackupCodes []string
	}
	s.decode(s.sendAs("ANN", http.MethodPost, "/two-factor/enable", `{"password":"password of ann"}`), &enabled)
	uri, err := url.Parse(enabled.TOTPURI)
	if err != nil {
		s.t.Fatal(err)
	}
	s.words["SECRET"], s.words["BACKUP"] = uri.Query().Get("secret"), enabled.BackupCodes[0]
	s.backupCodes = enabled.BackupCodes
}

// protected gives her one that she has used, which gives her another session.
func protected(s *stage) {
	enabling(s)
	w := s.sendAs("ANN", http.MethodPost, "/two-factor/verify-totp", `{"code":"$TOTP"}`)
	s.words["PROTECTED"] = s.session(w.Result())
	s.words["PROTECTEDTOKEN"] = bearer(s.words["PROTECTED"])
}

// challenged is she after the password.
func challenged(s *stage) {
	protected(s)
	s.keep(s.direct("/sign-in/email", anns), "two_factor")
}

// trusted is she on a device that she trusts.
func trusted(s *stage) {
	challenged(s)
	s.keep(s.direct("/two-factor/verify-totp", `{"code":"$TOTP","trustDevice":true}`), "trust_device")
	delete(s.jar, "better-auth.two_factor")
}

// sendingFactor is she with a code that was sent.
func sendingFactor(s *stage) {
	challenged(s)
	s.direct("/two-factor/send-otp", `{}`)
	s.mailed()
}

// otp returns what has a code sent to Ann.
func otp(kind string) func(*stage) {
	return func(s *stage) {
		s.direct("/email-otp/send-verification-otp", fmt.Sprintf(`{"email":"ann@example.com","type":%q}`, kind))
		s.mailed()
	}
}

// otpOfCat has a code sent to somebody who is unknown.
func otpOfCat(s *stage) {
	s.direct("/email-otp/send-verification-otp", `{"email":"cat@example.com","type":"sign-in"}`)
	s.mailed()
}

func resetOTP(s *stage) {
	s.direct("/email-otp/request-password-reset", `{"email":"ann@example.com"}`)
	s.mailed()
}

func changeOTP(s *stage) {
	s.directAs("ANN", "/email-otp/request-email-change", `{"newEmail":"anna@example.com"}`)
	s.mailed()
}

// link returns what has a link sent to an address.
func link(email string) func(*stage) {
	return func(s *stage) {
		s.direct("/sign-in/magic-link", fmt.Sprintf(`{"email":%q,"name":"Somebody"}`, email))
		s.mailed()
	}
}

// usernamed gives Ann a username.
func usernamed(s *stage) {
	s.directAs("ANN", "/update-user", `{"username":"lady_ann"}`)
}

func oneTimeToken(s *stage) {
	var made struct{ Token string }
	s.decode(s.sendAs("ANN", http.MethodGet, "/one-time-token/generate", ""), &made)
	s.words["TOKEN"] = made.Token
}

// signed makes a key and a token.
func signed(s *stage) {
	var made struct{ Token string }
	s.decode(s.sendAs("ANN", http.MethodGet, "/token", ""), &made)
	s.words["JWT"] = made.Token
}

// together with Bob, Ann is in one browser, where Bob is active.
func sharing(s *stage) {
	r := s.direct("/sign-in/email", anns)
	s.words["FIRST"] = s.session(r)
	s.keep(r, "_multi-")
	r = s.direct("/sign-in/email", `{"email":"bob@example.com","password":"password of bob"}`)
	s.words["BOB"] = s.session(r)
	s.keep(r, "_multi-")
	s.words["FIRSTTOKEN"], s.words["BOBTOKEN"] = bearer(s.words["FIRST"]), bearer(s.words["BOB"])
}

// calling is a request to an endpoint that has no URL.
func calling(name, body string) func(context.Context, *stage) outcome {
	return func(ctx context.Context, s *stage) outcome {
		var response *http.Response
		_, _ = s.auth.API.Operation(name).CallJSON(ctx, []byte(s.spell(body)), auth.AsResponse(&response))
		w := httptest.NewRecorder()
		if err := response.Write(w); err != nil {
			s.t.Error(err)
		}
		return outcome{response.StatusCode, response.Header, w.Body.String()}
	}
}
