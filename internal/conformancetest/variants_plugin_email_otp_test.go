package conformancetest

import (
	"context"
	"errors"
	"slices"
	"strconv"
	"strings"
	"sync/atomic"
	"time"

	"github.com/seed3b05b409/auth"
)

var emailOtpPluginVariants = []*variant{
	emailOTP("email-otp", object{}, nil),
	emailOTP("email-otp-random", object{"generateOTP": nil, "sendVerificationOTP": "$otp random mail"}, func(e *auth.EmailOTP, o *ours) {
		e.Generate, e.Send = nil, o.otpRandomMail
	}),
	emailOTP("email-otp-long", object{"generateOTP": nil, "sendVerificationOTP": "$otp random mail", "otpLength": 12, "expiresIn": 3600}, func(e *auth.EmailOTP, o *ours) {
		e.Generate, e.Send, e.Length, e.ExpiresIn = nil, o.otpRandomMail, 12, time.Hour
	}),
	emailOTP("email-otp-words", object{"generateOTP": "$otp codes of words", "sendVerificationOTP": "$otp random mail"}, func(e *auth.EmailOTP, o *ours) {
		e.Generate, e.Send = o.otpWords, o.otpRandomMail
	}),
	emailOTP("email-otp-no-sign-up", object{"disableSignUp": true}, func(e *auth.EmailOTP, _ *ours) { e.DisableSignUp = true }),
	emailOTP("email-otp-once", object{"allowedAttempts": 1}, func(e *auth.EmailOTP, _ *ours) { e.AllowedAttempts = 1 }),

	emailOTP("email-otp-hashed", object{"storeOTP": "hashed"}, storedAs(auth.OTPStorage{Form: auth.HashedOTP})),
	emailOTP("email-otp-encrypted", object{"storeOTP": "encrypted"}, storedAs(auth.OTPStorage{Form: auth.EncryptedOTP})),
	emailOTP("email-otp-own-hash", object{"storeOTP": object{"hash": "$otp hash"}}, storedAs(ownHash)),
	emailOTP("email-otp-own-encryption", object{"storeOTP": object{"encrypt": "$otp encrypt", "decrypt": "$otp decrypt"}}, storedAs(ownEncryption)),
	emailOTP("email-otp-reuse", reuse, reusing(auth.OTPStorage{})),
	emailOTP("email-otp-reuse-hashed", together(reuse, object{"storeOTP": "hashed"}), reusing(auth.OTPStorage{Form: auth.HashedOTP})),
	emailOTP("email-otp-reuse-encrypted", together(reuse, object{"storeOTP": "encrypted"}), reusing(auth.OTPStorage{Form: auth.EncryptedOTP})),
	emailOTP("email-otp-reuse-own-hash", together(reuse, object{"storeOTP": object{"hash": "$otp hash"}}), reusing(ownHash)),
	emailOTP("email-otp-reuse-own-encryption", together(reuse, object{"storeOTP": object{"encrypt": "$otp encrypt", "decrypt": "$otp decrypt"}}), reusing(ownEncryption)),
	withNewSecret(emailOTP("email-otp-secrets", object{"storeOTP": "encrypted"}, storedAs(auth.OTPStorage{Form: auth.EncryptedOTP}))),

	emailOTP("email-otp-change", object{"changeEmail": object{"enabled": true}}, func(e *auth.EmailOTP, _ *ours) { e.EmailChange.Enabled = true }),
	emailOTP("email-otp-change-both", object{"changeEmail": object{"enabled": true, "verifyCurrentEmail": true}}, func(e *auth.EmailOTP, _ *ours) {
		e.EmailChange = auth.OTPEmailChange{Enabled: true, VerifyCurrent: true}
	}),
	emailOTP("email-otp-change-cache", object{"changeEmail": object{"enabled": true}}, func(e *auth.EmailOTP, _ *ours) { e.EmailChange.Enabled = true }).
		with(cookieCache("", auth.CacheCompact)),

	emailOTP("email-otp-sign-up", object{"sendVerificationOnSignUp": true}, func(e *auth.EmailOTP, _ *ours) { e.SendOnSignUp = true }),
	emailOTP("email-otp-sign-up-hidden", object{"sendVerificationOnSignUp": true}, func(e *auth.EmailOTP, _ *ours) { e.SendOnSignUp = true }).with(requireVerification),
	emailOTP("email-otp-override", object{"overrideDefaultEmailVerification": true, "sendVerificationOnSignUp": true}, overriding).with(&variant{
		options: object{"emailVerification": object{"sendVerificationEmail": nil, "sendOnSignUp": true, "sendOnSignIn": true}},
		config: func(c *auth.Config, _ *ours) {
			c.EmailVerification = auth.EmailVerification{SendOnSignUp: true, SendOnSignIn: true}
		},
	}),
	emailOTP("email-otp-override-hidden", object{"overrideDefaultEmailVerification": true}, overriding).with(&variant{
		options: object{"emailVerification": nil, "emailAndPassword": object{"requireEmailVerification": true}},
		config: func(c *auth.Config, _ *ours) {
			c.EmailVerification, c.EmailPassword.RequireEmailVerification = auth.EmailVerification{}, true
		},
	}),
	emailOTP("email-otp-override-not", object{"overrideDefaultEmailVerification": true}, overriding).with(&variant{
		options: object{"emailVerification": object{"sendOnSignUp": true}},
		config:  func(c *auth.Config, _ *ours) { c.EmailVerification.SendOnSignUp = true },
	}),

	emailOTP("email-otp-callbacks", changing, allChanges).with(callbacks("", "told", "told")),
	emailOTP("email-otp-callbacks-refuse", changing, allChanges).with(callbacks("", "refused", "refused")),
	emailOTP("email-otp-callbacks-after-fail", changing, allChanges).with(callbacks("", "told", "failed")),
	emailOTP("email-otp-order", together(changing, object{"sendVerificationOnSignUp": true}), func(e *auth.EmailOTP, o *ours) {
		allChanges(e, o)
		e.SendOnSignUp = true
	}).with(orderVariants[0]),
	emailOTP("email-otp-hooks", object{}, nil).with(databaseHooks("", object{}, func(*auth.Config, *ours) {})),
	emailOTP("email-otp-failing-mail", together(changing, object{"sendVerificationOTP": "$otp failing mail", "sendVerificationOnSignUp": true}), func(e *auth.EmailOTP, o *ours) {
		allChanges(e, o)
		e.Send, e.SendOnSignUp = o.otpFailingMail, true
	}),
	emailOTP("email-otp-no-mail", together(changing, object{"sendVerificationOTP": nil}), func(e *auth.EmailOTP, o *ours) {
		allChanges(e, o)
		e.Send = nil
	}),

	emailOTP("email-otp-limits", changing, allChanges).with(limited),
	emailOTP("email-otp-own-limits", together(changing, object{"rateLimit": object{"window": 30, "max": 1}}), func(e *auth.EmailOTP, o *ours) {
		allChanges(e, o)
		e.RateLimit = auth.RateRule{Window: 30 * time.Second, Max: 1}
	}).with(limited),
	emailOTP("email-otp-overruled-limits", object{}, nil).with(&variant{
		options: object{"rateLimit": object{"enabled": true, "customRules": object{"/sign-in/email-otp": object{"window": 60, "max": 1}, "/email-otp/verify-email": false}}},
		config: func(c *auth.Config, _ *ours) {
			c.RateLimit = auth.RateLimit{Rules: map[string]auth.RateRule{
				"/sign-in/email-otp": {Window: time.Minute, Max: 1}, "/email-otp/verify-email": {Unlimited: true},
			}}
		},
	}),

	emailOTP("email-otp-cache", object{}, nil).with(cookieCache("", auth.CacheCompact)),
	emailOTP("email-otp-secondary", object{}, nil).with(secondary("", object{}, func(*auth.Config) {})),
	emailOTP("email-otp-secondary-and-database", object{}, nil).with(secondary("", object{"session": object{"storeSessionInDatabase": true}, "verification": object{"storeInDatabase": true}}, func(c *auth.Config) {
		c.Session.StoreInDatabase, c.Verification.StoreInDatabase = true, true
	})),
	emailOTP("email-otp-hashed-identifiers", object{}, nil).with(&variant{
		options: object{"verification": object{"storeIdentifier": "hashed"}},
		config:  func(c *auth.Config, _ *ours) { c.Verification.StoreIdentifier = auth.HashIdentifier },
	}),
	emailOTP("email-otp-revoke", object{}, nil).with(&variant{
		options: object{"emailAndPassword": object{"revokeSessionsOnPasswordReset": true, "minPasswordLength": 12, "maxPasswordLength": 20}},
		config: func(c *auth.Config, _ *ours) {
			c.EmailPassword.RevokeSessionsOnPasswordReset, c.EmailPassword.MinLength, c.EmailPassword.MaxLength = true, 12, 20
		},
	}),
	emailOTP("email-otp-no-passwords", object{}, nil).with(&variant{
		options: object{"emailAndPassword": object{"enabled": false, "sendResetPassword": nil}, "emailVerification": nil},
		config: func(c *auth.Config, _ *ours) {
			c.EmailPassword, c.EmailVerification = auth.EmailPassword{}, auth.EmailVerification{}
		},
	}),
	emailOTP("email-otp-scrypt", object{}, nil).with(&variant{
		options: object{"emailAndPassword": object{"password": nil}},
		config:  func(c *auth.Config, _ *ours) { c.Passwords = auth.Passwords{} },
	}),
	emailOTP("email-otp-fields", object{}, nil).with(fields("", joined(plainFields, guardedFields), nil)),
	emailOTP("email-otp-required-fields", object{}, nil).with(fields("", requiredFields, nil)),
	emailOTP("email-otp-validation", object{}, nil).with(&variant{
		options: object{"user": object{"validateUserInfo": "$validate"}},
		config:  func(c *auth.Config, o *ours) { c.User.ValidateInfo = o.validate },
	}),
}

