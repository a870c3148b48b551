package main

import (
	"cmp"
	"fmt"

	"github.com/seed3b05b409/auth"
)

// A namedProvider is where people can sign in, under the name that they know it by.
type namedProvider struct {
	Name string
	auth.Provider
}

// envProviders are those that variables such as GOOGLE_CLIENT_ID and
// GOOGLE_CLIENT_SECRET turn on.
var envProviders = []struct {
	prefix, name string
	provider     func(clientID, clientSecret string) auth.Provider
}{
	{"GOOGLE", "Google", auth.Google},
	{"GITHUB", "GitHub", auth.GitHub},
	{"MICROSOFT", "Microsoft", auth.Microsoft},
	{"DISCORD", "Discord", auth.Discord},
}

// providersFromEnv returns the providers that the environment names, and with
// OIDC_ISSUER, OIDC_CLIENT_ID and OIDC_CLIENT_SECRET any OpenID provider, which
// OIDC_NAME may give a name.
func providersFromEnv(getenv func(name string) string) ([]namedProvider, error) {
	var providers []namedProvider
	for _, known := range envProviders {
		id, secret := getenv(known.prefix+"_CLIENT_ID"), getenv(known.prefix+"_CLIENT_SECRET")
		if (id == "") != (secret == "") {
			return nil, fmt.Errorf("%s_CLIENT_ID and %[1]s_CLIENT_SECRET need each other", known.prefix)
		}
		if id != "" {
			providers = append(providers, namedProvider{known.name, known.provider(id, secret)})
		}
	}
	issuer, id := getenv("OIDC_ISSUER"), getenv("OIDC_CLIENT_ID")
	if (issuer == "") != (id == "") {
		return nil, fmt.Errorf("OIDC_ISSUER and OIDC_CLIENT_ID need each other")
	}
	if issuer != "" {
		p := auth.OIDC("oidc", issuer, id, getenv("OIDC_CLIENT_SECRET")) // no secret: a public client
		providers = append(providers, namedProvider{cmp.Or(getenv("OIDC_NAME"), "OpenID"), p})
	}
	return providers, nil
}

// configsOf are the providers without their names.
func configsOf(providers []namedProvider) []auth.Provider {
	configs := make([]auth.Provider, len(providers))
	for i, p := range providers {
		configs[i] = p.Provider
	}
	return configs
}
