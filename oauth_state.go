package auth

import (
	"context"
	"crypto/subtle"
	"encoding/json"
	"errors"
	"maps"
	"net/http"
	"time"
)

// A StateStrategy says where the state of a flow at a provider waits for its
// callback. All servers that share cookies agree on it.
type StateStrategy string

const (
	StateInDatabase StateStrategy = "database" // a verification, used once, and a signed cookie that binds it to the browser
	StateInCookie   StateStrategy = "cookie"   // an encrypted cookie, good until it expires
)

// Lifetimes of a flow (contract oauth section 2).
const (
	stateLifetime     = 10 * time.Minute
	stateCookieAge    = 300 // seconds
	sealedStateAge    = 600
	purposeOAuthState = "auth-state:"
)

// An oauthFlow is what is remembered of a flow between the request that starts it
// and the callback that ends it. In JSON its members stand beside those of the
// caller's data, which never replace them.
type oauthFlow struct {
	CallbackURL   string          `json:"callbackURL"`
	CodeVerifier  string          `json:"codeVerifier"`
	ErrorURL      string          `json:"errorURL,omitempty"`
	NewUserURL    string          `json:"newUserURL,omitempty"`
	Link          *flowLink       `json:"link,omitempty"`
	ServerContext json.RawMessage `json:"serverContext,omitempty"` // of the original's plugins
	ExpiresAt     int64           `json:"expiresAt"`               // Unix milliseconds
	RequestSignUp *bool           `json:"requestSignUp,omitempty"`
	Nonce         string          `json:"idTokenNonce,omitempty"`
	State         string          `json:"oauthState,omitempty"`

	// Provider keeps the callback of one provider from ending the flow of another.
	// The original does not have it.
	Provider string `json:"oauthProvider,omitempty"`

	data map[string]any // of the caller
}

// flowLink is who wants to link an account.
type flowLink struct {
	UserID       looseText `json:"userId"`
	Email        string    `json:"email"`
	SessionToken string    `json:"encryptedSessionToken,omitempty"`
}

// looseText is a text that the original may write as a number.
type looseText string

// UnmarshalJSON reads a text or a number.
func (t *looseText) UnmarshalJSON(data []byte) error {
	var number json.Number // takes a quoted text only if it is a number
	if json.Unmarshal(data, &number) == nil && data[0] != '"' {
		*t = looseText(number)
		return nil
	}
	return json.Unmarshal(data, (*string)(t))
}

// A flowError is why a callback does not belong to a flow of this browser. The
// error page is that of the flow if it could be read.
type flowError struct {
	code string
	flow *oauthFlow
}

func (e *flowError) Error() string { return "auth: callback of a provider: " + e.code }

// MarshalJSON writes the caller's data first.
func (f *oauthFlow) MarshalJSON() ([]byte, error) {
	type plain oauthFlow
	own, err := appendMarshal(nil, (*plain)(f))
	if err != nil {
		return nil, err
	}
	data := maps.Clone(f.data)
	maps.DeleteFunc(data, func(name string, _ any) bool { return flowMembers[name] })
	if len(data) == 0 {
		return own, nil
	}
	text, err := appendJSON(nil, data)
	if err != nil {
		return nil, err
	}
	return append(append(text[:len(text)-1], ','), own[1:]...), nil
}

// flowMembers are the names that a caller's data cannot have.
var flowMembers = map[string]bool{
	"callbackURL": true, "codeVerifier": true, "errorURL": true, "newUserURL": true, "link": true, "serverContext": true,
	"expiresAt": true, "requestSignUp": true, "idTokenNonce": true, "oauthState": true, "oauthProvider": true,
}

// parseFlow reads what MarshalJSON or the original wrote.
func parseFlow(text string) (*oauthFlow, error) {
	members, err := jsonMembers([]byte(text))
	if err != nil {
		return nil, err
	}
	type plain oauthFlow
	var f plain
	for _, name := range []string{"callbackURL", "codeVerifier", "expiresAt"} {
		if raw, ok := members[name]; !ok || string(raw) == "null" {
			return nil, errors.New("auth: a flow without " + name)
		}
	}
	if err := json.Unmarshal([]byte(text), &f); err != nil {
		return nil, err
	}
	if f.Link != nil && f.Link.UserID == "" {
		return nil, errors.New("auth: a flow that links nobody")
	}
	flow := oauthFlow(f)
	if err := json.Unmarshal([]byte(text), &flow.data); err != nil {
		return nil, err
	}
	maps.DeleteFunc(flow.data, func(name string, _ any) bool { return flowMembers[name] })
	return &flow, nil
}

