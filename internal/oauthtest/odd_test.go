package oauthtest

import (
	"encoding/json"
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/seed3b05b409/auth/internal/testnode"
)

// outcome is what becomes of a sign-in, without what differs each time: the reply,
// the user, their accounts and the tokens that they get.
func (p *path) outcome(b *browser, r reply, person string) string {
	p.t.Helper()
	told := map[string]any{"status": r.status, "location": r.header.Get("Location")}
	if user := b.user(p.end); user != nil {
		for _, name := range []string{"id", "createdAt", "updatedAt"} {
			delete(user, name)
		}
		accounts := b.accounts(p.end)
		var tokens map[string]any
		answer := b.post(p.end, "/get-access-token", map[string]any{"accountId": accounts[0].ID})
		_ = json.Unmarshal([]byte(answer.body), &tokens)
		for _, name := range []string{"accessToken", "idToken"} {
			if token, ok := tokens[name].(string); ok && strings.Count(token, ".") == 2 {
				tokens[name] = "a JWT"
			}
		}
		tokens["accessTokenExpiresAt"] = roughly(tokens["accessTokenExpiresAt"])
		accounts[0].ID, accounts[0].UserID = "", ""
		told["user"], told["accounts"], told["tokens"] = user, accounts, tokens
	}
	text, err := json.Marshal(told)
	if err != nil {
		p.t.Fatal(err)
	}
	return strings.ReplaceAll(string(text), person, "person")
}

// roughly is how far away a time is.
func roughly(moment any) any {
	text, ok := moment.(string)
	if !ok {
		return moment
	}
	at, err := time.Parse(time.RFC3339, text)
	if err != nil {
		return text
	}
	return time.Until(at).Round(time.Minute).String()
}

// same runs cases at every server and demands of this library what the original
// makes of them.
func same[C any](w *world, t *testing.T, cases map[string]C, run func(p *path, c C) string) {
	t.Helper()
	want := make(map[string]string)
	w.alone(t, func(p *path) {
		w.clear(p.t)
		for _, name := range slices.Sorted(maps.Keys(cases)) {
			got := run(p, cases[name])
			if p.end.name == "npm" {
				want[name] = got
			} else if got != want[name] {
				p.t.Errorf("%s\n got %s\nwant %s", name, got, want[name])
			}
		}
	})
}

// clear forgets all users of the shared database.
func (w *world) clear(t *testing.T) {
	t.Helper()
	for _, table := range []string{"session", "account", `"user"`} {
		if _, err := w.db.ExecContext(t.Context(), "DELETE FROM "+table); err != nil {
			t.Fatal(err)
		}
	}
}