// emailOTP has the plugin, with counted codes.
func emailOTP(name string, options object, change func(e *auth.EmailOTP, o *ours)) *variant {
	return &variant{
		name: name,
		options: object{"plugins": [][]any{{"emailOTP", merge(object{
			"sendVerificationOTP": "$otp mail", "generateOTP": "$otp codes",
		}, options)}}},
		config: func(c *auth.Config, o *ours) {
			e := &auth.EmailOTP{Send: o.otpMail, Generate: otpCodes()}
			if change != nil {
				change(e, o)
			}
			c.Plugins = append(c.Plugins, e)
		},
	}
}

func storedAs(storage auth.OTPStorage) func(*auth.EmailOTP, *ours) {
	return func(e *auth.EmailOTP, _ *ours) { e.Store = storage }
}

var reuse = object{"resendStrategy": "reuse"}

func reusing(storage auth.OTPStorage) func(*auth.EmailOTP, *ours) {
	return func(e *auth.EmailOTP, _ *ours) { e.Store, e.Reuse = storage, true }
}

func overriding(e *auth.EmailOTP, _ *ours) { e.OverrideVerification, e.SendOnSignUp = true, true }

var changing = object{"changeEmail": object{"enabled": true}}

func allChanges(e *auth.EmailOTP, _ *ours) { e.EmailChange.Enabled = true }

