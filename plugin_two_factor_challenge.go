package auth

import (
	"context"
	"net/http"
	"strconv"
	"strings"
)

// A TwoFactorChallenge is the answer to a sign-in that wants a second factor. It is
// an error too: that of a typed Call.
type TwoFactorChallenge struct {
	TwoFactorRedirect bool     `json:"twoFactorRedirect"` // true
	TwoFactorMethods  []string `json:"twoFactorMethods"`  // MethodTOTP, MethodOTP: those that the user can use
}

// Error says what is missing.
func (c *TwoFactorChallenge) Error() string {
	return "auth: a second factor is wanted: " + strings.Join(c.TwoFactorMethods, " or ")
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
	if in.DontRemember {
		forget.Value = "true"
		s.SetSignedCookie(ctx, forget)
	} else if s.Forgets(ctx) {
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

// A secondFactor is the caller of an endpoint that takes one: somebody with a
// session, or somebody whose sign-in was challenged.
type secondFactor struct {
	user    *User
	session *SessionData  // nil while somebody signs in
	token   string        // of the challenge
	row     *twoFactorRow // nil if the user has set up no app
	budget  *Verification // of the challenge, while it is taken
	spent   int           // of the budget
}

func (f *secondFactor) signsIn() bool { return f.session == nil }

// key names the caller in the verification of a code that was sent.
func (f *secondFactor) key() string {
	if f.signsIn() {
		return purposeChallenge + f.token
	}
	return f.user.ID + "!" + f.session.Session.ID
}

// caller finds out who is giving a second factor. A session counts before a
// challenge.
//
// Errors: ErrInvalidTwoFactorCookie if there is neither.
func (p *TwoFactor) caller(ctx context.Context) (*secondFactor, error) {
	data, err := p.services.Session(ctx, SessionStored)
	if err != nil {
		return nil, err
	}
	if data != nil {
		row, err := p.row(ctx, data.User.ID)
		return &secondFactor{user: data.User, session: data, row: row}, err
	}
	value, _ := p.services.SignedCookie(ctx, p.challengeCookie(ctx).Name)
	token, ok := strings.CutPrefix(value, purposeChallenge)
	if !ok || len(token) != challengeLength {
		return nil, errNoChallenge()
	}
	v, err := p.services.FindVerification(ctx, purposeChallenge, token)
	if err != nil {
		return nil, err
	}
	if v == nil || v.ExpiresAt.Before(p.services.Now()) {
		return nil, errNoChallenge()
	}
	return p.challengedUser(ctx, v.Value, token)
}

func (p *TwoFactor) challengedUser(ctx context.Context, userID, token string) (*secondFactor, error) {
	user, err := p.services.User(ctx, Where("id", userID))
	if err != nil {
		return nil, err
	}
	if user == nil {
		return nil, errNoChallenge()
	}
	row, err := p.row(ctx, userID)
	return &secondFactor{user: user, token: token, row: row}, err
}

func errNoChallenge() error {
	return NewError(http.StatusUnauthorized, ErrInvalidTwoFactorCookie, "Invalid two factor cookie")
}

// take takes the budget of a challenge, so that one request at a time can try a
// code. It is gone until giveBack.
//
// Errors: ErrInvalidTwoFactorCookie if somebody else has it, ErrTooManyAttempts-
// RequestNewCode if it is spent: the challenge is over then.
func (p *TwoFactor) take(ctx context.Context, f *secondFactor) error {
	if !f.signsIn() {
		return nil
	}
	v, err := p.services.ConsumeVerification(ctx, purposeAttempts, f.token)
	if err != nil {
		return err
	}
	if v == nil {
		return errNoChallenge()
	}
	f.budget = v
	if f.spent, err = strconv.Atoi(v.Value); err != nil || f.spent < 0 {
		f.spent = challengeAttempts
	}
	if f.spent >= challengeAttempts {
		return p.giveUp(ctx, f)
	}
	return nil
}

// giveUp ends a challenge whose budget is spent.
func (p *TwoFactor) giveUp(ctx context.Context, f *secondFactor) error {
	_, err := p.services.ConsumeVerification(ctx, purposeChallenge, f.token)
	p.services.ExpireCookie(ctx, p.challengeCookie(ctx))
	if err != nil {
		return NewError(http.StatusInternalServerError, ErrFailedToInvalidateTwoFactorChallenge, "Failed to invalidate two-factor challenge").WithCause(err)
	}
	p.services.Event(ctx, "second factor given up", "user", f.user.ID)
	return errTooManyCodes()
}

func errTooManyCodes() error {
	return NewError(http.StatusBadRequest, ErrTooManyAttemptsRequestNewCode, "Too many attempts. Please request a new code.")
}

// giveBack gives the budget of a challenge back, less the wrong codes.
func (p *TwoFactor) giveBack(ctx context.Context, f *secondFactor, wrong int) error {
	if f.budget == nil {
		return nil
	}
	return p.services.RestoreVerification(ctx, f.budget, strconv.Itoa(f.spent+wrong))
}

// VerifyTwoFactorRequest is the body of POST /two-factor/verify-totp and
// /two-factor/verify-otp. TrustDevice lets the device sign in with the first factor
// alone from then on (TwoFactor.TrustDeviceMaxAge).
type VerifyTwoFactorRequest struct {
	Code        string `json:"code"`
	TrustDevice bool   `json:"trustDevice,omitempty"`
}

// VerifyTwoFactorResponse is the answer to a right code: the session that began, or
// the caller's. Token is empty where no session was wanted.
type VerifyTwoFactorResponse struct {
	Token string `json:"token,omitempty"`
	User  *User  `json:"user"`
}

// admit ends a challenge with a session, in the transaction of ctx or one of its
// own. The user may not have changed the password since the first factor.
//
// Errors: ErrInvalidTwoFactorCookie, after which the cookie has to go.
func (p *TwoFactor) admit(ctx context.Context, f *secondFactor) (data *SessionData, err error) {
	s := p.services
	err = s.Transaction(ctx, func(ctx context.Context) error {
		user, err := s.LockUser(ctx, f.user.ID)
		if err != nil {
			return err
		}
		v, err := s.ConsumeVerification(ctx, purposeChallenge, f.token)
		if err != nil {
			return err
		}
		if user == nil || v == nil || v.Value != user.ID {
			return errNoChallenge()
		}
		if account, err := s.PasswordAccount(ctx, user.ID); err != nil || account != nil && account.UpdatedAt.After(v.CreatedAt) {
			return orNoChallenge(err)
		}
		session, err := p.createSession(ctx, user.ID, s.Forgets(ctx), nil)
		data = &SessionData{Session: session, User: user}
		return err
	})
	return data, err
}

func orNoChallenge(err error) error {
	if err == nil {
		err = errNoChallenge()
	}
	return err
}

// welcome sends the session of somebody who has been admitted.
func (p *TwoFactor) welcome(ctx context.Context, data *SessionData, trustDevice bool) (*VerifyTwoFactorResponse, error) {
	s := p.services
	s.SetSession(ctx, data, s.Forgets(ctx))
	s.ExpireCookie(ctx, p.challengeCookie(ctx))
	s.Event(ctx, "second factor given", "user", data.User.ID)
	if trustDevice {
		if err := p.trust(ctx, data.User); err != nil {
			return nil, err
		}
		s.ExpireCookie(ctx, s.ForgetCookie(ctx))
	}
	return p.response(data), nil
}

func (p *TwoFactor) response(data *SessionData) *VerifyTwoFactorResponse {
	return &VerifyTwoFactorResponse{Token: data.Session.Token, User: p.services.VisibleUser(data.User)}
}
