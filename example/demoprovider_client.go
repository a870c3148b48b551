package main

import (
	"net/url"
	"time"

	"github.com/zitadel/oidc/v3/pkg/oidc"
	"github.com/zitadel/oidc/v3/pkg/op"
)

// demoClient is the one client of the demonstration provider.
type demoClient struct {
	id, secret string
	callback   string // redirect URI
	signedOut  string // where sign-out leads
	origin     string
}

func (c *demoClient) GetID() string                    { return c.id }
func (c *demoClient) RedirectURIs() []string           { return []string{c.callback} }
func (c *demoClient) PostLogoutRedirectURIs() []string { return []string{c.signedOut} }
func (c *demoClient) AuthMethod() oidc.AuthMethod      { return oidc.AuthMethodPost }
func (c *demoClient) IDTokenLifetime() time.Duration   { return demoIDTokenLifetime }
func (c *demoClient) ClockSkew() time.Duration         { return 0 }
func (c *demoClient) IsScopeAllowed(string) bool       { return false } // beyond those of OpenID Connect

func (c *demoClient) ResponseTypes() []oidc.ResponseType {
	return []oidc.ResponseType{oidc.ResponseTypeCode}
}

func (c *demoClient) GrantTypes() []oidc.GrantType {
	return []oidc.GrantType{oidc.GrantTypeCode, oidc.GrantTypeRefreshToken}
}

func (c *demoClient) ApplicationType() op.ApplicationType { return op.ApplicationTypeWeb }
func (c *demoClient) AccessTokenType() op.AccessTokenType { return op.AccessTokenTypeBearer }
func (c *demoClient) DevMode() bool                       { return true } // redirect URIs may be http

func (c *demoClient) LoginURL(id string) string { return "/choose?id=" + url.QueryEscape(id) }

// IDTokenUserinfoClaimsAssertion leaves name and address to the userinfo endpoint.
func (c *demoClient) IDTokenUserinfoClaimsAssertion() bool { return false }

func (c *demoClient) RestrictAdditionalIdTokenScopes() func(scopes []string) []string {
	return sameScopes
}

func (c *demoClient) RestrictAdditionalAccessTokenScopes() func(scopes []string) []string {
	return sameScopes
}

func sameScopes(scopes []string) []string { return scopes }

// A demoGrant is what a user has allowed the client.
type demoGrant struct {
	clientID, subject string
	scopes            []string
	at                time.Time
}

func (g *demoGrant) GetAMR() []string                 { return nil }
func (g *demoGrant) GetAudience() []string            { return []string{g.clientID} }
func (g *demoGrant) GetAuthTime() time.Time           { return g.at }
func (g *demoGrant) GetClientID() string              { return g.clientID }
func (g *demoGrant) GetScopes() []string              { return g.scopes }
func (g *demoGrant) GetSubject() string               { return g.subject }
func (g *demoGrant) SetCurrentScopes(scopes []string) { g.scopes = scopes }

// A demoRequest is an authorization request; a user who has said yes is its subject.
type demoRequest struct {
	*oidc.AuthRequest
	demoGrant
	id string
}

func (r *demoRequest) GetID() string    { return r.id }
func (r *demoRequest) GetACR() string   { return "" }
func (r *demoRequest) GetNonce() string { return r.Nonce }
func (r *demoRequest) Done() bool       { return r.subject != "" }

func (r *demoRequest) GetCodeChallenge() *oidc.CodeChallenge {
	return &oidc.CodeChallenge{Challenge: r.CodeChallenge, Method: r.CodeChallengeMethod}
}
