package auth

import (
	"context"
	"encoding/json"
	"maps"
	"slices"
	"strings"
	"time"
)

// A Provider is a server at which users sign in with an account that they have
// there: OAuth 2.0 (RFC 6749) or OpenID Connect. Config.Providers lists them.
//
//   - Google, GitHub, Apple and the other constructors, or BuiltinProvider with an
//     id, make one that this package knows.
//   - OIDC makes one from the discovery document of an OpenID provider.
//   - Any other is a Provider with AuthorizationURL, TokenURL and UserInfoURL, and
//     MapProfile where the profile has members of its own.
//
// Register <base URL>/callback/<ID> as redirect URI at the provider. Every flow
// has a state that is bound to the browser and used once, and PKCE with S256
// unless the provider is known not to want it; with OIDC a nonce too, and
// id_tokens are verified.
type Provider struct {
	// ID names the provider in requests, in the callback path and in the column
	// providerId: letters, digits and - . _ ~ only.
	ID string

	// ClientID and ClientSecret are what the provider gave the application. TikTok calls
	// the former client key, WeChat AppID.
	ClientID     string
	ClientSecret string

	// ClientSecretFunc makes the secret when it is needed, instead of ClientSecret: one
	// that expires, as Apple's does, or that is rotated elsewhere.
	ClientSecretFunc func(ctx context.Context) (string, error)

	// Audiences are the client ids for which id_tokens that clients submit may have
	// been issued, such as those of mobile apps. Default: ClientID, which otherwise has
	// to be among them.
	Audiences []string

	// DiscoveryURL is the address of an OpenID provider's metadata, which is fetched
	// when it is first needed. The URLs below win over what it says. While it cannot
	// be read the provider counts as unknown: nobody signs in unverified.
	DiscoveryURL     string
	DiscoveryHeaders map[string]string // sent with that request, and to jwks_uri on the same origin

	// Issuer is what the metadata has to name as its issuer, to the letter (RFC 8414
	// section 3.3), so that no document speaks for another server. Default: whoever it
	// names, as in the original.
	Issuer string

	AuthorizationURL string
	TokenURL         string
	UserInfoURL      string
	EndSessionURL    string // where sign-out leads (OpenID Connect RP-Initiated Logout)

	// RedirectURI replaces <base URL>/callback/<ID>.
	RedirectURI string

	// BaseURL is that of a server of one's own: GitLab, Paybin; the authority of
	// Microsoft; the domain of Cognito's user pool, which is required, and of
	// Salesforce, both with or without https://. Default: that of the vendor.
	BaseURL string

	// Tenant is Microsoft's tenant ("common") and the id of Cognito's user pool, which is
	// required there and begins with the region: eu-west-1_AbCdEf.
	Tenant string

	// Environment is "sandbox", PayPal's default, or "live" there; "production", the
	// default, or "sandbox" at Salesforce.
	Environment string

	// Scopes are requested beside the ones that the provider has by default, which
	// NoDefaultScopes leaves out.
	Scopes          []string
	NoDefaultScopes bool

	// Params are further parameters of the authorization URL, such as prompt,
	// access_type or hd; an empty value leaves out one that is sent by default.
	// TokenParams are further members of the code exchange, RefreshParams of the
	// refresh, and TokenHeaders headers of both. docs/providers.md names those that
	// known providers understand.
	Params        map[string]string
	TokenParams   map[string]string
	RefreshParams map[string]string
	TokenHeaders  map[string]string

	// NoPKCE is for providers that refuse PKCE. NoNonce is for OpenID providers that
	// do not return the nonce; stolen id_tokens can then be replayed.
	NoPKCE  bool
	NoNonce bool

	// TokenAuth is how the client authenticates at the token endpoint. Default: what
	// a known provider wants, otherwise TokenAuthPost with a secret, TokenAuthNone
	// without one. ClientAssertion makes the JWT of TokenAuthPrivateKeyJWT for a
	// token endpoint; see SignClientAssertion.
	TokenAuth       TokenAuth
	ClientAssertion func(ctx context.Context, tokenURL string) (string, error)

	// AccessTokenExpiresIn is the lifetime of access tokens whose response names
	// none.
	AccessTokenExpiresIn time.Duration

	// ProfileFields are further fields of Facebook's profile, beside id, name, email and
	// picture, and further claims of Twitch's id_token.
	ProfileFields []string

	// PhotoSize is the width of Microsoft's profile photo in pixels, one of those that
	// Microsoft Graph offers. Default 48; negative: no photo is fetched.
	PhotoSize int

	// DisableSignUp signs in users who are known already and nobody else.
	// DisableImplicitSignUp makes new users only where the request says
	// requestSignUp.
	DisableSignUp         bool
	DisableImplicitSignUp bool

	// OverrideUserInfo writes the provider's name, image, e-mail address and
	// additional fields over the user's at every sign-in.
	OverrideUserInfo bool

	// RequireEmailVerification makes no session for users whose address is not
	// verified.
	RequireEmailVerification bool

	// AllowIdPInitiated starts a flow when the provider sends users who began there.
	AllowIdPInitiated bool

	DisableIDToken bool // no sign-in with id_tokens that clients submit
	DisableLogout  bool // sign-out does not lead to the provider

	// PostLogoutRedirectURI is where the provider sends users after sign-out, unless
	// the request says so. A path belongs to the origin of the base URL.
	PostLogoutRedirectURI string

	// MapProfile may change what the user becomes, given the provider's profile: the
	// members of the JSON object or the claims. The subject is none of that.
	MapProfile func(ctx context.Context, profile map[string]any, user *ProviderUser) error

	// Profile replaces the request for the profile. No profile means no user.
	Profile func(ctx context.Context, tokens *OAuthTokens) (profile map[string]any, err error)

	// Subject replaces the choice of the member that identifies the user at the
	// provider: sub with OpenID Connect, id otherwise. It must never change.
	Subject func(tokens *OAuthTokens, profile map[string]any) (string, error)

	// Exchange replaces the code exchange, Refresh the request for new tokens.
	Exchange func(ctx context.Context, in CodeExchange) (*OAuthTokens, error)
	Refresh  func(ctx context.Context, refreshToken string) (*OAuthTokens, error)

	// VerifyIDToken replaces the verification of an id_token that a client submits.
	// The nonce is empty if the client sent none.
	VerifyIDToken func(ctx context.Context, token, nonce string) bool

	known *knownProvider // nil unless BuiltinProvider made it
}

