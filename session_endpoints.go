package auth

import (
	"context"
	"net/http"
)

// GetSessionRequest is the query of GET and POST /get-session. Any non-empty
// value of a flag in a query sets it, even "false", as in the original.
type GetSessionRequest struct {
	DisableCookieCache bool `query:"disableCookieCache,omitempty,truthy"` // ask the store
	DisableRefresh     bool `query:"disableRefresh,omitempty,truthy"`     // do not prolong the session

	// Refresh prolongs a session that is due although SessionOptions.DeferRefresh
	// is on, as a POST does. Only Go code can set it.
	Refresh bool `json:"-"`
}

// getSession returns the session of the caller and its user, nil if there is
// none, and prolongs it when that is due.
func (c *core) getSession(ctx context.Context, in GetSessionRequest) (*SessionData, error) {
	x := ExchangeFrom(ctx)
	post := x.request != nil && x.request.Method == http.MethodPost && !x.direct
	if post && !c.session.DeferRefresh {
		return nil, ErrMethodNotAllowedDeferSessionRequired.With(http.StatusMethodNotAllowed)
	}
	data, err := c.loadSession(x, readOptions{noCache: in.DisableCookieCache, noRefresh: in.DisableRefresh, post: post || in.Refresh})
	if err != nil && apiError(err) == nil {
		c.log.ErrorContext(ctx, "session could not be read", "error", err)
		return nil, ErrFailedToGetSession.With(http.StatusInternalServerError).WithCause(err)
	}
	x.state = data // for hooks after it, also that there is none
	return c.visible(data), err
}

// UpdateSessionRequest is the body of POST /update-session: values of
// additional session columns.
type UpdateSessionRequest struct {
	Fields map[string]any `json:",inline"`
}

// UpdateSessionResponse is the answer of POST /update-session.
type UpdateSessionResponse struct {
	Session *Session `json:"session" check:"nonnull"`
}

// updateSession changes additional columns of the caller's session.
func (c *core) updateSession(ctx context.Context, in UpdateSessionRequest) (*UpdateSessionResponse, error) {
	changes, err := parseFields(c.session.Fields, in.Fields, false)
	if err != nil {
		return nil, err
	}
	if len(changes) == 0 {
		return nil, NewError(http.StatusBadRequest, "", "No fields to update")
	}
	data := currentSession(ctx)
	if _, err := c.sessions.change(ctx, data.Session.Token, changes); err != nil {
		return nil, unstorable(err, ErrValidation)
	}
	updated, err := c.sessions.byToken(ctx, data.Session.Token)
	if err != nil {
		return nil, err
	}
	x := ExchangeFrom(ctx)
	if updated == nil {
		c.cookiesOf(x).clear(x)
		return nil, ErrFailedToGetSession.With(http.StatusUnauthorized)
	}
	c.setSession(ctx, updated, c.forgets(x))
	return &UpdateSessionResponse{Session: c.visibleSession(updated.Session)}, nil
}

// listSessions returns the unexpired sessions of the caller's user.
func (c *core) listSessions(ctx context.Context, _ Empty) ([]*Session, error) {
	found, err := c.sessions.active(ctx, currentSession(ctx).User.ID)
	if err != nil {
		return nil, err
	}
	list := make([]*Session, len(found)) // never nil: the answer is an array
	for i, session := range found {
		list[i] = c.visibleSession(session)
	}
	return list, nil
}

// RevokeSessionRequest is the body of POST /revoke-session. Whoever has the
// token of a session is its user: pages should name sessions by id and look the
// token up.
type RevokeSessionRequest struct {
	Token string `json:"token"`
}

// revokeSession deletes one session of the caller's user. The answer is the
// same for a token that is unknown or belongs to somebody else.
func (c *core) revokeSession(ctx context.Context, in RevokeSessionRequest) (*Status, error) {
	data := currentSession(ctx)
	ended, err := c.sessions.byToken(ctx, in.Token)
	if err == nil {
		err = c.sessions.remove(ctx, sessionScope{token: in.Token, userID: data.User.ID})
	}
	if err != nil {
		return nil, c.revocationFailed(ctx, err)
	}
	if in.Token == data.Session.Token {
		c.cookiesOf(ctx).clear(ExchangeFrom(ctx))
	}
	if ended != nil && ended.Session.UserID == data.User.ID {
		c.event(ctx, Event{Name: EventSessionRevoked, UserID: data.User.ID, SessionID: ended.Session.ID})
	}
	return &Status{Status: true}, nil
}

// revokeSessions signs the caller's user out everywhere.
func (c *core) revokeSessions(ctx context.Context, _ Empty) (*Status, error) {
	data := currentSession(ctx)
	if err := c.endSessions(ctx, sessionScope{many: true, userID: data.User.ID}); err != nil {
		return nil, c.revocationFailed(ctx, err)
	}
	c.cookiesOf(ctx).clear(ExchangeFrom(ctx))
	c.event(ctx, Event{Name: EventSessionsRevoked, UserID: data.User.ID, Method: "all"})
	return &Status{Status: true}, nil
}

// revokeOtherSessions signs the caller's user out everywhere else.
func (c *core) revokeOtherSessions(ctx context.Context, _ Empty) (*Status, error) {
	data := currentSession(ctx)
	err := c.endSessions(ctx, sessionScope{many: true, userID: data.User.ID, except: data.Session.Token})
	if err != nil {
		return nil, c.revocationFailed(ctx, err)
	}
	c.event(ctx, Event{Name: EventSessionsRevoked, UserID: data.User.ID, SessionID: data.Session.ID, Method: "others"})
	return &Status{Status: true}, nil
}

// revocationFailed is the original's answer to a store that fails here.
func (c *core) revocationFailed(ctx context.Context, err error) error {
	if apiError(err) != nil {
		return err
	}
	c.log.ErrorContext(ctx, "sessions could not be revoked", "error", err)
	return ErrInternalServerError.With(http.StatusInternalServerError).WithCause(err)
}
