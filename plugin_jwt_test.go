package auth

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"net/http"
	"net/http/httptest"
	"reflect"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"
)

// jwtWorld is an instance with the plugin.
func jwtWorld(t *testing.T, p *JWT, edit ...func(*Config)) *world {
	t.Helper()
	return newWorld(t, append([]func(*Config){func(c *Config) { c.Plugins = []Plugin{p} }}, edit...)...)
}

// jwtParts returns the header and the claims of a token without any verification.
func jwtParts(t *testing.T, token string) (header, claims map[string]any) {
	t.Helper()
	parts := strings.Split(token, ".")
	if len(parts) != 3 {
		t.Fatalf("token %q", token)
	}
	for i, members := range []*map[string]any{&header, &claims} {
		text, err := base64.RawURLEncoding.DecodeString(parts[i])
		if err != nil {
			t.Fatal(err)
		}
		if err := json.Unmarshal(text, members); err != nil {
			t.Fatal(err)
		}
	}
	return header, claims
}

// published are the keys of GET /jwks.
func (w *world) published(p *JWT) []JWK {
	w.t.Helper()
	keys, err := parseKeySet([]byte(w.browser().get(p.keysPath()).ok(w.t).body))
	if err != nil {
		w.t.Fatal(err)
	}
	return keys
}

func (b *browser) jwt() string {
	b.t.Helper()
	return b.get("/token").ok(b.t).field(b.t, "token").(string)
}

// jwtValid reports whether verifyJWT accepts a token.
func jwtValid(t *testing.T, p *JWT, token string) bool {
	t.Helper()
	out, err := p.VerifyJWT.Call(t.Context(), VerifyJWTRequest{Token: token})
	if err != nil {
		t.Fatal(err)
	}
	return out.Payload != nil
}

func TestJWTDoors(t *testing.T) {
	checkPluginDoors(t, doorSet{
		plugin: func() Plugin { return &JWT{} },
		cases: []doorCase{
			{op: "getJwks", want: 200},
			{op: "getJwks", broken: true, want: 500},
			{op: "getToken", as: "ann", want: 200},
			{op: "getToken", as: "forged", want: 401},
			{op: "getToken", as: "ann", broken: true, want: 500},
		},
	})
	checkPluginDoors(t, doorSet{
		plugin: func() Plugin {
			return &JWT{RemoteKeysURL: "https://cdn.example/keys", KeyPair: JWTKeyPair{Algorithm: "ES256"}}
		},
		cases: []doorCase{{op: "getJwks", want: 404}, {op: "getToken", as: "ann", want: 200}},
	})
}

// Every algorithm signs what the published keys verify.
func TestJWTAlgorithms(t *testing.T) {
	for _, alg := range []string{"", "EdDSA", "ES256", "ES512", "RS256", "PS256"} {
		p := &JWT{KeyPair: JWTKeyPair{Algorithm: alg}}
		w := jwtWorld(t, p)
		token := w.as("ann").jwt()
		if alg == "" {
			alg = "EdDSA"
		}
		header, claims := jwtParts(t, token)
		keys := w.published(p)
		if len(header) != 2 || header["alg"] != alg || len(keys) != 1 || header["kid"] != keys[0].ID || keys[0].Algorithm != alg {
			t.Errorf("%s: header %v, keys %v", alg, header, keys)
		}
		if _, err := VerifyJWS(token, keys, []string{alg}); err != nil {
			t.Errorf("%s: %v", alg, err)
		}
		if claims["iss"] != testOrigin || claims["aud"] != testOrigin || claims["sub"] != claims["id"] || claims["exp"].(float64) != claims["iat"].(float64)+900 {
			t.Errorf("%s: claims %v", alg, claims)
		}
		if !jwtValid(t, p, token) || jwtValid(t, p, token[:len(token)-4]+"AAAA") {
			t.Errorf("%s: the plugin judges otherwise", alg)
		}
	}
}

