package conformancetest

import (
	"context"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/seed3b05b409/auth"
)

// oauthVariants have providers.
var oauthVariants = slices.Concat(oauthStateVariants, oauthUserVariants, oauthLinkVariants, oauthAccountVariants, []*variant{
	oauth("oauth", nil, nil),
	oauth("oauth-base-path", object{"baseURL": "https://auth.test/account/api"}, func(c *auth.Config, _ *ours) { c.BaseURL = "https://auth.test/account/api" }),
	oauth("oauth-dynamic", object{"baseURL": object{"allowedHosts": []string{"*.auth.test", "other.test"}, "protocol": "https"}}, func(c *auth.Config, _ *ours) {
		c.BaseURL, c.DynamicBaseURL = "", auth.DynamicBaseURL{AllowedHosts: []string{"*.auth.test", "other.test"}, Protocol: "https"}
	}).at("https://a.auth.test"),
	oauth("oauth-error-url", object{"onAPIError": object{"errorURL": "/oops?x=1#top"}}, func(c *auth.Config, _ *ours) { c.ErrorPage.URL = "/oops?x=1#top" }),
	oauth("oauth-known", object{"socialProviders": object{
		"gitlab": object{
			"disableDefaultScope": true, "scope": []string{"api", "read"}, "redirectURI": "https://elsewhere.test/back", "verifyIdToken": "$verifyIdToken",
			"mapProfileToUser": "$map", "overrideUserInfoOnSignIn": true, "disableImplicitSignUp": true,
		},
		"microsoft": object{"disableIdTokenSignIn": true, "tenantId": tenant, "prompt": "consent", "requireEmailVerification": true},
		"paybin":    object{"disableSignUp": true, "prompt": "login"},
		"github":    object{"authorizationEndpoint": providerURL + "/github/authorize", "prompt": "consent"},
		"vercel":    object{"enabled": false},
	}}, func(c *auth.Config, _ *ours) {
		lab := configured(c, "gitlab")
		lab.NoDefaultScopes, lab.Scopes, lab.RedirectURI, lab.VerifyIDToken = true, []string{"api", "read"}, "https://elsewhere.test/back", verifyIDToken
		lab.MapProfile, lab.OverrideUserInfo, lab.DisableImplicitSignUp = mapProfile, true, true
		microsoft := configured(c, "microsoft")
		microsoft.DisableIDToken, microsoft.Tenant, microsoft.RequireEmailVerification = true, tenant, true
		microsoft.Params = map[string]string{"prompt": "consent"}
		configured(c, "paybin").DisableSignUp, configured(c, "paybin").Params = true, map[string]string{"prompt": "login"}
		hub := configured(c, "github")
		hub.AuthorizationURL, hub.Params = lab.BaseURL[:len(lab.BaseURL)-len("gitlab")]+"github/authorize", map[string]string{"prompt": "consent"}
		c.Providers = slices.DeleteFunc(c.Providers, func(p auth.Provider) bool { return p.ID == "vercel" })
	}),
	oauth("oauth-limit", object{"rateLimit": object{"enabled": true}}, func(c *auth.Config, _ *ours) { c.RateLimit.Disabled = false }),
	manyProviders,
})

// oauthStateVariants differ in where the state of a flow is kept.
var oauthStateVariants = []*variant{
	oauth("oauth-cookie-state", account(object{"storeStateStrategy": "cookie"}), func(c *auth.Config, _ *ours) { c.Account.State = auth.StateInCookie }),
	oauth("oauth-any-browser", account(object{"skipStateCookieCheck": true}), func(c *auth.Config, _ *ours) { c.Account.SkipStateCookieCheck = true }),
	oauth("oauth-hashed", object{"verification": object{"storeIdentifier": "hashed"}}, func(c *auth.Config, _ *ours) { c.Verification.StoreIdentifier = auth.HashIdentifier }),
	oauth("oauth-secondary", object{"secondaryStorage": "$storage"}, func(c *auth.Config, o *ours) { c.SecondaryStorage = o.storage }),
	oauth("oauth-secondary-and-database", object{"secondaryStorage": "$storage", "session": object{"storeSessionInDatabase": true}, "verification": object{"storeInDatabase": true}}, func(c *auth.Config, o *ours) {
		c.SecondaryStorage, c.Session.StoreInDatabase, c.Verification.StoreInDatabase = o.storage, true, true
	}),
}

