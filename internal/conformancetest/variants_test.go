package conformancetest

import (
	"maps"
	"net/http"
	"path"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/seed3b05b409/auth"
	"golang.org/x/text/unicode/norm"
)

// A variant is a configuration, in the words of both sides.
type variant struct {
	name      string
	options   map[string]any // of the original, beside the common ones; plugins are pairs of name and options
	config    func(c *auth.Config, o *ours)
	site      string   // where clients believe to be, if that is not the common base URL
	secrets   []string // other than the common one, the current one first
	stateless bool     // no database
	naming    []auth.Naming

	prepare sync.Once
	empty   []byte // a database with its tables

	describe sync.Once
	document *document // of this library
}

type object = map[string]any

const (
	baseURL = "http://auth.test"
	secret  = "a secret for tests, 32 bytes long"

	newSecret = "the secret that takes over from it"
)

// variants are all of them; * stands for the common ones.
var (
	variants       = slices.Concat(commonVariants, rareVariants)
	commonVariants = slices.Concat(mainVariants, sessionVariants, emailVariants, deploymentVariants)
	rareVariants   = slices.Concat(signVariants, fieldVariants, copyVariants, originVariants, optionVariants, hookVariants, orderVariants, callbackVariants, oauthVariants, pluginVariants)

	// pluginVariants are those with plugins.
	pluginVariants = slices.Concat(sessionsPluginVariants, identityPluginVariants, emailOtpPluginVariants, twoFactorPluginVariants, jwtPluginVariants, openAPIVariants, probePluginVariants)
)

// mainVariants are about signing up.
var mainVariants = []*variant{
	{name: "default"},
	{
		name:    "require-verification",
		options: object{"emailAndPassword": object{"requireEmailVerification": true}},
		config:  func(c *auth.Config, _ *ours) { c.EmailPassword.RequireEmailVerification = true },
	},
	{
		name:    "no-auto-sign-in",
		options: object{"emailAndPassword": object{"autoSignIn": false}},
		config:  func(c *auth.Config, _ *ours) { c.EmailPassword.NoAutoSignIn = true },
	},
	{
		name:    "no-passwords",
		options: object{"emailAndPassword": object{"enabled": false, "sendResetPassword": nil}, "emailVerification": nil},
		config: func(c *auth.Config, _ *ours) {
			c.EmailPassword, c.EmailVerification = auth.EmailPassword{}, auth.EmailVerification{}
		},
	},
	{
		name:    "no-sign-up",
		options: object{"emailAndPassword": object{"disableSignUp": true}},
		config:  func(c *auth.Config, _ *ours) { c.EmailPassword.DisableSignUp = true },
	},
	{
		name:    "scrypt",
		options: object{"emailAndPassword": object{"password": nil}},
		config:  func(c *auth.Config, _ *ours) { c.Passwords = auth.Passwords{Normalize: norm.NFKC.String} },
	},
	{
		name:    "long-passwords",
		options: object{"emailAndPassword": object{"minPasswordLength": 12, "maxPasswordLength": 20}},
		config:  func(c *auth.Config, _ *ours) { c.EmailPassword.MinLength, c.EmailPassword.MaxLength = 12, 20 },
	},
}

