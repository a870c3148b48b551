package auth

import (
	"context"
	"log/slog"
	"net/http"
)

// RequestPasswordResetRequest is the body of POST /request-password-reset.
type RequestPasswordResetRequest struct {
	Email      string `json:"email" check:"email"`
	RedirectTo string `json:"redirectTo,omitempty"` // page that asks for the new password; gets ?token= or ?error=
}

// RequestPasswordResetResponse is the answer of POST /request-password-reset, whether
// the user exists or not.
type RequestPasswordResetResponse struct {
	Status  bool   `json:"status"`
	Message string `json:"message"`
}

const resetRequested = "If this email exists in our system, check your email for the reset link"

// requestPasswordReset mails a link to choose a new password. For an unknown
// address it does the same work but for the mail.
func (c *core) requestPasswordReset(ctx context.Context, in RequestPasswordResetRequest) (*RequestPasswordResetResponse, error) {
	send := c.emailPassword.SendResetPassword
	if send == nil {
		return nil, ErrResetPasswordDisabled.With(http.StatusBadRequest)
	}
	user, err := c.userByEmail(ctx, in.Email)
	if err != nil {
		return nil, err
	}
	requested := Event{Name: EventPasswordResetRequested, Method: methodLink, Identifier: in.Email}
	token := newResetToken()
	if err := c.storeReset(ctx, user, token); err != nil {
		return nil, err
	}
	out := &RequestPasswordResetResponse{Status: true, Message: resetRequested}
	if user == nil {
		c.event(ctx, requested)
		return out, nil
	}
	requested.UserID = user.ID
	c.event(ctx, requested)
	mail := Mail{User: user, Token: token,
		URL: c.siteOf(ctx).url + "/reset-password/" + token + "?callbackURL=" + encodeURIComponent(in.RedirectTo)}
	c.inBackground(ctx, "SendResetPassword", func(ctx context.Context) error { return send(ctx, mail) })
	return out, nil
}

// storeReset stores the token of a user. For nobody, nil, it writes as much and leaves
// nothing: a look into the store alone would be faster than what it takes to keep
// something.
func (c *core) storeReset(ctx context.Context, user *User, token string) error {
	lifetime := c.emailPassword.ResetPasswordExpiresIn
	return c.transact(ctx, func(ctx context.Context) error {
		if user == nil {
			return c.verifications.keepNothing(ctx, purposeResetPassword+token, lifetime)
		}
		if err := c.createVerification(ctx, purposeResetPassword, token, user.ID, lifetime); err != nil {
			return err
		}
		return c.verifications.erase(ctx, purposeResetPassword+newResetToken()) // there is none
	})
}

// RequestPasswordResetCallbackRequest is what the link in the mail carries:
// GET /reset-password/:token.
type RequestPasswordResetCallbackRequest struct {
	Token       string `path:"token"`
	CallbackURL string `query:"callbackURL"`
}

// requestPasswordResetCallback sends the browser on to the page that asks for
// the new password. It does not consume the token.
func (c *core) requestPasswordResetCallback(ctx context.Context, in RequestPasswordResetCallbackRequest) (Empty, error) {
	x := ExchangeFrom(ctx)
	v, err := c.findVerification(ctx, purposeResetPassword, in.Token)
	if err != nil {
		return Empty{}, err
	}
	name, value := "token", in.Token
	if v == nil || in.CallbackURL == "" {
		name, value = "error", string(ErrInvalidToken)
	}
	target := in.CallbackURL
	if target == "" {
		target = c.siteOf(ctx).url + "/error"
	}
	location, err := redirectWith(c.siteOf(ctx).origin, target, name, value)
	if err != nil {
		return Empty{}, ErrInvalidCallbackURL.With(http.StatusBadRequest).WithCause(err)
	}
	return Empty{}, x.Redirect(location)
}

// ResetPasswordRequest is the body of POST /reset-password. The token may be in
// the query instead.
type ResetPasswordRequest struct {
	NewPassword string `json:"newPassword"`
	Token       string `json:"token,omitempty"`
	QueryToken  string `query:"token,omitempty" json:"-"`
}

// resetPassword sets a new password for the bearer of a mailed token, which is
// good once.
func (c *core) resetPassword(ctx context.Context, in ResetPasswordRequest) (*Status, error) {
	token := in.Token
	if token == "" {
		token = in.QueryToken
	}
	if token == "" {
		return nil, ErrInvalidToken.With(http.StatusBadRequest)
	}
	if err := c.checkPasswordLength(in.NewPassword); err != nil {
		return nil, err
	}
	user, err := c.userOfResetToken(ctx, token)
	if err != nil {
		return nil, err
	}
	if err := c.validatePassword(ctx, in.NewPassword); err != nil {
		return nil, err
	}
	hash, err := c.passwords.hash(ctx, in.NewPassword)
	if err != nil {
		return nil, err
	}
	err = c.transact(ctx, func(ctx context.Context) error { return c.spendResetToken(ctx, token, user.ID, hash) })
	if err != nil {
		return nil, err
	}
	c.event(ctx, Event{
		Name: EventPasswordReset, UserID: user.ID, Method: methodLink,
		Attrs: []slog.Attr{slog.Bool("sessions_revoked", c.emailPassword.RevokeSessionsOnPasswordReset)},
	})
	if c.emailPassword.OnPasswordReset != nil {
		if err := c.emailPassword.OnPasswordReset(ctx, user); err != nil {
			return nil, err
		}
	}
	return &Status{Status: true}, nil
}

func (c *core) userOfResetToken(ctx context.Context, token string) (*User, error) {
	v, err := c.findVerification(ctx, purposeResetPassword, token)
	if err != nil {
		return nil, err
	}
	if v == nil {
		return nil, c.resetRefused(ctx)
	}
	user, err := c.users.first(ctx, Where("id", v.Value))
	if err == nil && user == nil {
		err = ErrUserNotFound.With(http.StatusBadRequest)
	}
	return user, err
}

// resetRefused is the answer to a token that is unknown, spent or expired.
func (c *core) resetRefused(ctx context.Context) error {
	c.event(ctx, Event{Name: EventTokenRefused, Method: "reset-password", Reason: "invalid"})
	return ErrInvalidToken.With(http.StatusBadRequest)
}

func (c *core) spendResetToken(ctx context.Context, token, userID, hash string) error {
	v, err := c.consumeVerification(ctx, purposeResetPassword, token)
	if err != nil {
		return err
	}
	if v == nil || v.Value != userID {
		return c.resetRefused(ctx)
	}
	user, err := c.lockUser(ctx, userID)
	if err == nil && user == nil {
		err = ErrUserNotFound.With(http.StatusBadRequest)
	}
	if err != nil {
		return err
	}
	if err := c.setCredential(ctx, userID, hash); err != nil {
		return err
	}
	if !c.emailPassword.RevokeSessionsOnPasswordReset {
		return nil
	}
	return c.deleteSessionsOf(ctx, userID)
}
