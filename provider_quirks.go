package auth

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
)

// What the table cannot say of providers, in the order of their ids. Those that
// issue id_tokens of their own have provider_quirks_openid.go.

// succeeded reads the envelope of Cloudflare and Gumroad.
func succeeded(_ *oauthProvider, reply map[string]any) bool { return truthy(reply["success"]) }

func cloudflareScopes(_ *oauthProvider, _ authorizationRequest, params []param) (string, []param) {
	for i := range params {
		if params[i].name == "scope" {
			params[i].value = strings.Join(unique(strings.Fields(params[i].value)), " ")
		}
	}
	return "", params
}

// unique keeps the first of equal values.
func unique(values []string) []string {
	kept := values[:0]
	for _, value := range values {
		if !slices.Contains(kept, value) {
			kept = append(kept, value)
		}
	}
	return kept
}

func cloudflareUser(_ *oauthProvider, _ *OAuthTokens, profile map[string]any, user *ProviderUser) error {
	user.Name = fullName(profile)
	setDefault(&user.Name, user.Email)
	return nil
}

// fullName joins what there is of a name.
func fullName(profile map[string]any) string {
	first, last := lookupText(profile, "first_name"), lookupText(profile, "last_name")
	if first == "" || last == "" {
		return first + last
	}
	return first + " " + last
}

// discordPermissions are of use to bots only.
func discordPermissions(p *oauthProvider, in authorizationRequest, params []param) (string, []param) {
	if _, requested := in.params["permissions"]; !requested && !slices.Contains(p.scopes(in.scopes), "bot") {
		params = withoutParams(params, "permissions")
	}
	return "", params
}

func withoutParams(params []param, names ...string) []param {
	return slices.DeleteFunc(params, func(p param) bool { return slices.Contains(names, p.name) })
}

// discordUser finds the picture, which is one of six for users who have not chosen
// any: by their id, or by the number that old accounts have behind their name.
func discordUser(_ *oauthProvider, _ *OAuthTokens, profile map[string]any, user *ProviderUser) error {
	id, avatar := lookupText(profile, "id"), lookupText(profile, "avatar")
	switch {
	case strings.HasPrefix(avatar, "a_"): // animated
		user.Image = "https://cdn.discordapp.com/avatars/" + id + "/" + avatar + ".gif"
	case avatar != "":
		user.Image = "https://cdn.discordapp.com/avatars/" + id + "/" + avatar + ".png"
	default:
		user.Image = discordDefaultImage(id, lookupText(profile, "discriminator"))
	}
	profile["image_url"] = user.Image
	return nil
}

func discordDefaultImage(id, discriminator string) string {
	number, err := strconv.ParseUint(discriminator, 10, 64)
	if err != nil {
		return ""
	}
	number %= 5
	if discriminator == "0" {
		snowflake, err := strconv.ParseUint(id, 10, 64)
		if err != nil {
			return ""
		}
		number = (snowflake >> 22) % 6
	}
	return "https://cdn.discordapp.com/embed/avatars/" + strconv.FormatUint(number, 10) + ".png"
}

// githubProfile asks for the addresses too: the profile has the public one at most,
// and does not say whether it was verified.
func githubProfile(ctx context.Context, p *oauthProvider, tokens *OAuthTokens) (map[string]any, error) {
	profile, err := p.fetchProfile(ctx, p.UserInfoURL, tokens.AccessToken)
	if err != nil {
		return nil, err
	}
	addresses := p.githubAddresses(ctx, tokens.AccessToken)
	if !truthy(profile["email"]) && len(addresses) > 0 {
		primary := slices.IndexFunc(addresses, func(a map[string]any) bool { return truthy(a["primary"]) })
		profile["email"] = addresses[max(0, primary)]["email"]
	}
	email, _ := profile["email"].(string)
	if i := slices.IndexFunc(addresses, func(a map[string]any) bool { return a["email"] == email }); i >= 0 && profileBool(addresses[i]["verified"]) {
		tokens.confirmedEmail = email
	}
	return profile, nil
}

