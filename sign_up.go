package auth

import (
	"context"
	"errors"
	"maps"
	mathrand "math/rand/v2"
	"net/http"
	"slices"
	"strconv"
	"strings"
)

// SignUpEmailRequest is the body of POST /sign-up/email.
type SignUpEmailRequest struct {
	Name        string  `json:"name"`
	Email       string  `json:"email" check:"email"`
	Password    string  `json:"password" check:"nonempty"`
	Image       *string `json:"image,omitempty"`
	CallbackURL string  `json:"callbackURL,omitempty"` // where the verification link leads in the end; default "/"
	RememberMe  *bool   `json:"rememberMe,omitempty"`  // nil is true; new(false) makes a session for one day

	// Fields are the values of additional user columns.
	Fields map[string]any `json:",inline"`
}

// SignUpEmailResponse is the answer of POST /sign-up/email. Token is nil when the user
// was not signed in.
type SignUpEmailResponse struct {
	Token *string `json:"token"`
	User  *User   `json:"user" check:"nonnull"`
}

// signUpEmail creates a user with a password and signs them in. User, account
// and session are stored together or not at all.
func (c *core) signUpEmail(ctx context.Context, in SignUpEmailRequest) (*SignUpEmailResponse, error) {
	if !c.emailPassword.Enabled || c.emailPassword.DisableSignUp {
		return nil, ErrEmailPasswordSignUpDisabled.With(http.StatusBadRequest)
	}
	if err := c.checkNewPassword(ctx, in.Password); err != nil {
		return nil, err
	}
	fields, err := parseFields(c.userFields, in.Fields, true)
	if err != nil {
		return nil, err
	}
	user := &User{Name: in.Name, Email: lowerEmail(in.Email), Image: in.Image, Fields: fields}
	existing, err := c.userByEmail(ctx, user.Email)
	if err != nil {
		return nil, err
	}
	if existing != nil {
		return c.signUpKnown(ctx, existing, user, in.Password)
	}
	hash, err := c.passwords.hash(ctx, in.Password)
	if err != nil {
		return nil, err
	}
	return c.signUpNew(ctx, user, hash, in)
}

// hidesUsers reports whether sign-up must not tell who has an account.
func (c *core) hidesUsers() bool {
	return c.emailPassword.RequireEmailVerification || c.emailPassword.NoAutoSignIn
}

// signUpKnown answers a sign-up with an address that is taken. Where the answer
// must not tell, it has the form and the cost of a success.
func (c *core) signUpKnown(ctx context.Context, existing, submitted *User, password string) (*SignUpEmailResponse, error) {
	if !c.hidesUsers() {
		return nil, ErrUserAlreadyExistsUseAnotherEmail.With(http.StatusUnprocessableEntity)
	}
	if err := c.passwords.burn(ctx, password); err != nil {
		return nil, err
	}
	if err := c.tryToStore(ctx, submitted); err != nil {
		return nil, err
	}
	if notify := c.emailPassword.OnExistingUserSignUp; notify != nil {
		c.inBackground(ctx, "OnExistingUserSignUp", func(ctx context.Context) error { return notify(ctx, existing) })
	}
	return c.pretendSignUp(ctx, submitted), nil
}

// tryToStore fails as the sign-up of a new user with this data would, and leaves
// nothing. Otherwise a name that the store cannot hold, or an additional value
// that is taken, would be refused for a new address only and so tell which
// addresses are known. So would the time that a database takes to keep something.
func (c *core) tryToStore(ctx context.Context, submitted *User) error {
	trial := submitted.clone()
	trial.Email = strings.ToLower(newID()) + "@trial.invalid"
	trial.CreatedAt = now()
	trial.UpdatedAt = trial.CreatedAt
	err := c.transact(ctx, func(ctx context.Context) error {
		if err := c.users.insert(ctx, trial); err != nil {
			return err
		}
		_, err := c.users.delete(ctx, Where("id", trial.ID))
		return err
	})
	if errors.Is(err, ErrInvalidValue) || errors.Is(err, ErrConflict) {
		return ErrFailedToCreateUser.With(http.StatusUnprocessableEntity).WithCause(err)
	}
	return err
}

