package auth

import (
	"context"
	"errors"
	"net/http"
)

// SignInEmailOTPRequest is the body of POST /sign-in/email-otp. Name, Image and
// Fields are those of a user who signs up by it.
type SignInEmailOTPRequest struct {
	Email string  `json:"email"`
	OTP   string  `json:"otp"`
	Name  string  `json:"name,omitempty"`
	Image *string `json:"image,omitempty"`

	// Fields are the values of additional user columns.
	Fields map[string]any `json:",inline"`
}

// SignInEmailOTPResponse is the answer of POST /sign-in/email-otp.
type SignInEmailOTPResponse struct {
	Token string `json:"token"`
	User  *User  `json:"user" check:"nonnull"`
}

// signIn signs in who got a code at an address, and makes them a user if they are
// none. The code is gone together with that: data that cannot be stored costs no code.
func (e *EmailOTP) signIn(ctx context.Context, in SignInEmailOTPRequest) (*SignInEmailOTPResponse, error) {
	email := e.services.NormalEmail(in.Email)
	data := new(SessionData)
	err := e.redeem(ctx, OTPSignIn, email, in.OTP, func(ctx context.Context) (err error) {
		if data.User, err = e.userOf(ctx, email, in); err != nil {
			return err
		}
		data.Session, err = e.startSession(ctx, data.User)
		return err
	})
	if err != nil || data.Session == nil {
		return nil, storable(err)
	}
	e.services.SetSession(ctx, data, e.services.Forgets(ctx))
	return &SignInEmailOTPResponse{Token: data.Session.Token, User: e.services.VisibleUser(data.User)}, nil
}

// startSession starts a session in the transaction that spends the code. It is nil if
// another plugin has given another answer.
func (e *EmailOTP) startSession(ctx context.Context, user *User) (*Session, error) {
	session, err := e.services.SignIn(ctx, &SignIn{User: user, Method: e.ID(), Unsent: true})
	return session, spent(err)
}

// userOf returns the user with an address that was just proven. Errors: ErrInvalidOTP
// if there is to be none, those of the data of a new user.
func (e *EmailOTP) userOf(ctx context.Context, email string, in SignInEmailOTPRequest) (*User, error) {
	user, err := e.services.UserByEmail(ctx, email)
	switch {
	case err != nil:
		return nil, err
	case user != nil:
		user, err = e.services.ProveMailbox(ctx, user)
	case !e.DisableSignUp:
		return e.newUser(ctx, email, in)
	}
	if err == nil && user == nil {
		err = spent(otpMissing.refusal())
	}
	return user, err
}

func (e *EmailOTP) newUser(ctx context.Context, email string, in SignInEmailOTPRequest) (*User, error) {
	fields, err := e.services.ParseUserFields(in.Fields, true)
	if err != nil {
		return nil, err
	}
	user := &User{Name: in.Name, Email: email, EmailVerified: true, Image: in.Image, Fields: fields}
	return user, e.services.CreateUser(ctx, user, UserSource{Method: e.ID(), Action: "create-user"})
}

// storable gives an error that clients see to values of a new user that the store does
// not take, or that are taken.
func storable(err error) error {
	if errors.Is(err, ErrInvalidValue) || errors.Is(err, ErrConflict) {
		return ErrFailedToCreateUser.With(http.StatusUnprocessableEntity).WithCause(err)
	}
	return err
}

// CheckVerificationOTPRequest is the body of POST /email-otp/check-verification-otp.
type CheckVerificationOTPRequest struct {
	Email string  `json:"email"`
	Type  OTPType `json:"type" check:"oneof=email-verification|sign-in|forget-password|change-email"`
	OTP   string  `json:"otp"`
}

// checkVerificationOTP says whether a code is right and leaves it as it is. A wrong
// one counts.
func (e *EmailOTP) checkVerificationOTP(ctx context.Context, in CheckVerificationOTPRequest) (*EmailOTPResponse, error) {
	email, err := e.address(in.Email)
	if err != nil {
		return nil, err
	}
	if err := e.check(ctx, in.Type, email, in.OTP); err != nil {
		return nil, err
	}
	if _, err := e.known(ctx, email); err != nil {
		return nil, err
	}
	return &EmailOTPResponse{Success: true}, nil
}

// known returns the user with an address, for somebody who has proven to own it.
// Errors: ErrUserNotFound.
func (e *EmailOTP) known(ctx context.Context, email string) (*User, error) {
	user, err := e.services.UserByEmail(ctx, email)
	if err == nil && user == nil {
		err = ErrUserNotFound.With(http.StatusBadRequest)
	}
	return user, err
}
