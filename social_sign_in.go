package auth

import (
	"context"
	"net/http"
	"slices"
	"strings"
)

// SignInSocialRequest is the body of POST /sign-in/social.
type SignInSocialRequest struct {
	CallbackURL        string `json:"callbackURL,omitempty"`        // where the browser ends; default: the origin of the base URL
	NewUserCallbackURL string `json:"newUserCallbackURL,omitempty"` // the same for users who sign in for the first time
	ErrorCallbackURL   string `json:"errorCallbackURL,omitempty"`   // default: the error page
	Provider           string `json:"provider"`
	DisableRedirect    bool   `json:"disableRedirect,omitempty"` // the client goes to the URL by itself

	// IDToken signs in with an id_token that the client got from the provider.
	IDToken *SocialIDToken `json:"idToken,omitempty"`

	Scopes        []string `json:"scopes,omitempty"`        // beside those of the provider
	RequestSignUp *bool    `json:"requestSignUp,omitempty"` // see Provider.DisableImplicitSignUp
	LoginHint     string   `json:"loginHint,omitempty"`     // whom the provider should expect

	// AdditionalParams are added to the authorization URL. AdditionalData comes back
	// with the callback, see OAuthData.
	AdditionalParams map[string]string `json:"additionalParams,omitempty"`
	AdditionalData   map[string]any    `json:"additionalData,omitempty"`
}

// inspect refuses parameters that would take the flow apart.
func (r *SignInSocialRequest) inspect(x *Exchange, issues []issue) []issue {
	return inspectFlow(x, &r.AdditionalParams, issues)
}

// SocialIDToken is an id_token from a provider, with what came beside it.
type SocialIDToken struct {
	Token        string   `json:"token"`
	Nonce        string   `json:"nonce,omitempty"` // that the client had put into its request
	AccessToken  string   `json:"accessToken,omitempty"`
	RefreshToken string   `json:"refreshToken,omitempty"`
	ExpiresAt    *float64 `json:"expiresAt,omitempty"`

	// User is what Apple tells at the first sign-in.
	User *SocialUser `json:"user,omitempty"`
}

// SocialUser is the user of an id_token as the client describes them.
type SocialUser struct {
	Name *struct {
		FirstName string `json:"firstName,omitempty"`
		LastName  string `json:"lastName,omitempty"`
	} `json:"name,omitempty"`
	Email string `json:"email,omitempty"`
}

// name joins the parts of a name.
func (u *SocialUser) name() string {
	if u == nil || u.Name == nil {
		return ""
	}
	return strings.TrimSpace(u.Name.FirstName + " " + u.Name.LastName)
}

// SignInSocialResponse is the answer of POST /sign-in/social: URL is where the browser
// is to go, with Redirect if the client should take it there. With an id_token Token
// and User are set instead, as by a sign-in with a password.
type SignInSocialResponse struct {
	URL      string `json:"url,omitempty"`
	Redirect bool   `json:"redirect"`
	Token    string `json:"token,omitempty"`
	User     *User  `json:"user,omitempty"`
}

// inspectFlow adds the issue of reserved names. The provider is a union to the
// original, which says no more of one that does not fit.
func inspectFlow(x *Exchange, params *map[string]string, issues []issue) []issue {
	for i := range issues {
		if f := issues[i].field; f != nil && f.name == "provider" {
			issues[i].text = "Invalid input"
		}
	}
	reserved := slices.ContainsFunc(reservedParams, func(name string) bool { _, set := (*params)[name]; return set })
	if !reserved {
		return issues
	}
	*params = nil // an issue counts where its field has no value
	return append(issues, x.op.binding.field("additionalParams").
		issue("additionalParams cannot include reserved OAuth parameters: "+strings.Join(reservedParams, ", ")))
}

// signInSocial begins a sign-in at a provider, or ends one that the client has made
// with it.
func (c *core) signInSocial(ctx context.Context, in SignInSocialRequest) (*SignInSocialResponse, error) {
	p := c.provider(ctx, in.Provider)
	if p == nil {
		return nil, ErrProviderNotFound.With(http.StatusNotFound)
	}
	if in.IDToken != nil {
		return c.signInWithIDToken(ctx, p, in)
	}
	url, err := c.authorize(ctx, p, flowRequest{
		flow: &oauthFlow{
			CallbackURL: in.CallbackURL, ErrorURL: in.ErrorCallbackURL, NewUserURL: in.NewUserCallbackURL,
			RequestSignUp: in.RequestSignUp, data: in.AdditionalData,
		},
		scopes: in.Scopes, loginHint: in.LoginHint, params: in.AdditionalParams, stays: in.DisableRedirect,
	})
	if err != nil {
		return nil, err
	}
	return &SignInSocialResponse{URL: url, Redirect: !in.DisableRedirect}, nil
}

