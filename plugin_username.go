package auth

import (
	"cmp"
	"context"
	"errors"
	"maps"
	"net/http"
	"strings"
	"unicode"
	"unicode/utf16"
)

// Username gives users a name that they can sign in with, beside their address: the
// columns username, which is unique, and displayUsername of users. Sign-up and
// update-user take both.
//
// The functions are called from many goroutines at once. A name that Normalize
// returned is one that it leaves as it is.
type Username struct {
	MinLength int // in UTF-16 units; default 3
	MaxLength int // the same; default 30

	// Validate judges a name that is not too short and not too long. Default: ASCII
	// letters, digits, _ and dots.
	Validate func(username string) bool

	// Normalize gives the form in which names are stored and compared. Default: lower
	// case.
	Normalize func(username string) string

	// NoNormalization tells Ann from ann.
	NoNormalization bool

	// ValidateNormalized checks names in the form in which they are stored, not as
	// they were typed.
	ValidateNormalized bool

	// NoDisplayUsername leaves out the column displayUsername, which otherwise has the
	// name as it was typed, or another one that the user prefers.
	NoDisplayUsername bool

	ValidateDisplay           func(displayUsername string) bool   // default: everything is one
	NormalizeDisplay          func(displayUsername string) string // default: as it was typed
	ValidateNormalizedDisplay bool                                // judges what NormalizeDisplay returns

	// Immutable keeps users from changing or removing a name that they have.
	Immutable bool

	// SignIn is POST /sign-in/username.
	SignIn *Endpoint[SignInUsernameRequest, *SignInUsernameResponse]

	// IsAvailable is POST /is-username-available. Anybody may ask.
	IsAvailable *Endpoint[IsUsernameAvailableRequest, *IsUsernameAvailableResponse]

	services *Services
	rules    usernameRules
}

// usernameRules are the options with their defaults.
type usernameRules struct {
	minLength, maxLength        int
	validate                    func(string) bool
	normalize, normalizeDisplay func(string) string
}

// What Username adds to the codes of the core.
const (
	ErrInvalidUsernameOrPassword Code = "INVALID_USERNAME_OR_PASSWORD"
	ErrUsernameIsAlreadyTaken    Code = "USERNAME_IS_ALREADY_TAKEN"
	ErrUsernameTooShort          Code = "USERNAME_TOO_SHORT"
	ErrUsernameTooLong           Code = "USERNAME_TOO_LONG"
	ErrInvalidUsername           Code = "INVALID_USERNAME"
	ErrInvalidDisplayUsername    Code = "INVALID_DISPLAY_USERNAME"
	ErrUsernameIsImmutable       Code = "USERNAME_IS_IMMUTABLE"
)

var usernameMessages = map[Code]string{
	ErrInvalidUsernameOrPassword: "Invalid username or password",
	ErrUsernameIsAlreadyTaken:    "Username is already taken. Please try another.",
	ErrUsernameTooShort:          "Username is too short",
	ErrUsernameTooLong:           "Username is too long",
	ErrInvalidUsername:           "Username is invalid",
	ErrInvalidDisplayUsername:    "Display username is invalid",
	ErrUsernameIsImmutable:       "Username cannot be updated",
}

func usernameError(status int, code Code) *APIError {
	return NewError(status, code, usernameMessages[code])
}

// The columns, and the endpoints whose hooks check what is sent for them.
const (
	columnUsername        = "username"
	columnDisplayUsername = "displayUsername"

	pathUsernameSignUp = "/sign-up/email"
	pathUsernameUpdate = "/update-user"
)

// ID is "username".
func (u *Username) ID() string { return "username" }

