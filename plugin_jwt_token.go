package auth

import (
	"context"
	"encoding/json"
	"errors"
	"slices"
	"time"
)

// GetTokenRequest is the request of GET /token, which has no members.
type GetTokenRequest struct{}

// GetTokenResponse has a token about the caller's session.
type GetTokenResponse struct {
	Token string `json:"token"`
}

// getToken is GET /token (contract section 10.5).
func (p *JWT) getToken(ctx context.Context, _ GetTokenRequest) (out GetTokenResponse, err error) {
	out.Token, err = p.sessionToken(ctx, SessionFromContext(ctx))
	return out, err
}

// sendToken adds a token to what get-session answers (contract section 10.6).
func (p *JWT) sendToken(x *Exchange) error {
	data := SessionFromContext(x)
	if data == nil || x.Failure() != nil {
		return nil
	}
	token, err := p.sessionToken(x, data)
	if err == nil {
		x.SetExposed("set-auth-jwt", token)
	}
	return err
}

// sessionToken returns a token about a session.
func (p *JWT) sessionToken(ctx context.Context, data *SessionData) (string, error) {
	data = p.services.VisibleSession(data)
	payload, err := p.payload(ctx, data)
	if err != nil {
		return "", err
	}
	subject := ""
	if p.GetSubject != nil {
		if subject, err = p.GetSubject(ctx, data); err != nil {
			return "", err
		}
	}
	if subject == "" {
		subject = data.User.ID
	}
	if err := payload.put("sub", subject); err != nil {
		return "", err
	}
	return p.sign(ctx, payload, p.Claims, JWTSigning{})
}

// payload is what a token says about a session, behind when it was issued.
func (p *JWT) payload(ctx context.Context, data *SessionData) (payload jwtObject, err error) {
	var defined any = data.User
	if p.DefinePayload != nil {
		if defined, err = p.DefinePayload(ctx, data); err != nil {
			return nil, err
		}
	}
	members, err := newJWTObject(defined)
	if err != nil {
		return nil, err
	}
	if err := payload.put("iat", time.Now().Unix()); err != nil {
		return nil, err
	}
	for _, m := range members {
		payload.set(m.name, m.value)
	}
	return payload, nil
}

// Token returns a token with a payload, anything that is a JSON object, for other
// plugins and the application. It has the claims of JWT.Claims unless the payload has
// them, and no iat by itself. Errors: there is no key as wanted, a claim of the wrong
// type.
func (p *JWT) Token(ctx context.Context, payload any, signing JWTSigning) (string, error) {
	object, err := newJWTObject(payload)
	if err != nil {
		return "", err
	}
	return p.sign(ctx, object, p.Claims, signing)
}

// SignJWTRequest asks for a token with a payload of the application's own.
type SignJWTRequest struct {
	Payload map[string]any `json:"payload"`

	// OverrideOptions takes the place of options in this call.
	OverrideOptions *JWTOverrides `json:"overrideOptions,omitempty"`
}

// JWTOverrides take the place of options of the plugin: all of them where one is
// given.
type JWTOverrides struct {
	Claims *JWTClaims `json:"jwt,omitempty"`
}

// Validate wants a payload.
func (r *SignJWTRequest) Validate() error {
	if r.Payload == nil {
		return errors.New("[body.payload] Invalid input: expected record, received null")
	}
	return nil
}

// SignJWTResponse has the token.
type SignJWTResponse struct {
	Token string `json:"token"`
}

// signJWT has no URL: whoever calls it decides what a token says.
func (p *JWT) signJWT(ctx context.Context, in SignJWTRequest) (out SignJWTResponse, err error) {
	claims := p.Claims
	if in.OverrideOptions != nil && in.OverrideOptions.Claims != nil {
		claims = *in.OverrideOptions.Claims
	}
	payload, err := newJWTObject(in.Payload)
	if err != nil {
		return out, err
	}
	out.Token, err = p.sign(ctx, payload, claims, JWTSigning{})
	return out, err
}

// sign completes a payload and signs it.
func (p *JWT) sign(ctx context.Context, payload jwtObject, claims JWTClaims, signing JWTSigning) (string, error) {
	if err := payload.complete(p.withOrigin(ctx, claims)); err != nil {
		return "", err
	}
	text, err := payload.text()
	if err != nil {
		return "", err
	}
	if p.Sign != nil {
		return p.Sign(ctx, text, signing)
	}
	key, err := p.signer(ctx, signing)
	if err != nil {
		return "", err
	}
	return SignJWS(key, JWSHeader{Algorithm: key.alg, KeyID: key.id, Type: signing.Type}, text)
}

// withOrigin fills in who issues tokens, and for whom.
func (p *JWT) withOrigin(ctx context.Context, claims JWTClaims) JWTClaims {
	if claims.Issuer == "" {
		claims.Issuer = p.services.Origin(ctx)
	}
	if len(claims.Audience) == 0 {
		claims.Audience = []string{p.services.Origin(ctx)}
	}
	return claims
}

// VerifyJWTRequest has a token and who has to have issued it, by default whoever
// issues those of the plugin.
type VerifyJWTRequest struct {
	Token  string `json:"token"`
	Issuer string `json:"issuer,omitempty"`
}

// VerifyJWTResponse has the claims of a token that is valid, nil otherwise.
type VerifyJWTResponse struct {
	Payload map[string]any `json:"payload"`
}

// verifyJWT has no URL.
func (p *JWT) verifyJWT(ctx context.Context, in VerifyJWTRequest) (out VerifyJWTResponse, err error) {
	claims := p.Claims
	if in.Issuer != "" {
		claims.Issuer = in.Issuer
	}
	claims = p.withOrigin(ctx, claims)
	payload, err := p.verify(ctx, in.Token, "", JWTRules{Issuers: []string{claims.Issuer}, Audiences: claims.Audience})
	if payload == nil || err != nil {
		return out, err
	}
	if err := json.Unmarshal(payload, &out.Payload); err != nil || !isTruthy(out.Payload["sub"]) {
		out.Payload = nil
	}
	return out, nil
}

// isTruthy reports whether a claim says something.
func isTruthy(claim any) bool {
	return claim != nil && claim != "" && claim != false && claim != 0.0
}

// verify returns the payload of a token that one of the keys has signed and that
// fulfils the rules, nil for every other one. A typ that is not empty must be that of
// the header. The key decides on the algorithm; a token that names no key is none of
// ours. Errors: the keys cannot be read.
func (p *JWT) verify(ctx context.Context, token, typ string, rules JWTRules) ([]byte, error) {
	header, err := ParseJWSHeader(token)
	if err != nil || header.KeyID == "" || typ != "" && header.Type != typ {
		return nil, nil
	}
	keys, err := p.keys(ctx)
	if err != nil {
		return nil, err
	}
	i := slices.IndexFunc(keys, func(k *JWTKey) bool { return k.ID == header.KeyID })
	if i < 0 || !p.verifies(keys[i]) {
		return nil, nil
	}
	public, err := p.publicOf(keys[i])
	if err != nil {
		p.services.Log().ErrorContext(ctx, "a public key cannot be read", "key", header.KeyID, "error", err)
		return nil, nil
	}
	payload, err := VerifyJWS(token, []JWK{public}, []string{public.Algorithm})
	if err != nil || rules.Check(payload) != nil {
		return nil, nil
	}
	return payload, nil
}
