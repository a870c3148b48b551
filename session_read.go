package auth

import (
	"context"
	"net/http"
)

// readOptions change how a session is read.
type readOptions struct {
	noCache   bool // the cached copy does not count: ask the store
	noRefresh bool // do not prolong the session
	post      bool // a POST of get-session, which may write where GET is not to
}

// loadSession is the algorithm of get-session (contract section 8.2): it
// returns the session that the request's cookies stand for, nil if there is
// none, prolongs it when that is due and queues the cookies that follow.
func (s *services) loadSession(x *Exchange, opts readOptions) (*SessionData, error) {
	cookies := s.cookiesOf(x)
	token := cookies.token(x.headers)
	if token == "" && s.session.CookieCache.Enabled {
		return nil, nil
	}
	sent := cookies.sentCopy(x.headers)
	if sent != "" && !s.session.CookieCache.Enabled {
		replaceCookie(x, cookies.dataCookie, nil)
	}
	if token == "" {
		return nil, nil
	}
	if sent != "" && s.session.CookieCache.Enabled && !opts.noCache {
		if data, expiresAt := s.openCopy(x, cookies, sent); data != nil && data.Session.Token == token {
			if cookies.cache.renewalDue(expiresAt) {
				cookies.renew(x, data)
			}
			return data, nil
		}
		x.expireCookie(cookies.dataCookie)
	}
	return s.loadStored(x, token, opts)
}

// loadStored asks the store.
func (s *services) loadStored(x *Exchange, token string, opts readOptions) (*SessionData, error) {
	cookies := s.cookiesOf(x)
	data, err := s.sessions.byToken(x, token)
	if err != nil {
		return nil, err
	}
	if data == nil || data.Session.ExpiresAt.Before(now()) {
		cookies.clear(x)
		if data != nil && (!s.session.DeferRefresh || opts.post) {
			err = s.deleteSession(x, token)
		}
		return nil, err
	}
	if opts.noRefresh || cookies.forgets(x) {
		return data, nil
	}
	due := s.refreshDue(data.Session)
	switch {
	case s.session.DeferRefresh && !opts.post:
		data.NeedsRefresh = &due
	case due:
		return s.refresh(x, data)
	}
	cookies.setCopy(x, s.visible(data), false)
	return data, nil
}

func (s *services) refreshDue(session *Session) bool {
	if s.session.NeverRefresh || s.session.spent(session) {
		return false
	}
	lastRefresh := session.ExpiresAt.Add(-s.session.ExpiresIn)
	return !lastRefresh.Add(s.session.UpdateAge).After(now())
}

// refresh prolongs a session by its full lifetime, or by what MaxLifetime leaves.
func (s *services) refresh(x *Exchange, data *SessionData) (*SessionData, error) {
	refreshed := *data.Session
	refreshed.UpdatedAt = now()
	refreshed.ExpiresAt = refreshed.UpdatedAt.Add(s.session.ExpiresIn)
	s.session.limit(&refreshed)
	found, err := s.sessions.change(x, refreshed.Token, map[string]any{
		"expiresAt": refreshed.ExpiresAt, "updatedAt": refreshed.UpdatedAt,
	})
	if err != nil {
		return nil, err
	}
	if !found { // revoked a moment ago
		s.cookiesOf(x).clear(x)
		return nil, ErrFailedToGetSession.With(http.StatusUnauthorized)
	}
	prolonged := &SessionData{Session: &refreshed, User: data.User}
	s.sendSession(x, prolonged, false)
	return prolonged, nil
}

// readSession returns the session of the run that ctx belongs to, read once
// unless the store is asked for. A session that ended meanwhile is none.
func (s *services) readSession(ctx context.Context, opts readOptions) (*SessionData, error) {
	x := ExchangeFrom(ctx)
	if s.cookiesOf(x).stateless {
		opts.noCache = false // the cookie is all there is
	}
	if data, ok := x.state.(*SessionData); ok && !opts.noCache {
		return data, nil
	}
	opts.noCache = opts.noCache || x.queryValue("disableCookieCache") != ""
	opts.noRefresh = opts.noRefresh || x.queryValue("disableRefresh") != ""
	data, err := s.loadSession(x, opts)
	if apiError(err) != nil {
		data, err = nil, nil
	}
	x.state = nil
	if data != nil {
		x.state = data
	}
	return data, err
}

// peekSession returns the session that a request's cookies stand for without
// writing anything.
func (s *services) peekSession(r *http.Request) (*SessionData, error) {
	site, err := s.siteFor(r)
	if err != nil {
		return nil, err
	}
	cookies := site.cookies
	h := s.carried(r.Header, cookies)
	token := cookies.token(h)
	if token == "" {
		return nil, nil
	}
	if cookies.stateless {
		data, _ := s.openCopy(atSite(r, site), cookies, cookies.sentCopy(h))
		if data != nil && data.Session.Token != token {
			data = nil
		}
		return data, nil
	}
	return s.liveSession(r.Context(), token)
}

// liveSession returns what clients see of the stored session with a token, nil if
// there is none or it has expired.
func (s *services) liveSession(ctx context.Context, token string) (*SessionData, error) {
	data, err := s.sessions.byToken(ctx, token)
	if err != nil || data == nil || data.Session.ExpiresAt.Before(now()) {
		return nil, err
	}
	return s.visible(data), nil
}

// requireSession is the check of endpoints that need a session.
func (s *services) requireSession() check {
	return sessionCheck(func(x *Exchange) error { return s.requireRead(x, readOptions{}) })
}

// requireStoredSession is the check of sensitive endpoints: what was revoked
// does not count, whatever a cookie says.
func (s *services) requireStoredSession() check {
	return sessionCheck(func(x *Exchange) error { return s.requireRead(x, readOptions{noCache: true}) })
}

func sessionCheck(run func(x *Exchange) error) check {
	return check{run: run, authentication: authenticationRequired, errors: map[int][]Code{
		http.StatusUnauthorized: {ErrUnauthorized},
	}}
}

func (s *services) requireRead(x *Exchange, opts readOptions) error {
	data, err := s.readSession(x, opts)
	if err == nil && data == nil {
		err = ErrUnauthorized.With(http.StatusUnauthorized)
	}
	return err
}

// requireFreshSession is the check of endpoints that need a recent sign-in.
func (s *services) requireFreshSession() check {
	fresh := sessionCheck(func(x *Exchange) error {
		if err := s.requireRead(x, readOptions{}); err != nil {
			return err
		}
		if !s.fresh(currentSession(x).Session) {
			return ErrSessionNotFresh.With(http.StatusForbidden)
		}
		return nil
	})
	fresh.errors[http.StatusForbidden] = []Code{ErrSessionNotFresh}
	return fresh
}

// requireHeaders is the check of endpoints that make no sense without the
// caller's cookies: over HTTP it always holds.
func requireHeaders() check {
	return check{run: func(x *Exchange) error {
		if x.headers == nil {
			return NewError(http.StatusBadRequest, ErrValidation, "Headers is required")
		}
		return nil
	}}
}

// currentSession returns the session that a check of the endpoint found.
func currentSession(ctx context.Context) *SessionData {
	data, _ := ExchangeFrom(ctx).state.(*SessionData)
	return data
}
