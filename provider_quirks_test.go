package auth

import (
	"context"
	"maps"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

func TestKnownProvider_refuses(t *testing.T) {
	with := func(id string, change func(p *Provider)) Provider {
		p := BuiltinProvider(id, "id", "secret")
		change(&p)
		return p
	}
	const debug = "https://graph.facebook.com/debug_token?input_token=at&access_token=id%7Csecret"
	const me = "https://graph.facebook.com/me?fields=id,name,email,picture"
	const paypal = "https://api-m.sandbox.paypal.com/v1/identity/oauth2/userinfo?schema=paypalv1.1"
	hosted := func(domain string) func(p *Provider) {
		return func(p *Provider) { p.Params = map[string]string{"hd": domain} }
	}
	tests := []struct {
		reason  string
		config  Provider
		claims  string
		replies map[string]string
	}{
		{"another Workspace domain", with("google", hosted("x.co")), `{"sub":"1","hd":"evil.example"}`, nil},
		{"no Workspace domain", with("google", hosted("x.co")), `{"sub":"1"}`, nil},
		{"no Workspace domain where any will do", with("google", hosted("*")), `{"sub":"1","hd":""}`, nil},
		{"a Workspace domain that is no text", with("google", hosted("*")), `{"sub":"1","hd":true}`, nil},
		{"an id_token is needed", Apple("id", "secret"), "", nil},
		{"a directory without oid", Microsoft("id", "secret"), `{"sub":"s"}`, nil},
		{"oid is no text", Microsoft("id", "secret"), `{"oid":5}`, nil},
		{"a blocked user", GitLab("id", "secret"), "", map[string]string{"https://gitlab.com/api/v4/user": `{"id":1,"state":"blocked"}`}},
		{"a locked user", GitLab("id", "secret"), "", map[string]string{"https://gitlab.com/api/v4/user": `{"id":1,"state":"active","locked":true}`}},
		{"an error in the envelope", BuiltinProvider("naver", "id", "secret"), "", map[string]string{"https://openapi.naver.com/v1/nid/me": `{"resultcode":"024","response":{"id":"1"}}`}},
		{"no success", BuiltinProvider("cloudflare", "id", "secret"), "", map[string]string{"https://api.cloudflare.com/client/v4/user": `{"success":false,"result":{"id":"1"}}`}},
		{"a token of another application", Facebook("id", "secret"), "", map[string]string{debug: `{"data":{"is_valid":true,"app_id":"evil","user_id":"42"}}`, me: `{"id":"42"}`}},
		{"a token that is not valid any more", Facebook("id", "secret"), "", map[string]string{debug: `{"data":{"is_valid":false,"app_id":"id","user_id":"42"}}`, me: `{"id":"42"}`}},
		{"a token of the application itself", Facebook("id", "secret"), "", map[string]string{debug: `{"data":{"is_valid":true,"app_id":"id"}}`, me: `{"id":"42"}`}},
		{"the profile of another user", Facebook("id", "secret"), "", map[string]string{debug: `{"data":{"is_valid":true,"app_id":"id","user_id":"42"}}`, me: `{"id":"43"}`}},
		{"nothing to inspect a token with", Facebook("id", ""), "", map[string]string{debug: `{"data":{"is_valid":true,"app_id":"id","user_id":"42"}}`, me: `{"id":"42"}`}},
		{"userinfo of another subject", BuiltinProvider("paypal", "id", "secret"), `{"sub":"1"}`, map[string]string{paypal: `{"user_id":"1","sub":"2"}`}},
		{"an id_token without subject", BuiltinProvider("paypal", "id", "secret"), `{"email":"x"}`, map[string]string{paypal: `{"user_id":"1"}`}},
		{"no address", BuiltinProvider("vk", "id", "secret"), "", map[string]string{"https://id.vk.com/oauth2/user_info": `{"user":{"user_id":"1"}}`}},
		{"no address", BuiltinProvider("yandex", "id", "secret"), "", map[string]string{"https://login.yandex.ru/info?format=json": `{"id":"1"}`}},
		{"an id that makes no address", BuiltinProvider("roblox", "id", "secret"), "", map[string]string{"https://apis.roblox.com/oauth/v1/userinfo": `{"sub":"a@b"}`}},
		{"an error with status 200", BuiltinProvider("wechat", "id", "secret"), "", map[string]string{"https://api.weixin.qq.com/sns/userinfo?access_token=at&openid=wo&lang=zh_CN": `{"errcode":40003,"openid":"wo"}`}},
	}
	for _, test := range tests {
		p, _ := opened(t, test.config, test.replies)
		tokens := tokensOf(map[string]any{"access_token": "at", "openid": "wo"})
		if test.claims != "" {
			tokens.IDToken = unsigned(test.claims)
		}
		if who, err := p.identify(t.Context(), tokens, ""); err == nil {
			t.Errorf("%s: %s signs in %q", p.ID, test.reason, who.accountID)
		}
	}
}

// Access tokens of other applications read the profile just as well, whoever then
// makes a user of it.
func TestFacebookGuard(t *testing.T) {
	const debug = "https://graph.facebook.com/debug_token?input_token=at&access_token=id%7Csecret"
	for _, test := range []struct {
		reason, application string
		tokens              OAuthTokens
		ok                  bool
	}{
		{"its own access token", "id", OAuthTokens{AccessToken: "at"}, true},
		{"one of its apps'", "app", OAuthTokens{AccessToken: "at"}, true},
		{"another's access token", "evil", OAuthTokens{AccessToken: "at"}, false},
		{"another's, in the place of an id_token", "evil", OAuthTokens{IDToken: "at"}, false},
		{"an id_token, which was verified", "evil", OAuthTokens{IDToken: unsigned(`{"sub":"1"}`)}, true},
	} {
		config := Facebook("id", "secret")
		config.Audiences = []string{"app"}
		config.Profile = func(context.Context, *OAuthTokens) (map[string]any, error) { return map[string]any{"id": "42"}, nil }
		p, _ := opened(t, config, map[string]string{debug: `{"data":{"is_valid":true,"app_id":"` + test.application + `","user_id":"42"}}`})
		if _, err := p.identify(t.Context(), &test.tokens, ""); (err == nil) != test.ok {
			t.Errorf("%s: %v", test.reason, err)
		}
	}
}

// Apple posts the name once, beside the code; its tokens have none.
func TestAppleUser(t *testing.T) {
	p, _ := opened(t, Apple("id", "secret"), nil)
	who, err := p.identify(t.Context(), &OAuthTokens{
		IDToken: unsigned(`{"sub":"1","email":"a@x.co","email_verified":true}`), Name: "Ann Other", Email: "victim@x.co",
	}, "")
	if err != nil || who.user.Name != "Ann Other" || who.user.Email != "a@x.co" || who.profile["name"] != "Ann Other" {
		t.Errorf("%+v, %v; the posted address must not count", who, err)
	}
}

// A mapped address replaces the one that would be made up, which is verified by
// nobody whatever the mapping says.
func TestPlaceholder(t *testing.T) {
	config := BuiltinProvider("roblox", "id", "secret")
	config.MapProfile = func(_ context.Context, profile map[string]any, user *ProviderUser) error {
		user.Email, _ = profile["mail"].(string)
		user.EmailVerified = true
		return nil
	}
	for reply, want := range map[string]string{`{"sub":"7"}`: "7@roblox.placeholder.invalid", `{"sub":"7","mail":"a@x.co"}`: "a@x.co"} {
		p, _ := opened(t, config, map[string]string{"https://apis.roblox.com/oauth/v1/userinfo": reply})
		who, err := p.identify(t.Context(), &OAuthTokens{AccessToken: "at"}, "")
		if err != nil || who.user.Email != want || who.user.EmailVerified != (want == "a@x.co") {
			t.Errorf("%s: %+v, %v, want %s", reply, who, err, want)
		}
	}
}

func TestKnownProvider_tokens(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const wechat = "https://api.weixin.qq.com/sns/oauth2/access_token?appid=id&secret=secret&code=c&grant_type=authorization_code"
		tests := []struct {
			id, url, reply, reason string
			want                   *OAuthTokens
		}{
			{"github", "https://github.com/login/oauth/access_token", `{"error":"bad_verification_code"}`, "a refused grant comes with status 200", nil},
			{"github", "https://github.com/login/oauth/access_token", `{"access_token":"at","scope":"read:user,user:email","token_type":"bearer"}`, "commas separate nothing",
				&OAuthTokens{AccessToken: "at", TokenType: "bearer", Scopes: []string{"read:user,user:email"}}},
			{"wechat", wechat, `{"errcode":40029,"errmsg":"invalid code"}`, "an error with status 200", nil},
			{"wechat", wechat, `{}`, "nothing", nil},
			{"wechat", wechat, `{"access_token":"at","refresh_token":"rt","expires_in":7200,"openid":"wo","scope":"a,b"}`, "commas separate scopes",
				&OAuthTokens{AccessToken: "at", RefreshToken: "rt", TokenType: "Bearer", Scopes: []string{"a", "b"}, AccessTokenExpiresAt: now().Add(2 * time.Hour)}},
		}
		for _, test := range tests {
			p, _ := opened(t, BuiltinProvider(test.id, "id", "secret"), map[string]string{test.url: test.reply})
			got, err := p.exchangeCode(t.Context(), CodeExchange{Code: "c"})
			if test.want == nil && err == nil || test.want != nil && (err != nil || !sameTokens(got, test.want)) {
				t.Errorf("%s: %s: %+v, %v, want %+v", test.id, test.reason, got, err, test.want)
			}
		}
	})
}

