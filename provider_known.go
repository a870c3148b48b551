package auth

import (
	"context"
	"fmt"
	"slices"
	"strconv"
	"strings"
)

// A knownProvider is a row of the table of providers: what distinguishes one from
// any other OAuth 2.0 server (contract sections 10.1 and 10.2). In URLs {base} and
// {tenant} stand for Provider.BaseURL and Provider.Tenant.
type knownProvider struct {
	id           string
	base, tenant string // defaults

	authorization, token, userInfo string

	scopes       []string
	ignoreScopes bool // there is no scope parameter
	requestFirst bool // the scopes of the request stand before those of the configuration

	params       map[string]string // of the authorization URL, unless Provider.Params has them
	fixed        map[string]string // that nothing overrides
	loginHint    bool              // login_hint is forwarded
	ignoreParams bool              // additionalParams of the request are not
	plain        bool              // no PKCE challenge
	needsSecret  bool

	auth         TokenAuth         // default: by the secret
	refreshAuth  TokenAuth         // default: auth
	tokenHeaders map[string]string // of the code exchange
	noRefresh    bool
	okErrors     bool // a refused grant comes with status 200

	// Where the profile comes from: the claims of the id_token if idTokenProfile is
	// set, else userInfo.
	idTokenProfile bool
	userInfoPost   bool              // POST without a body
	userInfoHeader map[string]string // beside Authorization

	// Paths into the profile, see lookup.
	subject, name, email, image, verified string

	placeholder string // path of what makes up an address for users without one

	// Quirks, all optional.
	check     func(p *Provider) error                                                                       // of the configuration
	idToken   func(p *oauthProvider) *idTokenRules                                                          // of tokens that clients submit
	opaque    bool                                                                                          // such a token may also be none that can be verified here
	authorize func(p *oauthProvider, in authorizationRequest, params []param) (endpoint string, _ []param)  // the parameters as they are sent
	exchange  func(ctx context.Context, p *oauthProvider, in CodeExchange) (*OAuthTokens, error)            // instead of the usual request
	refresh   func(ctx context.Context, p *oauthProvider, refreshToken string) (*OAuthTokens, error)        // instead of the usual request
	profile   func(ctx context.Context, p *oauthProvider, tokens *OAuthTokens) (map[string]any, error)      // instead of idTokenProfile and userInfo
	guard     func(ctx context.Context, p *oauthProvider, tokens *OAuthTokens) (ok bool, err error)         // before Provider.Profile
	user      func(p *oauthProvider, tokens *OAuthTokens, profile map[string]any, user *ProviderUser) error // after the paths
}

// knownProviders is the table, in the order of their ids.
var knownProviders = []knownProvider{
	{
		id:            "github",
		authorization: "https://github.com/login/oauth/authorize",
		token:         "https://github.com/login/oauth/access_token",
		userInfo:      "https://api.github.com/user",
	},
}

// BuiltinProvider returns the provider with an id of the original's, such as
// "github" or "kakao"; docs/social-sign-in.md lists them with their peculiarities.
// New reports an id that is none.
func BuiltinProvider(id, clientID, clientSecret string) Provider {
	p := Provider{ID: id, ClientID: clientID, ClientSecret: clientSecret, known: &knownProvider{}}
	if i := slices.IndexFunc(knownProviders, func(k knownProvider) bool { return k.id == id }); i >= 0 {
		p.known = &knownProviders[i]
	}
	return p
}

// expand fills a URL of the table.
func (k *knownProvider) expand(url string, p *Provider) string {
	base, tenant := p.BaseURL, p.Tenant
	setDefault(&base, k.base)
	setDefault(&tenant, k.tenant)
	return strings.NewReplacer("{base}", strings.TrimRight(base, "/"), "{tenant}", tenant).Replace(url)
}

// lookup returns the first value that is there and not empty among alternatives,
// which are separated by "|": members of members by ".", the elements of an array
// by their number.
func lookup(profile map[string]any, path string) any {
	if path == "" {
		return nil
	}
	for alternative := range strings.SplitSeq(path, "|") {
		if value := lookupOne(profile, alternative); truthy(value) {
			return value
		}
	}
	return nil
}

func lookupOne(value any, path string) any {
	for name := range strings.SplitSeq(path, ".") {
		switch v := value.(type) {
		case map[string]any:
			value = v[name]
		case []any:
			i, err := strconv.Atoi(name)
			if err != nil || i < 0 || i >= len(v) {
				return nil
			}
			value = v[i]
		default:
			return nil
		}
	}
	return value
}

// lookupText is lookup for what is to be a text; a number becomes one.
func lookupText(profile map[string]any, path string) string {
	text, _ := profileText(lookup(profile, path))
	return text
}

// profileText returns a text, or a number as JavaScript writes it.
func profileText(value any) (string, bool) {
	switch v := value.(type) {
	case string:
		return v, true
	case float64:
		text, err := appendJSONFloat(nil, v)
		return string(text), err == nil
	}
	return "", false
}

// profileBool reads a boolean that some providers send as a text.
func profileBool(value any) bool { return value == true || value == "true" }

// userOf maps a profile.
func (k *knownProvider) userOf(p *oauthProvider, tokens *OAuthTokens, profile map[string]any) (ProviderUser, error) {
	user := ProviderUser{
		Name:          lookupText(profile, k.name),
		Email:         lookupText(profile, k.email),
		Image:         lookupText(profile, k.image),
		EmailVerified: profileBool(lookup(profile, k.verified)),
	}
	if k.user == nil {
		return user, nil
	}
	return user, k.user(p, tokens, profile, &user)
}

// addPlaceholder makes up an address that belongs to nobody (RFC 2606).
func (k *knownProvider) addPlaceholder(profile map[string]any, user *ProviderUser) error {
	if k.placeholder == "" || user.Email != "" {
		return nil
	}
	user.EmailVerified = false
	user.Email = lookupText(profile, k.placeholder) + "@" + k.id + ".placeholder.invalid"
	if !emailSyntax.MatchString(user.Email) {
		return fmt.Errorf("auth: provider %s: no address can be made of its profile", k.id)
	}
	return nil
}
