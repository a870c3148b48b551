package auth

import (
	"context"
	"errors"
	"net/http"
	"time"
)

// TwoFactorLockout keeps a user's second factor from being guessed in many sign-ins:
// after a number of wrong codes in a row, whatever their kind, all codes are refused
// for a while (NIST SP 800-63B section 5.2.2). Users whose only method is MethodOTP
// have no row to count in; each code sent to them bears OTP.AllowedAttempts.
type TwoFactorLockout struct {
	Disabled          bool
	MaxFailedAttempts int           // default: 10
	Duration          time.Duration // default: 15 minutes
}

const (
	failedColumn = "failedVerificationCount"
	lockedColumn = "lockedUntil"
)

// checkLock refuses a user who is locked, and ends a lock whose time is over.
//
// Errors: ErrAccountTemporarilyLocked.
func (p *TwoFactor) checkLock(ctx context.Context, row *twoFactorRow) error {
	if p.Lockout.Disabled || row == nil || row.LockedUntil == nil {
		return nil
	}
	at := p.services.Now()
	if row.LockedUntil.After(at) {
		return errLocked()
	}
	_, err := p.rows.Increment(ctx, nil, map[string]any{failedColumn: 0, lockedColumn: nil},
		Where("id", row.ID), Condition{Column: lockedColumn, Op: "<=", Value: at})
	return err
}

func errLocked() error {
	return NewError(http.StatusTooManyRequests, ErrAccountTemporarilyLocked,
		"Too many failed verification attempts. Your account is temporarily locked. Please try again later.")
}

// count counts a code before it is looked at, so that of any number of requests at
// the same moment no more codes are looked at than there may be wrong ones. A right
// one takes the count back (forgive). The last one that may be wrong locks the user
// until then.
//
// Errors: ErrAccountTemporarilyLocked.
func (p *TwoFactor) count(ctx context.Context, row *twoFactorRow) error {
	if p.Lockout.Disabled || row == nil {
		return nil
	}
	if row.FailedVerificationCount == nil { // nothing can be added to that
		if _, err := p.rows.Update(ctx, map[string]any{failedColumn: 0}, Where("id", row.ID), Where(failedColumn, nil)); err != nil {
			return err
		}
	}
	one := map[string]int64{failedColumn: 1}
	last := p.Lockout.MaxFailedAttempts - 1
	open := []Condition{Where("id", row.ID), Where(lockedColumn, nil)}
	counted, err := p.rows.Increment(ctx, one, nil, append(open, Condition{Column: failedColumn, Op: "<", Value: last})...)
	if err != nil || counted != nil {
		return err
	}
	lock := map[string]any{lockedColumn: p.services.Now().Add(p.Lockout.Duration)}
	counted, err = p.rows.Increment(ctx, one, lock, append(open, Condition{Column: failedColumn, Op: ">=", Value: last})...)
	if err == nil && counted == nil {
		err = errLocked()
	}
	return err
}

// refused records that a code was wrong which count has counted.
func (p *TwoFactor) refused(ctx context.Context, f *secondFactor) {
	p.services.Event(ctx, "second factor wrong", "user", f.user.ID, "signing in", f.signsIn())
}

// forgive forgets wrong codes after a right one.
func (p *TwoFactor) forgive(ctx context.Context, row *twoFactorRow) error {
	if p.Lockout.Disabled || row == nil {
		return nil
	}
	_, err := p.rows.Update(ctx, map[string]any{failedColumn: 0, lockedColumn: nil}, Where("id", row.ID))
	return err
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
	if refusal == wrong {
		p.refused(ctx, f)
	}
	return refusal
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
	if refusal, err = refusalOf(p.count(ctx, f.row)); refusal != nil {
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
		p.welcome(ctx, end)
	case end.data != f.session:
		p.sendTurned(ctx, end.data)
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
