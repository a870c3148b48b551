package soaktest

import (
	"context"
	"log/slog"
	"strings"
	"time"

	"github.com/seed3b05b409/auth"
)

// options are what instances differ in.
type options struct {
	cookieCache auth.CookieCache
	deliver     func(m mail)
	once        bool // a code of an authenticator app is good once
}

// newInstance makes the server's instance. Mails are delivered before an answer.
func newInstance(store auth.Store, options options, log *slog.Logger) (*auth.Auth, error) {
	send := func(kind string) func(ctx context.Context, m auth.Mail) error {
		return func(_ context.Context, m auth.Mail) error {
			options.deliver(mail{Kind: kind, To: m.User.Email, NewEmail: m.NewEmail, UserID: m.User.ID, Token: m.Token})
			return nil
		}
	}
	return auth.New(auth.Config{
		BaseURL: origin,
		Secret:  strings.Repeat("secret of the server ", 2),
		Store:   store,
		EmailPassword: auth.EmailPassword{
			Enabled: true, SendResetPassword: send(mailReset), RevokeSessionsOnPasswordReset: true,
		},
		EmailVerification: auth.EmailVerification{Send: send(mailVerify)},
		User: auth.UserOptions{
			ChangeEmail: auth.ChangeEmail{Enabled: true, WithoutVerification: true, SendConfirmation: send(mailConfirm)},
			Delete:      auth.DeleteUser{Enabled: true},
		},
		Session:   auth.SessionOptions{CookieCache: options.cookieCache},
		Passwords: auth.Passwords{Hasher: plainHasher{}, MaxConcurrent: 1000},
		RateLimit: auth.RateLimit{Disabled: true},
		Plugins: []auth.Plugin{
			&auth.MagicLink{
				ExpiresIn: linkLifetime,
				Send: func(_ context.Context, m auth.MagicLinkMail) error {
					options.deliver(mail{Kind: mailMagic, To: m.Email, Token: m.Token})
					return nil
				},
			},
			&auth.EmailOTP{
				ExpiresIn: linkLifetime, AllowedAttempts: codeAttempts,
				Send: func(_ context.Context, m auth.OTPMail) error {
					options.deliver(mail{Kind: mailCode, To: m.Email, Token: m.Code})
					return nil
				},
			},
			&auth.OneTimeToken{ExpiresIn: linkLifetime},
			&auth.Username{},
			twoFactor(options),
			&auth.MultiSession{MaximumSessions: maximumHeld},
		},
		Logger: log,
	})
}

// twoFactor stores backup codes so that the audit can read them.
func twoFactor(options options) *auth.TwoFactor {
	return &auth.TwoFactor{
		CookieMaxAge: linkLifetime, TrustDeviceMaxAge: trustTime, PreventReplay: options.once,
		OTP: auth.TwoFactorOTPOptions{
			Period: linkLifetime, AllowedAttempts: factorAttempts,
			Send: func(_ context.Context, u *auth.User, code string) error {
				options.deliver(mail{Kind: mailFactor, To: u.Email, UserID: u.ID, Token: code})
				return nil
			},
		},
		BackupCodes: auth.BackupCodeOptions{Amount: backupCodes, Storage: auth.BackupCodeStorage{Plain: true}},
		Lockout:     auth.TwoFactorLockout{MaxFailedAttempts: lockAfter, Duration: lockTime},
	}
}

// plainHasher costs nothing: hundreds of people sign in here all the time.
type plainHasher struct{}

func (plainHasher) Hash(_ context.Context, password string) (string, error) {
	return "plain:" + password, nil
}

func (plainHasher) Verify(_ context.Context, hash, password string) (bool, error) {
	return hash == "plain:"+password, nil
}

// longCache is a copy in a cookie that outlives a run.
var longCache = auth.CookieCache{Enabled: true, MaxAge: 24 * time.Hour}