// TestOddProfiles: whatever a provider says of a user, both servers make the same
// of it.
func TestOddProfiles(t *testing.T) {
	t.Parallel()
	long := strings.Repeat("x", 300)
	cases := map[string]map[string]any{
		"no name": {"name": nil}, "empty name": {"name": ""},
		"name with markup": {"name": `<b>"x"</b>`}, "name with a NUL": {"name": "a\x00b"}, "long name": {"name": long}, "name in all planes": {"name": "Zoë 🦊 \u202e"},
		"parts of a name": {"name": nil, "given_name": "Ada", "family_name": "L", "preferred_username": "ada"},
		"white space":     {"name": "  Ada  ", "email": " ADA-$@example.com "},

		"picture": {"picture": "https://example.com/p.png"}, "no picture": {"picture": nil},
		"script as picture": {"picture": "javascript:alert(1)"}, "image": {"image": "https://example.com/i.png"},

		"capitals": {"email": "ADA-$@EXAMPLE.COM"}, "umlaut": {"email": "äda-$@exämple.com"}, "decomposed": {"email": "a\u0308da-$@example.com"}, "dotless": {"email": "İda-$@example.com"},
		"no at": {"email": "ada-$"}, "two ats": {"email": "a@b-$@example.com"}, "long address": {"email": long + "-$@example.com"},
		"empty address": {"email": ""}, "address with a NUL": {"email": "a\x00-$@example.com"}, "quoted": {"email": `"a b-$"@example.com`},

		"verified in words": {"email_verified": "true"}, "unverified in words": {"email_verified": "false"}, "verified in capitals": {"email_verified": "TRUE"}, "verified as 1": {"email_verified": 1}, "verified as text 1": {"email_verified": "1"}, "verified unknown": {"email_verified": nil}, "verified as list": {"email_verified": []bool{true}},
		"emailVerified": {"email_verified": nil, "emailVerified": true}, "emailVerified contradicts": {"emailVerified": true, "email_verified": false},

		"subject with spaces": {"sub": " a b-$ "}, "subject of spaces": {"sub": "   "}, "subject undefined": {"sub": "undefined"}, "subject null": {"sub": "null"}, "subject NaN": {"sub": "NaN"}, "subject 0": {"sub": "0"}, "long subject": {"sub": long + "-$"}, "subject in all planes": {"sub": "🦊-$"},
		"subject with a NUL": {"sub": "a\x00-$"}, "subject as number": {"sub": 12345678901234567}, "id beside": {"id": "another"},

		"members of ours": {"id": "x", "createdAt": "2000-01-01", "updatedAt": 7, "role": "admin", "password": "x", "userId": "x"},
		"prototype":       {"__proto__": map[string]any{"email": "x"}, "constructor": "x"},
	}
	for name, base := range map[string]map[string]any{"id_token": {}, "userinfo": noEmail} {
		t.Run(name, func(t *testing.T) {
			same(newWorld(t, setting{}), t, cases, func(p *path, changes map[string]any) string {
				person := p.newPerson()
				user := merge(map[string]any{"email": person + "@example.com", "email_verified": true, "name": "User " + person}, changes)
				for claim, value := range user {
					if text, ok := value.(string); ok {
						user[claim] = strings.ReplaceAll(text, "$", person)
					}
				}
				p.mock.SetUser(person, user)
				fromUserInfo := maps.Clone(user)
				if _, ok := fromUserInfo["sub"]; !ok {
					fromUserInfo["sub"] = person
				}
				p.mock.Tamper(testnode.Token, testnode.Lie{IDToken: testnode.IDToken{Claims: merge(onlySub(fromUserInfo), base)}})
				p.mock.Tamper(testnode.UserInfo, testnode.Lie{Set: fromUserInfo})
				b := newBrowser(p.t)
				return p.outcome(b, p.signInAtMock(b), person)
			})
		})
	}
}

// onlySub is the subject that userinfo has to repeat.
func onlySub(claims map[string]any) map[string]any { return map[string]any{"sub": claims["sub"]} }

// TestOddTokens: whatever the token endpoint says beside the id_token, both servers
// make the same of it.
func TestOddTokens(t *testing.T) {
	t.Parallel()
	cases := map[string]map[string]any{
		"lifetime as text": {"expires_in": "7200"}, "lifetime with a fraction": {"expires_in": 7200.5}, "no lifetime": {"expires_in": nil}, "lifetime 0": {"expires_in": 0}, "negative lifetime": {"expires_in": -60},
		"no scope": {"scope": nil}, "empty scope": {"scope": ""}, "scopes by comma": {"scope": "a,b c"}, "scopes as list": {"scope": []string{"a", "b c"}}, "scopes with white space": {"scope": " a  b\tc\n"}, "scope as number": {"scope": 7},
		"no refresh token": {"refresh_token": nil}, "empty refresh token": {"refresh_token": ""}, "refresh token as number": {"refresh_token": 7}, "refresh lifetime": {"refresh_token_expires_in": 60},
		"no access token": {"access_token": nil}, "empty access token": {"access_token": ""}, "access token in all planes": {"access_token": "🦊"},
		"no id_token":  {"id_token": nil},
		"another type": {"token_type": "mac"}, "no type": {"token_type": nil}, "an error beside": {"error": "invalid_grant"}, "prototype": {"__proto__": 7},
	}
	same(newWorld(t, setting{}), t, cases, func(p *path, changes map[string]any) string {
		person := p.mockPerson(nil)
		p.mock.Tamper(testnode.Token, testnode.Lie{Set: changes})
		b := newBrowser(p.t)
		return p.outcome(b, p.signInAtMock(b), person)
	})
}