// Extend adds the endpoints, columns and hooks. Errors: lengths that no name has,
// options that exclude each other.
func (u *Username) Extend(s *Services) (*Extension, error) {
	if err := u.complete(); err != nil {
		return nil, err
	}
	u.services = s
	u.SignIn = NewEndpoint(http.MethodPost, "/sign-in/username", u.signIn)
	u.IsAvailable = NewEndpoint(http.MethodPost, "/is-username-available", u.isAvailable)
	u.describe()
	return &Extension{
		Endpoints: []PluginEndpoint{
			{Name: "signInUsername", Endpoint: u.SignIn},
			{Name: "isUsernameAvailable", Endpoint: u.IsAvailable, ReadOnly: true},
		},
		Before: []RouteHook{
			{Paths: []string{pathUsernameSignUp}, Run: u.beforeSignUp},
			{Paths: []string{pathUsernameUpdate}, Run: u.beforeUpdate},
		},
		Columns: map[string][]Column{"user": u.columns()},
		DatabaseHooks: DatabaseHooks{User: EntityHooks[User]{
			BeforeCreate: u.beforeUserIsCreated,
			BeforeUpdate: u.beforeUserIsChanged,
		}},
		Errors: usernameErrors(),
	}, nil
}

// complete checks the options and finds what they stand for.
func (u *Username) complete() error {
	asItIs := func(name string) string { return name }
	u.rules = usernameRules{
		minLength: cmp.Or(u.MinLength, 3), maxLength: cmp.Or(u.MaxLength, 30),
		validate: u.Validate, normalize: u.Normalize, normalizeDisplay: u.NormalizeDisplay,
	}
	switch {
	case u.rules.minLength < 0 || u.rules.maxLength < u.rules.minLength:
		return errors.New("MinLength and MaxLength: no name has such a length")
	case u.NoNormalization && u.Normalize != nil:
		return errors.New("NoNormalization and Normalize exclude each other")
	case u.NoDisplayUsername && (u.ValidateDisplay != nil || u.NormalizeDisplay != nil || u.ValidateNormalizedDisplay):
		return errors.New("NoDisplayUsername leaves nothing to validate or normalize")
	case u.NoNormalization:
		u.rules.normalize = asItIs
	case u.Normalize == nil:
		u.rules.normalize = lowerUsername
	}
	if u.Validate == nil {
		u.rules.validate = isPlainUsername
	}
	if u.NormalizeDisplay == nil {
		u.rules.normalizeDisplay = asItIs
	}
	return nil
}

func (u *Username) columns() []Column {
	columns := []Column{{
		Name: columnUsername, Type: TypeString, Nullable: true, Optional: true, Unique: true, Sortable: true,
		Transform: onText(u.rules.normalize),
		Taken:     usernameError(http.StatusBadRequest, ErrUsernameIsAlreadyTaken),
	}}
	if u.NoDisplayUsername {
		return columns
	}
	return append(columns, Column{
		Name: columnDisplayUsername, Type: TypeString, Nullable: true, Optional: true,
		Transform: onText(u.rules.normalizeDisplay),
	})
}

// onText is a transformation of a column that leaves alone what is no text.
func onText(transform func(string) string) func(any) any {
	return func(value any) any {
		if text, ok := value.(string); ok {
			return transform(text)
		}
		return value
	}
}

// SignInUsernameRequest is the body of POST /sign-in/username.
type SignInUsernameRequest struct {
	Username    string  `json:"username"`
	Password    string  `json:"password"`
	RememberMe  *bool   `json:"rememberMe,omitempty"`  // nil is true; new(false) makes a session for one day
	CallbackURL *string `json:"callbackURL,omitempty"` // where the client is to go
}

// SignInUsernameResponse is the answer of POST /sign-in/username. Redirect asks the
// client to go to URL, which is the CallbackURL of the request.
type SignInUsernameResponse struct {
	Redirect bool    `json:"redirect"`
	Token    string  `json:"token"`
	URL      *string `json:"url,omitempty"`
	User     *User   `json:"user" check:"nonnull"`
}

