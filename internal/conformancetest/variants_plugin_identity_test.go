package conformancetest

import (
	"context"
	"errors"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/seed3b05b409/auth"
)

// identityPluginVariants have sign-in by username or by links in mails.
var identityPluginVariants = slices.Concat(usernameVariants, magicLinkVariants)

var usernameVariants = []*variant{
	username("username", object{}, auth.Username{}),
	username("username-rules", object{
		"minUsernameLength": 5, "maxUsernameLength": 10, "usernameValidator": "$username valid", "displayUsernameValidator": "$display valid",
	}, auth.Username{MinLength: 5, MaxLength: 10, Validate: wordlike, ValidateDisplay: withoutDigits}),
	username("username-normalized", object{
		"usernameNormalization": "$username dashes", "usernameValidator": "$username valid",
		"displayUsernameNormalization": "$display tidy", "displayUsernameValidator": "$display valid",
		"validationOrder": object{"username": "post-normalization", "displayUsername": "post-normalization"},
	}, auth.Username{
		Normalize: dashes, Validate: wordlike, NormalizeDisplay: tidy, ValidateDisplay: withoutDigits,
		ValidateNormalized: true, ValidateNormalizedDisplay: true,
	}),
	username("username-normalized-later", object{
		"usernameValidator": "$username lower only", "displayUsernameNormalization": "$display tidy", "displayUsernameValidator": "$display valid",
		"validationOrder": object{"username": "pre-normalization", "displayUsername": "pre-normalization"},
	}, auth.Username{Validate: lowerOnly, NormalizeDisplay: tidy, ValidateDisplay: withoutDigits}),
	username("username-as-typed", object{"usernameNormalization": false}, auth.Username{NoNormalization: true}),
	username("username-no-display", object{"displayUsername": false}, auth.Username{NoDisplayUsername: true}),
	username("username-immutable", object{"immutableUsername": true}, auth.Username{Immutable: true}),
	username("username-immutable-cache", object{"immutableUsername": true}, auth.Username{Immutable: true}).with(cookieCache("", auth.CacheCompact)),
	username("username-verification", object{}, auth.Username{}).with(&variant{
		options: object{"emailAndPassword": object{"requireEmailVerification": true}, "emailVerification": object{"sendOnSignIn": true}},
		config: func(c *auth.Config, _ *ours) {
			c.EmailPassword.RequireEmailVerification, c.EmailVerification.SendOnSignIn = true, true
		},
	}),
	username("username-verification-quiet", object{}, auth.Username{}).with(&variant{
		options: object{"emailAndPassword": object{"requireEmailVerification": true}},
		config:  func(c *auth.Config, _ *ours) { c.EmailPassword.RequireEmailVerification = true },
	}),
	username("username-hidden-users", object{}, auth.Username{}).with(&variant{
		options: object{"emailAndPassword": object{"autoSignIn": false}},
		config:  func(c *auth.Config, _ *ours) { c.EmailPassword.NoAutoSignIn = true },
	}),
	username("username-renamed", object{"schema": object{"user": object{"fields": object{"username": "login", "displayUsername": "shown_as"}}}}, auth.Username{}).with(&variant{
		naming: []auth.Naming{auth.Rename(map[string]string{"user.username": "login", "user.displayUsername": "shown_as"})},
	}),
	username("username-long-passwords", object{}, auth.Username{}).with(&variant{
		options: object{"emailAndPassword": object{"maxPasswordLength": 20}},
		config:  func(c *auth.Config, _ *ours) { c.EmailPassword.MaxLength = 20 },
	}),
	username("username-no-passwords", object{}, auth.Username{}).with(&variant{
		options: object{"emailAndPassword": object{"enabled": false}},
		config:  func(c *auth.Config, _ *ours) { c.EmailPassword.Enabled = false },
	}),
	username("username-hooks", object{}, auth.Username{}).with(hooked),
	username("username-cache", object{}, auth.Username{}).with(cookieCache("", auth.CacheJWT)),
	username("username-secondary", object{}, auth.Username{}).with(secondary("", object{}, func(*auth.Config) {})),
	username("username-base-path", object{}, auth.Username{}).with(&variant{
		options: object{"baseURL": "https://auth.test/account/api", "trustedOrigins": []string{"https://app.test"}},
		config: func(c *auth.Config, _ *ours) {
			c.BaseURL, c.TrustedOrigins = "https://auth.test/account/api", []string{"https://app.test"}
		},
	}),
	username("username-limit", object{}, auth.Username{}).with(limited),
	oauth("username-oauth", object{"genericOAuth": object{"plain": object{"mapProfileToUser": "$map", "overrideUserInfo": true}}}, func(c *auth.Config, _ *ours) {
		plain := configured(c, "plain")
		plain.MapProfile, plain.OverrideUserInfo = mapProfile, true
	}).with(username("", object{"displayUsernameValidator": "$display valid"}, auth.Username{ValidateDisplay: withoutDigits})),
}

