package auth

import (
	"context"
	"errors"
	"net/http"
	"strings"
)

// ChangeEmailRequest is the body of POST /change-email.
type ChangeEmailRequest struct {
	NewEmail    string `json:"newEmail" check:"email"`
	CallbackURL string `json:"callbackURL,omitempty"` // where the links in the mails lead in the end
}

// changeEmail begins the change of the signed-in user's address. The answer is
// the same when the new address belongs to somebody else.
func (c *core) changeEmail(ctx context.Context, in ChangeEmailRequest) (*Status, error) {
	if !c.changing.Enabled {
		return nil, ErrChangeEmailDisabled.With(http.StatusBadRequest)
	}
	data := currentSession(ctx)
	newEmail := lowerEmail(in.NewEmail)
	if newEmail == data.User.Email {
		return nil, NewError(http.StatusBadRequest, "", "Email is the same")
	}
	begin := c.changeFlow(data.User)
	if begin == nil {
		return nil, NewError(http.StatusBadRequest, "", "Verification email isn't enabled")
	}
	taken, err := c.userByEmail(ctx, newEmail)
	if err != nil {
		return nil, err
	}
	if taken != nil {
		c.event(ctx, Event{Name: EventEmailChangeRequested, UserID: data.User.ID, Identifier: newEmail, Reason: "taken"})
		c.changeToken(data.User, newEmail, "")
		return &Status{Status: true}, nil
	}
	if err := begin(ctx, data, newEmail, in.CallbackURL); err != nil {
		return nil, err
	}
	return &Status{Status: true}, nil
}

// changeFlow returns the first step of the change that the configuration allows
// a user, nil if there is none.
func (c *core) changeFlow(user *User) func(ctx context.Context, data *SessionData, newEmail, callbackURL string) error {
	switch {
	case !user.EmailVerified && c.changing.WithoutVerification:
		return c.changeNow
	case c.verification.Send == nil:
		return nil
	case user.EmailVerified && c.changing.SendConfirmation != nil:
		return c.confirmChange
	}
	return c.verifyChange
}

func (c *core) changeToken(user *User, newEmail, step string) string {
	return c.emailToken(emailClaims{
		Email: user.Email, UpdateTo: newEmail, RequestType: step, UserID: user.ID,
	}, c.verification.ExpiresIn)
}

// changeNow changes an address that was never verified.
func (c *core) changeNow(ctx context.Context, data *SessionData, newEmail, callbackURL string) error {
	// Only while it is unverified: a link that was followed meanwhile proved
	// the old address, not the new one.
	n, err := c.users.change(ctx, data.User.ID, map[string]any{"email": newEmail},
		Where("email", data.User.Email), Where("emailVerified", false))
	switch {
	case errors.Is(err, ErrConflict): // taken a moment ago: answer as if it had been before
		return nil
	case err != nil:
		return err
	case n == 0:
		return ErrFailedToUpdateUser.With(http.StatusBadRequest)
	}
	user, err := c.users.first(ctx, Where("id", data.User.ID))
	if err != nil {
		return err
	}
	if user == nil {
		return ErrUserNotFound.With(http.StatusBadRequest)
	}
	c.event(ctx, Event{Name: EventEmailChanged, UserID: user.ID, Method: "unverified", Identifier: newEmail})
	c.setSession(ctx, &SessionData{Session: data.Session, User: user}, c.forgets(ExchangeFrom(ctx)))
	if c.verification.Send != nil {
		c.mailVerification(ctx, user, callbackURL)
	}
	return nil
}

// confirmChange asks the old address.
func (c *core) confirmChange(ctx context.Context, data *SessionData, newEmail, callbackURL string) error {
	c.event(ctx, Event{Name: EventEmailChangeRequested, UserID: data.User.ID, Identifier: newEmail})
	token := c.changeToken(data.User, newEmail, changeConfirmation)
	mail := Mail{User: data.User.clone(), NewEmail: newEmail, Token: token, URL: c.emailLink(ctx, token, callbackURL)}
	c.inBackground(ctx, "SendConfirmation", func(ctx context.Context) error { return c.changing.SendConfirmation(ctx, mail) })
	return nil
}

