package auth

import (
	"cmp"
	"context"
	"errors"
	"net/http"
)

// SendVerificationOTPRequest is the body of POST /email-otp/send-verification-otp.
type SendVerificationOTPRequest struct {
	Email string  `json:"email"`
	Type  OTPType `json:"type" check:"oneof=email-verification|sign-in|forget-password|change-email"`
}

// errCannotSend is the answer where EmailOTP.Send is missing.
func errCannotSend() error {
	return NewError(http.StatusBadRequest, "", "send email verification is not implemented")
}

// sendVerificationOTP sends a code. The answer is the same for every address.
func (e *EmailOTP) sendVerificationOTP(ctx context.Context, in SendVerificationOTPRequest) (*EmailOTPResponse, error) {
	if e.Send == nil {
		return nil, errCannotSend()
	}
	email, err := e.address(in.Email)
	switch {
	case err != nil:
		return nil, err
	case in.Type == OTPChangeEmail: // RequestEmailChange knows whose it is
		return nil, NewError(http.StatusBadRequest, "", "Invalid OTP type")
	}
	if err := e.send(ctx, in.Type, email); err != nil {
		return nil, err
	}
	return &EmailOTPResponse{Success: true}, nil
}

// send stores a code and sends it. For an address that is to get none it does the
// same and leaves nothing.
func (e *EmailOTP) send(ctx context.Context, typ OTPType, email string) error {
	return e.services.Transaction(ctx, func(ctx context.Context) error {
		code, err := e.resolve(ctx, typ, email)
		if err != nil {
			return err
		}
		user, err := e.services.UserByEmail(ctx, email)
		if err != nil {
			return err
		}
		e.requested(ctx, typ, email, user)
		switch {
		case user != nil:
			e.mail(ctx, OTPMail{Email: user.Email, Code: code, Type: typ})
		case typ == OTPSignIn && !e.DisableSignUp:
			e.mail(ctx, OTPMail{Email: email, Code: code, Type: typ})
		default:
			return e.services.DeleteVerifications(ctx, typ.purpose(), email)
		}
		return nil
	})
}

// requested records that somebody asked for a code, if there is a user or not.
func (e *EmailOTP) requested(ctx context.Context, typ OTPType, email string, user *User) {
	asked := Event{Method: e.ID(), Identifier: email}
	if user != nil {
		asked.UserID = user.ID
	}
	switch typ {
	case OTPSignIn:
		asked.Name = EventSignInRequested
	case OTPForgetPassword:
		asked.Name = EventPasswordResetRequested
	case OTPVerifyEmail:
		asked.Name = EventEmailVerificationSent
	}
	if user != nil || asked.Name != EventEmailVerificationSent { // nobody gets that mail
		e.services.Event(ctx, asked)
	}
}

func (e *EmailOTP) mail(ctx context.Context, mail OTPMail) {
	e.services.Background(ctx, "SendVerificationOTP", func(ctx context.Context) error { return e.Send(ctx, mail) })
}

// resolve returns the code to send: the one that is still good, if it is to be used
// again, or a new one.
func (e *EmailOTP) resolve(ctx context.Context, typ OTPType, email string) (string, error) {
	if e.Reuse {
		code, err := e.reusable(ctx, typ, email)
		if err != nil || code != "" {
			return code, err
		}
	}
	return e.create(ctx, typ, email, email)
}

// reusable returns the code that is still good, with a longer life, empty if there is
// none that can be read.
func (e *EmailOTP) reusable(ctx context.Context, typ OTPType, email string) (string, error) {
	stored, wrong, ok, err := e.codes.current(ctx, typ.purpose(), email)
	if err != nil || !ok || wrong >= e.codes.attempts {
		return "", err
	}
	code, ok, err := e.codes.open(ctx, stored)
	if err != nil || !ok || code == "" {
		return "", err
	}
	extended, err := e.services.ExtendVerification(ctx, typ.purpose(), email, e.codes.lifetime)
	if err != nil || !extended {
		return "", err
	}
	return code, nil
}

