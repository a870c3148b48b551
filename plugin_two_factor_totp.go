package auth

import (
	"cmp"
	"context"
	"net/http"
	"time"
)

// TOTPOptions are those of authenticator apps. Most apps know the defaults alone.
type TOTPOptions struct {
	Digits  int           // of a code, 1 to 8; default: 6
	Period  time.Duration // for which a code is shown, in whole seconds; default: 30 seconds
	Disable bool          // no apps

	// Password says who needs one to see the URI again.
	Password PasswordRule
}

// lastTOTPStep is the column of PreventReplay: the time step of the last code.
const lastTOTPStep = "lastTotpStep"

func (p *TwoFactor) totp(key []byte) totp {
	return totp{key: key, digits: p.TOTP.Digits, period: p.TOTP.Period}
}

func (p *TwoFactor) issuer() string { return cmp.Or(p.Issuer, p.services.Config().AppName) }

// totpOf returns the generator of a user's codes.
func (p *TwoFactor) totpOf(row *twoFactorRow) (totp, error) {
	secret, err := p.open(row.Secret)
	if err != nil {
		return totp{}, err
	}
	key, err := totpKey(secret)
	return p.totp(key), err
}

func (p *TwoFactor) totpDisabled(ctx context.Context) error {
	if !p.TOTP.Disable {
		return nil
	}
	p.services.Log().ErrorContext(ctx, "TwoFactor.TOTP.Disable is set, and an endpoint of it was called")
	return NewError(http.StatusBadRequest, ErrTOTPNotConfigured, "totp isn't configured")
}

func errTOTPNotEnabled() error {
	return NewError(http.StatusBadRequest, ErrTOTPNotEnabled, "TOTP not enabled")
}

// GenerateTOTPRequest is the input of GenerateTOTP: a secret as its bytes, not in
// base32.
type GenerateTOTPRequest struct {
	Secret string `json:"secret"`
}

// GenerateTOTPResponse is the result of TwoFactor.GenerateTOTP.
type GenerateTOTPResponse struct {
	Code string `json:"code"`
}

// generateTOTP returns the code that an app with a secret shows at this moment.
func (p *TwoFactor) generateTOTP(ctx context.Context, in GenerateTOTPRequest) (*GenerateTOTPResponse, error) {
	if err := p.totpDisabled(ctx); err != nil {
		return nil, err
	}
	generator := p.totp([]byte(in.Secret))
	return &GenerateTOTPResponse{Code: generator.code(generator.step(time.Now()))}, nil
}

// TOTPURIResponse is the answer of POST /two-factor/get-totp-uri.
type TOTPURIResponse struct {
	TOTPURI string `json:"totpURI"`
}

// getTOTPURI shows the secret again, for another app.
func (p *TwoFactor) getTOTPURI(ctx context.Context, in TwoFactorPasswordRequest) (*TOTPURIResponse, error) {
	if err := p.totpDisabled(ctx); err != nil {
		return nil, err
	}
	current, err := p.services.Session(ctx, SessionRequired)
	if err != nil {
		return nil, err
	}
	row, err := p.row(ctx, current.User.ID)
	if err != nil {
		return nil, err
	}
	if row == nil {
		return nil, errTOTPNotEnabled()
	}
	if err := p.confirmPassword(ctx, current.User, in.Password, p.TOTP.Password); err != nil {
		return nil, err
	}
	generator, err := p.totpOf(row)
	if err != nil {
		return nil, err
	}
	return &TOTPURIResponse{TOTPURI: generator.uri(p.issuer(), current.User.Email)}, nil
}

// verifyTOTP takes a code of an app: it ends a challenge, or confirms the app of a
// user who is setting it up, which turns the second factor on.
func (p *TwoFactor) verifyTOTP(ctx context.Context, in VerifyTwoFactorRequest) (*VerifyTwoFactorResponse, error) {
	if err := p.totpDisabled(ctx); err != nil {
		return nil, err
	}
	f, err := p.caller(ctx, MethodTOTP)
	if err != nil {
		return nil, err
	}
	if f.row == nil || f.signsIn() && f.row.unverified() {
		return nil, errTOTPNotEnabled()
	}
	generator, err := p.totpOf(f.row)
	if err != nil {
		return nil, err
	}
	check := func(ctx context.Context) (bool, error) {
		step, ok := generator.verify(in.Code, time.Now())
		if !ok || !p.PreventReplay {
			return ok, nil
		}
		return p.useStep(ctx, f.row, step)
	}
	var end *admission
	err = p.attempt(ctx, f, NewError(http.StatusUnauthorized, ErrInvalidCode, "Invalid code"), check, func(ctx context.Context) error {
		end, err = p.useTOTP(ctx, f, in.TrustDevice)
		return err
	})
	if err != nil {
		return nil, err
	}
	return p.finish(ctx, f, end), nil
}

// useStep reports whether no code of a time step or a later one was used before, and
// no other request uses one at the same moment.
func (p *TwoFactor) useStep(ctx context.Context, row *twoFactorRow, step int64) (bool, error) {
	used := map[string]any{lastTOTPStep: step}
	for _, unused := range []Condition{Where(lastTOTPStep, nil), {Column: lastTOTPStep, Op: "<", Value: step}} {
		if changed, err := p.rows.Increment(ctx, nil, used, Where("id", row.ID), unused); err != nil || changed != nil {
			return changed != nil, err
		}
	}
	return false, nil
}

// useTOTP is what a right code does, in the transaction that counts it: the first one
// of a user who is setting the app up turns the second factor on.
func (p *TwoFactor) useTOTP(ctx context.Context, f *secondFactor, trustDevice bool) (*admission, error) {
	if !f.signsIn() && f.row.unverified() && !hasTwoFactor(f.user) {
		fresh, err := p.turn(ctx, f.session, true, func(ctx context.Context) error { return p.approve(ctx, f) })
		return &admission{data: fresh}, err
	}
	end, err := p.use(ctx, f, trustDevice)
	if err != nil {
		return nil, err
	}
	return end, p.approve(ctx, f)
}

// approve marks an app as confirmed, if it is not.
func (p *TwoFactor) approve(ctx context.Context, f *secondFactor) error {
	if f.row.Verified != nil && *f.row.Verified {
		return nil
	}
	_, err := p.rows.Update(ctx, map[string]any{"verified": true}, Where("id", f.row.ID))
	return err
}
