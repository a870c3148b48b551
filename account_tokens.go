package auth

import (
	"context"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"time"
)

// AccountRequest names an account for the endpoints that deal with a provider's
// tokens: get-access-token, refresh-token and account-info.
type AccountRequest struct {
	// AccountID is the AccountInfo.ID of the account.
	AccountID string `json:"accountId,omitempty"`

	// UseAccountCookie takes the account from the cookie that the last sign-in
	// with a provider left, instead.
	UseAccountCookie bool `json:"useAccountCookie,omitempty"`

	// UserID names the user in calls from Go code that has no session. It is
	// ignored as soon as there is a request or a session.
	UserID string `json:"userId,omitempty"`
}

// inspect: the body is one of two strict objects. If it fits one of them but
// for additional members, those are the issue.
func (r *AccountRequest) inspect(x *Exchange, _ []issue) []issue {
	userID := x.sent.member("userId")
	user := userID == nil || userID.kind == kindString
	id := x.sent.member("accountId")
	byID := user && id != nil && id.kind == kindString
	byCookie := user && r.UseAccountCookie
	switch names := x.sent.names(); {
	case byID && !byCookie:
		return unrecognized("body", names, "accountId", "userId")
	case byCookie && !byID:
		return unrecognized("body", names, "useAccountCookie", "userId")
	}
	return []issue{{where: "body", text: "Invalid input"}}
}

// unrecognized reports members that a strict object does not have.
func unrecognized(where string, names []string, known ...string) []issue {
	var extra []string
	seen := make(map[string]bool)
	for _, name := range names {
		if !slices.Contains(known, name) && !seen[name] {
			seen[name] = true
			extra = append(extra, `"`+name+`"`)
		}
	}
	switch len(extra) {
	case 0:
		return nil
	case 1:
		return []issue{{where: where, text: "Unrecognized key: " + extra[0]}}
	}
	return []issue{{where: where, text: "Unrecognized keys: " + strings.Join(extra, ", ")}}
}

// AccountInfoRequest is the query of GET /account-info.
type AccountInfoRequest struct {
	AccountID string `query:"accountId"`
	UserID    string `query:"userId,omitempty"`
}

// inspect: the query is as strict as the body of the other two.
func (r *AccountInfoRequest) inspect(x *Exchange, issues []issue) []issue {
	if len(issues) > 0 {
		return []issue{{where: "query", text: "Invalid input"}}
	}
	names := x.sent.names() // of a direct call
	if !x.direct {
		names = x.queryNames()
	}
	return unrecognized("query", names, "accountId", "userId")
}

// AccessTokenResponse is the answer of POST /get-access-token.
type AccessTokenResponse struct {
	AccessToken          string    `json:"accessToken"`
	AccessTokenExpiresAt *DateTime `json:"accessTokenExpiresAt,omitempty"`
	Scopes               []string  `json:"scopes" check:"nonnull"`
	IDToken              *string   `json:"idToken,omitempty"`
}

// AccountInfoResponse is the answer of GET /account-info: the user as the
// provider describes them now, and the profile that this was made of.
type AccountInfoResponse struct {
	User    *ProviderUser  `json:"user" check:"nonnull"`
	Data    map[string]any `json:"data"`
	Account struct {
		ID         string `json:"id"` // AccountInfo.ID
		ProviderID string `json:"providerId"`
		AccountID  string `json:"accountId"` // at the provider
	} `json:"account"`
}

// getAccessToken returns a provider's access token, a new one if it has expired and
// there is a refresh token.
func (c *core) getAccessToken(ctx context.Context, in AccountRequest) (*AccessTokenResponse, error) {
	account, err := c.accountOfCaller(ctx, in)
	if err != nil {
		return nil, err
	}
	return c.validAccessToken(ctx, account, in.UseAccountCookie)
}

