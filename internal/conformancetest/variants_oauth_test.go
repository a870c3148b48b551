package conformancetest

import (
	"slices"

	"github.com/seed3b05b409/auth"
)

// oauthVariants have providers.
var oauthVariants = []*variant{
	oauth("oauth", nil, nil),
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
					"scopes": []string{"openid", "email", "profile"},
				},
				"plain": object{
					"authorizationUrl": providerURL + "/plain/authorize", "tokenUrl": providerURL + "/plain/token", "userInfoUrl": providerURL + "/plain/userinfo",
					"clientId": "app", "clientSecret": "app secret", "scopes": []string{"read"},
				},
			},
			"socialProviders": object{"github": object{"clientId": "hub", "clientSecret": "hub secret"}},
		}, options),
		config: func(c *auth.Config, o *ours) {
			c.Providers = []auth.Provider{
				auth.OIDC("op", o.provider.at("/op"), "app", "app secret"),
				{
					ID: "plain", AuthorizationURL: o.provider.at("/plain/authorize"), TokenURL: o.provider.at("/plain/token"), UserInfoURL: o.provider.at("/plain/userinfo"),
					ClientID: "app", ClientSecret: "app secret", Scopes: []string{"read"},
				},
				auth.BuiltinProvider("github", "hub", "hub secret"),
			}
			if config != nil {
				config(c, o)
			}
		},
	}
}

// configured is the provider with an id.
func configured(c *auth.Config, id string) *auth.Provider {
	i := slices.IndexFunc(c.Providers, func(p auth.Provider) bool { return p.ID == id })
	return &c.Providers[i]
}