// githubAddresses returns nil without the scope user:email.
func (p *oauthProvider) githubAddresses(ctx context.Context, accessToken string) (addresses []map[string]any) {
	r, err := http.NewRequest(http.MethodGet, p.UserInfoURL+"/emails", nil)
	if err != nil {
		return nil
	}
	answer, err := p.outgoing.do(ctx, p.outgoing.following, bearing(r, accessToken, userAgent))
	var list []any
	if err != nil || json.Unmarshal(answer.body, &list) != nil {
		return nil
	}
	for _, element := range list {
		if address, ok := element.(map[string]any); ok {
			addresses = append(addresses, address)
		}
	}
	return addresses
}

// gitlabActive refuses blocked and locked users, whom GitLab lets through.
func gitlabActive(_ *oauthProvider, reply map[string]any) bool {
	return reply["state"] == "active" && !truthy(reply["locked"])
}

// hubspotProfile asks what the access token is, which HubSpot wants in the path.
func hubspotProfile(ctx context.Context, p *oauthProvider, tokens *OAuthTokens) (map[string]any, error) {
	if tokens.AccessToken == "" {
		return nil, errNoUser
	}
	return p.outgoing.getObject(ctx, p.UserInfoURL+url.PathEscape(tokens.AccessToken), "", map[string]string{"Content-Type": mediaJSON})
}

func kakaoUser(_ *oauthProvider, _ *OAuthTokens, profile map[string]any, user *ProviderUser) error {
	user.EmailVerified = truthy(lookup(profile, "kakao_account.is_email_valid")) && truthy(lookup(profile, "kakao_account.is_email_verified"))
	return nil
}

const linearQuery = `{"query":"query { viewer { id name email avatarUrl active createdAt updatedAt } }"}`

func linearProfile(ctx context.Context, p *oauthProvider, tokens *OAuthTokens) (map[string]any, error) {
	if tokens.AccessToken == "" {
		return nil, errNoUser
	}
	return p.postForProfile(ctx, tokens.AccessToken, mediaJSON, linearQuery)
}

// postForProfile is fetchProfile for the few that want a body.
func (p *oauthProvider) postForProfile(ctx context.Context, accessToken, media, body string) (map[string]any, error) {
	r, err := http.NewRequest(http.MethodPost, p.UserInfoURL, strings.NewReader(body))
	if err != nil {
		return nil, err
	}
	return p.outgoing.object(ctx, p.outgoing.following, bearing(r, accessToken, map[string]string{"Content-Type": media}))
}

func naverSucceeded(_ *oauthProvider, reply map[string]any) bool { return reply["resultcode"] == "00" }

// paypalProfile compares the subject of the id_token, if one came, with that of the
// profile.
func paypalProfile(ctx context.Context, p *oauthProvider, tokens *OAuthTokens) (map[string]any, error) {
	profile, err := p.fetchProfile(ctx, p.UserInfoURL, tokens.AccessToken)
	if err != nil || tokens.IDToken == "" {
		return profile, err
	}
	claims, err := decodeIDToken(tokens.IDToken)
	if err != nil {
		return nil, err
	}
	subject := profile["sub"]
	if subject == nil {
		subject = profile["user_id"]
	}
	if text, ok := subject.(string); !ok || text == "" || claims["sub"] != text {
		return nil, errors.New("auth: provider paypal: userinfo is about another subject than the id_token")
	}
	return profile, nil
}

// redditUser drops the signature of the picture, which expires.
func redditUser(_ *oauthProvider, _ *OAuthTokens, _ map[string]any, user *ProviderUser) error {
	user.Image, _, _ = strings.Cut(user.Image, "?")
	return nil
}

// withoutChallenge leaves PKCE to the code exchange, as TikTok has it for websites.
func withoutChallenge(_ *oauthProvider, _ authorizationRequest, params []param) (string, []param) {
	return "", withoutParams(params, "code_challenge", "code_challenge_method")
}

// twitterProfile asks for the address in a second request, which fails for
// applications that may not see it.
func twitterProfile(ctx context.Context, p *oauthProvider, tokens *OAuthTokens) (map[string]any, error) {
	profile, err := p.fetchProfile(ctx, p.UserInfoURL+"?user.fields=profile_image_url", tokens.AccessToken)
	if err != nil {
		return nil, err
	}
	data, _ := profile["data"].(map[string]any)
	if data == nil {
		return nil, errNoUser
	}
	more, err := p.fetchProfile(ctx, p.UserInfoURL+"?user.fields=confirmed_email", tokens.AccessToken)
	if address := lookupText(more, "data.confirmed_email"); err == nil && address != "" {
		data["email"], tokens.confirmedEmail = address, address
	}
	return profile, nil
}

