package auth

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"strings"
	"time"
)

// MagicLink signs in who follows a link that was mailed to them: whoever reads the
// mails of an address is its user. A link is good once.
type MagicLink struct {
	// Send mails the link. It is required. Its error is that of the request, since
	// nobody can tell from it who has an account: the mail goes to every address.
	Send func(ctx context.Context, m MagicLinkMail) error

	// ExpiresIn is how long a link is good. Default: 5 minutes.
	ExpiresIn time.Duration

	// DisableSignUp signs in known users only. Otherwise an unknown address makes a
	// user.
	DisableSignUp bool

	// GenerateToken makes the secret of a link. It must not be guessable. Default: 32
	// random letters.
	GenerateToken func(ctx context.Context, email string) (string, error)

	// StoreToken gives the form in which a token is stored. With HashIdentifier, the
	// original's "hashed", nobody who can read the database can sign in with what is
	// there. Default: as it is.
	StoreToken func(token string) string

	// RateLimit bounds the requests to each of the two endpoints. Default: 5 in a
	// minute.
	RateLimit RateRule

	// SignIn is POST /sign-in/magic-link: it has a link mailed.
	SignIn *Endpoint[SignInMagicLinkRequest, *Status]

	// Verify is GET /magic-link/verify, where the link leads.
	Verify *Endpoint[MagicLinkVerifyRequest, *MagicLinkVerifyResponse]

	services *Services
}

// A MagicLinkMail is what MagicLink.Send sends.
type MagicLinkMail struct {
	Email    string         // as it was typed
	URL      string         // the link
	Token    string         // the secret in it, for a link of the application's own
	Metadata map[string]any // of the request; it comes from a stranger
}

// ID is "magic-link".
func (m *MagicLink) ID() string { return "magic-link" }

// Extend adds the endpoints. Errors: no Send, a negative ExpiresIn.
func (m *MagicLink) Extend(s *Services) (*Extension, error) {
	if !s.Remote() && (m.Send == nil || m.ExpiresIn < 0) {
		return nil, errors.New("nobody sends the links (Send), or ExpiresIn is negative")
	}
	m.services = s
	m.SignIn = NewEndpoint(http.MethodPost, "/sign-in/magic-link", m.signIn)
	m.Verify = NewEndpoint(http.MethodGet, "/magic-link/verify", m.verify)
	m.describe()
	rule := m.RateLimit
	rule.Window, rule.Max = cmp.Or(rule.Window, time.Minute), cmp.Or(rule.Max, 5)
	return &Extension{
		Endpoints: []PluginEndpoint{
			{Name: "signInMagicLink", Endpoint: m.SignIn, NeedHeaders: true, FormGuard: true},
			{
				Name: "magicLinkVerify", Endpoint: m.Verify, NeedHeaders: true,
				RedirectQuery: []string{"callbackURL", "newUserCallbackURL", "errorCallbackURL"},
			},
		},
		RateRules: map[string]RateRule{m.SignIn.Path(): rule, m.Verify.Path(): rule},
	}, nil
}

// SignInMagicLinkRequest is the body of POST /sign-in/magic-link.
type SignInMagicLinkRequest struct {
	Email              string         `json:"email" check:"email"`
	Name               *string        `json:"name,omitempty"`               // of a new user
	CallbackURL        string         `json:"callbackURL,omitempty"`        // where the link leads in the end; default "/"
	NewUserCallbackURL string         `json:"newUserCallbackURL,omitempty"` // the same for new users; default CallbackURL
	ErrorCallbackURL   string         `json:"errorCallbackURL,omitempty"`   // the same for a link that is no good; default CallbackURL
	Metadata           map[string]any `json:"metadata,omitempty"`           // handed to Send
}

// A magicLink is what is stored of a link.
type magicLink struct {
	Type  string  `json:"type"`
	Email string  `json:"email"`
	Name  *string `json:"name,omitempty"`
}

// purposeMagicLink is in the identifier and, as magicLinkType, in the value: what
// was stored for anything else is no link (GHSA-965c-763c-88jm).
const (
	purposeMagicLink = "magic-link:"
	magicLinkType    = "magic-link"
)

