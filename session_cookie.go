package auth

import (
	"context"
	"encoding/json"
	"net/http"
	"slices"
	"strconv"
	"time"
)

// sessionCookies are the three cookies of a session (contract section 7.1):
// the signed token, the mark of a session that is not to be remembered, and the
// cached copy of session and user.
type sessionCookies struct {
	signer       *signer
	tokenCookie  cookie // with the lifetime of a session
	forgetCookie cookie
	dataCookie   cookie // with the lifetime of the copy
	cache        CookieCache
}

// token returns the session token in the request's signed cookie, empty if
// there is none or its signature does not hold.
func (s *sessionCookies) token(h http.Header) string { return s.open(h, s.tokenCookie.name) }

// forgets reports whether the browser's session is not to be remembered.
func (s *sessionCookies) forgets(x *Exchange) bool {
	return s.open(x.headers, s.forgetCookie.name) != ""
}

func (s *sessionCookies) open(h http.Header, name string) string {
	raw, _ := cookieValue(h, name)
	value, _ := s.signer.openCookie(raw)
	return value
}

// set sends a session to the browser: the token, then what concerns
// remembering it, then the cached copy.
func (s *sessionCookies) set(x *Exchange, data *SessionData, dontRemember bool) {
	token, forget := s.tokenCookie, s.forgetCookie
	token.value = s.signer.signCookie(data.Session.Token)
	if dontRemember {
		token.maxAge = 0
	}
	x.setCookie(token)
	if dontRemember {
		forget.value = s.signer.signCookie("true")
		x.setCookie(forget)
	} else if s.forgets(x) {
		x.expireCookie(forget)
	}
	s.setCopy(x, data, dontRemember)
}

// clear makes the browser forget the session, and every chunk of the copy that
// it sent.
func (s *sessionCookies) clear(x *Exchange) {
	x.expireCookie(s.tokenCookie)
	x.expireCookie(s.dataCookie)
	s.expireStale(x, nil)
	x.expireCookie(s.forgetCookie)
}

// sentCopy returns the cached copy in the request, empty if there is none.
func (s *sessionCookies) sentCopy(x *Exchange) string {
	return joinChunks(x.headers, s.dataCookie.name)
}

// setCopy writes the cached copy if there is to be one (contract section 8.4).
// The data is what clients may see.
func (s *sessionCookies) setCopy(x *Exchange, data *SessionData, dontRemember bool) {
	if !s.cache.Enabled {
		return
	}
	lifetime, c := s.cache.MaxAge, s.dataCookie
	if dontRemember {
		lifetime, c.maxAge = forgottenCacheAge, 0
	}
	object, err := s.copyOf(data)
	if err != nil {
		x.op.pipeline.log().ErrorContext(x, "session could not be cached in a cookie", "error", err)
		return
	}
	c.value = sealCompact(s.signer, object, now().Add(lifetime))
	chunks := chunkCookie(c)
	if len(chunks) == 0 {
		x.op.pipeline.log().WarnContext(x, "session is too large for a cookie", "bytes", len(c.value))
	}
	s.expireStale(x, chunks)
	for _, chunk := range chunks {
		x.setCookie(chunk)
	}
}

// expireStale expires the cookies under which the request carried a copy, but
// for those that a new one overwrites.
func (s *sessionCookies) expireStale(x *Exchange, fresh []cookie) {
	for _, name := range chunkNames(x.headers, s.dataCookie.name) {
		overwritten := slices.ContainsFunc(fresh, func(c cookie) bool { return c.name == name })
		if !overwritten {
			stale := s.dataCookie
			stale.name = name
			x.setCookie(stale.expired())
		}
	}
}

// copyOf returns the JSON object that the copy holds.
func (s *sessionCookies) copyOf(data *SessionData) ([]byte, error) {
	object, err := data.Session.appendJSON([]byte(`{"session":`))
	if err != nil {
		return nil, err
	}
	object, err = data.User.appendJSON(append(object, `,"user":`...))
	if err != nil {
		return nil, err
	}
	object = strconv.AppendInt(append(object, `,"updatedAt":`...), time.Now().UnixMilli(), 10)
	object, err = appendJSON(append(object, `,"version":`...), s.cache.Version)
	return append(object, '}'), err
}

// openCopy returns the session in a cached copy, nil unless it is ours, in date
// and of the current version.
func (s *services) openCopy(value string) *SessionData {
	object, expiresAt, ok := openCompact(s.signer, value)
	if !ok || expiresAt.Before(time.Now()) {
		return nil
	}
	var copied struct {
		Session json.RawMessage `json:"session"`
		User    json.RawMessage `json:"user"`
		Version string          `json:"version"`
	}
	if json.Unmarshal(object, &copied) != nil {
		return nil
	}
	setDefault(&copied.Version, defaultCacheVersion)
	session, sessionErr := s.sessions.decode(copied.Session)
	user, userErr := s.users.decode(copied.User)
	if sessionErr != nil || userErr != nil || copied.Version != s.session.CookieCache.Version || session.ExpiresAt.Before(now()) {
		return nil
	}
	return &SessionData{Session: session, User: user}
}

// setSession sends a session to the caller's browser and makes it the current
// one of the run.
func (s *services) setSession(ctx context.Context, data *SessionData, dontRemember bool) {
	x := ExchangeFrom(ctx)
	x.state = data
	s.cookies.set(x, s.visible(data), dontRemember)
}
