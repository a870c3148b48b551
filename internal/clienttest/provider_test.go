package clienttest

import (
	"crypto"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"html/template"
	"math/big"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"
)

// The application's credentials at the provider. server.mjs has them too.
const (
	clientID     = "app"
	clientSecret = "the app's secret"
)

// A provider is an OpenID provider at which everybody is already signed in: as
// whom the parameter login_hint names, an address. Nobody's consent is needed but
// that of refuser. Of the scopes, "brief" makes an access token that has all but
// expired; "sealed" leaves the user's claims to the userinfo endpoint.
type provider struct {
	url string
	key *rsa.PrivateKey

	mu      sync.Mutex        // guards what follows
	grants  map[string]*grant // by authorization code
	refresh map[string]*grant // by refresh token
	access  map[string]*grant // by access token
}

const refuser = "refuser@example.com"

// A grant is what a user has allowed the application.
type grant struct {
	email, scope, nonce    string
	redirectURI, challenge string // of the authorization request
}

func newProvider(t *testing.T) *provider {
	t.Helper()
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	p := &provider{key: key, grants: make(map[string]*grant), refresh: make(map[string]*grant), access: make(map[string]*grant)}
	mux := http.NewServeMux()
	mux.HandleFunc("GET /.well-known/openid-configuration", p.metadata)
	mux.HandleFunc("GET /authorize", p.authorize)
	mux.HandleFunc("POST /token", p.token)
	mux.HandleFunc("GET /userinfo", p.userInfo)
	mux.HandleFunc("GET /keys", p.keys)
	mux.HandleFunc("GET /id_token", p.directToken)
	server := httptest.NewUnstartedServer(mux)
	p.url = "http://" + server.Listener.Addr().String()
	server.Start()
	t.Cleanup(server.Close)
	return p
}

// metadata is OpenID Connect Discovery section 3.
func (p *provider) metadata(w http.ResponseWriter, _ *http.Request) {
	writeJSON(w, http.StatusOK, map[string]any{
		"issuer":                                p.url,
		"authorization_endpoint":                p.url + "/authorize",
		"token_endpoint":                        p.url + "/token",
		"userinfo_endpoint":                     p.url + "/userinfo",
		"jwks_uri":                              p.url + "/keys",
		"end_session_endpoint":                  p.url + "/end",
		"response_types_supported":              []string{"code"},
		"subject_types_supported":               []string{"public"},
		"id_token_signing_alg_values_supported": []string{"RS256"},
	})
}

// keys is the key set (RFC 7517).
func (p *provider) keys(w http.ResponseWriter, _ *http.Request) {
	writeJSON(w, http.StatusOK, map[string]any{"keys": []any{map[string]string{
		"kty": "RSA", "alg": "RS256", "use": "sig", "kid": "1",
		"n": encode(p.key.N.Bytes()), "e": encode(big.NewInt(int64(p.key.E)).Bytes()),
	}}})
}

// authorize answers an authentication request at once (OpenID Connect Core section
// 3.1.2): there is no page to look at.
func (p *provider) authorize(w http.ResponseWriter, r *http.Request) {
	q := r.URL.Query()
	answer := url.Values{"state": {q.Get("state")}, "iss": {p.url}}
	switch email := q.Get("login_hint"); {
	case q.Get("client_id") != clientID, q.Get("response_type") != "code", q.Get("code_challenge_method") != "S256", email == "":
		http.Error(w, "no such request: "+r.URL.RawQuery, http.StatusBadRequest)
		return
	case email == refuser:
		answer.Set("error", "access_denied")
		answer.Set("error_description", "The user said no")
	default:
		code := rand.Text()
		p.mu.Lock()
		p.grants[code] = &grant{email, q.Get("scope"), q.Get("nonce"), q.Get("redirect_uri"), q.Get("code_challenge")}
		p.mu.Unlock()
		answer.Set("code", code)
	}
	if q.Get("response_mode") == "form_post" {
		_ = formPost.Execute(w, map[string]any{"Action": q.Get("redirect_uri"), "Fields": answer})
		return
	}
	http.Redirect(w, r, q.Get("redirect_uri")+"?"+answer.Encode(), http.StatusFound)
}

// formPost is a page that a browser submits by itself (OAuth 2.0 Form Post Response
// Mode).
var formPost = template.Must(template.New("").Parse(
	`<!doctype html><body onload="document.forms[0].submit()"><form method="post" action="{{.Action}}">` +
		`{{range $name, $values := .Fields}}<input type="hidden" name="{{$name}}" value="{{index $values 0}}">{{end}}</form></body>`))

