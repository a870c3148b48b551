package auth

import (
	"context"
	"fmt"
	"net/http"
	"slices"
	"strings"
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
	return []issue{{nil, "body", "Invalid input"}}
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
		return []issue{{nil, where, "Unrecognized key: " + extra[0]}}
	}
	return []issue{{nil, where, "Unrecognized keys: " + strings.Join(extra, ", ")}}
}

// AccountInfoRequest is the query of GET /account-info.
type AccountInfoRequest struct {
	AccountID string `query:"accountId"`
	UserID    string `query:"userId,omitempty"`
}

// inspect: the query is as strict as the body of the other two.
func (r *AccountInfoRequest) inspect(x *Exchange, issues []issue) []issue {
	if len(issues) > 0 {
		return []issue{{nil, "query", "Invalid input"}}
	}
	names := x.sent.names() // of a direct call
	if !x.direct {
		names = nil
		for _, param := range decodeForm(x.request.URL.RawQuery) {
			names = append(names, param.name)
		}
	}
	return unrecognized("query", names, "accountId", "userId")
}

// AccessTokenResponse is the answer of POST /get-access-token.
type AccessTokenResponse struct {
	AccessToken          string    `json:"accessToken"`
	AccessTokenExpiresAt *DateTime `json:"accessTokenExpiresAt,omitempty"`
	Scopes               []string  `json:"scopes"`
	IDToken              *string   `json:"idToken,omitempty"`
}

// RefreshTokenResponse is the answer of POST /refresh-token.
type RefreshTokenResponse struct {
	AccessToken           string    `json:"accessToken"`
	RefreshToken          string    `json:"refreshToken"`
	AccessTokenExpiresAt  *DateTime `json:"accessTokenExpiresAt,omitempty"`
	RefreshTokenExpiresAt *DateTime `json:"refreshTokenExpiresAt,omitempty"`
	Scope                 *string   `json:"scope,omitempty"`
	IDToken               *string   `json:"idToken,omitempty"`
	ProviderID            string    `json:"providerId"`
	AccountID             string    `json:"accountId"`
}

// AccountInfoResponse is the answer of GET /account-info: the user as the
// provider describes them.
type AccountInfoResponse struct {
	User    map[string]any `json:"user"`
	Data    map[string]any `json:"data"`
	Account struct {
		ID         string `json:"id"`
		ProviderID string `json:"providerId"`
		AccountID  string `json:"accountId"`
	} `json:"account"`
}

// getAccessToken returns a provider's access token. A credential account has
// none and its provider is none.
func (c *core) getAccessToken(ctx context.Context, in AccountRequest) (*AccessTokenResponse, error) {
	account, err := c.accountOfCaller(ctx, in)
	if err != nil {
		return nil, err
	}
	return nil, providerNotSupported(account)
}

// refreshToken fetches new tokens from a provider, of which there is none yet.
func (c *core) refreshToken(ctx context.Context, in AccountRequest) (*RefreshTokenResponse, error) {
	account, err := c.accountOfCaller(ctx, in)
	if err != nil {
		return nil, err
	}
	return nil, providerNotSupported(account)
}

// accountInfo returns a provider's description of the user; a credential account
// has no provider.
func (c *core) accountInfo(ctx context.Context, in AccountInfoRequest) (*AccountInfoResponse, error) {
	_, err := c.accountOfCaller(ctx, AccountRequest{AccountID: in.AccountID, UserID: in.UserID})
	if err != nil {
		return nil, err
	}
	return nil, ErrProviderNotConfigured.With(http.StatusBadRequest)
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
	accounts, err := c.accountsOf(ctx, userID)
	if err != nil {
		return nil, err
	}
	if account := accountWithID(accounts, in.AccountID); account != nil {
		return account, nil
	}
	return nil, ErrAccountNotFound.With(http.StatusBadRequest)
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
