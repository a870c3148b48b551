package oauthtest

import (
	"net/url"
	"slices"
	"strings"
	"testing"
)

// TestOverrideUserInfo: where the provider is the authority, the user follows it at
// every sign-in.
func TestOverrideUserInfo(t *testing.T) {
	t.Parallel()
	newWorld(t, overrides).everyWay(t, func(p *path) {
		b, person := p.signUp()
		id := p.id(b)
		p.op.SetUser(person, map[string]any{"email": "New-" + person + "@example.com", "email_verified": false, "name": "New", "picture": "https://example.com/p.png"})
		b = newBrowser(p.t)
		p.signIn(b, person).leadsTo("/dash")
		if user := b.user(p.end); user["id"] != id || user["email"] != "new-"+person+"@example.com" || user["emailVerified"] != false || user["name"] != "New" || user["image"] != "https://example.com/p.png" {
			p.t.Errorf("user %v", user)
		}
	})
}

// TestVerifiedOnly: who has not verified their address gets no session, and gets
// one when they have.
func TestVerifiedOnly(t *testing.T) {
	t.Parallel()
	newWorld(t, verifiedOnly).everyWay(t, func(p *path) {
		b, person := newBrowser(p.t), p.newPerson()
		p.op.SetUser(person, map[string]any{"email": person + "@example.com", "email_verified": false})
		p.signIn(b, person).refuses("email_not_verified")
		p.signIn(b, person).refuses("email_not_verified")
		p.anonymous(b)
		p.op.SetUser(person, map[string]any{"email": person + "@example.com", "email_verified": true})
		p.signIn(b, person) // marks the address as verified
		p.signIn(b, person).leadsTo("/dash")
		if user := b.user(p.end); user["emailVerified"] != true {
			p.t.Errorf("user %v", user)
		}
	})
}

// TestPromotion: an address becomes verified when the provider says so of the same
// address, and not unverified again.
func TestPromotion(t *testing.T) {
	t.Parallel()
	newWorld(t, setting{}).everyWay(t, func(p *path) {
		person := p.newPerson()
		for _, step := range []struct {
			email          string
			verified, want any
		}{
			{person + "@example.com", false, false},
			{"other-" + person + "@example.com", true, false},
			{strings.ToUpper(person) + "@example.com", true, true},
			{person + "@example.com", false, true},
		} {
			p.op.SetUser(person, map[string]any{"email": step.email, "email_verified": step.verified})
			b := newBrowser(p.t)
			p.signIn(b, person)
			if user := b.user(p.end); user["emailVerified"] != step.want || user["email"] != person+"@example.com" {
				p.t.Errorf("after %v: %v", step, user)
			}
		}
	})
}

// TestKeepTokens: tokens of a new sign-in replace those that are stored, unless
// the configuration says otherwise.
func TestKeepTokens(t *testing.T) {
	t.Parallel()
	for name, s := range map[string]setting{"replace": {}, "keep": keepTokens} {
		t.Run(name, func(t *testing.T) {
			newWorld(t, s).everyWay(t, func(p *path) {
				b, person := p.signUp()
				before := b.post(p.end, "/get-access-token", p.byID(b)).tokens()
				p.signIn(b, person).leadsTo("/dash")
				after := b.post(p.end, "/get-access-token", p.byID(b)).tokens()
				if kept := after.AccessToken == before.AccessToken && after.IDToken == before.IDToken; kept != (name == "keep") {
					p.t.Errorf("before %+v, after %+v", before, after)
				}
			})
		})
	}
}

// TestUpdateOnLink: a link changes name and image if that is wanted, and the
// address never.
func TestUpdateOnLink(t *testing.T) {
	t.Parallel()
	newWorld(t, updatesOnLink).everyWay(t, func(p *path) {
		person := p.newPerson()
		b := p.join(person + "@example.com")
		p.op.SetUser(person, map[string]any{"email": person + "@example.com", "email_verified": true, "name": "Countess", "picture": "https://example.com/p.png"})
		p.link(b, person).leadsTo("/dash")
		if user := b.user(p.end); user["name"] != "Countess" || user["image"] != "https://example.com/p.png" || user["email"] != person+"@example.com" || user["emailVerified"] != false {
			p.t.Errorf("user %v", user)
		}
	})
}

