package auth

import (
	"context"
	"fmt"
	"slices"
	"strconv"
	"strings"
)

// A knownProvider is a row of the table of providers: what distinguishes one from
// any other OAuth 2.0 server (contract sections 10.1, 10.2 and 11). In URLs {base}
// and {tenant} stand for Provider.BaseURL and Provider.Tenant, {host} for the former
// without its scheme, {environment} for the value of environments.
type knownProvider struct {
	id           string
	base, tenant string            // defaults
	environments map[string]string // by Provider.Environment

	authorization, token, userInfo string

	clientParam  string // the name of client_id, if it has another
	scopes       []string
	separator    string // between scopes; default: a space
	ignoreScopes bool   // there is no scope parameter
	requestFirst bool   // the scopes of the request stand before those of the configuration

	params       map[string]string // of the authorization URL, unless Provider.Params has them
	fixed        map[string]string // that nothing overrides
	loginHint    bool              // login_hint is forwarded
	ignoreParams bool              // additionalParams of the request are not
	plain        bool              // no PKCE
	needsSecret  bool

	auth          TokenAuth         // default: by the secret
	refreshAuth   TokenAuth         // default: auth
	tokenHeaders  map[string]string // of requests to the token endpoint
	deviceID      bool              // the code exchange repeats the device_id of the callback
	refreshScopes bool              // a refresh names the scopes
	noRefresh     bool
	okErrors      bool // a refused grant comes with status 200

	// Where the profile comes from: the claims of the id_token if idTokenProfile is
	// set, else userInfo. member is the path of the profile in what that answers.
	idTokenProfile bool
	userInfoPost   bool              // POST without a body
	userInfoHeader map[string]string // beside Authorization
	member         string

	// Paths into the profile, see lookup.
	subject, name, email, image, verified string

	needsEmail  bool   // users without an address are refused as if they were none
	placeholder string // path of what makes up an address for users without one

	// Quirks, all optional.
	check     func(p *Provider) error                                                                       // of the configuration
	idToken   func(p *oauthProvider) *idTokenRules                                                          // of tokens that clients submit
	verify    func(ctx context.Context, p *oauthProvider, token, nonce string) error                        // of such tokens, instead of rules
	opaque    bool                                                                                          // such a token may also be none that can be verified here
	authorize func(p *oauthProvider, in authorizationRequest, params []param) (endpoint string, _ []param)  // the parameters as they are sent
	exchange  func(ctx context.Context, p *oauthProvider, in CodeExchange) (*OAuthTokens, error)            // instead of the usual request
	refresh   func(ctx context.Context, p *oauthProvider, refreshToken string) (*OAuthTokens, error)        // instead of the usual request
	profile   func(ctx context.Context, p *oauthProvider, tokens *OAuthTokens) (map[string]any, error)      // instead of idTokenProfile and userInfo
	admits    func(p *oauthProvider, reply map[string]any) bool                                             // whether what was answered tells of a user who may sign in
	guard     func(ctx context.Context, p *oauthProvider, tokens *OAuthTokens) (ok bool, err error)         // before Provider.Profile
	user      func(p *oauthProvider, tokens *OAuthTokens, profile map[string]any, user *ProviderUser) error // after the paths
}

// BuiltinProvider returns the provider with an id of the original's, such as
// "github" or "kakao"; docs/providers.md lists them with their peculiarities.
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
	environment := k.environments[p.Environment]
	base, tenant := p.BaseURL, p.Tenant
	setDefault(&base, strings.ReplaceAll(k.base, "{environment}", environment))
	setDefault(&tenant, k.tenant)
	base = strings.TrimRight(base, "/")
	host := strings.TrimPrefix(strings.TrimPrefix(base, "https://"), "http://")
	return strings.NewReplacer(
		"{base}", base, "{host}", host, "{tenant}", tenant, "{environment}", environment,
	).Replace(url)
}

// clientID is the parameter that names the client.
func (k *knownProvider) clientID(p *oauthProvider) param {
	if k == nil || k.clientParam == "" {
		return param{"client_id", p.ClientID}
	}
	return param{k.clientParam, p.ClientID}
}

// joinScopes is a space-separated list (RFC 6749 section 3.3) almost everywhere.
func (k *knownProvider) joinScopes(scopes []string) string {
	if k == nil || k.separator == "" {
		return strings.Join(scopes, " ")
	}
	return strings.Join(scopes, k.separator)
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
	if object, _ := value.(map[string]any); object[path] != nil {
		return object[path] // claims that are named by a URL have dots
	}
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

// profileIn finds the profile in an answer. Errors: errNoUser.
func (k *knownProvider) profileIn(p *oauthProvider, reply map[string]any) (map[string]any, error) {
	if reply == nil || k.admits != nil && !k.admits(p, reply) {
		return nil, errNoUser
	}
	if k.member == "" {
		return reply, nil
	}
	profile, _ := lookup(reply, k.member).(map[string]any)
	if profile == nil {
		return nil, errNoUser
	}
	return profile, nil
}

// userOf maps a profile. Nobody has a number for an address.
func (k *knownProvider) userOf(p *oauthProvider, tokens *OAuthTokens, profile map[string]any) (ProviderUser, error) {
	email, _ := lookup(profile, k.email).(string)
	user := ProviderUser{
		Name:          lookupText(profile, k.name),
		Email:         email,
		Image:         lookupText(profile, k.image),
		EmailVerified: profileBool(lookup(profile, k.verified)),
	}
	if user.Email != "" && user.Email == tokens.confirmedEmail {
		user.EmailVerified = true
	}
	if k.user == nil {
		return user, nil
	}
	return user, k.user(p, tokens, profile, &user)
}

// addPlaceholder makes up an address that belongs to nobody (RFC 2606). Errors:
// errNoUser, and an address that is none.
func (k *knownProvider) addPlaceholder(profile map[string]any, user *ProviderUser) error {
	switch {
	case user.Email != "":
		return nil
	case k.needsEmail:
		return errNoUser
	case k.placeholder == "":
		return nil
	}
	user.EmailVerified = false
	user.Email = lookupText(profile, k.placeholder) + "@" + k.id + ".placeholder.invalid"
	if !emailSyntax.MatchString(user.Email) {
		return fmt.Errorf("auth: provider %s: no address can be made of its profile", k.id)
	}
	return nil
}
