package auth

import "context"

// Session returns the caller's session, nil if there is none that the level accepts.
// It is prolonged when that is due, with cookies on the response.
func (s *Services) Session(ctx context.Context, level SessionLevel) (*SessionData, error) {
	data, err := s.local().readSession(ctx, readOptions{noCache: level == SessionStored})
	if data != nil && level == SessionFresh && !s.local().fresh(data.Session) {
		return nil, err
	}
	return data, err
}

// SessionByToken returns a session and its user, nil if either is missing. The
// session may have expired.
func (s *Services) SessionByToken(ctx context.Context, token string) (*SessionData, error) {
	if token == "" {
		return nil, nil
	}
	return s.local().sessions.byToken(ctx, token)
}

// SignIn starts a session for somebody who has proven to be a user, and sends it to
// the browser. If another plugin wants a further factor first, it returns nil, nil
// and the run has its answer already: the endpoint returns.
//
// Errors: ErrInvalidPassword if in.Password was changed meanwhile, ErrAborted from
// hooks around sessions, *APIError of a plugin, a redirect among them. In a
// transaction an *APIError is no reason to roll back: what the other plugin stored
// for a redirect has to stay.
func (s *Services) SignIn(ctx context.Context, in *SignIn) (*Session, error) {
	return s.local().signIn(ctx, in)
}

// CreateSession stores a session without asking anybody and without sending it: for
// users who have proven all they have to. If it takes the place of another one, it
// has that one's client and additional values.
func (s *Services) CreateSession(ctx context.Context, userID string, dontRemember bool, before *Session) (*Session, error) {
	return s.local().createSession(ctx, userID, dontRemember, before)
}

// SetSession sends a session to the browser, with its cached copy, and makes it the
// current one of the run.
func (s *Services) SetSession(ctx context.Context, data *SessionData, dontRemember bool) {
	s.local().setSession(ctx, data, dontRemember)
}

// CacheSession writes the cached copy of the browser's session again, if there is to
// be one, and makes it the current one of the run: for a session that is the same
// but for its user. It is not a new one (NewSessionFromContext).
func (s *Services) CacheSession(ctx context.Context, data *SessionData) {
	x := ExchangeFrom(ctx)
	x.state = data
	s.local().cookiesOf(x).setCopy(x, s.local().visible(data), s.local().forgets(x))
}

// ClearSession makes the browser forget its session, and with keepForget not whether
// it is to be remembered. Cookies of the response that would have set it are taken
// back.
func (s *Services) ClearSession(ctx context.Context, keepForget bool) {
	x := ExchangeFrom(ctx)
	x.state = nil
	if keepForget {
		s.local().cookiesOf(x).clearSession(x)
		return
	}
	s.local().cookiesOf(x).clear(x)
}

// Forgets reports whether the browser's session is not to be remembered.
func (s *Services) Forgets(ctx context.Context) bool { return s.local().forgets(ExchangeFrom(ctx)) }

// DeleteSession ends the session with a token.
func (s *Services) DeleteSession(ctx context.Context, token string) error {
	return s.local().deleteSession(ctx, token)
}

// DeleteSessions ends all sessions of a user.
func (s *Services) DeleteSessions(ctx context.Context, userID string) error {
	return s.local().endSessions(ctx, sessionScope{many: true, userID: userID})
}

// VisibleSession returns a session and its user as clients may see them.
func (s *Services) VisibleSession(data *SessionData) *SessionData { return s.local().visible(data) }
