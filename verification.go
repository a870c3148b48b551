package auth

import (
	"context"
	"time"
)

// A Verification is a secret that was sent out and waits to be brought back
// once (table "verification"). Its identifier begins with its purpose, which
// the consumer states again: a token of one purpose is none for another.
type Verification struct {
	ID         string    `db:"id"`
	Identifier string    `db:"identifier"`
	Value      string    `db:"value"`
	ExpiresAt  time.Time `db:"expiresAt"`
	CreatedAt  time.Time `db:"createdAt"`
	UpdatedAt  time.Time `db:"updatedAt"`
}

func verificationTable() *Table {
	return &Table{Name: "verification", Expires: "expiresAt", Columns: []Column{
		{Name: "identifier", Type: TypeString, Index: true},
		{Name: "value", Type: TypeString},
		{Name: "expiresAt", Type: TypeDate},
		{Name: "createdAt", Type: TypeDate, Default: currentTime},
		{Name: "updatedAt", Type: TypeDate, Default: currentTime},
	}}
}

// The purposes of verifications (contract section 12.4).
const (
	purposeResetPassword = "reset-password:"
	purposeDeleteAccount = "delete-account-"
)

// createVerification stores a value to be fetched by purpose and token.
func (s *services) createVerification(ctx context.Context, purpose, token, value string, lifetime time.Duration) error {
	created := now()
	return s.verifications.create(ctx, &Verification{
		Identifier: purpose + token, Value: value,
		ExpiresAt: created.Add(lifetime), CreatedAt: created, UpdatedAt: created,
	})
}

// findVerification returns the newest live verification without consuming it,
// nil if there is none. It removes expired ones now and then.
func (s *services) findVerification(ctx context.Context, purpose, token string) (*Verification, error) {
	found, err := s.verifications.find(ctx, Query{
		Where: []Condition{Where("identifier", purpose+token)},
		Order: []Order{{Column: "createdAt", Desc: true}},
		Limit: 1,
	})
	if err != nil {
		return nil, err
	}
	if err := s.removeExpiredVerifications(ctx); err != nil {
		return nil, err
	}
	if len(found) == 0 || found[0].ExpiresAt.Before(now()) {
		return nil, nil
	}
	return found[0], nil
}

// consumeVerification removes a verification and returns it: of many callers
// one gets it, the others get nil. An expired one counts as missing.
func (s *services) consumeVerification(ctx context.Context, purpose, token string) (*Verification, error) {
	v, err := s.verifications.consume(ctx, Where("identifier", purpose+token))
	if err != nil || v == nil || v.ExpiresAt.Before(now()) {
		return nil, err
	}
	return v, nil
}

const cleanupInterval = time.Minute

func (s *services) removeExpiredVerifications(ctx context.Context) error {
	last, current := s.lastCleanup.Load(), now()
	if current.UnixMilli()-last < cleanupInterval.Milliseconds() || !s.lastCleanup.CompareAndSwap(last, current.UnixMilli()) {
		return nil
	}
	_, err := s.verifications.remove(ctx, expiredBefore(current))
	return err
}
