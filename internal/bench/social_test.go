package bench

import (
	"bytes"
	"crypto"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"math/big"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/seed3b05b409/auth"
)

// BenchmarkSignInSocial begins flows at a provider, which stores a state, and signs
// in with an id_token (RS256), which reads user and account and stores a session.
// The bare handlers do the least that the same takes: random secrets, a challenge
// and a map; a signature, the claims and two maps.
func BenchmarkSignInSocial(b *testing.B) {
	p := newTokenProvider(b)
	a, err := auth.New(auth.Config{
		BaseURL: "http://localhost:3000", Secret: strings.Repeat("s", 32), Store: auth.NewMemoryStore(),
		HTTPClient: &http.Client{Transport: p},
		Providers:  []auth.Provider{auth.OIDC("op", p.issuer, "client", "secret")},
		RateLimit:  auth.RateLimit{Disabled: true},
		Logger:     slog.New(slog.DiscardHandler),
	})
	if err != nil {
		b.Fatal(err)
	}
	bare := &bareSocial{provider: p, states: make(map[string]string), users: map[string]string{"ann": "1"}, sessions: make(map[string]string)}
	begin := `{"provider":"op","callbackURL":"/in"}`
	b.Run("begin/bare", func(b *testing.B) { measurePost(b, http.HandlerFunc(bare.begin), begin) })
	b.Run("begin/auth", func(b *testing.B) { measurePost(b, a, begin) })
	submit := fmt.Sprintf(`{"provider":"op","idToken":{"token":%q}}`, p.token)
	b.Run("idToken/bare", func(b *testing.B) { measurePost(b, http.HandlerFunc(bare.submit), submit) })
	b.Run("idToken/auth", func(b *testing.B) { measurePost(b, a, submit) })
}

func measurePost(b *testing.B, h http.Handler, body string) {
	b.ReportAllocs()
	for b.Loop() {
		r := httptest.NewRequest(http.MethodPost, "http://localhost:3000/api/auth/sign-in/social", strings.NewReader(body))
		r.Header.Set("Content-Type", "application/json")
		w := httptest.NewRecorder()
		if h.ServeHTTP(w, r); w.Code != http.StatusOK {
			b.Fatal(w.Code, w.Body)
		}
	}
}

// tokenProvider answers for an OpenID provider without a network, and has signed
// one id_token.
type tokenProvider struct {
	issuer string
	key    *rsa.PrivateKey
	token  string
}

func newTokenProvider(b *testing.B) *tokenProvider {
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		b.Fatal(err)
	}
	p := &tokenProvider{issuer: "https://op.test", key: key}
	encode := func(text string) string { return base64.RawURLEncoding.EncodeToString([]byte(text)) }
	signed := encode(`{"alg":"RS256","kid":"k"}`) + "." + encode(fmt.Sprintf(
		`{"iss":%q,"aud":"client","sub":"ann","email":"ann@example.com","email_verified":true,"name":"Ann","iat":%d,"exp":%d}`,
		p.issuer, time.Now().Unix(), time.Now().Add(time.Hour).Unix()))
	sum := sha256.Sum256([]byte(signed))
	signature, err := rsa.SignPKCS1v15(nil, key, crypto.SHA256, sum[:])
	if err != nil {
		b.Fatal(err)
	}
	p.token = signed + "." + base64.RawURLEncoding.EncodeToString(signature)
	return p
}

func (p *tokenProvider) RoundTrip(r *http.Request) (*http.Response, error) {
	body := fmt.Sprintf(`{"keys":[{"kty":"RSA","kid":"k","use":"sig","n":%q,"e":%q}]}`,
		base64.RawURLEncoding.EncodeToString(p.key.N.Bytes()), base64.RawURLEncoding.EncodeToString(big.NewInt(int64(p.key.E)).Bytes()))
	if strings.HasSuffix(r.URL.Path, "/openid-configuration") {
		body = fmt.Sprintf(`{"issuer":%q,"authorization_endpoint":"%[2]s/a","token_endpoint":"%[2]s/t","jwks_uri":"%[2]s/k","id_token_signing_alg_values_supported":["RS256"]}`,
			p.issuer, p.issuer)
	}
	return &http.Response{
		StatusCode: http.StatusOK, Header: http.Header{"Content-Type": {"application/json"}},
		Body: io.NopCloser(strings.NewReader(body)), Request: r,
	}, nil
}

// bareSocial is what one writes by hand, without any of the checks.
type bareSocial struct {
	provider *tokenProvider
	states   map[string]string
	users    map[string]string
	sessions map[string]string
}

func (s *bareSocial) begin(w http.ResponseWriter, r *http.Request) {
	var in struct{ Provider, CallbackURL string }
	if err := json.NewDecoder(r.Body).Decode(&in); err != nil {
		w.WriteHeader(http.StatusBadRequest)
		return
	}
	state, verifier := rand.Text(), rand.Text()+rand.Text()
	s.states[state] = verifier
	sum := sha256.Sum256([]byte(verifier))
	query := url.Values{
		"response_type": {"code"}, "client_id": {"client"}, "state": {state}, "scope": {"openid profile email"},
		"redirect_uri": {"http://localhost:3000/callback"}, "code_challenge_method": {"S256"},
		"code_challenge": {base64.RawURLEncoding.EncodeToString(sum[:])},
	}
	http.SetCookie(w, &http.Cookie{Name: "state", Value: state, HttpOnly: true, SameSite: http.SameSiteLaxMode})
	_ = json.NewEncoder(w).Encode(map[string]any{"url": s.provider.issuer + "/a?" + query.Encode(), "redirect": true})
}

func (s *bareSocial) submit(w http.ResponseWriter, r *http.Request) {
	var in struct{ IDToken struct{ Token string } }
	if err := json.NewDecoder(r.Body).Decode(&in); err != nil {
		w.WriteHeader(http.StatusBadRequest)
		return
	}
	token := []byte(in.IDToken.Token)
	dot := bytes.LastIndexByte(token, '.')
	signature, _ := base64.RawURLEncoding.DecodeString(string(token[dot+1:]))
	sum := sha256.Sum256(token[:dot])
	if rsa.VerifyPKCS1v15(&s.provider.key.PublicKey, crypto.SHA256, sum[:], signature) != nil {
		w.WriteHeader(http.StatusUnauthorized)
		return
	}
	_, encoded, _ := bytes.Cut(token[:dot], []byte("."))
	payload, _ := base64.RawURLEncoding.DecodeString(string(encoded))
	var claims struct{ Sub, Email, Name string }
	if json.Unmarshal(payload, &claims) != nil {
		w.WriteHeader(http.StatusUnauthorized)
		return
	}
	session := rand.Text()
	s.sessions[session] = s.users[claims.Sub]
	http.SetCookie(w, &http.Cookie{Name: "session", Value: session, HttpOnly: true, SameSite: http.SameSiteLaxMode})
	_ = json.NewEncoder(w).Encode(map[string]any{"token": session, "user": claims})
}