// verifyChange asks the new address.
func (c *core) verifyChange(ctx context.Context, data *SessionData, newEmail, callbackURL string) error {
	c.event(ctx, Event{Name: EventEmailChangeRequested, UserID: data.User.ID, Identifier: newEmail})
	c.mailChange(ctx, data.User, newEmail, callbackURL)
	return nil
}

func (c *core) mailChange(ctx context.Context, user *User, newEmail, callbackURL string) {
	if c.verification.Send == nil {
		return
	}
	token := c.changeToken(user, newEmail, changeVerification)
	addressee := user.clone()
	addressee.Email = newEmail
	mail := Mail{User: addressee, NewEmail: newEmail, Token: token, URL: c.emailLink(ctx, token, callbackURL)}
	c.inBackground(ctx, "SendVerificationEmail", func(ctx context.Context) error { return c.verification.Send(ctx, mail) })
}

// continueChange takes the link of a change mail: from the old address it mails
// the new one, from the new address it ends the change. The user's address must
// still be the one of the token, so that each token works once.
func (c *core) continueChange(ctx context.Context, claims emailClaims, callbackURL string) (*VerifyEmailResponse, error) {
	if claims.UserID == "" {
		return nil, ErrInvalidToken
	}
	user, err := c.users.first(ctx, Where("id", claims.UserID))
	switch {
	case err != nil:
		return nil, err
	case user == nil:
		return nil, ErrUserNotFound
	case lowerEmail(user.Email) != claims.Email:
		return nil, ErrInvalidToken
	}
	data, err := c.readSession(ctx, readOptions{})
	switch {
	case err != nil:
		return nil, err
	case data != nil && data.User.ID != user.ID:
		return nil, ErrInvalidUser
	case claims.RequestType == changeConfirmation:
		c.mailChange(ctx, user, claims.UpdateTo, callbackURL)
		return &VerifyEmailResponse{Status: true, shape: userAbsent}, nil
	}
	return c.endChange(ctx, data, user, claims, callbackURL)
}

// endChange stores the new address. Tokens without a step are of older versions
// and leave the new address to be verified by another mail.
func (c *core) endChange(ctx context.Context, data *SessionData, user *User, claims emailClaims, callbackURL string) (*VerifyEmailResponse, error) {
	verified := user.EmailVerified && claims.RequestType == changeVerification
	updated, err := c.swapEmail(ctx, user, strings.ToLower(claims.UpdateTo), verified)
	if err != nil {
		return nil, err
	}
	c.event(ctx, Event{Name: EventEmailChanged, UserID: user.ID, Method: methodLink, Identifier: claims.UpdateTo})
	switch {
	case verified:
		err = callback(ctx, c.verification.AfterVerification, updated)
	case claims.RequestType != changeVerification && c.verification.Send != nil:
		c.event(ctx, Event{Name: EventEmailVerificationSent, UserID: updated.ID})
		mail := c.verificationMail(ctx, updated, callbackURL, defaultLinkLifetime)
		c.inBackground(ctx, "SendVerificationEmail", func(ctx context.Context) error { return c.verification.Send(ctx, mail) })
	}
	if err != nil {
		return nil, err
	}
	if data != nil {
		c.setSession(ctx, &SessionData{Session: data.Session, User: updated}, c.forgets(ExchangeFrom(ctx)))
	}
	return &VerifyEmailResponse{Status: true, User: c.visibleUser(updated), shape: userPresent}, nil
}

// swapEmail replaces the address that the token names and no other.
func (c *core) swapEmail(ctx context.Context, user *User, newEmail string, verified bool) (*User, error) {
	n, err := c.users.change(ctx, user.ID, map[string]any{"email": newEmail, "emailVerified": verified},
		Where("email", user.Email))
	switch {
	case errors.Is(err, ErrConflict):
		return nil, ErrUserAlreadyExists
	case err != nil:
		return nil, err
	case n == 0:
		return nil, ErrInvalidToken
	}
	return c.users.first(ctx, Where("id", user.ID))
}