// oauthUserVariants differ in who may sign in and what becomes of them.
var oauthUserVariants = []*variant{
	oauth("oauth-override", everywhere(object{"overrideUserInfo": true}), providers(func(p *auth.Provider) { p.OverrideUserInfo = true })),
	oauth("oauth-no-sign-up", object{"genericOAuth": object{"plain": object{"disableSignUp": true}, "op": object{"disableImplicitSignUp": true}}}, func(c *auth.Config, _ *ours) {
		configured(c, "plain").DisableSignUp, configured(c, "op").DisableImplicitSignUp = true, true
	}),
	oauth("oauth-verified", everywhere(object{"requireEmailVerification": true}), providers(func(p *auth.Provider) { p.RequireEmailVerification = true })),
	oauth("oauth-verified-mails", merge(everywhere(object{"requireEmailVerification": true}), object{"emailVerification": object{"sendOnSignIn": true, "sendOnSignUp": false}}), func(c *auth.Config, o *ours) {
		providers(func(p *auth.Provider) { p.RequireEmailVerification = true })(c, o)
		c.EmailVerification.SendOnSignIn, c.EmailVerification.NoSendOnSignUp = true, true
	}),
	oauth("oauth-sends", object{"emailVerification": object{"sendOnSignUp": true}}, func(c *auth.Config, _ *ours) { c.EmailVerification.SendOnSignUp = true }),
	oauth("oauth-validate", object{"user": object{"validateUserInfo": "$validate"}}, func(c *auth.Config, o *ours) { c.User.ValidateInfo = o.validate }),
	oauth("oauth-fields", merge(everywhere(object{"mapProfileToUser": "$map", "overrideUserInfo": true}), object{"account": object{"accountLinking": object{"updateUserInfoOnLink": true, "requireLocalEmailVerified": false}}}), func(c *auth.Config, o *ours) {
		providers(func(p *auth.Provider) { p.MapProfile, p.OverrideUserInfo = mapProfile, true })(c, o)
		c.Account.Linking.UpdateUserInfo, c.Account.Linking.UnverifiedLocals = true, true
	}).with(fields("", []field{
		{auth.Column{Name: "tier", Type: auth.TypeString}, object{"type": "string", "required": true}},
		{auth.Column{Name: "level", Type: auth.TypeNumber, Optional: true}, object{"type": "number", "required": false}},
		{auth.Column{Name: "badge", Type: auth.TypeString, Optional: true, ServerOnly: true}, object{"type": "string", "required": false, "input": false}},
		{auth.Column{Name: "handle", Type: auth.TypeString, Optional: true, Unique: true}, object{"type": "string", "required": false, "unique": true}},
	}, nil)),
	oauth("oauth-hooks", nil, nil).with(oauthHooks),
	{
		name: "oauth-stateless", stateless: true,
		options: plainOAuth.options, config: plainOAuth.config,
	},
}

