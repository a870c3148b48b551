package oauthtest

import (
	"encoding/json"
	"io"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/seed3b05b409/auth/internal/testnode"
)

// atProvider is what the provider op says of the bearer of an access token, nil if
// it refuses the token.
func (p *path) atProvider(accessToken string) (profile map[string]any) {
	p.t.Helper()
	request, err := http.NewRequestWithContext(p.t.Context(), http.MethodGet, p.op.Issuer+"/me", nil)
	if err != nil {
		p.t.Fatal(err)
	}
	request.Header.Set("Authorization", "Bearer "+accessToken)
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		p.t.Fatal(err)
	}
	defer response.Body.Close()
	body, err := io.ReadAll(response.Body)
	if err != nil {
		p.t.Fatal(err)
	}
	if response.StatusCode != 200 {
		return nil
	}
	if err := json.Unmarshal(body, &profile); err != nil {
		p.t.Fatal(err)
	}
	return profile
}

// tokenAnswer is that of get-access-token and of refresh-token.
type tokenAnswer struct {
	AccessToken          string
	RefreshToken         string
	AccessTokenExpiresAt string
	IDToken              string
	Scopes               []string
	Scope                string
	ProviderID           string
	AccountID            string
}

func (r reply) tokens() (answer tokenAnswer) {
	r.t.Helper()
	r.decode(&answer)
	return answer
}

// byID selects the only account of a browser's user.
func (p *path) byID(b *browser) map[string]any {
	p.t.Helper()
	accounts := b.accounts(p.end)
	return map[string]any{"accountId": accounts[len(accounts)-1].ID}
}

// refreshes counts the refresh tokens that the provider op was sent.
func (w *world) refreshes() (n int) {
	for _, request := range w.op.RequestsTo("/token") {
		if request.Form().Get("grant_type") == "refresh_token" {
			n++
		}
	}
	return n
}

// TestAccessToken: a token that lives is returned as it is, and it is one that the
// provider accepts.
func TestAccessToken(t *testing.T) {
	t.Parallel()
	newWorld(t, setting{}).everyWay(t, func(p *path) {
		b, person := p.signUp()
		first := b.post(p.end, "/get-access-token", p.byID(b)).tokens()
		second := b.post(p.begun, "/get-access-token", p.byID(b)).tokens()
		if first.AccessToken == "" || first.AccessToken != second.AccessToken || first.AccessTokenExpiresAt != second.AccessTokenExpiresAt || first.IDToken == "" || strings.Join(first.Scopes, " ") != "openid email profile" {
			p.t.Errorf("tokens %+v, then %+v", first, second)
		}
		if profile := p.atProvider(first.AccessToken); profile["sub"] != person {
			p.t.Errorf("the provider knows the bearer as %v", profile)
		}
		if n := p.refreshes(); n != 0 {
			p.t.Errorf("%d refreshes", n)
		}
	})
}

// TestRotation: the provider gives every refresh token for one use and ends the
// whole grant at a second one, so each refresh has to be with the token of the one
// before, whichever server made it.
func TestRotation(t *testing.T) {
	t.Parallel()
	for name, s := range map[string]setting{"plain": shortLived(setting{}), "encrypted": shortLived(encrypted)} {
		t.Run(name, func(t *testing.T) {
			newWorld(t, s).everyWay(t, func(p *path) {
				b, person := p.signUp()
				seen := make(map[string]bool)
				for i, at := range []*site{p.begun, p.end, p.end, p.begun, p.begun} {
					before := p.refreshes()
					access := b.post(at, "/get-access-token", p.byID(b)).tokens().AccessToken
					if seen[access] || p.atProvider(access)["sub"] != person || p.refreshes() != before+1 {
						p.t.Fatalf("%d: token %s, %d refreshes", i, access, p.refreshes()-before)
					}
					seen[access] = true
				}
			})
		})
	}
}

