package auth

import (
	"context"
	"net/http"
	"time"
)

// TwoFactorOTPOptions are those of codes that are sent to users.
type TwoFactorOTPOptions struct {
	// Send sends a code, by mail or otherwise. It runs in the background: its failure
	// is logged, and who waits for the code asks for another one. Nil: no such codes.
	Send func(ctx context.Context, user *User, code string) error

	Digits          int           // of a code, at most 32; default: 6
	Period          time.Duration // for which a code is good; default: three minutes
	AllowedAttempts int           // wrong codes until it is not any more; default: 5
	Storage         OTPStorage    // default: as they are
}

// purposeOTP is followed by the name of the caller: a challenge, or user and session.
const purposeOTP = "2fa-otp-"

// SendTwoFactorOTPRequest is the optional body of POST /two-factor/send-otp.
// TrustDevice does nothing here.
type SendTwoFactorOTPRequest struct {
	TrustDevice bool `json:"trustDevice,omitempty"`
}

// sendOTP sends a code, which counts in place of earlier ones.
func (p *TwoFactor) sendOTP(ctx context.Context, _ SendTwoFactorOTPRequest) (*Status, error) {
	if p.OTP.Send == nil {
		p.services.Log().ErrorContext(ctx, "TwoFactor.OTP.Send is nil, and a code was asked for")
		return nil, NewError(http.StatusBadRequest, ErrOTPNotConfigured, "otp isn't configured")
	}
	f, err := p.caller(ctx, MethodOTP)
	if err != nil {
		return nil, err
	}
	code := RandomString(p.OTP.Digits, Digits)
	if err := p.codes.create(ctx, purposeOTP, f.key(), code); err != nil {
		return nil, err
	}
	p.services.Background(ctx, "TwoFactor.OTP.Send", func(ctx context.Context) error {
		return p.OTP.Send(ctx, f.user, code)
	})
	return &Status{Status: true}, nil
}

// verifyOTP takes a code that was sent: it ends a challenge, or turns the second
// factor on for a user who has a session.
func (p *TwoFactor) verifyOTP(ctx context.Context, in VerifyTwoFactorRequest) (*VerifyTwoFactorResponse, error) {
	f, err := p.caller(ctx, MethodOTP)
	if err != nil {
		return nil, err
	}
	var end *admission
	var outcome otpOutcome
	var refusal error
	err = p.services.Insist(ctx, func(ctx context.Context) (err error) {
		if user, err := p.services.LockUser(ctx, f.user.ID); err != nil || user == nil {
			return orNoChallenge(err)
		}
		if refusal, err = refusalOf(p.countOTP(ctx, f)); err != nil || refusal != nil {
			return err
		}
		outcome, err = p.codes.redeem(ctx, purposeOTP, f.key(), in.Code, func(ctx context.Context) error {
			end, err = p.useOTP(ctx, f, in.TrustDevice)
			return err
		})
		return err
	})
	if err != nil {
		return nil, p.notAdmitted(ctx, err)
	}
	if refusal == nil {
		refusal = otpRefusal(outcome)
	}
	switch {
	case refusal != nil:
		return nil, p.refused(ctx, f, refusal)
	case end == nil: // it was turned off since
		return nil, NewError(http.StatusBadRequest, ErrFailedToCreateSession, "")
	}
	return p.finish(ctx, f, end), nil
}

// countOTP counts a code of somebody who signs in, if there is one to compare it
// with.
func (p *TwoFactor) countOTP(ctx context.Context, f *secondFactor) error {
	if !f.signsIn() {
		return nil
	}
	if err := p.checkLock(ctx, f.row); err != nil {
		return err
	}
	_, wrong, ok, err := p.codes.current(ctx, purposeOTP, f.key())
	if err != nil || !ok || wrong >= p.OTP.AllowedAttempts {
		return err
	}
	return p.count(ctx, f)
}

// useOTP is what a right code does, in the transaction that redeems it. It returns
// nil if the user does not need the code any more.
func (p *TwoFactor) useOTP(ctx context.Context, f *secondFactor, trustDevice bool) (*admission, error) {
	switch {
	case !f.signsIn() && !hasTwoFactor(f.user):
		fresh, err := p.turn(ctx, f.session, true, func(context.Context) error { return nil })
		return &admission{data: fresh}, err
	case !hasTwoFactor(f.user):
		return nil, nil
	}
	return p.use(ctx, f, trustDevice)
}

func otpRefusal(outcome otpOutcome) error {
	switch outcome {
	case otpRight:
		return nil
	case otpExhausted:
		return errTooManyCodes()
	case otpWrong:
		return NewError(http.StatusUnauthorized, ErrInvalidCode, "Invalid code")
	}
	return NewError(http.StatusBadRequest, ErrOTPHasExpired, "OTP has expired")
}