// oauthLinkVariants differ in which accounts become those of a user.
var oauthLinkVariants = []*variant{
	linking("oauth-trusted", object{"trustedProviders": []string{"plain"}}, func(l *auth.AccountLinking) { l.TrustedProviders = []string{"plain"} }),
	linking("oauth-unverified-locals", object{"requireLocalEmailVerified": false}, func(l *auth.AccountLinking) { l.UnverifiedLocals = true }),
	linking("oauth-trusted-unverified", object{"trustedProviders": []string{"plain"}, "requireLocalEmailVerified": false}, func(l *auth.AccountLinking) {
		l.TrustedProviders, l.UnverifiedLocals = []string{"plain"}, true
	}),
	linking("oauth-no-linking", object{"enabled": false, "trustedProviders": []string{"plain"}}, func(l *auth.AccountLinking) {
		l.Disabled, l.TrustedProviders = true, []string{"plain"}
	}),
	linking("oauth-no-implicit-linking", object{"disableImplicitLinking": true, "trustedProviders": []string{"plain"}}, func(l *auth.AccountLinking) {
		l.DisableImplicit, l.TrustedProviders = true, []string{"plain"}
	}),
	linking("oauth-any-email", object{"allowDifferentEmails": true}, func(l *auth.AccountLinking) { l.DifferentEmails = true }),
	linking("oauth-follow", object{"allowDifferentEmails": true, "updateUserInfoOnLink": true, "requireLocalEmailVerified": false, "allowUnlinkingAll": true}, func(l *auth.AccountLinking) {
		l.DifferentEmails, l.UpdateUserInfo, l.UnverifiedLocals = true, true, true
	}).with(&variant{config: func(c *auth.Config, _ *ours) { c.Account.AllowUnlinkingAll = true }}),
	oauth("oauth-trusted-by-request", account(object{"accountLinking": object{"trustedProviders": "$trusted", "requireLocalEmailVerified": false}}), func(c *auth.Config, _ *ours) {
		c.Account.Linking.TrustedProvidersFunc, c.Account.Linking.UnverifiedLocals = trustedByRequest, true
	}),
}

// oauthAccountVariants differ in what is kept of an account.
var oauthAccountVariants = []*variant{
	oauth("oauth-keep-tokens", account(object{"updateAccountOnSignIn": false}), func(c *auth.Config, _ *ours) { c.Account.KeepTokens = true }),
	oauth("oauth-encrypted", account(object{"encryptOAuthTokens": true}), func(c *auth.Config, _ *ours) { c.Account.EncryptTokens = true }),
	oauth("oauth-account-cookie", account(object{"storeAccountCookie": true}), func(c *auth.Config, _ *ours) { c.Account.StoreCookie = true }),
	oauth("oauth-account-cookie-cache", account(object{"storeAccountCookie": true}), func(c *auth.Config, _ *ours) { c.Account.StoreCookie = true }).
		with(cookieCache("", auth.CacheCompact)),
	oauth("oauth-sealed", account(object{"storeAccountCookie": true, "encryptOAuthTokens": true, "storeStateStrategy": "cookie"}), func(c *auth.Config, _ *ours) {
		c.Account.StoreCookie, c.Account.EncryptTokens, c.Account.State = true, true, auth.StateInCookie
	}),
	rotated,
}

// rotated seals everything under the newer of two secrets.
var rotated = &variant{
	name: "oauth-secrets", secrets: []string{newSecret},
	options: merge(plainOAuth.options, object{
		"secrets": []object{{"version": 2, "value": newSecret}, {"version": 1, "value": secret}},
		"account": object{"storeAccountCookie": true, "encryptOAuthTokens": true, "storeStateStrategy": "cookie"},
	}),
	config: func(c *auth.Config, o *ours) {
		plainOAuth.config(c, o)
		c.Secrets = []auth.Secret{{Version: 2, Value: newSecret}, {Version: 1, Value: secret}}
		c.Account.StoreCookie, c.Account.EncryptTokens, c.Account.State = true, true, auth.StateInCookie
	},
}

var plainOAuth = oauth("", nil, nil)

func trustedByRequest(ctx context.Context) []string {
	return []string{"github", auth.ExchangeFrom(ctx).RequestHeader("X-Trust")}
}

// at is the variant where clients believe to be at another site.
func (v *variant) at(site string) *variant {
	v.site = site
	return v
}

func account(options object) object { return object{"account": options} }

func linking(name string, options object, change func(*auth.AccountLinking)) *variant {
	return oauth(name, account(object{"accountLinking": options}), func(c *auth.Config, _ *ours) { change(&c.Account.Linking) })
}

// everywhere are options of op and plain.
func everywhere(options object) object {
	return object{"genericOAuth": object{"op": options, "plain": options}}
}

// providers changes op and plain.
func providers(change func(*auth.Provider)) func(*auth.Config, *ours) {
	return func(c *auth.Config, _ *ours) {
		change(configured(c, "op"))
		change(configured(c, "plain"))
	}
}

