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
	f, err := p.caller(ctx)
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
	f, err := p.caller(ctx)
	if err != nil {
		return nil, err
	}
	counted, err := p.countOTP(ctx, f)
	if err != nil {
		return nil, err
	}
	var data *SessionData
	outcome, err := p.codes.redeem(ctx, purposeOTP, f.key(), in.Code, func(ctx context.Context) error {
		data, err = p.useOTP(ctx, f)
		return err
	})
	if err == nil && counted && outcome != otpRight && outcome != otpWrong {
		err = p.uncount(ctx, f.row) // others were faster, and there was nothing to compare with
	}
	if err == nil {
		err = p.otpRefusal(ctx, f, outcome)
	}
	switch {
	case err != nil:
		return nil, p.notAdmitted(ctx, err)
	case data == nil: // it was turned off since
		return nil, NewError(http.StatusBadRequest, ErrFailedToCreateSession, "")
	case f.signsIn():
		return p.welcome(ctx, data, in.TrustDevice)
	case data != f.session:
		p.sendTurned(ctx, data)
	}
	return p.response(data), nil
}

// countOTP counts a code of somebody who signs in, if there is one to compare it
// with, and reports whether it did.
func (p *TwoFactor) countOTP(ctx context.Context, f *secondFactor) (bool, error) {
	if !f.signsIn() {
		return false, nil
	}
	if err := p.checkLock(ctx, f.row); err != nil {
		return false, err
	}
	_, wrong, ok, err := p.codes.current(ctx, purposeOTP, f.key())
	if err != nil || !ok || wrong >= p.OTP.AllowedAttempts {
		return false, err
	}
	return true, p.count(ctx, f.row)
}

// useOTP is what a right code does, in the transaction that redeems it. It returns
// the session to answer with, nil if the user does not need the code any more.
func (p *TwoFactor) useOTP(ctx context.Context, f *secondFactor) (*SessionData, error) {
	switch {
	case !f.signsIn() && hasTwoFactor(f.user):
		return f.session, nil
	case !f.signsIn():
		return p.turn(ctx, f.session, true, func(context.Context) error { return nil })
	case !hasTwoFactor(f.user):
		return nil, nil
	}
	data, err := p.admit(ctx, f)
	if err != nil {
		return nil, err
	}
	return data, p.forgive(ctx, f.row)
}

func (p *TwoFactor) otpRefusal(ctx context.Context, f *secondFactor, outcome otpOutcome) error {
	switch outcome {
	case otpRight:
		return nil
	case otpExhausted:
		return errTooManyCodes()
	case otpWrong:
		p.refused(ctx, f)
		return NewError(http.StatusUnauthorized, ErrInvalidCode, "Invalid code")
	}
	return NewError(http.StatusBadRequest, ErrOTPHasExpired, "OTP has expired")
}