func TestJWTOptionErrors(t *testing.T) {
	sign := func(context.Context, []byte, JWTSigning) (string, error) { return "", nil }
	cached := func(c *Config) { c.Session.CookieCache = CookieCache{Enabled: true, Strategy: CacheJWT} }
	for reason, p := range map[string]*JWT{
		"sign without a remote URL":              {Sign: sign},
		"a remote URL without an algorithm":      {RemoteKeysURL: "https://cdn.example/keys"},
		"a path without a slash":                 {KeysPath: "jwks"},
		"a path with dots":                       {KeysPath: "/../jwks"},
		"an algorithm with a shared secret":      {KeyPair: JWTKeyPair{Algorithm: "HS256"}},
		"no algorithm at all":                    {KeyPair: JWTKeyPair{Algorithm: "none"}},
		"another algorithm that there is not":    {MoreKeyPairs: []JWTKeyPair{{Algorithm: "none"}}},
		"an empty other algorithm":               {MoreKeyPairs: []JWTKeyPair{{}}},
		"a short RSA key":                        {KeyPair: JWTKeyPair{Algorithm: "RS256", RSABits: 1024}},
		"a long RSA key":                         {KeyPair: JWTKeyPair{Algorithm: "RS256", RSABits: 1 << 20}},
		"bits of another kind of key":            {KeyPair: JWTKeyPair{Algorithm: "ES256", RSABits: 2048}},
		"a negative interval":                    {RotationInterval: -1},
		"a negative grace":                       {GracePeriod: -1},
		"two graces":                             {GracePeriod: 1, NoGracePeriod: true},
		"two ends":                               {Claims: JWTClaims{ExpiresIn: 1, ExpiresAt: time.Now()}},
		"keys that are found and not made":       {FindKeys: func(context.Context) ([]*JWTKey, error) { return nil, nil }},
		"keys that are made and not found":       {CreateKey: func(context.Context, *JWTKey) error { return nil }},
		"copies of sessions with another's keys": {SessionCookieCache: true, Sign: sign, RemoteKeysURL: "x", KeyPair: JWTKeyPair{Algorithm: "ES256"}},
	} {
		config := Config{BaseURL: testOrigin, Secret: testSecret, Store: NewMemoryStore(), Plugins: []Plugin{p}}
		cached(&config)
		if _, err := New(config); err == nil {
			t.Errorf("%s is accepted", reason)
		}
	}
	config := Config{BaseURL: testOrigin, Secret: testSecret, Store: NewMemoryStore(), Plugins: []Plugin{&JWT{SessionCookieCache: true}}}
	if _, err := New(config); err == nil {
		t.Error("copies of sessions in a form that has no signature of the plugin are accepted")
	}
}

// A key signs for an interval and verifies for a grace period after that.
func TestJWTRotation(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := &JWT{RotationInterval: time.Hour, GracePeriod: 2 * time.Hour, Claims: JWTClaims{ExpiresIn: 24 * time.Hour}}
		w := jwtWorld(t, p)
		ann := w.as("ann")
		first := ann.jwt()
		kid := func(token string) any { header, _ := jwtParts(t, token); return header["kid"] }
		if time.Sleep(59 * time.Minute); kid(ann.jwt()) != kid(first) {
			t.Error("replaced too early")
		}
		time.Sleep(time.Minute)
		second := ann.jwt()
		if kid(second) == kid(first) || len(w.published(p)) != 2 || !jwtValid(t, p, first) || !jwtValid(t, p, second) {
			t.Errorf("keys %v after an hour", w.published(p))
		}
		if time.Sleep(2*time.Hour - time.Second); !jwtValid(t, p, first) {
			t.Error("no grace")
		}
		time.Sleep(time.Second)
		if keys := w.published(p); jwtValid(t, p, first) || !jwtValid(t, p, second) || len(keys) != 1 || keys[0].ID != kid(second) {
			t.Errorf("keys %v after grace", keys)
		}
		if time.Sleep(time.Hour); len(w.published(p)) != 0 || jwtValid(t, p, second) {
			t.Error("a key lives on though nobody asked for a token")
		}
		if third := ann.jwt(); !jwtValid(t, p, third) || len(w.published(p)) != 1 {
			t.Error("no key for a new token")
		}
	})
}

func TestJWTExpires(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := &JWT{}
		w := jwtWorld(t, p)
		token := w.as("ann").jwt()
		if time.Sleep(15*time.Minute - time.Second); !jwtValid(t, p, token) {
			t.Error("too early")
		}
		if time.Sleep(time.Second); jwtValid(t, p, token) {
			t.Error("a token lives on: no tolerance is given")
		}
	})
}

// What another process does to the table counts at once.
func TestJWTSeesOtherProcesses(t *testing.T) {
	store := NewMemoryStore()
	a, b := &JWT{}, &JWT{}
	wa := jwtWorld(t, a, func(c *Config) { c.Store = store })
	wb := jwtWorld(t, b, func(c *Config) { c.Store = store })
	ann := wa.as("ann")
	token := ann.jwt()
	if !jwtValid(t, b, token) || len(wb.published(b)) != 1 {
		t.Error("a key of another process is unknown")
	}
	key, err := b.newKey(&jwtMinted{pair: b.keyPair(), key: testKeys()["EdDSA"]})
	if err != nil {
		t.Fatal(err)
	}
	key.CreatedAt = key.CreatedAt.Add(time.Second)
	if err := b.rows.Insert(t.Context(), key); err != nil {
		t.Fatal(err)
	}
	if header, _ := jwtParts(t, ann.jwt()); header["kid"] != key.ID {
		t.Errorf("signed with %v, not with the newest key", header["kid"])
	}
	if _, err := b.rows.Delete(t.Context()); err != nil {
		t.Fatal(err)
	}
	if jwtValid(t, a, token) || jwtValid(t, b, token) {
		t.Error("a key that was removed still verifies")
	}
}

