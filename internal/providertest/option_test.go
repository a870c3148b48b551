package providertest

import (
	"maps"
	"net/http"
	"slices"
	"strings"

	"github.com/seed3b05b409/auth"
)

// An option is a configuration or a request, for the providers that have it.
type option struct {
	name    string
	only    string // ids; empty: all
	except  string
	config  func(p *auth.Provider)
	options map[string]any
	request auth.SignInSocialRequest
	moved   []string // old and new beginnings of URLs, in turn
}

const helperIDs = "gumroad hubspot patreon yandex"

var options = []option{
	{name: "scopes of the configuration", except: helperIDs, config: func(p *auth.Provider) { p.Scopes = []string{"own", "own2", "email"} }, options: map[string]any{"scope": []string{"own", "own2", "email"}}},
	{name: "scopes of the request", request: auth.SignInSocialRequest{Scopes: []string{"asked", "email"}}, except: helperIDs},
	{name: "scopes of both", except: helperIDs, config: func(p *auth.Provider) { p.Scopes = []string{"own"} }, options: map[string]any{"scope": []string{"own"}}, request: auth.SignInSocialRequest{Scopes: []string{"asked"}}},
	{name: "no scopes by default", except: helperIDs, config: func(p *auth.Provider) { p.NoDefaultScopes = true }, options: map[string]any{"disableDefaultScope": true}},
	{name: "only own scopes", except: helperIDs, config: func(p *auth.Provider) { p.NoDefaultScopes, p.Scopes = true, []string{"own"} }, options: map[string]any{"disableDefaultScope": true, "scope": []string{"own"}}},
	{name: "only own scopes", only: helperIDs, config: func(p *auth.Provider) { p.NoDefaultScopes, p.Scopes = true, []string{"own", "own2"} }, options: map[string]any{"scopes": []string{"own", "own2"}}},
	{name: "scopes of the request", only: helperIDs, request: auth.SignInSocialRequest{Scopes: []string{"asked"}}},
	{name: "login hint", request: auth.SignInSocialRequest{LoginHint: "me+you@x.co"}},
	{name: "parameters of the request", request: auth.SignInSocialRequest{AdditionalParams: map[string]string{
		"extra": "a b&ü", "prompt": "login", "login_hint": "you@x.co", "hd": "evil.example", "lang": "en", "permissions": "1", "claims": "{}",
		"audience": "evil", "owner": "evil", "response_mode": "query", "include_granted_scopes": "false", "identity_provider": "evil", "empty": "",
	}}},
	{name: "the client in the parameters of the request", only: "tiktok wechat", request: auth.SignInSocialRequest{AdditionalParams: map[string]string{"client_key": "evil", "appid": "evil"}}},
	{name: "redirect URI", config: func(p *auth.Provider) { p.RedirectURI = "https://other.example/back?x=1" }, options: map[string]any{"redirectURI": "https://other.example/back?x=1"}},
	{name: "authorization endpoint", except: "tiktok wechat " + helperIDs, config: func(p *auth.Provider) { p.AuthorizationURL = "https://front.example/login?keep=%20x&state=old" }, options: map[string]any{"authorizationEndpoint": "https://front.example/login?keep=%20x&state=old"}},
	{name: "no secret", config: func(p *auth.Provider) { p.ClientSecret = "" }, options: map[string]any{"clientSecret": nil}},
	{name: "secret with odd characters", config: func(p *auth.Provider) { p.ClientID, p.ClientSecret = "c:i d", "s!'()*~ +%é&=" }, except: "tiktok facebook", options: map[string]any{"clientId": "c:i d", "clientSecret": "s!'()*~ +%é&="}},
	{name: "prompt", only: "atlassian cognito discord github google microsoft paybin paypal polar roblox", config: param("prompt", "select_account consent"), options: map[string]any{"prompt": "select_account consent"}},

	{name: "access type", only: "google", config: param("access_type", "offline"), options: map[string]any{"accessType": "offline"}},
	{name: "display", only: "google", config: param("display", "popup"), options: map[string]any{"display": "popup"}},
	{name: "granted scopes", only: "google", config: param("include_granted_scopes", ""), options: map[string]any{"includeGrantedScopes": false}},
	{name: "access type", only: "dropbox", config: param("token_access_type", "offline"), options: map[string]any{"accessType": "offline"}},
	{name: "configuration", only: "facebook", config: param("config_id", "9"), options: map[string]any{"configId": "9"}},
	{name: "fields", only: "facebook", config: func(p *auth.Provider) { p.ProfileFields = []string{"gender", "link"} }, options: map[string]any{"fields": []string{"gender", "link"}}},
	{name: "permissions without a bot", only: "discord", config: param("permissions", "8"), options: map[string]any{"permissions": 8}},
	{name: "permissions of a bot", only: "discord", config: func(p *auth.Provider) { param("permissions", "8")(p); p.Scopes = []string{"bot"} }, options: map[string]any{"permissions": 8, "scope": []string{"bot"}}},
	{name: "permissions of a bot that was asked for", only: "discord", config: param("permissions", "8"), options: map[string]any{"permissions": 8}, request: auth.SignInSocialRequest{Scopes: []string{"bot"}}},
	{name: "identity provider", only: "cognito", config: func(p *auth.Provider) { pool(p); param("identity_provider", "Google")(p) }, options: map[string]any{"identityProvider": "Google"}},
	{name: "domain without scheme", only: "cognito", config: func(p *auth.Provider) { p.BaseURL, p.Tenant = "pool.example", "eu-west-1_A" }, options: map[string]any{"domain": "pool.example"}},
	{name: "duration", only: "reddit", config: param("duration", "permanent"), options: map[string]any{"duration": "permanent"}},
	{name: "language", only: "wechat", config: param("lang", "en"), options: map[string]any{"lang": "en"}},
	{name: "claims", only: "twitch", config: func(p *auth.Provider) { p.ProfileFields = []string{"updated_at"} }, options: map[string]any{"claims": []string{"email", "email_verified", "preferred_username", "picture", "updated_at"}}},
	{name: "server", only: "gitlab", config: func(p *auth.Provider) { p.BaseURL = "https://git.example/sub/" }, options: map[string]any{"issuer": "https://git.example/sub/"}, moved: []string{"https://gitlab.com", "https://git.example/sub"}},
	{name: "server", only: "paybin", config: func(p *auth.Provider) { p.BaseURL = "https://pay.example" }, options: map[string]any{"issuer": "https://pay.example"}, moved: []string{"https://idp.paybin.io", "https://pay.example"}},
	{name: "live", only: "paypal", config: func(p *auth.Provider) { p.Environment = "live" }, options: map[string]any{"environment": "live"}, moved: []string{"https://api-m.sandbox.", "https://api-m."}},
	{name: "sandbox", only: "salesforce", config: func(p *auth.Provider) { p.Environment = "sandbox" }, options: map[string]any{"environment": "sandbox"}, moved: []string{"https://login.", "https://test."}},
	{name: "domain", only: "salesforce", config: func(p *auth.Provider) { p.BaseURL = "my.example" }, options: map[string]any{"loginUrl": "my.example"}, moved: []string{"https://login.salesforce.com", "https://my.example"}},
	{name: "one tenant", only: "microsoft", config: func(p *auth.Provider) { p.BaseURL, p.Tenant = "https://login.example//", "t1" }, options: map[string]any{"authority": "https://login.example//", "tenantId": "t1"}, moved: []string{"https://login.microsoftonline.com/common", "https://login.example/t1"}},
	{name: "another photo", only: "microsoft", config: func(p *auth.Provider) { p.PhotoSize = 240 }, options: map[string]any{"profilePhotoSize": 240}},
	{name: "no photo", only: "microsoft", config: func(p *auth.Provider) { p.PhotoSize = -1 }, options: map[string]any{"disableProfilePhoto": true}},
	{name: "scopes of a refresh", only: "microsoft", config: func(p *auth.Provider) { p.NoDefaultScopes = true }, options: map[string]any{"disableDefaultScope": true}},
	{name: "another authentication", only: "cloudflare", config: func(p *auth.Provider) { p.TokenAuth = auth.TokenAuthPost }, options: map[string]any{"tokenEndpointAuthMethod": "client_secret_post"}},
	{name: "another authentication", only: "vercel " + helperIDs, config: func(p *auth.Provider) { p.TokenAuth = auth.TokenAuthBasic }, options: map[string]any{"tokenEndpointAuth": map[string]any{"method": "client_secret_basic"}}},
	{name: "a public client", only: "vercel cloudflare " + helperIDs, config: func(p *auth.Provider) { p.ClientSecret, p.TokenAuth = "", auth.TokenAuthNone }, options: map[string]any{"clientSecret": nil, "tokenEndpointAuth": map[string]any{"method": "none"}}},
	{name: "no PKCE", only: helperIDs, config: func(p *auth.Provider) { p.NoPKCE = true }, options: map[string]any{"pkce": false}},
	{name: "no challenge", only: "zoom", config: func(p *auth.Provider) { p.NoPKCE = true }, options: map[string]any{"pkce": false}},
}

