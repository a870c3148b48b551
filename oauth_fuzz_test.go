package auth

import (
	"encoding/json"
	"log/slog"
	"maps"
	"math"
	"net/http"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"
	"unicode/utf8"
)

// fuzzedProviders are those of the table, and one that is not in it. To every request
// they answer the same.
type fuzzedProviders struct {
	all    []*oauthProvider
	answer string
}

func newFuzzedProviders(t testing.TB) *fuzzedProviders {
	t.Helper()
	p := new(fuzzedProviders)
	client := &http.Client{Transport: roundTrip(func(r *http.Request) (*http.Response, error) {
		return answers(http.StatusOK, p.answer).Transport.RoundTrip(r)
	})}
	configs := []Provider{{
		ID: "acme", ClientID: "id", ClientSecret: "secret",
		AuthorizationURL: "https://acme.test/a", TokenURL: "https://acme.test/t", UserInfoURL: "https://acme.test/u",
	}}
	for i := range knownProviders {
		config := BuiltinProvider(knownProviders[i].id, "id", "secret")
		if test := slices.IndexFunc(rowTests, func(test rowTest) bool { return test.id == config.ID }); test >= 0 {
			config = rowTests[test].provider()
		}
		configs = append(configs, config)
	}
	for _, config := range configs {
		made, err := newProvider(config, newOutgoing(client), slog.New(slog.DiscardHandler))
		if err != nil {
			t.Fatal(err)
		}
		p.all = append(p.all, made)
	}
	return p
}

// everyProvider is the number that stands for all of them, in seeds.
const everyProvider = 255

// answering returns the provider with a number, or all.
func (p *fuzzedProviders) answering(number uint8, answer string) []*oauthProvider {
	p.answer = answer
	if number == everyProvider {
		return p.all
	}
	i := int(number) % len(p.all)
	return p.all[i : i+1]
}

// textsIn are all texts in a JSON value, and its numbers as JavaScript writes them.
func textsIn(value any) (texts []string) {
	switch v := value.(type) {
	case map[string]any:
		for _, member := range v {
			texts = append(texts, textsIn(member)...)
		}
	case []any:
		for _, element := range v {
			texts = append(texts, textsIn(element)...)
		}
	default:
		if text, ok := profileText(v); ok {
			texts = append(texts, text)
		}
	}
	return texts
}

// FuzzTokenReply reads what a token endpoint answers: the tokens are those that it said,
// their scopes are words, or elements of an array, and they end at a time that makes sense or at none.
func FuzzTokenReply(f *testing.F) {
	for _, reply := range []string{
		`{"access_token":"at","refresh_token":"rt","id_token":"a.b.c","token_type":"Bearer","expires_in":3600,"refresh_token_expires_in":"7200","scope":"a  b,c\td"}`,
		"", "null", "[]", "{}", `{"error":"invalid_grant"}`, `{"access_token":1,"expires_in":"NaN","scope":["a"," b ",1,"",null]}`,
		`{"expires_in":-1e18,"refresh_token_expires_in":"0x1p40"}`, `{"expires_in":"Inf","access_token":"\ud800","errcode":0,"openid":"o"}`, "{\"access_token\":\"\xff\",\"scope\":\"\u00a0\"}",
	} {
		f.Add(uint8(everyProvider), reply)
	}
	providers := newFuzzedProviders(f)
	f.Fuzz(func(t *testing.T, number uint8, reply string) {
		var sent map[string]any
		_ = json.Unmarshal([]byte(reply), &sent) // which may be none
		texts := append(textsIn(sent), "", "Bearer")
		for _, p := range providers.answering(number, reply) {
			for _, tokens := range fuzzedTokens(t, p) {
				checkTokens(t, p.ID, reply, tokens, texts)
			}
		}
	})
}

// fuzzedTokens are those that a provider gives for a code and for a refresh token.
func fuzzedTokens(t *testing.T, p *oauthProvider) (all []*OAuthTokens) {
	t.Helper()
	for _, grant := range []func() (*OAuthTokens, error){
		func() (*OAuthTokens, error) { return p.exchangeCode(t.Context(), CodeExchange{Code: "c"}) },
		func() (*OAuthTokens, error) { return p.refreshTokens(t.Context(), "rt") },
	} {
		tokens, err := grant()
		if err == nil && tokens == nil || err != nil && len(err.Error()) > 1000 {
			t.Fatalf("%s: %v, %.100v", p.ID, tokens, err)
		}
		if err == nil {
			all = append(all, tokens)
		}
	}
	return all
}

