package auth

import (
	"context"
	"slices"
)

// AccountLinking says when an account at a provider becomes one of a user who
// exists. The zero value does so if provider and server have both verified that
// the same address is the user's, or if the user asks for it while signed in.
type AccountLinking struct {
	Disabled         bool // accounts are never linked, not even on request
	DisableImplicit  bool // only on request
	DifferentEmails  bool // on request, also an account with another address
	UpdateUserInfo   bool // name, image and additional fields follow the new account
	UnverifiedLocals bool // implicitly, also where this server has not verified the address: whoever signed up with it first keeps the password

	// TrustedProviders are ids of providers whose users need no address that the
	// provider has verified. TrustedProvidersFunc adds some for one request.
	TrustedProviders     []string
	TrustedProvidersFunc func(ctx context.Context) []string
}

// trustsProvider reports whether what a provider says of addresses counts as
// verified.
func (s *services) trustsProvider(ctx context.Context, id string) bool {
	return slices.Contains(s.linking.TrustedProviders, id) ||
		s.linking.TrustedProvidersFunc != nil && slices.Contains(s.linking.TrustedProvidersFunc(ctx), id)
}
