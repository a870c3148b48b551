package interoptest

import (
	"context"
	"strings"

	"github.com/seed3b05b409/auth"
)

// plugged has all plugins, and passwords that cost nothing.
var plugged = &variant{name: "plugins", options: pluginOptions(nil), config: cheapPasswords, plugins: allPlugins}

var pluggedUUIDs = &variant{
	name:    "plugins, uuid",
	options: merge(plugged.options, uuids.options),
	config:  func(c *auth.Config) { cheapPasswords(c); uuids.config(c) },
	plugins: allPlugins,
}

var pluggedSerials = &variant{
	name:    "plugins, serial",
	options: merge(plugged.options, serials.options),
	config:  func(c *auth.Config) { cheapPasswords(c); serials.config(c) },
	plugins: allPlugins,
}

// pluggedRenamed has other names for all that plugins add.
var pluggedRenamed = &variant{
	name: "plugins, renamed",
	options: pluginOptions(map[string]map[string]any{
		"username": {"user": map[string]any{"fields": map[string]any{"username": "login", "displayUsername": "shown as"}}},
		"twoFactor": {
			"user": map[string]any{"fields": map[string]any{"twoFactorEnabled": "has_second_factor"}},
			"twoFactor": map[string]any{"modelName": "second_factors", "fields": map[string]any{
				"secret": "seed", "backupCodes": "backup_codes", "userId": "owner", "verified": "proven",
				"failedVerificationCount": "failures", "lockedUntil": "locked_until",
			}},
		},
		"jwt": {"jwks": map[string]any{"modelName": "signing_keys", "fields": map[string]any{
			"publicKey": "public_key", "privateKey": "private_key", "createdAt": "made", "expiresAt": "until", "alg": "algorithm", "crv": "curve",
		}}},
	}),
	config:  cheapPasswords,
	plugins: allPlugins,
	naming: []auth.Naming{auth.Rename(map[string]string{
		"user.username": "login", "user.displayUsername": "shown as", "user.twoFactorEnabled": "has_second_factor",
		"twoFactor": "second_factors", "twoFactor.secret": "seed", "twoFactor.backupCodes": "backup_codes", "twoFactor.userId": "owner",
		"twoFactor.verified": "proven", "twoFactor.failedVerificationCount": "failures", "twoFactor.lockedUntil": "locked_until",
		"jwks": "signing_keys", "jwks.publicKey": "public_key", "jwks.privateKey": "private_key", "jwks.createdAt": "made",
		"jwks.expiresAt": "until", "jwks.alg": "algorithm", "jwks.crv": "curve",
	})},
}

// signedCopies keeps copies of sessions in cookies, signed with keys of the plugin
// jwt.
var signedCopies = &variant{
	name: "signed copies",
	options: map[string]any{
		"plugins": [][]any{{"jwt", map[string]any{"sessionCookieCache": true}}},
		"session": map[string]any{"cookieCache": map[string]any{"enabled": true, "strategy": "jwt"}},
	},
	config: func(c *auth.Config) {
		c.Session.CookieCache = auth.CookieCache{Enabled: true, Strategy: auth.CacheJWT}
	},
	plugins: func(*outbox) []auth.Plugin { return []auth.Plugin{&auth.JWT{SessionCookieCache: true}} },
}

// pluginOptions configure the original with all plugins, and with other names in
// the database for some of them.
func pluginOptions(schema map[string]map[string]any) map[string]any {
	var plugins [][]any
	for _, p := range []struct {
		name    string
		options map[string]any
	}{
		{"username", map[string]any{}},
		{"magicLink", map[string]any{"sendMagicLink": "$magic link"}},
		{"emailOTP", map[string]any{"sendVerificationOTP": "$email OTP", "changeEmail": map[string]any{"enabled": true}}},
		{"twoFactor", map[string]any{"otpOptions": map[string]any{"sendOTP": "$second factor"}}},
		{"jwt", map[string]any{}},
		{"multiSession", map[string]any{}},
		{"oneTimeToken", map[string]any{}},
		{"bearer", map[string]any{}},
	} {
		if names := schema[p.name]; names != nil {
			p.options["schema"] = names
		}
		plugins = append(plugins, []any{p.name, p.options})
	}
	return map[string]any{
		"plugins":          plugins,
		"emailAndPassword": map[string]any{"password": map[string]any{"hash": "$hash", "verify": "$verify"}},
	}
}

func allPlugins(mails *outbox) []auth.Plugin {
	return []auth.Plugin{
		&auth.Username{},
		&auth.MagicLink{Send: func(_ context.Context, m auth.MagicLinkMail) error {
			mails.add(mail{Kind: "magic link", To: m.Email, URL: m.URL, Token: m.Token})
			return nil
		}},
		&auth.EmailOTP{
			Send: func(_ context.Context, m auth.OTPMail) error {
				mails.add(mail{Kind: string(m.Type), To: m.Email, Token: m.Code})
				return nil
			},
			EmailChange: auth.OTPEmailChange{Enabled: true},
		},
		&auth.TwoFactor{OTP: auth.TwoFactorOTPOptions{Send: func(_ context.Context, user *auth.User, code string) error {
			mails.add(mail{Kind: "second factor", To: user.Email, Token: code})
			return nil
		}}},
		&auth.JWT{},
		&auth.MultiSession{},
		&auth.OneTimeToken{},
		&auth.Bearer{},
	}
}

func cheapPasswords(c *auth.Config) { c.Passwords = auth.Passwords{Hasher: plainHasher{}} }

// plainHasher is what the original is configured with too.
type plainHasher struct{}

func (plainHasher) Hash(_ context.Context, password string) (string, error) {
	return "of " + password, nil
}

func (plainHasher) Verify(_ context.Context, hash, password string) (bool, error) {
	return strings.TrimPrefix(hash, "of ") == password, nil
}
