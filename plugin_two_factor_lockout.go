package auth

import (
	"context"
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
func (p *TwoFactor) count(ctx context.Context, f *secondFactor) error {
	row := f.row
	f.locks = false
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
	f.locks = err == nil
	return err
}

// forgive forgets wrong codes after a right one.
func (p *TwoFactor) forgive(ctx context.Context, row *twoFactorRow) error {
	if p.Lockout.Disabled || row == nil {
		return nil
	}
	_, err := p.rows.Update(ctx, map[string]any{failedColumn: 0, lockedColumn: nil}, Where("id", row.ID))
	return err
}
