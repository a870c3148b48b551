package auth

import (
	"context"
	"net/http"
)

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
	e.services.Event(ctx, Event{Name: EventEmailChangeRequested, UserID: user.ID, Method: e.ID(), Identifier: newEmail})
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
	current := SessionFromContext(ctx)
	newEmail, err := e.newAddress(current.User, in.NewEmail)
	if err != nil {
		return nil, err
	}
	data, err := e.accept(ctx, emailProof{
		typ: OTPChangeEmail, token: changeToken(current.User, newEmail), code: in.OTP, email: newEmail,
		find: func(ctx context.Context) (*User, error) { return e.mover(ctx, current.User.ID, newEmail) },
	})
	if err != nil {
		return nil, err
	}
	e.services.Event(ctx, Event{Name: EventEmailChanged, UserID: data.User.ID, Method: e.ID(), Identifier: newEmail})
	e.services.SetSession(ctx, &SessionData{Session: current.Session, User: data.User}, e.services.Forgets(ctx))
	return &EmailOTPResponse{Success: true}, nil
}

// mover returns a user who may have a new address. Errors: ErrUserNotFound, one without
// a code if somebody else has it.
func (e *EmailOTP) mover(ctx context.Context, id, newEmail string) (*User, error) {
	user, err := e.services.User(ctx, Where("id", id))
	if err == nil && user == nil {
		err = ErrUserNotFound.With(http.StatusBadRequest)
	}
	if err != nil {
		return nil, err
	}
	taken, err := e.services.UserByEmail(ctx, newEmail)
	if err == nil && taken != nil {
		err = NewError(http.StatusBadRequest, "", "Email already in use")
	}
	return user, err
}