// TestRefreshToken: the endpoint that always refreshes says what is stored then.
func TestRefreshToken(t *testing.T) {
	t.Parallel()
	newWorld(t, setting{}).everyWay(t, func(p *path) {
		b, person := p.signUp()
		id := p.byID(b)
		var last tokenAnswer
		for _, at := range []*site{p.end, p.begun, p.end} {
			answer := b.post(at, "/refresh-token", id).tokens()
			if answer.AccessToken == last.AccessToken || answer.RefreshToken == last.RefreshToken || answer.ProviderID != "op" || answer.AccountID != id["accountId"] || answer.Scope != "openid,email,profile" {
				p.t.Fatalf("%+v, after %+v", answer, last)
			}
			last = answer
		}
		if got := b.post(p.begun, "/get-access-token", id).tokens(); got.AccessToken != last.AccessToken || p.atProvider(got.AccessToken)["sub"] != person {
			p.t.Errorf("stored %+v, want %+v", got, last)
		}
	})
}

// TestRefreshRefused: a provider that refuses or is down takes nothing from who
// asks: what is stored stays, and is used when it is back.
func TestRefreshRefused(t *testing.T) {
	t.Parallel()
	newWorld(t, setting{}).alone(t, func(p *path) {
		person := p.mockPerson(nil)
		b := newBrowser(p.t)
		p.mock.Tamper(testnode.Token, testnode.Lie{Set: map[string]any{"expires_in": 1}})
		p.signInAtMock(b).leadsTo("/welcome")
		id := p.byID(b)
		for reason, l := range map[string]testnode.Lie{
			"refused":         {Status: 400, Body: text(`{"error":"invalid_grant"}`)},
			"down":            {Drop: true},
			"empty":           {Body: text(`{}`)},
			"no access token": {Set: map[string]any{"access_token": nil}},
			"empty token":     {Set: map[string]any{"access_token": ""}},
			"a number":        {Set: map[string]any{"access_token": 7}},
			"a redirect":      {Status: 307, Headers: map[string]string{"Location": "/token"}},
		} {
			p.mock.Tamper(testnode.Token, l)
			if r := b.post(p.end, "/get-access-token", id); r.status != 400 || !strings.Contains(r.body, "FAILED_TO_GET_ACCESS_TOKEN") {
				p.t.Errorf("%s: %d %s", reason, r.status, r.body)
			}
			if r := b.post(p.end, "/refresh-token", id); r.status != 400 || !strings.Contains(r.body, "FAILED_TO_REFRESH_ACCESS_TOKEN") {
				p.t.Errorf("%s: %d %s", reason, r.status, r.body)
			}
		}
		p.mock.Honest()
		if answer := b.post(p.end, "/get-access-token", id).tokens(); answer.AccessToken == "" {
			p.t.Errorf("%s got no token", person)
		}
	})
}

// TestTokensOfOthers: the id of an account is no key to its tokens.
func TestTokensOfOthers(t *testing.T) {
	t.Parallel()
	newWorld(t, setting{}).alone(t, func(p *path) {
		ann, _ := p.signUp()
		eve, _ := p.signUp()
		id := p.byID(ann)
		id["userId"] = p.id(ann)
		for _, endpoint := range []string{"/get-access-token", "/refresh-token"} {
			eve.post(p.end, endpoint, id).fails(400, "ACCOUNT_NOT_FOUND")
			if r := newBrowser(p.t).post(p.end, endpoint, id).is(401); r.body != "" {
				p.t.Errorf("%s: %s", endpoint, r.body)
			}
		}
		eve.get(p.end, "/account-info?accountId="+id["accountId"].(string)).fails(400, "ACCOUNT_NOT_FOUND")
	})
}

// TestEncryptedTokens: whoever reads the database has no token of a provider, and
// both servers have. What was stored before is still read.
func TestEncryptedTokens(t *testing.T) {
	t.Parallel()
	newWorld(t, encrypted).everyWay(t, func(p *path) {
		b, person := p.signUp()
		answer := b.post(p.end, "/get-access-token", p.byID(b)).tokens()
		if p.atProvider(answer.AccessToken)["sub"] != person {
			p.t.Fatalf("%s is not the provider's token", answer.AccessToken)
		}
		if !p.end.shared {
			return
		}
		for _, column := range []string{"accessToken", "refreshToken"} {
			stored := p.column(p.t, "SELECT "+column+" FROM account WHERE accountId = ?", person)
			if len(stored) != 1 || strings.Trim(stored[0], "0123456789abcdef") != "" || len(stored[0]) < 2*(24+16+len(answer.AccessToken)) {
				p.t.Errorf("%s is stored as %v", column, stored)
			}
		}
		if stored := p.column(p.t, "SELECT idToken FROM account WHERE accountId = ?", person); strings.Count(stored[0], ".") != 2 {
			p.t.Errorf("the id_token is stored as %v", stored)
		}
		if _, err := p.db.ExecContext(p.t.Context(), "UPDATE account SET accessToken = 'a plain one' WHERE accountId = ?", person); err != nil {
			p.t.Fatal(err)
		}
		if got := b.post(p.end, "/get-access-token", p.byID(b)).tokens().AccessToken; got != "a plain one" {
			p.t.Errorf("token %s", got)
		}
		if _, err := p.db.ExecContext(p.t.Context(), "UPDATE account SET accessToken = 'abcdef0123456789' WHERE accountId = ?", person); err != nil {
			p.t.Fatal(err)
		}
		b.post(p.end, "/get-access-token", p.byID(b)).fails(400, "FAILED_TO_GET_ACCESS_TOKEN")
	})
}

