package conformancetest

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"sync/atomic"
	"time"

	"github.com/seed3b05b409/auth"
)

var twoFactorPluginVariants = []*variant{
	twoFactor("two-factor", object{"issuer": "My App"}, func(p *auth.TwoFactor, _ *ours) { p.Issuer = "My App" }),
	twoFactor("two-factor-plain", object{"otpOptions": nil}, func(p *auth.TwoFactor, _ *ours) { p.OTP.Send = nil }).with(&variant{
		options: object{"appName": "The Site"},
		config:  func(c *auth.Config, _ *ours) { c.AppName = "The Site" },
	}),
	twoFactor("two-factor-skip", object{"skipVerificationOnEnable": true}, func(p *auth.TwoFactor, _ *ours) { p.SkipVerificationOnEnable = true }),
	twoFactor("two-factor-ages", object{"twoFactorCookieMaxAge": 60, "trustDeviceMaxAge": 7200}, func(p *auth.TwoFactor, _ *ours) {
		p.CookieMaxAge, p.TrustDeviceMaxAge = time.Minute, 2*time.Hour
	}),

	twoFactor("two-factor-passwordless", object{"allowPasswordless": true}, func(p *auth.TwoFactor, _ *ours) { p.AllowPasswordless = true }),
	twoFactor("two-factor-passwordless-strict", object{
		"allowPasswordless": true, "totpOptions": object{"allowPasswordless": false}, "backupCodeOptions": object{"allowPasswordless": false},
	}, func(p *auth.TwoFactor, _ *ours) {
		p.AllowPasswordless, p.TOTP.Password, p.BackupCodes.Password = true, auth.PasswordAlways, auth.PasswordAlways
	}),
	twoFactor("two-factor-passwordless-loose", object{
		"totpOptions": object{"allowPasswordless": true}, "backupCodeOptions": object{"allowPasswordless": true},
	}, func(p *auth.TwoFactor, _ *ours) {
		p.TOTP.Password, p.BackupCodes.Password = auth.PasswordIfAny, auth.PasswordIfAny
	}),

	twoFactor("two-factor-totp", object{"totpOptions": object{"digits": 8, "period": 60}}, func(p *auth.TwoFactor, _ *ours) {
		p.TOTP.Digits, p.TOTP.Period = 8, time.Minute
	}),
	twoFactor("two-factor-no-totp", object{"totpOptions": object{"disable": true}}, func(p *auth.TwoFactor, _ *ours) { p.TOTP.Disable = true }),

	twoFactorOTP("two-factor-otp", object{"digits": 8, "period": 10, "allowedAttempts": 2}, func(o *auth.TwoFactorOTPOptions) {
		o.Digits, o.Period, o.AllowedAttempts = 8, 10*time.Minute, 2
	}),
	twoFactorOTP("two-factor-otp-hashed", object{"storeOTP": "hashed"}, func(o *auth.TwoFactorOTPOptions) { o.Storage.Form = auth.HashedOTP }),
	twoFactorOTP("two-factor-otp-encrypted", object{"storeOTP": "encrypted"}, func(o *auth.TwoFactorOTPOptions) { o.Storage.Form = auth.EncryptedOTP }),
	twoFactorOTP("two-factor-otp-own-hash", object{"storeOTP": object{"hash": "$2fa hash"}}, func(o *auth.TwoFactorOTPOptions) {
		o.Storage = auth.OTPStorage{Hash: func(_ context.Context, code string) (string, error) { return "#" + code + "#", nil }}
	}),
	twoFactorOTP("two-factor-otp-own-encryption", object{"storeOTP": object{"encrypt": "$2fa encrypt", "decrypt": "$2fa decrypt"}}, func(o *auth.TwoFactorOTPOptions) {
		o.Storage = auth.OTPStorage{
			Encrypt: func(_ context.Context, code string) (string, error) { return "(" + code + ")", nil },
			Decrypt: unwrapped,
		}
	}),
	twoFactor("two-factor-otp-fails", object{"otpOptions": object{"sendOTP": "$2fa failing mail"}}, func(p *auth.TwoFactor, o *ours) { p.OTP.Send = o.failingSecondFactor }),

	twoFactor("two-factor-backup", object{"backupCodeOptions": object{"amount": 3, "length": 6}}, func(p *auth.TwoFactor, _ *ours) {
		p.BackupCodes.Amount, p.BackupCodes.Length = 3, 6
	}),
	twoFactor("two-factor-backup-plain", object{"backupCodeOptions": object{"storeBackupCodes": "plain"}}, func(p *auth.TwoFactor, _ *ours) { p.BackupCodes.Storage.Plain = true }),
	twoFactor("two-factor-backup-own", object{"backupCodeOptions": object{
		"customBackupCodesGenerate": "$2fa codes", "storeBackupCodes": object{"encrypt": "$2fa encrypt codes", "decrypt": "$2fa decrypt codes"},
	}}, func(p *auth.TwoFactor, _ *ours) {
		p.BackupCodes.Generate = twoCodes()
		p.BackupCodes.Storage = auth.BackupCodeStorage{
			Encrypt: func(_ context.Context, codes string) (string, error) { return "<" + codes + ">", nil },
			Decrypt: unwrapped,
		}
	}),

	twoFactor("two-factor-lockout", object{"accountLockout": object{"maxFailedAttempts": 2, "durationSeconds": 7200}}, func(p *auth.TwoFactor, _ *ours) {
		p.Lockout = auth.TwoFactorLockout{MaxFailedAttempts: 2, Duration: 2 * time.Hour}
	}),
	twoFactor("two-factor-no-lockout", object{"accountLockout": object{"enabled": false, "maxFailedAttempts": 1}}, func(p *auth.TwoFactor, _ *ours) {
		p.Lockout = auth.TwoFactorLockout{Disabled: true, MaxFailedAttempts: 1}
	}),

	twoFactor("two-factor-cache", object{}, nil).with(cookieCache("", auth.CacheCompact)),
	twoFactor("two-factor-cache-jwe", object{}, nil).with(cookieCache("", auth.CacheJWE)),
	twoFactor("two-factor-secondary", object{}, nil).with(secondary("", object{}, func(*auth.Config) {})),
	twoFactor("two-factor-secondary-and-database", object{}, nil).with(secondary("", object{"session": object{"storeSessionInDatabase": true}, "verification": object{"storeInDatabase": true}}, func(c *auth.Config) {
		c.Session.StoreInDatabase, c.Verification.StoreInDatabase = true, true
	})),
	twoFactor("two-factor-hashed-identifiers", object{}, nil).with(&variant{
		options: object{"verification": object{"storeIdentifier": "hashed"}},
		config:  func(c *auth.Config, _ *ours) { c.Verification.StoreIdentifier = auth.HashIdentifier },
	}),
	twoFactor("two-factor-limits", object{}, nil).with(limited),
	twoFactor("two-factor-hooks", object{}, nil).with(databaseHooks("", object{}, func(*auth.Config, *ours) {})),
	withNewSecret(twoFactor("two-factor-secrets", object{}, nil)),
	twoFactor("two-factor-cookies", object{}, nil).with(&variant{
		options: object{"advanced": object{
			"cookiePrefix": "my", "useSecureCookies": true,
			"cookies": object{
				"two_factor":    object{"name": "second", "attributes": object{"path": "/app"}},
				"trust_device":  object{"attributes": object{"sameSite": "strict"}},
				"dont_remember": object{"name": "forget"},
			},
		}},
		config: func(c *auth.Config, _ *ours) {
			c.Cookies = auth.Cookies{
				Prefix: "my", AlwaysSecure: true, DontRemember: auth.CookieOverride{Name: "forget"},
				Plugins: map[string]auth.CookieOverride{
					"two_factor":   {Name: "second", CookieAttributes: auth.CookieAttributes{Path: "/app"}},
					"trust_device": {CookieAttributes: auth.CookieAttributes{SameSite: http.SameSiteStrictMode}},
				},
			}
		},
	}),
	company("two-factor-first", true),
	company("two-factor-last", false),
}