// signIn stores a link and has it mailed, whether or not there is a user.
func (m *MagicLink) signIn(ctx context.Context, in SignInMagicLinkRequest) (*Status, error) {
	token, err := m.newToken(ctx, in.Email)
	if err != nil {
		return nil, err
	}
	value := magicLink{Type: magicLinkType, Email: in.Email, Name: in.Name}.String()
	err = m.services.CreateVerification(ctx, purposeMagicLink, m.stored(token), value, cmp.Or(m.ExpiresIn, 5*time.Minute))
	switch {
	case errors.Is(err, ErrInvalidValue):
		return nil, NewError(http.StatusBadRequest, ErrValidation, "[body] Too long").WithCause(err)
	case err != nil:
		return nil, err
	}
	params := []string{"token", token, "callbackURL", cmp.Or(in.CallbackURL, "/")}
	if in.NewUserCallbackURL != "" {
		params = append(params, "newUserCallbackURL", in.NewUserCallbackURL)
	}
	if in.ErrorCallbackURL != "" {
		params = append(params, "errorCallbackURL", in.ErrorCallbackURL)
	}
	err = m.Send(ctx, MagicLinkMail{
		Email: in.Email, URL: m.services.URL(ctx, m.Verify.Path(), params...), Token: token, Metadata: in.Metadata,
	})
	if err != nil {
		return nil, err
	}
	m.services.Event(ctx, Event{Name: EventSignInRequested, Method: m.ID(), Identifier: in.Email})
	return &Status{Status: true}, nil
}

func (m *MagicLink) newToken(ctx context.Context, email string) (string, error) {
	if m.GenerateToken == nil {
		return RandomString(32, Letters), nil
	}
	token, err := m.GenerateToken(ctx, email)
	if err == nil && token == "" {
		err = errors.New("auth: MagicLink.GenerateToken returned no token")
	}
	return token, err
}

func (m *MagicLink) stored(token string) string {
	if m.StoreToken == nil {
		return token
	}
	return m.StoreToken(token)
}

// String is the value that is stored.
func (l magicLink) String() string {
	var text bytes.Buffer
	encoder := json.NewEncoder(&text)
	encoder.SetEscapeHTML(false)
	_ = encoder.Encode(l) // texts always encode
	return string(bytes.TrimSpace(text.Bytes()))
}

// parseMagicLink reads a stored value. It is not ok if it is anything but a link,
// with members of other names for instance.
func parseMagicLink(value string) (link magicLink, ok bool) {
	var members map[string]*string // nil: null
	if json.Unmarshal([]byte(value), &members) != nil {
		return magicLink{}, false
	}
	for name, text := range members {
		switch {
		case text == nil:
			return magicLink{}, false
		case name == "type":
			link.Type = *text
		case name == "email":
			link.Email = *text
		case name == "name":
			link.Name = text
		default:
			return magicLink{}, false
		}
	}
	return link, link.Type == magicLinkType && ValidEmail(link.Email)
}

// MagicLinkVerifyRequest is the query of GET /magic-link/verify.
type MagicLinkVerifyRequest struct {
	Token              string `query:"token"`
	CallbackURL        string `query:"callbackURL,omitempty"`        // where to go; without one the answer is JSON
	ErrorCallbackURL   string `query:"errorCallbackURL,omitempty"`   // with ?error=… if the link is no good; default CallbackURL
	NewUserCallbackURL string `query:"newUserCallbackURL,omitempty"` // for new users; default CallbackURL
}

// MagicLinkVerifyResponse is the answer to a request without CallbackURL.
type MagicLinkVerifyResponse struct {
	Token   string   `json:"token"`
	User    *User    `json:"user" check:"nonnull"`
	Session *Session `json:"session" check:"nonnull"`
}

// The codes in the URL of a failure, beside ErrInvalidToken and what forbids a user
// to be created.
const (
	codeMagicLinkNoSignUp  Code = "new_user_signup_disabled"
	codeMagicLinkNoUser    Code = "failed_to_create_user"
	codeMagicLinkUserGone  Code = "user_not_found"
	codeMagicLinkNoSession Code = "failed_to_create_session"
)

