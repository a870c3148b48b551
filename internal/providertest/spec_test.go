package providertest

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/seed3b05b409/auth"
)

// A spec is a provider that answers well. varied is the index of the reply of which
// the tests make variants; claims, if they are set, are varied instead.
type spec struct {
	name    string // if there are several of a provider
	id      string
	config  func(p *auth.Provider)
	options map[string]any
	query   map[string]string
	claims  string
	replies []reply // without that of the token endpoint
	varied  int
}

// tokenURLs are those at which the tokens are, by provider.
var tokenURLs = map[string]string{
	"apple": "https://appleid.apple.com/auth/token", "atlassian": "https://auth.atlassian.com/oauth/token",
	"cloudflare": "https://dash.cloudflare.com/oauth2/token", "cognito": "https://pool.example/oauth2/token",
	"discord": "https://discord.com/api/oauth2/token", "dropbox": "https://api.dropboxapi.com/oauth2/token",
	"facebook": "https://graph.facebook.com/v24.0/oauth/access_token", "figma": "https://api.figma.com/v1/oauth/token",
	"github": "https://github.com/login/oauth/access_token", "gitlab": "https://gitlab.com/oauth/token",
	"google": "https://oauth2.googleapis.com/token", "gumroad": "https://api.gumroad.com/oauth/token",
	"hubspot": "https://api.hubapi.com/oauth/v1/token", "huggingface": "https://huggingface.co/oauth/token",
	"kakao": "https://kauth.kakao.com/oauth/token", "kick": "https://id.kick.com/oauth/token",
	"line": "https://api.line.me/oauth2/v2.1/token", "linear": "https://api.linear.app/oauth/token",
	"linkedin": "https://www.linkedin.com/oauth/v2/accessToken", "microsoft": "https://login.microsoftonline.com/common/oauth2/v2.0/token",
	"naver": "https://nid.naver.com/oauth2.0/token", "notion": "https://api.notion.com/v1/oauth/token",
	"patreon": "https://www.patreon.com/api/oauth2/token", "paybin": "https://idp.paybin.io/oauth2/token",
	"paypal": "https://api-m.sandbox.paypal.com/v1/oauth2/token", "polar": "https://api.polar.sh/v1/oauth2/token",
	"railway": "https://backboard.railway.com/oauth/token", "reddit": "https://www.reddit.com/api/v1/access_token",
	"roblox": "https://apis.roblox.com/oauth/v1/token", "salesforce": "https://login.salesforce.com/services/oauth2/token",
	"slack": "https://slack.com/api/openid.connect.token", "spotify": "https://accounts.spotify.com/api/token",
	"tiktok": "https://open.tiktokapis.com/v2/oauth/token/", "twitch": "https://id.twitch.tv/oauth2/token",
	"twitter": "https://api.x.com/2/oauth2/token", "vercel": "https://api.vercel.com/login/oauth/token",
	"vk": "https://id.vk.com/oauth2/auth", "wechat": "https://api.weixin.qq.com/sns/oauth2/",
	"yandex": "https://oauth.yandex.com/token", "zoom": "https://zoom.us/oauth/token",
}