func sameTokens(a, b *OAuthTokens) bool {
	return a.AccessToken == b.AccessToken && a.RefreshToken == b.RefreshToken && a.TokenType == b.TokenType &&
		slices.Equal(a.Scopes, b.Scopes) && a.AccessTokenExpiresAt.Equal(b.AccessTokenExpiresAt)
}

// What a request may add to the authorization URL, where the provider has its own
// names for what binds it.
func TestAuthorizationURL_reserved(t *testing.T) {
	for id, own := range map[string]string{"tiktok": "client_key", "wechat": "appid", "google": "client_id"} {
		p, _ := opened(t, BuiltinProvider(id, "id", "secret"), nil)
		url, err := p.authorizationURL(authorizationRequest{state: "st", codeVerifier: "v", params: map[string]string{own: "evil", "state": "evil", "lang": "en"}})
		if err != nil || strings.Contains(url, "evil") || !strings.Contains(url, own+"=id") || !strings.Contains(url, "lang=en") {
			t.Errorf("%s: %s, %v", id, url, err)
		}
	}
}

// Cognito reads + as itself.
func TestCognitoScopes(t *testing.T) {
	for endpoint, want := range map[string]string{
		"":                              "https://pool.example/oauth2/authorize?scope=openid%20profile%20email&",
		"https://front.example/login?x": "https://front.example/login?x&scope=openid%20profile%20email&",
	} {
		config := BuiltinProvider("cognito", "id", "")
		config.BaseURL, config.Tenant, config.AuthorizationURL = "pool.example", "eu-west-1_A", endpoint
		p, _ := opened(t, config, nil)
		if url, err := p.authorizationURL(authorizationRequest{}); err != nil || !strings.HasPrefix(url, want) || strings.Count(url, "scope=") != 1 {
			t.Errorf("%s, %v, want %s", url, err, want)
		}
	}
}

