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