// First tokens at the same moment have one key in the end, or each its own: all of
// them are good.
func TestJWTFirstTokens(t *testing.T) {
	store := NewMemoryStore()
	plugins := []*JWT{{KeyPair: JWTKeyPair{Algorithm: "RS256"}}, {KeyPair: JWTKeyPair{Algorithm: "RS256"}}}
	var ann []*browser
	for i, p := range plugins {
		w := jwtWorld(t, p, func(c *Config) { c.Store = store })
		if i == 0 {
			ann = append(ann, w.as("ann"))
		} else {
			ann = append(ann, w.signIn("ann"))
		}
	}
	var mu sync.Mutex
	var tokens []string
	var wg sync.WaitGroup
	for i := range 20 {
		wg.Go(func() {
			out, err := plugins[i%2].GetToken.Call(t.Context(), GetTokenRequest{}, WithHeaders(ann[i%2].headers()))
			if err != nil {
				t.Error(err)
			}
			mu.Lock()
			defer mu.Unlock()
			tokens = append(tokens, out.Token)
		})
	}
	wg.Wait()
	if keys := ann[0].published(plugins[0]); len(keys) != 1 {
		t.Errorf("%d keys", len(keys))
	}
	for _, token := range tokens {
		if !jwtValid(t, plugins[0], token) || !jwtValid(t, plugins[1], token) {
			t.Errorf("token %s", token)
		}
	}
}

// A first token inside of a transaction that fails leaves nothing that could not be
// verified.
func TestJWTInTransaction(t *testing.T) {
	p := &JWT{}
	w := jwtWorld(t, p)
	failed := errors.New("failed")
	err := w.Transaction(t.Context(), func(ctx context.Context) error {
		if _, err := p.SignJWT.Call(ctx, SignJWTRequest{Payload: map[string]any{"a": 1}}); err != nil {
			t.Error(err)
		}
		return failed
	})
	if !errors.Is(err, failed) {
		t.Fatal(err)
	}
	if token := w.as("ann").jwt(); !jwtValid(t, p, token) {
		t.Error("the next token is signed with a key that is gone")
	}
}

// JWTSigning picks keys. An algorithm that is not the default one never becomes it.
func TestJWTSigning(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := &JWT{MoreKeyPairs: []JWTKeyPair{{Algorithm: "ES256"}}, RotationInterval: time.Hour}
		jwtWorld(t, p)
		sign := func(signing JWTSigning) map[string]any {
			t.Helper()
			token, err := p.Token(t.Context(), map[string]any{"sub": "u"}, signing)
			if err != nil {
				t.Fatal(err)
			}
			if !jwtValid(t, p, token) {
				t.Errorf("%+v: %s", signing, token)
			}
			header, _ := jwtParts(t, token)
			return header
		}
		standard := sign(JWTSigning{})
		time.Sleep(time.Second)
		other := sign(JWTSigning{Algorithm: "ES256", Type: "logout+jwt"})
		if standard["alg"] != "EdDSA" || other["alg"] != "ES256" || other["typ"] != "logout+jwt" || sign(JWTSigning{})["kid"] != standard["kid"] {
			t.Errorf("headers %v %v", standard, other)
		}
		if again := sign(JWTSigning{Algorithm: "ES256"}); again["kid"] != other["kid"] {
			t.Error("a second key for the same algorithm")
		}
		if pinned := sign(JWTSigning{KeyID: other["kid"].(string)}); pinned["kid"] != other["kid"] {
			t.Errorf("header %v", pinned)
		}
		refused := []JWTSigning{
			{Algorithm: "RS256"}, {Algorithm: "none"}, {KeyID: "unknown"}, {KeyID: other["kid"].(string), Algorithm: "EdDSA"},
		}
		for _, signing := range refused {
			if token, err := p.Token(t.Context(), nil, signing); err == nil {
				t.Errorf("%+v: %s", signing, token)
			}
		}
		time.Sleep(time.Hour)
		if token, err := p.Token(t.Context(), nil, JWTSigning{KeyID: other["kid"].(string)}); err == nil {
			t.Errorf("a key that has expired signs %s", token)
		}
	})
}

