package oauthtest

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/seed3b05b409/auth/internal/testnode"
)

// mockPerson makes the mock sign in a new person.
func (p *path) mockPerson(claims map[string]any) (person string) {
	p.t.Helper()
	person = p.newPerson()
	p.mock.SetUser(person, merge(map[string]any{"email": person + "@example.com", "email_verified": true, "name": "User " + person}, claims))
	return person
}

// signInAtMock goes through a whole sign-in at the provider that lies.
func (p *path) signInAtMock(b *browser) reply {
	p.t.Helper()
	callback := p.mock.Authorize(p.t, b.begin(p.begun, "/sign-in/social", flow("mock", "")))
	return b.follow(p.end, callback)
}

func claims(changes map[string]any) testnode.Lie {
	return testnode.Lie{IDToken: testnode.IDToken{Claims: changes}}
}

func forged(f testnode.Forgery) testnode.Lie {
	return testnode.Lie{IDToken: testnode.IDToken{Forgery: f}}
}

func replaced(body string, headers ...string) testnode.Lie {
	lie := testnode.Lie{Body: &body, Headers: make(map[string]string)}
	for i := 0; i < len(headers); i += 2 {
		lie.Headers[headers[i]] = headers[i+1]
	}
	return lie
}

// ago is a moment as a claim.
func ago(d time.Duration) int64 { return time.Now().Add(-d).Unix() }

// A lie is what the token endpoint or userinfo says, and what becomes of it.
type lie struct {
	reason string
	at     testnode.Endpoint
	lie    testnode.Lie
	code   string // empty: the user signs in
}

// anyCode is where the servers say no with different words.
const anyCode = "any"

// noEmail makes the id_token say too little, so that userinfo is asked.
var noEmail = map[string]any{"email": nil}

// lies of the token endpoint: an id_token is only as good as its signature and
// claims, even if it comes from the provider itself, and whatever else comes is no
// reason to sign anybody in.
func lies() []lie {
	const refused, invalid = "unable_to_get_user_info", "invalid_code"
	return []lie{
		{"honest", testnode.Token, testnode.Lie{}, ""},
		{"another algorithm of the provider", testnode.Token, testnode.Lie{IDToken: testnode.IDToken{Algorithm: "ES512"}}, ""},
		{"alg none", testnode.Token, forged(testnode.AlgorithmNone), refused},
		{"no signature", testnode.Token, forged(testnode.Unsigned), refused},
		{"broken signature", testnode.Token, forged(testnode.Broken), refused},
		{"signature of a stranger", testnode.Token, forged(testnode.Stranger), refused},
		{"key in the header", testnode.Token, forged(testnode.Embedded), refused},
		{"public key as a secret", testnode.Token, forged(testnode.Confusion), refused},
		{"unknown key", testnode.Token, testnode.Lie{IDToken: testnode.IDToken{Header: map[string]any{"kid": "unknown"}}}, refused},
		{"key of another algorithm", testnode.Token, testnode.Lie{IDToken: testnode.IDToken{Header: map[string]any{"kid": "ES256-1"}}}, refused},
		{"critical header", testnode.Token, testnode.Lie{IDToken: testnode.IDToken{Header: map[string]any{"crit": []string{"exp"}, "exp": 1}}}, refused},

		{"no nonce", testnode.Token, claims(map[string]any{"nonce": nil}), refused},
		{"another nonce", testnode.Token, claims(map[string]any{"nonce": "another"}), refused},
		{"another issuer", testnode.Token, claims(map[string]any{"iss": "https://accounts.example.com"}), refused},
		{"no issuer", testnode.Token, claims(map[string]any{"iss": nil}), refused},
		{"another audience", testnode.Token, claims(map[string]any{"aud": "another"}), refused},
		{"other audiences", testnode.Token, claims(map[string]any{"aud": []string{"another", "third"}}), refused},
		{"several audiences", testnode.Token, claims(map[string]any{"aud": []string{"another", "app"}}), ""},
		{"no audience", testnode.Token, claims(map[string]any{"aud": nil}), refused},
		{"expired", testnode.Token, claims(map[string]any{"exp": ago(time.Minute)}), refused},
		{"expired within the tolerance", testnode.Token, claims(map[string]any{"exp": ago(10 * time.Second)}), ""},
		{"no expiry", testnode.Token, claims(map[string]any{"exp": nil}), refused},
		{"expiry as a text", testnode.Token, claims(map[string]any{"exp": "9999999999"}), refused},
		{"not yet", testnode.Token, claims(map[string]any{"nbf": ago(-time.Minute)}), refused},
		{"no time", testnode.Token, claims(map[string]any{"iat": nil}), refused},
		{"no subject", testnode.Token, claims(map[string]any{"sub": nil}), refused},
		{"empty subject", testnode.Token, claims(map[string]any{"sub": ""}), refused},
		{"no e-mail anywhere", testnode.UserInfo, testnode.Lie{Set: map[string]any{"email": nil}}, "email_not_found"},
		{"no JWT", testnode.Token, testnode.Lie{Set: map[string]any{"id_token": "a.b"}}, refused},
		{"no JSON in the JWT", testnode.Token, testnode.Lie{Set: map[string]any{"id_token": "e30.e30.e30"}}, refused},

		{"an error", testnode.Token, testnode.Lie{Status: 400, Body: text(`{"error":"invalid_grant"}`)}, invalid},
		{"an error with tokens", testnode.Token, testnode.Lie{Status: 500, Body: text(`{"access_token":"x"}`)}, invalid},
		{"an error that calls itself success", testnode.Token, replaced(`{"error":"invalid_grant"}`), refused},
		{"no connection", testnode.Token, testnode.Lie{Drop: true}, invalid},
		{"a redirect", testnode.Token, testnode.Lie{Status: 307, Headers: map[string]string{"Location": "/token"}}, invalid},
		{"a page", testnode.Token, replaced("<html>", "Content-Type", "text/html"), anyCode},
		{"broken JSON", testnode.Token, replaced(`{"access_token":`), anyCode},
		{"another JSON", testnode.Token, replaced(`[]`), anyCode},

		{"userinfo of somebody else", testnode.UserInfo, testnode.Lie{Set: map[string]any{"sub": "victim"}}, refused},
		{"userinfo without subject", testnode.UserInfo, testnode.Lie{Set: map[string]any{"sub": nil}}, refused},
		{"userinfo refuses", testnode.UserInfo, testnode.Lie{Status: 401}, refused},
		{"userinfo down", testnode.UserInfo, testnode.Lie{Status: 503}, refused},
		{"userinfo without connection", testnode.UserInfo, testnode.Lie{Drop: true}, anyCode},
		{"userinfo honest", testnode.UserInfo, testnode.Lie{}, ""},
	}
}

