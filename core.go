package auth

import (
	"context"
	"time"
)

// core is what the core endpoints are methods of: the services and the options
// that concern endpoints only.
type core struct {
	*services
	emailPassword EmailPassword
	verification  EmailVerification
	changing      ChangeEmail
	deletion      DeleteUser
	unlinkAll     bool
	errorURL      string
	errorPage     func(code, description string) []byte
}

// EmailPassword configures sign-up and sign-in with e-mail address and
// password.
type EmailPassword struct {
	Enabled       bool
	DisableSignUp bool

	// RequireEmailVerification refuses to sign in users whose address is not
	// verified, and makes a sign-up with a known address look like a new one.
	RequireEmailVerification bool

	// NoAutoSignIn keeps sign-up from signing the new user in.
	NoAutoSignIn bool

	MinLength int // of passwords, in UTF-16 code units; default 8
	MaxLength int // default 128

	// ValidatePassword judges a new password that has a good length, wherever one is
	// chosen: by a list of those that have leaked, say. A Code or an *APIError tells
	// the client why not; any other error is 500 and goes to the logger. Default: none.
	ValidatePassword func(ctx context.Context, password string) error

	// SendResetPassword sends a mail with a link to choose a new password. There
	// is no password reset without it.
	SendResetPassword      func(ctx context.Context, mail Mail) error
	ResetPasswordExpiresIn time.Duration // lifetime of that link; default 1 hour

	// OnPasswordReset runs after a reset. Its error becomes the outcome.
	OnPasswordReset func(ctx context.Context, user *User) error

	// RevokeSessionsOnPasswordReset signs the user out everywhere.
	RevokeSessionsOnPasswordReset bool

	// OnExistingUserSignUp tells the owner of an address that somebody tried to
	// sign up with it; it runs where sign-up hides that the user exists.
	OnExistingUserSignUp func(ctx context.Context, user *User) error

	// SyntheticUser may change the made-up user that the answer then shows, so that
	// it looks like a real one where database hooks give every new user something.
	SyntheticUser func(ctx context.Context, user *User)
}

// EmailVerification configures the proof that an address belongs to its user.
type EmailVerification struct {
	// Send sends a mail with the link that verifies an address. There is no
	// verification without it.
	Send func(ctx context.Context, mail Mail) error

	// SendOnSignUp sends it after every sign-up. With
	// EmailPassword.RequireEmailVerification that is the default, which
	// NoSendOnSignUp turns off.
	SendOnSignUp   bool
	NoSendOnSignUp bool

	// SendOnSignIn sends it when a user with the right password is refused
	// because the address is not verified.
	SendOnSignIn bool

	AutoSignIn bool          // sign the user in who follows the link
	ExpiresIn  time.Duration // lifetime of the link; default 1 hour

	BeforeVerification func(ctx context.Context, user *User) error
	AfterVerification  func(ctx context.Context, user *User) error
}

// ChangeEmail configures the change of a user's address. The link that the new
// address gets changes it; an address that was not verified before stays so.
type ChangeEmail struct {
	Enabled bool

	// SendConfirmation asks the old address of a verified user to confirm the
	// change, before the new address is asked to. Mail.NewEmail is the new one.
	SendConfirmation func(ctx context.Context, mail Mail) error

	// WithoutVerification changes an address that was never verified at once.
	WithoutVerification bool
}

// DeleteUser configures the deletion of a user by themselves.
type DeleteUser struct {
	Enabled bool

	// SendVerification sends a mail with a link that deletes the user. If it is
	// set, nothing else does.
	SendVerification func(ctx context.Context, mail Mail) error
	TokenExpiresIn   time.Duration // lifetime of that link; default 1 day

	BeforeDelete func(ctx context.Context, user *User) error // its error keeps the user
	AfterDelete  func(ctx context.Context, user *User) error
}

// Mail is what a callback needs to write to a user. The text is up to the
// application; URL is the link that the user is to follow.
type Mail struct {
	User     *User  // User.Email is the address to write to
	URL      string // absolute
	Token    string // the secret in URL, for applications with links of their own
	NewEmail string // the address to change to, in mails about a change
}

// Status is the answer of endpoints that have nothing else to say.
type Status struct {
	Status bool `json:"status"`
}

// Empty is the request of endpoints that take nothing.
type Empty struct{}

const (
	defaultMinPassword     = 8
	defaultMaxPassword     = 128
	defaultLinkLifetime    = time.Hour
	defaultDeletionExpires = 24 * time.Hour
)

func (o EmailPassword) withDefaults() EmailPassword {
	setDefault(&o.MinLength, defaultMinPassword)
	setDefault(&o.MaxLength, defaultMaxPassword)
	setDefault(&o.ResetPasswordExpiresIn, defaultLinkLifetime)
	return o
}

func (o EmailVerification) withDefaults() EmailVerification {
	setDefault(&o.ExpiresIn, defaultLinkLifetime)
	return o
}

func (o DeleteUser) withDefaults() DeleteUser {
	setDefault(&o.TokenExpiresIn, defaultDeletionExpires)
	return o
}

// callback runs an optional function of the configuration.
func callback(ctx context.Context, fn func(context.Context, *User) error, user *User) error {
	if fn == nil {
		return nil
	}
	return fn(ctx, user)
}