// verify signs in who follows a link. Spending the link, the user and the session
// are stored together or not at all.
func (m *MagicLink) verify(ctx context.Context, in MagicLinkVerifyRequest) (*MagicLinkVerifyResponse, error) {
	targets, err := m.targetsOf(ctx, in)
	if err != nil {
		return nil, err
	}
	token := m.stored(in.Token)
	pending, err := m.services.FindVerification(ctx, purposeMagicLink, token)
	if err != nil {
		return nil, err
	}
	if _, ok := linkOf(pending); !ok { // what is no link is not spent
		return nil, m.refuse(ctx, targets, ErrInvalidToken)
	}
	var end *magicLinkEnd
	err = m.services.Insist(ctx, func(ctx context.Context) (err error) {
		end, err = m.redeem(ctx, token, in.CallbackURL != "")
		return err
	})
	switch {
	case errors.Is(err, ErrInvalidValue): // a name that the database cannot hold
		return nil, m.refuse(ctx, targets, codeMagicLinkNoUser)
	case err != nil:
		return nil, err
	case end.refusal != nil:
		return nil, m.refuse(ctx, targets, end.refusal)
	case end.failure != nil || end.session == nil:
		return nil, end.failure
	}
	return m.signedIn(ctx, in, targets, end)
}

// magicLinkTargets are where a link leads, as absolute URLs.
type magicLinkTargets struct{ user, newUser, failure string }

func (m *MagicLink) targetsOf(ctx context.Context, in MagicLinkVerifyRequest) (magicLinkTargets, error) {
	var errs [3]error
	user := cmp.Or(in.CallbackURL, "/")
	t := magicLinkTargets{}
	t.user, errs[0] = m.services.RedirectURL(ctx, user)
	t.newUser, errs[1] = m.services.RedirectURL(ctx, cmp.Or(in.NewUserCallbackURL, user))
	t.failure, errs[2] = m.services.RedirectURL(ctx, cmp.Or(in.ErrorCallbackURL, user))
	if err := errors.Join(errs[:]...); err != nil {
		return t, ErrInvalidCallbackURL.With(http.StatusForbidden).WithCause(err)
	}
	return t, nil
}

// refuse redirects with what is wrong, a Code or an *APIError that has one.
func (m *MagicLink) refuse(ctx context.Context, targets magicLinkTargets, why error) error {
	code, description := Code(""), ""
	if api, ok := errors.AsType[*APIError](why); ok {
		code, description = api.Code, api.Message
	} else {
		code, _ = errors.AsType[Code](why)
	}
	m.services.Event(ctx, Event{Name: EventSignInFailed, Method: m.ID(), Reason: m.reason(code)})
	params := []string{"error", string(code)}
	if description != "" {
		params = append(params, "error_description", description)
	}
	url, err := m.services.RedirectURL(ctx, targets.failure, params...)
	if err != nil {
		return err
	}
	return ExchangeFrom(ctx).Redirect(url)
}

// reason is a code as one of a small number: that of a hook may be any.
func (m *MagicLink) reason(code Code) string {
	switch code {
	case ErrInvalidToken, codeMagicLinkNoSignUp, codeMagicLinkNoUser, codeMagicLinkUserGone, codeMagicLinkNoSession:
		return strings.ToLower(string(code))
	}
	return "refused"
}

// signedIn sends the session.
func (m *MagicLink) signedIn(ctx context.Context, in MagicLinkVerifyRequest, targets magicLinkTargets, end *magicLinkEnd) (*MagicLinkVerifyResponse, error) {
	data := &SessionData{Session: end.session, User: end.user}
	m.services.SetSession(ctx, data, m.services.Forgets(ctx))
	x := ExchangeFrom(ctx)
	switch {
	case in.CallbackURL == "":
		visible := m.services.VisibleSession(data)
		return &MagicLinkVerifyResponse{Token: end.session.Token, User: visible.User, Session: visible.Session}, nil
	case end.created:
		return nil, x.Redirect(targets.newUser)
	}
	return nil, x.Redirect(targets.user)
}

