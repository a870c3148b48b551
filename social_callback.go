package auth

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
)

// CallbackOAuthRequest is what a provider sends to /callback/:id, in the query or,
// with response_mode=form_post, in a form.
type CallbackOAuthRequest struct {
	ID string `path:"id"`

	Code             string `query:"code,omitempty"`
	Error            string `query:"error,omitempty"`
	DeviceID         string `query:"device_id,omitempty"`
	ErrorDescription string `query:"error_description,omitempty"`
	State            string `query:"state,omitempty"`
	User             string `query:"user,omitempty"` // JSON that Apple posts at the first sign-in
	Issuer           string `query:"iss,omitempty"`  // RFC 9207
}

// callbackParams are the members of a callback, in the order in which they are
// handed on.
var callbackParams = []string{"code", "error", "device_id", "error_description", "state", "user", "iss"}

// inspect looks at a posted callback: an object whose members are texts.
func (r *CallbackOAuthRequest) inspect(x *Exchange, issues []issue) []issue {
	if x.sent.root != kindObject && x.sent.root != kindUndefined {
		return []issue{{where: "body", text: expected(fieldObject, x.sent.root)}}
	}
	var posted []issue
	for _, name := range callbackParams {
		if m := x.sent.member(name); m != nil && m.kind != kindString {
			posted = append(posted, issue{where: "body." + name, text: expected(fieldString, m.kind)})
		}
	}
	if len(posted) > 0 {
		return posted
	}
	return issues
}

// callbackOAuth ends a flow: it redirects to where the request that began it wanted
// to, or to an error page (contract oauth section 3).
func (c *core) callbackOAuth(ctx context.Context, in CallbackOAuthRequest) (Empty, error) {
	x := ExchangeFrom(ctx)
	if !x.direct && x.request.Method == http.MethodPost {
		return Empty{}, x.Redirect(c.siteOf(ctx).url + "/callback/" + in.ID + "?" + encodeForm(x.callbackParams()))
	}
	if in.State == "" {
		return Empty{}, c.callbackWithoutState(ctx, in)
	}
	flow, err := c.endFlow(ctx, in.State, in.ID)
	if err != nil {
		return Empty{}, c.flowFailed(ctx, err)
	}
	x.flow = flow
	return Empty{}, c.finishFlow(ctx, flow, in)
}

// callbackParams returns the members of a posted callback, those in the query
// before those in the body. The browser gets them back for a GET, which it sends
// with its SameSite=Lax cookies.
func (x *Exchange) callbackParams() (params []param) {
	for _, name := range callbackParams {
		if values := x.queryValues(name); len(values) > 0 {
			params = append(params, param{name, values[0]})
		} else if m := x.sent.member(name); m != nil {
			params = append(params, param{name, m.text()})
		}
	}
	return params
}

// callbackWithoutState begins a flow for users who come from the provider, if it
// may send them.
func (c *core) callbackWithoutState(ctx context.Context, in CallbackOAuthRequest) error {
	x := ExchangeFrom(ctx)
	if p := c.configuredProvider(in.ID); p != nil && p.AllowIdPInitiated && in.Code != "" && len(x.queryValues("state")) == 0 {
		if p = c.provider(ctx, in.ID); p != nil {
			url, err := c.authorize(ctx, p, flowRequest{flow: &oauthFlow{}, stays: true})
			if err != nil {
				return err
			}
			return x.Redirect(url)
		}
	}
	return c.failFlow(ctx, nil, CallbackStateNotFound, "")
}

// flowFailed redirects after a failure to find the flow.
func (c *core) flowFailed(ctx context.Context, err error) error {
	failure, ok := errors.AsType[*flowError](err)
	if !ok {
		failure = &flowError{CallbackInternalError, nil}
	}
	c.log.WarnContext(ctx, "callback of a provider refused", "error", err)
	return c.failFlow(ctx, failure.flow, failure.code, "").WithCause(err)
}

// failFlow records that a callback came to nothing and redirects to the error page of
// its flow, nil for the default one.
func (c *core) failFlow(ctx context.Context, flow *oauthFlow, code Code, description string) *APIError {
	c.callbackFailed(ctx, flow, reasonOf(code))
	return c.toErrorPage(ctx, flow, code, description)
}

func (c *core) callbackFailed(ctx context.Context, flow *oauthFlow, reason string) {
	e := Event{Name: EventProviderCallbackFailed, Reason: reason}
	if flow != nil {
		e.Provider = flow.Provider
	}
	if flow != nil && flow.Link != nil {
		e.UserID = string(flow.Link.UserID)
	}
	c.event(ctx, e)
}