func TestProviderCheck_known(t *testing.T) {
	for _, test := range []struct {
		reason string
		id     string
		change func(p *Provider)
		want   string // in the error, empty for none
	}{
		{"no such row", "myspace", nil, "no such provider"},
		{"a pool needs a domain", "cognito", func(p *Provider) { p.Tenant = "eu-west-1_A" }, "BaseURL"},
		{"a pool needs an id", "cognito", func(p *Provider) { p.BaseURL = "pool.example" }, "Tenant"},
		{"an id without region", "cognito", func(p *Provider) { p.BaseURL, p.Tenant = "pool.example", "A" }, "Tenant"},
		{"a pool", "cognito", func(p *Provider) { p.BaseURL, p.Tenant = "pool.example", "eu-west-1_A" }, ""},
		{"an environment that there is not", "paypal", func(p *Provider) { p.Environment = "production" }, `"production"`},
		{"one where there are none", "github", func(p *Provider) { p.Environment = "sandbox" }, "Environment"},
		{"a server of a vendor who has only one", "google", func(p *Provider) { p.BaseURL = "https://g.example" }, "BaseURL"},
		{"a tenant where there are none", "gitlab", func(p *Provider) { p.Tenant = "t" }, "Tenant"},
		{"discovery of what is known", "line", func(p *Provider) { p.DiscoveryURL = "https://line.example" }, "DiscoveryURL"},
		{"a server without scheme", "gitlab", func(p *Provider) { p.BaseURL = "git.example" }, "BaseURL"},
		{"a domain without scheme", "salesforce", func(p *Provider) { p.BaseURL = "my.example" }, ""},
		{"secret and assertion", "microsoft", func(p *Provider) {
			p.TokenAuth, p.ClientAssertion = TokenAuthPrivateKeyJWT, SignClientAssertion(nil, "", "id")
		}, "ClientSecret"},
		{"an assertion", "microsoft", func(p *Provider) {
			p.ClientSecret, p.TokenAuth, p.ClientAssertion = "", TokenAuthPrivateKeyJWT, SignClientAssertion(nil, "", "id")
		}, ""},
	} {
		config := BuiltinProvider(test.id, "id", "secret")
		if test.change != nil {
			test.change(&config)
		}
		err := config.check()
		if (err != nil) != (test.want != "") || err != nil && !strings.Contains(err.Error(), test.want) {
			t.Errorf("%s: %s: %v", test.id, test.reason, err)
		}
	}
}

