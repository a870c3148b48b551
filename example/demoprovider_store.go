package main

import (
	"context"
	"crypto/rand"
	"crypto/rsa"
	"crypto/subtle"
	"errors"
	"maps"
	"sync"
	"time"

	jose "github.com/go-jose/go-jose/v4"
	"github.com/zitadel/oidc/v3/pkg/oidc"
	"github.com/zitadel/oidc/v3/pkg/op"
)

// Lifetimes at the demonstration provider. That of access tokens is short, so that
// it does not take long to see one refreshed.
const (
	demoRequestLifetime = 10 * time.Minute
	demoAccessLifetime  = time.Minute
	demoIDTokenLifetime = time.Hour
)

// A demoStore is the memory of the demonstration provider. It is safe for
// concurrent use: what it returns are copies.
type demoStore struct {
	client *demoClient
	key    demoKey

	mu       sync.Mutex
	requests map[string]demoRequest
	codes    map[string]string // of requests
	access   map[string]demoGrant
	refresh  map[string]demoGrant
}

func newDemoStore(client *demoClient) (*demoStore, error) {
	private, err := rsa.GenerateKey(rand.Reader, 2048)
	return &demoStore{
		client: client, key: demoKey{rand.Text(), private},
		requests: make(map[string]demoRequest), codes: make(map[string]string),
		access: make(map[string]demoGrant), refresh: make(map[string]demoGrant),
	}, err
}

var errDemoUnknown = errors.New("demonstration provider: unknown")

// CreateAuthRequest remembers an authorization request, which must have PKCE. Those
// that nobody has finished in time are forgotten.
func (s *demoStore) CreateAuthRequest(_ context.Context, in *oidc.AuthRequest, _ string) (op.AuthRequest, error) {
	if in.CodeChallenge == "" || in.CodeChallengeMethod != oidc.CodeChallengeMethodS256 {
		return nil, oidc.ErrInvalidRequest().WithDescription("PKCE with S256 is required")
	}
	request := demoRequest{
		AuthRequest: in, id: rand.Text(),
		demoGrant: demoGrant{clientID: in.ClientID, scopes: in.Scopes, at: time.Now()},
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	maps.DeleteFunc(s.requests, func(_ string, r demoRequest) bool { return time.Since(r.at) > demoRequestLifetime })
	maps.DeleteFunc(s.codes, func(_, id string) bool { _, waits := s.requests[id]; return !waits })
	maps.DeleteFunc(s.access, func(_ string, g demoGrant) bool { return time.Since(g.at) > demoAccessLifetime })
	s.requests[request.id] = request
	return &request, nil
}

func (s *demoStore) request(id string) (*demoRequest, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if request, waits := s.requests[id]; waits {
		return &request, nil
	}
	return nil, errDemoUnknown
}

// decide says who the user of a request is. Nobody ends the request.
func (s *demoStore) decide(id, subject string) (*demoRequest, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	request, waits := s.requests[id]
	if !waits || request.Done() {
		return nil, errDemoUnknown
	}
	delete(s.requests, id)
	if _, known := findDemoUser(subject); known {
		request.subject, request.at = subject, time.Now()
		s.requests[id] = request
	}
	return &request, nil
}

func (s *demoStore) AuthRequestByID(_ context.Context, id string) (op.AuthRequest, error) {
	return s.request(id)
}

func (s *demoStore) SaveAuthCode(_ context.Context, id, code string) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.codes[code] = id
	return nil
}

// AuthRequestByCode uses the code up.
func (s *demoStore) AuthRequestByCode(_ context.Context, code string) (op.AuthRequest, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	request, waits := s.requests[s.codes[code]]
	delete(s.codes, code)
	if !waits {
		return nil, errDemoUnknown
	}
	return &request, nil
}

func (s *demoStore) DeleteAuthRequest(_ context.Context, id string) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.requests, id)
	return nil
}

func (s *demoStore) CreateAccessToken(_ context.Context, in op.TokenRequest) (id string, expires time.Time, err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	id, expires = s.newAccess(in)
	return id, expires, nil
}

// CreateAccessAndRefreshTokens replaces the refresh token that was used.
func (s *demoStore) CreateAccessAndRefreshTokens(_ context.Context, in op.TokenRequest, used string) (id, refresh string, expires time.Time, err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if _, known := s.refresh[used]; used != "" && !known {
		return "", "", time.Time{}, oidc.ErrInvalidGrant()
	}
	delete(s.refresh, used)
	id, expires = s.newAccess(in)
	refresh = rand.Text()
	s.refresh[refresh] = s.newGrant(in)
	return id, refresh, expires, nil
}

