package auth

import (
	"context"
	"errors"
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
	Scopes               []string  `json:"scopes"`
	IDToken              *string   `json:"idToken,omitempty"`
}

// RefreshTokenResponse is the answer of POST /refresh-token.
type RefreshTokenResponse struct {
	AccessToken           string    `json:"accessToken"`
	RefreshToken          string    `json:"refreshToken"`
	AccessTokenExpiresAt  *DateTime `json:"accessTokenExpiresAt,omitempty"`
	RefreshTokenExpiresAt *DateTime `json:"refreshTokenExpiresAt"`
	Scope                 *string   `json:"scope"`
	IDToken               *string   `json:"idToken"`
	ProviderID            string    `json:"providerId"`
	AccountID             string    `json:"accountId"`
}

// AccountInfoResponse is the answer of GET /account-info: the user as the
// provider describes them now, and the profile that this was made of.
type AccountInfoResponse struct {
	User    *ProviderUser  `json:"user"`
	Data    map[string]any `json:"data"`
	Account struct {
		ID         string `json:"id"` // AccountInfo.ID
		ProviderID string `json:"providerId"`
		AccountID  string `json:"accountId"` // at the provider
	} `json:"account"`
}

// refreshMargin is how long before its end an access token counts as expired.
const refreshMargin = 5 * time.Second

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

// refreshDue reports whether the access token is about to expire and can be
// replaced.
func (a *Account) refreshDue() bool {
	return a.RefreshToken != nil && *a.RefreshToken != "" &&
		a.AccessTokenExpiresAt != nil && time.Until(*a.AccessTokenExpiresAt) < refreshMargin
}

// refresh fetches new tokens of an account while due says so, and brings the value
// up to date. It returns nil tokens if somebody else was faster. Of many requests
// one asks the provider: some take the second use of a refresh token for a theft
// (RFC 9700 section 4.14.2).
func (c *core) refresh(ctx context.Context, p *oauthProvider, account *Account, fromCookie bool, due func() bool) (fresh *OAuthTokens, err error) {
	latest := func() error {
		if fromCookie {
			return nil
		}
		row, err := c.accounts.first(ctx, Where("id", account.ID), Where("userId", account.UserID))
		if err == nil && row != nil {
			*account = *row
		}
		return err
	}
	err = p.refreshing.hold(ctx, account.ID, func() error {
		if err := latest(); err != nil || !due() {
			return err
		}
		used := account.RefreshToken
		if fresh, err = c.refreshStored(ctx, p, account); err == nil {
			return nil
		}
		// Another server may have refreshed meanwhile.
		if readErr := latest(); readErr == nil && account.RefreshToken != nil && *account.RefreshToken != *used && !account.refreshDue() {
			return nil
		}
		return err
	})
	return fresh, err
}

// refreshStored fetches new tokens and stores them. What the provider did not send
// stays, and the scopes do.
func (c *core) refreshStored(ctx context.Context, p *oauthProvider, account *Account) (*OAuthTokens, error) {
	token, err := c.openToken(account.RefreshToken)
	if err != nil {
		return nil, err
	}
	fresh, err := p.refreshTokens(ctx, token)
	if err != nil {
		return nil, err
	}
	// A client that went away must not lose a token that the provider has replaced.
	err = c.storeRefreshed(context.WithoutCancel(ctx), p, account, fresh)
	return fresh, err
}

func (c *core) storeRefreshed(ctx context.Context, p *oauthProvider, account *Account, fresh *OAuthTokens) error {
	changes := c.tokenChanges(p, fresh)
	delete(changes, "providerId")
	err := c.updateAccount(ctx, account, changes)
	if err != nil && err != failureUpdate { // once more: a provider that takes refresh tokens once would not forgive the loss
		c.log.WarnContext(ctx, "new tokens could not be stored at once", "provider", p.ID, "error", err)
		err = c.updateAccount(ctx, account, changes)
	}
	if err == failureUpdate { // a hook keeps the row as it is, or it is in a cookie only: the caller gets the tokens
		err = account.apply(changes)
	}
	return err
}

// apply changes an account that is in no store.
func (a *Account) apply(changes map[string]any) error {
	for name, value := range changes {
		switch text, _ := value.(string); name {
		case "accessToken":
			a.AccessToken = &text
		case "refreshToken":
			a.RefreshToken = &text
		case "idToken":
			a.IDToken = &text
		case "accessTokenExpiresAt":
			at := value.(time.Time)
			a.AccessTokenExpiresAt = &at
		case "refreshTokenExpiresAt":
			at := value.(time.Time)
			a.RefreshTokenExpiresAt = &at
		}
	}
	return nil
}

// refreshToken fetches new tokens from a provider, whether the old ones have
// expired or not.
func (c *core) refreshToken(ctx context.Context, in AccountRequest) (*RefreshTokenResponse, error) {
	account, err := c.accountOfCaller(ctx, in)
	if err != nil {
		return nil, err
	}
	p := c.provider(ctx, account.ProviderID)
	switch {
	case p == nil:
		return nil, providerNotSupported(account)
	case !p.canRefresh():
		return nil, NewError(http.StatusBadRequest, ErrTokenRefreshNotSupported,
			fmt.Sprintf("Provider %s does not support token refreshing.", p.ID))
	case account.RefreshToken == nil || *account.RefreshToken == "":
		return nil, ErrRefreshTokenNotFound.With(http.StatusBadRequest)
	}
	out, err := c.refreshNow(ctx, p, account, in.UseAccountCookie)
	if err != nil {
		c.log.WarnContext(ctx, "tokens could not be refreshed", "provider", p.ID, "error", err)
		return nil, ErrFailedToRefreshAccessToken.With(http.StatusBadRequest).WithCause(err)
	}
	return out, nil
}

func (c *core) refreshNow(ctx context.Context, p *oauthProvider, account *Account, fromCookie bool) (*RefreshTokenResponse, error) {
	fresh, err := c.refresh(ctx, p, account, fromCookie, func() bool { return true })
	if err == nil && fromCookie {
		err = c.keepAccount(ctx, account)
	}
	if err != nil {
		return nil, err
	}
	out := &RefreshTokenResponse{
		RefreshTokenExpiresAt: wireTime(account.RefreshTokenExpiresAt),
		Scope:                 account.Scope, IDToken: account.IDToken,
		ProviderID: account.ProviderID, AccountID: account.ID,
	}
	if fresh != nil {
		out.AccessTokenExpiresAt = wireTime(storedTime(fresh.AccessTokenExpiresAt))
	} else { // another server has refreshed
		out.AccessTokenExpiresAt = wireTime(account.AccessTokenExpiresAt)
	}
	accessToken, accessErr := c.openToken(account.AccessToken)
	refreshToken, refreshErr := c.openToken(account.RefreshToken)
	out.AccessToken, out.RefreshToken = accessToken, refreshToken
	return out, errors.Join(accessErr, refreshErr)
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