// TestAccountInfo: the endpoint says what the provider says now.
func TestAccountInfo(t *testing.T) {
	t.Parallel()
	newWorld(t, setting{}).everyWay(t, func(p *path) {
		b, person := p.signUp()
		id := p.byID(b)["accountId"].(string)
		p.op.SetUser(person, map[string]any{"email": "new-" + person + "@example.com", "email_verified": true, "name": "New", "picture": "https://example.com/p.png"})
		var info struct {
			User    map[string]any
			Data    map[string]any
			Account struct{ ID, ProviderID, AccountID string }
		}
		b.get(p.end, "/account-info?accountId="+id).decode(&info)
		if info.User["email"] != "new-"+person+"@example.com" || info.User["name"] != "New" || info.User["image"] != "https://example.com/p.png" || info.User["emailVerified"] != true {
			p.t.Errorf("user %v", info.User)
		}
		if info.Data["sub"] != person || info.Account.ID != id || info.Account.ProviderID != "op" || info.Account.AccountID != person {
			p.t.Errorf("data %v, account %+v", info.Data, info.Account)
		}
		if user := b.user(p.end); user["name"] != "User "+person {
			p.t.Errorf("the user became %v", user)
		}
	})
}

// TestAccountCookie: the account of the last sign-in travels in a cookie that both
// servers read and nobody else.
func TestAccountCookie(t *testing.T) {
	t.Parallel()
	newWorld(t, accountCookie).everyWay(t, func(p *path) {
		b, person := p.signUp()
		last := map[string]any{"useAccountCookie": true}
		if strings.Count(b.value("account_data"), ".") != 4 {
			p.t.Fatalf("cookie %q", b.value("account_data"))
		}
		for _, at := range []*site{p.begun, p.end} {
			answer := b.post(at, "/get-access-token", last).tokens()
			if p.atProvider(answer.AccessToken)["sub"] != person {
				p.t.Errorf("at %s: %+v", at.name, answer)
			}
		}
		refreshed := b.post(p.begun, "/refresh-token", last).tokens()
		if got := b.post(p.end, "/get-access-token", last).tokens(); got.AccessToken != refreshed.AccessToken {
			p.t.Errorf("the cookie has the token %s, want %s", got.AccessToken, refreshed.AccessToken)
		}
		eve, _ := p.signUp()
		eve.set("account_data", b.value("account_data"))
		eve.post(p.end, "/get-access-token", last).fails(400, "ACCOUNT_NOT_FOUND")
		b.set("account_data", b.value("account_data")+"A")
		b.post(p.end, "/get-access-token", last).fails(400, "ACCOUNT_NOT_FOUND")
	})
}

// TestRefreshRace: many who need a new token at the same time do not spend the
// same refresh token twice, for which the provider would end the grant.
func TestRefreshRace(t *testing.T) {
	t.Parallel()
	newWorld(t, shortLived(setting{})).ours(t, func(p *path) {
		b, person := p.signUp()
		id := p.byID(b)
		var all sync.WaitGroup
		for range 6 {
			all.Go(func() { b.clone().post(p.end, "/get-access-token", id) })
		}
		all.Wait()
		if answer := b.post(p.end, "/get-access-token", id).tokens(); p.atProvider(answer.AccessToken)["sub"] != person {
			p.t.Errorf("afterwards: %+v", answer)
		}
	})
}

