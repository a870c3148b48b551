package auth

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strings"
)

// A Verifier tells who is signed in at a server elsewhere: this package or the
// original. It writes nothing, sets no cookies and prolongs no session; pages that
// talk to the server do. It is safe for concurrent use. Use [NewVerifier].
//
// A request proves its session by the signed token, in the session cookie or as
// "Authorization: Bearer", in the form that the original's bearer plugin hands out;
// a bearer token whose signature holds goes before the cookie. The token says
// nothing about expiry and revocation, so it never suffices alone: a copy in the
// session_data cookie, with the same token, or the storage or the server must know
// the session.
//
// Requests that change something need http.CrossOriginProtection in front: a
// Verifier does not look at origins.
type Verifier struct {
	services *services
	pipeline *pipeline
	seals    map[int]cacheSeal // by the number of dots in what they make; nil: copies do not count
	signer   *signer           // nil: the server judges signatures
	asks     bool              // a storage
	remote   *remoteSessions   // nil: nobody is asked

	tokenNames []string // the one that wins first
	dataNames  []string
}

// NewVerifier makes a Verifier. It connects to nothing. Errors: all mistakes of the
// configuration, joined.
func NewVerifier(config VerifierConfig) (*Verifier, error) {
	v := &Verifier{
		asks:       config.Store != nil || config.SecondaryStorage != nil,
		tokenNames: config.names("session_token", config.Cookies.SessionToken),
		dataNames:  config.names("session_data", config.Cookies.SessionData),
	}
	v.services = config.services()
	v.pipeline = &pipeline{logger: v.services.log}
	err := errors.Join(config.check(), v.checkNames(), v.openSources(&config))
	if err != nil {
		return nil, err
	}
	return v, nil
}

func (v *Verifier) checkNames() error {
	return errors.Join(validCookieName(v.tokenNames[0]), validCookieName(v.dataNames[0]))
}

// openSources makes what the configuration has: the keys, the tables and the way
// to the server.
func (v *Verifier) openSources(c *VerifierConfig) error {
	tableErr := v.services.openSessions(DatabaseHooks{}, c.SecondaryStorage)
	if tableErr == nil {
		tableErr = v.services.announce([]*Table{v.services.users.table, v.services.sessions.table})
	}
	var keyErr, urlErr error
	if c.signed() {
		keyErr = v.openKeys(c)
	}
	if c.URL != "" {
		v.remote, urlErr = newRemoteSessions(c)
	}
	return errors.Join(tableErr, keyErr, urlErr)
}

func (v *Verifier) openKeys(c *VerifierConfig) error {
	secrets := secretValues(c.Secret, c.Secrets)
	v.signer = newSigner(secrets...)
	if c.IgnoreCopies {
		return nil
	}
	encrypted, err := newCacheSeal(CacheJWE, v.signer, secrets)
	v.seals = map[int]cacheSeal{0: compactSeal{v.signer}, 2: jwtSeal{v.signer}, 4: encrypted}
	return err
}

// newRemoteSessions reads the URL as New reads its BaseURL.
func newRemoteSessions(c *VerifierConfig) (*remoteSessions, error) {
	base, err := parseBase("VerifierConfig.URL", c.URL)
	if err != nil {
		return nil, err
	}
	if strings.Trim(base.Path, "/") == "" {
		base.Path = defaultBasePath
	}
	question := base.JoinPath("get-session")
	question.RawQuery = url.Values{"disableRefresh": {"true"}}.Encode()
	return &remoteSessions{url: question.String(), client: withoutState(c.HTTPClient), copies: !c.signed() && !c.IgnoreCopies}, nil
}

// Session returns the session that a request proves and its user, nil if there is
// none: no token, a forged one, a session that has expired or was revoked. An error
// means that the storage or the server failed, and says nothing about the request;
// no error and no log holds a token.
func (v *Verifier) Session(r *http.Request) (*SessionData, error) {
	claim, ok := v.claimOf(r.Header)
	if !ok {
		return nil, nil
	}
	sent := v.sentCopy(r.Header)
	if data := v.copied(sent.value); data != nil && data.Session.Token == claim.token {
		return data, nil
	}
	switch {
	case v.asks:
		return v.services.liveSession(r.Context(), claim.token)
	case v.remote != nil:
		return v.askRemote(r.Context(), claim, sent)
	}
	return nil, nil
}

