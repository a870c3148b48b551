package auth

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"net/http"
	"strings"
)

// An identity is what a provider says of the user who signed in.
type identity struct {
	accountID string // the subject
	user      ProviderUser
	profile   map[string]any
	tokens    *OAuthTokens
}

// errNoUser means that the provider let nobody in, as far as can be told.
var errNoUser = errors.New("auth: the provider gave no user")

// identify finds out who the tokens of a flow are for. Errors: errNoUser, and
// everything that a provider can do wrong.
func (p *oauthProvider) identify(ctx context.Context, tokens *OAuthTokens, nonce string) (*identity, error) {
	profile, err := p.profileOf(ctx, tokens, nonce)
	if err != nil {
		return nil, err
	}
	return p.identityOf(ctx, tokens, profile)
}

// describe asks for the profile of a user whose account is known.
func (p *oauthProvider) describe(ctx context.Context, tokens *OAuthTokens) (*identity, error) {
	profile, err := p.profileOf(ctx, tokens, "")
	if err == nil && profile == nil {
		err = errNoUser
	}
	if err != nil {
		return nil, err
	}
	user, err := p.userOf(ctx, tokens, profile)
	return &identity{user: user, profile: profile, tokens: tokens}, err
}

// identifyByIDToken is identify for an id_token that a client submitted and that
// was verified.
func (p *oauthProvider) identifyByIDToken(ctx context.Context, tokens *OAuthTokens) (*identity, error) {
	if p.known != nil {
		return p.identify(ctx, tokens, "")
	}
	claims, err := decodeIDToken(tokens.IDToken)
	if err != nil {
		return nil, err
	}
	profile, err := p.openProfile(ctx, &OAuthTokens{IDToken: tokens.IDToken}, claims)
	if err != nil {
		return nil, err
	}
	return p.identityOf(ctx, tokens, profile)
}

func (p *oauthProvider) identityOf(ctx context.Context, tokens *OAuthTokens, profile map[string]any) (*identity, error) {
	if profile == nil {
		return nil, errNoUser
	}
	user, err := p.userOf(ctx, tokens, profile)
	if err != nil {
		return nil, err
	}
	found := &identity{user: user, profile: profile, tokens: tokens}
	found.accountID, err = p.subjectOf(tokens, profile)
	return found, err
}

// profileOf fetches the profile, nil if the provider has none to give.
func (p *oauthProvider) profileOf(ctx context.Context, tokens *OAuthTokens, nonce string) (map[string]any, error) {
	if p.known == nil {
		claims, err := p.verifiedClaims(ctx, tokens, nonce)
		if err != nil {
			return nil, err
		}
		return p.openProfile(ctx, tokens, claims)
	}
	if p.Profile != nil {
		return p.guardedProfile(ctx, tokens)
	}
	reply, err := p.knownProfile(ctx, tokens)
	if err != nil {
		return nil, err
	}
	return p.known.profileIn(p, reply)
}

// knownProfile is what the resource answers that the table names.
func (p *oauthProvider) knownProfile(ctx context.Context, tokens *OAuthTokens) (map[string]any, error) {
	switch {
	case p.known.profile != nil:
		return p.known.profile(ctx, p, tokens)
	case !p.known.idTokenProfile:
		return p.fetchProfile(ctx, p.UserInfoURL, tokens.AccessToken)
	case tokens.IDToken == "":
		return nil, errNoUser
	}
	return decodeIDToken(tokens.IDToken)
}

func (p *oauthProvider) guardedProfile(ctx context.Context, tokens *OAuthTokens) (map[string]any, error) {
	if p.known.guard != nil {
		if ok, err := p.known.guard(ctx, p, tokens); err != nil || !ok {
			return nil, errors.Join(err, errNoUser)
		}
	}
	return p.Profile(ctx, tokens)
}

// fetchProfile asks a resource of the provider as the table says.
func (p *oauthProvider) fetchProfile(ctx context.Context, url, accessToken string) (map[string]any, error) {
	if accessToken == "" {
		return nil, errNoUser
	}
	if p.known == nil || !p.known.userInfoPost {
		var headers map[string]string
		if p.known != nil {
			headers = p.known.userInfoHeader
		}
		return p.outgoing.getObject(ctx, url, accessToken, headers)
	}
	r, err := http.NewRequest(http.MethodPost, url, http.NoBody)
	if err != nil {
		return nil, err
	}
	return p.outgoing.object(ctx, p.outgoing.following, bearing(r, accessToken, p.known.userInfoHeader))
}

