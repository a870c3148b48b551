package conformancetest

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
	"maps"
	"math/big"
	"net/http"
	"net/http/httptest"
	"net/url"
	"path"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
)

// providerURL is where providers are in configurations, cases and what is compared.
const providerURL = "http://provider.test"

// A provider is the server at which the users of one site sign in. It plays all
// providers of a configuration, told apart by the first part of the path; the
// last part says what is asked of it. Everybody is let in as the same user,
// unless a case says otherwise.
type provider struct {
	t      testing.TB
	server *httptest.Server

	mu     sync.Mutex
	said   map[string]object       // changes of what it says, by its name
	fixed  map[string]*fixedAnswer // what it says instead
	flows  []*flow
	grants int
	log    []string
}

// A fixedAnswer is sent word for word; none at all if the status is 0.
type fixedAnswer struct {
	status      int
	contentType string // the place to go to, with a status of a redirect
	body        string
}

// A flow is one that has come to the provider's door.
type flow struct {
	state, nonce, challenge string
	verifier                string // once it was seen
}

// usesProviders reports whether anybody signs in at a provider.
func (v *variant) usesProviders() bool {
	return v.options["genericOAuth"] != nil || v.options["socialProviders"] != nil
}

// newProvider starts the one of a site, nil if it has none.
func (v *variant) newProvider(t testing.TB) *provider {
	t.Helper()
	if !v.usesProviders() {
		return nil
	}
	p := &provider{t: t, said: make(map[string]object), fixed: make(map[string]*fixedAnswer)}
	p.server = httptest.NewUnstartedServer(p)
	p.server.Config.SetKeepAlivesEnabled(false) // a request on a connection that breaks is sent again
	p.server.Start()
	t.Cleanup(p.server.Close)
	return p
}

func (p *provider) url() string {
	if p == nil {
		return ""
	}
	return p.server.URL
}

// at is a URL of a configuration.
func (p *provider) at(path string) string { return p.url() + path }

// inWords replaces where the provider is.
func (p *provider) inWords(text string) string {
	if p == nil {
		return text
	}
	text = strings.ReplaceAll(text, p.url(), providerURL)
	return strings.ReplaceAll(text, url.QueryEscape(p.url()), url.QueryEscape(providerURL))
}

// answers are what a provider can be told to say.
var answers = []string{"user", "claims", "header", "token", "refresh", "userinfo", "discovery", "keys"}