// TestNoRefreshToken: a token that has expired and cannot be replaced is returned
// all the same, and the endpoint that refreshes says why it does not.
func TestNoRefreshToken(t *testing.T) {
	t.Parallel()
	newWorld(t, setting{}).alone(t, func(p *path) {
		p.mockPerson(nil)
		p.mock.Tamper(testnode.Token, testnode.Lie{Set: map[string]any{"expires_in": -60, "refresh_token": nil}})
		b := newBrowser(p.t)
		p.signInAtMock(b).leadsTo("/welcome")
		if answer := b.post(p.end, "/get-access-token", p.byID(b)).tokens(); answer.AccessToken == "" {
			p.t.Errorf("%+v", answer)
		}
		b.post(p.end, "/refresh-token", p.byID(b)).fails(400, "REFRESH_TOKEN_NOT_FOUND")
		p.mock.Honest()
	})
}

// TestTokensOfIDToken: of what a client sends beside an id_token the access token
// is stored and nothing else.
func TestTokensOfIDToken(t *testing.T) {
	t.Parallel()
	newWorld(t, setting{}).everyWay(t, func(p *path) {
		p.mockPerson(nil)
		b := newBrowser(p.t)
		b.submit(p.begun, p.mock.IDToken(testnode.IDToken{}), nil).is(200)
		if answer := b.post(p.end, "/get-access-token", p.byID(b)).tokens(); answer.AccessToken != "" || answer.IDToken == "" || len(answer.Scopes) != 0 {
			p.t.Errorf("%+v", answer)
		}
		b.submit(p.begun, p.mock.IDToken(testnode.IDToken{}), map[string]any{"accessToken": "a token", "refreshToken": "another", "expiresAt": 1}).is(200)
		if answer := b.post(p.end, "/get-access-token", p.byID(b)).tokens(); answer.AccessToken != "a token" || answer.AccessTokenExpiresAt != "" {
			p.t.Errorf("%+v", answer)
		}
		b.post(p.end, "/refresh-token", p.byID(b)).fails(400, "REFRESH_TOKEN_NOT_FOUND")
	})
}

// TestRefreshWithoutLifetime: a provider that stops to say how long its tokens live
// is asked each time, since the last thing that it said is over.
func TestRefreshWithoutLifetime(t *testing.T) {
	t.Parallel()
	newWorld(t, setting{}).alone(t, func(p *path) {
		p.mockPerson(nil)
		p.mock.Tamper(testnode.Token, testnode.Lie{Set: map[string]any{"expires_in": 1}})
		b := newBrowser(p.t)
		p.signInAtMock(b).leadsTo("/welcome")
		id := p.byID(b)
		p.mock.Tamper(testnode.Token, testnode.Lie{Set: map[string]any{"expires_in": nil, "refresh_token": nil}})
		before := len(p.mock.RequestsTo("/token"))
		used := make(map[string]bool)
		for range 3 {
			b.post(p.end, "/get-access-token", id).is(200)
		}
		for _, request := range p.mock.RequestsTo("/token")[before:] {
			used[request.Form().Get("refresh_token")] = true
		}
		if n := len(p.mock.RequestsTo("/token")) - before; n != 3 || len(used) != 1 {
			p.t.Errorf("%d refreshes with the tokens %v", n, used)
		}
		p.mock.Honest()
	})
}

// TestOldIDToken: what an id_token says of the user is believed while it lives and
// not longer; the access token lives by itself.
func TestOldIDToken(t *testing.T) {
	t.Parallel()
	newWorld(t, setting{}).alone(t, func(p *path) {
		person := p.mockPerson(nil)
		p.mock.Tamper(testnode.Token, claims(map[string]any{"exp": ago(27 * time.Second)})) // the tolerance is 30
		b := newBrowser(p.t)
		p.signInAtMock(b).leadsTo("/welcome")
		id := p.byID(b)
		time.Sleep(4 * time.Second)
		b.get(p.end, "/account-info?accountId="+id["accountId"].(string)).fails(401, "FAILED_TO_GET_USER_INFO")
		if answer := b.post(p.end, "/get-access-token", id).tokens(); answer.AccessToken == "" {
			p.t.Errorf("%s has no access token", person)
		}
		p.mock.Honest()
		b.post(p.end, "/refresh-token", id).is(200) // brings a new one
		b.get(p.end, "/account-info?accountId="+id["accountId"].(string)).is(200)
	})
}
