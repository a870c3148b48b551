package auth

import (
	"context"
	"errors"
	"net/http"
)

// LinkSocialAccountRequest is the body of POST /link-social.
type LinkSocialAccountRequest struct {
	CallbackURL string `json:"callbackURL,omitempty"` // where the browser ends; default: the origin of the base URL
	Provider    string `json:"provider"`

	// IDToken links the account of an id_token that the client got from the provider.
	IDToken *SocialIDToken `json:"idToken,omitempty"`

	RequestSignUp    *bool             `json:"requestSignUp,omitempty"` // without effect
	Scopes           []string          `json:"scopes,omitempty"`        // beside those of the provider
	ErrorCallbackURL string            `json:"errorCallbackURL,omitempty"`
	DisableRedirect  bool              `json:"disableRedirect,omitempty"`
	LoginHint        string            `json:"loginHint,omitempty"`
	AdditionalParams map[string]string `json:"additionalParams,omitempty"`
	AdditionalData   map[string]any    `json:"additionalData,omitempty"`
}

// inspect refuses parameters that would take the flow apart.
func (r *LinkSocialAccountRequest) inspect(x *Exchange, issues []issue) []issue {
	return inspectFlow(x, &r.AdditionalParams, issues)
}

// LinkSocialAccountResponse is the answer of POST /link-social: URL is where the
// browser is to go, with Redirect if the client should take it there. Status is set,
// and URL empty, when an id_token linked the account at once.
type LinkSocialAccountResponse struct {
	URL      string `json:"url"`
	Status   bool   `json:"status,omitempty"`
	Redirect bool   `json:"redirect"`
}

// linkSocialAccount begins to link an account at a provider to the caller's user,
// or links that of an id_token.
func (c *core) linkSocialAccount(ctx context.Context, in LinkSocialAccountRequest) (*LinkSocialAccountResponse, error) {
	p := c.provider(ctx, in.Provider)
	if p == nil {
		return nil, ErrProviderNotFound.With(http.StatusNotFound)
	}
	data := currentSession(ctx)
	if in.IDToken != nil {
		return c.linkIDToken(ctx, p, data.User, in.IDToken)
	}
	url, err := c.authorize(ctx, p, flowRequest{
		flow: &oauthFlow{
			CallbackURL: in.CallbackURL, ErrorURL: in.ErrorCallbackURL, RequestSignUp: in.RequestSignUp, data: in.AdditionalData,
			Link: &flowLink{
				UserID: looseText(data.User.ID), Email: data.User.Email, SessionToken: c.linkSeal.seal(data.Session.Token),
			},
		},
		scopes: in.Scopes, loginHint: in.LoginHint, params: in.AdditionalParams, stays: in.DisableRedirect,
	})
	if err != nil {
		return nil, err
	}
	return &LinkSocialAccountResponse{URL: url, Redirect: !in.DisableRedirect}, nil
}

// Refusals of a link, as the query of an error page has them.
const (
	linkRefused       socialError = failureLink
	linkOtherEmail    socialError = socialError(CallbackOtherEmail)
	linkBelongsToElse socialError = socialError(CallbackLinkedToAnotherUser)
)

// finishLink ends a flow that was begun to link an account, and redirects.
func (c *core) finishLink(ctx context.Context, p *oauthProvider, flow *oauthFlow, who *identity) error {
	err := c.linkIdentity(ctx, p, flow.Link, who)
	if err != nil {
		c.log.WarnContext(ctx, "account not linked", "provider", p.ID, "error", err)
		return c.failWith(ctx, flow, err)
	}
	c.followProfile(ctx, who, string(flow.Link.UserID))
	return ExchangeFrom(ctx).Redirect(flow.CallbackURL)
}

// linkIdentity links an account on request of its user (contract oauth section 6).
// Errors: socialError, *APIError.
func (c *core) linkIdentity(ctx context.Context, p *oauthProvider, link *flowLink, who *identity) error {
	userID := string(link.UserID)
	switch live, err := c.linkSessionLives(ctx, link); {
	case err != nil:
		return err
	case !live:
		return linkRefused
	}
	if err := c.validateIdentity(ctx, p, who, userID, actionLinkAccount); err != nil {
		return err
	}
	switch {
	case c.linkForbidden(ctx, p, who):
		return linkRefused
	case !c.linking.DifferentEmails && lowerEmail(who.user.Email) != lowerEmail(link.Email):
		return linkOtherEmail
	}
	return c.insist(ctx, func(ctx context.Context) error { return c.storeLink(ctx, p, userID, who) })
}