// says does what a case says: "user {…}" changes members, null taking one away;
// "token 400 text/plain body" sets the answer itself, "token broken" breaks the
// connection, "token" alone takes everything back.
func (p *provider) says(text string) {
	what, rest, _ := strings.Cut(text, " ")
	if !slices.Contains(answers, what) {
		p.t.Fatalf("providers do not say %s", what)
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	delete(p.fixed, what)
	switch first, rest, _ := strings.Cut(rest, " "); {
	case first == "":
		delete(p.said, what)
	case first == "broken":
		p.fixed[what] = &fixedAnswer{}
	case first[0] == '{':
		p.said[what] = parsed(p.t, first+" "+rest)
	default:
		status, err := strconv.Atoi(first)
		if err != nil {
			p.t.Fatal(err)
		}
		contentType, body, _ := strings.Cut(rest, " ")
		p.fixed[what] = &fixedAnswer{status, contentType, body}
	}
}

func parsed(t testing.TB, text string) (value object) {
	if err := json.Unmarshal([]byte(text), &value); err != nil {
		t.Fatalf("%s: %v", text, err)
	}
	return value
}

// changed is an answer with the changes of a case.
func (p *provider) changed(what string, answer object) object {
	return change(answer, p.said[what])
}

// change sets members of an object, or takes them away with null.
func change(members, changes object) object {
	members = maps.Clone(members)
	for name, value := range changes {
		if members[name] = value; value == nil {
			delete(members, name)
		}
	}
	return members
}

// ServeHTTP writes down what it is asked, except for what every site asks at
// another time.
func (p *provider) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(r.Body)
	if err != nil {
		return // the site went away
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	what, form := path.Base(r.URL.Path), url.Values{}
	switch what {
	case "token":
		form, _ = url.ParseQuery(string(body))
		if form.Get("grant_type") == "refresh_token" {
			what = "refresh"
		}
	case "user":
		what = "userinfo"
	case "openid-configuration":
		what = "discovery"
	}
	if what != "discovery" && what != "keys" {
		p.log = append(p.log, described(r, body))
	}
	if fixed := p.fixed[what]; fixed != nil {
		if fixed.status/100 == 3 { // but not again where that leads
			delete(p.fixed, what)
		}
		fixed.serve(w, p)
		return
	}
	kind, _, _ := strings.Cut(strings.TrimPrefix(r.URL.Path, "/"), "/")
	answer := p.answer(what, kind, form)
	if answer == nil || kind == "guarded" && what != "token" && r.Header.Get("X-Tenant") == "" {
		http.NotFound(w, r)
		return
	}
	w.Header().Set("Content-Type", "application/json")
	_ = json.NewEncoder(w).Encode(answer)
}

func (f *fixedAnswer) serve(w http.ResponseWriter, p *provider) {
	switch {
	case f.status == 0:
		panic(http.ErrAbortHandler)
	case f.status/100 == 3:
		w.Header().Set("Location", strings.ReplaceAll(f.contentType, providerURL, p.url()))
	case f.contentType != "":
		w.Header().Set("Content-Type", f.contentType)
	}
	w.WriteHeader(f.status)
	_, _ = io.WriteString(w, f.body)
}

// described is a request with the headers that a provider reads.
func described(r *http.Request, body []byte) string {
	text := r.Method + " " + r.URL.RequestURI()
	names := []string{"Authorization"}
	if r.Method == http.MethodPost {
		names = []string{"Authorization", "Accept", "Content-Type", "X-Tenant"}
	}
	for _, name := range names {
		if value := r.Header.Get(name); value != "" {
			text += " " + strings.ToLower(name) + ": " + value
		}
	}
	return strings.TrimSpace(text + " " + string(body))
}

// takeLog returns the requests since the last time.
func (p *provider) takeLog() []string {
	if p == nil {
		return nil
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	log := p.log
	p.log = nil
	return log
}

// openKinds are the providers that issue id_tokens.
var openKinds = []string{"op", "paybin", "microsoft", "relative", "no-algs", "no-keys", "other-alg", "down", "guarded", "names-it"}

const tenant = "0190a0b0-c1d2-4e3f-8a9b-0123456789ab"

func (p *provider) answer(what, kind string, form url.Values) any {
	switch what {
	case "token":
		p.grants++
		answer := object{
			"access_token": fmt.Sprint("access-", p.grants), "refresh_token": fmt.Sprint("refresh-", p.grants),
			"token_type": "Bearer", "expires_in": 3600, "scope": "openid email profile",
		}
		if slices.Contains(openKinds, kind) {
			answer["id_token"] = p.issue(p.changed("claims", p.claims(kind, form.Get("code"))), p.said["header"])
		}
		return p.changed(what, answer)
	case "refresh":
		p.grants++
		return p.changed(what, object{"access_token": fmt.Sprint("renewed-", p.grants), "token_type": "Bearer", "expires_in": 3600, "scope": "openid"})
	case "userinfo":
		return p.user()
	case "discovery":
		return p.metadata(kind)
	case "keys":
		return p.changed(what, object{"keys": []object{publicKey(providerKey().Public().(*rsa.PublicKey))}})
	}
	return nil
}

// metadata is the discovery document. Some providers have one of their own, which
// every site reads before a case begins; that of down is there once a case says
// something of it.
func (p *provider) metadata(kind string) any {
	base := p.at("/" + kind)
	document := object{
		"issuer": base, "authorization_endpoint": base + "/authorize", "token_endpoint": base + "/token",
		"userinfo_endpoint": base + "/userinfo", "end_session_endpoint": base + "/logout",
		"jwks_uri": base + "/keys", "id_token_signing_alg_values_supported": []string{"RS256"},
	}
	maps.Copy(document, documents[kind])
	if kind == "down" && p.said["discovery"] == nil {
		return nil
	}
	return p.changed("discovery", document)
}

// documents are what is special in a discovery document.
var documents = map[string]object{
	"relative":  {"jwks_uri": "keys"},
	"no-algs":   {"id_token_signing_alg_values_supported": []string{}},
	"no-keys":   {"jwks_uri": nil, "id_token_signing_alg_values_supported": nil},
	"other-alg": {"id_token_signing_alg_values_supported": []string{"ES256"}},
	"bad":       {"issuer": "no URL"},
	"no-token":  {"token_endpoint": nil},
	"names-it":  {"authorization_response_iss_parameter_supported": true},
}

// user is who signs in, with the members of all providers.
func (p *provider) user() object {
	return p.changed("user", object{
		"id": "7", "sub": "7", "email": "me@example.com", "email_verified": true, "name": "Me", "picture": "https://img.test/me.png",
		"username": "me", "avatar_url": "https://img.test/me.png", "state": "active", "oid": "7", "tid": tenant,
	})
}

// claims are those of the user's id_token, for the flow of a code.
func (p *provider) claims(kind, code string) object {
	claims := p.user()
	issuer := p.at("/" + kind)
	if kind == "microsoft" {
		issuer += "/" + tenant + "/v2.0"
	}
	maps.Copy(claims, object{"iss": issuer, "aud": "app", "iat": 0, "exp": 3600})
	if flow := p.flowOf(code); flow != nil && flow.nonce != "" {
		claims["nonce"] = flow.nonce
	}
	return claims
}

// flowOf is the flow of a code, the newest one for all others.
func (p *provider) flowOf(code string) *flow {
	number, _ := strconv.Atoi(strings.TrimPrefix(code, "code-"))
	switch {
	case number > 0 && number <= len(p.flows):
		return p.flows[number-1]
	case len(p.flows) > 0:
		return p.flows[len(p.flows)-1]
	}
	return nil
}

// submitted is an id_token that a client submits: the kind of its provider, then
// changes of its claims, and of its header.
func (p *provider) submitted(argument string) string {
	p.mu.Lock()
	defer p.mu.Unlock()
	kind, rest, _ := strings.Cut(argument, " ")
	changes := []object{{}, {}}
	decoder := json.NewDecoder(strings.NewReader(rest))
	for i := 0; decoder.More(); i++ {
		if err := decoder.Decode(&changes[i]); err != nil {
			p.t.Fatal(err)
		}
	}
	claims := p.claims(kind, "")
	delete(claims, "nonce")
	claims = change(claims, changes[0])
	return p.issue(claims, changes[1])
}

// issue signs claims. In a header key is "other" for the key of somebody else.
func (p *provider) issue(claims, changes object) string {
	header, key := object{"alg": "RS256", "kid": "1", "typ": "JWT"}, providerKey()
	maps.Copy(header, changes)
	if header["key"] == "other" {
		key = otherKey()
	}
	delete(header, "key")
	payload := strings.ReplaceAll(offsetTimes(jsonText(claims)), providerURL, p.url())
	text := encodeSegment([]byte(jsonText(header))) + "." + encodeSegment([]byte(payload))
	switch header["alg"] {
	case "none":
		return text + "."
	case "HS256": // with the public key, or what everybody knows of it
		return text + "." + encodeSegment(mac("app secret", text))
	}
	sum := sha256.Sum256([]byte(text))
	signature, err := rsa.SignPKCS1v15(rand.Reader, key, crypto.SHA256, sum[:])
	if err != nil {
		p.t.Fatal(err)
	}
	return text + "." + encodeSegment(signature)
}

var encodeSegment = base64.RawURLEncoding.EncodeToString

var (
	providerKey = sync.OnceValue(newKey)
	otherKey    = sync.OnceValue(newKey)
)

func newKey() *rsa.PrivateKey {
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		panic(err)
	}
	return key
}

func publicKey(key *rsa.PublicKey) object {
	return object{
		"kty": "RSA", "kid": "1", "alg": "RS256", "use": "sig",
		"n": encodeSegment(key.N.Bytes()), "e": encodeSegment(bytes.TrimLeft(big.NewInt(int64(key.E)).Bytes(), "\x00")),
	}
}

// signer says whose key has made a signature, "" if it is nobody's.
func (p *provider) signer(text string, signature []byte) string {
	if p == nil {
		return ""
	}
	sum := sha256.Sum256([]byte(text))
	for name, key := range map[string]*rsa.PrivateKey{"the provider": providerKey(), "somebody else": otherKey()} {
		if rsa.VerifyPKCS1v15(&key.PublicKey, crypto.SHA256, sum[:], signature) == nil {
			return name
		}
	}
	return ""
}