// Only what the table has counts: a token says which key, never how to use it.
func TestAdvisory_GHSA_9h47_pqcx_hjr4_JWT(t *testing.T) {
	p := &JWT{KeyPair: JWTKeyPair{Algorithm: "RS256"}}
	w := jwtWorld(t, p)
	key := w.published(p)[0]
	payload := `{"sub":"u","iss":"` + testOrigin + `","aud":"` + testOrigin + `"}`
	public, err := json.Marshal(JWK{Key: key.Key})
	if err != nil {
		t.Fatal(err)
	}
	hmac := func(secret, text string) string { return newSigner(secret).signURL([]byte(text)) }
	for _, header := range []string{
		`{"alg":"none","kid":"` + key.ID + `"}`, `{"alg":"None","kid":"` + key.ID + `"}`, `{"alg":"HS256","kid":"` + key.ID + `"}`,
		`{"alg":"","kid":"` + key.ID + `"}`, `{"kid":"` + key.ID + `"}`, `{"alg":"RS256"}`, `{"alg":"PS256","kid":"` + key.ID + `"}`,
		`{"alg":"RS256","kid":"` + key.ID + `","jwk":` + string(public) + `}`,
	} {
		text := encodeURL(header) + "." + encodeURL(payload)
		for _, signature := range []string{"", hmac(string(public), text), hmac(testSecret, text), encodeURL(string(signJWS(t, testKeys()["RS256"], "RS256", text)))} {
			if jwtValid(t, p, text+"."+signature) {
				t.Errorf("%s is accepted", header)
			}
		}
	}
	good, err := p.SignJWT.Call(t.Context(), SignJWTRequest{Payload: map[string]any{"sub": "u"}})
	if err != nil || !jwtValid(t, p, good.Token) {
		t.Errorf("%v, %v", good, err)
	}
	for _, alg := range []string{"none", "HS256", "PS256", "ES256", ""} {
		if _, err := p.rows.Update(t.Context(), map[string]any{"alg": alg}, Where("id", key.ID)); err != nil {
			t.Fatal(err)
		}
		valid := jwtValid(t, p, good.Token)
		keys := w.browser().get("/jwks").ok(t).body
		if alg != "" && (alg != "PS256") && (valid || strings.Contains(keys, `"kty"`)) || alg == "PS256" && valid {
			t.Errorf("as %q: valid %v, published %s", alg, valid, keys)
		}
	}
}

// Private halves and damaged rows are never published.
func TestJWTPublishesNoPrivateKey(t *testing.T) {
	p := &JWT{}
	w := jwtWorld(t, p)
	w.published(p)
	private, err := MarshalPrivateJWK(testKeys()["EdDSA"])
	if err != nil {
		t.Fatal(err)
	}
	for _, stored := range []string{string(private), `{"kty":"oct","k":"AAAA"}`, `{}`, `[]`, `null`, ``, `{"kty":"OKP"`} {
		key := JWTKey{PublicKey: stored, PrivateKey: string(private), CreatedAt: now()}
		if err := p.rows.Insert(t.Context(), &key); err != nil {
			t.Fatal(err)
		}
		if body := w.browser().get("/jwks").ok(t).body; strings.Count(body, "kid") != 1 || strings.Contains(body, key.ID) {
			t.Errorf("%s: %s", stored, body)
		}
		if !strings.Contains(w.log.String(), key.ID) || strings.Contains(w.log.String(), "nWGx") {
			t.Errorf("%s: log %s", stored, w.log.String())
		}
		token := makeJWS(t, "EdDSA", `{"alg":"EdDSA","kid":"`+key.ID+`"}`, `{"sub":"u","iss":"`+testOrigin+`","aud":"`+testOrigin+`"}`)
		if jwtValid(t, p, token) {
			t.Errorf("%s verifies", stored)
		}
	}
}

// The private key is in the table as the original has it there.
func TestJWTPrivateKeyAtRest(t *testing.T) {
	for _, plain := range []bool{false, true} {
		p := &JWT{PlainPrivateKeys: plain}
		w := jwtWorld(t, p)
		w.published(p)
		rows, err := p.rows.Find(t.Context(), Query{})
		if err != nil || len(rows) != 1 {
			t.Fatal(rows, err)
		}
		text := rows[0].PrivateKey
		var sealed string
		if !plain {
			if err := json.Unmarshal([]byte(text), &sealed); err != nil || strings.Contains(text, "kty") {
				t.Fatalf("%s: %v", text, err)
			}
			if text, err = p.services.Decrypt("", sealed); err != nil {
				t.Fatal(err)
			}
		}
		private, err := ParsePrivateJWK([]byte(text))
		public, publicErr := ParseJWK([]byte(rows[0].PublicKey))
		if err != nil || publicErr != nil {
			t.Fatal(err, publicErr)
		}
		token, err := SignJWS(private, JWSHeader{}, nil)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := VerifyJWS(token, []JWK{public}, nil); err != nil {
			t.Errorf("plain %v: the halves do not belong together: %v", plain, err)
		}
		if strings.Contains(w.browser().get("/jwks").body+w.log.String(), `"d"`) {
			t.Error("the private key is told")
		}
	}
}

// A secret that is unknown keeps keys from signing, and no secret is in the log.
func TestJWTUnknownSecret(t *testing.T) {
	store := NewMemoryStore()
	p := &JWT{}
	jwtWorld(t, p, func(c *Config) { c.Store = store }).as("ann").jwt()
	p = &JWT{}
	w := jwtWorld(t, p, func(c *Config) { c.Store, c.Secret = store, "another secret that is long enough" })
	b := w.signIn("ann")
	if r := b.get("/token"); r.StatusCode != 500 || r.body != "" || !strings.Contains(w.log.String(), "cannot be decrypted") {
		t.Errorf("%d %s, log %s", r.StatusCode, r.body, w.log.String())
	}
	if len(w.published(p)) != 1 {
		t.Error("the public key is gone")
	}
}