// hooked has the hooks that headers and texts of rows tell what to do.
var hooked = &variant{
	options: object{"hooks": object{"before": "$before", "after": "$after"}, "databaseHooks": object{
		"user": aroundOptions("user", "name"), "session": aroundOptions("session", "userAgent"),
	}},
	config: func(c *auth.Config, o *ours) {
		c.Hooks = auth.Hooks{Before: before, After: o.after}
		c.DatabaseHooks.User = aroundRows(o, "user.name", func(u *auth.User) *string { return &u.Name })
		c.DatabaseHooks.Session = aroundRows(o, "session.userAgent", func(s *auth.Session) *string { return s.UserAgent })
	},
}

// username has the plugin with options of both sides.
func username(name string, options object, plugin auth.Username) *variant {
	return &variant{
		name:    name,
		options: object{"plugins": [][]any{{"username", options}}},
		config: func(c *auth.Config, _ *ours) {
			own := plugin // of one instance
			c.Plugins = []auth.Plugin{&own}
		},
	}
}

var wordlike = regexp.MustCompile(`^[\p{L}-]+$`).MatchString

func dashes(name string) string { return strings.ReplaceAll(strings.ToLower(name), "_", "-") }

func lowerOnly(name string) bool { return name == strings.ToLower(name) }

func withoutDigits(name string) bool { return !strings.ContainsAny(name, "0123456789") }

func tidy(name string) string { return strings.ReplaceAll(strings.TrimSpace(name), "0", "o") }

