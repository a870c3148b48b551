package auth

import (
	"context"
	"errors"
	"log/slog"
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
	factor  string        // MethodTOTP, MethodOTP or methodBackupCode, as the events say
	locks   bool          // the user is locked if the code is wrong
}

const methodBackupCode = "backup-code"

func (f *secondFactor) signsIn() bool { return f.session == nil }

// key names the caller in the verification of a code that was sent.
func (f *secondFactor) key() string {
	if f.signsIn() {
		return purposeChallenge + f.token
	}
	return f.user.ID + "!" + f.session.Session.ID
}

// caller finds out who is giving a second factor of a kind. A session counts before a
// challenge.
//
// Errors: ErrInvalidTwoFactorCookie if there is neither.
func (p *TwoFactor) caller(ctx context.Context, factor string) (*secondFactor, error) {
	data, err := p.services.Session(ctx, SessionStored)
	if err != nil {
		return nil, err
	}
	if data != nil {
		row, err := p.row(ctx, data.User.ID)
		return &secondFactor{user: data.User, session: data, row: row, factor: factor}, err
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
	f, err := p.challengedUser(ctx, v.Value, token)
	if err == nil {
		f.factor = factor
	}
	return f, err
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

// take takes the budget of a challenge, in the transaction of ctx, so that one
// request at a time can try a code. It is gone until giveBack.
//
// Refusals: ErrInvalidTwoFactorCookie if there is none, ErrTooManyAttempts-
// RequestNewCode if it is spent: the challenge is over then.
func (p *TwoFactor) take(ctx context.Context, f *secondFactor) (refusal, err error) {
	v, err := p.services.ConsumeVerification(ctx, purposeAttempts, f.token)
	if err != nil {
		return nil, err
	}
	if v == nil {
		return errNoChallenge(), nil
	}
	f.budget = v
	if f.spent, err = strconv.Atoi(v.Value); err != nil || f.spent < 0 {
		f.spent = challengeAttempts
	}
	if f.spent < challengeAttempts {
		return nil, nil
	}
	p.services.ExpireCookie(ctx, p.challengeCookie(ctx))
	if _, err := p.services.ConsumeVerification(ctx, purposeChallenge, f.token); err != nil {
		return nil, NewError(http.StatusInternalServerError, ErrFailedToInvalidateTwoFactorChallenge, "Failed to invalidate two-factor challenge").WithCause(err)
	}
	return errTooManyCodes(), nil
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
	User  *User  `json:"user" check:"nonnull"`
}

// admit ends a challenge with a session, in the transaction of ctx. The user may not
// have changed the password since the first factor.
//
// Errors: ErrInvalidTwoFactorCookie, after which the cookie has to go.
func (p *TwoFactor) admit(ctx context.Context, f *secondFactor) (*SessionData, error) {
	s := p.services
	user, err := s.LockUser(ctx, f.user.ID)
	if err != nil {
		return nil, err
	}
	v, err := s.ConsumeVerification(ctx, purposeChallenge, f.token)
	if err != nil {
		return nil, err
	}
	if user == nil || v == nil || v.Value != user.ID {
		return nil, errNoChallenge()
	}
	if account, err := s.PasswordAccount(ctx, user.ID); err != nil || account != nil && account.UpdatedAt.After(v.CreatedAt) {
		return nil, orNoChallenge(err)
	}
	session, err := p.createSession(ctx, user.ID, s.Forgets(ctx), nil)
	return &SessionData{Session: session, User: user}, err
}

func orNoChallenge(err error) error {
	if err == nil {
		err = errNoChallenge()
	}
	return err
}

// welcome sends the session of somebody who has been admitted.
func (p *TwoFactor) welcome(ctx context.Context, f *secondFactor, end *admission) {
	s := p.services
	s.SetSession(ctx, end.data, s.Forgets(ctx))
	s.ExpireCookie(ctx, p.challengeCookie(ctx))
	user, session := end.data.User, end.data.Session
	p.passed(ctx, f)
	s.Event(ctx, Event{
		Name: EventSignIn, UserID: user.ID, SessionID: session.ID, Identifier: user.Email, Method: p.ID(),
		Attrs: []slog.Attr{slog.String("factor", f.factor)},
	})
	if end.device != "" {
		s.Event(ctx, Event{Name: EventDeviceTrusted, UserID: user.ID, SessionID: session.ID})
		p.sendTrust(ctx, user, end.device)
		s.ExpireCookie(ctx, s.ForgetCookie(ctx))
	}
}

func (p *TwoFactor) response(data *SessionData) *VerifyTwoFactorResponse {
	return &VerifyTwoFactorResponse{Token: data.Session.Token, User: p.services.VisibleUser(data.User)}
}

// passed records that a code was right.
func (p *TwoFactor) passed(ctx context.Context, f *secondFactor) {
	p.services.Event(ctx, Event{Name: EventSecondFactorPassed, UserID: f.user.ID, Method: f.factor})
}

// refused records why a code was refused, and a lock that began with that. It returns
// the refusal.
func (p *TwoFactor) refused(ctx context.Context, f *secondFactor, refusal error) error {
	e := Event{Name: EventSecondFactorFailed, UserID: f.user.ID, Method: f.factor, Reason: "wrong"}
	switch {
	case errors.Is(refusal, ErrTooManyAttemptsRequestNewCode):
		e.Name, e.Reason = EventSecondFactorLocked, "challenge"
	case errors.Is(refusal, ErrAccountTemporarilyLocked):
		e.Reason = "locked"
	case errors.Is(refusal, ErrInvalidTwoFactorCookie), errors.Is(refusal, ErrOTPHasExpired):
		e.Reason = "expired"
	}
	p.services.Event(ctx, e)
	if f.locks && e.Reason == "wrong" {
		p.services.Event(ctx, Event{Name: EventSecondFactorLocked, UserID: f.user.ID, Method: f.factor, Reason: "user"})
	}
	return refusal
}

// attempt lets the caller try a code of an app or a backup code, in one transaction:
// the code is counted and what it leads to is stored, or nothing of that. Those who
// sign in are bound by the budget of their challenge and by the lockout.
//
// Errors: wrong if check says no, ErrAccountTemporarilyLocked, those of take and of
// right.
func (p *TwoFactor) attempt(ctx context.Context, f *secondFactor, wrong *APIError, check func(ctx context.Context) (bool, error), right func(ctx context.Context) error) error {
	var refusal error
	err := p.services.Insist(ctx, func(ctx context.Context) (err error) {
		if user, err := p.services.LockUser(ctx, f.user.ID); err != nil || user == nil {
			return orNoChallenge(err)
		}
		if refusal, err = p.bound(ctx, f); err != nil || refusal != nil {
			return err
		}
		ok, err := check(ctx)
		switch {
		case err != nil:
			return err
		case ok:
			if err = right(ctx); errors.Is(err, ErrInvalidTwoFactorCookie) {
				refusal, err = p.notAdmitted(ctx, err), nil // the challenge is over
			}
			return err
		}
		refusal = wrong
		return p.giveBack(ctx, f, 1)
	})
	if err != nil {
		return p.notAdmitted(ctx, err)
	}
	if refusal != nil {
		return p.refused(ctx, f, refusal)
	}
	return nil
}

// bound counts a code of those who sign in. It returns why they may not try it; that
// they may not is stored too.
func (p *TwoFactor) bound(ctx context.Context, f *secondFactor) (refusal, err error) {
	if !f.signsIn() {
		return nil, nil
	}
	if refusal, err = refusalOf(p.checkLock(ctx, f.row)); err != nil || refusal != nil {
		return refusal, err
	}
	if refusal, err = p.take(ctx, f); err != nil || refusal != nil {
		return refusal, err
	}
	if refusal, err = refusalOf(p.count(ctx, f)); refusal != nil {
		err = p.giveBack(ctx, f, 0)
	}
	return refusal, err
}

// refusalOf tells what a user is told from what went wrong.
func refusalOf(err error) (refusal, failure error) {
	if _, ok := errors.AsType[*APIError](err); ok {
		return err, nil
	}
	return nil, err
}

// An admission is what a right code has led to.
type admission struct {
	data   *SessionData // the session to answer with, nil for none
	device string       // that the user trusts from now on, empty for none
}

// use ends a challenge with a session, in the transaction of ctx; a caller who has a
// session keeps it.
func (p *TwoFactor) use(ctx context.Context, f *secondFactor, trustDevice bool) (*admission, error) {
	if !f.signsIn() {
		return &admission{data: f.session}, nil
	}
	data, err := p.admit(ctx, f)
	if err != nil {
		return nil, err
	}
	if err := p.forgive(ctx, f.row); err != nil || !trustDevice {
		return &admission{data: data}, err
	}
	device, err := p.storeTrust(ctx, data.User)
	return &admission{data: data, device: device}, err
}

// finish tells the browser of an admission.
func (p *TwoFactor) finish(ctx context.Context, f *secondFactor, end *admission) *VerifyTwoFactorResponse {
	switch {
	case f.signsIn():
		p.welcome(ctx, f, end)
	case end.data != f.session:
		p.sendTurned(ctx, end.data)
	default:
		p.passed(ctx, f)
	}
	return p.response(end.data)
}

// notAdmitted takes the cookie of a challenge that is over from the browser.
func (p *TwoFactor) notAdmitted(ctx context.Context, err error) error {
	if errors.Is(err, ErrInvalidTwoFactorCookie) {
		p.services.ExpireCookie(ctx, p.challengeCookie(ctx))
	}
	return err
}