// validAccessToken changes the account if it refreshes.
func (c *core) validAccessToken(ctx context.Context, account *Account, fromCookie bool) (*AccessTokenResponse, error) {
	p := c.provider(ctx, account.ProviderID)
	if p == nil {
		return nil, providerNotSupported(account)
	}
	var err error
	if account.refreshDue() && p.canRefresh() {
		if _, err = c.refresh(ctx, p, account, fromCookie, account.refreshDue); err == nil {
			err = c.keepAccount(ctx, account)
		} else {
			c.event(ctx, Event{Name: EventProviderTokensFailed, UserID: account.UserID, Provider: p.ID})
		}
	}
	var token string
	if err == nil {
		token, err = c.openToken(account.AccessToken)
	}
	if err != nil {
		c.log.WarnContext(ctx, "no valid access token", "provider", p.ID, "error", err)
		return nil, ErrFailedToGetAccessToken.With(http.StatusBadRequest).WithCause(err)
	}
	return &AccessTokenResponse{
		AccessToken: token, AccessTokenExpiresAt: wireTime(account.AccessTokenExpiresAt),
		Scopes: account.scopes(), IDToken: account.IDToken,
	}, nil
}

// wireTime is a nullable column in a response.
func wireTime(t *time.Time) *DateTime {
	if t == nil {
		return nil
	}
	return &DateTime{*t}
}

// accountInfo returns a provider's description of the user, asked for now.
func (c *core) accountInfo(ctx context.Context, in AccountInfoRequest) (*AccountInfoResponse, error) {
	account, err := c.accountOfCaller(ctx, AccountRequest{AccountID: in.AccountID, UserID: in.UserID})
	if err != nil {
		return nil, err
	}
	p := c.provider(ctx, account.ProviderID)
	if p == nil {
		return nil, ErrProviderNotConfigured.With(http.StatusBadRequest)
	}
	tokens, err := c.validAccessToken(ctx, account, false)
	switch {
	case err != nil:
		return nil, err
	case tokens.AccessToken == "":
		return nil, ErrAccessTokenNotFound.With(http.StatusBadRequest)
	}
	known := &OAuthTokens{AccessToken: tokens.AccessToken, Scopes: tokens.Scopes}
	if tokens.IDToken != nil {
		known.IDToken = *tokens.IDToken
	}
	who, err := p.describe(ctx, known)
	if err != nil {
		c.log.WarnContext(ctx, "provider does not describe the user", "provider", p.ID, "error", err)
		return nil, ErrFailedToGetUserInfo.With(http.StatusUnauthorized).WithCause(err)
	}
	out := &AccountInfoResponse{User: &who.user, Data: who.profile}
	out.Account.ID, out.Account.ProviderID, out.Account.AccountID = account.ID, account.ProviderID, account.AccountID
	return out, nil
}

func providerNotSupported(account *Account) error {
	return NewError(http.StatusBadRequest, ErrProviderNotSupported,
		fmt.Sprintf("Provider %s is not supported.", account.ProviderID))
}

// accountOfCaller returns the account that the request names, if it belongs to
// the signed-in user, or to UserID when Go code asks for nobody in particular.
func (c *core) accountOfCaller(ctx context.Context, in AccountRequest) (*Account, error) {
	if in.AccountID == "" && !in.UseAccountCookie && ExchangeFrom(ctx).direct {
		return nil, NewError(http.StatusBadRequest, ErrValidation, "[body] Invalid input")
	}
	userID, err := c.userOfCaller(ctx, in.UserID)
	if err != nil {
		return nil, err
	}
	var account *Account
	if in.UseAccountCookie {
		if account = c.sentAccount(ctx); account != nil && account.UserID != userID && !c.cookiesOf(ctx).stateless {
			account = nil
		}
	} else {
		accounts, err := c.accountsOf(ctx, userID)
		if err != nil {
			return nil, err
		}
		account = accountWithID(accounts, in.AccountID)
	}
	if account == nil {
		return nil, ErrAccountNotFound.With(http.StatusBadRequest)
	}
	return account, nil
}

func (c *core) userOfCaller(ctx context.Context, userID string) (string, error) {
	x := ExchangeFrom(ctx)
	data, err := c.readSession(ctx, readOptions{noCache: true})
	switch {
	case err != nil:
		return "", err
	case data != nil:
		return data.User.ID, nil
	case x.request != nil || x.headers != nil:
		return "", &APIError{Status: http.StatusUnauthorized}
	case userID == "":
		return "", ErrUserIDOrSessionRequired.With(http.StatusBadRequest)
	}
	return userID, nil
}
