package auth

import (
	"context"
	"time"
)

// CreateVerification stores a value to be fetched by purpose and token. The purpose
// is a constant of the plugin that ends with a separator ("magic-link:"): a token of
// one purpose is none for another. Others with the same purpose and token stay; the
// newest one counts.
func (s *Services) CreateVerification(ctx context.Context, purpose, token, value string, lifetime time.Duration) error {
	return s.local().createVerification(ctx, purpose, token, value, lifetime)
}

// FindVerification returns the newest verification, nil if there is none. It may
// have expired.
func (s *Services) FindVerification(ctx context.Context, purpose, token string) (*Verification, error) {
	return s.local().verifications.newest(ctx, purpose+token)
}

// ConsumeVerification removes the newest verification and older ones with the same
// purpose and token, and returns it: of any number of callers one gets it, the
// others nil. An expired one is removed and counts as missing.
func (s *Services) ConsumeVerification(ctx context.Context, purpose, token string) (*Verification, error) {
	return s.local().consumeVerification(ctx, purpose, token)
}

// RestoreVerification stores a verification that was consumed again, with another
// value if that changed, until it would have expired. It comes behind those that were
// created meanwhile.
func (s *Services) RestoreVerification(ctx context.Context, v *Verification, value string) error {
	return s.local().verifications.create(ctx, &Verification{
		Identifier: v.Identifier, Value: value, ExpiresAt: v.ExpiresAt, CreatedAt: v.CreatedAt, UpdatedAt: now(),
	})
}

// DeleteVerifications removes all verifications with a purpose and token.
func (s *Services) DeleteVerifications(ctx context.Context, purpose, token string) error {
	return s.local().verifications.removeAll(ctx, purpose+token)
}

// ExtendVerification lets the newest verification live for a lifetime from now, and
// reports whether there is one.
func (s *Services) ExtendVerification(ctx context.Context, purpose, token string, lifetime time.Duration) (bool, error) {
	return s.local().verifications.extend(ctx, purpose+token, now().Add(lifetime))
}