// company has other plugins beside it, in front or behind.
func company(name string, first bool) *variant {
	v := twoFactor(name, object{}, nil)
	options, config := v.options["plugins"].([][]any), v.config
	others := [][]any{
		{"bearer", object{}}, {"multiSession", object{}}, {"username", object{}},
		{"emailOTP", object{"sendVerificationOTP": "$otp mail", "generateOTP": "$otp codes"}},
	}
	both := slices.Concat(others, options)
	if first {
		both = slices.Concat(options, others)
	}
	return &variant{
		name: name, options: object{"plugins": both},
		config: func(c *auth.Config, o *ours) {
			if first {
				config(c, o)
			}
			c.Plugins = append(c.Plugins, &auth.Bearer{}, &auth.MultiSession{}, &auth.Username{}, &auth.EmailOTP{Send: o.otpMail, Generate: otpCodes()})
			if !first {
				config(c, o)
			}
		},
	}
}

// twoFactor has the plugin, with codes in mails.
func twoFactor(name string, options object, change func(p *auth.TwoFactor, o *ours)) *variant {
	return &variant{
		name: name,
		options: object{"plugins": [][]any{{"twoFactor", merge(object{
			"otpOptions": object{"sendOTP": "$2fa mail"},
		}, options)}}},
		config: func(c *auth.Config, o *ours) {
			p := &auth.TwoFactor{OTP: auth.TwoFactorOTPOptions{Send: o.mailSecondFactor}}
			if change != nil {
				change(p, o)
			}
			c.Plugins = append(c.Plugins, p)
		},
	}
}

func twoFactorOTP(name string, options object, change func(o *auth.TwoFactorOTPOptions)) *variant {
	return twoFactor(name, object{"otpOptions": options}, func(p *auth.TwoFactor, _ *ours) { change(&p.OTP) })
}

// The functions of plugin_two_factor.mjs.

func (o *ours) mailSecondFactor(_ context.Context, user *auth.User, code string) error {
	o.tell("mail second factor", "to", user.Email, "random", code, "length", len(code))
	return nil
}

func (o *ours) failingSecondFactor(_ context.Context, user *auth.User, code string) error {
	o.tell("fails to mail", "to", user.Email, "random", code)
	return errors.New("it failed")
}

// unwrapped is a text without its first and last character.
func unwrapped(_ context.Context, stored string) (string, error) {
	return stored[1 : len(stored)-1], nil
}

func twoCodes() func(context.Context) ([]string, error) {
	var made atomic.Int64
	return func(context.Context) ([]string, error) {
		n := made.Add(1)
		return []string{fmt.Sprint("first-", n), fmt.Sprint("second-", n)}, nil
	}
}