// The header follows the session: none without one, none where it is turned off.
func TestJWTHeader(t *testing.T) {
	p := &JWT{}
	w := jwtWorld(t, p)
	ann := w.as("ann")
	r := ann.get("/get-session").ok(t)
	if token := r.Header.Get("set-auth-jwt"); !jwtValid(t, p, token) || r.Header.Get("Access-Control-Expose-Headers") != "set-auth-jwt" {
		t.Errorf("headers %v", r.Header)
	}
	ann.post("/sign-out", "{}").ok(t)
	for _, r := range []reply{ann.get("/get-session"), w.browser().get("/get-session"), w.browser().get("/ok")} {
		if r.Header.Get("set-auth-jwt") != "" {
			t.Errorf("headers %v", r.Header)
		}
	}
	quiet := jwtWorld(t, &JWT{NoHeader: true}).as("ann")
	if r := quiet.get("/get-session").ok(t); r.Header.Get("set-auth-jwt") != "" {
		t.Errorf("headers %v", r.Header)
	}
}

// A call inside of a handler that knows a session is about its own headers.
func TestJWTHeaderOfNestedCall(t *testing.T) {
	p := &JWT{}
	w := jwtWorld(t, p)
	ann := w.as("ann")
	guarded := w.RequireSession(http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
		for _, sent := range []http.Header{{}, ann.headers()} {
			var h http.Header
			data, err := w.API.GetSession.Call(r.Context(), GetSessionRequest{}, WithHeaders(sent), ReturnHeaders(&h))
			if err != nil || (data == nil) != (h.Get("set-auth-jwt") == "") || (data == nil) != (len(sent) == 0) {
				t.Errorf("%v, %v, headers %v", data, err, h)
			}
		}
	}))
	r := httptest.NewRequest("GET", "/", nil)
	r.Header = ann.headers()
	guarded.ServeHTTP(httptest.NewRecorder(), r)
}

// Hidden columns are in no token, whatever way the session came.
func TestJWTHidesColumns(t *testing.T) {
	var defined []string
	for _, cached := range []bool{false, true} {
		for _, p := range []*JWT{{}, {DefinePayload: func(_ context.Context, data *SessionData) (any, error) {
			text, err := json.Marshal(data)
			defined = append(defined, string(text))
			return data.User, err
		}}} {
			w := jwtWorld(t, p, func(c *Config) {
				c.User.Fields = []Column{{Name: "note", Type: TypeString, Hidden: true, Default: func() any { return "secret note" }, ServerOnly: true}}
				c.Session.CookieCache.Enabled = cached
			})
			ann := w.as("ann")
			for _, token := range []string{ann.get("/get-session").Header.Get("set-auth-jwt"), ann.jwt()} {
				if _, claims := jwtParts(t, token); claims["note"] != nil || claims["name"] == nil {
					t.Errorf("cached %v: claims %v", cached, claims)
				}
			}
		}
	}
	if text := strings.Join(defined, ""); strings.Contains(text, "secret note") || text == "" {
		t.Errorf("DefinePayload sees %s", text)
	}
}

// Copies of sessions are signed with the keys, and are read without the store of
// sessions.
func TestJWTSessionCopies(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := &JWT{SessionCookieCache: true, RotationInterval: time.Hour, NoGracePeriod: true}
		w := jwtWorld(t, p, func(c *Config) {
			c.Session.CookieCache = CookieCache{Enabled: true, Strategy: CacheJWT, MaxAge: 30 * time.Minute}
		})
		ann := w.as("ann")
		value := ann.cookies["better-auth.session_data"]
		header, claims := jwtParts(t, value)
		if header["typ"] != "better-auth.session-cache+jwt" || claims["sub"] != claims["user"].(map[string]any)["id"] || claims["aud"] != "better-auth:session-cache" {
			t.Errorf("%v %v", header, claims)
		}
		if jwtValid(t, p, value) {
			t.Error("a copy of a session counts as a token")
		}
		if _, err := w.core.users.change(t.Context(), claims["sub"].(string), map[string]any{"name": "Renamed"}); err != nil {
			t.Fatal(err)
		}
		name := func() any { return ann.get("/get-session").ok(t).field(t, "user.name") }
		if got := name(); got != "ann" {
			t.Errorf("name %v: not from the copy", got)
		}
		copied := ann.cookies["better-auth.session_data"]
		ann.cookies["better-auth.session_data"] = ann.jwt()
		if got := name(); got != "Renamed" {
			t.Errorf("name %v: a token counts as a copy", got)
		}
		ann.cookies["better-auth.session_data"] = copied
		time.Sleep(31 * time.Minute)
		if got := name(); got != "Renamed" {
			t.Errorf("name %v: a copy that has expired counts", got)
		}
	})
}

