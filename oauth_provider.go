package auth

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/url"
	"strings"
)

// An oauthProvider is a Provider at work. It is safe for concurrent use.
type oauthProvider struct {
	Provider
	outgoing  *outgoing
	log       *slog.Logger
	discovery *discovery

	refreshing *lockStripes // by account: of its own, so that nobody waits for another provider
}

// newProvider checks a configuration and completes it from the table.
func newProvider(config Provider, out *outgoing, log *slog.Logger) (*oauthProvider, error) {
	p := &oauthProvider{Provider: config.clone(), outgoing: out, log: log, discovery: newDiscovery(), refreshing: newLockStripes()}
	if err := config.check(); err != nil {
		return nil, fmt.Errorf("auth: Config.Providers: %q: %w", config.ID, err)
	}
	if k := p.known; k != nil {
		setDefault(&p.AuthorizationURL, k.expand(k.authorization, &config))
		setDefault(&p.TokenURL, k.expand(k.token, &config))
		setDefault(&p.UserInfoURL, k.expand(k.userInfo, &config))
	}
	if len(p.Audiences) == 0 {
		p.Audiences = []string{p.ClientID}
	}
	if p.DiscoveryURL != "" {
		p.outgoing = out.rememberingNetwork()
		return p, nil
	}
	found := p.configured()
	if p.known != nil && p.known.idToken != nil {
		found.idToken = p.known.idToken(p)
	}
	p.discovery.found = found
	return p, nil
}

// configured are the endpoints that the configuration names.
func (p *oauthProvider) configured() *endpoints {
	return &endpoints{
		authorization: p.AuthorizationURL, token: p.TokenURL, userInfo: p.UserInfoURL, endSession: p.EndSessionURL,
	}
}

// check returns all mistakes.
func (p *Provider) check() error {
	var errs []error
	fail := func(format string, args ...any) { errs = append(errs, fmt.Errorf(format, args...)) }
	if p.ID == "" || strings.Trim(p.ID, alphanumeric+"-._~") != "" || strings.Trim(p.ID, ".") == "" {
		fail("an ID has letters, digits and - . _ ~ only")
	}
	if p.ID == credentialProvider {
		fail("the ID is that of accounts with a password")
	}
	if p.ClientID == "" {
		fail("ClientID is missing")
	}
	if p.known != nil && p.known.id == "" {
		fail("there is no such provider in the table: give one its URLs, or use OIDC")
	}
	if p.known == nil && p.DiscoveryURL == "" {
		if err := (&endpoints{authorization: p.AuthorizationURL, token: p.TokenURL}).check(p.Exchange != nil); err != nil {
			fail("%w", err)
		}
	}
	based := ""
	if p.known != nil {
		based = p.known.expand(p.known.authorization, p)
	}
	for _, option := range []struct{ name, value string }{
		{"BaseURL", based}, {"DiscoveryURL", p.DiscoveryURL}, {"AuthorizationURL", p.AuthorizationURL}, {"TokenURL", p.TokenURL},
		{"UserInfoURL", p.UserInfoURL}, {"EndSessionURL", p.EndSessionURL},
	} {
		if u, err := url.Parse(option.value); option.value != "" && (err != nil || u.Host == "" || !isWebScheme(u.Scheme)) {
			fail("%s is no http or https URL", option.name)
		}
	}
	errs = append(errs, p.checkParams(), p.checkTokenAuth(), p.checkKnown())
	return errors.Join(errs...)
}

// checkKnown refuses options that would change nothing: whoever sets one expects
// that it does.
func (p *Provider) checkKnown() error {
	k := cmp.Or(p.known, &knownProvider{})
	var errs []error
	for _, option := range []struct {
		name      string
		set, used bool
	}{
		{"BaseURL", p.BaseURL != "", k.base != "" || k.check != nil},
		{"Tenant", p.Tenant != "", k.tenant != "" || k.check != nil},
		{"Environment", p.Environment != "", k.environments != nil},
		{"DiscoveryURL", p.DiscoveryURL != "", p.known == nil},
		{"Issuer", p.Issuer != "", p.DiscoveryURL != ""},
	} {
		if option.set && !option.used {
			errs = append(errs, fmt.Errorf("%s is of no use to this provider", option.name))
		}
	}
	if _, known := k.environments[p.Environment]; k.environments != nil && !known {
		errs = append(errs, fmt.Errorf("there is no Environment %q", p.Environment))
	}
	if k.check != nil {
		errs = append(errs, k.check(p))
	}
	return errors.Join(errs...)
}

// checkParams refuses parameters that would take a flow apart.
func (p *Provider) checkParams() error {
	var errs []error
	for _, name := range reservedParams {
		if _, set := p.Params[name]; set && name != "response_type" {
			errs = append(errs, fmt.Errorf("parameter %s belongs to the flow, not to Params", name))
		}
	}
	return errors.Join(errs...)
}

func (p *Provider) hasSecret() bool { return p.ClientSecret != "" || p.ClientSecretFunc != nil }

