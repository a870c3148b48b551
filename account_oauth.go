package auth

import (
	"context"
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"slices"
	"strconv"
	"strings"
	"time"
)

// sealToken returns a token as it is stored.
func (s *services) sealToken(token string) string {
	if s.tokenSeal == nil || token == "" {
		return token
	}
	return s.tokenSeal.seal(token)
}

// openToken returns a stored token, empty if there is none. One that was stored
// before tokens were encrypted is returned as it is. Errors: errEnvelope.
func (s *services) openToken(stored *string) (string, error) {
	switch {
	case stored == nil:
		return "", nil
	case s.tokenSeal == nil || !looksSealed(*stored):
		return *stored, nil
	}
	return s.tokenSeal.open(*stored)
}

// newAccount is the account of an identity before it is stored.
func (s *services) newAccount(p *oauthProvider, who *identity, userID string) *Account {
	t, created := who.tokens, now()
	account := &Account{
		AccountID: who.accountID, ProviderID: p.ID, UserID: userID,
		AccessToken: stored(s.sealToken(t.AccessToken)), RefreshToken: stored(s.sealToken(t.RefreshToken)), IDToken: stored(t.IDToken),
		AccessTokenExpiresAt: storedTime(t.AccessTokenExpiresAt), RefreshTokenExpiresAt: storedTime(t.RefreshTokenExpiresAt),
		CreatedAt: created, UpdatedAt: created,
	}
	if t.Scopes != nil {
		scope := strings.Join(t.Scopes, ",") // may be empty, which is not NULL
		account.Scope = &scope
	}
	return account
}

// addAccount stores an account at a provider. Errors: ErrConflict if it is there
// already.
func (s *services) addAccount(ctx context.Context, account *Account) error {
	if err := s.claimAccount(ctx, account); err != nil {
		return err
	}
	switch found, err := s.accounts.first(ctx, Where("providerId", account.ProviderID), Where("accountId", account.AccountID)); {
	case err != nil:
		return err
	case found != nil:
		return ErrConflict
	}
	return s.accounts.create(ctx, account)
}

// claimAccount keeps everybody else from adding the account before the transaction
// of ctx ends. The original's table has no unique index that would: the id of a row,
// which is gone at once, serves as one.
func (s *services) claimAccount(ctx context.Context, account *Account) error {
	claim := &Account{
		ID: s.claimID(account), AccountID: "account-claim", ProviderID: account.ProviderID, UserID: account.UserID,
		CreatedAt: now(), UpdatedAt: now(),
	}
	if err := s.accounts.insert(ctx, claim); err != nil {
		return err
	}
	_, err := s.accounts.delete(ctx, Where("id", claim.ID))
	return err
}

// claimID is the same for everybody who wants the account. It is no id of an account
// that exists: random ones are others, counted ones are positive. If
// two accounts have the same one, they wait for each other.
func (s *services) claimID(account *Account) string {
	sum := sha256.Sum256([]byte("account-claim\x00" + account.ProviderID + "\x00" + account.AccountID))
	if s.ids == IDSerial {
		return strconv.FormatInt(-1-int64(binary.BigEndian.Uint32(sum[:])>>1), 10) // 31 bits fit every database
	}
	return uuidOf([16]byte(sum[:16]))
}

// createAccount is addAccount for a user who exists. Errors: failureLink for
// whatever is not for clients.
func (s *services) createAccount(ctx context.Context, account *Account) error {
	err := s.addAccount(ctx, account)
	if err == nil || apiError(err) != nil || errors.Is(err, ErrConflict) {
		return err
	}
	s.log.ErrorContext(ctx, "account could not be stored", "provider", account.ProviderID, "error", err)
	return failureLink
}

// tokenChanges are the columns for new tokens of an account; what the provider did
// not send stays.
func (s *services) tokenChanges(p *oauthProvider, t *OAuthTokens) map[string]any {
	changes := map[string]any{"providerId": p.ID}
	for name, value := range map[string]string{
		"accessToken": s.sealToken(t.AccessToken), "refreshToken": s.sealToken(t.RefreshToken), "idToken": t.IDToken,
	} {
		if value != "" {
			changes[name] = value
		}
	}
	if !t.AccessTokenExpiresAt.IsZero() {
		changes["accessTokenExpiresAt"] = t.AccessTokenExpiresAt
	}
	if !t.RefreshTokenExpiresAt.IsZero() {
		changes["refreshTokenExpiresAt"] = t.RefreshTokenExpiresAt
	}
	return changes
}

// updateAccount changes a stored account and brings the value up to date. Errors:
// failureUpdate if it is gone or a hook keeps it.
func (s *services) updateAccount(ctx context.Context, account *Account, changes map[string]any) error {
	n, err := s.accounts.change(ctx, changes, Where("id", account.ID), Where("accountId", account.AccountID))
	if err != nil {
		return err
	}
	if n == 0 {
		return failureUpdate
	}
	updated, err := s.accounts.first(ctx, Where("id", account.ID))
	if err == nil && updated != nil {
		*account = *updated
	}
	return err
}

// mergeScopes joins granted scopes to stored ones, each once.
func mergeScopes(storedScopes, granted []string) string {
	merged := slices.Clone(storedScopes)
	for _, scope := range granted {
		if scope = strings.TrimSpace(scope); scope != "" && !slices.Contains(merged, scope) {
			merged = append(merged, scope)
		}
	}
	return strings.Join(merged, ",")
}

// stored is a text as a nullable column has it.
func stored(text string) *string {
	if text == "" {
		return nil
	}
	return &text
}

// storedTime is a time as a nullable column has it.
func storedTime(t time.Time) *time.Time {
	if t.IsZero() {
		return nil
	}
	return &t
}