// TestMoreScopes: a link asks for more than the sign-in did, and what was granted
// is remembered with what was granted before.
func TestMoreScopes(t *testing.T) {
	t.Parallel()
	newWorld(t, setting{}).everyWay(t, func(p *path) {
		b, person := p.signUp()
		body := flow("op", person)
		body["scopes"] = []string{"offline_access"}
		body["additionalParams"] = map[string]string{"prompt": "consent", "ui_locales": "de fr"}
		authorization := b.begin(p.begun, "/link-social", body)
		b.follow(p.end, p.op.Authorize(p.t, authorization)).leadsTo("/dash")
		sent := p.op.RequestsTo("/auth")
		query, err := url.ParseQuery(sent[len(sent)-1].Query)
		if err != nil {
			p.t.Fatal(err)
		}
		asked := strings.Fields(query.Get("scope"))
		if !slices.Contains(asked, "offline_access") || !slices.Contains(asked, "email") || query.Get("prompt") != "consent" || query.Get("ui_locales") != "de fr" {
			p.t.Errorf("the provider was asked %v", query)
		}
		scopes := b.accounts(p.end)[0].Scopes
		if slices.Sort(scopes); strings.Join(scopes, " ") != "email offline_access openid profile" {
			p.t.Errorf("scopes %v", scopes)
		}
	})
}

// TestReservedParams: a request cannot take the flow apart that it begins.
func TestReservedParams(t *testing.T) {
	t.Parallel()
	newWorld(t, setting{}).alone(t, func(p *path) {
		for _, name := range []string{"state", "client_id", "redirect_uri", "response_type", "code_challenge", "code_challenge_method", "nonce", "scope"} {
			for _, endpoint := range []string{"/sign-in/social", "/link-social"} {
				b := p.join(p.newPerson() + "@example.com")
				body := flow("op", "")
				body["additionalParams"] = map[string]string{name: "x"}
				b.post(p.end, endpoint, body).fails(400, "VALIDATION_ERROR")
			}
		}
	})
}

// TestCallbackURLs: a flow ends on pages of the application only.
func TestCallbackURLs(t *testing.T) {
	t.Parallel()
	newWorld(t, setting{}).alone(t, func(p *path) {
		for name, code := range map[string]string{"callbackURL": "INVALID_CALLBACK_URL", "errorCallbackURL": "INVALID_ERROR_CALLBACK_URL", "newUserCallbackURL": "INVALID_NEW_USER_CALLBACK_URL"} {
			for _, target := range []string{"http://evil.test/", "//evil.test/", `/\evil.test`, "/%5cevil.test", "javascript:alert(1)", "http://auth.test.evil.test/"} {
				body := flow("op", "")
				body[name] = target
				newBrowser(p.t).post(p.end, "/sign-in/social", body).fails(403, code)
			}
		}
		for _, target := range []string{baseURL + "/deep?x=1#f", "/a?x=%2f", "/a/../b"} {
			b, body := newBrowser(p.t), flow("op", p.newPerson())
			delete(body, "newUserCallbackURL")
			body["callbackURL"] = target
			b.follow(p.end, p.op.Authorize(p.t, b.begin(p.begun, "/sign-in/social", body))).leadsTo(target)
		}
	})
}

// TestAnyBrowser: without the check of the cookie a callback works in every
// browser, still once.
func TestAnyBrowser(t *testing.T) {
	t.Parallel()
	newWorld(t, anyBrowser).everyWay(t, func(p *path) {
		callback := p.authorize(newBrowser(p.t), p.newPerson())
		b := newBrowser(p.t)
		b.follow(p.end, callback).leadsTo("/welcome")
		newBrowser(p.t).follow(p.end, callback).refusesAt(errorPage, "state_mismatch")
	})
}

// TestHashedStates: both servers find a flow whose state is stored as a hash, and
// the database does not tell the state.
func TestHashedStates(t *testing.T) {
	t.Parallel()
	newWorld(t, hashedStates).everyWay(t, func(p *path) {
		b := newBrowser(p.t)
		callback := p.authorize(b, p.newPerson())
		state := callback.Query().Get("state")
		if n := p.column(p.t, "SELECT count(*) FROM verification WHERE identifier LIKE '%' || ? || '%'", state); n[0] != "0" {
			p.t.Error("the state is an identifier")
		}
		b.follow(p.end, callback).leadsTo("/welcome")
		b.follow(p.end, callback).refusesAt(errorPage, "state_mismatch")
	})
}

// TestFlowsLeaveNothing: the row of a flow is gone when the flow is over.
func TestFlowsLeaveNothing(t *testing.T) {
	t.Parallel()
	newWorld(t, setting{}).everyWay(t, func(p *path) {
		p.signUp()
		p.signIn(newBrowser(p.t), "deny").refuses("access_denied")
		if rows := p.column(p.t, "SELECT identifier FROM verification"); len(rows) != 0 {
			p.t.Errorf("left: %v", rows)
		}
	})
}