// secret is the client secret as it is now.
func (p *Provider) secret(ctx context.Context) (string, error) {
	if p.ClientSecretFunc == nil {
		return p.ClientSecret, nil
	}
	secret, err := p.ClientSecretFunc(ctx)
	if err == nil && secret == "" {
		err = errors.New("auth: ClientSecretFunc of provider " + p.ID + " made no secret")
	}
	return secret, err
}

// checkTokenAuth wants the credentials that the method needs and no others.
func (p *Provider) checkTokenAuth() error {
	if p.ClientSecret != "" && p.ClientSecretFunc != nil {
		return errors.New("there are both ClientSecret and ClientSecretFunc")
	}
	switch p.TokenAuth {
	case "":
	case TokenAuthPost, TokenAuthBasic:
		if !p.hasSecret() {
			return fmt.Errorf("TokenAuth %s needs ClientSecret", p.TokenAuth)
		}
	case TokenAuthNone, TokenAuthPrivateKeyJWT:
		if p.hasSecret() {
			return fmt.Errorf("TokenAuth %s uses no ClientSecret", p.TokenAuth)
		}
	default:
		return fmt.Errorf("TokenAuth is %q", p.TokenAuth)
	}
	if (p.TokenAuth == TokenAuthPrivateKeyJWT) != (p.ClientAssertion != nil) {
		return errors.New("TokenAuthPrivateKeyJWT and ClientAssertion need each other")
	}
	return nil
}

// rules are those for id_tokens of an issuer with keys at a URL.
func (p *oauthProvider) rules(issuer, keys string, headers map[string]string) *idTokenRules {
	rules := &idTokenRules{audiences: p.Audiences}
	if issuer != "" {
		rules.issuers = []string{issuer}
	}
	rules.keys = newRemoteKeys(keys, func(ctx context.Context, url string) ([]byte, error) {
		return p.outgoing.getKeys(ctx, url, headers)
	})
	return rules
}

// needsNonce reports whether the provider binds its id_tokens to the flow.
func (p *oauthProvider) needsNonce() bool {
	return p.known == nil && p.endpoints().idToken != nil && !p.NoNonce
}

// takesIDTokens reports whether clients may submit id_tokens.
func (p *oauthProvider) takesIDTokens() bool {
	return !p.DisableIDToken && (p.VerifyIDToken != nil || p.endpoints().idToken != nil || p.known != nil && p.known.verify != nil)
}

// acceptsIDToken verifies an id_token that a client submitted (contract section 9).
func (p *oauthProvider) acceptsIDToken(ctx context.Context, token, nonce string) bool {
	if p.VerifyIDToken != nil {
		return p.VerifyIDToken(ctx, token, nonce)
	}
	if p.known != nil && p.known.opaque && strings.Count(token, ".") != 2 {
		return true // the profile request decides
	}
	if err := p.verifyIDToken(ctx, token, nonce); err != nil {
		p.log.WarnContext(ctx, "id_token refused", "provider", p.ID, "error", err)
		return false
	}
	return true
}

func (p *oauthProvider) verifyIDToken(ctx context.Context, token, nonce string) error {
	if p.known != nil && p.known.verify != nil {
		return p.known.verify(ctx, p, token, nonce)
	}
	_, err := p.endpoints().idToken.verify(ctx, token, nonce)
	return err
}

// endSessionURL is where sign-out leads, empty if it does not (OpenID Connect
// RP-Initiated Logout 1.0 section 2).
func (p *oauthProvider) endSessionURL(idToken, redirectURI, state string) string {
	endpoint := p.endpoints().endSession
	if endpoint == "" || p.DisableLogout {
		return ""
	}
	var params []param
	if idToken != "" {
		params = append(params, param{"id_token_hint", idToken})
	}
	switch {
	case redirectURI != "":
		params = append(params, param{"post_logout_redirect_uri", redirectURI}, param{"client_id", p.ClientID})
		if state != "" {
			params = append(params, param{"state", state})
		}
	case idToken == "":
		params = append(params, param{"client_id", p.ClientID})
	}
	return appendParams(endpoint, params)
}

// configuredProvider returns the provider with an id, nil if there is none.
func (s *services) configuredProvider(id string) *oauthProvider {
	for _, p := range s.providers {
		if p != nil && p.ID == id {
			return p
		}
	}
	return nil
}

// provider returns the provider with an id, nil if there is none or if its
// endpoints cannot be found out.
func (s *services) provider(ctx context.Context, id string) *oauthProvider {
	p := s.configuredProvider(id)
	if p == nil {
		return nil
	}
	if err := p.ready(ctx); err != nil {
		s.log.ErrorContext(ctx, "provider is not available", "provider", id, "error", err)
		return nil
	}
	return p
}

// redirectURI is where a provider sends browsers back to.
func (s *services) redirectURI(ctx context.Context, p *oauthProvider) string {
	if p.RedirectURI != "" {
		return p.RedirectURI
	}
	return s.siteOf(ctx).url + "/callback/" + p.ID
}