// clone returns a copy that shares nothing that its owner could change.
func (p *Provider) clone() Provider {
	own := *p
	for _, list := range []*[]string{&own.Audiences, &own.Scopes, &own.ProfileFields} {
		*list = slices.Clone(*list)
	}
	for _, set := range []*map[string]string{&own.DiscoveryHeaders, &own.Params, &own.TokenParams, &own.RefreshParams, &own.TokenHeaders} {
		*set = maps.Clone(*set)
	}
	return own
}

// OIDC returns an OpenID provider: issuer is its URL or that of its discovery
// document. Scopes are openid, profile and email.
func OIDC(id, issuer, clientID, clientSecret string) Provider {
	if !strings.Contains(issuer, "/.well-known/") {
		issuer = strings.TrimSuffix(issuer, "/") + "/.well-known/openid-configuration"
	}
	return Provider{
		ID: id, DiscoveryURL: issuer, ClientID: clientID, ClientSecret: clientSecret,
		Scopes: []string{"openid", "profile", "email"},
	}
}

// A TokenAuth is a method of client authentication at a token endpoint, in the
// spelling of OpenID Connect Core section 9.
type TokenAuth string

const (
	TokenAuthPost          TokenAuth = "client_secret_post"  // the secret is in the form
	TokenAuthBasic         TokenAuth = "client_secret_basic" // the secret is in the Authorization header
	TokenAuthNone          TokenAuth = "none"                // a public client: PKCE alone
	TokenAuthPrivateKeyJWT TokenAuth = "private_key_jwt"     // Provider.ClientAssertion (RFC 7523)
)

// OAuthTokens are what a token endpoint returned.
type OAuthTokens struct {
	AccessToken  string
	RefreshToken string
	IDToken      string
	TokenType    string

	AccessTokenExpiresAt  time.Time // zero: the response did not say
	RefreshTokenExpiresAt time.Time

	Scopes []string       // granted; nil for tokens that come from no token endpoint
	Raw    map[string]any // the response

	// Name and Email of a user are what Apple posts beside the code at the first
	// sign-in. They are as true as the browser.
	Name  string
	Email string

	confirmedEmail string // the provider vouches for it outside of the profile
}

// CodeExchange is what Provider.Exchange gets.
type CodeExchange struct {
	Code         string
	CodeVerifier string // RFC 7636
	RedirectURI  string
	DeviceID     string // of VK
}

// A ProviderUser is a user as a provider describes them. Empty values are those
// that it does not tell.
type ProviderUser struct {
	Name          string
	Email         string
	EmailVerified bool // only true if the provider says so
	Image         string

	// Fields are values for additional user columns; others are left out.
	Fields map[string]any
}

// providerUserMembers are those of a ProviderUser beside its Fields.
type providerUserMembers struct {
	Name          string `json:"name,omitempty"`
	Email         string `json:"email,omitempty"`
	Image         string `json:"image,omitempty"`
	EmailVerified bool   `json:"emailVerified"`
}

// MarshalJSON writes Fields beside the other members, which are left out if they
// are empty.
func (u *ProviderUser) MarshalJSON() ([]byte, error) {
	object, err := appendMarshal(nil, providerUserMembers{u.Name, u.Email, u.Image, u.EmailVerified})
	if err != nil || len(u.Fields) == 0 {
		return object, err
	}
	fields, err := appendJSON(nil, u.Fields)
	return append(append(object[:len(object)-1], ','), fields[1:]...), err
}

// UnmarshalJSON reads what MarshalJSON or the original wrote.
func (u *ProviderUser) UnmarshalJSON(data []byte) error {
	var members map[string]json.RawMessage // a struct would take "NAME" for the name
	*u = ProviderUser{}
	if err := json.Unmarshal(data, &members); err != nil {
		return err
	}
	if err := json.Unmarshal(data, &u.Fields); err != nil {
		return err
	}
	for name, value := range map[string]any{"name": &u.Name, "email": &u.Email, "image": &u.Image, "emailVerified": &u.EmailVerified} {
		delete(u.Fields, name)
		if raw, ok := members[name]; ok {
			if err := json.Unmarshal(raw, value); err != nil {
				return err
			}
		}
	}
	return nil
}
