package conformancetest

import (
	"time"

	"github.com/seed3b05b409/auth"
)

// copyVariants combine copies of sessions with other ways of keeping them, and
// say how the client of a session is found.
var copyVariants = []*variant{
	{
		name:    "copies-deferred",
		options: object{"session": object{"cookieCache": object{"enabled": true}, "deferSessionRefresh": true}},
		config: func(c *auth.Config, _ *ours) {
			c.Session.CookieCache, c.Session.DeferRefresh = auth.CookieCache{Enabled: true}, true
		},
	},
	{
		name:    "copies-always",
		options: object{"session": object{"cookieCache": object{"enabled": true, "strategy": "jwt"}, "updateAge": 0}},
		config: func(c *auth.Config, _ *ours) {
			c.Session.CookieCache, c.Session.RefreshAlways = auth.CookieCache{Enabled: true, Strategy: auth.CacheJWT}, true
		},
	},
	{
		name: "copies-subdomain",
		options: object{
			"baseURL": "https://auth.example.com", "session": object{"cookieCache": object{"enabled": true}},
			"advanced": object{"crossSubDomainCookies": object{"enabled": true, "domain": "example.com"}},
		},
		config: func(c *auth.Config, _ *ours) {
			c.BaseURL, c.Cookies.CrossSubDomain, c.Cookies.Domain = "https://auth.example.com", true, "example.com"
			c.Session.CookieCache.Enabled = true
		},
	},
	{
		name:    "copies-secondary",
		options: object{"secondaryStorage": "$storage", "session": object{"cookieCache": object{"enabled": true}}},
		config: func(c *auth.Config, o *ours) {
			c.SecondaryStorage, c.Session.CookieCache.Enabled = o.storage, true
		},
	},
	{
		name: "stateless-renewing", stateless: true,
		options: object{"session": object{"cookieCache": object{"enabled": true, "maxAge": 600, "strategy": "jwt", "refreshCache": object{"updateAge": 300}}}},
		config: func(c *auth.Config, _ *ours) {
			c.Session.CookieCache = auth.CookieCache{Enabled: true, MaxAge: 10 * time.Minute, Strategy: auth.CacheJWT, RenewAge: 5 * time.Minute}
		},
	},
	{
		name: "stateless-kept", stateless: true,
		options: object{"session": object{"cookieCache": object{"enabled": true, "maxAge": 600, "strategy": "compact", "refreshCache": false}}},
		config: func(c *auth.Config, _ *ours) {
			c.Session.CookieCache = auth.CookieCache{Enabled: true, MaxAge: 10 * time.Minute, Strategy: auth.CacheCompact, NeverRenew: true}
		},
	},
	{
		name:    "address-proxies",
		options: object{"advanced": object{"ipAddress": object{"trustedProxies": []string{"127.0.0.1", "10.0.0.0/8", "2001:db8::/32"}}}},
		config: func(c *auth.Config, _ *ours) {
			c.ClientAddress.TrustedProxies = []string{"127.0.0.1", "10.0.0.0/8", "2001:db8::/32"}
		},
	},
	{
		name:    "address-headers",
		options: object{"advanced": object{"ipAddress": object{"ipAddressHeaders": []string{"x-client-ip", "x-forwarded-for"}, "ipv6Subnet": 48}}},
		config: func(c *auth.Config, _ *ours) {
			c.ClientAddress.Headers, c.ClientAddress.IPv6Subnet = []string{"X-Client-Ip", "X-Forwarded-For"}, 48
		},
	},
	{
		name:    "address-none",
		options: object{"advanced": object{"ipAddress": object{"disableIpTracking": true}}},
		config:  func(c *auth.Config, _ *ours) { c.ClientAddress.Disabled = true },
	},
}