// signIn checks a password and starts a session. An unknown name and a wrong
// password cost the same and look the same.
func (u *Username) signIn(ctx context.Context, in SignInUsernameRequest) (*SignInUsernameResponse, error) {
	if in.Username == "" || in.Password == "" {
		return nil, u.signInFailed(ctx, in.Username)
	}
	if code := u.objection(in.Username); code != "" {
		return nil, usernameError(http.StatusUnprocessableEntity, code)
	}
	user, account, err := u.authenticate(ctx, in.Username, in.Password)
	if err != nil {
		return nil, err
	}
	if err := u.services.RefuseUnverified(ctx, user, in.CallbackURL); err != nil {
		return nil, err
	}
	session, err := u.services.SignIn(ctx, &SignIn{
		User: user, Method: "username", Password: account, DontRemember: in.RememberMe != nil && !*in.RememberMe,
	})
	switch {
	case errors.Is(err, ErrInvalidPassword):
		return nil, u.signInFailed(ctx, in.Username)
	case errors.Is(err, ErrAborted):
		return nil, ErrFailedToCreateSession.With(http.StatusInternalServerError).WithCause(err)
	case err != nil:
		return nil, err
	}
	redirect := in.CallbackURL != nil && *in.CallbackURL != ""
	if redirect {
		ExchangeFrom(ctx).SetLocation(*in.CallbackURL)
	}
	if session == nil {
		return nil, nil
	}
	return &SignInUsernameResponse{
		Redirect: redirect, Token: session.Token, URL: in.CallbackURL, User: u.services.VisibleUser(user),
	}, nil
}

// authenticate returns the user with a name and a password, and the account as it
// was when the password was checked.
func (u *Username) authenticate(ctx context.Context, username, password string) (*User, *Account, error) {
	user, err := u.holder(ctx, username)
	if err != nil {
		return nil, nil, err
	}
	id := ""
	if user != nil {
		id = user.ID
	}
	account, err := u.services.PasswordAccount(ctx, id)
	if err != nil {
		return nil, nil, err
	}
	ok, err := u.services.VerifyPassword(ctx, account, password)
	if err != nil {
		return nil, nil, err
	}
	if !ok {
		return nil, nil, u.signInFailed(ctx, username)
	}
	return user, account, nil
}

func (u *Username) signInFailed(ctx context.Context, username string) error {
	u.services.Event(ctx, Event{Name: EventSignInFailed, Method: u.ID(), Reason: "credentials", Identifier: username})
	return usernameError(http.StatusUnauthorized, ErrInvalidUsernameOrPassword)
}

// IsUsernameAvailableRequest is the body of POST /is-username-available.
type IsUsernameAvailableRequest struct {
	Username string `json:"username"`
}

// IsUsernameAvailableResponse is the answer of POST /is-username-available.
type IsUsernameAvailableResponse struct {
	Available bool `json:"available"`
}

func (u *Username) isAvailable(ctx context.Context, in IsUsernameAvailableRequest) (*IsUsernameAvailableResponse, error) {
	code := u.objection(in.Username)
	if in.Username == "" {
		code = ErrInvalidUsername
	}
	if code != "" {
		return nil, usernameError(http.StatusUnprocessableEntity, code)
	}
	holder, err := u.holder(ctx, in.Username)
	if err != nil {
		return nil, err
	}
	return &IsUsernameAvailableResponse{Available: holder == nil}, nil
}

// holder returns the user with a name, nil if there is none.
func (u *Username) holder(ctx context.Context, username string) (*User, error) {
	return u.services.User(ctx, Where(columnUsername, u.rules.normalize(username)))
}

// objection returns what is wrong with a name, empty if nothing is.
func (u *Username) objection(username string) Code {
	if u.ValidateNormalized {
		username = u.rules.normalize(username)
	}
	length := len(utf16.Encode([]rune(username)))
	switch {
	case length < u.rules.minLength:
		return ErrUsernameTooShort
	case length > u.rules.maxLength:
		return ErrUsernameTooLong
	case !u.rules.validate(username):
		return ErrInvalidUsername
	}
	return ""
}

// displayObjection is objection for the name that others see.
func (u *Username) displayObjection(name string) Code {
	if u.ValidateNormalizedDisplay {
		name = u.rules.normalizeDisplay(name)
	}
	if u.ValidateDisplay != nil && !u.ValidateDisplay(name) {
		return ErrInvalidDisplayUsername
	}
	return ""
}