// beginFlow stores a flow and sends the cookie that binds it to the browser. It
// completes the flow.
func (s *services) beginFlow(ctx context.Context, flow *oauthFlow) error {
	flow.State = newFlowToken()
	flow.CodeVerifier = newCodeVerifier()
	flow.ExpiresAt = time.Now().Add(stateLifetime).UnixMilli()
	text, err := flow.MarshalJSON()
	if err != nil {
		return err
	}
	x, c := ExchangeFrom(ctx), s.cookiesOf(ctx).stateCookie
	if s.stateInCookie {
		c.value = s.stateSeal.seal(string(text))
		if len(c.String()) > maxCookieLine {
			return NewError(http.StatusBadRequest, ErrValidation, "[body.additionalData] Too large for a cookie")
		}
		x.setCookie(c)
		return nil
	}
	if err := s.createVerification(ctx, purposeOAuthState, flow.State, string(text), stateLifetime); err != nil {
		return err
	}
	c.value = s.signer.signCookie(flow.State)
	x.setCookie(c)
	return nil
}

// endFlow returns the flow that a callback ends; it can be ended once. Errors:
// *flowError, and those of the store.
func (s *services) endFlow(ctx context.Context, state, provider string) (*oauthFlow, error) {
	find := s.storedFlow
	if s.stateInCookie {
		find = s.sealedFlow
	}
	flow, err := find(ctx, state, provider)
	if err == nil && flow.ExpiresAt < time.Now().UnixMilli() {
		err = &flowError{"state_mismatch", flow}
	}
	return flow, err
}

// storedFlow checks everything before it uses the flow up, so that a stranger with
// the state alone cannot end somebody else's.
func (s *services) storedFlow(ctx context.Context, state, provider string) (*oauthFlow, error) {
	v, err := s.verifications.newest(ctx, purposeOAuthState+state)
	switch {
	case err != nil:
		return nil, err
	case v == nil:
		return nil, &flowError{"state_mismatch", nil}
	}
	flow, err := parseFlow(v.Value)
	if err != nil {
		return nil, &flowError{"internal_server_error", nil}
	}
	x, cookies := ExchangeFrom(ctx), s.cookiesOf(ctx)
	bound := s.skipStateCookie || same(cookies.open(x.headers, cookies.stateCookie.name), state)
	if flow.State != "" && !same(flow.State, state) || !bound || !flow.belongsTo(provider) {
		return nil, &flowError{"state_mismatch", flow}
	}
	x.expireCookie(cookies.stateCookie)
	used, err := s.redeemVerification(ctx, purposeOAuthState, state)
	if err == nil && used == nil {
		err = &flowError{"state_mismatch", nil} // another callback was faster
	}
	return flow, err
}

func (s *services) sealedFlow(ctx context.Context, state, provider string) (*oauthFlow, error) {
	x, cookies := ExchangeFrom(ctx), s.cookiesOf(ctx)
	raw, _ := cookieValue(x.headers, cookies.stateCookie.name)
	if raw == "" {
		return nil, &flowError{"state_mismatch", nil}
	}
	text, err := s.stateSeal.open(decodeURIComponent(raw))
	if err != nil {
		return nil, &flowError{"state_invalid", nil}
	}
	flow, err := parseFlow(text)
	if err != nil {
		return nil, &flowError{"state_invalid", nil}
	}
	if !same(flow.State, state) || !flow.belongsTo(provider) {
		return nil, &flowError{"state_mismatch", flow}
	}
	x.expireCookie(cookies.stateCookie)
	return flow, nil
}

// belongsTo reports whether the flow was begun for a provider. The original does
// not say for which one it was.
func (f *oauthFlow) belongsTo(provider string) bool {
	return f.Provider == "" || f.Provider == provider
}

// same compares secrets in constant time.
func same(a, b string) bool { return a != "" && subtle.ConstantTimeCompare([]byte(a), []byte(b)) == 1 }

// OAuthData returns the additionalData that the request which began a sign-in at
// a provider had, for hooks that run while its callback is served; nil elsewhere.
// The browser's user can choose all of it.
func OAuthData(ctx context.Context) map[string]any {
	if x := ExchangeFrom(ctx); x != nil {
		if flow, ok := x.flow.(*oauthFlow); ok {
			return flow.data
		}
	}
	return nil
}
