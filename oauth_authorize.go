package auth

import (
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"maps"
	"slices"
	"strings"
)

// authorizationRequest is what one flow adds to the authorization URL.
type authorizationRequest struct {
	state        string
	codeVerifier string
	nonce        string
	redirectURI  string
	scopes       []string
	loginHint    string
	params       map[string]string // of the request; reserved ones are left out
}

// reservedParams are what binds a request to its callback: nobody but us sets them.
var reservedParams = []string{
	"state", "client_id", "redirect_uri", "response_type",
	"code_challenge", "code_challenge_method", "nonce", "scope",
}

// authorizationURL returns where a browser is sent to sign in (RFC 6749 section
// 4.1.1, RFC 7636 section 4.3, contract section 8.1).
func (p *oauthProvider) authorizationURL(in authorizationRequest) (string, error) {
	endpoint := p.endpoints().authorization
	switch {
	case p.ClientID == "":
		return "", errors.New("auth: provider " + p.ID + " has no ClientID")
	case p.known != nil && p.known.needsSecret && !p.hasSecret():
		return "", errors.New("auth: provider " + p.ID + " has no ClientSecret")
	}
	params := p.authorizationParams(in)
	if p.known != nil && p.known.authorize != nil {
		var quirk string
		if quirk, params = p.known.authorize(p, in, params); quirk != "" {
			endpoint = quirk
		}
	}
	return appendParams(endpoint, params), nil
}

// authorizationParams are in the order of the contract.
func (p *oauthProvider) authorizationParams(in authorizationRequest) []param {
	own, client := p.ownParams(), p.known.clientID(p)
	params := []param{{"response_type", "code"}, client, {"state", in.state}}
	add := func(name, value string) {
		if value != "" {
			params = setFormParam(params, param{name, value})
		}
	}
	add("response_type", own["response_type"])
	add("scope", p.known.joinScopes(p.scopes(in.scopes)))
	add("redirect_uri", in.redirectURI)
	add("duration", own["duration"])
	add("display", own["display"])
	if p.known == nil || p.known.loginHint {
		add("login_hint", in.loginHint)
	}
	add("nonce", in.nonce)
	for _, name := range []string{"prompt", "hd", "access_type", "response_mode"} {
		add(name, own[name])
	}
	if !p.NoPKCE && (p.known == nil || !p.known.plain) {
		add("code_challenge_method", "S256")
		add("code_challenge", codeChallenge(in.codeVerifier))
	}
	params = addParams(params, own, true)
	if p.known == nil || !p.known.ignoreParams {
		params = addParams(params, in.params, false)
	}
	if p.known != nil {
		params = addParams(params, p.known.fixed, false)
	}
	return setFormParam(params, client)
}

// ownParams are those of the configuration over those of the table; empty ones are
// not sent.
func (p *oauthProvider) ownParams() map[string]string {
	own := make(map[string]string)
	if p.known != nil {
		maps.Copy(own, p.known.params)
	}
	maps.Copy(own, p.Params)
	return own
}

// addParams sets parameters in sorted order, except reserved ones and, with
// skipEmpty, those without a value.
func addParams(params []param, more map[string]string, skipEmpty bool) []param {
	for _, name := range slices.Sorted(maps.Keys(more)) {
		if slices.Contains(reservedParams, name) || skipEmpty && more[name] == "" {
			continue
		}
		params = setFormParam(params, param{name, more[name]})
	}
	return params
}

// scopes are those of the provider, of the configuration and of the request.
func (p *oauthProvider) scopes(requested []string) []string {
	if p.known == nil {
		scopes := slices.Concat(requested, p.Scopes)
		if p.openID() && !slices.Contains(scopes, "openid") {
			scopes = slices.Insert(scopes, 0, "openid")
		}
		return scopes
	}
	var scopes []string
	if !p.NoDefaultScopes {
		scopes = slices.Clone(p.known.scopes)
	}
	switch {
	case p.known.ignoreScopes:
		return nil
	case p.known.requestFirst:
		return slices.Concat(scopes, requested, p.Scopes)
	}
	return slices.Concat(scopes, p.Scopes, requested)
}

// codeChallenge is S256, the only method there is here.
func codeChallenge(verifier string) string {
	sum := sha256.Sum256([]byte(verifier))
	return base64.RawURLEncoding.EncodeToString(sum[:])
}

// appendParams appends parameters to a URL from whose query they are removed
// first. The rest of the query keeps its text: some servers sign it.
func appendParams(endpoint string, params []param) string {
	path, query, fragment := splitReference(endpoint)
	var kept []string
	for pair := range strings.SplitSeq(strings.TrimPrefix(query, "?"), "&") {
		names := decodeForm(pair)
		if len(names) == 1 && !slices.ContainsFunc(params, func(p param) bool { return p.name == names[0].name }) {
			kept = append(kept, pair)
		}
	}
	if len(params) > 0 {
		kept = append(kept, encodeForm(params))
	}
	return path + "?" + strings.Join(kept, "&") + fragment
}