func checkTokens(t *testing.T, id, reply string, tokens *OAuthTokens, texts []string) {
	t.Helper()
	for _, text := range []string{tokens.AccessToken, tokens.RefreshToken, tokens.IDToken, tokens.TokenType} {
		if !slices.Contains(texts, text) || !utf8.ValidString(text) {
			t.Fatalf("%s: %q is said to be in %q", id, text, reply)
		}
	}
	for _, scope := range tokens.Scopes {
		element := slices.ContainsFunc(texts, func(text string) bool { return strings.TrimSpace(text) == scope }) // of an array
		if id != "wechat" && (scope == "" || strings.TrimSpace(scope) != scope || strings.ContainsAny(scope, " \t\r\n") && !element) {
			t.Fatalf("%s: scope %q of %q", id, scope, reply)
		}
	}
	for _, end := range []time.Time{tokens.AccessTokenExpiresAt, tokens.RefreshTokenExpiresAt} {
		if !end.IsZero() && (math.Abs(time.Until(end).Seconds()) > maxTokenLifetime+10 || end != storedDate(end) && end != end.UTC()) {
			t.Fatalf("%s: tokens end at %v after %q", id, end, reply)
		}
	}
}

// FuzzProfile reads what the resources of all providers say of a user, with any claims
// in an id_token that came straight from them: who is let in has a name of their own
// at the provider, and an address that the provider said.
func FuzzProfile(f *testing.F) {
	all := make(map[string]any) // what the providers say, at once
	for _, test := range rowTests {
		for _, reply := range test.replies {
			var members map[string]any
			_ = json.Unmarshal([]byte(reply), &members) // one is a list
			maps.Copy(all, members)
		}
	}
	everything, err := json.Marshal(all)
	if err != nil {
		f.Fatal(err)
	}
	f.Add(uint8(everyProvider), string(everything), `{"sub":"42","oid":"42","name":"Ann","email":"a@x.co"}`)
	f.Add(uint8(everyProvider), `[{"email":"b@x.co","primary":false},{"email":"a@x.co","primary":true,"verified":true}]`, "")
	f.Add(uint8(everyProvider), `{"sub":"42","id":7,"email":"b@x.co","verified":1,"user":{"user_id":"7"}}`, `{"sub":"43","email_verified":true}`)
	for _, reply := range []string{"", "null", "[]", `{"id":null,"sub":" ","email":["a@x.co"]}`, `{"id":"undefined","email":1e30}`, `{"id":"\ud800","email":"a\u0000@x.co"}`} {
		f.Add(uint8(everyProvider), reply, `{"sub":"42","email":"a@x.co","email_verified":"true"}`)
	}
	providers := newFuzzedProviders(f)
	f.Fuzz(func(t *testing.T, number uint8, reply, claims string) {
		texts := []string{"", "at"}
		for _, text := range []string{reply, claims} {
			var sent any
			_ = json.Unmarshal(validUTF8([]byte(text)), &sent) // which may be none
			texts = append(texts, textsIn(sent)...)
		}
		for _, p := range providers.answering(number, reply) {
			for _, idToken := range []string{"", unsigned(claims)} {
				who := fuzzedIdentity(t, p, idToken)
				if who == nil {
					continue
				}
				checkIdentity(t, p.ID, who, texts)
				if again := fuzzedIdentity(t, p, idToken); again == nil || again.accountID != who.accountID || !reflect.DeepEqual(again.user, who.user) {
					t.Fatalf("%s: %+v and %+v are the same user", p.ID, who, again)
				}
			}
		}
	})
}

// fuzzedIdentity is who a provider lets in, nil if nobody.
func fuzzedIdentity(t *testing.T, p *oauthProvider, idToken string) *identity {
	t.Helper()
	who, err := p.identify(t.Context(), &OAuthTokens{AccessToken: "at", IDToken: idToken, Raw: map[string]any{"openid": "o"}}, "")
	if err == nil && who == nil {
		t.Fatalf("%s: neither a user nor an error", p.ID)
	}
	if err != nil {
		return nil
	}
	return who
}