// TestRotatedSecrets: what is encrypted says with which secret, to both servers.
func TestRotatedSecrets(t *testing.T) {
	t.Parallel()
	t.Run("tokens", func(t *testing.T) {
		newWorld(t, rotated(encrypted)).everyWay(t, func(p *path) {
			b, person := p.signUp()
			if p.end.shared {
				if stored := p.column(p.t, "SELECT refreshToken FROM account WHERE accountId = ?", person); !strings.HasPrefix(stored[0], "$ba$2$") {
					p.t.Errorf("stored %v", stored)
				}
			}
			for _, at := range []*site{p.begun, p.end} {
				if answer := b.post(at, "/refresh-token", p.byID(b)).tokens(); p.atProvider(answer.AccessToken)["sub"] != person {
					p.t.Errorf("at %s: %+v", at.name, answer)
				}
			}
		})
	})
	t.Run("state", func(t *testing.T) {
		newWorld(t, rotated(stateInCookie)).everyWay(t, func(p *path) { p.signUp() })
	})
	t.Run("account", func(t *testing.T) {
		newWorld(t, rotated(accountCookie)).everyWay(t, func(p *path) {
			b, person := p.signUp()
			if answer := b.post(p.begun, "/get-access-token", map[string]any{"useAccountCookie": true}).tokens(); p.atProvider(answer.AccessToken)["sub"] != person {
				p.t.Errorf("%+v", answer)
			}
		})
	})
	t.Run("link", func(t *testing.T) {
		newWorld(t, rotated(differentEmails)).everyWay(t, func(p *path) {
			person := p.newPerson()
			p.link(p.join(person+"@example.com"), person).leadsTo("/dash")
		})
	})
}

// TestIdPInitiated: who comes from the provider without having begun here begins
// now, with a state, and is not signed in by the code that they brought.
func TestIdPInitiated(t *testing.T) {
	t.Parallel()
	newWorld(t, idpInitiated).everyWay(t, func(p *path) {
		b := newBrowser(p.t)
		r := b.get(p.begun, "/callback/op?code=brought&iss="+url.QueryEscape(p.op.Issuer)).is(302)
		location := r.header.Get("Location")
		if !strings.HasPrefix(location, p.op.Issuer+"/auth?") || b.value("state") == "" {
			p.t.Fatalf("leads to %s", location)
		}
		p.anonymous(b)
		b.follow(p.end, p.op.Authorize(p.t, location+"&login_hint="+p.newPerson())).leadsTo(baseURL)
		if b.user(p.end) == nil {
			p.t.Error("nobody is signed in")
		}
		b.get(p.begun, "/callback/op?state=&code=brought").refusesAt(errorPage, "state_not_found")
	})
	newWorld(t, setting{}).alone(t, func(p *path) {
		newBrowser(p.t).get(p.begun, "/callback/op?code=brought").refusesAt(errorPage, "state_not_found")
	})
}

// TestStateless: without a database everything that a server knows of a user is in
// the cookies, and the other server reads them.
func TestStateless(t *testing.T) {
	t.Parallel()
	newWorld(t, setting{stateless: true}).everyWay(t, func(p *path) {
		b, person := p.signUp()
		for _, at := range []*site{p.begun, p.end} {
			if user := b.user(at); user["email"] != person+"@example.com" {
				p.t.Errorf("at %s: %v", at.name, user)
			}
			answer := b.post(at, "/get-access-token", map[string]any{"useAccountCookie": true}).tokens()
			if p.atProvider(answer.AccessToken)["sub"] != person {
				p.t.Errorf("at %s: %+v", at.name, answer)
			}
		}
		refreshed := b.post(p.begun, "/refresh-token", map[string]any{"useAccountCookie": true}).tokens()
		if got := b.post(p.end, "/get-access-token", map[string]any{"useAccountCookie": true}).tokens(); got.AccessToken != refreshed.AccessToken {
			p.t.Errorf("the cookie has the token %s, want %s", got.AccessToken, refreshed.AccessToken)
		}
		b.post(p.begun, "/sign-out", map[string]any{}).is(200)
		if p.anonymous(b); b.value("account_data") != "" || b.value("session_data") != "" {
			p.t.Errorf("cookies left: %v", b.cookies)
		}
	})
}
