package oauthtest

import (
	"encoding/json"
	"net/http"
	"testing"

	"github.com/seed3b05b409/auth/internal/testnode"
)

// An officialClient is the original's client of one person at one server.
type officialClient struct {
	t       *testing.T
	process *testnode.Process
	site    *site
	person  string
}

// call calls a method of the client and decodes the data that it returns. An error
// ends the test.
func (c *officialClient) call(method string, argument map[string]any, data any) {
	c.t.Helper()
	if code := c.fails(method, argument, data); code != "" {
		c.t.Fatalf("%s: %s", method, code)
	}
}

// fails returns the code of the error.
func (c *officialClient) fails(method string, argument map[string]any, data any) (code string) {
	c.t.Helper()
	var answer struct {
		Data  json.RawMessage
		Error *struct{ Code string }
	}
	c.process.Ask(c.t, "call", map[string]any{
		"person": c.person, "origin": c.site.origin, "baseURL": baseURL, "method": method, "argument": argument,
	}, &answer)
	if answer.Error != nil {
		return answer.Error.Code
	}
	if data != nil {
		if err := json.Unmarshal(answer.Data, data); err != nil {
			c.t.Fatalf("%s: %v; %s", method, err, answer.Data)
		}
	}
	return ""
}

// browser has the cookies of the client, for what a page cannot do.
func (c *officialClient) browser() *browser {
	c.t.Helper()
	var answer struct{ Cookies map[string]string }
	c.process.Ask(c.t, "cookies", map[string]any{"person": c.person}, &answer)
	b := newBrowser(c.t)
	for name, value := range answer.Cookies {
		b.cookies[name] = &http.Cookie{Name: name, Value: value}
	}
	return b
}

// adopt gives the client the cookies of a browser.
func (c *officialClient) adopt(b *browser) {
	c.t.Helper()
	cookies := make(map[string]string)
	for name, cookie := range b.cookies {
		cookies[name] = cookie.Value
	}
	c.process.Ask(c.t, "adopt", map[string]any{"person": c.person, "cookies": cookies}, nil)
}

// TestOfficialClient: the original's client, unmodified, goes through everything
// that it has for accounts at providers.
func TestOfficialClient(t *testing.T) {
	t.Parallel()
	process := testnode.Start(t, testnode.Install(t, scripts), "client.mjs", func(json.RawMessage) {})
	t.Cleanup(process.Stop)
	newWorld(t, setting{}).alone(t, func(p *path) {
		person := p.newPerson()
		c := &officialClient{p.t, process, p.end, p.end.name + person}
		var begun struct {
			URL      string
			Redirect bool
		}
		c.call("signIn.social", flow("op", person), &begun)
		b := c.browser()
		b.follow(p.end, p.op.Authorize(p.t, begun.URL)).leadsTo("/welcome")

		c.adopt(b)
		var session struct {
			User struct{ Email string }
		}
		if c.call("getSession", nil, &session); session.User.Email != person+"@example.com" {
			p.t.Fatalf("session %+v", session)
		}
		var accounts []account
		if c.call("listAccounts", nil, &accounts); len(accounts) != 1 || accounts[0].AccountID != person {
			p.t.Fatalf("accounts %+v", accounts)
		}
		id := map[string]any{"accountId": accounts[0].ID}
		var first, second tokenAnswer
		c.call("getAccessToken", id, &first)
		c.call("refreshToken", id, &second)
		if first.AccessToken == second.AccessToken || p.atProvider(second.AccessToken)["sub"] != person {
			p.t.Errorf("tokens %+v, then %+v", first, second)
		}
		var info struct{ Account struct{ AccountID string } }
		if c.call("accountInfo", map[string]any{"query": id}, &info); info.Account.AccountID != person {
			p.t.Errorf("account %+v", info)
		}
		if code := c.fails("unlinkAccount", id, nil); code != "FAILED_TO_UNLINK_LAST_ACCOUNT" {
			p.t.Errorf("unlinked: %q", code)
		}
		p.mockPerson(map[string]any{"email": person + "@example.com"})
		c.call("linkSocial", flow("mock", ""), &begun)
		c.browser().follow(p.end, p.mock.Authorize(p.t, begun.URL)).leadsTo("/dash")
		c.call("unlinkAccount", id, nil)
		if c.call("listAccounts", nil, &accounts); len(accounts) != 1 || accounts[0].ProviderID != "mock" {
			p.t.Errorf("accounts %+v", accounts)
		}
		var out signedOut
		if c.call("signOut", nil, &out); !out.Success || !out.Redirect {
			p.t.Errorf("signed out: %+v", out)
		}
	})
}