// RequireSession guards a handler as [Auth.RequireSession] does: requests without a
// session are answered with 401, and with 500 when nobody can tell. The handler
// finds the session by SessionFromContext. Responses are kept out
// of caches unless they say otherwise before.
func (v *Verifier) RequireSession(next http.Handler) http.Handler {
	return guardHandler(v.pipeline, next, func(w http.ResponseWriter, r *http.Request) (*SessionData, error) {
		h := make(http.Header)
		forbidStoring(h)
		forwardHeaders(w.Header(), h)
		data, err := v.Session(r)
		if err != nil {
			v.pipeline.logInternal(r.Context(), "verification of a session", err)
			err = ErrFailedToGetSession.With(http.StatusInternalServerError).WithCause(err)
		}
		return data, err
	})
}

// A claim is a signed token. Its signature holds unless only the server can tell.
type claim struct {
	token string
	tag   [tagLength]byte
	names []string // of the cookies in which the server may look for it
}

// claimOf returns the claim of a request, that of a bearer first (RFC 6750 section
// 2.1).
func (v *Verifier) claimOf(h http.Header) (claim, bool) {
	if c, ok := v.open(BearerToken(h), v.tokenNames); ok {
		return c, true
	}
	for i, name := range v.tokenNames {
		if raw, sent := cookieValue(h, name); sent {
			return v.open(raw, v.tokenNames[i:i+1])
		}
	}
	return claim{}, false
}

func (v *Verifier) open(raw string, names []string) (claim, bool) {
	token, tag, ok := splitSigned(raw)
	if !ok || v.signer != nil && !v.signer.matches(token, &tag) {
		return claim{}, false
	}
	return claim{token, tag, names}, true
}

// sentCopy returns the copy in the request, with an empty value if there is none.
func (v *Verifier) sentCopy(h http.Header) cookie {
	for _, name := range v.dataNames {
		if value := joinChunks(h, name); value != "" {
			return cookie{name: name, value: value}
		}
	}
	return cookie{}
}

// copied returns the session in a copy that counts, nil if it does not. Its form
// shows in the number of its dots.
func (v *Verifier) copied(sent string) *SessionData {
	seal, known := v.seals[strings.Count(sent, ".")]
	if sent == "" || !known {
		return nil
	}
	data, _ := v.services.readCopy(seal.open(sent))
	return data
}

// askRemote asks the server about a claim.
func (v *Verifier) askRemote(ctx context.Context, c claim, sent cookie) (*SessionData, error) {
	object, err := v.remote.ask(ctx, v.cookiesOf(c, sent))
	if err != nil || object == nil {
		return nil, err
	}
	data, _, err := v.services.decodeSession(object)
	if err != nil {
		return nil, fmt.Errorf("auth: %s answered with something that is no session: %w", v.remote.url, err)
	}
	if data.Session.Token != c.token {
		return nil, fmt.Errorf("auth: %s answered with another session", v.remote.url)
	}
	if data.Session.ExpiresAt.Before(now()) {
		return nil, nil
	}
	return data, nil
}

// cookiesOf is the Cookie header for the server: nothing in it is as the client
// wrote it. The server gets a copy only if nobody looked into it here.
func (v *Verifier) cookiesOf(c claim, sent cookie) string {
	var pairs []string
	token := encodeURIComponent(c.token + "." + string(c.tag[:]))
	for _, name := range c.names {
		pairs = append(pairs, name+"="+token)
	}
	if v.remote.copies && sent.value != "" {
		pairs = append(pairs, sent.name+"="+encodeURIComponent(sent.value))
	}
	return strings.Join(pairs, "; ")
}