var specs = []spec{
	{id: "apple", claims: `{"sub":"001.a","email":"A@x.co","email_verified":"true","name":"Ann"}`},
	{name: "posted name", id: "apple", query: map[string]string{"user": `{"name":{"firstName":"Ann","lastName":"Other"},"email":"evil@x.co"}`}, claims: `{"sub":"001.a","email":"a@x.co"}`},
	{id: "atlassian", replies: []reply{ok("https://api.atlassian.com/me", `{"account_id":"5b1","name":"Ann","email":"a@x.co","picture":"https://i/a.png"}`)}},
	{id: "cloudflare", replies: []reply{ok("https://api.cloudflare.com/client/v4/user", `{"success":true,"result":{"id":"7c5","email":"a@x.co","first_name":"Ann","last_name":"Other"}}`)}},
	{id: "cognito", config: pool, options: poolOptions, claims: `{"sub":"c1","name":"Ann","given_name":"An","username":"ann","email":"a@x.co","email_verified":true,"picture":"https://i/a.png"}`},
	{name: "userinfo", id: "cognito", config: pool, options: poolOptions, replies: []reply{ok("https://pool.example/oauth2/userinfo", `{"sub":"c1","name":"ann","email":"a@x.co","email_verified":"true","picture":"https://i/a.png"}`)}},
	{id: "discord", replies: []reply{ok("https://discord.com/api/users/@me", `{"id":"80351110224678912","username":"ann","global_name":"Ann","avatar":"a_9f","discriminator":"0","email":"a@x.co","verified":true}`)}},
	{name: "no picture", id: "discord", replies: []reply{ok("https://discord.com/api/users/@me", `{"id":"80351110224678912","username":"ann","avatar":null,"discriminator":"1337","email":"a@x.co","verified":true}`)}},
	{name: "no number", id: "discord", replies: []reply{ok("https://discord.com/api/users/@me", `{"id":"80351110224678912","username":"ann","avatar":null,"discriminator":"0","email":"a@x.co"}`)}},
	{id: "dropbox", replies: []reply{ok("https://api.dropboxapi.com/2/users/get_current_account", `{"account_id":"dbid:A","name":{"display_name":"Ann"},"email":"a@x.co","email_verified":true,"profile_photo_url":"https://i/a.png"}`)}},
	{id: "facebook", varied: 1, replies: []reply{
		ok("https://graph.facebook.com/debug_token", `{"data":{"is_valid":true,"app_id":"id","user_id":"42"}}`),
		ok("https://graph.facebook.com/me", `{"id":"42","name":"Ann","email":"a@x.co","email_verified":true,"picture":{"data":{"url":"https://i/a.png"}}}`)}},
	{name: "debug_token", id: "facebook", varied: 0, replies: []reply{
		ok("https://graph.facebook.com/debug_token", `{"data":{"is_valid":true,"app_id":"id","user_id":"42"}}`),
		ok("https://graph.facebook.com/me", `{"id":"42","name":"Ann","email":"a@x.co","picture":{"data":{"url":"https://i/a.png"}}}`)}},
	{name: "Limited Login", id: "facebook", claims: `{"sub":"42","name":"Ann","email":"a@x.co","picture":"https://i/a.png","email_verified":true}`},
	{id: "figma", replies: []reply{ok("https://api.figma.com/v1/me", `{"id":"f1","handle":"Ann","email":"a@x.co","img_url":"https://i/a.png"}`)}},
	{id: "github", varied: 1, replies: []reply{
		ok("https://api.github.com/user/emails", `[{"email":"b@x.co","primary":false,"verified":false},{"email":"a@x.co","primary":true,"verified":true}]`),
		ok("https://api.github.com/user", `{"id":583231,"login":"ann","name":"Ann","email":"a@x.co","avatar_url":"https://i/a.png"}`)}},
	{name: "addresses", id: "github", varied: 0, replies: []reply{
		ok("https://api.github.com/user/emails", `[{"email":"b@x.co","primary":false,"verified":false},{"email":"a@x.co","primary":true,"verified":true}]`),
		ok("https://api.github.com/user", `{"id":583231,"login":"ann","name":null,"email":null}`)}},
	{id: "gitlab", replies: []reply{ok("https://gitlab.com/api/v4/user", `{"id":7,"username":"ann","name":"Ann","email":"a@x.co","avatar_url":"https://i/a.png","email_verified":true,"state":"active","locked":false}`)}},
	{id: "google", claims: `{"sub":"g1","name":"Ann","email":"a@x.co","email_verified":true,"picture":"https://i/a.png","hd":"x.co"}`},
	{name: "one domain", id: "google", config: param("hd", "x.co"), options: map[string]any{"hd": "x.co"}, claims: `{"sub":"g1","name":"Ann","email":"a@x.co","hd":"x.co"}`},
	{name: "any domain", id: "google", config: param("hd", "*"), options: map[string]any{"hd": "*"}, claims: `{"sub":"g1","name":"Ann","email":"a@x.co","hd":"x.co"}`},
	{id: "gumroad", replies: []reply{ok("https://api.gumroad.com/v2/user", `{"success":true,"user":{"user_id":"gu1","name":"Ann","email":"a@x.co","profile_url":"https://i/a.png"}}`)}},
	{id: "hubspot", replies: []reply{ok("https://api.hubapi.com/oauth/v1/access-tokens/", `{"user":"a@x.co","user_id":12,"signed_access_token":{"userId":13}}`)}},
	{id: "huggingface", replies: []reply{ok("https://huggingface.co/oauth/userinfo", `{"sub":"h1","name":"Ann","preferred_username":"ann","email":"a@x.co","email_verified":true,"picture":"https://i/a.png"}`)}},
	{id: "kakao", replies: []reply{ok("https://kapi.kakao.com/v2/user/me", `{"id":3141592653,"kakao_account":{"email":"a@x.co","is_email_valid":true,"is_email_verified":true,"name":"Ann Other","profile":{"nickname":"Ann","profile_image_url":"https://i/p.png","thumbnail_image_url":"https://i/t.png"}}}`)}},
	{id: "kick", replies: []reply{ok("https://api.kick.com/public/v1/users", `{"data":[{"user_id":5,"name":"Ann","email":"a@x.co","profile_picture":"https://i/a.png"}]}`)}},
	{id: "line", claims: `{"sub":"U1","name":"Ann","email":"a@x.co","picture":"https://i/a.png"}`},
	{name: "userinfo", id: "line", replies: []reply{ok("https://api.line.me/oauth2/v2.1/userinfo", `{"sub":"U1","name":"Ann","email":"a@x.co","picture":"https://i/a.png"}`)}},
	{id: "linear", replies: []reply{ok("https://api.linear.app/graphql", `{"data":{"viewer":{"id":"l1","name":"Ann","email":"a@x.co","avatarUrl":"https://i/a.png"}}}`)}},
	{id: "linkedin", replies: []reply{ok("https://api.linkedin.com/v2/userinfo", `{"sub":"li1","name":"Ann","email":"a@x.co","email_verified":"true","picture":"https://i/a.png"}`)}},
	{id: "microsoft", claims: `{"oid":"o1","sub":"s1","name":"Ann","email":"a@x.co","picture":"https://i/a.png","verified_primary_email":["a@x.co"]}`, replies: []reply{{"https://graph.microsoft.com/", 200, "image/jpeg", "photo"}}},
	{name: "no photo", id: "microsoft", claims: `{"oid":"o1","name":"Ann","email":"a@x.co","picture":"https://i/a.png","email_verified":"true","verified_secondary_email":["a@x.co"]}`},
	{id: "naver", replies: []reply{ok("https://openapi.naver.com/v1/nid/me", `{"resultcode":"00","response":{"id":"n1","name":"Ann","nickname":"An","email":"a@x.co","profile_image":"https://i/a.png"}}`)}},
	{id: "notion", replies: []reply{ok("https://api.notion.com/v1/users/me", `{"id":"bot","bot":{"owner":{"user":{"id":"no1","name":"Ann","avatar_url":"https://i/a.png","person":{"email":"a@x.co"}}}}}`)}},
	{id: "patreon", replies: []reply{ok("https://www.patreon.com/api/oauth2/v2/identity", `{"data":{"id":"pa1","attributes":{"full_name":"Ann","email":"a@x.co","image_url":"https://i/a.png","is_email_verified":true}}}`)}},
	{id: "paybin", claims: `{"sub":"pb1","name":"Ann","preferred_username":"ann","email":"a@x.co","email_verified":true,"picture":"https://i/a.png"}`},
	{id: "paypal", replies: []reply{ok("https://api-m.sandbox.paypal.com/v1/identity/oauth2/userinfo", `{"user_id":"https://pp/u","name":"Ann","email":"a@x.co","email_verified":true,"picture":"https://i/a.png"}`)}},
	{name: "id_token", id: "paypal", claims: `{"sub":"https://pp/s"}`, replies: []reply{ok("https://api-m.sandbox.paypal.com/v1/identity/oauth2/userinfo", `{"user_id":"https://pp/u","sub":"https://pp/s","name":"Ann","email":"a@x.co"}`)}},
	{id: "polar", replies: []reply{ok("https://api.polar.sh/v1/oauth2/userinfo", `{"id":"po1","public_name":"Ann","username":"ann","email":"a@x.co","email_verified":true,"avatar_url":"https://i/a.png"}`)}},
	{id: "railway", replies: []reply{ok("https://backboard.railway.com/oauth/me", `{"sub":"r1","name":"Ann","email":"a@x.co","picture":"https://i/a.png"}`)}},
	{id: "reddit", replies: []reply{ok("https://oauth.reddit.com/api/v1/me", `{"id":"rd1","name":"ann","icon_img":"https://i/a.png?s=1&amp;t=2"}`)}},
	{id: "roblox", replies: []reply{ok("https://apis.roblox.com/oauth/v1/userinfo", `{"sub":"77","nickname":"Ann","preferred_username":"ann","picture":"https://i/a.png"}`)}},
	{id: "salesforce", replies: []reply{ok("https://login.salesforce.com/services/oauth2/userinfo", `{"user_id":"sf1","name":"Ann","email":"a@x.co","email_verified":true,"photos":{"picture":"https://i/p.png","thumbnail":"https://i/t.png"}}`)}},
	{id: "slack", replies: []reply{ok("https://slack.com/api/openid.connect.userInfo", `{"sub":"U0","https://slack.com/user_id":"U1","name":"Ann","email":"a@x.co","email_verified":true,"picture":"https://i/p.png","https://slack.com/user_image_512":"https://i/512.png"}`)}},
	{id: "spotify", replies: []reply{ok("https://api.spotify.com/v1/me", `{"id":"sp1","display_name":"Ann","email":"a@x.co","images":[{"url":"https://i/a.png"}]}`)}},
	{id: "tiktok", config: func(p *auth.Provider) { p.ClientID = "key" }, options: map[string]any{"clientId": nil, "clientKey": "key"}, replies: []reply{ok("https://open.tiktokapis.com/v2/user/info/", `{"data":{"user":{"open_id":"t1","display_name":"Ann","username":"ann","avatar_large_url":"https://i/a.png","email":"a@x.co"}}}`)}},
	{id: "twitch", claims: `{"sub":"tw1","preferred_username":"ann","email":"a@x.co","email_verified":true,"picture":"https://i/a.png"}`},
	{id: "twitter", varied: 0, replies: []reply{
		ok("https://api.x.com/2/users/me?user.fields=profile_image_url", `{"data":{"id":"x1","name":"Ann","profile_image_url":"https://i/a.png"}}`),
		ok("https://api.x.com/2/users/me?user.fields=confirmed_email", `{"data":{"id":"x1","confirmed_email":"a@x.co"}}`)}},
	{name: "address", id: "twitter", varied: 1, replies: []reply{
		ok("https://api.x.com/2/users/me?user.fields=profile_image_url", `{"data":{"id":"x1","name":"Ann","profile_image_url":"https://i/a.png"}}`),
		ok("https://api.x.com/2/users/me?user.fields=confirmed_email", `{"data":{"id":"x1","confirmed_email":"a@x.co"}}`)}},
	{id: "vercel", replies: []reply{ok("https://api.vercel.com/login/oauth/userinfo", `{"sub":"v1","name":"Ann","preferred_username":"ann","email":"a@x.co","email_verified":true,"picture":"https://i/a.png"}`)}},
	{id: "vk", query: map[string]string{"device_id": "the device"}, replies: []reply{ok("https://id.vk.com/oauth2/user_info", `{"user":{"user_id":"99","first_name":"Ann","last_name":"Other","email":"a@x.co","avatar":"https://i/a.png"}}`)}},
	{id: "wechat", replies: []reply{ok("https://api.weixin.qq.com/sns/userinfo", `{"openid":"wo","unionid":"wu","nickname":"Ann","headimgurl":"https://i/a.png","email":"a@x.co"}`)}},
	{id: "yandex", replies: []reply{ok("https://login.yandex.ru/info", `{"id":"ya1","login":"ann","first_name":"An","real_name":"Ann Other","display_name":"Ann","default_email":"a@x.co","emails":["b@x.co"],"default_avatar_id":"131","is_avatar_empty":false}`)}},
	{id: "zoom", replies: []reply{ok("https://api.zoom.us/v2/users/me", `{"id":"z1","display_name":"Ann","email":"a@x.co","verified":1,"pic_url":"https://i/a.png"}`)}},
}