// sessionVariants are about where and how long sessions are kept.
var sessionVariants = []*variant{
	cookieCache("cache-compact", auth.CacheCompact),
	cookieCache("cache-jwt", auth.CacheJWT),
	cookieCache("cache-jwe", auth.CacheJWE),
	{
		name:    "cache-version",
		options: object{"session": object{"cookieCache": object{"enabled": true, "version": "2", "maxAge": 60}}},
		config: func(c *auth.Config, _ *ours) {
			c.Session.CookieCache = auth.CookieCache{Enabled: true, Version: "2", MaxAge: time.Minute}
		},
	},
	{
		name:    "refresh-always",
		options: object{"session": object{"updateAge": 0, "expiresIn": 3600}},
		config:  func(c *auth.Config, _ *ours) { c.Session.RefreshAlways, c.Session.ExpiresIn = true, time.Hour },
	},
	{
		name:    "refresh-never",
		options: object{"session": object{"disableSessionRefresh": true, "freshAge": 0}},
		config:  func(c *auth.Config, _ *ours) { c.Session.NeverRefresh, c.Session.AlwaysFresh = true, true },
	},
	{
		name:    "refresh-deferred",
		options: object{"session": object{"deferSessionRefresh": true}},
		config:  func(c *auth.Config, _ *ours) { c.Session.DeferRefresh = true },
	},
	secondary("secondary", object{}, func(*auth.Config) {}),
	secondary("secondary-and-database", object{"session": object{"storeSessionInDatabase": true}, "verification": object{"storeInDatabase": true}}, func(c *auth.Config) {
		c.Session.StoreInDatabase, c.Verification.StoreInDatabase = true, true
	}),
	secondary("secondary-preserve", object{"session": object{"storeSessionInDatabase": true, "preserveSessionInDatabase": true}}, func(c *auth.Config) {
		c.Session.StoreInDatabase, c.Session.PreserveInDatabase = true, true
	}),
	{name: "stateless", stateless: true},
}

func cookieCache(name string, strategy auth.CacheStrategy) *variant {
	return &variant{
		name:    name,
		options: object{"session": object{"cookieCache": object{"enabled": true, "strategy": string(strategy)}}},
		config: func(c *auth.Config, _ *ours) {
			c.Session.CookieCache = auth.CookieCache{Enabled: true, Strategy: strategy}
		},
	}
}

func secondary(name string, options object, config func(*auth.Config)) *variant {
	return &variant{
		name:    name,
		options: merge(object{"secondaryStorage": "$storage"}, options),
		config: func(c *auth.Config, o *ours) {
			c.SecondaryStorage = o.storage
			config(c)
		},
	}
}

// emailVariants are about mails and what their links do.
var emailVariants = []*variant{
	{
		name:    "verification-signs-in",
		options: object{"emailVerification": object{"sendOnSignUp": true, "sendOnSignIn": true, "autoSignInAfterVerification": true}},
		config: func(c *auth.Config, _ *ours) {
			c.EmailVerification.SendOnSignUp, c.EmailVerification.SendOnSignIn, c.EmailVerification.AutoSignIn = true, true, true
		},
	},
	{
		name:    "reset-revokes",
		options: object{"emailAndPassword": object{"revokeSessionsOnPasswordReset": true, "resetPasswordTokenExpiresIn": 600}},
		config: func(c *auth.Config, _ *ours) {
			c.EmailPassword.RevokeSessionsOnPasswordReset, c.EmailPassword.ResetPasswordExpiresIn = true, 10*time.Minute
		},
	},
	{
		name:    "email-change-at-once",
		options: object{"user": object{"changeEmail": object{"updateEmailWithoutVerification": true, "sendChangeEmailConfirmation": nil}}},
		config: func(c *auth.Config, _ *ours) {
			c.User.ChangeEmail.WithoutVerification, c.User.ChangeEmail.SendConfirmation = true, nil
		},
	},
	{
		name:    "no-user-changes",
		options: object{"user": nil, "emailVerification": nil, "emailAndPassword": object{"sendResetPassword": nil}},
		config: func(c *auth.Config, _ *ours) {
			c.User, c.EmailVerification, c.EmailPassword.SendResetPassword = auth.UserOptions{}, auth.EmailVerification{}, nil
		},
	},
	{
		name:    "delete-by-mail",
		options: object{"user": object{"deleteUser": object{"sendDeleteAccountVerification": "$mail deletion"}}},
		config:  func(c *auth.Config, o *ours) { c.User.Delete.SendVerification = o.mail("deletion") },
	},
}