func text(s string) *string { return &s }

// TestLies: a provider that lies, or somebody between it and us, signs in nobody.
func TestLies(t *testing.T) {
	t.Parallel()
	newWorld(t, setting{}).alone(t, func(p *path) {
		for _, l := range lies() {
			p.mock.Honest()
			person := p.mockPerson(nil)
			if l.at == testnode.UserInfo {
				p.mock.Tamper(testnode.Token, claims(noEmail))
			}
			p.mock.Tamper(l.at, l.lie)
			b := newBrowser(p.t)
			want := "/welcome"
			if l.code != "" {
				want = "/oops?error=" + l.code
			}
			if r := p.signInAtMock(b); l.code != anyCode && (r.status != 302 || r.header.Get("Location") != want) {
				p.t.Errorf("%s: %d %s, want %s", l.reason, r.status, r.header.Get("Location"), want)
			}
			if user := b.user(p.end); (user != nil) != (l.code == "") || user != nil && user["name"] != "User "+person {
				p.t.Errorf("%s: %v is signed in", l.reason, user)
			}
		}
		p.mock.Honest()
	})
}

// TestHugeReply: a provider does not fill the server.
func TestHugeReply(t *testing.T) {
	t.Parallel()
	newWorld(t, setting{}).ours(t, func(p *path) {
		huge := fmt.Sprintf(`{"access_token":"%s"}`, strings.Repeat("x", 8<<20))
		p.mock.Tamper(testnode.Token, testnode.Lie{Body: &huge})
		p.signInAtMock(newBrowser(p.t)).refuses("invalid_code")
	})
}

// TestSlowProvider: one that is slow is waited for, and one that never answers is
// not.
func TestSlowProvider(t *testing.T) {
	t.Parallel()
	newWorld(t, setting{}).ours(t, func(p *path) {
		p.mockPerson(nil)
		p.mock.Tamper(testnode.Token, testnode.Lie{Delay: 2 * time.Second})
		p.signInAtMock(newBrowser(p.t)).leadsTo("/welcome")
		p.mock.Tamper(testnode.Token, testnode.Lie{Delay: time.Hour})
		before := time.Now()
		p.signInAtMock(newBrowser(p.t)).refuses("invalid_code")
		if took := time.Since(before); took > 20*time.Second {
			p.t.Errorf("waited for %v", took)
		}
		p.mock.Honest()
	})
}

// TestUnknownUntilDiscovered: while a provider cannot be discovered nobody signs
// in, verified or not, and as soon as it can be everybody does.
func TestUnknownUntilDiscovered(t *testing.T) {
	t.Parallel()
	w := newWorld(t, setting{discovery: testnode.Lie{Status: 503}})
	w.alone(t, func(p *path) {
		p.mock.Tamper(testnode.Discovery, testnode.Lie{Status: 503})
		b := newBrowser(p.t)
		b.post(p.begun, "/sign-in/social", flow("mock", "")).fails(404, "PROVIDER_NOT_FOUND")
		p.mock.Honest()
		p.mockPerson(nil)
		p.signInAtMock(b).leadsTo("/welcome")
	})
}
