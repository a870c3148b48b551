package auth

import (
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"maps"
	"math"
	"slices"
	"strconv"
	"strings"
	"time"
)

// exchangeCode trades a code for tokens (RFC 6749 section 4.1.3, contract section
// 8.2). Errors: the provider refused, or did not answer with what it should.
func (p *oauthProvider) exchangeCode(ctx context.Context, in CodeExchange) (*OAuthTokens, error) {
	switch {
	case p.Exchange != nil:
		return p.withLifetime(p.Exchange(ctx, in))
	case p.known != nil && p.known.exchange != nil:
		return p.withLifetime(p.known.exchange(ctx, p, in))
	}
	return p.withLifetime(p.requestTokens(ctx, p.codeForm(in), p.authMethod(false)))
}

func (p *oauthProvider) codeForm(in CodeExchange) []param {
	form := []param{{"grant_type", "authorization_code"}, {"code", in.Code}}
	if !p.NoPKCE && in.CodeVerifier != "" && (p.known == nil || !p.known.plain) {
		form = append(form, param{"code_verifier", in.CodeVerifier})
	}
	if in.DeviceID != "" && p.known != nil && p.known.deviceID {
		form = append(form, param{"device_id", in.DeviceID})
	}
	form = append(form, param{"redirect_uri", in.RedirectURI})
	for _, name := range slices.Sorted(maps.Keys(p.TokenParams)) {
		if !slices.ContainsFunc(form, func(sent param) bool { return sent.name == name }) {
			form = append(form, param{name, p.TokenParams[name]})
		}
	}
	return form
}

// refreshTokens trades a refresh token for new tokens (RFC 6749 section 6, contract
// section 8.3). Errors: as exchangeCode, and a reply without an access token.
func (p *oauthProvider) refreshTokens(ctx context.Context, refreshToken string) (*OAuthTokens, error) {
	switch {
	case p.Refresh != nil:
		return p.withLifetime(p.Refresh(ctx, refreshToken))
	case p.known != nil && p.known.refresh != nil:
		return p.withLifetime(p.known.refresh(ctx, p, refreshToken))
	}
	form := []param{{"grant_type", "refresh_token"}, {"refresh_token", refreshToken}}
	if p.known != nil && p.known.refreshScopes {
		form = append(form, param{"scope", p.known.joinScopes(p.scopes(nil))})
	}
	for _, name := range slices.Sorted(maps.Keys(p.RefreshParams)) {
		if name != "grant_type" && name != "refresh_token" {
			form = setFormParam(form, param{name, p.RefreshParams[name]})
		}
	}
	tokens, err := p.withLifetime(p.requestTokens(ctx, form, p.authMethod(true)))
	if err == nil && tokens.AccessToken == "" {
		err = errors.New("auth: provider " + p.ID + " refreshed without an access token")
	}
	return tokens, err
}

// canRefresh reports whether the provider has refresh tokens at all.
func (p *oauthProvider) canRefresh() bool {
	return p.Refresh != nil || p.known == nil || !p.known.noRefresh
}

func (p *oauthProvider) withLifetime(tokens *OAuthTokens, err error) (*OAuthTokens, error) {
	if err != nil || tokens == nil {
		return nil, errors.Join(err, errNoTokens)
	}
	if tokens.AccessTokenExpiresAt.IsZero() && p.AccessTokenExpiresIn > 0 {
		tokens.AccessTokenExpiresAt = now().Add(p.AccessTokenExpiresIn)
	}
	return tokens, nil
}

var errNoTokens = errors.New("auth: the provider gave no tokens")

// requestTokens sends a grant to the token endpoint.
func (p *oauthProvider) requestTokens(ctx context.Context, form []param, method TokenAuth) (*OAuthTokens, error) {
	headers := make(map[string]string)
	if p.known != nil {
		maps.Copy(headers, p.known.tokenHeaders)
	}
	maps.Copy(headers, p.TokenHeaders)
	endpoint := p.endpoints().token
	form, err := p.authenticate(ctx, endpoint, form, headers, method)
	if err != nil {
		return nil, err
	}
	reply, err := p.outgoing.postForm(ctx, endpoint, form, headers)
	switch {
	case errors.Is(err, errNoObject): // which has no tokens, as far as can be told
		p.log.WarnContext(ctx, "token endpoint answers oddly", "provider", p.ID, "error", err)
		return tokensOf(nil), nil
	case err != nil:
		return nil, err
	}
	if p.known != nil && p.known.okErrors && reply["error"] != nil {
		return nil, fmt.Errorf("auth: provider %s refused the grant: %.100s", p.ID, fmt.Sprint(reply["error"]))
	}
	return tokensOf(reply), nil
}