// deploymentVariants are about where a server is and what protects it.
var deploymentVariants = []*variant{
	{
		name:    "https",
		options: object{"baseURL": "https://auth.test"},
		config:  func(c *auth.Config, _ *ours) { c.BaseURL = "https://auth.test" },
	},
	{
		name:    "base-path",
		options: object{"baseURL": "http://auth.test/account/api"},
		config:  func(c *auth.Config, _ *ours) { c.BaseURL = "http://auth.test/account/api" },
	},
	{
		name: "cross-subdomain",
		options: object{
			"baseURL": "https://auth.example.com", "trustedOrigins": []string{"https://*.example.com", "myapp://"},
			"advanced": object{"crossSubDomainCookies": object{"enabled": true, "domain": "example.com"}},
		},
		config: func(c *auth.Config, _ *ours) {
			c.BaseURL, c.TrustedOrigins = "https://auth.example.com", []string{"https://*.example.com", "myapp://"}
			c.Cookies.CrossSubDomain, c.Cookies.Domain = true, "example.com"
		},
	},
	{
		name: "cookies",
		options: object{"advanced": object{
			"cookiePrefix": "my", "useSecureCookies": true,
			"defaultCookieAttributes": object{"sameSite": "none", "partitioned": true},
			"cookies":                 object{"session_token": object{"name": "sid", "attributes": object{"path": "/app"}}},
		}},
		config: func(c *auth.Config, _ *ours) {
			c.Cookies = auth.Cookies{
				Prefix: "my", AlwaysSecure: true,
				Default:      auth.CookieAttributes{SameSite: http.SameSiteNoneMode, Partitioned: true},
				SessionToken: auth.CookieOverride{Name: "sid", CookieAttributes: auth.CookieAttributes{Path: "/app"}},
			}
		},
	},
	{
		name:    "no-csrf-check",
		options: object{"advanced": object{"disableCSRFCheck": true}},
		config:  func(c *auth.Config, _ *ours) { c.OriginCheck.DisableCSRFCheck = true },
	},
	{
		name:    "paths",
		options: object{"disabledPaths": []string{"/sign-out", "/update-user"}, "advanced": object{"skipTrailingSlashes": true}},
		config: func(c *auth.Config, _ *ours) {
			c.DisabledPaths, c.SkipTrailingSlashes = []string{"/sign-out", "/update-user"}, true
		},
	},
	{
		name: "secrets", secrets: []string{newSecret},
		options: object{"secrets": []object{{"version": 2, "value": newSecret}, {"version": 1, "value": secret}}, "session": object{"cookieCache": object{"enabled": true, "strategy": "jwe"}}},
		config: func(c *auth.Config, _ *ours) {
			c.Secrets = []auth.Secret{{Version: 2, Value: newSecret}, {Version: 1, Value: secret}}
			c.Session.CookieCache = auth.CookieCache{Enabled: true, Strategy: auth.CacheJWE}
		},
	},
	{
		name:    "uuid",
		options: object{"advanced": object{"database": object{"generateId": "uuid"}}},
		config:  func(c *auth.Config, _ *ours) { c.IDs = auth.IDUUID },
	},
	{
		name:    "serial",
		options: object{"advanced": object{"database": object{"generateId": "serial"}}},
		config:  func(c *auth.Config, _ *ours) { c.IDs = auth.IDSerial },
	},
	rateLimit("limit-memory", object{"storage": "memory"}, func(*auth.Config, *ours) {}),
	rateLimit("limit-database", object{"storage": "database"}, func(c *auth.Config, _ *ours) { c.RateLimit.StoreInDatabase = true }),
	rateLimit("limit-secondary", object{"storage": "secondary-storage"}, func(c *auth.Config, o *ours) {
		c.SecondaryStorage, c.Session.StoreInDatabase, c.Verification.StoreInDatabase = o.storage, true, true
	}),
}

// rateLimit has a rule for each kind of path.
func rateLimit(name string, options object, config func(*auth.Config, *ours)) *variant {
	all := object{"rateLimit": merge(object{
		"enabled": true, "window": 60, "max": 5,
		"customRules": object{"/ok": object{"window": 3600, "max": 2}, "/list-*": object{"window": 60, "max": 1}, "/get-session": false},
	}, options)}
	if options["storage"] == "secondary-storage" {
		all = merge(all, object{
			"secondaryStorage": "$storage", "session": object{"storeSessionInDatabase": true}, "verification": object{"storeInDatabase": true},
		})
	}
	return &variant{
		name:    name,
		options: all,
		config: func(c *auth.Config, o *ours) {
			c.RateLimit = auth.RateLimit{Window: time.Minute, Max: 5, Rules: map[string]auth.RateRule{
				"/ok": {Window: time.Hour, Max: 2}, "/list-*": {Window: time.Minute, Max: 1}, "/get-session": {Unlimited: true},
			}}
			config(c, o)
		},
	}
}