// token takes a code, or a refresh token, once.
func (p *provider) token(w http.ResponseWriter, r *http.Request) {
	if r.PostFormValue("client_id") != clientID || r.PostFormValue("client_secret") != clientSecret {
		writeJSON(w, http.StatusUnauthorized, map[string]string{"error": "invalid_client"})
		return
	}
	var g *grant
	p.mu.Lock()
	defer p.mu.Unlock()
	switch r.PostFormValue("grant_type") {
	case "authorization_code":
		g = take(p.grants, r.PostFormValue("code"))
		if g != nil && (g.redirectURI != r.PostFormValue("redirect_uri") || g.challenge != challenge(r.PostFormValue("code_verifier"))) {
			g = nil
		}
	case "refresh_token":
		if g = take(p.refresh, r.PostFormValue("refresh_token")); g != nil {
			g = &grant{email: g.email, scope: strings.ReplaceAll(g.scope, "brief", "")}
		}
	}
	if g == nil {
		writeJSON(w, http.StatusBadRequest, map[string]string{"error": "invalid_grant"})
		return
	}
	writeJSON(w, http.StatusOK, p.tokens(g))
}

// take removes a grant.
func take(grants map[string]*grant, key string) *grant {
	g := grants[key]
	delete(grants, key)
	return g
}

func (p *provider) tokens(g *grant) map[string]any {
	access, refresh, lifetime := rand.Text(), rand.Text(), 3600
	if g.has("brief") {
		lifetime = 1
	}
	p.access[access], p.refresh[refresh] = g, g
	claims := map[string]any{"nonce": g.nonce, "sub": subject(g.email)}
	if !g.has("sealed") {
		claims = describe(g.email, claims)
	}
	return map[string]any{
		"access_token": access, "refresh_token": refresh, "token_type": "Bearer", "expires_in": lifetime,
		"scope": g.scope, "id_token": p.sign(claims),
	}
}

func (g *grant) has(scope string) bool { return strings.Contains(" "+g.scope+" ", " "+scope+" ") }

func (p *provider) userInfo(w http.ResponseWriter, r *http.Request) {
	p.mu.Lock()
	defer p.mu.Unlock()
	g := p.access[strings.TrimPrefix(r.Header.Get("Authorization"), "Bearer ")]
	if g == nil {
		w.WriteHeader(http.StatusUnauthorized)
		return
	}
	writeJSON(w, http.StatusOK, describe(g.email, map[string]any{}))
}

// directToken answers with an id_token such as an application gets that talks to
// the provider by itself. The query has claims of it.
func (p *provider) directToken(w http.ResponseWriter, r *http.Request) {
	q := r.URL.Query()
	claims := describe(q.Get("email"), map[string]any{})
	for name := range q {
		claims[name] = q.Get(name)
	}
	_, _ = w.Write([]byte(p.sign(claims)))
}

// subject is the provider's name of a user.
func subject(email string) string { return "subject-" + challenge(email)[:8] }

// describe adds the claims of a user (OpenID Connect Core section 5.1). Addresses
// below unverified.example are not verified.
func describe(email string, claims map[string]any) map[string]any {
	name, host, _ := strings.Cut(email, "@")
	claims["sub"], claims["email"], claims["email_verified"] = subject(email), email, host != "unverified.example"
	claims["name"], claims["picture"] = "User "+name, "https://op.example/"+name+".png"
	return claims
}

// sign makes an id_token of claims (RFC 7515).
func (p *provider) sign(claims map[string]any) string {
	now := time.Now()
	all := map[string]any{"iss": p.url, "aud": clientID, "iat": now.Unix(), "exp": now.Add(time.Hour).Unix()}
	for name, value := range claims {
		all[name] = value
	}
	payload, _ := json.Marshal(all)
	text := encode([]byte(`{"alg":"RS256","typ":"JWT","kid":"1"}`)) + "." + encode(payload)
	sum := sha256.Sum256([]byte(text))
	signature, _ := rsa.SignPKCS1v15(rand.Reader, p.key, crypto.SHA256, sum[:])
	return text + "." + encode(signature)
}

// challenge is that of RFC 7636 section 4.2.
func challenge(verifier string) string {
	sum := sha256.Sum256([]byte(verifier))
	return encode(sum[:])
}

func encode(data []byte) string { return base64.RawURLEncoding.EncodeToString(data) }

func writeJSON(w http.ResponseWriter, status int, value any) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(value)
}
