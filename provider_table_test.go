package auth

import (
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"maps"
	"net/http"
	"reflect"
	"slices"
	"strings"
	"testing"
)

// A stubProvider answers requests and remembers them, each as one line: method,
// URL, the headers that providers care about, body.
type stubProvider struct {
	replies  map[string]string // by URL; those that are missing have status 404
	requests []string
}

func (s *stubProvider) RoundTrip(r *http.Request) (*http.Response, error) {
	line := r.Method + " " + r.URL.String()
	for _, name := range []string{"Authorization", "Accept", "Content-Type", "User-Agent", "Notion-Version"} {
		if value := r.Header.Get(name); value != "" {
			line += " " + name + "=" + value
		}
	}
	if r.Body != nil {
		body, err := io.ReadAll(r.Body)
		if err != nil {
			return nil, err
		}
		line = strings.TrimSuffix(line+" | "+string(body), " | ")
	}
	s.requests = append(s.requests, line)
	reply, ok := s.replies[r.URL.String()]
	status := http.StatusOK
	if !ok {
		status = http.StatusNotFound
	}
	return &http.Response{
		StatusCode: status, Status: http.StatusText(status), Header: http.Header{"Content-Type": {"text/plain"}},
		Body: io.NopCloser(strings.NewReader(reply)), Request: r,
	}, nil
}

func (s *stubProvider) taken() (requests []string) {
	requests, s.requests = s.requests, nil
	return requests
}

