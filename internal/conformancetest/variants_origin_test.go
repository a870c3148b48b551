package conformancetest

import "github.com/seed3b05b409/auth"

// originVariants are about the origins that are trusted, and about switching the
// check of them off.
var originVariants = []*variant{
	{
		name:    "no-checks",
		options: object{"advanced": object{"disableOriginCheck": true}},
		config: func(c *auth.Config, _ *ours) {
			c.OriginCheck.DisableOriginCheck, c.OriginCheck.DisableCSRFCheck = true, true
		},
	},
	{
		name:    "no-origin-check",
		options: object{"advanced": object{"disableOriginCheck": true, "disableCSRFCheck": false}},
		config:  func(c *auth.Config, _ *ours) { c.OriginCheck.DisableOriginCheck = true },
	},
	{
		name:    "exempt-paths",
		options: object{"advanced": object{"disableOriginCheck": exemptPaths}},
		config:  func(c *auth.Config, _ *ours) { c.OriginCheck.ExemptPaths = exemptPaths },
	},
	{
		name:    "exempt-paths-no-csrf-check",
		options: object{"advanced": object{"disableOriginCheck": exemptPaths, "disableCSRFCheck": true}},
		config: func(c *auth.Config, _ *ours) {
			c.OriginCheck.ExemptPaths, c.OriginCheck.DisableCSRFCheck = exemptPaths, true
		},
	},
	{
		name:    "origins-function",
		options: object{"trustedOrigins": "$origins"},
		config:  func(c *auth.Config, _ *ours) { c.TrustedOriginsFunc = tenantOrigins },
	},
	{
		name:    "origin-patterns",
		options: object{"trustedOrigins": originPatterns},
		config:  func(c *auth.Config, _ *ours) { c.TrustedOrigins = originPatterns },
	},
}

var exemptPaths = []string{"/sign-in", "/update-user", "/verify-email"}

// originPatterns has one of each form.
var originPatterns = []string{
	"https://exact.test", "http://port.test:8080", "*.hosts.test", "*.hosts-port.test:8443", "localhost:*",
	"https://*.wild.test", "https://*.wild-port.test:8443", "https://?.single.test", "192.168.*.*",
	"myapp://", "other.app://callback", "deep.app://host/path", "exp://*.exp.test/*",
}