// oauth is a variant with an OpenID provider, op, one of plain OAuth, plain, and
// some that are known by name.
func oauth(name string, options object, config func(c *auth.Config, o *ours)) *variant {
	return &variant{
		name: name,
		options: merge(object{
			"genericOAuth": object{
				"op": object{
					"discoveryUrl": providerURL + "/op/.well-known/openid-configuration", "clientId": "app", "clientSecret": "app secret",
					"scopes": []string{"openid", "profile", "email"},
				},
				"plain": merge(plainOptions, object{"clientId": "app", "clientSecret": "app secret", "scopes": []string{"read"}}),
			},
			"socialProviders": object{
				"github":    object{"clientId": "hub", "clientSecret": "hub secret"},
				"gitlab":    object{"clientId": "lab", "clientSecret": "lab secret", "issuer": providerURL + "/gitlab"},
				"microsoft": object{"clientId": "app", "clientSecret": "app secret", "authority": providerURL + "/microsoft", "disableProfilePhoto": true},
				"paybin":    object{"clientId": "app", "clientSecret": "app secret", "issuer": providerURL + "/paybin"},
				"vercel":    object{"clientId": "app", "clientSecret": "app secret"},
			},
		}, options),
		config: func(c *auth.Config, o *ours) {
			c.Providers = []auth.Provider{
				auth.OIDC("op", o.provider.at("/op"), "app", "app secret"),
				o.plain("plain", func(p *auth.Provider) { p.ClientSecret, p.Scopes = "app secret", []string{"read"} }),
				auth.GitHub("hub", "hub secret"),
				o.known("gitlab", "lab"),
				o.known("microsoft", "app"),
				o.known("paybin", "app"),
				auth.BuiltinProvider("vercel", "app", "app secret"),
			}
			if config != nil {
				config(c, o)
			}
		},
	}
}

var plainOptions = object{
	"authorizationUrl": providerURL + "/plain/authorize", "tokenUrl": providerURL + "/plain/token", "userInfoUrl": providerURL + "/plain/userinfo", "clientId": "app",
}

// plain is a provider of plain OAuth.
func (o *ours) plain(id string, change func(*auth.Provider)) auth.Provider {
	p := auth.Provider{
		ID: id, ClientID: "app",
		AuthorizationURL: o.provider.at("/plain/authorize"), TokenURL: o.provider.at("/plain/token"), UserInfoURL: o.provider.at("/plain/userinfo"),
	}
	change(&p)
	return p
}

// known is a provider that is known by name, but plays at home.
func (o *ours) known(id, client string) auth.Provider {
	p := auth.BuiltinProvider(id, client, client+" secret")
	p.BaseURL, p.PhotoSize = o.provider.at("/"+id), -1
	return p
}

// configured is the provider with an id.
func configured(c *auth.Config, id string) *auth.Provider {
	i := slices.IndexFunc(c.Providers, func(p auth.Provider) bool { return p.ID == id })
	return &c.Providers[i]
}

// mapProfile makes of a profile what it says itself.
func mapProfile(_ context.Context, profile map[string]any, user *auth.ProviderUser) error {
	mapped, _ := profile["mapped"].(map[string]any)
	user.Fields = maps.Clone(mapped)
	for name, into := range map[string]*string{"name": &user.Name, "email": &user.Email, "image": &user.Image} {
		if text, ok := mapped[name].(string); ok {
			*into = text
			delete(user.Fields, name)
		}
	}
	if verified, ok := mapped["emailVerified"].(bool); ok {
		user.EmailVerified = verified
		delete(user.Fields, "emailVerified")
	}
	return nil
}

// oauthHooks are around users, sessions and accounts.
var oauthHooks = &variant{
	options: object{"databaseHooks": object{
		"user": aroundOptions("user", "name"), "session": aroundOptions("session", "userAgent"), "account": aroundOptions("account", "accessToken"),
	}},
	config: func(c *auth.Config, o *ours) {
		c.DatabaseHooks = auth.DatabaseHooks{
			User:    aroundRows(o, "user.name", func(u *auth.User) *string { return &u.Name }),
			Session: aroundRows(o, "session.userAgent", func(s *auth.Session) *string { return s.UserAgent }),
			Account: aroundRows(o, "account.accessToken", func(a *auth.Account) *string { return a.AccessToken }),
		}
	},
}