// authMethod is how the client authenticates, also for a refresh.
func (p *oauthProvider) authMethod(refreshing bool) TokenAuth {
	method := p.TokenAuth
	if p.known != nil {
		if refreshing {
			setDefault(&method, p.known.refreshAuth)
		}
		setDefault(&method, p.known.auth)
	}
	if !p.hasSecret() && method != TokenAuthPrivateKeyJWT {
		return TokenAuthNone
	}
	setDefault(&method, TokenAuthPost)
	return method
}

// authenticate adds the client's credentials to a request (RFC 6749 section 2.3.1,
// RFC 7523 section 2.2).
func (p *oauthProvider) authenticate(ctx context.Context, endpoint string, form []param, headers map[string]string, method TokenAuth) ([]param, error) {
	switch method {
	case TokenAuthBasic:
		secret, err := p.secret(ctx)
		headers["Authorization"] = basicCredentials(p.ClientID, secret)
		return form, err
	case TokenAuthNone:
		return setFormParam(form, p.known.clientID(p)), nil
	case TokenAuthPrivateKeyJWT:
		assertion, err := p.ClientAssertion(ctx, endpoint)
		form = setFormParam(form, param{"client_id", p.ClientID})
		form = setFormParam(form, param{"client_assertion", assertion})
		return setFormParam(form, param{"client_assertion_type", clientAssertionType}), err
	}
	form = setFormParam(form, p.known.clientID(p))
	secret, err := p.secret(ctx)
	return setFormParam(form, param{"client_secret", secret}), err
}

const clientAssertionType = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"

// tokensOf reads the reply of a token endpoint (RFC 6749 section 5.1).
func tokensOf(reply map[string]any) *OAuthTokens {
	text := func(name string) string { value, _ := reply[name].(string); return value }
	return &OAuthTokens{
		AccessToken:           text("access_token"),
		RefreshToken:          text("refresh_token"),
		IDToken:               text("id_token"),
		TokenType:             text("token_type"),
		AccessTokenExpiresAt:  expiryOf(reply["expires_in"]),
		RefreshTokenExpiresAt: expiryOf(reply["refresh_token_expires_in"]),
		Scopes:                scopesOf(reply["scope"]),
		Raw:                   reply,
	}
}

// expiryOf is the end of a lifetime in seconds, zero if there is none or it makes
// no sense. Some providers send a text.
func expiryOf(lifetime any) time.Time {
	seconds, ok := lifetime.(float64)
	if text, isText := lifetime.(string); isText {
		seconds, ok = parseSeconds(text)
	}
	if !ok || seconds == 0 || !(math.Abs(seconds) <= maxTokenLifetime) { // NaN is no number of seconds either
		return time.Time{}
	}
	return now().Add(time.Duration(seconds * float64(time.Second)))
}

// maxTokenLifetime is in seconds; what is beyond has no date in some databases.
const maxTokenLifetime = 100 * 365 * 24 * 60 * 60

// scopesOf splits a list of scopes at white space only, whatever a provider makes
// of commas; some send an array.
func scopesOf(scope any) []string {
	scopes := []string{}
	switch v := scope.(type) {
	case string:
		scopes = append(scopes, strings.Fields(v)...)
	case []any:
		for _, one := range v {
			if text, _ := one.(string); strings.TrimSpace(text) != "" {
				scopes = append(scopes, strings.TrimSpace(text))
			}
		}
	}
	return scopes
}

// parseSeconds reads a lifetime that was sent as a text.
func parseSeconds(text string) (float64, bool) {
	seconds, err := strconv.ParseFloat(text, 64)
	return seconds, err == nil
}

// basicCredentials are in the form encoding that RFC 6749 section 2.3.1 asks for.
func basicCredentials(id, secret string) string {
	return "Basic " + base64.StdEncoding.EncodeToString([]byte(encodeFormText(id)+":"+encodeFormText(secret)))
}