// beforeSignUp checks the names of somebody new. A display name that could be a
// username is taken for one if none is given, and the other way round.
func (u *Username) beforeSignUp(x *Exchange) error {
	in, ok := x.Input().(*SignUpEmailRequest)
	if !ok || in.Fields == nil {
		return nil
	}
	in.Fields = maps.Clone(in.Fields) // that of a Call is the caller's
	display, hasDisplay := in.Fields[columnDisplayUsername].(string)
	if _, sent := in.Fields[columnUsername]; !sent && hasDisplay && u.objection(display) == "" {
		in.Fields[columnUsername] = display
	}
	username, hasName := in.Fields[columnUsername].(string)
	if hasName {
		if code := u.objection(username); code != "" {
			return usernameError(http.StatusBadRequest, code)
		}
		if err := u.checkFree(x, username, ""); err != nil {
			return err
		}
	}
	if err := u.checkDisplay(in.Fields); err != nil {
		return err
	}
	if given := in.Fields[columnDisplayUsername]; !u.NoDisplayUsername && hasName && (given == nil || given == "") {
		in.Fields[columnDisplayUsername] = username
	}
	return nil
}

func (u *Username) checkDisplay(fields map[string]any) error {
	if display, ok := fields[columnDisplayUsername].(string); ok {
		if code := u.displayObjection(display); code != "" {
			return usernameError(http.StatusBadRequest, code)
		}
	}
	return nil
}

// beforeUpdate checks the names that users give themselves.
func (u *Username) beforeUpdate(x *Exchange) error {
	in, ok := x.Input().(*UpdateUserRequest)
	if !ok {
		return nil
	}
	if err := u.checkChange(x, in.Fields); err != nil {
		return err
	}
	return u.checkDisplay(in.Fields)
}

// checkChange leaves a value that is neither a text nor null to the endpoint.
func (u *Username) checkChange(ctx context.Context, fields map[string]any) error {
	value, sent := fields[columnUsername]
	username, isText := value.(string)
	if !isText && (!sent || value != nil || !u.Immutable) {
		return nil
	}
	if isText {
		if code := u.objection(username); code != "" {
			return usernameError(http.StatusBadRequest, code)
		}
	}
	session, err := u.services.Session(ctx, SessionRequired)
	if err != nil {
		return err
	}
	userID := ""
	if session != nil {
		userID = session.User.ID
	}
	if u.Immutable && userID != "" {
		if err := u.checkImmutable(ctx, userID, username); err != nil {
			return err
		}
	}
	if !isText {
		return nil
	}
	return u.checkFree(ctx, username, userID)
}

// checkFree refuses a name that somebody else has. Nobody has an empty id.
func (u *Username) checkFree(ctx context.Context, username, userID string) error {
	holder, err := u.holder(ctx, username)
	if err == nil && holder != nil && holder.ID != userID {
		err = usernameError(http.StatusBadRequest, ErrUsernameIsAlreadyTaken)
	}
	return err
}

// checkImmutable asks the store which name a user has: the copy of a session may be
// older.
func (u *Username) checkImmutable(ctx context.Context, userID, username string) error {
	user, err := u.services.User(ctx, Where("id", userID))
	if err != nil || user == nil {
		return err
	}
	current, _ := user.Fields[columnUsername].(string)
	if current != "" && current != u.rules.normalize(username) {
		return usernameError(http.StatusBadRequest, ErrUsernameIsImmutable)
	}
	return nil
}

// beforeUserIsCreated brings the names of every new user into form and checks those
// that come another way than by sign-up. Whether a name is taken the store decides.
func (u *Username) beforeUserIsCreated(ctx context.Context, user *User) error {
	username, _ := user.Fields[columnUsername].(string)
	display, _ := user.Fields[columnDisplayUsername].(string)
	if err := u.checkStored(ctx, username, display); err != nil {
		return err
	}
	if username != "" {
		user.Fields[columnUsername] = u.rules.normalize(username)
		if display == "" {
			display = username
		}
	}
	if display != "" && !u.NoDisplayUsername {
		user.Fields[columnDisplayUsername] = u.rules.normalizeDisplay(display)
	}
	return nil
}

