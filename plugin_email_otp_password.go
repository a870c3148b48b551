package auth

import (
	"context"
	"log/slog"
)

// EmailOTPPasswordRequest is the body of POST /email-otp/request-password-reset.
type EmailOTPPasswordRequest struct {
	Email string `json:"email"`
}

// requestPasswordReset sends a code to choose a new password with. The answer is the
// same for every address.
func (e *EmailOTP) requestPasswordReset(ctx context.Context, in EmailOTPPasswordRequest) (*EmailOTPResponse, error) {
	if e.Send == nil {
		return nil, errCannotSend()
	}
	email, err := e.address(in.Email)
	if err != nil {
		return nil, err
	}
	if err := e.send(ctx, OTPForgetPassword, email); err != nil {
		return nil, err
	}
	return &EmailOTPResponse{Success: true}, nil
}

// ResetPasswordOTPRequest is the body of POST /email-otp/reset-password.
type ResetPasswordOTPRequest struct {
	Email    string `json:"email"`
	OTP      string `json:"otp"`
	Password string `json:"password"` // the new one
}

// resetPassword sets a new password for who got a code. A wrong code costs no hash, and
// none can be used twice although it is compared twice.
func (e *EmailOTP) resetPassword(ctx context.Context, in ResetPasswordOTPRequest) (*EmailOTPResponse, error) {
	email, err := e.address(in.Email)
	if err != nil {
		return nil, err
	}
	if err := e.services.CheckPasswordLength(in.Password); err != nil {
		return nil, err
	}
	if err := e.check(ctx, OTPForgetPassword, email, in.OTP); err != nil {
		return nil, err
	}
	user, err := e.known(ctx, email)
	if err != nil {
		return nil, err
	}
	hash, err := e.services.HashPassword(ctx, in.Password)
	if err != nil {
		return nil, err
	}
	err = e.redeem(ctx, OTPForgetPassword, email, in.OTP, func(ctx context.Context) error { return e.replacePassword(ctx, user, hash) })
	if err != nil {
		return nil, err
	}
	e.services.Event(ctx, Event{
		Name: EventPasswordReset, UserID: user.ID, Method: e.ID(),
		Attrs: []slog.Attr{slog.Bool("sessions_revoked", e.services.Config().EmailPassword.RevokeSessionsOnPasswordReset)},
	})
	if notify := e.services.Config().EmailPassword.OnPasswordReset; notify != nil {
		if err := notify(ctx, user); err != nil {
			return nil, err
		}
	}
	return &EmailOTPResponse{Success: true}, nil
}

// replacePassword stores a hash, and that the address is proven to be the user's: what
// there was before the first proof goes.
func (e *EmailOTP) replacePassword(ctx context.Context, user *User, hash string) error {
	if err := e.lock(ctx, user); err != nil {
		return err
	}
	if _, err := e.services.ProveMailbox(ctx, user); err != nil {
		return err
	}
	if err := e.services.SetPassword(ctx, user.ID, hash); err != nil {
		return err
	}
	if !e.services.Config().EmailPassword.RevokeSessionsOnPasswordReset {
		return nil
	}
	return e.services.DeleteSessions(ctx, user.ID)
}
