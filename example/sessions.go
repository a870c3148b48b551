package main

import (
	"cmp"
	"errors"
	"net/http"
	"net/netip"
	"slices"
	"strings"

	"github.com/seed3b05b409/auth"
)

// A device is a session as its user sees it.
type device struct {
	*auth.Session
	Current bool // it is the one that asks
}

// sessionsPage lists where the user is signed in. The endpoint wants a recent
// sign-in for that.
func (s *site) sessionsPage(w http.ResponseWriter, r *http.Request, data *auth.SessionData) {
	sessions, err := s.auth.API.ListSessions.Call(r.Context(), auth.Empty{}, auth.WithRequest(r), auth.ForwardHeaders(w))
	if errors.Is(err, auth.ErrSessionNotFresh) {
		s.render(w, r, http.StatusOK, "stale", view{User: data.User})
		return
	}
	if err != nil {
		s.fail(w, r, err)
		return
	}
	s.render(w, r, http.StatusOK, "sessions", view{User: data.User, Data: devices(sessions, data.Session)})
}

// devices puts the current session first, then the latest.
func devices(sessions []*auth.Session, current *auth.Session) []device {
	list := make([]device, len(sessions))
	for i, session := range sessions {
		list[i] = device{session, session.ID == current.ID}
	}
	slices.SortFunc(list, func(a, b device) int {
		switch {
		case a.Current:
			return -1
		case b.Current:
			return 1
		}
		return cmp.Or(b.CreatedAt.Compare(a.CreatedAt), cmp.Compare(a.ID, b.ID))
	})
	return list
}

// revokeSession finds the session by its id: a token stays out of the page, as
// whoever reads it there could sign in with it.
func (s *site) revokeSession(w http.ResponseWriter, r *http.Request) (next, notice string, err error) {
	sessions, err := s.auth.API.ListSessions.Call(r.Context(), auth.Empty{}, auth.WithRequest(r), auth.ForwardHeaders(w))
	if err != nil {
		return "", "", err
	}
	id := r.PostForm.Get("session")
	i := slices.IndexFunc(sessions, func(session *auth.Session) bool { return session.ID == id })
	if i < 0 {
		return "/sessions", "That session had ended already.", nil
	}
	_, err = s.auth.API.RevokeSession.Call(r.Context(), auth.RevokeSessionRequest{Token: sessions[i].Token},
		auth.WithRequest(r), auth.ForwardHeaders(w))
	if err != nil {
		return "", "", err
	}
	return "/sessions", "The session is signed out.", nil
}

func (s *site) revokeOtherSessions(w http.ResponseWriter, r *http.Request) (next, notice string, err error) {
	_, err = s.auth.API.RevokeOtherSessions.Call(r.Context(), auth.Empty{}, auth.WithRequest(r), auth.ForwardHeaders(w))
	if err != nil {
		return "", "", err
	}
	return "/sessions", "All other sessions are signed out.", nil
}

// Name guesses what people call the device from its User-Agent.
func (d device) Name() string {
	agent := ""
	if d.UserAgent != nil {
		agent = *d.UserAgent
	}
	browser, system := firstIn(agent, browsers), firstIn(agent, systems)
	switch {
	case browser == "" && system == "":
		return "Unknown device"
	case browser == "" || system == "":
		return browser + system
	}
	return browser + " on " + system
}

// Address returns the shortest form of the client's address, empty if it is
// unknown.
func (d device) Address() string {
	if d.IPAddress == nil {
		return ""
	}
	if addr, err := netip.ParseAddr(*d.IPAddress); err == nil {
		return addr.String()
	}
	return *d.IPAddress
}

// A mark in a User-Agent gives a name away. Most browsers name others too, so
// the order counts.
type mark struct{ sign, name string }

var browsers = []mark{
	{"Edg/", "Edge"}, {"OPR/", "Opera"}, {"Firefox/", "Firefox"},
	{"Chrome/", "Chrome"}, {"Safari/", "Safari"}, {"curl/", "curl"},
}

var systems = []mark{
	{"Android", "Android"}, {"iPhone", "iPhone"}, {"iPad", "iPad"},
	{"Windows", "Windows"}, {"Mac OS X", "macOS"}, {"CrOS", "ChromeOS"}, {"Linux", "Linux"},
}

func firstIn(agent string, marks []mark) string {
	for _, m := range marks {
		if strings.Contains(agent, m.sign) {
			return m.name
		}
	}
	return ""
}
