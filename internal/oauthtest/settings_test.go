package oauthtest

import (
	"time"

	"github.com/seed3b05b409/auth"
	"github.com/seed3b05b409/auth/internal/testnode"
)

// The settings of both sides.

// accountSetting is one of both sides' account options.
func accountSetting(options map[string]any, change func(o *auth.AccountOptions)) setting {
	return setting{
		options: map[string]any{"account": options},
		config:  func(c *auth.Config) { change(&c.Account) },
	}
}

// linking is a setting of both sides' account linking.
func linking(options map[string]any, change func(l *auth.AccountLinking)) setting {
	return accountSetting(map[string]any{"accountLinking": options}, func(o *auth.AccountOptions) { change(&o.Linking) })
}

// each is a setting of both providers.
func each(options map[string]any, change func(p *auth.Provider)) setting {
	return setting{provider: options, config: func(c *auth.Config) {
		for i := range c.Providers {
			change(&c.Providers[i])
		}
	}}
}

var (
	differentEmails = linking(map[string]any{"allowDifferentEmails": true},
		func(l *auth.AccountLinking) { l.DifferentEmails = true })
	trustedProvider = linking(map[string]any{"trustedProviders": []string{"op"}},
		func(l *auth.AccountLinking) { l.TrustedProviders = []string{"op"} })
	noImplicitLinking = linking(map[string]any{"disableImplicitLinking": true},
		func(l *auth.AccountLinking) { l.DisableImplicit = true })
	noLinking = linking(map[string]any{"enabled": false},
		func(l *auth.AccountLinking) { l.Disabled = true })
	localUnverified = linking(map[string]any{"requireLocalEmailVerified": false},
		func(l *auth.AccountLinking) { l.UnverifiedLocals = true })

	stateInCookie = accountSetting(map[string]any{"storeStateStrategy": "cookie"},
		func(o *auth.AccountOptions) { o.State = auth.StateInCookie })
	encrypted = accountSetting(map[string]any{"encryptOAuthTokens": true},
		func(o *auth.AccountOptions) { o.EncryptTokens = true })
	accountCookie = accountSetting(map[string]any{"storeAccountCookie": true},
		func(o *auth.AccountOptions) { o.StoreCookie = true })

	signUpDisabled = each(map[string]any{"disableImplicitSignUp": true},
		func(p *auth.Provider) { p.DisableImplicitSignUp = true })
	formPost = each(map[string]any{"responseMode": "form_post"},
		func(p *auth.Provider) { p.Params = map[string]string{"response_mode": "form_post"} })
	noLogout = each(map[string]any{"disableProviderLogout": true},
		func(p *auth.Provider) { p.DisableLogout = true })

	overrides = each(map[string]any{"overrideUserInfo": true},
		func(p *auth.Provider) { p.OverrideUserInfo = true })
	verifiedOnly = each(map[string]any{"requireEmailVerification": true},
		func(p *auth.Provider) { p.RequireEmailVerification = true })
	idpInitiated = each(map[string]any{"allowIdpInitiated": true},
		func(p *auth.Provider) { p.AllowIdPInitiated = true })

	keepTokens = accountSetting(map[string]any{"updateAccountOnSignIn": false},
		func(o *auth.AccountOptions) { o.KeepTokens = true })
	anyBrowser = accountSetting(map[string]any{"skipStateCookieCheck": true},
		func(o *auth.AccountOptions) { o.SkipStateCookieCheck = true })
	updatesOnLink = linking(map[string]any{"updateUserInfoOnLink": true},
		func(l *auth.AccountLinking) { l.UpdateUserInfo = true })
	hashedStates = setting{
		options: map[string]any{"verification": map[string]any{"storeIdentifier": "hashed"}},
		config:  func(c *auth.Config) { c.Verification.StoreIdentifier = auth.HashIdentifier },
	}

	postLogout = setting{openID: testnode.OpenIDOptions{PostLogoutRedirectURIs: []string{baseURL + "/bye"}}}
)

// shortLived makes access tokens that are about to expire when they are made.
func shortLived(s setting) setting {
	s.openID.AccessTokenLifetime = 4 * time.Second
	return s
}

// rotated is another setting after a rotation of the secret.
func rotated(s setting) setting {
	const current = "another secret for tests, 32 bytes"
	before := s.config
	return setting{
		options: merge(s.options, map[string]any{"secrets": []map[string]any{{"version": 2, "value": current}}}),
		config: func(c *auth.Config) {
			before(c)
			c.Secrets = []auth.Secret{{Version: 2, Value: current}}
		},
	}
}

// client is a setting of how the provider's clients authenticate.
func client(id, secret, authentication string, method auth.TokenAuth) setting {
	options := map[string]any{"clientId": id, "clientSecret": secret, "authentication": authentication}
	if secret == "" {
		options = map[string]any{"clientId": id, "clientSecret": nil}
	}
	return each(options, func(p *auth.Provider) { p.ClientID, p.ClientSecret, p.TokenAuth = id, secret, method })
}

// clientMethods are the ways in which a client authenticates at the token
// endpoint.
var clientMethods = []struct {
	name         string
	setting      setting
	works        bool
	header, body bool // where the secret is
}{
	{"post", client("app", "app-secret", "post", auth.TokenAuthPost), true, false, true},
	{"basic", client("app-basic", "app-basic-secret", "basic", auth.TokenAuthBasic), true, true, false},
	{"none", client("app-public", "", "", auth.TokenAuthNone), true, false, false},
	{"default with a secret", client("app", "app-secret", "post", ""), true, false, true},
	{"default without", client("app-public", "", "", ""), true, false, false},
	{"wrong secret", client("app", "guessed", "post", ""), false, false, true},
}
