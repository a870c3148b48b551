package conformancetest

import (
	"context"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/seed3b05b409/auth"
)

// A plugged is a plugin in the words of both sides.
type plugged struct {
	name    string // that of the original
	options object
	plugin  func(o *ours) auth.Plugin
}

// withPlugins is a variant with plugins in an order.
func withPlugins(name string, plugins ...plugged) *variant {
	var options [][]any
	for _, p := range plugins {
		options = append(options, []any{p.name, p.options})
	}
	return &variant{
		name:    name,
		options: object{"plugins": options},
		config: func(c *auth.Config, o *ours) {
			for _, p := range plugins {
				c.Plugins = append(c.Plugins, p.plugin(o))
			}
		},
	}
}

var (
	bearer = plugged{"bearer", object{}, func(*ours) auth.Plugin { return &auth.Bearer{} }}
	multi  = plugged{"multiSession", object{}, func(*ours) auth.Plugin { return &auth.MultiSession{} }}
	ott    = plugged{"oneTimeToken", object{}, func(*ours) auth.Plugin { return &auth.OneTimeToken{} }}

	ottHeader = plugged{"oneTimeToken", object{"setOttHeaderOnNewSession": true}, func(*ours) auth.Plugin {
		return &auth.OneTimeToken{SendOnNewSession: true}
	}}
)

// sessionsPluginVariants are about plugins that carry sessions elsewhere.
var sessionsPluginVariants = slices.Concat(bearerVariants, multiSessionVariants, oneTimeTokenVariants, sessionsOrderVariants)

var bearerVariants = []*variant{
	withPlugins("bearer", bearer),
	withPlugins("bearer-signed", plugged{"bearer", object{"requireSignature": true}, func(*ours) auth.Plugin {
		return &auth.Bearer{RequireSignature: true}
	}}),
	withPlugins("bearer-cache", bearer).with(cookieCache("", auth.CacheCompact)),
	withPlugins("bearer-secondary", bearer).with(secondary("", object{}, func(*auth.Config) {})),
	withPlugins("bearer-https", bearer).with(secured),
	withPlugins("bearer-cookies", bearer).with(capitals),
	withPlugins("bearer-refresh", bearer).with(alwaysRefreshed),
	withoutDatabase(withPlugins("bearer-stateless", bearer)),
	withPlugins("bearer-limits", bearer).with(countedRequests),
	withPlugins("bearer-subdomains", bearer).with(&variant{
		options: object{"advanced": object{"crossSubDomainCookies": object{"enabled": true, "domain": "auth.test"}}},
		config:  func(c *auth.Config, _ *ours) { c.Cookies.CrossSubDomain, c.Cookies.Domain = true, "auth.test" },
	}),
}

var multiSessionVariants = []*variant{
	withPlugins("multi", multi),
	withPlugins("multi-two", plugged{"multiSession", object{"maximumSessions": 2}, func(*ours) auth.Plugin {
		return &auth.MultiSession{MaximumSessions: 2}
	}}),
	withPlugins("multi-cache", multi).with(cookieCache("", auth.CacheCompact)),
	withPlugins("multi-secondary", multi).with(secondary("", object{}, func(*auth.Config) {})),
	withPlugins("multi-https", multi).with(secured),
	withPlugins("multi-cookies", multi).with(capitals),
	withPlugins("multi-refresh", multi).with(alwaysRefreshed),
	withPlugins("multi-hidden", multi).with(hidden),
	withoutDatabase(withPlugins("multi-stateless", multi)),
	withPlugins("multi-limits", multi).with(countedRequests),
}

var oneTimeTokenVariants = []*variant{
	withPlugins("ott", ott),
	withPlugins("ott-header", ottHeader),
	withPlugins("ott-hashed", plugged{"oneTimeToken", object{"storeToken": "hashed"}, func(*ours) auth.Plugin {
		return &auth.OneTimeToken{StoreToken: auth.HashIdentifier}
	}}),
	withPlugins("ott-custom", plugged{
		"oneTimeToken", object{"generateToken": "$ott", "storeToken": object{"type": "custom-hasher", "hash": "$reversed"}, "setOttHeaderOnNewSession": true},
		func(o *ours) auth.Plugin {
			return &auth.OneTimeToken{NewToken: o.oneTimeToken, StoreToken: reversed, SendOnNewSession: true}
		},
	}),
	withPlugins("ott-short", plugged{"oneTimeToken", object{"expiresIn": 60, "disableSetSessionCookie": true}, func(*ours) auth.Plugin {
		return &auth.OneTimeToken{ExpiresIn: time.Hour, DisableSessionCookie: true}
	}}),
	withPlugins("ott-server", plugged{"oneTimeToken", object{"disableClientRequest": true}, func(*ours) auth.Plugin {
		return &auth.OneTimeToken{DisableClientRequest: true}
	}}),
	withPlugins("ott-hashed-identifiers", ott).with(&variant{
		options: object{"verification": object{"storeIdentifier": "hashed"}},
		config:  func(c *auth.Config, _ *ours) { c.Verification.StoreIdentifier = auth.HashIdentifier },
	}),
	withPlugins("ott-secondary", ottHeader).with(secondary("", object{}, func(*auth.Config) {})),
	withPlugins("ott-cache", ottHeader).with(cookieCache("", auth.CacheCompact)),
	withPlugins("ott-hidden", ott).with(hidden),
	withoutDatabase(withPlugins("ott-stateless", ott)),
	withPlugins("ott-limits", ott).with(countedRequests),
}

// sessionsOrderVariants have all three, in every order.
var sessionsOrderVariants = []*variant{
	withPlugins("sessions-bearer-multi-ott", bearer, multi, ottHeader),
	withPlugins("sessions-bearer-ott-multi", bearer, ottHeader, multi),
	withPlugins("sessions-multi-bearer-ott", multi, bearer, ottHeader),
	withPlugins("sessions-multi-ott-bearer", multi, ottHeader, bearer),
	withPlugins("sessions-ott-bearer-multi", ottHeader, bearer, multi),
	withPlugins("sessions-ott-multi-bearer", ottHeader, multi, bearer),
}

var (
	secured = &variant{
		options: object{"baseURL": "https://auth.test"},
		config:  func(c *auth.Config, _ *ours) { c.BaseURL = "https://auth.test" },
	}
	capitals = &variant{
		options: object{"advanced": object{
			"cookiePrefix": "My", "defaultCookieAttributes": object{"sameSite": "strict", "path": "/api"},
		}},
		config: func(c *auth.Config, _ *ours) {
			c.Cookies.Prefix = "My"
			c.Cookies.Default = auth.CookieAttributes{SameSite: http.SameSiteStrictMode, Path: "/api"}
		},
	}
	alwaysRefreshed = &variant{
		options: object{"session": object{"updateAge": 0}},
		config:  func(c *auth.Config, _ *ours) { c.Session.RefreshAlways = true },
	}
	countedRequests = rateLimit("", object{"storage": "memory"}, func(*auth.Config, *ours) {})
	hidden          = fields("", guardedFields, plainFields)
)

func withoutDatabase(v *variant) *variant {
	v.stateless = true
	return v
}

// oneTimeToken makes tokens that a case can guess.
func (o *ours) oneTimeToken(_ context.Context, data *auth.SessionData) (string, error) {
	o.tell("one-time token", "email", data.User.Email, "token", data.Session.Token)
	return strings.Repeat(data.User.Name+"-", 3), nil
}

func reversed(text string) string {
	letters := []rune(text)
	slices.Reverse(letters)
	return string(letters)
}
