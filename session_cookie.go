package auth

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"slices"
	"strconv"
	"strings"
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
	seal         SessionSeal

	stateless bool

	// The account of the last sign-in at a provider and the state of one that has
	// begun end with the session where they are in cookies.
	storeAccount  bool
	accountCookie cookie
	accountSeal   *encrypter
	stateInCookie bool
	stateCookie   cookie
}

// validate returns all mistakes of the configuration.
func (s *sessionCookies) validate() error {
	return errors.Join(
		s.tokenCookie.validate(), s.dataCookie.validate(), s.forgetCookie.validate(),
		s.accountCookie.validate(), s.stateCookie.validate(),
	)
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
	s.clearSession(x)
	x.expireCookie(s.forgetCookie)
}

// clearSession is clear for somebody whose next session is to be remembered, or
// not, as this one.
func (s *sessionCookies) clearSession(x *Exchange) {
	x.started = nil
	x.expireCookie(s.tokenCookie)
	x.expireCookie(s.dataCookie)
	if s.storeAccount {
		s.clearAccount(x)
	}
	if s.stateInCookie {
		x.expireCookie(s.stateCookie)
	}
	replaceCookie(x, s.dataCookie, nil)
}

// sentCopy returns the cached copy in the request, empty if there is none.
func (s *sessionCookies) sentCopy(h http.Header) string {
	return joinChunks(h, s.dataCookie.name)
}

// setCopy writes the cached copy if there is to be one (contract section 8.4).
// The data is what clients may see.
func (s *sessionCookies) setCopy(x *Exchange, data *SessionData, dontRemember bool) {
	if !s.cache.Enabled {
		return
	}
	lifetime, c := s.cache.MaxAge, s.dataCookie
	if dontRemember {
		lifetime, c.maxAge = s.cache.forgottenAge(), 0
	}
	object, err := s.copyOf(data)
	if err != nil {
		x.op.pipeline.log().ErrorContext(x, "session could not be cached in a cookie", "error", err)
		return
	}
	if c.value, err = s.seal.Seal(x, object, now().Add(lifetime)); err != nil {
		x.op.pipeline.log().ErrorContext(x, "session could not be sealed", "error", err)
		return
	}
	chunks := chunkCookie(c)
	if len(chunks) == 0 {
		x.op.pipeline.log().WarnContext(x, "session is too large for a cookie", "bytes", len(c.value))
	}
	replaceCookie(x, s.dataCookie, chunks)
	if s.storeAccount {
		s.renewAccount(x, data.User.ID)
	}
}

