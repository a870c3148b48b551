package auth

import (
	"context"
	"errors"
	"net/http"
)

// VerifyEmailOTPRequest is the body of POST /email-otp/verify-email.
type VerifyEmailOTPRequest struct {
	Email string `json:"email"`
	OTP   string `json:"otp"`
}

// VerifyEmailOTPResponse is its answer. Token is nil unless EmailVerification.AutoSignIn
// has signed the user in.
type VerifyEmailOTPResponse struct {
	Status bool    `json:"status"`
	Token  *string `json:"token"`
	User   *User   `json:"user"`
}

// verifyEmail marks an address as verified that got a code.
func (e *EmailOTP) verifyEmail(ctx context.Context, in VerifyEmailOTPRequest) (*VerifyEmailOTPResponse, error) {
	email, err := e.address(in.Email)
	if err != nil {
		return nil, err
	}
	if err := e.redeem(ctx, OTPVerifyEmail, email, in.OTP, nothing); err != nil {
		return nil, err
	}
	user, err := e.known(ctx, email)
	if err != nil {
		return nil, err
	}
	if user, err = e.verified(ctx, user, email); err != nil {
		return nil, err
	}
	out := &VerifyEmailOTPResponse{Status: true, User: e.services.VisibleUser(user)}
	if !e.services.Config().EmailVerification.AutoSignIn {
		return out, e.renewCopy(ctx, user)
	}
	session, err := e.services.SignIn(ctx, &SignIn{User: user, Method: e.ID(), RememberAsBefore: true})
	if err != nil || session == nil {
		return nil, err
	}
	out.Token = &session.Token
	return out, nil
}

// verified gives a user a verified address, the one they have or another one, between
// the callbacks of the core.
func (e *EmailOTP) verified(ctx context.Context, user *User, email string) (*User, error) {
	callbacks := e.services.Config().EmailVerification
	if callbacks.BeforeVerification != nil {
		if err := callbacks.BeforeVerification(ctx, user); err != nil {
			return nil, err
		}
	}
	updated, err := e.updateEmail(ctx, user, email)
	if err != nil {
		return nil, err
	}
	if callbacks.AfterVerification != nil {
		if err := callbacks.AfterVerification(ctx, updated); err != nil {
			return nil, err
		}
	}
	return updated, nil
}

// updateEmail stores a verified address unless the user's has changed meanwhile: the
// proof was of this one. Errors: ErrUserNotFound, ErrInvalidOTP, ErrConflict.
func (e *EmailOTP) updateEmail(ctx context.Context, user *User, email string) (updated *User, err error) {
	err = e.services.Transaction(ctx, func(ctx context.Context) error {
		current, err := e.services.LockUser(ctx, user.ID)
		switch {
		case err != nil:
			return err
		case current == nil:
			return ErrUserNotFound.With(http.StatusBadRequest)
		case current.Email != user.Email:
			return otpMissing.refusal()
		}
		updated, err = e.services.UpdateUser(ctx, user.ID, map[string]any{"email": email, "emailVerified": true})
		return err
	})
	return updated, err
}

// renewCopy writes the cached copy of the caller's session again if its user is this
// one.
func (e *EmailOTP) renewCopy(ctx context.Context, user *User) error {
	data, err := e.services.Session(ctx, SessionRequired)
	if err != nil || data == nil || data.User.ID != user.ID {
		return err
	}
	e.services.CacheSession(ctx, &SessionData{Session: data.Session, User: user})
	return nil
}

// RequestEmailChangeOTPRequest is the body of POST /email-otp/request-email-change.
type RequestEmailChangeOTPRequest struct {
	NewEmail string `json:"newEmail"`
	OTP      string `json:"otp,omitempty"` // for the current address, with OTPEmailChange.VerifyCurrent
}