// create stores a new code for an address under a token. Errors: ErrInvalidEmail for
// an address that the store cannot hold.
func (e *EmailOTP) create(ctx context.Context, typ OTPType, email, token string) (code string, err error) {
	if e.Generate != nil {
		code = e.Generate(ctx, email, typ)
	}
	if code == "" {
		code = RandomString(cmp.Or(e.Length, defaultOTPLength), Digits)
	}
	err = e.codes.create(ctx, typ.purpose(), token, code)
	if errors.Is(err, ErrInvalidValue) {
		err = ErrInvalidEmail.With(http.StatusBadRequest).WithCause(err)
	}
	return code, err
}

// signedUp is the hook after a sign-up.
func (e *EmailOTP) signedUp(x *Exchange) error {
	out, ok := x.Output().(**SignUpEmailResponse)
	if !ok || x.Failure() != nil || *out == nil || (*out).User == nil || e.Send == nil {
		return nil
	}
	email := e.services.NormalEmail((*out).User.Email)
	code, err := e.create(x, OTPVerifyEmail, email, email)
	if err != nil {
		return err
	}
	e.requested(x, OTPVerifyEmail, email, (*out).User)
	e.mail(x, OTPMail{Email: email, Code: code, Type: OTPVerifyEmail})
	return nil
}

// override makes the core send codes in place of links.
func (e *EmailOTP) override(c *Config) {
	if c.EmailVerification.Send != nil || e.Send == nil {
		return
	}
	c.EmailVerification.Send = func(ctx context.Context, mail Mail) error {
		e.services.Background(ctx, "SendVerificationOTP", func(ctx context.Context) error {
			email, err := e.address(mail.User.Email)
			if err != nil {
				return err
			}
			return e.send(ctx, OTPVerifyEmail, email)
		})
		return nil
	}
}

// CreateVerificationOTPRequest is the input of CreateVerificationOTP. A code to change
// an address has the user's id, a colon and the new address in place of Email.
type CreateVerificationOTPRequest struct {
	Email string  `json:"email"`
	Type  OTPType `json:"type" check:"oneof=email-verification|sign-in|forget-password|change-email"`
}

// createVerificationOTP stores a code and returns it, for Go code that sends it.
func (e *EmailOTP) createVerificationOTP(ctx context.Context, in CreateVerificationOTPRequest) (string, error) {
	email := e.services.NormalEmail(in.Email)
	return e.create(ctx, in.Type, email, email)
}

// GetVerificationOTPRequest is the input of GetVerificationOTP, like that of
// CreateVerificationOTP.
type GetVerificationOTPRequest struct {
	Email string  `query:"email"`
	Type  OTPType `query:"type" check:"oneof=email-verification|sign-in|forget-password|change-email"`
}

// GetVerificationOTPResponse is the answer of GetVerificationOTP. OTP is nil if there
// is no code or it has expired.
type GetVerificationOTPResponse struct {
	OTP *string `json:"otp"`
}

// getVerificationOTP returns the code that is stored, for Go code.
func (e *EmailOTP) getVerificationOTP(ctx context.Context, in GetVerificationOTPRequest) (*GetVerificationOTPResponse, error) {
	stored, _, ok, err := e.codes.current(ctx, in.Type.purpose(), e.services.NormalEmail(in.Email))
	switch {
	case err != nil:
		return nil, err
	case !ok:
		return &GetVerificationOTPResponse{}, nil
	case e.codes.hashes():
		return nil, NewError(http.StatusBadRequest, "", "OTP is hashed, cannot return the plain text OTP")
	}
	code, ok, err := e.codes.open(ctx, stored)
	if err != nil || !ok {
		return &GetVerificationOTPResponse{}, err
	}
	return &GetVerificationOTPResponse{OTP: &code}, nil
}