// A magicLinkEnd is what became of a link that was spent.
type magicLinkEnd struct {
	user    *User
	created bool     // the user is new
	session *Session // nil: nobody is signed in, or not yet

	refusal error // for the page of a link
	failure error // of another plugin or of a hook, a redirect among them
}

// linkOf reads a verification, nil for none.
func linkOf(v *Verification) (magicLink, bool) {
	if v == nil {
		return magicLink{}, false
	}
	return parseMagicLink(v.Value)
}

// redeem spends a link. It returns an error for what must leave everything as it
// was; a refusal spends the link.
func (m *MagicLink) redeem(ctx context.Context, token string, redirects bool) (*magicLinkEnd, error) {
	spent, err := m.services.ConsumeVerification(ctx, purposeMagicLink, token)
	if err != nil {
		return nil, err
	}
	link, ok := linkOf(spent)
	if !ok {
		return &magicLinkEnd{refusal: ErrInvalidToken}, nil
	}
	end, err := m.userOf(ctx, link)
	if err != nil || end.refusal != nil || end.failure != nil {
		return end, err
	}
	end.session, err = m.services.SignIn(ctx, &SignIn{User: end.user, Method: "magic-link", Redirects: redirects, Unsent: true})
	if errors.Is(err, ErrAborted) {
		end.refusal = codeMagicLinkNoSession
		return end, nil
	}
	if _, told := errors.AsType[*APIError](err); told {
		end.failure = err
		return end, nil
	}
	return end, err
}

// userOf finds or makes the user with the address of a link, which is proven now.
func (m *MagicLink) userOf(ctx context.Context, link magicLink) (*magicLinkEnd, error) {
	user, err := m.lockUser(ctx, link.Email)
	switch {
	case err != nil:
		return nil, err
	case user == nil && m.DisableSignUp:
		return &magicLinkEnd{refusal: codeMagicLinkNoSignUp}, nil
	case user == nil:
		return m.createUser(ctx, link)
	}
	if user, err = m.services.ProveMailbox(ctx, user); err != nil {
		return nil, err
	}
	if user == nil {
		return &magicLinkEnd{refusal: codeMagicLinkUserGone}, nil
	}
	return &magicLinkEnd{user: user}, nil
}

// lockUser returns the user with an address. ErrConflict means that the user has
// another one, or is gone, since a moment ago.
func (m *MagicLink) lockUser(ctx context.Context, email string) (*User, error) {
	found, err := m.services.UserByEmail(ctx, email)
	if err != nil || found == nil {
		return nil, err
	}
	user, err := m.services.LockUser(ctx, found.ID)
	if err == nil && (user == nil || user.Email != found.Email) {
		err = ErrConflict
	}
	return user, err
}

func (m *MagicLink) createUser(ctx context.Context, link magicLink) (*magicLinkEnd, error) {
	end := &magicLinkEnd{user: &User{Email: link.Email, EmailVerified: true}, created: true}
	if link.Name != nil {
		end.user.Name = *link.Name
	}
	err := m.services.CreateUser(ctx, end.user, UserSource{Method: "magic-link", Action: "create-user"})
	if errors.Is(err, ErrAborted) {
		end.refusal = codeMagicLinkNoUser
		return end, nil
	}
	api, told := errors.AsType[*APIError](err)
	switch {
	case told && api.Code != "":
		end.refusal = err
	case told:
		end.failure = err
	default:
		return end, err
	}
	return end, nil
}

// describe says what documents say of the endpoints.
func (m *MagicLink) describe() {
	m.SignIn.Describe(Description{
		Summary: "Ask for a mail with a link to sign in",
		Details: "The mail goes to every address; whether there is a user makes no difference to the answer.",
	})
	m.Verify.Describe(Description{
		Summary: "Sign in with the token of a link",
		Details: "Where the link in the mail leads. With `callbackURL` it goes on there, or to `newUserCallbackURL`. A link that " +
			"is no good leads to `errorCallbackURL` with `?error=…`.",
		Redirects: true,
	})
}