func pool(p *auth.Provider) { p.BaseURL, p.Tenant = "https://pool.example", "eu-west-1_A" }

var poolOptions = map[string]any{"domain": "https://pool.example", "region": "eu-west-1", "userPoolId": "eu-west-1_A"}

func param(name, value string) func(p *auth.Provider) {
	return func(p *auth.Provider) {
		p.Params = maps.Clone(p.Params)
		if p.Params == nil {
			p.Params = make(map[string]string)
		}
		p.Params[name] = value
	}
}

// flow is the provider as it answers well.
func (s *spec) flow() flow {
	f := flow{name: s.id, id: s.id, config: s.config, options: s.options, query: s.query}
	if s.name != "" {
		f.name += " (" + s.name + ")"
	}
	f.replies = append([]reply{s.tokenReply(s.claims)}, s.replies...)
	return f
}

func (s *spec) tokenReply(claims string) reply {
	tokens := map[string]any{
		"access_token": "the/access token", "refresh_token": "the refresh token", "token_type": "bearer",
		"expires_in": 3600, "scope": "a b,c",
	}
	if s.id == "wechat" {
		tokens["openid"] = "wo"
	}
	if s.id == "hubspot" {
		tokens["access_token"] = "token"
	}
	if claims != "" {
		tokens["id_token"] = unsigned(claims)
	}
	return ok(tokenURLs[s.id], encode(tokens))
}

