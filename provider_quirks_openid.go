package auth

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"
)

// knownRules are those that the big issuers share: RS256, and no older than an hour.
func (p *oauthProvider) knownRules(issuer, keys string) *idTokenRules {
	rules := p.rules(issuer, keys, nil)
	rules.algs, rules.maxAge = []string{"RS256"}, time.Hour
	return rules
}

// claimsOrUserInfo prefers the id_token, if one came that can be read.
func claimsOrUserInfo(ctx context.Context, p *oauthProvider, tokens *OAuthTokens) (map[string]any, error) {
	if tokens.IDToken != "" {
		if claims, err := decodeIDToken(tokens.IDToken); err == nil {
			return claims, nil
		}
	}
	return p.fetchProfile(ctx, p.UserInfoURL, tokens.AccessToken)
}

// appleRules allow the nonce to be hashed, as Apple's libraries for apps do it.
func appleRules(p *oauthProvider) *idTokenRules {
	rules := p.knownRules(appleIssuer, appleIssuer+"/auth/keys")
	rules.hashedNonce = true
	return rules
}

// appleUser takes the name that Apple posted, which is in no token.
func appleUser(_ *oauthProvider, tokens *OAuthTokens, profile map[string]any, user *ProviderUser) error {
	if tokens.Name != "" {
		user.Name = tokens.Name
	}
	if tokens.Name != "" || !truthy(profile["name"]) {
		profile["name"] = user.Name
	}
	return nil
}

// cognitoCheck wants the names of the user pool's domain and of the pool.
func cognitoCheck(p *Provider) error {
	var errs []error
	if p.BaseURL == "" {
		errs = append(errs, errors.New("it needs BaseURL, the domain of the user pool"))
	}
	if region, pool, ok := strings.Cut(p.Tenant, "_"); !ok || region == "" || pool == "" {
		errs = append(errs, errors.New("it needs Tenant, the id of the user pool, such as eu-west-1_AbCdEf"))
	}
	return errors.Join(errs...)
}

func cognitoRules(p *oauthProvider) *idTokenRules {
	region, _, _ := strings.Cut(p.Tenant, "_")
	issuer := "https://cognito-idp." + region + ".amazonaws.com/" + p.Tenant
	return p.knownRules(issuer, issuer+"/.well-known/jwks.json")
}

// cognitoScopes writes the list of scopes with %20: Cognito does not read + as a
// space.
func cognitoScopes(p *oauthProvider, _ authorizationRequest, params []param) (string, []param) {
	i := slices.IndexFunc(params, func(p param) bool { return p.name == "scope" })
	if i < 0 {
		return "", params
	}
	scope := "scope=" + strings.ReplaceAll(encodeFormText(params[i].value), "+", "%20")
	separator := "?"
	if strings.Contains(p.AuthorizationURL, "?") {
		separator = "&"
	}
	return p.AuthorizationURL + separator + scope, slices.Delete(params, i, i+1)
}

// cognitoUser names the user in the claims as well: pools without names have user
// names.
func cognitoUser(_ *oauthProvider, tokens *OAuthTokens, profile map[string]any, user *ProviderUser) error {
	if tokens.IDToken != "" && !truthy(profile["name"]) {
		profile["name"] = user.Name
	}
	return nil
}

// facebookRules are for the tokens of Limited Login.
func facebookRules(p *oauthProvider) *idTokenRules {
	rules := p.rules("https://www.facebook.com", "https://limited.facebook.com/.well-known/oauth/openid/jwks/", nil)
	rules.algs = []string{"RS256"}
	return rules
}

// isJWT tells id_tokens from the access tokens that apps send in their place.
func isJWT(token string) bool { return strings.Count(token, ".") == 2 }

func facebookProfile(ctx context.Context, p *oauthProvider, tokens *OAuthTokens) (map[string]any, error) {
	if isJWT(tokens.IDToken) {
		return decodeIDToken(tokens.IDToken)
	}
	userID, err := p.facebookTokenUser(ctx, tokens.AccessToken)
	if err != nil {
		return nil, err
	}
	fields := append([]string{"id", "name", "email", "picture"}, p.ProfileFields...)
	profile, err := p.fetchProfile(ctx, p.UserInfoURL+"?fields="+strings.Join(fields, ","), tokens.AccessToken)
	if err == nil && profile["id"] != userID {
		return nil, errNoUser
	}
	return profile, err
}

// facebookTokenUser returns whose access token it is, if it was issued to this
// application. With those of others the profile can be read just as well, so that
// whoever runs another application could sign in here as its users.
func (p *oauthProvider) facebookTokenUser(ctx context.Context, accessToken string) (userID string, err error) {
	secret, err := p.secret(ctx)
	if err != nil || accessToken == "" || secret == "" {
		return "", errors.Join(err, errNoUser)
	}
	reply, err := p.getUnredirected(ctx, "https://graph.facebook.com/debug_token", []param{
		{"input_token", accessToken}, {"access_token", p.ClientID + "|" + secret},
	})
	if err != nil {
		return "", err
	}
	data, _ := reply["data"].(map[string]any)
	application, _ := data["app_id"].(string)
	userID, _ = data["user_id"].(string)
	if data["is_valid"] != true || userID == "" || application == "" ||
		application != p.ClientID && !slices.Contains(p.Audiences, application) {
		return "", errNoUser
	}
	return userID, nil
}

func facebookGuard(ctx context.Context, p *oauthProvider, tokens *OAuthTokens) (ok bool, err error) {
	token := tokens.AccessToken
	if token == "" && !isJWT(tokens.IDToken) {
		token = tokens.IDToken
	}
	if token != "" {
		_, err = p.facebookTokenUser(ctx, token)
	}
	return err == nil, err
}

