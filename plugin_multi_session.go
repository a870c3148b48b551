package auth

import (
	"context"
	"fmt"
	"net/http"
)

// ErrInvalidSessionToken says that the browser does not hold the session.
const ErrInvalidSessionToken Code = "INVALID_SESSION_TOKEN"

const defaultMaximumSessions = 5

// MultiSession lets several users be signed in in one browser, who take turns: one
// session is the active one, which the session's cookie has, and each, the active
// one too, has a signed cookie of its own. Signing out ends all of them.
//
// Nothing about these cookies is believed before the signature holds, and each
// counts under the name of its own token only (GHSA-wmjr-v86c-m9jj).
type MultiSession struct {
	// MaximumSessions is how many sessions a browser holds. Somebody who signs in
	// beyond that is signed in, but the session is lost to the browser when another
	// one becomes active. Default: 5.
	MaximumSessions int

	// List is GET /multi-session/list-device-sessions: the sessions that the browser
	// holds and their users, one of each user, without those that have ended. The
	// caller need not have an active one.
	List *Endpoint[Empty, []*SessionData]

	// SetActive is POST /multi-session/set-active: it makes a session that the browser
	// holds the active one and returns it. Errors: 401 ErrInvalidSessionToken.
	SetActive *Endpoint[DeviceSessionRequest, *SessionData]

	// Revoke is POST /multi-session/revoke: it ends a session that the browser holds.
	// If that was the active one, the next one that goes on is. It needs a session.
	// Errors: 401 ErrInvalidSessionToken.
	Revoke *Endpoint[DeviceSessionRequest, *Status]

	services *Services
}

// A DeviceSessionRequest is the body of POST /multi-session/set-active and
// /multi-session/revoke. The case of the token's letters does not count.
type DeviceSessionRequest struct {
	SessionToken string `json:"sessionToken"`
}

// ID returns "multi-session".
func (*MultiSession) ID() string { return "multi-session" }

// Extend is called by New. Errors: MaximumSessions is negative.
func (m *MultiSession) Extend(s *Services) (*Extension, error) {
	if m.MaximumSessions < 0 {
		return nil, fmt.Errorf("MaximumSessions is %d", m.MaximumSessions)
	}
	m.services = s
	m.List = NewEndpoint(http.MethodGet, "/multi-session/list-device-sessions", m.list)
	m.SetActive = NewEndpoint(http.MethodPost, "/multi-session/set-active", m.setActive)
	m.Revoke = NewEndpoint(http.MethodPost, "/multi-session/revoke", m.revoke)
	m.describe()
	return &Extension{
		Endpoints: []PluginEndpoint{
			{Name: "listDeviceSessions", Endpoint: m.List, NeedHeaders: true, ReadOnly: true},
			{Name: "setActiveSession", Endpoint: m.SetActive, NeedHeaders: true},
			{Name: "revokeDeviceSession", Endpoint: m.Revoke, NeedHeaders: true, Session: SessionRequired},
		},
		After: []RouteHook{
			{Run: m.remember},
			{Paths: []string{"/sign-out"}, Run: m.signOut},
		},
	}, nil
}

func (m *MultiSession) list(ctx context.Context, _ Empty) ([]*SessionData, error) {
	list := []*SessionData{} // the answer is an array
	seen := make(map[string]bool)
	for _, token := range m.tokens(ctx) {
		data, err := m.live(ctx, token)
		if err != nil {
			return nil, err
		}
		if data != nil && !seen[data.User.ID] {
			seen[data.User.ID] = true
			list = append(list, m.services.VisibleSession(data))
		}
	}
	return list, nil
}

func (m *MultiSession) setActive(ctx context.Context, in DeviceSessionRequest) (*SessionData, error) {
	token, err := m.held(ctx, in.SessionToken)
	if err != nil {
		return nil, err
	}
	data, err := m.live(ctx, token)
	if err != nil {
		return nil, err
	}
	if data == nil {
		m.forget(ctx, token)
		return nil, invalidSessionToken()
	}
	m.services.SetSession(ctx, data, m.services.Forgets(ctx))
	m.services.Event(ctx, Event{Name: EventSessionSwitched, UserID: data.User.ID, SessionID: data.Session.ID})
	return m.services.VisibleSession(data), nil
}

func (m *MultiSession) revoke(ctx context.Context, in DeviceSessionRequest) (*Status, error) {
	token, err := m.held(ctx, in.SessionToken)
	if err != nil {
		return nil, err
	}
	current, err := m.services.Session(ctx, SessionRequired)
	if err != nil {
		return nil, err
	}
	ended, err := m.services.SessionByToken(ctx, token)
	if err != nil {
		return nil, err
	}
	if err := m.services.DeleteSession(ctx, token); err != nil {
		return nil, err
	}
	m.forget(ctx, token)
	if ended != nil {
		m.services.Event(ctx, Event{Name: EventSessionRevoked, UserID: ended.User.ID, SessionID: ended.Session.ID, Method: m.ID()})
	}
	if current.Session.Token == token {
		err = m.activateNext(ctx)
	}
	return &Status{Status: true}, err
}

// activateNext makes the first session that goes on the active one.
func (m *MultiSession) activateNext(ctx context.Context) error {
	for _, token := range m.tokens(ctx) {
		data, err := m.live(ctx, token)
		if err != nil {
			return err
		}
		if data != nil {
			m.services.SetSession(ctx, data, m.services.Forgets(ctx))
			return nil
		}
	}
	m.services.ClearSession(ctx, false)
	return nil
}

func invalidSessionToken() *APIError {
	return NewError(http.StatusUnauthorized, ErrInvalidSessionToken, "Invalid session token")
}

// describe says what documents say of the endpoints.
func (m *MultiSession) describe() {
	m.List.Describe(Description{
		Summary: "List the sessions that the browser holds",
		Details: "One of each user, without those that have ended.",
	})
	m.SetActive.Describe(Description{
		Summary: "Make a session that the browser holds the active one",
		Details: "The session's cookie is that of this session from then on.",
		Errors:  map[int][]Code{401: {ErrInvalidSessionToken}},
	})
	m.Revoke.Describe(Description{
		Summary: "End a session that the browser holds",
		Details: "If it is the active one, the next one that goes on takes its place.",
		Errors:  map[int][]Code{401: {ErrInvalidSessionToken}},
	})
}