// A provided is a provider in the words of both sides.
type provided struct {
	id      string
	options object // beside those of a provider of plain OAuth
	change  func(*auth.Provider)
}

var manyProvided = []provided{
	{"public", object{}, func(*auth.Provider) {}},
	{"basic", object{"clientId": "c:i d", "clientSecret": "s!'()*~ +%é", "authentication": "basic"}, func(p *auth.Provider) {
		p.ClientID, p.ClientSecret, p.TokenAuth = "c:i d", "s!'()*~ +%é", auth.TokenAuthBasic
	}},
	{"basic-method", object{"clientSecret": "app secret", "tokenEndpointAuth": object{"method": "client_secret_basic"}, "authentication": "post"}, func(p *auth.Provider) {
		p.ClientSecret, p.TokenAuth = "app secret", auth.TokenAuthBasic
	}},
	{"no-pkce", object{"clientSecret": "app secret", "pkce": false, "redirectURI": "https://elsewhere.test/back"}, func(p *auth.Provider) {
		p.ClientSecret, p.NoPKCE, p.RedirectURI = "app secret", true, "https://elsewhere.test/back"
	}},
	{"params", object{
		"authorizationUrl": providerURL + "/plain/authorize?keep=%20x&scope=lost#frag", "prompt": "consent", "accessType": "offline", "responseMode": "query",
		"authorizationUrlParams": object{"audience": "api", "login_hint": "configured", "state": "spoofed"},
		"tokenUrlParams":         object{"audience": "api", "code": "spoofed", "tenant": "t 1"},
		"refreshTokenParams":     object{"audience": "api", "grant_type": "spoofed", "refresh_token": "spoofed"},
		"authorizationHeaders":   object{"X-Tenant": "t1"}, "accessTokenExpiresIn": 600,
	}, func(p *auth.Provider) {
		p.AuthorizationURL += "?keep=%20x&scope=lost#frag"
		p.Params = map[string]string{"audience": "api", "login_hint": "configured", "prompt": "consent", "access_type": "offline", "response_mode": "query"}
		p.TokenParams = map[string]string{"audience": "api", "code": "spoofed", "tenant": "t 1"}
		p.RefreshParams = map[string]string{"audience": "api", "grant_type": "spoofed", "refresh_token": "spoofed"}
		p.TokenHeaders, p.AccessTokenExpiresIn = map[string]string{"X-Tenant": "t1"}, 10*time.Minute
	}},
	{"initiated", object{"allowIdpInitiated": true, "scopes": []string{"a", "b"}}, func(p *auth.Provider) {
		p.AllowIdPInitiated, p.Scopes = true, []string{"a", "b"}
	}},
	{"no-info", object{"userInfoUrl": nil}, func(p *auth.Provider) { p.UserInfoURL = "" }},
	{"logout", object{"endSessionEndpoint": providerURL + "/plain/logout?a=b", "postLogoutRedirectURI": "/bye"}, func(p *auth.Provider) {
		p.EndSessionURL, p.PostLogoutRedirectURI = p.AuthorizationURL[:len(p.AuthorizationURL)-len("authorize")]+"logout?a=b", "/bye"
	}},
	{"assertion", object{"tokenEndpointAuth": object{"method": "private_key_jwt", "getClientAssertion": "$assertion"}}, func(p *auth.Provider) {
		p.TokenAuth, p.ClientAssertion = auth.TokenAuthPrivateKeyJWT, func(_ context.Context, _ string) (string, error) { return "an assertion", nil }
	}},
	{"subject", object{"accountSubject": "$subject"}, func(p *auth.Provider) { p.Subject = subject }},
	{"mapped", object{"mapProfileToUser": "$map"}, func(p *auth.Provider) { p.MapProfile = mapProfile }},
	{"own", object{"getToken": "$token", "getUserInfo": "$info", "refreshTokenParams": nil}, func(p *auth.Provider) { p.Exchange, p.Profile = ownTokens, ownProfile }},
}