func (s *demoStore) newAccess(in op.TokenRequest) (id string, expires time.Time) {
	id = rand.Text()
	grant := s.newGrant(in)
	s.access[id] = grant
	return id, grant.at.Add(demoAccessLifetime)
}

func (s *demoStore) newGrant(in op.TokenRequest) demoGrant {
	return demoGrant{clientID: s.client.id, subject: in.GetSubject(), scopes: in.GetScopes(), at: time.Now()}
}

func (s *demoStore) TokenRequestByRefreshToken(_ context.Context, token string) (op.RefreshTokenRequest, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if grant, known := s.refresh[token]; known {
		return &grant, nil
	}
	return nil, oidc.ErrInvalidGrant()
}

// TerminateSession has nothing to do: the provider asks who signs in every time.
func (s *demoStore) TerminateSession(context.Context, string, string) error { return nil }

func (s *demoStore) RevokeToken(_ context.Context, token, _, _ string) *oidc.Error {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.access, token)
	delete(s.refresh, token)
	return nil
}

func (s *demoStore) GetRefreshTokenInfo(_ context.Context, _, token string) (subject, id string, err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if grant, known := s.refresh[token]; known {
		return grant.subject, token, nil
	}
	return "", "", op.ErrInvalidRefreshToken
}

// SetUserinfoFromToken answers the userinfo endpoint.
func (s *demoStore) SetUserinfoFromToken(_ context.Context, info *oidc.UserInfo, tokenID, subject, _ string) error {
	s.mu.Lock()
	grant, known := s.access[tokenID]
	s.mu.Unlock()
	if !known || grant.subject != subject || time.Since(grant.at) > demoAccessLifetime {
		return errDemoUnknown
	}
	return s.SetUserinfoFromScopes(context.Background(), info, subject, grant.clientID, grant.scopes)
}

// SetUserinfoFromScopes says of a user what the scopes allow.
func (s *demoStore) SetUserinfoFromScopes(_ context.Context, info *oidc.UserInfo, subject, _ string, scopes []string) error {
	user, known := findDemoUser(subject)
	if !known {
		return errDemoUnknown
	}
	for _, scope := range scopes {
		switch scope {
		case oidc.ScopeOpenID:
			info.Subject = user.Subject
		case oidc.ScopeProfile:
			info.Name = user.Name
		case oidc.ScopeEmail:
			info.Email, info.EmailVerified = user.Email, oidc.Bool(user.Verified)
		}
	}
	return nil
}

func (s *demoStore) GetClientByClientID(_ context.Context, id string) (op.Client, error) {
	if id != s.client.id {
		return nil, errDemoUnknown
	}
	return s.client, nil
}

func (s *demoStore) AuthorizeClientIDSecret(_ context.Context, id, secret string) error {
	if id != s.client.id || subtle.ConstantTimeCompare([]byte(secret), []byte(s.client.secret)) != 1 {
		return errDemoUnknown
	}
	return nil
}

func (s *demoStore) SigningKey(context.Context) (op.SigningKey, error) { return s.key, nil }

func (s *demoStore) KeySet(context.Context) ([]op.Key, error) {
	return []op.Key{demoPublicKey{s.key}}, nil
}

func (s *demoStore) SignatureAlgorithms(context.Context) ([]jose.SignatureAlgorithm, error) {
	return []jose.SignatureAlgorithm{jose.RS256}, nil
}

func (s *demoStore) Health(context.Context) error { return nil }

// What follows belongs to grants that the one client does not use.

func (s *demoStore) SetIntrospectionFromToken(context.Context, *oidc.IntrospectionResponse, string, string, string) error {
	return errDemoUnknown
}

func (s *demoStore) GetPrivateClaimsFromScopes(context.Context, string, string, []string) (map[string]any, error) {
	return nil, nil
}

func (s *demoStore) GetKeyByIDAndClientID(context.Context, string, string) (*jose.JSONWebKey, error) {
	return nil, errDemoUnknown
}

func (s *demoStore) ValidateJWTProfileScopes(context.Context, string, []string) ([]string, error) {
	return nil, errDemoUnknown
}

// demoKey signs id_tokens.
type demoKey struct {
	id      string
	private *rsa.PrivateKey
}

func (k demoKey) ID() string                                  { return k.id }
func (k demoKey) SignatureAlgorithm() jose.SignatureAlgorithm { return jose.RS256 }
func (k demoKey) Key() any                                    { return k.private }

// demoPublicKey is its entry in the key set.
type demoPublicKey struct{ demoKey }

func (k demoPublicKey) Algorithm() jose.SignatureAlgorithm { return jose.RS256 }
func (k demoPublicKey) Use() string                        { return "sig" }
func (k demoPublicKey) Key() any                           { return &k.private.PublicKey }
