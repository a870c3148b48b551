package oauthtest

import (
	"time"

	"github.com/seed3b05b409/auth/internal/testnode"
)

// The settings of both sides.

var signUpDisabled = setting{
	provider: map[string]any{"disableImplicitSignUp": true},
}

var stateInCookie = setting{
	options: map[string]any{"account": map[string]any{"storeStateStrategy": "cookie"}},
}

// linking is a setting of the original's accountLinking.
func linking(options map[string]any) setting {
	return setting{options: map[string]any{"account": map[string]any{"accountLinking": options}}}
}

var (
	differentEmails   = linking(map[string]any{"allowDifferentEmails": true})
	trustedProvider   = linking(map[string]any{"trustedProviders": []string{"op"}})
	noImplicitLinking = linking(map[string]any{"disableImplicitLinking": true})
	noLinking         = linking(map[string]any{"enabled": false})
	localUnverified   = linking(map[string]any{"requireLocalEmailVerified": false})
)

var formPost = setting{provider: map[string]any{"responseMode": "form_post"}}

var encrypted = setting{options: map[string]any{"account": map[string]any{"encryptOAuthTokens": true}}}

var accountCookie = setting{options: map[string]any{"account": map[string]any{"storeAccountCookie": true}}}

// shortLived makes access tokens that are about to expire when they are made.
func shortLived(s setting) setting {
	s.openID.AccessTokenLifetime = 4 * time.Second
	return s
}

var postLogout = setting{openID: testnode.OpenIDOptions{PostLogoutRedirectURIs: []string{baseURL + "/bye"}}}

var noLogout = setting{provider: map[string]any{"disableProviderLogout": true}}

// clientMethods are the ways in which a client authenticates at the token
// endpoint.
var clientMethods = []struct {
	name         string
	setting      setting
	works        bool
	header, body bool // where the secret is
}{
	{"post", setting{provider: map[string]any{"authentication": "post"}}, true, false, true},
	{"basic", setting{provider: map[string]any{"clientId": "app-basic", "clientSecret": "app-basic-secret", "authentication": "basic"}}, true, true, false},
	{"none", setting{provider: map[string]any{"clientId": "app-public", "clientSecret": nil}}, true, false, false},
	{"wrong secret", setting{provider: map[string]any{"clientSecret": "guessed"}}, false, false, true},
}
