package auth

import (
	"context"
	"slices"
)

// mayLogOut reports whether the provider may have an end-session endpoint.
func (p *oauthProvider) mayLogOut() bool {
	return p.known == nil && !p.DisableLogout && (p.EndSessionURL != "" || p.DiscoveryURL != "")
}

// logoutURL asks the accounts of a user, the one that was changed last first.
func (c *core) logoutURL(ctx context.Context, userID string, in SignOutRequest) string {
	accounts, err := c.accountsOf(ctx, userID)
	if err != nil {
		c.log.ErrorContext(ctx, "sign-out could not read the accounts", "error", err)
		return ""
	}
	slices.SortStableFunc(accounts, func(a, b *Account) int { return b.UpdatedAt.Compare(a.UpdatedAt) })
	seen := make(map[string]bool)
	for _, account := range accounts {
		if seen[account.ProviderID] {
			continue
		}
		seen[account.ProviderID] = true
		p := c.configuredProvider(account.ProviderID)
		if p == nil || !p.mayLogOut() {
			continue
		}
		if p = c.provider(ctx, account.ProviderID); p == nil {
			continue
		}
		if url := p.logoutURL(c.siteOf(ctx).origin, account.IDToken, in); url != "" {
			return url
		}
	}
	return ""
}

// logoutURL prefers where the request wants to end to what the configuration says.
func (p *oauthProvider) logoutURL(origin string, idToken *string, in SignOutRequest) string {
	target := in.CallbackURL
	setDefault(&target, p.PostLogoutRedirectURI)
	if target != "" {
		absolute, err := redirectWith(origin, target)
		if err != nil {
			return ""
		}
		target = absolute
	}
	hint := ""
	if idToken != nil {
		hint = *idToken
	}
	return p.endSessionURL(hint, target, in.State)
}