// has reports whether the option is for a provider.
func (o *option) has(id string) bool {
	if o.only != "" {
		return slices.Contains(strings.Fields(o.only), id)
	}
	return !slices.Contains(strings.Fields(o.except), id)
}

// with is the provider with an option.
func (s *spec) with(o *option) flow {
	f := s.flow()
	f.name += ", " + o.name
	f.request = o.request
	f.options = maps.Clone(s.options)
	if f.options == nil {
		f.options = make(map[string]any)
	}
	maps.Copy(f.options, o.options)
	f.config = func(p *auth.Provider) {
		for _, change := range []func(p *auth.Provider){s.config, o.config} {
			if change != nil {
				change(p)
			}
		}
	}
	for i := range f.replies {
		f.replies[i].URL = strings.NewReplacer(o.moved...).Replace(f.replies[i].URL)
	}
	return f
}

// tokenVariants are flows in which the token endpoint answers otherwise.
func (s *spec) tokenVariants() (flows []flow) {
	good := s.tokenReply(s.claims).Body
	add := func(what string, answer reply) {
		f := s.flow()
		f.name += ", tokens: " + what
		answer.URL = tokenURLs[s.id]
		f.replies[0] = answer
		flows = append(flows, f)
	}
	for _, name := range []string{"access_token", "refresh_token", "token_type", "expires_in", "scope", "id_token", "openid"} {
		for _, value := range []string{"", `null`, `""`, `"text"`, `"a  b\tc"`, `0`, `60`, `"60"`, `1.5`, `-5`, `1e300`, `[]`, `["a","b c",1," "]`, `{}`, `true`, `false`} {
			if strings.Contains(good, `"`+name+`"`) {
				what := name + " is " + value
				if value == "" {
					what += "missing"
				}
				add(what, ok("", replaced(good, []string{name}, value)))
			}
		}
	}
	for _, body := range []string{`null`, `[]`, `{}`, `"text"`, ``, `oops`, `access_token=at&scope=a`, `{"error":"invalid_grant","error_description":"x"}`, `{"errcode":40029,"errmsg":"invalid code"}`} {
		add("all is "+body, ok("", body))
		add("all is text: "+body, reply{Status: http.StatusOK, Type: "text/plain", Body: body})
	}
	add("as text", reply{Status: http.StatusOK, Type: "text/javascript; charset=UTF-8", Body: good})
	add("without media type", reply{Status: http.StatusOK, Body: good})
	add("status 201", reply{Status: http.StatusCreated, Type: "application/json", Body: good})
	add("status 302", reply{Status: http.StatusFound, Type: "application/json", Body: good})
	add("status 400", reply{Status: http.StatusBadRequest, Type: "application/json", Body: good})
	add("status 500", reply{Status: http.StatusInternalServerError, Type: "text/html", Body: "oops"})
	return flows
}
