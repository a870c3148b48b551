package auth

import (
	"context"
	"net/http"
)

// DeleteUserRequest is the body of POST /delete-user.
type DeleteUserRequest struct {
	CallbackURL string `json:"callbackURL,omitempty"` // where the link in the mail leads in the end
	Password    string `json:"password,omitempty"`    // needed unless the session is fresh
	Token       string `json:"token,omitempty"`       // of the mail, deletes at once
}

// DeleteUserResponse is the answer of POST /delete-user and GET /delete-user/callback.
type DeleteUserResponse struct {
	Success bool   `json:"success"`
	Message string `json:"message"` // "User deleted" or "Verification email sent"
}

var userDeleted = DeleteUserResponse{Success: true, Message: "User deleted"}

// deleteUserEndpoint deletes the signed-in user, or mails the link that does.
func (c *core) deleteUserEndpoint(ctx context.Context, in DeleteUserRequest) (*DeleteUserResponse, error) {
	if !c.deletion.Enabled {
		return nil, &APIError{Status: http.StatusNotFound}
	}
	data := currentSession(ctx)
	if in.Password != "" {
		if err := c.confirmDeletion(ctx, data.User.ID, in.Password); err != nil {
			return nil, err
		}
	}
	switch {
	case in.Token != "":
		return c.deleteWithToken(ctx, data.User, in.Token)
	case c.deletion.SendVerification != nil:
		return c.mailDeletion(ctx, data.User, in.CallbackURL)
	case in.Password == "" && !c.fresh(data.Session):
		return nil, ErrSessionExpired.With(http.StatusBadRequest)
	}
	return c.deleteNow(ctx, data.User, nil)
}

func (c *core) confirmDeletion(ctx context.Context, userID, password string) error {
	if err := c.checkPasswordNotTooLong(password); err != nil {
		return err
	}
	account, err := c.passwordAccount(ctx, userID)
	if err != nil {
		return err
	}
	return c.requirePassword(ctx, account, password)
}

func (c *core) mailDeletion(ctx context.Context, user *User, callbackURL string) (*DeleteUserResponse, error) {
	token := newDeleteToken()
	if err := c.createVerification(ctx, purposeDeleteAccount, token, user.ID, c.deletion.TokenExpiresIn); err != nil {
		return nil, err
	}
	c.event(ctx, Event{Name: EventUserDeletionRequested, UserID: user.ID})
	mail := Mail{User: user.clone(), Token: token,
		URL: c.siteOf(ctx).url + "/delete-user/callback?token=" + token + "&callbackURL=" + encodeURIComponent(orRoot(callbackURL))}
	c.inBackground(ctx, "SendDeleteAccountVerification", func(ctx context.Context) error {
		return c.deletion.SendVerification(ctx, mail)
	})
	return &DeleteUserResponse{Success: true, Message: "Verification email sent"}, nil
}

// deleteWithToken spends a mailed token and deletes the user, both or neither.
// The token of another user is spent too: whoever presents it had no business
// with it.
func (c *core) deleteWithToken(ctx context.Context, user *User, token string) (*DeleteUserResponse, error) {
	v, err := c.findVerification(ctx, purposeDeleteAccount, token)
	if err == nil && (v == nil || v.Value != user.ID) {
		err = c.spendDeleteToken(ctx, token, user.ID)
	}
	if err != nil {
		return nil, err
	}
	return c.deleteNow(ctx, user, func(ctx context.Context) error { return c.spendDeleteToken(ctx, token, user.ID) })
}

// spendDeleteToken fails unless the token is there and that of the user.
func (c *core) spendDeleteToken(ctx context.Context, token, userID string) error {
	v, err := c.consumeVerification(ctx, purposeDeleteAccount, token)
	if err == nil && (v == nil || v.Value != userID) {
		c.event(ctx, Event{Name: EventTokenRefused, UserID: userID, Method: "delete-user", Reason: "invalid"})
		err = ErrInvalidToken.With(http.StatusNotFound)
	}
	return err
}

// deleteNow deletes a user in one transaction with what comes first, if that is
// not nil.
func (c *core) deleteNow(ctx context.Context, user *User, first func(ctx context.Context) error) (*DeleteUserResponse, error) {
	if err := callback(ctx, c.deletion.BeforeDelete, user); err != nil {
		return nil, err
	}
	err := c.transact(ctx, func(ctx context.Context) error {
		if first != nil {
			if err := first(ctx); err != nil {
				return err
			}
		}
		return c.deleteUser(ctx, user.ID)
	})
	if err != nil {
		return nil, aborted(err, ErrFailedToUpdateUser, http.StatusBadRequest)
	}
	c.event(ctx, Event{Name: EventUserDeleted, UserID: user.ID})
	c.cookiesOf(ctx).clear(ExchangeFrom(ctx))
	if err := callback(ctx, c.deletion.AfterDelete, user); err != nil {
		return nil, err
	}
	out := userDeleted
	return &out, nil
}

// DeleteUserCallbackRequest is what the link in the mail carries: GET
// /delete-user/callback.
type DeleteUserCallbackRequest struct {
	Token       string `query:"token"`
	CallbackURL string `query:"callbackURL,omitempty"`
}

// deleteUserCallback deletes the signed-in user whom the mailed token is for.
func (c *core) deleteUserCallback(ctx context.Context, in DeleteUserCallbackRequest) (*DeleteUserResponse, error) {
	if !c.deletion.Enabled {
		return nil, ErrNotFound.With(http.StatusNotFound)
	}
	data, err := c.readSession(ctx, readOptions{noCache: true})
	if err != nil {
		return nil, err
	}
	if data == nil {
		return nil, ErrFailedToGetUserInfo.With(http.StatusNotFound)
	}
	out, err := c.deleteWithToken(ctx, data.User, in.Token)
	if err == nil && in.CallbackURL != "" {
		return nil, ExchangeFrom(ctx).Redirect(in.CallbackURL)
	}
	return out, err
}
