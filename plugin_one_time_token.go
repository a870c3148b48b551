package auth

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"time"
)

// oneTimeTokenPurpose begins the identifiers of verifications that stand for a
// session.
const oneTimeTokenPurpose = "one-time-token:"

const defaultOneTimeTokenLifetime = 3 * time.Minute

// OneTimeToken takes a session to another place, such as another domain or an app: a
// token that its user gets there is exchanged for the session, once.
//
// Whoever has the token is the user: it belongs in the fragment of a URL or the body
// of a request, not in a query that servers log.
type OneTimeToken struct {
	ExpiresIn time.Duration // lifetime of a token; default: 3 minutes

	// DisableClientRequest keeps Generate to Go code. Verify stays open.
	DisableClientRequest bool

	// NewToken makes a token for a session, which must be impossible to guess. Nil: 32
	// letters, digits, - and _.
	NewToken func(ctx context.Context, data *SessionData) (string, error)

	// StoreToken gives the form in which a token is stored: nil leaves it as it is,
	// HashIdentifier, which the original calls "hashed", keeps those who can read the
	// database from redeeming what they find there.
	StoreToken func(token string) string

	// DisableSessionCookie keeps Verify from sending the session to the browser: it
	// returns the session only.
	DisableSessionCookie bool

	// SendOnNewSession gives every response that sends a session to the browser, new
	// or changed, the header set-ott with a token for it, which scripts of other
	// origins may read.
	SendOnNewSession bool

	// Generate is GET /one-time-token/generate: a token for the caller's session.
	// Errors: 401 ErrUnauthorized, 400 with DisableClientRequest.
	Generate *Endpoint[Empty, *GenerateOneTimeTokenResponse]

	// Verify is POST /one-time-token/verify: it spends a token, sends its session to
	// the browser and returns it. Of any number of callers one gets it. Errors: 400
	// without a code if the token is unknown, spent or expired, or the session has
	// ended; the token is spent then too.
	Verify *Endpoint[VerifyOneTimeTokenRequest, *SessionData]

	services *Services
}

// GenerateOneTimeTokenResponse is the answer of GET /one-time-token/generate.
type GenerateOneTimeTokenResponse struct {
	Token string `json:"token"`
}

// VerifyOneTimeTokenRequest is the body of POST /one-time-token/verify.
type VerifyOneTimeTokenRequest struct {
	Token string `json:"token"`
}

// ID returns "one-time-token".
func (*OneTimeToken) ID() string { return "one-time-token" }

// Extend is called by New. Errors: ExpiresIn is negative.
func (o *OneTimeToken) Extend(s *Services) (*Extension, error) {
	if o.ExpiresIn < 0 {
		return nil, fmt.Errorf("ExpiresIn is %v", o.ExpiresIn)
	}
	o.services = s
	o.Generate = NewEndpoint(http.MethodGet, "/one-time-token/generate", o.generate)
	o.Verify = NewEndpoint(http.MethodPost, "/one-time-token/verify", o.verify)
	o.describe()
	added := &Extension{Endpoints: []PluginEndpoint{
		{Name: "generateOneTimeToken", Endpoint: o.Generate, Session: SessionRequired},
		{Name: "verifyOneTimeToken", Endpoint: o.Verify},
	}}
	if o.SendOnNewSession {
		added.After = []RouteHook{{Run: o.send}}
	}
	return added, nil
}

func (o *OneTimeToken) generate(ctx context.Context, _ Empty) (*GenerateOneTimeTokenResponse, error) {
	if o.DisableClientRequest && !ExchangeFrom(ctx).Direct() {
		return nil, NewError(http.StatusBadRequest, "", "Client requests are disabled")
	}
	data, err := o.services.Session(ctx, SessionRequired)
	if err != nil {
		return nil, err
	}
	token, err := o.create(ctx, data)
	return &GenerateOneTimeTokenResponse{Token: token}, err
}

// create makes and stores a token for a session.
func (o *OneTimeToken) create(ctx context.Context, data *SessionData) (string, error) {
	token, err := o.newToken(ctx, data)
	if err != nil {
		return "", err
	}
	lifetime := o.ExpiresIn
	if lifetime == 0 {
		lifetime = defaultOneTimeTokenLifetime
	}
	return token, o.services.CreateVerification(ctx, oneTimeTokenPurpose, o.stored(token), data.Session.Token, lifetime)
}

var errEmptyOneTimeToken = errors.New("auth: OneTimeToken.NewToken has returned an empty token")

func (o *OneTimeToken) newToken(ctx context.Context, data *SessionData) (string, error) {
	if o.NewToken == nil {
		return RandomString(32, URLSafe), nil
	}
	token, err := o.NewToken(ctx, data)
	if err == nil && token == "" {
		err = errEmptyOneTimeToken
	}
	return token, err
}

func (o *OneTimeToken) stored(token string) string {
	if o.StoreToken == nil {
		return token
	}
	return o.StoreToken(token)
}

func (o *OneTimeToken) verify(ctx context.Context, in VerifyOneTimeTokenRequest) (*SessionData, error) {
	v, err := o.services.ConsumeVerification(ctx, oneTimeTokenPurpose, o.stored(in.Token))
	if err != nil {
		return nil, err
	}
	if v == nil {
		return nil, o.refuse(ctx, "Invalid token")
	}
	data, err := o.services.SessionByToken(ctx, v.Value)
	switch {
	case err != nil:
		return nil, err
	case data == nil:
		return nil, o.refuse(ctx, "Session not found")
	case !data.Session.ExpiresAt.After(o.services.Now()):
		return nil, o.refuse(ctx, "Session expired")
	}
	if !o.DisableSessionCookie {
		o.services.SetSession(ctx, data, o.services.Forgets(ctx))
	}
	o.services.Event(ctx, Event{Name: EventOneTimeTokenUsed, UserID: data.User.ID, SessionID: data.Session.ID})
	return o.services.VisibleSession(data), nil
}

// refuse is the answer to a token for which there is no session.
func (o *OneTimeToken) refuse(ctx context.Context, message string) error {
	reason := strings.ReplaceAll(strings.ToLower(message), " ", "_")
	o.services.Event(ctx, Event{Name: EventTokenRefused, Method: o.ID(), Reason: reason})
	return NewError(http.StatusBadRequest, "", message)
}

// send gives a response that sends a session to the browser a token for it.
func (o *OneTimeToken) send(x *Exchange) error {
	data := NewSessionFromContext(x)
	if data == nil {
		return nil
	}
	token, err := o.create(x, data)
	if err != nil {
		return err
	}
	x.SetExposed("set-ott", token)
	return nil
}

// describe says what documents say of the endpoints.
func (o *OneTimeToken) describe() {
	o.Generate.Describe(Description{
		Summary: "Get a token for the session",
		Details: "Whoever redeems it at /one-time-token/verify has the session, once.",
		Errors:  map[int][]Code{400: nil},
	})
	o.Verify.Describe(Description{
		Summary: "Redeem a token for its session",
		Details: "The session's cookie is sent, unless the server is configured otherwise. The token is spent, also where the " +
			"session has ended.",
		Errors: map[int][]Code{400: nil},
	})
}
