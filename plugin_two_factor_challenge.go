package auth

import (
	"context"
	"net/http"
	"strings"
)

// A TwoFactorChallenge is the answer to a sign-in that wants a second factor. It is
// an error too: that of a typed Call.
type TwoFactorChallenge struct {
	TwoFactorRedirect bool     `json:"twoFactorRedirect"`                // true
	TwoFactorMethods  []string `json:"twoFactorMethods" check:"nonnull"` // MethodTOTP, MethodOTP: those that the user can use
}

// Error says what is missing.
func (c *TwoFactorChallenge) Error() string {
	return "auth: a second factor is wanted: " + strings.Join(c.TwoFactorMethods, " or ")
}

// answers say where a challenge may stand: where a password signs in, and Everywhere
// where something else does without a redirect. A Client looks for it in every answer,
// whatever plugins the server has.
func (p *TwoFactor) answers() []RouteAnswer {
	paths := []string{"/sign-in/email", "/sign-in/username"}
	switch {
	case p.services.Remote():
		paths = nil
	case p.Everywhere:
		paths = append(paths, "/sign-in/social", "/sign-in/email-otp", "/magic-link/verify", "/verify-email")
	}
	return []RouteAnswer{{Paths: paths, Value: &TwoFactorChallenge{}}}
}

const (
	twoFactorCookie = "two_factor"

	purposeChallenge = "2fa-"
	purposeAttempts  = "2fa-attempts-2fa-" // wrong codes of an app and backup codes

	// challengeLength tells the name of a challenge from all other texts that might be
	// signed or stored behind the same prefix.
	challengeLength = 20

	// challengeAttempts is how many wrong codes of an app and backup codes a challenge
	// bears.
	challengeAttempts = 5
)

func (p *TwoFactor) challengeCookie(ctx context.Context) *http.Cookie {
	return p.services.Cookie(ctx, twoFactorCookie, p.CookieMaxAge)
}

// challenge keeps those who have turned the second factor on from being signed in
// without it, unless they trust the device.
func (p *TwoFactor) challenge(ctx context.Context, in *SignIn) (answer any, err error) {
	if !hasTwoFactor(in.User) || in.Password == nil && !p.Everywhere {
		return nil, nil
	}
	device, sent := p.sentDevice(ctx)
	ok, err := p.trusts(ctx, in.User, device)
	switch {
	case err != nil:
		return nil, err
	case ok:
		ExchangeFrom(ctx).SetValue(trusted{}, device)
		return nil, nil
	}
	methods, err := p.methods(ctx, in.User)
	if err != nil {
		return nil, err
	}
	token := RandomString(challengeLength, URLSafe)
	if err := p.storeChallenge(ctx, token, in.User); err != nil {
		return nil, err
	}
	p.sendChallenge(ctx, in, token, sent)
	if in.Redirects && p.Page != "" {
		return nil, p.redirect(ctx, methods)
	}
	return &TwoFactorChallenge{TwoFactorRedirect: true, TwoFactorMethods: methods}, nil
}

// methods returns those that a user can use. Backup codes are none of their own.
func (p *TwoFactor) methods(ctx context.Context, user *User) ([]string, error) {
	methods := []string{}
	if !p.TOTP.Disable {
		row, err := p.row(ctx, user.ID)
		if err != nil {
			return nil, err
		}
		if row != nil && !row.unverified() {
			methods = append(methods, MethodTOTP)
		}
	}
	if p.OTP.Send != nil {
		methods = append(methods, MethodOTP)
	}
	return methods, nil
}

func (p *TwoFactor) storeChallenge(ctx context.Context, token string, user *User) error {
	if err := p.services.CreateVerification(ctx, purposeChallenge, token, user.ID, p.CookieMaxAge); err != nil {
		return err
	}
	return p.services.CreateVerification(ctx, purposeAttempts, token, "0", p.CookieMaxAge)
}

// sendChallenge sends the cookies: whether the session is to be remembered, then
// what expires, then the challenge.
func (p *TwoFactor) sendChallenge(ctx context.Context, in *SignIn, token string, device bool) {
	s := p.services
	forget := s.ForgetCookie(ctx)
	asked := in.Password != nil // others leave it as it was
	if in.DontRemember {
		forget.Value = "true"
		s.SetSignedCookie(ctx, forget)
	} else if asked && s.Forgets(ctx) {
		s.ExpireCookie(ctx, forget)
	}
	if device {
		s.ExpireCookie(ctx, p.deviceCookie(ctx))
	}
	s.ClearSession(ctx, true)
	c := p.challengeCookie(ctx)
	c.Value = purposeChallenge + token
	s.SetSignedCookie(ctx, c)
}

// redirect leads a browser that followed a link to the page for the second factor.
func (p *TwoFactor) redirect(ctx context.Context, methods []string) error {
	page, err := p.services.RedirectURL(ctx, p.Page, "methods", strings.Join(methods, ","))
	if err != nil {
		return err
	}
	return ExchangeFrom(ctx).Redirect(page)
}
