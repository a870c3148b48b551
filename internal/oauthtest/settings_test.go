package oauthtest

// The settings of both sides.

var signUpDisabled = setting{
	provider: map[string]any{"disableImplicitSignUp": true},
}

var stateInCookie = setting{
	options: map[string]any{"account": map[string]any{"storeStateStrategy": "cookie"}},
}

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