func vkProfile(ctx context.Context, p *oauthProvider, tokens *OAuthTokens) (map[string]any, error) {
	if tokens.AccessToken == "" {
		return nil, errNoUser
	}
	return p.postForProfile(ctx, "", mediaForm, encodeForm([]param{{"access_token", tokens.AccessToken}, {"client_id", p.ClientID}}))
}

func vkUser(_ *oauthProvider, _ *OAuthTokens, profile map[string]any, user *ProviderUser) error {
	data, _ := profile["user"].(map[string]any)
	user.Name = fullName(data)
	user.Fields = make(map[string]any)
	for _, name := range []string{"first_name", "last_name", "birthday", "sex"} {
		if data[name] != nil {
			user.Fields[name] = data[name]
		}
	}
	return nil
}

// wechatExchange and wechatRefresh use WeChat's own protocol: queries of a GET, and
// errors with status 200.
func wechatExchange(ctx context.Context, p *oauthProvider, in CodeExchange) (*OAuthTokens, error) {
	return p.wechatTokens(ctx, p.TokenURL, []param{
		{"appid", p.ClientID}, {"secret", p.ClientSecret}, {"code", in.Code}, {"grant_type", "authorization_code"},
	})
}

func wechatRefresh(ctx context.Context, p *oauthProvider, refreshToken string) (*OAuthTokens, error) {
	endpoint := strings.TrimSuffix(p.TokenURL, "access_token") + "refresh_token"
	return p.wechatTokens(ctx, endpoint, []param{
		{"appid", p.ClientID}, {"grant_type", "refresh_token"}, {"refresh_token", refreshToken},
	})
}

func (p *oauthProvider) wechatTokens(ctx context.Context, endpoint string, params []param) (*OAuthTokens, error) {
	reply, err := p.getUnredirected(ctx, endpoint, params)
	switch {
	case err != nil:
		return nil, err
	case truthy(reply["errcode"]) || !truthy(reply["access_token"]):
		return nil, errors.New("auth: provider wechat refused the grant: " + lookupText(reply, "errmsg"))
	}
	tokens := tokensOf(reply)
	tokens.TokenType, tokens.Scopes = "Bearer", strings.Split(lookupText(reply, "scope"), ",") // not at spaces
	return tokens, nil
}

// getUnredirected is for requests with a secret in their query.
func (p *oauthProvider) getUnredirected(ctx context.Context, endpoint string, params []param) (map[string]any, error) {
	r, err := http.NewRequest(http.MethodGet, appendParams(endpoint, params), nil)
	if err != nil {
		return nil, err
	}
	return p.outgoing.object(ctx, p.outgoing.refusing, r)
}

// wechatProfile needs the openid of the token response, which is not kept: later
// there is no profile.
func wechatProfile(ctx context.Context, p *oauthProvider, tokens *OAuthTokens) (map[string]any, error) {
	openID := lookupText(tokens.Raw, "openid")
	if openID == "" {
		return nil, errNoUser
	}
	endpoint := appendParams(p.UserInfoURL, []param{{"access_token", tokens.AccessToken}, {"openid", openID}, {"lang", "zh_CN"}})
	profile, err := p.outgoing.getObject(ctx, endpoint, "", nil)
	if err == nil && truthy(profile["errcode"]) {
		return nil, errNoUser
	}
	return profile, err
}

// yandexProfile differs in the scheme of the Authorization header.
func yandexProfile(ctx context.Context, p *oauthProvider, tokens *OAuthTokens) (map[string]any, error) {
	if tokens.AccessToken == "" {
		return nil, errNoUser
	}
	return p.outgoing.getObject(ctx, p.UserInfoURL, "", map[string]string{"Authorization": "OAuth " + tokens.AccessToken})
}

func yandexUser(_ *oauthProvider, _ *OAuthTokens, profile map[string]any, user *ProviderUser) error {
	if id := lookupText(profile, "default_avatar_id"); id != "" && !truthy(profile["is_avatar_empty"]) {
		user.Image = "https://avatars.yandex.net/get-yapic/" + id + "/islands-200"
	}
	return nil
}

// zoomUser reads a flag that is a number.
func zoomUser(_ *oauthProvider, _ *OAuthTokens, profile map[string]any, user *ProviderUser) error {
	user.EmailVerified = truthy(profile["verified"])
	return nil
}
