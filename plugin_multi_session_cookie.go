package auth

import (
	"context"
	"net/http"
	"strings"
)

// remember gives the session that a response sends to the browser a cookie of its
// own, if the browser does not hold it yet.
func (m *MultiSession) remember(x *Exchange) error {
	started := NewSessionFromContext(x)
	if started == nil {
		return nil
	}
	token := started.Session.Token
	sent := m.services.SentCookie(x, m.services.SessionCookie(x).Name)
	if sent == nil {
		return nil
	}
	made := m.cookie(x, token)
	if m.services.SetsCookie(x, made.Name) || m.token(x, made.Name) != "" {
		return nil
	}
	others, err := m.makeRoom(x, started.User.ID)
	if err != nil || others >= m.maximum() {
		return err
	}
	made.Value, made.MaxAge = token, sent.MaxAge
	m.services.SetSignedCookie(x, made)
	return nil
}

// makeRoom ends the sessions that the browser holds of a user who has a new one,
// forgets those that have ended anyway, and returns how many are left.
func (m *MultiSession) makeRoom(ctx context.Context, userID string) (left int, err error) {
	var ended []string
	for _, token := range m.tokens(ctx) {
		data, err := m.live(ctx, token)
		switch {
		case err != nil:
			return 0, err
		case data == nil || data.User.ID == userID:
			ended = append(ended, token)
		default:
			left++
		}
	}
	return left, m.end(ctx, ended)
}

// signOut ends all sessions that the browser holds.
func (m *MultiSession) signOut(x *Exchange) error { return m.end(x, m.tokens(x)) }

// end deletes sessions, all or none, and makes the browser forget them.
func (m *MultiSession) end(ctx context.Context, tokens []string) error {
	if len(tokens) == 0 {
		return nil
	}
	err := m.services.Transaction(ctx, func(ctx context.Context) error {
		for _, token := range tokens {
			if err := m.services.DeleteSession(ctx, token); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return err
	}
	for _, token := range tokens {
		m.forget(ctx, token)
	}
	return nil
}

// forget expires the cookie of a session.
func (m *MultiSession) forget(ctx context.Context, token string) {
	m.services.ExpireCookie(ctx, m.cookie(ctx, token))
}

// held returns the token of a session that the browser holds, by what it calls it.
// Errors: 401 ErrInvalidSessionToken.
func (m *MultiSession) held(ctx context.Context, called string) (string, error) {
	if token := m.token(ctx, m.cookie(ctx, called).Name); token != "" {
		return token, nil
	}
	return "", invalidSessionToken()
}

// tokens returns those of the sessions that the browser holds, in the order of their
// cookies.
func (m *MultiSession) tokens(ctx context.Context) (tokens []string) {
	prefix := m.cookie(ctx, "").Name
	for _, name := range m.services.CookieNames(ctx) {
		if !strings.HasPrefix(name, prefix) {
			continue
		}
		if token := m.token(ctx, name); token != "" {
			tokens = append(tokens, token)
		}
	}
	return tokens
}

// token returns the session token in a cookie, empty if there is none, its signature
// does not hold, or the name is that of another one.
func (m *MultiSession) token(ctx context.Context, name string) string {
	token, ok := m.services.SignedCookie(ctx, name)
	if !ok || m.cookie(ctx, token).Name != name {
		return ""
	}
	return token
}

// live returns a session that goes on, nil if it has ended.
func (m *MultiSession) live(ctx context.Context, token string) (*SessionData, error) {
	data, err := m.services.SessionByToken(ctx, token)
	if err != nil || data == nil || !data.Session.ExpiresAt.After(m.services.Now()) {
		return nil, err
	}
	return data, nil
}

// cookie is that of a session, without a value: the session's cookie under another
// name. Names of cookies are compared in lower case by some, so that has it.
func (m *MultiSession) cookie(ctx context.Context, token string) *http.Cookie {
	made := m.services.SessionCookie(ctx)
	made.Name += "_multi-" + strings.ToLower(token)
	return made
}

func (m *MultiSession) maximum() int {
	if m.MaximumSessions == 0 {
		return defaultMaximumSessions
	}
	return m.MaximumSessions
}