// Where requests find their own base URL, copies name it, also in handlers without an
// endpoint.
func TestJWTSessionCopiesDynamicBase(t *testing.T) {
	p := &JWT{SessionCookieCache: true}
	w := jwtWorld(t, p, func(c *Config) {
		c.BaseURL, c.DynamicBaseURL = "", DynamicBaseURL{AllowedHosts: []string{"a.example", "b.example"}}
		c.Stateless, c.Store = true, nil
		c.Session.CookieCache = CookieCache{Enabled: true, Strategy: CacheJWT}
	})
	user := &User{ID: "u", Name: "ann", Email: "ann@example.com"}
	session := &Session{ID: "s", Token: "token", UserID: "u", ExpiresAt: now().Add(time.Hour)}
	object, err := json.Marshal(map[string]any{
		"session": map[string]any{"id": session.ID, "token": session.Token, "userId": "u", "expiresAt": session.ExpiresAt, "createdAt": now(), "updatedAt": now()},
		"user":    map[string]any{"id": user.ID, "name": user.Name, "email": user.Email, "createdAt": now(), "updatedAt": now(), "emailVerified": false},
		"version": "1",
	})
	if err != nil {
		t.Fatal(err)
	}
	at := httptest.NewRequest("GET", "http://a.example/", nil)
	site, err := w.core.siteFor(at)
	if err != nil {
		t.Fatal(err)
	}
	value, err := jwtSessionSeal{p}.Seal(atSite(at, site), object, now().Add(time.Hour))
	if err != nil {
		t.Fatal(err)
	}
	guarded := w.RequireSession(http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {}))
	for host, want := range map[string]int{"a.example": 200, "b.example": 401} {
		r := httptest.NewRequest("GET", "http://"+host+"/", nil)
		r.Header.Set("Cookie", "better-auth.session_token="+encodeURIComponent(newSigner(testSecret).signCookie("token"))+"; better-auth.session_data="+value)
		rec := httptest.NewRecorder()
		guarded.ServeHTTP(rec, r)
		if rec.Code != want {
			t.Errorf("%s: %d, want %d; log %s", host, rec.Code, want, w.log.String())
		}
	}
}

// Keys in storage of the application's own, and an own way to sign.
func TestJWTOwnStorage(t *testing.T) {
	var keys []*JWTKey
	broken := false
	p := &JWT{
		FindKeys: func(context.Context) ([]*JWTKey, error) {
			if broken {
				return nil, errSecret
			}
			return slices.Clone(keys), nil
		},
		CreateKey: func(_ context.Context, key *JWTKey) error {
			key.ID = "own"
			keys = append(keys, key)
			return nil
		},
	}
	w := jwtWorld(t, p)
	ann := w.as("ann")
	if header, _ := jwtParts(t, ann.jwt()); header["kid"] != "own" || len(keys) != 1 || w.published(p)[0].ID != "own" {
		t.Errorf("header %v, keys %v", header, keys)
	}
	if rows, err := p.rows.Find(t.Context(), Query{}); err != nil || len(rows) != 0 {
		t.Errorf("rows %v, %v", rows, err)
	}
	broken = true
	if _, err := p.VerifyJWT.Call(t.Context(), VerifyJWTRequest{Token: "e30.e30.e30"}); err != nil {
		t.Errorf("nothing needs keys: %v", err)
	}
	if _, err := p.VerifyJWT.Call(t.Context(), VerifyJWTRequest{Token: encodeURL(`{"alg":"EdDSA","kid":"own"}`) + ".e30.e30"}); !errors.Is(err, errSecret) {
		t.Errorf("a token is judged without keys: %v", err)
	}
	if r := ann.get("/token"); r.StatusCode != 500 || r.body != "" {
		t.Errorf("%d %s", r.StatusCode, r.body)
	}
}

func TestJWTSign(t *testing.T) {
	var signed []string
	p := &JWT{
		RemoteKeysURL: "https://cdn.example/keys", KeyPair: JWTKeyPair{Algorithm: "ES256"}, NoHeader: true,
		GetSubject: func(context.Context, *SessionData) (string, error) { return "", nil },
		Sign: func(_ context.Context, claims []byte, signing JWTSigning) (string, error) {
			signed = append(signed, string(claims)+signing.Type)
			if len(signed) > 1 {
				return "", errSecret
			}
			return "own", nil
		},
	}
	w := jwtWorld(t, p)
	ann := w.as("ann")
	if token := ann.jwt(); token != "own" || !strings.HasPrefix(signed[0], `{"iat":`) || !strings.Contains(signed[0], `"sub":"`) {
		t.Errorf("%s: %v", token, signed)
	}
	if r := ann.get("/token"); r.StatusCode != 500 || r.body != "" {
		t.Errorf("%d %s", r.StatusCode, r.body)
	}
	if rows, err := p.rows.Find(t.Context(), Query{}); err != nil || len(rows) != 0 {
		t.Errorf("rows %v, %v", rows, err)
	}
}