func encode(value any) string {
	text, err := json.Marshal(value)
	if err != nil {
		panic(err) // the tests make no such value
	}
	return string(text)
}

// variants are flows in which one thing about the profile is not as it should be.
func (s *spec) variants() (flows []flow) {
	good := s.claims
	if good == "" {
		good = s.replies[s.varied].Body
	}
	add := func(what, body string, status int, media string) {
		f := s.flow()
		f.name += ": " + what
		if s.claims != "" {
			f.replies[0] = s.tokenReply(body)
		} else {
			changed := &f.replies[1+s.varied]
			changed.Body, changed.Status, changed.Type = body, status, media
		}
		flows = append(flows, f)
	}
	for _, path := range paths(good) {
		for _, value := range []string{"", `null`, `""`, `"text"`, `"true"`, `"false"`, `" "`, `0`, `12`, `1.5`, `true`, `false`, `{}`, `[]`, `[null]`, `{"x":1}`} {
			what := strings.Join(path, ".") + " is " + value
			if value == "" {
				what = strings.Join(path, ".") + " is missing"
			}
			add(what, replaced(good, path, value), 200, "application/json")
		}
	}
	for _, body := range []string{`null`, `[]`, `{}`, `"text"`, `1`, ``, `nothing`, `{"error":"refused"}`, `{"errcode":40001,"errmsg":"refused"}`} {
		add("all is "+body, body, 200, "application/json")
	}
	if s.claims == "" {
		add("as text", good, 200, "text/plain; charset=utf-8")
		add("without media type", good, 200, "")
		add("status 201", good, 201, "application/json")
		add("status 400", good, 400, "application/json")
		add("status 403", `{"error":"forbidden"}`, 403, "application/json")
		add("status 500", `oops`, 500, "text/html")
	}
	return flows
}

