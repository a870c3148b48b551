package testnode

import (
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"io"
	"maps"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"
)

const callback = "http://127.0.0.1:1/callback"

const codeVerifier = "a-verifier-of-at-least-forty-three-characters-here"

// authorizationURL is what a client with PKCE sends a user to.
func authorizationURL(endpoint string, parameters map[string]string) string {
	challenge := sha256.Sum256([]byte(codeVerifier))
	query := url.Values{
		"response_type": {"code"}, "client_id": {"app"}, "scope": {"openid email profile"}, "redirect_uri": {callback}, "state": {"a state"}, "nonce": {"a nonce"},
		"code_challenge": {base64.RawURLEncoding.EncodeToString(challenge[:])}, "code_challenge_method": {"S256"},
	}
	for name, value := range parameters {
		query.Set(name, value)
	}
	return endpoint + "?" + query.Encode()
}

// A client asks the endpoints of a provider.
type client struct {
	t         *testing.T
	endpoints struct {
		Issuer   string
		Token    string `json:"token_endpoint"`
		UserInfo string `json:"userinfo_endpoint"`
		Auth     string `json:"authorization_endpoint"`
		JWKS     string `json:"jwks_uri"`
	}
}

func newClient(t *testing.T, p *Provider) *client {
	t.Helper()
	c := &client{t: t}
	response, err := http.Get(p.DiscoveryURL())
	if err != nil {
		t.Fatal(err)
	}
	c.decode(response, &c.endpoints)
	if c.endpoints.Issuer != p.Issuer {
		t.Fatalf("issuer %q, want %q", c.endpoints.Issuer, p.Issuer)
	}
	return c
}

func (c *client) decode(response *http.Response, into any) (status int) {
	c.t.Helper()
	defer response.Body.Close()
	body, err := io.ReadAll(response.Body)
	if err != nil {
		c.t.Fatal(err)
	}
	if err := json.Unmarshal(body, into); err != nil {
		c.t.Fatalf("%v: %s", err, body)
	}
	return response.StatusCode
}

type tokens struct {
	Access  string `json:"access_token"`
	Refresh string `json:"refresh_token"`
	ID      string `json:"id_token"`
	Error   string
}

// exchange posts to the token endpoint as the client app.
func (c *client) exchange(form url.Values) (status int, t tokens) {
	c.t.Helper()
	form.Set("client_id", "app")
	form.Set("client_secret", "app-secret")
	response, err := http.PostForm(c.endpoints.Token, form)
	if err != nil {
		c.t.Fatal(err)
	}
	return c.decode(response, &t), t
}

func (c *client) redeem(code string) (status int, t tokens) {
	c.t.Helper()
	return c.exchange(url.Values{"grant_type": {"authorization_code"}, "code": {code}, "redirect_uri": {callback}, "code_verifier": {codeVerifier}})
}

func (c *client) refresh(token string) (status int, t tokens) {
	c.t.Helper()
	return c.exchange(url.Values{"grant_type": {"refresh_token"}, "refresh_token": {token}})
}

func (c *client) userInfo(token string) (user map[string]any) {
	c.t.Helper()
	request, _ := http.NewRequestWithContext(c.t.Context(), http.MethodGet, c.endpoints.UserInfo, nil)
	request.Header.Set("Authorization", "Bearer "+token)
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		c.t.Fatal(err)
	}
	c.decode(response, &user)
	return user
}

// part decodes the header or the claims of a token.
func part(t *testing.T, token string, i int) (decoded map[string]any) {
	t.Helper()
	text, err := base64.RawURLEncoding.DecodeString(strings.Split(token, ".")[i])
	if err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(text, &decoded); err != nil {
		t.Fatal(err)
	}
	return decoded
}