// Payloads and claims in Go types.
func TestJWTClaims(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := &JWT{Claims: JWTClaims{Issuer: "me", Audience: []string{"a", "b"}, ExpiresIn: time.Hour}}
		jwtWorld(t, p)
		now := float64(time.Now().Unix())
		list := func(values ...any) any { return values }
		for _, tt := range []struct {
			payload map[string]any
			once    *JWTClaims
			claim   string
			want    any
		}{
			{map[string]any{}, nil, "exp", now + 3600},
			{map[string]any{}, nil, "iss", "me"},
			{map[string]any{}, nil, "aud", list("a", "b")},
			{map[string]any{}, nil, "iat", nil},
			{map[string]any{"iat": 10}, nil, "exp", 3610.0},
			{map[string]any{"exp": time.Unix(5, 0)}, nil, "exp", 5.0},
			{map[string]any{"exp": "2h"}, nil, "exp", now + 7200},
			{map[string]any{"nbf": "1h ago"}, nil, "nbf", now - 3600},
			{map[string]any{"aud": "x", "iss": "y"}, nil, "aud", "x"},
			{map[string]any{}, &JWTClaims{}, "exp", now + 900},
			{map[string]any{}, &JWTClaims{}, "iss", testOrigin},
			{map[string]any{}, &JWTClaims{Audience: []string{"one"}}, "aud", "one"},
			{map[string]any{}, &JWTClaims{ExpiresAt: time.Unix(7, 0)}, "exp", 7.0},
			{map[string]any{}, &JWTClaims{ExpiresIn: -time.Minute}, "exp", now - 60},
		} {
			in := SignJWTRequest{Payload: tt.payload}
			if tt.once != nil {
				in.OverrideOptions = &JWTOverrides{Claims: tt.once}
			}
			out, err := p.SignJWT.Call(t.Context(), in)
			if err != nil {
				t.Fatalf("%v: %v", tt.payload, err)
			}
			if _, claims := jwtParts(t, out.Token); !reflect.DeepEqual(claims[tt.claim], tt.want) {
				t.Errorf("%v %v: %s is %v, want %v", tt.payload, tt.once, tt.claim, claims[tt.claim], tt.want)
			}
		}
		if _, err := p.SignJWT.Call(t.Context(), SignJWTRequest{}); apiError(err) == nil || apiError(err).Status != 400 {
			t.Errorf("no payload: %v", err)
		}
		for _, payload := range []any{5, "x", []int{1}, func() {}, map[string]any{"exp": struct{}{}}, map[string]any{"nbf": true}, map[string]any{"aud": []any{1}}} {
			if token, err := p.Token(t.Context(), payload, JWTSigning{}); err == nil {
				t.Errorf("%v: %s", payload, token)
			}
		}
	})
}

func TestJWTClaimsFromJSON(t *testing.T) {
	for text, want := range map[string]JWTClaims{
		`{}`: {},
		`{"issuer":"a","audience":"b","expirationTime":"2 hours"}`: {Issuer: "a", Audience: []string{"b"}, ExpiresIn: 2 * time.Hour},
		`{"audience":["b","c"],"expirationTime":5}`:                {Audience: []string{"b", "c"}, ExpiresAt: time.Unix(5, 0)},
		`{"audience":null,"expirationTime":null}`:                  {},
	} {
		var got JWTClaims
		if err := json.Unmarshal([]byte(text), &got); err != nil || !reflect.DeepEqual(got, want) {
			t.Errorf("%s: %+v, %v", text, got, err)
		}
	}
	for _, text := range []string{`5`, `{"issuer":5}`, `{"audience":5}`, `{"audience":[5]}`, `{"expirationTime":"soon"}`} {
		if err := json.Unmarshal([]byte(text), new(JWTClaims)); err == nil {
			t.Errorf("%s is taken", text)
		}
	}
}

func TestJWTSpans(t *testing.T) {
	for text, want := range map[string]time.Duration{
		"15m": 15 * time.Minute, "1 h": time.Hour, "2 hours from now": 2 * time.Hour, "1 day ago": -24 * time.Hour, "-90 secs": -90 * time.Second,
		"+ 1.5 hrs": 90 * time.Minute, "1mo": 720 * time.Hour, "1 Month": 720 * time.Hour, "3 MINS": 3 * time.Minute, "1w": 168 * time.Hour,
		"1y": 8766 * time.Hour, "0.5s": time.Second, "0s": 0,
	} {
		if got, err := parseJWTSpan(text); err != nil || got != want {
			t.Errorf("%q: %v, %v", text, got, err)
		}
	}
	for _, text := range []string{"", "15", "m", "1 fortnight", "-1h ago", "1h  ago", "1e3 s", ".5h", "9999999999 years", "1h\n", "١h"} {
		if got, err := parseJWTSpan(text); err == nil {
			t.Errorf("%q: %v", text, got)
		}
	}
}

