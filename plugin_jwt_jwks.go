package auth

import (
	"context"
	"encoding/json"
	"net/http"
)

// GetJWKSRequest is the request of GET /jwks, which has no members.
type GetJWKSRequest struct{}

// GetJWKSResponse is a JSON Web Key Set (RFC 7517 section 5).
type GetJWKSResponse struct {
	Keys []json.RawMessage `json:"keys" check:"nonnull"`
}

// getJWKS is GET /jwks (contract section 10.5). There is always a key, unless all
// are too old to verify anything.
func (p *JWT) getJWKS(ctx context.Context, _ GetJWKSRequest) (out GetJWKSResponse, err error) {
	if p.RemoteKeysURL != "" {
		return out, NewError(http.StatusNotFound, "", "")
	}
	keys, err := p.keys(ctx)
	if err == nil && len(keys) == 0 {
		if _, err = p.provide(ctx, JWTSigning{}); err == nil {
			keys, err = p.keys(ctx)
		}
	}
	if err != nil {
		return out, err
	}
	out.Keys = []json.RawMessage{}
	for _, key := range keys {
		if p.verifies(key) {
			out.Keys = append(out.Keys, p.publish(ctx, key)...)
		}
	}
	return out, nil
}

// publish returns the public key of a row with its algorithm and id. It leaves out
// what is no public key: a private one above all.
func (p *JWT) publish(ctx context.Context, key *JWTKey) []json.RawMessage {
	text, err := p.publicText(key)
	if err != nil {
		p.services.Log().ErrorContext(ctx, "a public key cannot be published", "key", key.ID, "error", err)
		return nil
	}
	return []json.RawMessage{text}
}

func (p *JWT) publicText(key *JWTKey) (json.RawMessage, error) {
	public, err := p.publicOf(key)
	if err != nil {
		return nil, err
	}
	members, err := newJWTObject(json.RawMessage(key.PublicKey))
	if err != nil {
		return nil, err
	}
	var object jwtObject
	if err := object.put("alg", public.Algorithm); err != nil {
		return nil, err
	}
	if crv := members.get("crv"); crv != nil {
		object.set("crv", crv)
	}
	for _, m := range members {
		object.set(m.name, m.value)
	}
	if err := object.put("kid", key.ID); err != nil {
		return nil, err
	}
	return object.text()
}
