package auth

import (
	"context"
	"time"
)

// An Account is one way in which a user signs in (table "account"): the
// credential account holds the password's hash, others the tokens of an OAuth
// provider. Clients see an AccountInfo instead.
type Account struct {
	ID                    string     `db:"id"`
	AccountID             string     `db:"accountId"`  // the provider's name for the user; the user's id for a credential
	ProviderID            string     `db:"providerId"` // "credential" for a password
	UserID                string     `db:"userId"`
	AccessToken           *string    `db:"accessToken,hidden"`
	RefreshToken          *string    `db:"refreshToken,hidden"`
	IDToken               *string    `db:"idToken,hidden"`
	AccessTokenExpiresAt  *time.Time `db:"accessTokenExpiresAt,hidden"`
	RefreshTokenExpiresAt *time.Time `db:"refreshTokenExpiresAt,hidden"`
	Scope                 *string    `db:"scope"` // joined by commas
	Password              *string    `db:"password,hidden"`
	CreatedAt             time.Time  `db:"createdAt"`
	UpdatedAt             time.Time  `db:"updatedAt"`
	planned
}

// MarshalJSON leaves out the password's hash and the tokens.
func (a *Account) MarshalJSON() ([]byte, error) { return a.plan.marshal(a) }

// hasPassword reports whether there is an account with a password.
func (a *Account) hasPassword() bool { return a != nil && a.Password != nil && *a.Password != "" }

// credentialProvider is the provider of accounts with a password.
const credentialProvider = "credential"

func accountTable() *Table {
	return &Table{Name: "account", Columns: []Column{
		{Name: "accountId", Type: TypeString},
		{Name: "providerId", Type: TypeString},
		{Name: "userId", Type: TypeString, References: "user", Index: true},
		{Name: "accessToken", Type: TypeString, Nullable: true, Hidden: true},
		{Name: "refreshToken", Type: TypeString, Nullable: true, Hidden: true},
		{Name: "idToken", Type: TypeString, Nullable: true, Hidden: true},
		{Name: "accessTokenExpiresAt", Type: TypeDate, Nullable: true, Hidden: true},
		{Name: "refreshTokenExpiresAt", Type: TypeDate, Nullable: true, Hidden: true},
		{Name: "scope", Type: TypeString, Nullable: true},
		{Name: "password", Type: TypeString, Nullable: true, Hidden: true},
		{Name: "createdAt", Type: TypeDate, Default: currentTime},
		{Name: "updatedAt", Type: TypeDate},
	}}
}

// credentialAccount returns the account that holds a user's password, nil if
// the user has none. An empty id is nobody's: the store is asked all the same, or
// its answer would come later for those who have an account.
func (s *services) credentialAccount(ctx context.Context, userID string) (*Account, error) {
	if userID == "" {
		userID = nobodysID(s.ids)
	}
	return s.accounts.first(ctx,
		Where("userId", userID), Where("providerId", credentialProvider), Where("accountId", userID))
}

// createCredential gives a user a password.
func (s *services) createCredential(ctx context.Context, userID, hash string) error {
	created := now()
	return s.accounts.create(ctx, &Account{
		AccountID: userID, ProviderID: credentialProvider, UserID: userID,
		Password: &hash, CreatedAt: created, UpdatedAt: created,
	})
}

// setCredential replaces a user's password or gives it a first one.
func (s *services) setCredential(ctx context.Context, userID, hash string) error {
	account, err := s.credentialAccount(ctx, userID)
	switch {
	case err != nil:
		return err
	case account == nil:
		return s.createCredential(ctx, userID, hash)
	}
	return s.updatePassword(ctx, account.ID, hash)
}

func (s *services) updatePassword(ctx context.Context, accountID, hash string) error {
	_, err := s.accounts.change(ctx, map[string]any{"password": hash}, Where("id", accountID))
	return err
}
