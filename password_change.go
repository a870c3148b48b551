package auth

import (
	"context"
	"log/slog"
	"net/http"
)

// VerifyPasswordRequest is the body of POST /verify-password.
type VerifyPasswordRequest struct {
	Password string `json:"password"`
}

// verifyPassword tells whether a password is that of the signed-in user.
func (c *core) verifyPassword(ctx context.Context, in VerifyPasswordRequest) (*Status, error) {
	if err := c.checkPasswordNotTooLong(in.Password); err != nil {
		return nil, err
	}
	account, err := c.credentialAccount(ctx, currentSession(ctx).User.ID)
	if err != nil {
		return nil, err
	}
	if !account.hasPassword() {
		return nil, ErrInvalidPassword.With(http.StatusBadRequest)
	}
	if err := c.requirePassword(ctx, account, in.Password); err != nil {
		return nil, err
	}
	return &Status{Status: true}, nil
}

// ChangePasswordRequest is the body of POST /change-password.
type ChangePasswordRequest struct {
	NewPassword         string `json:"newPassword"`
	CurrentPassword     string `json:"currentPassword"`
	RevokeOtherSessions bool   `json:"revokeOtherSessions,omitempty"`
}

// ChangePasswordResponse is the answer of POST /change-password. Token is that of the
// new session if all sessions were revoked, nil otherwise.
type ChangePasswordResponse struct {
	Token *string `json:"token"`
	User  *User   `json:"user" check:"nonnull"`
}

// changePassword replaces the signed-in user's password and, if asked to, all
// their sessions, the caller's too, which gets a new one.
func (c *core) changePassword(ctx context.Context, in ChangePasswordRequest) (*ChangePasswordResponse, error) {
	if err := c.checkPasswordLength(in.NewPassword); err != nil {
		return nil, err
	}
	if err := c.checkPasswordNotTooLong(in.CurrentPassword); err != nil {
		return nil, err
	}
	current := currentSession(ctx)
	account, err := c.passwordAccount(ctx, current.User.ID)
	if err != nil {
		return nil, err
	}
	if err := c.requirePassword(ctx, account, in.CurrentPassword); err != nil {
		return nil, err
	}
	if err := c.validatePassword(ctx, in.NewPassword); err != nil {
		return nil, err
	}
	hash, err := c.passwords.hash(ctx, in.NewPassword)
	if err != nil {
		return nil, err
	}
	session, err := c.replacePassword(ctx, account, hash, in.RevokeOtherSessions)
	if err != nil {
		return nil, err
	}
	c.event(ctx, Event{
		Name: EventPasswordChanged, UserID: current.User.ID, SessionID: current.Session.ID,
		Attrs: []slog.Attr{slog.Bool("sessions_revoked", in.RevokeOtherSessions)},
	})
	out := &ChangePasswordResponse{User: c.visibleUser(current.User)}
	if session != nil {
		c.setSession(ctx, &SessionData{Session: session, User: current.User}, c.forgets(ExchangeFrom(ctx)))
		out.Token = &session.Token
	}
	return out, nil
}

// replacePassword stores the new hash; with revoke it also replaces all
// sessions of the user by the one it returns. The sessions go last: whoever was
// signing in with the old password is done by then.
func (c *core) replacePassword(ctx context.Context, account *Account, hash string, revoke bool) (session *Session, err error) {
	err = c.transact(ctx, func(ctx context.Context) error {
		if _, err := c.lockUser(ctx, account.UserID); err != nil {
			return err
		}
		n, err := c.replaceHash(ctx, account, hash)
		if err == nil && n == 0 {
			err = ErrInvalidPassword.With(http.StatusBadRequest)
		}
		if err != nil || !revoke {
			return err
		}
		if err := c.deleteSessionsOf(ctx, account.UserID); err != nil {
			return err
		}
		session, err = c.createSession(ctx, account.UserID, false, nil)
		return aborted(err, ErrFailedToGetSession, http.StatusInternalServerError)
	})
	return session, err
}