// FuzzJWTToken: whatever a stranger sends, only what a key has signed is a token, and
// nothing fails.
func FuzzJWTToken(f *testing.F) {
	p := &JWT{}
	config := Config{BaseURL: testOrigin, Secret: testSecret, Store: NewMemoryStore(), Plugins: []Plugin{p}}
	if _, err := New(config); err != nil {
		f.Fatal(err)
	}
	good, err := p.SignJWT.Call(f.Context(), SignJWTRequest{Payload: map[string]any{"sub": "u", "exp": 4102444800}})
	if err != nil {
		f.Fatal(err)
	}
	f.Add(good.Token)
	f.Add("e30.e30.")
	f.Add(encodeURL(`{"alg":"none","kid":"x"}`) + ".e30.")
	f.Fuzz(func(t *testing.T, token string) {
		out, err := p.VerifyJWT.Call(t.Context(), VerifyJWTRequest{Token: token})
		if err != nil || out.Payload != nil && token != good.Token {
			t.Fatalf("%q: %v, %v", token, out.Payload, err)
		}
	})
}

// FuzzJWTKey: rows that others wrote do not bring the endpoints down, and no private
// key gets out.
func FuzzJWTKey(f *testing.F) {
	private, err := MarshalPrivateJWK(testKeys()["EdDSA"])
	if err != nil {
		f.Fatal(err)
	}
	public, err := json.Marshal(JWK{Key: testKeys()["EdDSA"].Public()})
	if err != nil {
		f.Fatal(err)
	}
	f.Add(string(public), string(private), "EdDSA")
	f.Add(string(private), `"00"`, "none")
	f.Fuzz(func(t *testing.T, publicKey, privateKey, alg string) {
		p := &JWT{FindKeys: func(context.Context) ([]*JWTKey, error) {
			return []*JWTKey{{ID: "k", PublicKey: publicKey, PrivateKey: privateKey, Alg: &alg}}, nil
		}, CreateKey: func(context.Context, *JWTKey) error { return errSecret }}
		w := jwtWorld(t, p)
		out, err := p.GetJWKS.Call(t.Context(), GetJWKSRequest{})
		if err != nil {
			t.Fatal(err)
		}
		for _, key := range out.Keys {
			if parsed, err := ParseJWK(key); err != nil || parsed.ID != "k" || !parsed.Verifies(parsed.Algorithm) {
				t.Fatalf("%s is published: %v", key, err)
			}
		}
		signed, err := p.SignJWT.Call(t.Context(), SignJWTRequest{Payload: map[string]any{"sub": "u"}})
		if err == nil {
			header, _ := jwtParts(t, signed.Token)
			if header["kid"] != "k" || w.log.Len() > 1<<20 {
				t.Fatalf("header %v", header)
			}
		}
	})
}

// FuzzJWTSession opens copies of sessions: only one that the seal has made, and its
// object is the session's.
func FuzzJWTSession(f *testing.F) {
	p := &JWT{}
	if _, err := New(Config{BaseURL: testOrigin, Secret: testSecret, Store: NewMemoryStore(), Plugins: []Plugin{p}}); err != nil {
		f.Fatal(err)
	}
	seal, object := jwtSessionSeal{p}, []byte(`{"session":{"token":"tok"},"user":{"id":"u"},"version":"1"}`)
	good, err := seal.Seal(f.Context(), object, time.Unix(4102444800, 0))
	if err != nil {
		f.Fatal(err)
	}
	other, err := p.SignJWT.Call(f.Context(), SignJWTRequest{Payload: map[string]any{"sub": "u", "sid": "tok", "aud": jwtSessionAudience, "exp": 4102444800}})
	if err != nil {
		f.Fatal(err)
	}
	f.Add(good, `{"session":{"token":"a"},"user":{"id":"b"},"sub":"x","exp":1}`)
	f.Add(other.Token, `{"session":{"token":1}}`)
	f.Add(encodeURL(`{"alg":"none","typ":"`+jwtSessionType+`"}`)+".e30.", `{"user":{"id":""},"a":1,"a":2}`)
	f.Fuzz(func(t *testing.T, value, object string) {
		if opened, _, ok := seal.Open(t.Context(), value); ok != (value == good) || !ok && opened != nil {
			t.Fatalf("%q is opened as %s", value, opened)
		}
		checkJWTSession(t, seal, object)
	})
}

// checkJWTSession seals an object and opens it again.
func checkJWTSession(t *testing.T, seal jwtSessionSeal, object string) {
	t.Helper()
	sealed, err := seal.Seal(t.Context(), []byte(object), time.Unix(4102444800, 0))
	if err != nil {
		return
	}
	opened, until, ok := seal.Open(t.Context(), sealed)
	if !ok {
		return // it has no user
	}
	var before, after map[string]any
	if json.Unmarshal([]byte(object), &before) != nil || json.Unmarshal(opened, &after) != nil || until.Unix() != 4102444800 {
		t.Fatalf("%q is opened as %s until %v", object, opened, until)
	}
	for _, name := range []string{"session", "user", "version"} {
		if !reflect.DeepEqual(before[name], after[name]) {
			t.Fatalf("%q is opened as %s", object, opened)
		}
	}
}