var magicLinkVariants = []*variant{
	magicLink("magic", object{}, auth.MagicLink{}),
	magicLink("magic-hashed", object{"storeToken": "hashed"}, auth.MagicLink{StoreToken: auth.HashIdentifier}),
	magicLink("magic-own", object{
		"generateToken": "$magic token", "storeToken": object{"type": "custom-hasher", "hash": "$magic hash"}, "expiresIn": 600,
	}, auth.MagicLink{GenerateToken: tokenOf, StoreToken: kept, ExpiresIn: 10 * time.Minute}),
	magicLink("magic-no-sign-up", object{"disableSignUp": true}, auth.MagicLink{DisableSignUp: true}),
	magicLink("magic-validate", object{}, auth.MagicLink{}).with(&variant{
		options: object{"user": object{"validateUserInfo": "$validate"}},
		config:  func(c *auth.Config, o *ours) { c.User.ValidateInfo = o.validate },
	}),
	magicLink("magic-hooks", object{}, auth.MagicLink{}).with(hooked),
	magicLink("magic-fields", object{}, auth.MagicLink{}).with(fields("", guardedFields, guardedFields)),
	magicLink("magic-required-fields", object{}, auth.MagicLink{}).with(fields("", requiredFields, nil)),
	magicLink("magic-cache", object{}, auth.MagicLink{}).with(cookieCache("", auth.CacheCompact)),
	magicLink("magic-secondary", object{}, auth.MagicLink{}).with(secondary("", object{}, func(*auth.Config) {})),
	magicLink("magic-secondary-hashed", object{"storeToken": "hashed"}, auth.MagicLink{StoreToken: auth.HashIdentifier}).
		with(secondary("", object{"session": object{"storeSessionInDatabase": true}, "verification": object{"storeInDatabase": true, "storeIdentifier": "hashed"}}, func(c *auth.Config) {
			c.Session.StoreInDatabase = true
			c.Verification = auth.VerificationOptions{StoreInDatabase: true, StoreIdentifier: auth.HashIdentifier}
		})),
	magicLink("magic-base-path", object{}, auth.MagicLink{}).with(&variant{
		options: object{"baseURL": "https://auth.test/account/api", "trustedOrigins": []string{"https://app.test", "myapp://"}},
		config: func(c *auth.Config, _ *ours) {
			c.BaseURL, c.TrustedOrigins = "https://auth.test/account/api", []string{"https://app.test", "myapp://"}
		},
	}),
	magicLink("magic-root", object{}, auth.MagicLink{}).with(&variant{
		options: object{"basePath": "/"},
		config:  func(c *auth.Config, _ *ours) { c.BasePath = "/" },
	}),
	magicLink("magic-no-origin-check", object{}, auth.MagicLink{}).with(&variant{
		options: object{"advanced": object{"disableOriginCheck": true, "disableCSRFCheck": true}},
		config: func(c *auth.Config, _ *ours) {
			c.OriginCheck.DisableCSRFCheck, c.OriginCheck.DisableOriginCheck = true, true
		},
	}),
	magicLink("magic-serial", object{}, auth.MagicLink{}).with(&variant{
		options: object{"advanced": object{"database": object{"generateId": "serial"}}},
		config:  func(c *auth.Config, _ *ours) { c.IDs = auth.IDSerial },
	}),
	magicLink("magic-limit", object{}, auth.MagicLink{}).with(limited),
	magicLink("magic-own-limit", object{"rateLimit": object{"window": 100, "max": 2}}, auth.MagicLink{
		RateLimit: auth.RateRule{Window: 100 * time.Second, Max: 2},
	}).with(limited),
	magicLink("magic-overridden-limit", object{"rateLimit": object{"max": 2}}, auth.MagicLink{RateLimit: auth.RateRule{Max: 2}}).with(&variant{
		options: object{"rateLimit": object{"enabled": true, "storage": "memory", "customRules": object{"/sign-in/magic-link": object{"window": 60, "max": 1}}}},
		config: func(c *auth.Config, _ *ours) {
			c.RateLimit = auth.RateLimit{Rules: map[string]auth.RateRule{"/sign-in/magic-link": {Window: time.Minute, Max: 1}}}
		},
	}),
}

// magicLink has the plugin with options of both sides beside the sender of mails.
func magicLink(name string, options object, plugin auth.MagicLink) *variant {
	return &variant{
		name:    name,
		options: object{"plugins": [][]any{{"magicLink", merge(object{"sendMagicLink": "$magic mail"}, options)}}},
		config: func(c *auth.Config, o *ours) {
			own := plugin
			own.Send = o.magicMail
			c.Plugins = []auth.Plugin{&own}
		},
	}
}

// magicMail records a link. An address may be one whose mail fails.
func (o *ours) magicMail(_ context.Context, m auth.MagicLinkMail) error {
	var metadata any // null if there is none
	if m.Metadata != nil {
		metadata = m.Metadata
	}
	o.tell("mail magic link", "to", m.Email, "url", m.URL, "token", m.Token, "metadata", metadata)
	switch {
	case strings.HasPrefix(m.Email, "failing"):
		return errors.New("the mail server is down")
	case strings.HasPrefix(m.Email, "refused"):
		return auth.NewError(403, "NO_MAILS", "No mails for you")
	}
	return nil
}

func tokenOf(_ context.Context, email string) (string, error) { return "token-of-" + email, nil }

func kept(token string) string {
	letters := []rune(token)
	slices.Reverse(letters)
	return "kept-" + string(letters)
}
