package auth

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"time"
)

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

// refreshMargin is how long before its end an access token counts as expired.
const refreshMargin = 5 * time.Second

// refreshTimeout leaves as much time for the store as for the provider.
const refreshTimeout = 2 * outgoingTimeout

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
		c.event(ctx, Event{Name: EventProviderTokensFailed, UserID: account.UserID, Provider: p.ID})
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
	// A client that goes away must not lose a token that the provider has replaced.
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), refreshTimeout)
	defer cancel()
	fresh, err := p.refreshTokens(ctx, token)
	if err != nil {
		return nil, err
	}
	err = c.storeRefreshed(ctx, p, account, fresh)
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
		account.apply(changes)
		return nil
	}
	return err
}

// apply changes an account that is in no store.
func (a *Account) apply(changes map[string]any) {
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
}
