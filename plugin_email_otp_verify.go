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

// VerifyEmailOTPResponse is the answer of POST /email-otp/verify-email. Token is nil
// unless EmailVerification.AutoSignIn has signed the user in.
type VerifyEmailOTPResponse struct {
	Status bool    `json:"status"`
	Token  *string `json:"token"`
	User   *User   `json:"user" check:"nonnull"`
}

// verifyEmail marks an address as verified that got a code, and signs in who has
// brought it if that is wanted: both or neither.
func (e *EmailOTP) verifyEmail(ctx context.Context, in VerifyEmailOTPRequest) (*VerifyEmailOTPResponse, error) {
	email, err := e.address(in.Email)
	if err != nil {
		return nil, err
	}
	proof := emailProof{typ: OTPVerifyEmail, token: email, code: in.OTP, email: email, find: func(ctx context.Context) (*User, error) {
		return e.known(ctx, email)
	}}
	proof.signIn = e.services.Config().EmailVerification.AutoSignIn
	data, err := e.accept(ctx, proof)
	if err != nil {
		return nil, err
	}
	out := &VerifyEmailOTPResponse{Status: true, User: e.services.VisibleUser(data.User)}
	switch {
	case !proof.signIn:
		return out, e.renewCopy(ctx, data.User)
	case data.Session == nil: // another plugin has answered
		return nil, nil
	}
	e.services.SetSession(ctx, data, e.services.Forgets(ctx))
	out.Token = &data.Session.Token
	return out, nil
}

// An emailProof is a code that gives a user a verified address.
type emailProof struct {
	typ         OTPType
	token, code string
	find        func(ctx context.Context) (*User, error) // whose proof it is; errors that clients see spend the code
	email       string                                   // that the user has then
	signIn      bool
}

// accept stores the address, between the callbacks of the core. The session is that of
// a user who is signed in by it.
func (e *EmailOTP) accept(ctx context.Context, p emailProof) (*SessionData, error) {
	callbacks := e.services.Config().EmailVerification
	if callbacks.BeforeVerification != nil {
		if err := e.announce(ctx, p, callbacks.BeforeVerification); err != nil {
			return nil, err
		}
	}
	data := new(SessionData)
	err := e.redeem(ctx, p.typ, p.token, p.code, func(ctx context.Context) (err error) {
		if data.User, err = e.setVerified(ctx, p); err != nil || !p.signIn {
			return err
		}
		data.Session, err = e.startSession(ctx, data.User)
		return err
	})
	if err != nil || callbacks.AfterVerification == nil {
		return data, err
	}
	if err = callbacks.AfterVerification(ctx, data.User); err != nil && data.Session != nil {
		e.forget(ctx, data.Session)
	}
	return data, err
}

// forget deletes a session whose token nobody has got.
func (e *EmailOTP) forget(ctx context.Context, session *Session) {
	if err := e.services.DeleteSession(ctx, session.Token); err != nil {
		e.services.Log().ErrorContext(ctx, "a session could not be deleted", "error", err)
	}
}

// announce calls before if the code is right. A refusal leaves the code good.
func (e *EmailOTP) announce(ctx context.Context, p emailProof, before func(ctx context.Context, user *User) error) error {
	if err := e.check(ctx, p.typ, p.token, p.code); err != nil {
		return err
	}
	user, err := p.find(ctx)
	if _, told := errors.AsType[*APIError](err); told {
		return nil // the code is to be spent for that
	}
	if err != nil {
		return err
	}
	return before(ctx, user)
}

// setVerified stores the address unless the user's has changed meanwhile. Errors:
// ErrUserNotFound, ErrInvalidOTP, ErrConflict, those of find.
func (e *EmailOTP) setVerified(ctx context.Context, p emailProof) (*User, error) {
	user, err := p.find(ctx)
	if err != nil {
		return nil, spent(err)
	}
	if err := e.lock(ctx, user); err != nil {
		return nil, err
	}
	if p.typ == OTPVerifyEmail {
		e.services.Event(ctx, Event{Name: EventEmailVerified, UserID: user.ID, Method: e.ID()})
	}
	return e.services.UpdateUser(ctx, user.ID, map[string]any{"email": p.email, "emailVerified": true})
}

// lock keeps others from working on a user whose address is still the one that was
// proven. Errors: ErrUserNotFound, ErrInvalidOTP.
func (e *EmailOTP) lock(ctx context.Context, user *User) error {
	current, err := e.services.LockUser(ctx, user.ID)
	switch {
	case err != nil:
		return err
	case current == nil:
		return ErrUserNotFound.With(http.StatusBadRequest)
	case current.Email != user.Email:
		return otpMissing.refusal()
	}
	return nil
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