// SetPasswordRequest is the input of SetPassword.
type SetPasswordRequest struct {
	NewPassword string `json:"newPassword"`
}

// setPassword gives a first password to a signed-in user who has none, such as
// one who came from a social provider. It has no URL.
func (c *core) setPassword(ctx context.Context, in SetPasswordRequest) (*Status, error) {
	if err := c.checkPasswordLength(in.NewPassword); err != nil {
		return nil, err
	}
	userID := currentSession(ctx).User.ID
	if err := c.requireNoPassword(ctx, userID); err != nil {
		return nil, err
	}
	if err := c.validatePassword(ctx, in.NewPassword); err != nil {
		return nil, err
	}
	hash, err := c.passwords.hash(ctx, in.NewPassword)
	if err != nil {
		return nil, err
	}
	err = c.transact(ctx, func(ctx context.Context) error {
		if _, err := c.lockUser(ctx, userID); err != nil {
			return err
		}
		if err := c.requireNoPassword(ctx, userID); err != nil { // somebody was faster
			return err
		}
		return c.setCredential(ctx, userID, hash)
	})
	if err != nil {
		return nil, err
	}
	c.event(ctx, Event{Name: EventPasswordSet, UserID: userID})
	return &Status{Status: true}, nil
}

// requireNoPassword refuses a user who has a password. Errors: ErrPasswordAlreadySet.
func (c *core) requireNoPassword(ctx context.Context, userID string) error {
	account, err := c.credentialAccount(ctx, userID)
	if err == nil && account.hasPassword() {
		err = ErrPasswordAlreadySet.With(http.StatusBadRequest)
	}
	return err
}

// passwordAccount returns the account that holds a user's password or the error
// that there is none.
func (c *core) passwordAccount(ctx context.Context, userID string) (*Account, error) {
	account, err := c.credentialAccount(ctx, userID)
	if err == nil && !account.hasPassword() {
		err = ErrCredentialAccountNotFound.With(http.StatusBadRequest)
	}
	return account, err
}

// requirePassword fails with INVALID_PASSWORD unless the password is right.
func (c *core) requirePassword(ctx context.Context, account *Account, password string) error {
	ok, err := c.verifyAccount(ctx, account, password)
	if err == nil && !ok {
		c.event(ctx, Event{Name: EventPasswordRefused, UserID: account.UserID, Attrs: []slog.Attr{slog.String("path", ExchangeFrom(ctx).op.path)}})
		err = ErrInvalidPassword.With(http.StatusBadRequest)
	}
	return err
}

// verifyAccount checks a password. A right one whose hash was made by another
// algorithm than the configured one is stored again with that.
func (c *core) verifyAccount(ctx context.Context, account *Account, password string) (bool, error) {
	ok, outdated, err := c.passwords.verify(ctx, *account.Password, password)
	if err != nil || !ok || !outdated {
		return ok, err
	}
	hash, err := c.passwords.hash(ctx, password)
	if err != nil {
		c.log.WarnContext(ctx, "an outdated password hash could not be replaced", "error", err)
		return true, nil
	}
	n, err := c.replaceHash(ctx, account, hash)
	if err != nil || n > 0 {
		return err == nil, err
	}
	return c.verifyAgain(ctx, account, password)
}

// replaceHash stores a new hash in the place of the one that was verified. A
// password that was changed at the same moment stays; n is zero then.
func (c *core) replaceHash(ctx context.Context, account *Account, hash string) (n int64, err error) {
	n, err = c.accounts.change(ctx, map[string]any{"password": hash},
		Where("id", account.ID), Where("password", *account.Password))
	if n > 0 {
		account.Password = &hash
	}
	return n, err
}

// verifyAgain checks a password against what somebody else stored meanwhile:
// the same password with a new hash, or another one.
func (c *core) verifyAgain(ctx context.Context, account *Account, password string) (bool, error) {
	current, err := c.credentialAccount(ctx, account.UserID)
	if err != nil || !current.hasPassword() {
		return false, err
	}
	account.Password = current.Password
	ok, _, err := c.passwords.verify(ctx, *current.Password, password)
	return ok, err
}