// linkForbidden reports whether the account must not be linked, even on request.
func (c *core) linkForbidden(ctx context.Context, p *oauthProvider, who *identity) bool {
	return c.linking.Disabled || !who.user.EmailVerified && !c.trustsProvider(ctx, p.ID)
}

// linkSessionLives reports whether the session that asked for the link is still
// there: who signed out meanwhile, or was, does not link any more.
func (c *core) linkSessionLives(ctx context.Context, link *flowLink) (bool, error) {
	if link.SessionToken == "" || c.cookiesOf(ctx).stateless {
		return true, nil
	}
	token, err := c.linkSeal.open(link.SessionToken)
	if err != nil {
		return false, nil
	}
	data, err := c.liveSession(ctx, token)
	return data != nil && data.Session.UserID == string(link.UserID), err
}

// storeLink gives the user the account, or new tokens and scopes to one that is
// the user's already.
func (c *core) storeLink(ctx context.Context, p *oauthProvider, userID string, who *identity) error {
	user, err := c.lockUser(ctx, userID)
	if err != nil || user == nil {
		return errors.Join(err, linkRefused)
	}
	account, err := c.accountByKey(ctx, p.ID, who.accountID)
	switch {
	case err != nil:
		return err
	case account == nil:
		return c.accountLinked(ctx, p, userID, methodLink, c.createAccount(ctx, c.newAccount(p, who, userID)))
	case account.UserID != userID:
		return linkBelongsToElse
	}
	changes := c.tokenChanges(p, who.tokens)
	if scope := mergeScopes(account.scopes(), who.tokens.Scopes); scope != "" {
		changes["scope"] = scope
	}
	_, err = c.accounts.change(ctx, changes, Where("id", account.ID), Where("userId", userID))
	return err
}

// accountLinked records that a user has one more account unless there is an error,
// which it returns.
func (c *core) accountLinked(ctx context.Context, p *oauthProvider, userID, method string, err error) error {
	if err == nil {
		c.event(ctx, Event{Name: EventAccountLinked, UserID: userID, Provider: p.ID, Method: method})
	}
	return err
}

// linkIDToken links the account of an id_token at once.
func (c *core) linkIDToken(ctx context.Context, p *oauthProvider, user *User, in *SocialIDToken) (*LinkSocialAccountResponse, error) {
	who, err := c.identifyIDToken(ctx, p, in)
	if err != nil {
		return nil, err
	}
	who.tokens = &OAuthTokens{AccessToken: in.AccessToken, RefreshToken: in.RefreshToken, IDToken: in.Token}
	if err := c.storeIDTokenLink(ctx, p, user, who); err != nil {
		return nil, err
	}
	c.followProfile(ctx, who, user.ID)
	return &LinkSocialAccountResponse{Status: true}, nil
}

func (c *core) storeIDTokenLink(ctx context.Context, p *oauthProvider, user *User, who *identity) error {
	return c.insist(ctx, func(ctx context.Context) error {
		switch locked, err := c.lockUser(ctx, user.ID); {
		case err != nil:
			return err
		case locked == nil:
			return ErrUnauthorized.With(http.StatusUnauthorized)
		}
		account, err := c.accountByKey(ctx, p.ID, who.accountID)
		switch {
		case err != nil:
			return err
		case account != nil && account.UserID == user.ID:
			_, err = c.accounts.change(ctx, c.tokenChanges(p, who.tokens), Where("id", account.ID), Where("userId", user.ID))
			return err
		case account != nil:
			return ErrSocialAccountAlreadyLinked.With(http.StatusConflict)
		case c.linkForbidden(ctx, p, who):
			return ErrLinkingNotAllowed.With(http.StatusUnauthorized)
		case !c.linking.DifferentEmails && lowerEmail(who.user.Email) != lowerEmail(user.Email):
			return ErrLinkingDifferentEmailsNotAllowed.With(http.StatusUnauthorized)
		}
		if err := c.addAccount(ctx, c.newAccount(p, who, user.ID)); errors.Is(err, ErrConflict) {
			return err
		} else if err != nil {
			c.log.ErrorContext(ctx, "account could not be stored", "provider", p.ID, "error", err)
			return ErrLinkingFailed.With(http.StatusExpectationFailed).WithCause(err)
		}
		return c.accountLinked(ctx, p, user.ID, methodIDToken, nil)
	})
}
