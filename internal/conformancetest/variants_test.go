package conformancetest

import (
	"maps"
	"path"
	"slices"
	"sync"

	"github.com/seed3b05b409/auth"
)

// A variant is a configuration, in the words of both sides.
type variant struct {
	name      string
	options   map[string]any // of the original, beside the common ones
	config    func(c *auth.Config, o *ours)
	secrets   []string // other than the common one, the current one first
	stateless bool     // no database
	naming    []auth.Naming

	prepare sync.Once
	empty   []byte // a database with its tables
}

type object = map[string]any

const (
	baseURL = "http://auth.test"
	secret  = "a secret for tests, 32 bytes long"
)

// variants are all of them.
var variants = []*variant{
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
	cookieCache("cache-compact", auth.CacheCompact),
	cookieCache("cache-jwt", auth.CacheJWT),
	cookieCache("cache-jwe", auth.CacheJWE),
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

// base is the URL that both sides believe in.
func (v *variant) base() string {
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

// matches reports whether one of the patterns stands for the variant.
func (v *variant) matches(patterns []string) bool {
	return slices.ContainsFunc(patterns, func(pattern string) bool {
		matched, err := path.Match(pattern, v.name)
		return matched && err == nil
	})
}

// known reports whether a pattern stands for a variant.
func known(pattern string) bool {
	return slices.ContainsFunc(variants, func(v *variant) bool { return v.matches([]string{pattern}) })
}
