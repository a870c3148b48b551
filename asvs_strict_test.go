package auth_test

import (
	"context"
	"net/http"
	"time"

	"github.com/seed3b05b409/auth"
)

// An Application is what strict mode asks of the program around it.
type Application interface {
	// Mail writes to a user, at once or later. Failures are its own to log.
	Mail(ctx context.Context, to, subject, text string)

	// Unfit reports whether nobody should have a password: it has leaked, it is among
	// the most common ones, or it has words of this very service in it.
	Unfit(ctx context.Context, password string) (bool, error)
}

// ErrPasswordUnfit answers a new password that everybody tries first.
const ErrPasswordUnfit auth.Code = "PASSWORD_UNFIT"

// Strict is the configuration of strict mode, to which the application adds where it
// is, its store, its secrets and its providers, the latter by auth.OIDC.
func Strict(app Application) auth.Config {
	mail := func(subject string) func(context.Context, auth.Mail) error {
		return func(ctx context.Context, m auth.Mail) error {
			app.Mail(ctx, m.User.Email, subject, m.URL)
			return nil
		}
	}
	tell := func(subject string) func(context.Context, *auth.User) error {
		return func(ctx context.Context, user *auth.User) error {
			app.Mail(ctx, user.Email, subject, "If that was not you, write to us.")
			return nil
		}
	}
	return auth.Config{
		EmailPassword: auth.EmailPassword{
			Enabled:                  true,
			RequireEmailVerification: true, // nor does sign-up tell who has an account
			MinLength:                15,
			ValidatePassword: func(ctx context.Context, password string) error {
				unfit, err := app.Unfit(ctx, password)
				if err == nil && unfit {
					err = ErrPasswordUnfit
				}
				return err
			},
			SendResetPassword:             mail("Choose a new password"),
			ResetPasswordExpiresIn:        10 * time.Minute,
			RevokeSessionsOnPasswordReset: true,
			OnPasswordReset:               tell("Your password was changed"),
			OnExistingUserSignUp:          tell("Somebody tried to sign up with your address"),
		},
		EmailVerification: auth.EmailVerification{
			Send:              mail("Is this your address?"),
			ExpiresIn:         10 * time.Minute,
			AfterVerification: tell("Your address was verified"),
		},
		User: auth.UserOptions{ChangeEmail: auth.ChangeEmail{
			Enabled:          true,
			SendConfirmation: mail("Do you want another address?"), // to the one so far
		}},
		Account: auth.AccountOptions{EncryptTokens: true},
		Session: auth.SessionOptions{
			ExpiresIn:   30 * time.Minute, // without a request
			UpdateAge:   time.Minute,
			MaxLifetime: 12 * time.Hour,
			FreshAge:    10 * time.Minute,
		},
		Verification:  auth.VerificationOptions{StoreIdentifier: auth.HashIdentifier},
		Passwords:     auth.Passwords{Argon2id: true},
		Cookies:       auth.Cookies{HostPrefix: true},
		DisabledPaths: []string{"/get-access-token", "/refresh-token"}, // for Go code only
		Plugins: []auth.Plugin{
			&auth.TwoFactor{
				PreventReplay: true,
				Everywhere:    true,
				Page:          "/second-factor",
				BackupCodes:   auth.BackupCodeOptions{Length: 20, Storage: auth.BackupCodeStorage{Hashed: true}},
			},
			&Guard{app: app},
		},
		Background: func(task func()) { go task() },
	}
}

// A Guard is a plugin for what is no option.
type Guard struct {
	app      Application
	services *auth.Services
}

// ID implements auth.Plugin.
func (*Guard) ID() string { return "strict-mode" }

// Extend implements auth.Plugin.
func (g *Guard) Extend(s *auth.Services) (*auth.Extension, error) {
	g.services = s
	signIns := []string{"/sign-in/**", "/callback/:id"}
	return &auth.Extension{
		Before: []auth.RouteHook{
			{Paths: signIns, Run: g.remember},
			{Run: g.askAgain, Paths: []string{
				"/change-email", "/link-social", "/revoke-session", "/revoke-sessions", "/revoke-other-sessions",
			}},
		},
		After: []auth.RouteHook{
			{Paths: signIns, Run: g.replace},
			{Run: g.tell, Paths: []string{
				"/change-password", "/two-factor/enable", "/two-factor/disable", "/two-factor/generate-backup-codes",
				"/link-social", "/unlink-account",
			}},
			{Paths: []string{"/sign-out"}, Run: g.clean},
		},
	}, nil
}

// previous is the key of the token of the session that a sign-in takes the place of.
type previous struct{}

// remember looks who is signed in already. All sessions live equally long: one that
// is not to be remembered would have a whole day without a request.
func (g *Guard) remember(x *auth.Exchange) error {
	if in, ok := x.Input().(*auth.SignInEmailRequest); ok {
		in.RememberMe = nil
	}
	before, err := g.services.Session(x, auth.SessionStored)
	if before != nil {
		x.SetValue(previous{}, before.Session.Token)
	}
	return err
}

// replace ends that session when another one begins, or is to begin after a second
// factor.
func (g *Guard) replace(x *auth.Exchange) error {
	token, _ := x.Value(previous{}).(string)
	started := auth.NewSessionFromContext(x)
	_, challenged := x.Answered()
	if token == "" || !challenged && (started == nil || started.Session.Token == token) {
		return nil
	}
	return g.services.DeleteSession(x, token)
}

// askAgain wants a sign-in of the last minutes (SessionOptions.FreshAge).
func (g *Guard) askAgain(x *auth.Exchange) error {
	fresh, err := g.services.Session(x, auth.SessionFresh)
	if err == nil && fresh == nil {
		err = auth.ErrSessionNotFresh.With(http.StatusForbidden)
	}
	return err
}

// tell writes to the user whose ways to sign in were changed.
func (g *Guard) tell(x *auth.Exchange) error {
	who := auth.SessionFromContext(x)
	if x.Failure() != nil || who == nil {
		return nil
	}
	what := x.Operation().Path()
	g.services.Background(x, "notice of a change", func(ctx context.Context) error {
		g.app.Mail(ctx, who.User.Email, "Your account was changed", what)
		return nil
	})
	return nil
}

// clean makes the browser forget what pages have kept.
func (g *Guard) clean(x *auth.Exchange) error {
	x.Header().Set("Clear-Site-Data", `"cache", "storage"`)
	return nil
}

// Headers goes around the handler of the instance: its answers are for scripts of
// this site, and no page but the one of errors.
func Headers(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		h := w.Header()
		h.Set("Strict-Transport-Security", "max-age=63072000; includeSubDomains")
		h.Set("Content-Security-Policy", "default-src 'none'; object-src 'none'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'; sandbox")
		h.Set("X-Content-Type-Options", "nosniff")
		h.Set("Referrer-Policy", "no-referrer")
		h.Set("Cross-Origin-Opener-Policy", "same-origin")
		h.Set("Cross-Origin-Resource-Policy", "same-origin")
		h.Set("Cache-Control", "no-store")
		next.ServeHTTP(w, r)
	})
}