// replaceCookie sends a cookie, whole or in chunks: first under the names that the
// request carried it under, of which those that are left over expire.
func replaceCookie(x *Exchange, c cookie, fresh []cookie) {
	for _, name := range chunkNames(x.headers, c.name) {
		if i := slices.IndexFunc(fresh, func(c cookie) bool { return c.name == name }); i >= 0 {
			x.setCookie(fresh[i])
			fresh = slices.Delete(fresh, i, i+1)
			continue
		}
		c.name = name
		x.setCookie(c.expired())
	}
	for _, chunk := range fresh {
		x.setCookie(chunk)
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
	object, err = appendJSON(append(object, `,"version":`...), s.cache.version(data))
	return append(object, '}'), err
}

// renew sends a copy that is about to expire again, and the token with its full
// lifetime: where cookies are all there is, nothing else prolongs them.
func (s *sessionCookies) renew(x *Exchange, data *SessionData) {
	token := s.tokenCookie
	token.value = s.signer.signCookie(data.Session.Token)
	if s.forgets(x) {
		token.maxAge = 0
	}
	s.setCopy(x, data, false)
	x.setCookie(token)
}

// openCopy returns the session in a cached copy and when the copy expires, nil
// unless it is ours, in date and of the current version.
func (s *services) openCopy(ctx context.Context, cookies *sessionCookies, value string) (data *SessionData, expiresAt time.Time) {
	return s.readCopy(cookies.seal.Open(ctx, value))
}

// readCopy is openCopy for what a seal returned. Addresses in copies count in
// lower case, as in the original, whatever the database has.
func (s *services) readCopy(object []byte, expiresAt time.Time, ok bool) (*SessionData, time.Time) {
	if !ok || expiresAt.Before(time.Now()) {
		return nil, time.Time{}
	}
	data, version, err := s.decodeSession(object)
	if err != nil || data.Session.ExpiresAt.Before(now()) {
		return nil, time.Time{}
	}
	setDefault(&version, defaultCacheVersion)
	if version != s.session.CookieCache.version(data) {
		return nil, time.Time{}
	}
	data.User.Email = lowerEmail(data.User.Email)
	return data, expiresAt
}

// decodeSession reads the JSON of a session and its user, and the version that
// copies carry beside them.
func (s *services) decodeSession(object []byte) (data *SessionData, version string, err error) {
	var encoded struct {
		Session json.RawMessage `json:"session"`
		User    json.RawMessage `json:"user"`
		Version string          `json:"version"`
	}
	if err = json.Unmarshal(object, &encoded); err != nil {
		return nil, "", err
	}
	session, sessionErr := s.sessions.decode(encoded.Session)
	user, userErr := s.users.decode(encoded.User)
	if err = errors.Join(sessionErr, userErr); err != nil {
		return nil, "", err
	}
	if user.ID == "" || user.ID != session.UserID {
		return nil, "", errors.New("auth: session and user do not belong together")
	}
	s.session.limit(session)
	return &SessionData{Session: session, User: user}, encoded.Version, nil
}

// setSession sends a session to the caller's browser and makes it the current
// one of the run.
func (s *services) setSession(ctx context.Context, data *SessionData, dontRemember bool) {
	x := ExchangeFrom(ctx)
	x.state = data
	s.sendSession(x, data, dontRemember)
}

// sendSession sends a session to the browser.
func (s *services) sendSession(x *Exchange, data *SessionData, dontRemember bool) {
	x.started = data
	s.cookiesOf(x).set(x, s.visible(data), dontRemember)
}

// NewSessionFromContext returns the session that a run has sent to the browser, new
// or changed, nil if it has not or has ended it again: for hooks after an endpoint.
func NewSessionFromContext(ctx context.Context) *SessionData {
	x := ExchangeFrom(ctx)
	if x == nil {
		return nil
	}
	data, _ := x.started.(*SessionData)
	return data
}

// carrySession gives a run the session's cookie for a token that came otherwise.
func (s *services) carrySession(x *Exchange) { x.headers = s.carried(x.headers, s.cookiesOf(x)) }

// carried returns headers with the session's cookie for a token in them that the
// first plugin has found, in place of one that is there.
func (s *services) carried(h http.Header, cookies *sessionCookies) http.Header {
	if h == nil {
		return nil
	}
	for _, find := range s.sessionTokens {
		if token := find(h); token != "" {
			h = h.Clone()
			h.Set("Cookie", withCookie(strings.Join(h["Cookie"], "; "), cookies.tokenCookie.name, encodeURIComponent(cookies.signer.signCookie(token))))
			break
		}
	}
	return h
}

// withCookie returns a Cookie header in which a cookie has a value, whether it was
// there or not.
func withCookie(header, name, value string) string {
	var kept []string
	replaced := false
	for pair := range strings.SplitSeq(header, ";") {
		pair = strings.TrimSpace(pair)
		switch sent, _, _ := strings.Cut(pair, "="); {
		case pair == "" || sent == name && replaced:
			continue
		case sent == name:
			pair, replaced = name+"="+value, true
		}
		kept = append(kept, pair)
	}
	if !replaced {
		kept = append(kept, name+"="+value)
	}
	return strings.Join(kept, "; ")
}
