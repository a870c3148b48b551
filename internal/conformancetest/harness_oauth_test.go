package conformancetest

import (
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"
)

// What a flow has of its own is replaced once it is what it should be.
func TestWordsOfFlows(t *testing.T) {
	v := variantNamed(t, "oauth")
	p := v.newProvider(t)
	w := &words{t: t, variant: v, provider: p, address: "100.64.100.109", labels: make(map[string]string)}
	w.begin()
	state, verifier := strings.Repeat("s-", 16), strings.Repeat("v_", 64)
	sum := sha256.Sum256([]byte(verifier))
	challenge := base64.RawURLEncoding.EncodeToString(sum[:])
	authorization := p.at("/op/authorize?") + url.Values{"state": {state}, "nonce": {strings.Repeat("n", 32)}, "code_challenge": {challenge}, "scope": {"a b"}}.Encode()
	if got, want := w.text(`{"url":"`+authorization+`"}`), `{"url":"<http://provider.test/op/authorize code_challenge=<challenge 1> nonce=<nonce 1> scope=a b state=<state 1>>"}`; got != want {
		t.Errorf("%s, want %s", got, want)
	}
	if got := w.text(verifier); got != verifier {
		t.Errorf("a verifier that nobody has shown: %s", got)
	}
	payload := func(verifier string) string {
		text, _ := json.Marshal(object{"codeVerifier": verifier, "oauthState": state})
		return string(text)
	}
	for _, test := range []struct {
		text, want string
		states     []string
		reason     string
	}{
		{"auth-state:" + state, "auth-state:<state 1>", nil, "a state"},
		{"auth-state:x" + state[1:], "auth-state:x" + state[1:], nil, "another state"},
		{signedValue(secret, state), "<state 1>.<signature 1>", nil, "a signed state"},
		{payload(strings.Repeat("w", 128)), "<state of a flow>", []string{"state codeVerifier = \"" + strings.Repeat("w", 128) + "\"", `state oauthState = "<state 1>"`}, "a verifier that does not fit"},
		{payload(verifier), "<state of a flow>", []string{`state codeVerifier = "<verifier 1>"`, `state oauthState = "<state 1>"`}, "a verifier that fits"},
		{jsonText(object{"value": payload(verifier)}), `{"value":"<state of a flow>"}`, []string{`state codeVerifier = "<verifier 1>"`, `state oauthState = "<state 1>"`}, "in an entry"},
		{seal(secret, "oauth-state-cookie,hello"), "<sealed oauth-state-cookie key 1 hello>", nil, "a sealed text"},
		{"$ba$1$" + seal(secret, ",hello"), "<sealed $ba$1$ key 1 hello>", nil, "a token with the version of its secret"},
		{"%24ba%241%24" + seal(secret, ",hello"), "<sealed %24ba%241%24 key 1 hello>", nil, "in a cookie"},
		{seal(newSecret, ",hello")[:20], "", nil, "too short"},
		{p.submitted(`op {"aud":"x"}`), "", nil, "an id_token"},
		{p.submitted(`op {"aud":"x"} {"key":"other"}`), "", nil, "an id_token of somebody else"},
	} {
		got := w.text(test.text)
		switch {
		case test.want == "" && strings.HasPrefix(test.reason, "an id_token"):
			by := "the provider"
			if strings.Contains(test.reason, "else") {
				by = "somebody else"
			}
			test.want = got
			if !strings.HasPrefix(got, "<id_token by "+by+" {alg:RS256,") || !strings.Contains(got, "aud:x") || !strings.Contains(got, "iss:http://provider.test/op") {
				t.Errorf("%s: %s", test.reason, got)
			}
		case test.want == "":
			test.want = test.text
		}
		if states := w.takeStates(); got != test.want || !slices.Equal(states, test.states) {
			t.Errorf("%s: %s %q, want %s %q", test.reason, got, states, test.want, test.states)
		}
	}
	sealed := seal(newSecret, ",hello")
	if got := w.text(sealed); got != sealed {
		t.Errorf("sealed under a secret that nobody has: %s", got)
	}
}

// A provider says what it is told to say, and takes it back.
func TestProviderSays(t *testing.T) {
	p := variantNamed(t, "oauth").newProvider(t)
	ask := func() (status int, answer object) {
		t.Helper()
		r, err := http.Get(p.at("/plain/userinfo"))
		if err != nil {
			return 0, nil
		}
		defer r.Body.Close()
		_ = json.NewDecoder(r.Body).Decode(&answer)
		return r.StatusCode, answer
	}
	for _, test := range []struct {
		says   string
		status int
		email  any
	}{
		{"user", 200, "me@example.com"},
		{`user {"email":"other@example.com"}`, 200, "other@example.com"},
		{`user {"email":null}`, 200, nil},
		{`userinfo 418 application/json {"email":"teapot@example.com"}`, 418, "teapot@example.com"},
		{"userinfo broken", 0, nil},
		{"userinfo", 200, nil},
		{"user", 200, "me@example.com"},
	} {
		p.says(test.says)
		if status, answer := ask(); status != test.status || answer["email"] != test.email {
			t.Errorf("%s: %d %v", test.says, status, answer)
		}
	}
	if log := p.takeLog(); len(log) != 7 || log[0] != "GET /plain/userinfo" {
		t.Errorf("%q", log)
	}
}