// requestEmailChange sends a code to an address that the signed-in user wants to have.
// The answer is the same when somebody else has it.
func (e *EmailOTP) requestEmailChange(ctx context.Context, in RequestEmailChangeOTPRequest) (*EmailOTPResponse, error) {
	user := SessionFromContext(ctx).User
	newEmail, err := e.newAddress(user, in.NewEmail)
	switch {
	case err != nil:
		return nil, err
	case e.Send == nil:
		return nil, errCannotSend()
	case !e.EmailChange.VerifyCurrent:
		err = e.services.Transaction(ctx, func(ctx context.Context) error { return e.sendChange(ctx, user, newEmail) })
	case in.OTP == "":
		err = NewError(http.StatusBadRequest, "", "OTP is required to verify current email")
	default:
		err = e.redeem(ctx, OTPVerifyEmail, e.services.NormalEmail(user.Email), in.OTP, func(ctx context.Context) error {
			return e.sendChange(ctx, user, newEmail)
		})
	}
	if err != nil {
		return nil, err
	}
	return &EmailOTPResponse{Success: true}, nil
}

// newAddress returns the address that a user wants to have, as it is stored.
func (e *EmailOTP) newAddress(user *User, email string) (string, error) {
	if !e.EmailChange.Enabled {
		return "", NewError(http.StatusBadRequest, "", "Change email with OTP is disabled")
	}
	email, err := e.address(email)
	if err == nil && email == e.services.NormalEmail(user.Email) {
		err = NewError(http.StatusBadRequest, "", "Email is the same")
	}
	return email, err
}

// changeToken is what a code to change an address is found by: a code for one user is
// none for another.
func changeToken(user *User, newEmail string) string { return user.ID + ":" + newEmail }

func (e *EmailOTP) sendChange(ctx context.Context, user *User, newEmail string) error {
	token := changeToken(user, newEmail)
	code, err := e.create(ctx, OTPChangeEmail, newEmail, token)
	if err != nil {
		return err
	}
	taken, err := e.services.UserByEmail(ctx, newEmail)
	switch {
	case err != nil:
		return err
	case taken != nil:
		return e.services.DeleteVerifications(ctx, OTPChangeEmail.purpose(), token)
	}
	e.mail(ctx, OTPMail{Email: newEmail, Code: code, Type: OTPChangeEmail})
	return nil
}

// ChangeEmailOTPRequest is the body of POST /email-otp/change-email.
type ChangeEmailOTPRequest struct {
	NewEmail string `json:"newEmail"`
	OTP      string `json:"otp"`
}

// changeEmail gives the signed-in user the address that got a code. It is verified
// then.
func (e *EmailOTP) changeEmail(ctx context.Context, in ChangeEmailOTPRequest) (*EmailOTPResponse, error) {
	data := SessionFromContext(ctx)
	newEmail, err := e.newAddress(data.User, in.NewEmail)
	if err != nil {
		return nil, err
	}
	if err := e.redeem(ctx, OTPChangeEmail, changeToken(data.User, newEmail), in.OTP, nothing); err != nil {
		return nil, err
	}
	user, err := e.services.User(ctx, Where("id", data.User.ID))
	if err == nil && user == nil {
		err = ErrUserNotFound.With(http.StatusBadRequest)
	}
	if err != nil {
		return nil, err
	}
	if err := e.moveTo(ctx, data.Session, user, newEmail); err != nil {
		return nil, err
	}
	return &EmailOTPResponse{Success: true}, nil
}

// moveTo changes the address unless somebody else has the new one.
func (e *EmailOTP) moveTo(ctx context.Context, session *Session, user *User, newEmail string) error {
	inUse := NewError(http.StatusBadRequest, "", "Email already in use")
	taken, err := e.services.UserByEmail(ctx, newEmail)
	switch {
	case err != nil:
		return err
	case taken != nil:
		return inUse
	}
	updated, err := e.verified(ctx, user, newEmail)
	switch {
	case errors.Is(err, ErrConflict):
		return inUse.WithCause(err)
	case err != nil:
		return err
	}
	e.services.Event(ctx, "e-mail changed", "user", user.ID)
	e.services.SetSession(ctx, &SessionData{Session: session, User: updated}, e.services.Forgets(ctx))
	return nil
}