// providerReason is what a provider says went wrong, if that is one of the codes of
// RFC 6749 section 4.1.2.1 and OpenID Connect Core section 3.1.2.6.
func providerReason(code string) string {
	switch code {
	case "access_denied", "invalid_request", "unauthorized_client", "unsupported_response_type", "invalid_scope", "server_error",
		"temporarily_unavailable", "interaction_required", "login_required", "account_selection_required", "consent_required":
		return code
	}
	return "provider_error"
}

// toErrorPage redirects to the error page of a flow, nil for the default one.
func (c *core) toErrorPage(ctx context.Context, flow *oauthFlow, code Code, description string) *APIError {
	target := c.errorURL
	setDefault(&target, c.siteOf(ctx).url+"/error")
	if flow != nil && flow.ErrorURL != "" {
		target = flow.ErrorURL
	}
	params := []string{"error", string(code)}
	if description != "" {
		params = append(params, "error_description", description)
	}
	return redirectTo(appendQuery(target, params...))
}

// finishFlow exchanges the code and signs in, or links, whom the provider names.
func (c *core) finishFlow(ctx context.Context, flow *oauthFlow, in CallbackOAuthRequest) error {
	fail := func(code Code) error { return c.failFlow(ctx, flow, code, "") }
	switch {
	case in.Error != "":
		c.callbackFailed(ctx, flow, providerReason(in.Error))
		return c.toErrorPage(ctx, flow, Code(in.Error), in.ErrorDescription)
	case in.Code == "":
		return fail(CallbackNoCode)
	}
	p := c.provider(ctx, in.ID)
	switch {
	case p == nil:
		return fail(CallbackProviderNotFound)
	case in.Issuer == "" && p.endpoints().namesIt:
		return fail(CallbackIssuerMissing) // RFC 9207 section 2.4
	case in.Issuer != "" && p.endpoints().issuer != "" && in.Issuer != p.endpoints().issuer:
		return fail(CallbackIssuerMismatch)
	case p.needsNonce() && flow.Nonce == "":
		return fail(CallbackNonceMissing)
	}
	who, code := c.identifyCallback(ctx, p, flow, in)
	switch {
	case code != "":
		return fail(code)
	case flow.CallbackURL == "":
		return fail(CallbackNoCallbackURL)
	case flow.Link != nil:
		return c.finishLink(ctx, p, flow, who)
	case who.user.Email == "":
		return fail(CallbackEmailNotFound)
	}
	return c.finishSignIn(ctx, p, flow, who)
}

// identifyCallback returns whom a code stands for, or the code of the failure.
func (c *core) identifyCallback(ctx context.Context, p *oauthProvider, flow *oauthFlow, in CallbackOAuthRequest) (*identity, Code) {
	tokens, err := p.exchangeCode(ctx, CodeExchange{
		Code: in.Code, CodeVerifier: flow.CodeVerifier, RedirectURI: c.redirectURI(ctx, p), DeviceID: in.DeviceID,
	})
	if err != nil {
		c.log.WarnContext(ctx, "code exchange failed", "provider", p.ID, "error", err)
		return nil, CallbackInvalidCode
	}
	var posted SocialUser
	if json.Unmarshal([]byte(in.User), &posted) == nil {
		tokens.Name, tokens.Email = posted.name(), posted.Email
	}
	who, err := p.identify(ctx, tokens, flow.Nonce)
	if err != nil {
		c.log.WarnContext(ctx, "provider identifies nobody", "provider", p.ID, "error", err)
		return nil, CallbackNoUser
	}
	return who, ""
}

// finishSignIn signs in and redirects.
func (c *core) finishSignIn(ctx context.Context, p *oauthProvider, flow *oauthFlow, who *identity) error {
	outcome, err := c.signInIdentity(ctx, p, who, socialSignIn{
		callbackURL: flow.CallbackURL,
		redirects:   true,
		noSignUp:    p.refusesSignUp(flow.RequestSignUp),
		override:    p.OverrideUserInfo,
	})
	if err != nil {
		return c.failWith(ctx, flow, err)
	}
	if outcome.stop != nil {
		return nil
	}
	target := flow.CallbackURL
	if outcome.created && flow.NewUserURL != "" {
		target = flow.NewUserURL
	}
	return ExchangeFrom(ctx).Redirect(target)
}

// failWith redirects after a failure that has a code for clients.
func (c *core) failWith(ctx context.Context, flow *oauthFlow, err error) error {
	if failure, ok := errors.AsType[socialError](err); ok {
		return c.failFlow(ctx, flow, failure.code(), "")
	}
	if api := apiError(err); api != nil && api.Code != "" {
		return c.failFlow(ctx, flow, api.Code, api.Message)
	}
	return err
}
