package auth

import (
	"context"
	"errors"
	"net/http"
	"strconv"
	"strings"
)

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

// refused records that a code was wrong which count has counted.
func (p *TwoFactor) refused(ctx context.Context, f *secondFactor) {
	p.services.Event(ctx, "second factor wrong", "user", f.user.ID, "signing in", f.signsIn())
}

// attempt lets the caller try a code of an app or a backup code. Those who sign in
// are bound by the budget of their challenge and by the lockout.
//
// Errors: wrong if check says no, ErrAccountTemporarilyLocked, those of take.
func (p *TwoFactor) attempt(ctx context.Context, f *secondFactor, wrong *APIError, check func() (bool, error)) error {
	if f.signsIn() {
		if err := p.checkLock(ctx, f.row); err != nil {
			return err
		}
		if err := p.take(ctx, f); err != nil {
			return err
		}
		if err := p.count(ctx, f.row); err != nil {
			return p.undone(ctx, f, err)
		}
	}
	ok, err := check()
	switch {
	case err != nil:
		return p.undone(ctx, f, err)
	case ok:
		return nil
	}
	p.refused(ctx, f)
	if err := p.giveBack(ctx, f, 1); err != nil {
		return err
	}
	return wrong
}

// undone gives back the budget of an attempt that was none, and returns why.
func (p *TwoFactor) undone(ctx context.Context, f *secondFactor, why error) error {
	if err := p.giveBack(ctx, f, 0); err != nil {
		p.services.Log().ErrorContext(ctx, "the budget of a challenge is lost", "error", err)
	}
	return why
}

// succeed ends a challenge after a right code; a caller who has a session keeps it.
// What also does is stored together with the new session.
func (p *TwoFactor) succeed(ctx context.Context, f *secondFactor, trustDevice bool, also func(ctx context.Context) error) (*VerifyTwoFactorResponse, error) {
	if !f.signsIn() {
		return p.response(f.session), also(ctx)
	}
	var data *SessionData
	err := p.services.Transaction(ctx, func(ctx context.Context) (err error) {
		if data, err = p.admit(ctx, f); err == nil {
			err = also(ctx)
		}
		return err
	})
	if err != nil {
		return nil, p.notAdmitted(ctx, err)
	}
	return p.welcome(ctx, data, trustDevice)
}

// notAdmitted takes the cookie of a challenge that is over from the browser.
func (p *TwoFactor) notAdmitted(ctx context.Context, err error) error {
	if errors.Is(err, ErrInvalidTwoFactorCookie) {
		p.services.ExpireCookie(ctx, p.challengeCookie(ctx))
	}
	return err
}
