package auth

import (
	"context"
	"encoding/json"
	"time"
)

// What a copy of a session says of itself (contract section 10.7).
const (
	jwtSessionType      = "better-auth.session-cache+jwt"
	jwtSessionAudience  = "better-auth:session-cache"
	jwtSessionTolerance = 15 * time.Second
)

// jwtSessionSeal signs copies of sessions in cookies with the plugin's keys.
type jwtSessionSeal struct{ p *JWT }

// jwtCopy is what a copy must say of its session.
type jwtCopy struct {
	Session struct {
		Token string `json:"token"`
	} `json:"session"`
	User struct {
		ID string `json:"id"`
	} `json:"user"`
	Subject   string  `json:"sub"`
	SessionID string  `json:"sid"` // the session's token
	ExpiresAt float64 `json:"exp"`
}

// Seal implements SessionSeal.
func (s jwtSessionSeal) Seal(ctx context.Context, object []byte, expiresAt time.Time) (string, error) {
	payload, err := s.payload(ctx, object, expiresAt)
	if err != nil {
		return "", err
	}
	key, err := s.p.signer(ctx, JWTSigning{})
	if err != nil {
		return "", err
	}
	return SignJWS(key, JWSHeader{Algorithm: key.alg, KeyID: key.id, Type: jwtSessionType}, payload)
}

// payload is what a copy says of a session and of itself.
func (s jwtSessionSeal) payload(ctx context.Context, object []byte, expiresAt time.Time) ([]byte, error) {
	var said jwtCopy
	if err := json.Unmarshal(object, &said); err != nil {
		return nil, err
	}
	payload, err := newJWTObject(json.RawMessage(object))
	if err != nil {
		return nil, err
	}
	for _, claim := range []struct {
		name  string
		value any
	}{
		{"sid", said.Session.Token}, {"iat", time.Now().Unix()}, {"exp", expiresAt.Unix()},
		{"iss", s.p.services.Origin(ctx)}, {"aud", jwtSessionAudience}, {"sub", said.User.ID},
	} {
		if err := payload.put(claim.name, claim.value); err != nil {
			return nil, err
		}
	}
	return payload.text()
}

// Open implements SessionSeal. If the keys cannot be read there is no copy: the store
// is asked.
func (s jwtSessionSeal) Open(ctx context.Context, value string) (object []byte, expiresAt time.Time, ok bool) {
	payload, err := s.p.verify(ctx, value, jwtSessionType, JWTRules{
		Issuers: []string{s.p.services.Origin(ctx)}, Audiences: []string{jwtSessionAudience}, Tolerance: jwtSessionTolerance,
	})
	if err != nil {
		s.p.services.Log().ErrorContext(ctx, "keys of copies of sessions cannot be read", "error", err)
	}
	var said jwtCopy
	if payload == nil || err != nil || json.Unmarshal(payload, &said) != nil {
		return nil, time.Time{}, false
	}
	if said.User.ID == "" || said.Subject != said.User.ID || said.SessionID != said.Session.Token {
		return nil, time.Time{}, false
	}
	return payload, time.Unix(int64(said.ExpiresAt), 0), true
}