// flowRequest is what a client asks of a flow.
type flowRequest struct {
	flow      *oauthFlow
	scopes    []string
	loginHint string
	params    map[string]string
	stays     bool // the client goes there by itself
}

// authorize begins a flow and returns where the browser is to go, with a Location
// unless it stays.
func (c *core) authorize(ctx context.Context, p *oauthProvider, in flowRequest) (string, error) {
	in.flow.Provider = p.ID
	setDefault(&in.flow.CallbackURL, c.siteOf(ctx).origin)
	if p.needsNonce() {
		in.flow.Nonce = newFlowToken()
	}
	if err := c.beginFlow(ctx, in.flow); err != nil {
		return "", err
	}
	url, err := p.authorizationURL(authorizationRequest{
		state: in.flow.State, codeVerifier: in.flow.CodeVerifier, nonce: in.flow.Nonce,
		redirectURI: c.redirectURI(ctx, p), scopes: in.scopes, loginHint: in.loginHint, params: in.params,
	})
	if err == nil && !in.stays {
		ExchangeFrom(ctx).Header().Set("Location", url)
	}
	return url, err
}

// signInWithIDToken signs in who an id_token is about.
func (c *core) signInWithIDToken(ctx context.Context, p *oauthProvider, in SignInSocialRequest) (*SignInSocialResponse, error) {
	who, err := c.identifyIDToken(ctx, p, in.IDToken)
	if err != nil {
		return nil, err
	}
	// What the client claims beside the token is not stored, except the access token.
	who.tokens = &OAuthTokens{AccessToken: in.IDToken.AccessToken, IDToken: in.IDToken.Token}
	outcome, err := c.signInIdentity(ctx, p, who, socialSignIn{
		callbackURL: in.CallbackURL,
		noSignUp:    p.refusesSignUp(in.RequestSignUp),
	})
	failure, ok := err.(socialError)
	if ok {
		c.event(ctx, Event{Name: EventSignInFailed, Method: methodSocial, Provider: p.ID, Reason: reasonOf(failure.code())})
	}
	switch {
	case ok && failure == failureNotVerified:
		return nil, ErrEmailNotVerified.With(http.StatusForbidden)
	case ok:
		return nil, NewError(http.StatusUnauthorized, ErrOAuthLink, string(failure))
	case err != nil || outcome.stop != nil:
		return nil, err
	}
	return &SignInSocialResponse{Token: outcome.data.Session.Token, User: c.visibleUser(outcome.data.User)}, nil
}

// refusesSignUp reports whether a flow must not make a new user.
func (p *oauthProvider) refusesSignUp(requested *bool) bool {
	return p.DisableSignUp || p.DisableImplicitSignUp && (requested == nil || !*requested)
}

// identifyIDToken checks an id_token that a client submitted and returns whom it is
// about (contract oauth section 1).
func (c *core) identifyIDToken(ctx context.Context, p *oauthProvider, in *SocialIDToken) (*identity, error) {
	if !p.takesIDTokens() {
		return nil, ErrIDTokenNotSupported.With(http.StatusNotFound)
	}
	if !p.acceptsIDToken(ctx, in.Token, in.Nonce) {
		c.event(ctx, Event{Name: EventTokenRefused, Method: methodIDToken, Provider: p.ID, Reason: "invalid"})
		return nil, ErrInvalidToken.With(http.StatusUnauthorized)
	}
	tokens := &OAuthTokens{IDToken: in.Token, AccessToken: in.AccessToken, RefreshToken: in.RefreshToken, Name: in.User.name()}
	if in.User != nil {
		tokens.Email = in.User.Email
	}
	who, err := p.identifyByIDToken(ctx, tokens)
	if err != nil {
		c.log.WarnContext(ctx, "id_token identifies nobody", "provider", p.ID, "error", err)
		c.event(ctx, Event{Name: EventTokenRefused, Method: methodIDToken, Provider: p.ID, Reason: "nobody"})
		return nil, ErrFailedToGetUserInfo.With(http.StatusUnauthorized)
	}
	if who.user.Email == "" {
		return nil, ErrUserEmailNotFound.With(http.StatusUnauthorized)
	}
	return who, nil
}
