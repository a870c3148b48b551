package soaktest

import (
	"context"
	"log/slog"
	"strings"
	"time"

	"github.com/seed3b05b409/auth"
)

// newInstance makes the server's instance. Mails are delivered before an answer.
func newInstance(store auth.Store, cookieCache auth.CookieCache, deliver func(m mail), log *slog.Logger) (*auth.Auth, error) {
	send := func(kind string) func(ctx context.Context, m auth.Mail) error {
		return func(_ context.Context, m auth.Mail) error {
			deliver(mail{Kind: kind, To: m.User.Email, NewEmail: m.NewEmail, UserID: m.User.ID, Token: m.Token})
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
		Session:   auth.SessionOptions{CookieCache: cookieCache},
		Passwords: auth.Passwords{Hasher: plainHasher{}, MaxConcurrent: 1000},
		RateLimit: auth.RateLimit{Disabled: true},
		Plugins: []auth.Plugin{
			&auth.MagicLink{
				ExpiresIn: linkLifetime,
				Send: func(_ context.Context, m auth.MagicLinkMail) error {
					deliver(mail{Kind: mailMagic, To: m.Email, Token: m.Token})
					return nil
				},
			},
			&auth.EmailOTP{
				ExpiresIn: linkLifetime, AllowedAttempts: codeAttempts,
				Send: func(_ context.Context, m auth.OTPMail) error {
					deliver(mail{Kind: mailCode, To: m.Email, Token: m.Code})
					return nil
				},
			},
			&auth.OneTimeToken{ExpiresIn: linkLifetime},
			&auth.Username{},
		},
		Logger: log,
	})
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