// opened is a configuration at work, with answers for its requests.
func opened(t testing.TB, config Provider, replies map[string]string) (*oauthProvider, *stubProvider) {
	t.Helper()
	stub := &stubProvider{replies: replies}
	p, err := newProvider(config, newOutgoing(&http.Client{Transport: stub}), slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	return p, stub
}

// unsigned is an id_token that nobody has signed, as no code exchange minds.
func unsigned(claims string) string {
	encode := base64.RawURLEncoding.EncodeToString
	return encode([]byte(`{"alg":"RS256","kid":"k"}`)) + "." + encode([]byte(claims)) + "." + encode([]byte("signature"))
}

const (
	stubBearer  = " Authorization=Bearer at"
	stubBasic   = " Authorization=Basic aWQ6c2VjcmV0" // id:secret
	stubForm    = " Accept=application/json Content-Type=application/x-www-form-urlencoded | "
	stubAgent   = " User-Agent=better-auth"
	stubSecret  = "&client_id=id&client_secret=secret"
	stubCode    = "grant_type=authorization_code&code=c"
	stubPKCE    = "&code_verifier=v"
	stubReturn  = "&redirect_uri=https%3A%2F%2Fapp.example%2Fcb"
	stubRefresh = "grant_type=refresh_token&refresh_token=rt"
)

// A rowTest is what the contract says of a provider, written down once more.
type rowTest struct {
	id     string
	config func(p *Provider)

	url    string // of authorization
	params string // beside response_type, client_id, state and redirect_uri, or instead of them
	pkce   bool   // the challenge is sent

	code, refresh string // the requests for tokens
	claims        string // of the id_token that comes

	replies  map[string]string // by URL
	requests []string          // for the profile

	subject string
	user    ProviderUser
}

func (test *rowTest) provider() Provider {
	config := BuiltinProvider(test.id, "id", "secret")
	if test.config != nil {
		test.config(&config)
	}
	return config
}

// wantURL are the parameters of the authorization URL.
func (test *rowTest) wantParams() map[string]string {
	params := map[string]string{
		"response_type": "code", "client_id": "id", "state": "st", "redirect_uri": "https://app.example/cb",
	}
	if test.pkce {
		params["code_challenge_method"], params["code_challenge"] = "S256", "TJRIXgwhrmxBzh3-e2v6zupato5AokdvUCCOUm9QYIA"
	}
	for pair := range strings.SplitSeq(test.params, "&") {
		name, value, _ := strings.Cut(pair, "=")
		if params[name] = value; value == "" {
			delete(params, name)
		}
	}
	return params
}

func TestProviderTable_authorization(t *testing.T) {
	for _, test := range rowTests {
		p, _ := opened(t, test.provider(), nil)
		url, err := p.authorizationURL(authorizationRequest{
			state: "st", codeVerifier: "v", redirectURI: "https://app.example/cb", loginHint: "me@x.co",
			scopes: []string{"more"}, params: map[string]string{"extra": "1"},
		})
		path, query, fragment := splitReference(url)
		got := make(map[string]string)
		for _, pair := range decodeForm(query[1:]) {
			got[pair.name] = pair.value
		}
		if want := test.wantParams(); err != nil || path+fragment != test.url || !maps.Equal(got, want) {
			t.Errorf("%s: %s %v, %v\nwant %s %v", test.id, path+fragment, got, err, test.url, want)
		}
	}
}

func TestProviderTable_tokens(t *testing.T) {
	for _, test := range rowTests {
		p, stub := opened(t, test.provider(), nil)
		_, err := p.exchangeCode(t.Context(), CodeExchange{Code: "c", CodeVerifier: "v", RedirectURI: "https://app.example/cb", DeviceID: "dev"})
		if got := stub.taken(); err == nil || !slices.Equal(got, []string{test.code}) {
			t.Errorf("%s: exchange of a code sent %q, %v\nwant %q", test.id, got, err, test.code)
		}
		if test.refresh == "" && !p.canRefresh() {
			continue
		}
		_, err = p.refreshTokens(t.Context(), "rt")
		if got := stub.taken(); err == nil || !slices.Equal(got, []string{test.refresh}) {
			t.Errorf("%s: refresh sent %q, %v\nwant %q", test.id, got, err, test.refresh)
		}
	}
}

func TestProviderTable_profile(t *testing.T) {
	for _, test := range rowTests {
		p, stub := opened(t, test.provider(), test.replies)
		tokens := tokensOf(map[string]any{"access_token": "at", "openid": "wo"})
		if test.claims != "" {
			tokens.IDToken = unsigned(test.claims)
		}
		who, err := p.identify(t.Context(), tokens, "")
		if err != nil {
			t.Errorf("%s: %v after %q", test.id, err, stub.taken())
			continue
		}
		if got := stub.taken(); !slices.Equal(got, test.requests) {
			t.Errorf("%s: %q\nwant %q", test.id, got, test.requests)
		}
		if who.accountID != test.subject || !reflect.DeepEqual(who.user, test.user) {
			t.Errorf("%s: %q %+v\nwant %q %+v", test.id, who.accountID, who.user, test.subject, test.user)
		}
	}
}

// The tests name every row, in the order of the table.
func TestProviderTable_complete(t *testing.T) {
	var rows, tests []string
	for i := range knownProviders {
		rows = append(rows, knownProviders[i].id)
	}
	for _, test := range rowTests {
		if !slices.Contains(tests, test.id) {
			tests = append(tests, test.id)
		}
	}
	if !slices.IsSorted(rows) || !slices.Equal(rows, tests) {
		t.Errorf("rows  %v\ntests %v", rows, tests)
	}
}

// A profile in which nothing is what it should be signs nobody in, and does not
// panic.
func TestProviderTable_nonsense(t *testing.T) {
	nonsense := []string{
		``, `x`, `null`, `[]`, `[null]`, `1`, `"x"`, `{}`, `{"data":1}`, `{"data":[]}`, `{"data":[1]}`, `{"data":{"viewer":[]}}`,
		`{"success":true,"result":1,"user":[]}`, `{"response":"x","resultcode":"00"}`, `{"bot":{"owner":1}}`, `{"state":"active","id":null}`,
		`{"id":"","sub":"","user_id":"","account_id":"","oid":" ","unionid":"","openid":"","https://slack.com/user_id":""}`,
		`{"id":{},"sub":[],"user_id":true,"account_id":false,"oid":1,"unionid":{},"user":{"user_id":{}},"data":{"id":[],"user":{"open_id":{}}}}`,
		`{"id":"undefined","sub":"undefined","user_id":"null","account_id":"null","oid":"","unionid":"null","data":[{"user_id":"undefined"}]}`,
	}
	for _, test := range rowTests {
		for _, reply := range nonsense {
			replies := make(map[string]string)
			for url := range test.replies {
				replies[url] = reply
			}
			p, _ := opened(t, test.provider(), replies)
			tokens := tokensOf(map[string]any{"access_token": "at", "openid": "wo"})
			if test.claims != "" {
				tokens.IDToken = unsigned(reply)
			}
			if who, err := p.identify(t.Context(), tokens, ""); err == nil {
				t.Errorf("%s: %s signs in %q %+v", test.id, reply, who.accountID, who.user)
			}
		}
	}
}

// TestClientSecretFunc: a secret that expires is made anew for each request.
func TestClientSecretFunc(t *testing.T) {
	made := 0
	p := acme
	p.ClientSecret = ""
	p.ClientSecretFunc = func(context.Context) (string, error) {
		if made++; made > 2 {
			return "", errors.New("the key is gone")
		}
		return fmt.Sprint("secret ", made), nil
	}
	w, f := newSocialWorld(t, func(c *Config) { c.Providers = []Provider{p} })
	for _, want := range []string{"client_secret=secret+1", "client_secret=secret+2"} {
		f.requests = nil
		w.browser().signInAt("ann").leads(t, "/in")
		if !strings.Contains(f.requests[0], want) {
			t.Errorf("request %q, want %s", f.requests[0], want)
		}
	}
	f.requests = nil
	w.browser().signInAt("ann").leads(t, "/oops?x=1&error=invalid_code#top")
	if len(f.requests) != 0 {
		t.Errorf("requests without a secret: %q", f.requests)
	}
	p.ClientSecret = "another"
	if err := p.check(); err == nil {
		t.Error("two secrets pass")
	}
}