// The secret is asked for when a flow begins: id_tokens of apps need none.
func TestKnownProvider_needsSecret(t *testing.T) {
	var got []string
	for i := range knownProviders {
		config := BuiltinProvider(knownProviders[i].id, "id", "")
		if config.ID == "cognito" {
			config.BaseURL, config.Tenant = "pool.example", "eu-west-1_A"
		}
		p, _ := opened(t, config, nil)
		if _, err := p.authorizationURL(authorizationRequest{}); err != nil {
			got = append(got, p.ID)
		}
	}
	if want := []string{"apple", "atlassian", "facebook", "figma", "google", "paybin", "paypal", "salesforce"}; !slices.Equal(got, want) {
		t.Errorf("%v, want %v", got, want)
	}
}

func TestKnownProvider_idTokens(t *testing.T) {
	const entra = "https://login.microsoftonline.com/"
	const pool = "https://cognito-idp.eu-west-1.amazonaws.com/eu-west-1_A"
	tenant := func(name string) func(p *Provider) { return func(p *Provider) { p.Tenant = name } }
	microsoft := func(tid string) map[string]any {
		return map[string]any{"iss": entra + tid + "/v2.0", "tid": tid}
	}
	tests := []struct {
		reason, id, keys string
		config           func(p *Provider)
		claims           map[string]any
		nonce            string
		ok               bool
	}{
		{"plain", "apple", "https://appleid.apple.com/auth/keys", nil, map[string]any{"iss": "https://appleid.apple.com"}, "", true},
		{"another issuer", "apple", "https://appleid.apple.com/auth/keys", nil, map[string]any{"iss": "https://evil.example"}, "", false},
		{"the hash of the nonce", "apple", "https://appleid.apple.com/auth/keys", nil, map[string]any{"iss": "https://appleid.apple.com", "nonce": "78377b525757b494427f89014f97d79928f3938d14eb51e20fb5dec9834eb304"}, "nonce", true},
		{"an app", "apple", "https://appleid.apple.com/auth/keys", func(p *Provider) { p.Audiences = []string{"id", "app"} }, map[string]any{"iss": "https://appleid.apple.com", "aud": "app"}, "", true},
		{"an app that is not ours", "apple", "https://appleid.apple.com/auth/keys", nil, map[string]any{"iss": "https://appleid.apple.com", "aud": "app"}, "", false},

		{"issuer without scheme", "google", "https://www.googleapis.com/oauth2/v3/certs", nil, map[string]any{"iss": "accounts.google.com"}, "", true},
		{"too old", "google", "https://www.googleapis.com/oauth2/v3/certs", nil, map[string]any{"iss": "accounts.google.com", "iat": time.Now().Add(-2 * time.Hour).Unix()}, "", false},
		{"its Workspace domain", "google", "https://www.googleapis.com/oauth2/v3/certs", func(p *Provider) { p.Params = map[string]string{"hd": "x.co"} }, map[string]any{"iss": "accounts.google.com", "hd": "x.co"}, "", true},
		{"another Workspace domain", "google", "https://www.googleapis.com/oauth2/v3/certs", func(p *Provider) { p.Params = map[string]string{"hd": "x.co"} }, map[string]any{"iss": "accounts.google.com", "hd": "y.co"}, "", false},

		{"any tenant", "microsoft", entra + "common/discovery/v2.0/keys", nil, microsoft("t1"), "", true},
		{"the issuer of another tenant", "microsoft", entra + "common/discovery/v2.0/keys", nil, map[string]any{"iss": entra + "t1/v2.0", "tid": "t2"}, "", false},
		{"no tid", "microsoft", entra + "common/discovery/v2.0/keys", nil, map[string]any{"iss": entra + "t1/v2.0"}, "", false},
		{"one tenant", "microsoft", entra + "t1/discovery/v2.0/keys", tenant("t1"), microsoft("t1"), "", true},
		{"another tenant", "microsoft", entra + "t1/discovery/v2.0/keys", tenant("t1"), microsoft("t2"), "", false},
		{"an organization", "microsoft", entra + "organizations/discovery/v2.0/keys", tenant("organizations"), microsoft("t1"), "", true},
		{"a consumer is no organization", "microsoft", entra + "organizations/discovery/v2.0/keys", tenant("organizations"), microsoft(consumerTenant), "", false},
		{"a consumer", "microsoft", entra + "consumers/discovery/v2.0/keys", tenant("consumers"), microsoft(consumerTenant), "", true},
		{"an organization is no consumer", "microsoft", entra + "consumers/discovery/v2.0/keys", tenant("consumers"), microsoft("t1"), "", false},

		{"the pool's region", "cognito", pool + "/.well-known/jwks.json", func(p *Provider) { p.BaseURL, p.Tenant = "pool.example", "eu-west-1_A" }, map[string]any{"iss": pool}, "", true},
		{"another pool", "cognito", pool + "/.well-known/jwks.json", func(p *Provider) { p.BaseURL, p.Tenant = "pool.example", "eu-west-1_A" }, map[string]any{"iss": pool + "B"}, "", false},

		{"of any age", "facebook", "https://limited.facebook.com/.well-known/oauth/openid/jwks/", nil, map[string]any{"iss": "https://www.facebook.com", "iat": 1}, "", true},
		{"another nonce", "facebook", "https://limited.facebook.com/.well-known/oauth/openid/jwks/", nil, map[string]any{"iss": "https://www.facebook.com", "nonce": "other"}, "nonce", false},
	}
	keys := string(makeKeySet(
		makeJWK(t, testKeys()["RS256"].Public(), map[string]any{"kid": "RS256"}),
		makeJWK(t, testKeys()["ES256"].Public(), map[string]any{"kid": "ES256"}),
	))
	for _, test := range tests {
		config := BuiltinProvider(test.id, "id", "secret")
		if test.config != nil {
			test.config(&config)
		}
		p, _ := opened(t, config, map[string]string{test.keys: keys})
		claims := map[string]any{"aud": "id"}
		maps.Copy(claims, test.claims)
		payload := idTokenClaims(t, claims)
		if got := p.acceptsIDToken(t.Context(), makeIDToken(t, "RS256", payload), test.nonce); got != test.ok {
			t.Errorf("%s: %s: accepted: %t", test.id, test.reason, got)
		}
		if p.acceptsIDToken(t.Context(), makeIDToken(t, "ES256", payload), test.nonce) {
			t.Errorf("%s: %s: another algorithm than RS256 is accepted", test.id, test.reason)
		}
	}
}