var requireVerification = &variant{
	options: object{"emailAndPassword": object{"requireEmailVerification": true}},
	config:  func(c *auth.Config, _ *ours) { c.EmailPassword.RequireEmailVerification = true },
}

// limited counts requests.
var limited = &variant{
	options: object{"rateLimit": object{"enabled": true}},
	config:  func(c *auth.Config, _ *ours) { c.RateLimit = auth.RateLimit{} },
}

// withNewSecret has a newer secret beside the common one.
func withNewSecret(v *variant) *variant {
	both := v.with(&variant{
		options: object{"secrets": []object{{"version": 2, "value": newSecret}, {"version": 1, "value": secret}}},
		config: func(c *auth.Config, _ *ours) {
			c.Secrets = []auth.Secret{{Version: 2, Value: newSecret}, {Version: 1, Value: secret}}
		},
	})
	both.secrets = []string{newSecret}
	return both
}

// The functions of plugin_email_otp.mjs.

func otpCodes() func(context.Context, string, auth.OTPType) string {
	var made atomic.Int64
	made.Store(100000)
	return func(context.Context, string, auth.OTPType) string { return strconv.FormatInt(made.Add(1), 10) }
}

func (o *ours) otpWords(_ context.Context, email string, typ auth.OTPType) string {
	o.tell("generates", "email", email, "type", typ)
	if strings.HasPrefix(email, "random") {
		return ""
	}
	name, _, _ := strings.Cut(email, "@")
	return string(typ) + ":" + name
}

func (o *ours) otpMail(_ context.Context, m auth.OTPMail) error {
	o.tell("mail otp", "to", m.Email, "otp", m.Code, "type", m.Type)
	return nil
}

func (o *ours) otpRandomMail(_ context.Context, m auth.OTPMail) error {
	o.tell("mail otp", "to", m.Email, "random", m.Code, "length", len(m.Code), "type", m.Type)
	return nil
}

func (o *ours) otpFailingMail(_ context.Context, m auth.OTPMail) error {
	o.tell("fails to mail", "to", m.Email, "otp", m.Code, "type", m.Type)
	return errors.New("it failed")
}

var ownHash = auth.OTPStorage{
	Hash: func(_ context.Context, code string) (string, error) { return "#" + code + "#", nil },
}

var ownEncryption = auth.OTPStorage{
	Encrypt: func(_ context.Context, code string) (string, error) { return spelt(code) + ":turned", nil },
	Decrypt: func(_ context.Context, stored string) (string, error) {
		turned, _, _ := strings.Cut(stored, ":")
		return spelt(turned), nil
	},
}

// spelt is a text from its end.
func spelt(text string) string {
	turned := []rune(text)
	slices.Reverse(turned)
	return string(turned)
}