// beforeUserIsChanged is beforeUserIsCreated for changes.
func (u *Username) beforeUserIsChanged(ctx context.Context, changes map[string]any) error {
	username, _ := changes[columnUsername].(string)
	display, _ := changes[columnDisplayUsername].(string)
	if err := u.checkStored(ctx, username, display); err != nil {
		return err
	}
	if username != "" {
		changes[columnUsername] = u.rules.normalize(username)
	}
	if display != "" && !u.NoDisplayUsername {
		changes[columnDisplayUsername] = u.rules.normalizeDisplay(display)
	}
	return nil
}

// checkStored judges names that no hook before an endpoint has judged.
func (u *Username) checkStored(ctx context.Context, username, display string) error {
	if x := ExchangeFrom(ctx); x != nil {
		if path := x.Operation().Path(); path == pathUsernameSignUp || path == pathUsernameUpdate {
			return nil
		}
	}
	var code Code
	if username != "" {
		code = u.objection(username)
	}
	if code == "" && display != "" {
		code = u.displayObjection(display)
	}
	if code != "" {
		return usernameError(http.StatusBadRequest, code)
	}
	return nil
}

// isPlainUsername is the default of Username.Validate.
func isPlainUsername(name string) bool {
	return name != "" && !strings.ContainsFunc(name, func(r rune) bool {
		return !strings.ContainsRune(Alphanumeric+"_.", r)
	})
}

// lowerUsername is the lower case that JavaScript makes, so that a name has one form
// on both servers.
func lowerUsername(name string) string {
	runes := []rune(strings.ReplaceAll(name, "\u0130", "i\u0307"))
	for i, r := range runes {
		if r == 'Σ' && endsWord(runes, i) {
			runes[i] = 'ς'
		} else {
			runes[i] = unicode.ToLower(r)
		}
	}
	return string(runes)
}

// endsWord reports whether a letter is the last one of several (Unicode section
// 3.13, Final_Sigma).
func endsWord(runes []rune, i int) bool {
	before, after := i-1, i+1
	for before >= 0 && isCaseIgnorable(runes[before]) {
		before--
	}
	for after < len(runes) && isCaseIgnorable(runes[after]) {
		after++
	}
	return before >= 0 && isCased(runes[before]) && (after == len(runes) || !isCased(runes[after]))
}

func isCased(r rune) bool {
	return unicode.In(r, unicode.Lu, unicode.Ll, unicode.Lt, unicode.Other_Uppercase, unicode.Other_Lowercase)
}

// isCaseIgnorable lists the punctuation inside of words (UAX 29) itself.
func isCaseIgnorable(r rune) bool {
	return strings.ContainsRune("'.:^`\u00b7\u0387\u055f\u05f4\u2018\u2019\u2024\u2027\ufe13\ufe52\ufe55\uff07\uff0e\uff1a", r) ||
		unicode.In(r, unicode.Mn, unicode.Me, unicode.Cf, unicode.Lm, unicode.Sk)
}

// usernameErrors are what the hooks fail with where users are made or changed.
func usernameErrors() []RouteErrors {
	return []RouteErrors{
		{
			Paths: []string{pathUsernameSignUp, pathUsernameUpdate, "/sign-in/social", "/sign-in/email-otp"},
			Errors: map[int][]Code{400: {
				ErrUsernameIsAlreadyTaken, ErrUsernameTooShort, ErrUsernameTooLong, ErrInvalidUsername, ErrInvalidDisplayUsername,
			}},
		},
		{
			Paths:  []string{pathUsernameUpdate},
			Errors: map[int][]Code{400: {ErrUsernameIsImmutable}},
		},
	}
}