func verifyIDToken(_ context.Context, token, nonce string) bool { return token == "good "+nonce }

func subject(_ *auth.OAuthTokens, profile map[string]any) (string, error) {
	subject, _ := profile["username"].(string)
	return subject, nil
}

func ownTokens(_ context.Context, in auth.CodeExchange) (*auth.OAuthTokens, error) {
	return &auth.OAuthTokens{AccessToken: "own-" + in.Code, Scopes: []string{"own"}}, nil
}

func ownProfile(_ context.Context, tokens *auth.OAuthTokens) (map[string]any, error) {
	return map[string]any{"id": "own", "email": "Own@Example.com", "emailVerified": true, "name": tokens.AccessToken}, nil
}

// manyProviders are configured in many ways.
var manyProviders = &variant{
	name:    "oauth-providers",
	options: object{"genericOAuth": manyOptions()},
	config: func(c *auth.Config, o *ours) {
		for _, one := range manyProvided {
			c.Providers = append(c.Providers, o.plain(one.id, one.change))
		}
		for _, one := range openProvided {
			p := auth.OIDC(one.id, o.provider.at("/"+one.kind()), "app", "app secret")
			one.change(&p)
			c.Providers = append(c.Providers, p)
		}
	},
}

// kind is which provider it is, op unless that has its name.
func (p provided) kind() string {
	if _, ok := documents[p.id]; ok || p.id == "down" || p.id == "guarded" {
		return p.id
	}
	if strings.HasPrefix(p.id, "down-") {
		return "down"
	}
	return "op"
}

// openProvided have a discovery document.
var openProvided = []provided{
	{"no-nonce", object{"disableIdTokenNonceBinding": true}, func(p *auth.Provider) { p.NoNonce = true }},
	{"no-logout", object{"disableProviderLogout": true}, func(p *auth.Provider) { p.DisableLogout = true }},
	{"other-urls", object{"authorizationUrl": providerURL + "/plain/authorize", "tokenUrl": providerURL + "/op/other/token"}, func(p *auth.Provider) {
		base := p.DiscoveryURL[:len(p.DiscoveryURL)-len("/op/.well-known/openid-configuration")]
		p.AuthorizationURL, p.TokenURL = base+"/plain/authorize", base+"/op/other/token"
	}},
	{"relative", object{}, func(*auth.Provider) {}},
	{"no-algs", object{}, func(*auth.Provider) {}},
	{"no-keys", object{}, func(*auth.Provider) {}},
	{"other-alg", object{}, func(*auth.Provider) {}},
	{"bad", object{}, func(*auth.Provider) {}},
	{"no-token", object{}, func(*auth.Provider) {}},
	{"names-it", object{}, func(*auth.Provider) {}},
	{"down", object{}, func(*auth.Provider) {}},
	{"down-urls", object{
		"authorizationUrl": providerURL + "/plain/authorize", "tokenUrl": providerURL + "/plain/token", "userInfoUrl": providerURL + "/plain/userinfo",
	}, func(p *auth.Provider) {
		base := p.DiscoveryURL[:len(p.DiscoveryURL)-len("/down/.well-known/openid-configuration")]
		p.AuthorizationURL, p.TokenURL, p.UserInfoURL = base+"/plain/authorize", base+"/plain/token", base+"/plain/userinfo"
	}},
	{"guarded", object{"discoveryHeaders": object{"X-Tenant": "t1"}}, func(p *auth.Provider) {
		p.DiscoveryHeaders = map[string]string{"X-Tenant": "t1"}
	}},
}

func manyOptions() object {
	options := make(object)
	for _, one := range manyProvided {
		options[one.id] = merge(plainOptions, one.options)
	}
	for _, one := range openProvided {
		options[one.id] = merge(object{
			"discoveryUrl": providerURL + "/" + one.kind() + "/.well-known/openid-configuration", "clientId": "app", "clientSecret": "app secret",
			"scopes": []string{"openid", "profile", "email"},
		}, one.options)
	}
	return options
}