func checkIdentity(t *testing.T, id string, who *identity, texts []string) {
	t.Helper()
	if slices.Contains([]string{"", "undefined", "null"}, strings.TrimSpace(who.accountID)) || !slices.Contains(texts, who.accountID) {
		t.Fatalf("%s: subject %q", id, who.accountID)
	}
	if email := who.user.Email; !slices.Contains(texts, email) && (!strings.HasSuffix(email, "@"+id+".placeholder.invalid") || who.user.EmailVerified || !ValidEmail(email)) {
		t.Fatalf("%s: the address %q, verified %v", id, email, who.user.EmailVerified)
	}
	for _, text := range []string{who.accountID, who.user.Name, who.user.Email, who.user.Image} {
		if !utf8.ValidString(text) {
			t.Fatalf("%s: %q is no text", id, text)
		}
	}
	if written, err := appendJSON(nil, who.profile); err != nil || !json.Valid(written) {
		t.Fatalf("%s: the profile %v cannot be written: %v", id, who.profile, err)
	}
	if written, err := json.Marshal(&who.user); err != nil || !json.Valid(written) {
		t.Fatalf("%s: the user %v cannot be written: %v", id, who.user, err)
	}
}

// FuzzJWTSpan reads spans of time: none is longer than a Duration holds, and its sign
// is the one that the text has.
func FuzzJWTSpan(f *testing.F) {
	for _, text := range []string{
		"2 hours from now", "1 day ago", "-90 secs", "+ 1.5 hrs", "0.4s", "9223372036.6s", "-292y", "1e3 s", strings.Repeat("9", 400) + "s", "1\u017f",
	} {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		span, err := parseJWTSpan(text)
		if err != nil {
			if span != 0 {
				t.Fatalf("%q: %v, %v", text, span, err)
			}
			return
		}
		back := strings.HasPrefix(text, "-") || strings.HasSuffix(strings.ToLower(text), " ago")
		if back && span > 0 || !back && span < 0 || span%time.Second != 0 {
			t.Fatalf("%q is %v", text, span)
		}
		written := strconv.FormatInt(int64(span/time.Second), 10) + "s"
		if again, err := parseJWTSpan(written); err != nil || again != span {
			t.Fatalf("%q is %v, but %q is %v, %v", text, span, written, again, err)
		}
	})
}

// FuzzJWTPayload completes a payload with claims as the original writes them: the result
// is one JSON object whose times are numbers, with each member of the payload that is
// no time as it was.
func FuzzJWTPayload(f *testing.F) {
	for _, seed := range []struct{ payload, claims string }{
		{`{"sub":"u","b":[1],"a":"<&>"}`, `{"issuer":"i","audience":["a","b"],"expirationTime":"15m"}`}, {`null`, `{"audience":"a","expirationTime":1795424223}`},
		{`{"iat":"2026-11-23T08:43:48Z","exp":"1 hour","nbf":-5,"aud":["x"]}`, `{}`}, {`{"exp":1e300,"iat":1e400}`, `{"expirationTime":1e300}`},
		{`{"iss":1}`, `{"audience":[1]}`}, {`{"a":1,"a":2,"\u0061":3}`, `{"expirationTime":"292 years"}`}, {`{"\ud800":null,"exp":null}`, `null`},
	} {
		f.Add(seed.payload, seed.claims)
	}
	f.Fuzz(func(t *testing.T, payload, given string) {
		var claims JWTClaims
		if json.Unmarshal([]byte(given), &claims) != nil || !json.Valid([]byte(payload)) {
			return
		}
		object, err := newJWTObject(json.RawMessage(payload))
		if err != nil || object.complete(claims) != nil {
			return
		}
		text, err := object.text()
		var before, after map[string]any
		if err != nil || json.Unmarshal(text, &after) != nil || len(after) != len(object) {
			t.Fatalf("%q became %q, %v", payload, text, err)
		}
		if json.Unmarshal([]byte(payload), &before) != nil {
			return // a number beyond float64, which nobody reads again
		}
		for _, name := range []string{"exp", "iat", "nbf"} {
			if _, number := after[name].(float64); !number && after[name] != nil {
				t.Errorf("%q became %q, where %s is no number", payload, text, name)
			}
		}
		for _, name := range []string{"exp", "iat", "nbf", "iss", "aud"} {
			delete(before, name)
			delete(after, name)
		}
		if !maps.EqualFunc(before, after, func(a, b any) bool { return reflect.DeepEqual(a, b) }) {
			t.Errorf("%q became %q", payload, text)
		}
	})
}