// TestOpenIDProvider goes through the whole code flow, and sees that the provider
// is strict.
func TestOpenIDProvider(t *testing.T) {
	p := StartOpenIDProvider(t, callback)
	c := newClient(t, &p.Provider)
	p.SetUser("bob", map[string]any{"email": "bob@example.org", "email_verified": false})
	query := p.Authorize(t, authorizationURL(c.endpoints.Auth, map[string]string{"login_hint": "bob"})).Query()
	if query.Get("state") != "a state" || query.Get("iss") != p.Issuer {
		t.Fatalf("callback %v", query)
	}
	status, got := c.redeem(query.Get("code"))
	if status != 200 || got.Access == "" || got.Refresh == "" {
		t.Fatalf("tokens: %d %+v", status, got)
	}
	claims := part(t, got.ID, 1)
	if claims["sub"] != "bob" || claims["nonce"] != "a nonce" || claims["email"] != nil {
		t.Errorf("ID token %v", claims)
	}
	if user := c.userInfo(got.Access); user["sub"] != "bob" || user["email"] != "bob@example.org" || user["email_verified"] != false {
		t.Errorf("userinfo %v", user)
	}
	status, next := c.refresh(got.Refresh)
	if status != 200 || next.Refresh == got.Refresh || next.Access == got.Access {
		t.Errorf("refresh: %d %+v", status, next)
	}
	if status, again := c.refresh(got.Refresh); status != 400 || again.Error != "invalid_grant" {
		t.Errorf("a used refresh token: %d %+v", status, again)
	}
	if status, again := c.redeem(query.Get("code")); status != 400 || again.Error != "invalid_grant" {
		t.Errorf("a used code: %d %+v", status, again)
	}
	if n := len(p.RequestsTo("/token")); n != 4 {
		t.Errorf("%d requests for tokens", n)
	}
	if form := p.RequestsTo("/token")[0].Form(); form.Get("client_secret") != "app-secret" || form.Get("code") != query.Get("code") {
		t.Errorf("logged %v", form)
	}
}

// TestOpenIDProviderRefusals: who refuses comes back with an error, and whoever
// asks for another place to come back to does not.
func TestOpenIDProviderRefusals(t *testing.T) {
	p := StartOpenIDProvider(t, callback)
	query := p.Authorize(t, authorizationURL(p.Issuer+"/auth", map[string]string{"login_hint": "deny"})).Query()
	if query.Get("error") != "access_denied" || query.Get("state") != "a state" {
		t.Errorf("callback %v", query)
	}
	elsewhere := authorizationURL(p.Issuer+"/auth", map[string]string{"redirect_uri": callback + "2"})
	if response, body := p.browse(t, elsewhere); response.StatusCode != 400 || !strings.Contains(body, "redirect_uri") {
		t.Errorf("%d %s", response.StatusCode, body)
	}
	p.SetRedirectURIs(callback + "2")
	if back := p.Authorize(t, elsewhere); back.Path != "/callback2" || back.Query().Get("code") == "" {
		t.Errorf("callback %v", back)
	}
}

// TestOpenIDOptions: each option is seen in what the provider sends.
func TestOpenIDOptions(t *testing.T) {
	for _, algorithm := range []string{"RS256", "ES256", "EdDSA"} {
		p := OpenIDOptions{RedirectURIs: []string{callback}, Algorithm: algorithm, EmailInIDToken: true, IDTokenLifetime: time.Minute}.Start(t)
		action, form := p.AuthorizeForm(t, authorizationURL(p.Issuer+"/auth", map[string]string{"response_mode": "form_post"}))
		if action != callback || form.Get("code") == "" || form.Get("state") != "a state" || form.Get("iss") != p.Issuer {
			t.Fatalf("form %s %v", action, form)
		}
		_, got := newClient(t, &p.Provider).redeem(form.Get("code"))
		header, claims := part(t, got.ID, 0), part(t, got.ID, 1)
		if header["alg"] != algorithm || claims["email"] != "alice@example.com" || claims["exp"].(float64)-claims["iat"].(float64) != 60 {
			t.Errorf("ID token %v %v", header, claims)
		}
	}
}