// paths are those of all members and elements of a JSON text.
func paths(text string) (found [][]string) {
	var value any
	if err := json.Unmarshal([]byte(text), &value); err != nil {
		panic(err)
	}
	var walk func(path []string, value any)
	walk = func(path []string, value any) {
		if len(path) > 0 {
			found = append(found, path)
		}
		switch v := value.(type) {
		case map[string]any:
			for _, name := range slices.Sorted(maps.Keys(v)) {
				walk(append(slices.Clone(path), name), v[name])
			}
		case []any:
			for i, element := range v {
				walk(append(slices.Clone(path), fmt.Sprint(i)), element)
			}
		}
	}
	walk(nil, value)
	return found
}

// replaced sets the value at a path of a JSON text, or removes it if the new one is
// empty.
func replaced(text string, path []string, to string) string {
	var value any
	if err := json.Unmarshal([]byte(text), &value); err != nil {
		panic(err)
	}
	return encode(changed(value, path, to))
}

func changed(value any, path []string, to string) any {
	if len(path) == 0 {
		return json.RawMessage(to)
	}
	switch v := value.(type) {
	case map[string]any:
		if len(path) == 1 && to == "" {
			delete(v, path[0])
			return v
		}
		v[path[0]] = changed(v[path[0]], path[1:], to)
	case []any:
		for i := range v {
			if fmt.Sprint(i) == path[0] && len(path) == 1 && to == "" {
				return slices.Delete(v, i, i+1)
			} else if fmt.Sprint(i) == path[0] {
				v[i] = changed(v[i], path[1:], to)
			}
		}
	}
	return value
}