// pretendSignUp has the form of a successful answer; nothing is stored.
func (c *core) pretendSignUp(ctx context.Context, user *User) *SignUpEmailResponse {
	user.CreatedAt = now()
	user.UpdatedAt = user.CreatedAt
	c.users.adopt(user)
	c.users.plan.presentAll(user)
	if user.ID == "" {
		user.ID = inventedSerial()
	}
	if c.emailPassword.SyntheticUser != nil {
		c.emailPassword.SyntheticUser(ctx, user)
		maps.DeleteFunc(user.Fields, func(name string, _ any) bool {
			return !slices.ContainsFunc(c.userFields, func(field Column) bool { return field.Name == name })
		})
	}
	return &SignUpEmailResponse{User: c.visibleUser(user)}
}

func (c *core) signUpNew(ctx context.Context, user *User, hash string, in SignUpEmailRequest) (*SignUpEmailResponse, error) {
	var data *SessionData
	err := c.transact(ctx, func(ctx context.Context) (err error) {
		data, err = c.register(ctx, user, hash, in)
		return err
	})
	switch {
	case errors.Is(err, ErrConflict):
		return c.signUpTaken(ctx, user, in.Password)
	case errors.Is(err, ErrInvalidValue):
		return nil, ErrFailedToCreateUser.With(http.StatusUnprocessableEntity).WithCause(err)
	case c.hidesUsers() && refused(err):
		return c.pretendSignUp(ctx, user), nil
	case err != nil:
		return nil, err
	}
	out := &SignUpEmailResponse{User: c.visibleUser(user)}
	if data.Session != nil {
		c.setSession(ctx, data, dontRemember(in.RememberMe))
		out.Token = &data.Session.Token
	}
	return out, nil
}

// signUpTaken answers when a unique value was taken: the address, by somebody
// who signed up at the same moment, or an additional column's value.
func (c *core) signUpTaken(ctx context.Context, user *User, password string) (*SignUpEmailResponse, error) {
	existing, err := c.userByEmail(ctx, user.Email)
	if err != nil {
		return nil, err
	}
	if existing == nil {
		return nil, ErrFailedToCreateUser.With(http.StatusUnprocessableEntity)
	}
	return c.signUpKnown(ctx, existing, user, password)
}

// refused reports whether a hook forbade the sign-up, which would tell that the
// address is not taken.
func refused(err error) bool {
	api := apiError(err)
	return api != nil && api.Status == http.StatusForbidden
}

// register stores user, account and session, and queues the verification mail.
func (c *core) register(ctx context.Context, user *User, hash string, in SignUpEmailRequest) (*SessionData, error) {
	if err := c.createUser(ctx, user, UserSource{Method: methodEmailPassword, Action: actionCreateUser}); err != nil {
		return nil, aborted(err, ErrFailedToCreateUser, http.StatusBadRequest)
	}
	if err := c.createCredential(ctx, user.ID, hash); err != nil {
		return nil, aborted(err, ErrFailedToCreateUser, http.StatusBadRequest)
	}
	if c.verifiesOnSignUp() {
		c.mailVerification(ctx, user, in.CallbackURL)
	}
	data := &SessionData{User: user}
	if c.hidesUsers() {
		return data, nil
	}
	var err error
	if data.Session, err = c.createSession(ctx, user.ID, dontRemember(in.RememberMe), nil); err != nil {
		return nil, aborted(err, ErrFailedToCreateSession, http.StatusBadRequest)
	}
	c.signedIn(ctx, user, data.Session, Event{Method: methodEmail})
	return data, nil
}

func (c *core) verifiesOnSignUp() bool {
	v := &c.verification
	return v.Send != nil && (v.SendOnSignUp || c.emailPassword.RequireEmailVerification && !v.NoSendOnSignUp)
}

// aborted gives the endpoint's own error to an operation that a database hook
// refused without a reason.
func aborted(err error, code Code, status int) error {
	if errors.Is(err, ErrAborted) {
		return code.With(status).WithCause(err)
	}
	return err
}

// unstorable gives the endpoint's own error to a value that the store does not
// take, such as a text that is too long for a column, or a unique one that is
// taken: the client's fault.
func unstorable(err error, code Code) error {
	if errors.Is(err, ErrInvalidValue) || errors.Is(err, ErrConflict) {
		return code.With(http.StatusBadRequest).WithCause(err)
	}
	return err
}

func dontRemember(rememberMe *bool) bool { return rememberMe != nil && !*rememberMe }

// inventedSerial looks like an id that a database counted.
func inventedSerial() string { return strconv.Itoa(1 + mathrand.IntN(1<<16)) }
