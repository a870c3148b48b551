package auth

import (
	"cmp"
	"context"
	"net/http"
)

// The methods of TwoFactor, as they are named on the wire.
const (
	MethodTOTP = "totp" // a code of an authenticator app
	MethodOTP  = "otp"  // a code that is sent
)

// EnableTwoFactorRequest is the body of POST /two-factor/enable. Method is
// MethodTOTP, which is the default, or MethodOTP. Issuer names the service in the
// app.
type EnableTwoFactorRequest struct {
	Password string `json:"password,omitempty"`
	Method   string `json:"method,omitempty" check:"oneof=otp|totp"`
	Issuer   string `json:"issuer,omitempty"`
}

// EnableTwoFactorResponse is the answer of POST /two-factor/enable. URI and codes are
// there for MethodTOTP alone: this is the only time that the codes are shown.
type EnableTwoFactorResponse struct {
	Method      string   `json:"method"`
	TOTPURI     string   `json:"totpURI,omitempty"`
	BackupCodes []string `json:"backupCodes,omitzero"`
}

// enable sets up an authenticator app, which VerifyTOTP confirms, or turns codes
// that are sent on at once.
func (p *TwoFactor) enable(ctx context.Context, in EnableTwoFactorRequest) (*EnableTwoFactorResponse, error) {
	current, err := p.services.Session(ctx, SessionRequired)
	if err != nil {
		return nil, err
	}
	if err := p.confirmPassword(ctx, current.User, in.Password, PasswordAsConfigured); err != nil {
		return nil, err
	}
	switch {
	case in.Method == MethodOTP && p.OTP.Send == nil:
		return nil, NewError(http.StatusBadRequest, ErrOTPNotConfigured, "OTP is not available")
	case in.Method == MethodOTP:
		return p.enableOTP(ctx, current)
	case p.TOTP.Disable:
		return nil, NewError(http.StatusBadRequest, ErrTOTPNotConfigured, "TOTP is not available")
	}
	return p.setUp(ctx, current, in.Issuer)
}

func (p *TwoFactor) enableOTP(ctx context.Context, current *SessionData) (*EnableTwoFactorResponse, error) {
	fresh, err := p.turn(ctx, current, true, func(context.Context) error { return nil })
	if err != nil {
		return nil, err
	}
	p.sendTurned(ctx, fresh)
	return &EnableTwoFactorResponse{Method: MethodOTP}, nil
}

// setUp gives the user a new secret and new backup codes.
//
// Errors: ErrTOTPAlreadyEnabled.
func (p *TwoFactor) setUp(ctx context.Context, current *SessionData, issuer string) (*EnableTwoFactorResponse, error) {
	codes, stored, err := p.newBackupCodes(ctx)
	if err != nil {
		return nil, err
	}
	secret := RandomString(32, URLSafe)
	sealed, err := p.seal(secret)
	if err != nil {
		return nil, err
	}
	store := func(ctx context.Context) error {
		return p.storeSecret(ctx, current.User.ID, sealed, stored)
	}
	var fresh *SessionData
	if p.SkipVerificationOnEnable {
		fresh, err = p.turn(ctx, current, true, store)
	} else {
		err = p.services.Transaction(ctx, store)
	}
	if err != nil {
		return nil, err
	}
	if fresh != nil {
		p.sendTurned(ctx, fresh)
	}
	return &EnableTwoFactorResponse{
		Method: MethodTOTP, TOTPURI: p.totp([]byte(secret)).uri(cmp.Or(issuer, p.issuer()), current.User.Email), BackupCodes: codes,
	}, nil
}

// storeSecret makes the user's row, or replaces one that nobody has confirmed.
func (p *TwoFactor) storeSecret(ctx context.Context, userID, secret, codes string) error {
	if user, err := p.services.LockUser(ctx, userID); err != nil || user == nil {
		return orNoUser(err)
	}
	row, err := p.row(ctx, userID)
	switch {
	case err != nil:
		return err
	case row == nil:
		none := int64(0)
		return p.rows.Insert(ctx, &twoFactorRow{
			Secret: secret, BackupCodes: codes, UserID: userID,
			Verified: &p.SkipVerificationOnEnable, FailedVerificationCount: &none,
		})
	case !row.unverified():
		return NewError(http.StatusBadRequest, ErrTOTPAlreadyEnabled, "TOTP is already enabled")
	}
	changes := map[string]any{"secret": secret, "backupCodes": codes, "verified": p.SkipVerificationOnEnable}
	if p.PreventReplay {
		changes[lastTOTPStep] = nil
	}
	_, err = p.rows.Update(ctx, changes, Where("id", row.ID))
	return err
}

// disable turns it off and forgets secret and backup codes. The device that asks is
// not trusted any more.
func (p *TwoFactor) disable(ctx context.Context, in TwoFactorPasswordRequest) (*Status, error) {
	current, err := p.services.Session(ctx, SessionRequired)
	if err != nil {
		return nil, err
	}
	if err := p.confirmPassword(ctx, current.User, in.Password, PasswordAsConfigured); err != nil {
		return nil, err
	}
	device, sent := p.sentDevice(ctx)
	fresh, err := p.turn(ctx, current, false, func(ctx context.Context) error {
		if _, err := p.rows.Delete(ctx, Where("userId", current.User.ID)); err != nil || !sent {
			return err
		}
		return p.services.DeleteVerifications(ctx, purposeTrustDevice, device.id)
	})
	if err != nil {
		return nil, err
	}
	p.sendTurned(ctx, fresh)
	if sent {
		p.services.ExpireCookie(ctx, p.deviceCookie(ctx))
	}
	return &Status{Status: true}, nil
}