// Which providers take id_tokens of clients, and who of them takes what is none.
func TestKnownProvider_takesIDTokens(t *testing.T) {
	var takes, opaque []string
	for i := range knownProviders {
		config := BuiltinProvider(knownProviders[i].id, "id", "secret")
		if config.ID == "cognito" {
			config.BaseURL, config.Tenant = "pool.example", "eu-west-1_A"
		}
		p, _ := opened(t, config, nil)
		if p.takesIDTokens() {
			takes = append(takes, p.ID)
			if p.acceptsIDToken(t.Context(), "opaque", "") {
				opaque = append(opaque, p.ID)
			}
		}
	}
	if want := []string{"apple", "cognito", "facebook", "google", "line", "microsoft"}; !slices.Equal(takes, want) {
		t.Errorf("id_tokens: %v, want %v", takes, want)
	}
	if want := []string{"facebook"}; !slices.Equal(opaque, want) {
		t.Errorf("others: %v, want %v", opaque, want)
	}
}

func TestLineVerify(t *testing.T) {
	for _, test := range []struct {
		reason, reply, nonce string
		ok                   bool
	}{
		{"plain", `{"aud":"id","sub":"U1"}`, "", true},
		{"another client", `{"aud":"evil"}`, "", false},
		{"no client", `{}`, "", false},
		{"the nonce", `{"aud":"id","nonce":"n"}`, "n", true},
		{"another nonce", `{"aud":"id","nonce":"m"}`, "n", false},
		{"a nonce that was not given", `{"aud":"id","nonce":"m"}`, "", false},
		{"no nonce, which LINE has compared", `{"aud":"id"}`, "n", true},
	} {
		p, stub := opened(t, BuiltinProvider("line", "id", "secret"), map[string]string{lineVerification: test.reply})
		if got := p.acceptsIDToken(t.Context(), "a.b.c", test.nonce); got != test.ok {
			t.Errorf("%s: accepted: %t", test.reason, got)
		}
		want := "POST " + lineVerification + stubForm + "id_token=a.b.c&client_id=id"
		if test.nonce != "" {
			want += "&nonce=" + test.nonce
		}
		if got := stub.taken(); !slices.Equal(got, []string{want}) {
			t.Errorf("%s: %q, want %q", test.reason, got, want)
		}
	}
	p, _ := opened(t, BuiltinProvider("line", "id", "secret"), nil)
	if p.acceptsIDToken(t.Context(), "a.b.c", "") {
		t.Error("accepted although LINE refused")
	}
}

func TestBuiltinProvider_named(t *testing.T) {
	for id, constructor := range map[string]func(clientID, clientSecret string) Provider{
		"apple": Apple, "discord": Discord, "facebook": Facebook, "github": GitHub, "gitlab": GitLab, "google": Google,
		"linkedin": LinkedIn, "microsoft": Microsoft, "slack": Slack, "spotify": Spotify, "twitch": Twitch, "twitter": X,
	} {
		p := constructor("id", "secret")
		if p.ID != id || p.known == nil || p.known.id != id || p.ClientID != "id" || p.ClientSecret != "secret" {
			t.Errorf("%s: %+v", id, p)
		}
	}
}