// TestMockProvider: the provider is honest until it is told to lie, and afterwards.
func TestMockProvider(t *testing.T) {
	p := StartMockProvider(t)
	c := newClient(t, &p.Provider)
	code := func() string { return p.Authorize(t, authorizationURL(c.endpoints.Auth, nil)).Query().Get("code") }
	honest := func() {
		t.Helper()
		_, got := c.redeem(code())
		claims := part(t, got.ID, 1)
		if claims["sub"] != "johndoe" || claims["nonce"] != "a nonce" || claims["aud"] != "app" || claims["iss"] != p.Issuer || claims["email"] != "johndoe@example.com" {
			t.Errorf("ID token %v", claims)
		}
		if user := c.userInfo(got.Access); user["sub"] != "johndoe" || user["name"] != "John Doe" {
			t.Errorf("userinfo %v", user)
		}
	}
	honest()
	p.Tamper(Token, Lie{Set: map[string]any{"refresh_token": nil, "expires_in": 1}, IDToken: IDToken{
		Algorithm: "ES256", Claims: map[string]any{"aud": "another", "nonce": nil}, Header: map[string]any{"kid": "unknown"},
	}})
	_, got := c.redeem(code())
	header, claims := part(t, got.ID, 0), part(t, got.ID, 1)
	if got.Refresh != "" || header["alg"] != "ES256" || header["kid"] != "unknown" || claims["aud"] != "another" || claims["nonce"] != nil {
		t.Errorf("%+v %v %v", got, header, claims)
	}
	text := `{"error":"temporarily_unavailable"}`
	p.Tamper(Token, Lie{Status: 503, Body: &text})
	if status, got := c.redeem("any"); status != 503 || got.Error != "temporarily_unavailable" {
		t.Errorf("%d %+v", status, got)
	}
	p.Tamper(UserInfo, Lie{Drop: true})
	if _, err := http.Get(c.endpoints.UserInfo); err == nil {
		t.Error("the provider did not drop the connection")
	}
	p.Honest()
	honest()
}

// TestMockProviderTokens: every way to forge leaves a token that looks right and
// differs from an honest one in what its name says.
func TestMockProviderTokens(t *testing.T) {
	p := StartMockProvider(t)
	c := newClient(t, &p.Provider)
	kids := func() (kids map[string]string) {
		response, err := http.Get(c.endpoints.JWKS)
		if err != nil {
			t.Fatal(err)
		}
		var set struct {
			Keys []struct{ Kid, Alg, D string }
		}
		c.decode(response, &set)
		kids = make(map[string]string)
		for _, key := range set.Keys {
			if kids[key.Alg] = key.Kid; key.D != "" {
				t.Error("a private key is published")
			}
		}
		return kids
	}
	before := kids()
	for forgery, want := range map[Forgery]map[string]any{
		"": {}, AlgorithmNone: {"alg": "none"}, Unsigned: {}, Broken: {}, Stranger: {}, Confusion: {"alg": "HS256"}, Embedded: {"kid": nil},
	} {
		token := p.IDToken(IDToken{Algorithm: "ES256", Forgery: forgery})
		header := part(t, token, 0)
		expected := map[string]any{"alg": "ES256", "kid": before["ES256"]}
		maps.Copy(expected, want)
		unsigned := strings.HasSuffix(token, ".")
		if header["alg"] != expected["alg"] || header["kid"] != expected["kid"] || unsigned != (forgery == AlgorithmNone || forgery == Unsigned) {
			t.Errorf("%s: %v %s", forgery, header, token)
		}
		if claims := part(t, token, 1); claims["iss"] != p.Issuer || claims["aud"] != p.ClientID || claims["sub"] != "johndoe" {
			t.Errorf("%s: %v", forgery, claims)
		}
	}
	p.RotateKeys()
	if after := kids(); len(after) != 10 || after["EdDSA"] == before["EdDSA"] {
		t.Errorf("keys %v, before %v", after, before)
	}
}