// facebookUser believes no address of Limited Login: its tokens do not say whether
// it was verified.
func facebookUser(_ *oauthProvider, tokens *OAuthTokens, _ map[string]any, user *ProviderUser) error {
	if isJWT(tokens.IDToken) {
		user.EmailVerified = false
	}
	return nil
}

func googleRules(p *oauthProvider) *idTokenRules {
	rules := p.knownRules("https://accounts.google.com", "https://www.googleapis.com/oauth2/v3/certs")
	rules.issuers = append(rules.issuers, "accounts.google.com")
	rules.check = func(claims map[string]any) bool { return googleHostedDomain(p, claims) }
	return rules
}

// googleHostedDomain holds users to the Workspace domain of the parameter hd, which
// in the authorization URL is a mere hint. An asterisk is any domain.
func googleHostedDomain(p *oauthProvider, claims map[string]any) bool {
	want, got := p.Params["hd"], claims["hd"]
	if want == "*" {
		domain, _ := got.(string)
		return domain != ""
	}
	return want == "" || got == want
}

const lineVerification = "https://api.line.me/oauth2/v2.1/verify"

// lineVerify lets LINE verify its id_tokens, which has no keys for that: they are
// signed with the client's secret.
func lineVerify(ctx context.Context, p *oauthProvider, token, nonce string) error {
	form := []param{{"id_token", token}, {"client_id", p.ClientID}}
	if nonce != "" {
		form = append(form, param{"nonce", nonce})
	}
	claims, err := p.outgoing.postForm(ctx, lineVerification, form, nil)
	said, _ := claims["nonce"].(string)
	switch {
	case err != nil:
		return err
	case claims["aud"] != p.ClientID:
		return errors.New("it was issued to another client")
	case truthy(claims["nonce"]) && !same(said, nonce):
		return errors.New("it has another nonce")
	}
	return nil
}

// consumerTenant is that of all personal accounts at Microsoft.
const consumerTenant = "9188040d-6c67-4c5b-b112-36a304b66dad"

// microsoftRules hold a token to its own tenant: common, organizations and consumers
// are names for many issuers, which share keys.
func microsoftRules(p *oauthProvider) *idTokenRules {
	authority, tenant := p.known.expand("{base}", &p.Provider), p.known.expand("{tenant}", &p.Provider)
	rules := p.knownRules(authority+"/"+tenant+"/v2.0", authority+"/"+tenant+"/discovery/v2.0/keys")
	switch tenant {
	case "common", "organizations", "consumers":
		rules.issuers = nil
	}
	rules.check = func(claims map[string]any) bool {
		tid, ok := claims["tid"].(string)
		consumer := tid == consumerTenant
		return ok && claims["iss"] == authority+"/"+tid+"/v2.0" &&
			(tenant != "organizations" || !consumer) && (tenant != "consumers" || consumer)
	}
	return rules
}

const defaultPhotoSize = 48

// microsoftProfile are the claims, with the photo that Microsoft Graph may have.
func microsoftProfile(ctx context.Context, p *oauthProvider, tokens *OAuthTokens) (map[string]any, error) {
	if tokens.IDToken == "" {
		return nil, errNoUser
	}
	claims, err := decodeIDToken(tokens.IDToken)
	if err != nil {
		return nil, err
	}
	if object, _ := claims["oid"].(string); strings.TrimSpace(object) == "" {
		return nil, errNoUser
	}
	if photo := p.microsoftPhoto(ctx, tokens.AccessToken); photo != "" {
		claims["picture"] = photo
	}
	return claims, nil
}

// microsoftPhoto returns a data URL, empty for users without a photo. Its blank is
// the original's, so that the same user has the same image.
func (p *oauthProvider) microsoftPhoto(ctx context.Context, accessToken string) string {
	if p.PhotoSize < 0 || accessToken == "" {
		return ""
	}
	size := p.PhotoSize
	setDefault(&size, defaultPhotoSize)
	text := strconv.Itoa(size)
	r, err := http.NewRequest(http.MethodGet, "https://graph.microsoft.com/v1.0/me/photos/"+text+"x"+text+"/$value", nil)
	if err != nil {
		return ""
	}
	answer, err := p.outgoing.do(ctx, p.outgoing.following, bearing(r, accessToken, nil))
	if err != nil {
		return ""
	}
	return "data:image/jpeg;base64, " + base64.StdEncoding.EncodeToString(answer.body)
}

// microsoftUser looks for the address among those that the directory verified, if
// the token does not say it outright.
func microsoftUser(_ *oauthProvider, _ *OAuthTokens, profile map[string]any, user *ProviderUser) error {
	if _, says := profile["email_verified"]; says || user.Email == "" {
		return nil
	}
	for _, name := range []string{"verified_primary_email", "verified_secondary_email"} {
		addresses, _ := profile[name].([]any)
		user.EmailVerified = user.EmailVerified || slices.Contains(addresses, any(user.Email))
	}
	return nil
}

// twitchClaims names the members that the id_token shall have (OpenID Connect Core
// section 5.5): Twitch leaves out all that are not asked for.
func twitchClaims(p *oauthProvider, _ authorizationRequest, params []param) (string, []param) {
	if slices.ContainsFunc(params, func(p param) bool { return p.name == "claims" }) {
		return "", params
	}
	claims := make(map[string]any)
	for _, name := range append([]string{"email", "email_verified", "preferred_username", "picture"}, p.ProfileFields...) {
		claims[name] = nil
	}
	text, err := json.Marshal(map[string]any{"id_token": claims})
	if err != nil {
		return "", params // names are always valid
	}
	return "", append(params, param{"claims", string(text)})
}