// verifiedClaims are those of the id_token of a flow, nil if there is none or if it
// cannot be verified. The nonce must then be that of the flow.
func (p *oauthProvider) verifiedClaims(ctx context.Context, tokens *OAuthTokens, nonce string) (map[string]any, error) {
	rules := p.endpoints().idToken
	if rules == nil || tokens.IDToken == "" {
		return nil, nil
	}
	return rules.verify(ctx, tokens.IDToken, nonce)
}

// openProfile is the profile of a provider that is not in the table: the claims of
// the id_token if they identify the user and have an address, else what the
// userinfo endpoint says of the same subject (contract section 11).
func (p *oauthProvider) openProfile(ctx context.Context, tokens *OAuthTokens, claims map[string]any) (profile map[string]any, err error) {
	if p.Profile != nil {
		profile, err = p.Profile(ctx, tokens)
	} else {
		profile, err = p.fetchUserInfo(ctx, tokens, claims)
	}
	if err != nil || profile == nil {
		return nil, err
	}
	if subject := claims["sub"]; subject != nil && (p.Profile == nil || profile["sub"] != nil) {
		if got, _ := profileText(profile["sub"]); got != subject {
			return nil, errors.New("auth: provider " + p.ID + ": userinfo is about another subject than the id_token")
		}
	}
	return profile, nil
}

func (p *oauthProvider) fetchUserInfo(ctx context.Context, tokens *OAuthTokens, claims map[string]any) (map[string]any, error) {
	if claims == nil && tokens.IDToken != "" {
		claims, _ = decodeIDToken(tokens.IDToken) // straight from the token endpoint; one that is none counts as absent
	}
	if truthy(claims["sub"]) && truthy(claims["email"]) {
		profile := map[string]any{"id": claims["sub"], "emailVerified": profileBool(claims["email_verified"])}
		setPicture(profile, claims["picture"])
		maps.Copy(profile, claims)
		return profile, nil
	}
	userInfo := p.endpoints().userInfo
	if userInfo == "" {
		return nil, errNoUser
	}
	profile, err := p.fetchProfile(ctx, userInfo, tokens.AccessToken)
	if err != nil {
		return nil, err
	}
	profile["emailVerified"] = profileBool(profile["email_verified"])
	setPicture(profile, profile["picture"])
	return profile, nil
}

// setPicture names a picture as the user's columns do.
func setPicture(profile map[string]any, picture any) {
	if delete(profile, "image"); picture != nil {
		profile["image"] = picture
	}
}

// userOf maps a profile to a user.
func (p *oauthProvider) userOf(ctx context.Context, tokens *OAuthTokens, profile map[string]any) (user ProviderUser, err error) {
	if p.known != nil {
		user, err = p.known.userOf(p, tokens, profile)
	} else {
		text := func(name string) string { value, _ := profile[name].(string); return value }
		user = ProviderUser{
			Name: text("name"), Email: text("email"), Image: text("image"), EmailVerified: profileBool(profile["emailVerified"]),
		}
	}
	if err == nil && p.MapProfile != nil {
		err = p.MapProfile(ctx, profile, &user)
	}
	if err == nil && p.known != nil {
		err = p.known.addPlaceholder(profile, &user)
	}
	return user, err
}

// subjectOf is the stable name of the user at the provider.
func (p *oauthProvider) subjectOf(tokens *OAuthTokens, profile map[string]any) (string, error) {
	if p.Subject != nil {
		subject, err := p.Subject(tokens, profile)
		if err != nil {
			return "", err
		}
		return p.validSubject(subject)
	}
	subject, _ := profileText(p.subjectValue(tokens, profile))
	return p.validSubject(subject)
}

func (p *oauthProvider) subjectValue(tokens *OAuthTokens, profile map[string]any) any {
	switch {
	case p.known != nil:
		return lookup(profile, p.known.subject)
	case !p.openID():
		return profile["id"]
	case p.endpoints().idToken != nil && tokens.IDToken != "":
		claims, _ := decodeIDToken(tokens.IDToken) // it was verified
		return claims["sub"]
	}
	return profile["sub"]
}

// validSubject refuses what JavaScript makes of a subject that is not there: such
// accounts would belong to everybody.
func (p *oauthProvider) validSubject(subject string) (string, error) {
	if strings.TrimSpace(subject) == "" || subject == "undefined" || subject == "null" {
		return "", fmt.Errorf("auth: provider %s: %q identifies nobody", p.ID, subject)
	}
	return subject, nil
}
