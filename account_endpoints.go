package auth

import (
	"context"
	"net/http"
	"strings"
)

// AccountInfo is what clients see of an account.
type AccountInfo struct {
	AccountID  string   `json:"accountId"`
	ProviderID string   `json:"providerId"`
	UserID     string   `json:"userId"`
	CreatedAt  DateTime `json:"createdAt"`
	UpdatedAt  DateTime `json:"updatedAt"`
	ID         string   `json:"id"`
	Scopes     []string `json:"scopes" check:"nonnull"`
}

// listUserAccounts returns the ways in which the caller's user signs in.
func (c *core) listUserAccounts(ctx context.Context, _ Empty) ([]AccountInfo, error) {
	accounts, err := c.accountsOf(ctx, currentSession(ctx).User.ID)
	if err != nil {
		return nil, err
	}
	list := make([]AccountInfo, len(accounts)) // never nil: the answer is an array
	for i, a := range accounts {
		list[i] = AccountInfo{
			AccountID: a.AccountID, ProviderID: a.ProviderID, UserID: a.UserID,
			CreatedAt: DateTime{a.CreatedAt}, UpdatedAt: DateTime{a.UpdatedAt},
			ID: a.ID, Scopes: a.scopes(),
		}
	}
	return list, nil
}

func (c *core) accountsOf(ctx context.Context, userID string) ([]*Account, error) {
	return c.accounts.find(ctx, Query{Where: []Condition{Where("userId", userID)}})
}

// scopes splits the stored list; it is never nil.
func (a *Account) scopes() []string {
	scopes := []string{}
	if a.Scope == nil {
		return scopes
	}
	for scope := range strings.SplitSeq(*a.Scope, ",") {
		if scope = strings.TrimSpace(scope); scope != "" {
			scopes = append(scopes, scope)
		}
	}
	return scopes
}

// UnlinkAccountRequest is the body of POST /unlink-account.
type UnlinkAccountRequest struct {
	AccountID string `json:"accountId"` // AccountInfo.ID
}

// unlinkAccount removes one way of signing in, but not the last one.
func (c *core) unlinkAccount(ctx context.Context, in UnlinkAccountRequest) (*Status, error) {
	userID := currentSession(ctx).User.ID
	err := c.transact(ctx, func(ctx context.Context) error { return c.unlink(ctx, userID, in.AccountID) })
	if err != nil {
		return nil, err
	}
	return &Status{Status: true}, nil
}

func (c *core) unlink(ctx context.Context, userID, accountID string) error {
	if _, err := c.lockUser(ctx, userID); err != nil {
		return err
	}
	accounts, err := c.accountsOf(ctx, userID)
	if err != nil {
		return err
	}
	if len(accounts) == 1 && !c.unlinkAll {
		return ErrFailedToUnlinkLastAccount.With(http.StatusBadRequest)
	}
	account := accountWithID(accounts, accountID)
	if account == nil {
		return ErrAccountNotFound.With(http.StatusBadRequest)
	}
	n, err := c.accounts.remove(ctx, Where("id", accountID), Where("userId", userID))
	if n > 0 {
		c.event(ctx, Event{Name: EventAccountUnlinked, UserID: userID, Provider: account.ProviderID})
	}
	return err
}

func accountWithID(accounts []*Account, id string) *Account {
	for _, account := range accounts {
		if account.ID == id {
			return account
		}
	}
	return nil
}