// TestWrongTypes: what has another type than the specification says counts as
// absent; the original writes some of it into the database and fails at the rest.
func TestWrongTypes(t *testing.T) {
	t.Parallel()
	newWorld(t, setting{}).ours(t, func(p *path) {
		for reason, claims := range map[string]map[string]any{
			"a number as name": {"name": 7}, "a list as name": {"name": []string{"a"}}, "picture as object": {"picture": map[string]any{"data": 1}}, "empty picture": {"picture": ""},
		} {
			p.mock.Honest()
			p.mockPerson(claims)
			b := newBrowser(p.t)
			if p.signInAtMock(b).leadsTo("/welcome"); b.user(p.end)["image"] != nil {
				p.t.Errorf("%s: %v", reason, b.user(p.end))
			}
		}
		for _, email := range []any{7, true, []string{"ada@example.com"}, map[string]any{}} {
			p.mockPerson(map[string]any{"email": email})
			p.signInAtMock(newBrowser(p.t)).refuses("email_not_found")
		}
		for reason, changes := range map[string]map[string]any{
			"lifetime of words": {"expires_in": "soon"}, "lifetime as list": {"expires_in": []int{60}}, "lifetime true": {"expires_in": true}, "endless": {"expires_in": 1e300},
			"access token as number": {"access_token": 7}, "id_token as number": {"id_token": 7},
		} {
			p.mockPerson(nil)
			p.mock.Tamper(testnode.Token, testnode.Lie{Set: changes})
			b := newBrowser(p.t)
			if reason == "id_token as number" { // userinfo is left, with a token that is good
				p.mock.Tamper(testnode.Token, testnode.Lie{Set: merge(changes, map[string]any{"access_token": nil})})
				p.signInAtMock(b).refuses("unable_to_get_user_info")
				continue
			}
			p.signInAtMock(b).leadsTo("/welcome")
			if strings.Contains(reason, "lifetime") {
				if answer := b.post(p.end, "/get-access-token", p.byID(b)).tokens(); answer.AccessTokenExpiresAt != "" {
					p.t.Errorf("%s: %+v", reason, answer)
				}
			}
		}
	})
}

// TestLookalikes: an address that a careless comparison takes for somebody's is
// not theirs: the provider has verified another one.
func TestLookalikes(t *testing.T) {
	t.Parallel()
	newWorld(t, setting{}).alone(t, func(p *path) {
		for local, lookalike := range map[string]string{
			"ida-$@example.com": "\u0130da-$@example.com", // I with a dot: its lower case is two characters
			"sam-$@example.com": "\u017Fam-$@example.com", // long s: it is lower case
			"ann-$@example.com": "\u00E1nn-$@example.com",
			"bob-$@example.com": "bob-$@example.com\u200B",
			"cid-$@example.com": "cid-$@example.com.",
			"bok-$@example.com": "bo\u212A-$@example.com", // Kelvin sign
		} {
			if strings.Contains(lookalike, "\u212A") && p.end.name == "npm" {
				continue // which is careless here
			}
			owner := p.newPerson()
			local, lookalike = strings.ReplaceAll(local, "$", owner), strings.ReplaceAll(lookalike, "$", owner)
			p.op.SetUser(owner, map[string]any{"email": local, "email_verified": true, "name": "Owner"})
			b := newBrowser(p.t)
			p.signIn(b, owner).leadsTo("/welcome")

			p.mockPerson(map[string]any{"email": lookalike})
			thief := newBrowser(p.t)
			p.signInAtMock(thief)
			if user := thief.user(p.end); user != nil && user["id"] == b.user(p.end)["id"] {
				p.t.Errorf("who owns %q is signed in as the owner of %q", lookalike, local)
			}
			p.mockPerson(map[string]any{"email": lookalike})
			callback := p.mock.Authorize(p.t, b.begin(p.begun, "/link-social", flow("mock", "")))
			b.follow(p.end, callback).refuses("email_does_not_match")
			p.linked(b, 1)
		}
	})
}