// originalOptions are what the original is configured with.
func (v *variant) originalOptions() object {
	return merge(object{
		"baseURL": baseURL,
		"secret":  secret,
		"emailAndPassword": object{
			"enabled": true, "sendResetPassword": "$mail reset",
			"password": object{"hash": "$hash", "verify": "$verify"},
		},
		"emailVerification": object{"sendVerificationEmail": "$mail verification"},
		"user": object{
			"changeEmail": object{"enabled": true, "sendChangeEmailConfirmation": "$mail confirmation"},
			"deleteUser":  object{"enabled": true},
		},
		"rateLimit": object{"enabled": false},
	}, v.options)
}

// configuration is what this library is configured with.
func (v *variant) configuration(o *ours) auth.Config {
	c := auth.Config{
		BaseURL:           baseURL,
		Secret:            secret,
		EmailPassword:     auth.EmailPassword{Enabled: true, SendResetPassword: o.mail("reset")},
		EmailVerification: auth.EmailVerification{Send: o.mail("verification")},
		User: auth.UserOptions{
			ChangeEmail: auth.ChangeEmail{Enabled: true, SendConfirmation: o.mail("confirmation")},
			Delete:      auth.DeleteUser{Enabled: true},
		},
		Passwords: auth.Passwords{Hasher: plainHasher{}},
		RateLimit: auth.RateLimit{Disabled: true},
	}
	if v.config != nil {
		v.config(&c, o)
	}
	return c
}

// merge adds the members of one tree to another. A nil removes one.
func merge(into, from object) object {
	merged := maps.Clone(into)
	for key, value := range from {
		branch, ok := value.(object)
		existing, both := merged[key].(object)
		switch {
		case value == nil:
			delete(merged, key)
		case ok && both:
			merged[key] = merge(existing, branch)
		default:
			merged[key] = value
		}
	}
	return merged
}

// together is merge for options that are merged once more: what is taken away stays
// so.
func together(into, from object) object {
	merged := maps.Clone(into)
	for key, value := range from {
		branch, ok := value.(object)
		if existing, both := merged[key].(object); ok && both {
			value = together(existing, branch)
		}
		merged[key] = value
	}
	return merged
}

// base is the URL that both sides believe in.
func (v *variant) base() string {
	if v.site != "" {
		return v.site
	}
	return v.originalOptions()["baseURL"].(string)
}

// keys are the secrets that sign, the current one first.
func (v *variant) keys() []string {
	return append(slices.Clone(v.secrets), secret)
}

// strategy is the form of copies of sessions.
func (v *variant) strategy() auth.CacheStrategy {
	session, _ := v.options["session"].(object)
	cache, _ := session["cookieCache"].(object)
	if strategy, ok := cache["strategy"].(string); ok {
		return auth.CacheStrategy(strategy)
	}
	if v.stateless {
		return auth.CacheJWE
	}
	return auth.CacheCompact
}

// matches reports whether one of the patterns stands for the variant, and none
// with an exclamation mark.
func (v *variant) matches(patterns []string) (matches bool) {
	for _, pattern := range patterns {
		pattern, excludes := strings.CutPrefix(pattern, "!")
		matched, err := path.Match(pattern, v.name)
		if pattern == "*" {
			matched = slices.Contains(commonVariants, v)
		}
		if matched && err == nil {
			if excludes {
				return false
			}
			matches = true
		}
	}
	return matches
}

// known reports whether a pattern stands for a variant.
func known(pattern string) bool {
	pattern = strings.TrimPrefix(pattern, "!")
	return slices.ContainsFunc(variants, func(v *variant) bool { return v.matches([]string{pattern}) })
}
