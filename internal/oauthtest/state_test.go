package oauthtest

import (
	"net/http"
	"net/url"
	"strings"
	"sync"
	"testing"
)

// with returns a callback with another parameter; an empty value takes it away.
func with(callback *url.URL, name, value string) *url.URL {
	changed, query := *callback, callback.Query()
	if query.Set(name, value); value == "" {
		query.Del(name)
	}
	changed.RawQuery = query.Encode()
	return &changed
}

// set replaces a cookie, named without the prefix.
func (b *browser) set(name, value string) {
	name = "better-auth." + name
	b.cookies[name] = &http.Cookie{Name: name, Value: value}
}

func (b *browser) value(name string) string {
	if cookie := b.cookies["better-auth."+name]; cookie != nil {
		return cookie.Value
	}
	return ""
}

// TestLoginCSRF: a callback that an attacker made with their own account signs
// nobody else in. The attempt leaves the flow as it was: the attacker's own browser
// can still finish it, and so could a victim whose URL was tried elsewhere.
func TestLoginCSRF(t *testing.T) {
	t.Parallel()
	newWorld(t, setting{}).everyWay(t, func(p *path) {
		eve, person := newBrowser(p.t), p.newPerson()
		callback := p.authorize(eve, person)
		victim := newBrowser(p.t)
		victim.follow(p.end, callback).refuses("state_mismatch")
		p.anonymous(victim)
		p.authorize(victim, p.newPerson()) // has a state of their own now
		victim.follow(p.end, callback).refuses("state_mismatch")
		p.anonymous(victim)
		eve.follow(p.end, callback).leadsTo("/welcome")
	})
}

// TestStateCookie: nothing but the cookie that came with the state finishes a
// flow.
func TestStateCookie(t *testing.T) {
	t.Parallel()
	newWorld(t, setting{}).everyWay(t, func(p *path) {
		b := newBrowser(p.t)
		callback := p.authorize(b, p.newPerson())
		own := b.value("state")
		signed, signature, _ := strings.Cut(own, ".")
		other := newBrowser(p.t)
		p.authorize(other, p.newPerson())
		for reason, value := range map[string]string{
			"empty":               "",
			"another flow's":      other.value("state"),
			"unsigned":            signed,
			"without signature":   signed + ".",
			"without value":       "." + signature,
			"another's signature": signed + other.value("state")[strings.Index(other.value("state"), "."):],
			"broken signature":    strings.Replace(own, "%3D", "", 1),
			"longer":              own + "A",
			"twice":               own + "." + own,
		} {
			thief := newBrowser(p.t)
			thief.set("state", value)
			if r := thief.follow(p.end, callback); r.status != 302 || !strings.HasPrefix(r.header.Get("Location"), "/oops?error=state_mismatch") {
				p.t.Errorf("%s: %d %s", reason, r.status, r.header.Get("Location"))
			}
			p.anonymous(thief)
		}
		b.follow(p.end, callback).leadsTo("/welcome")
	})
}

// TestState: a state that this server did not make, or none, leads to the error
// page, since nobody knows what the flow wanted.
func TestState(t *testing.T) {
	t.Parallel()
	newWorld(t, setting{}).everyWay(t, func(p *path) {
		b := newBrowser(p.t)
		callback := p.authorize(b, p.newPerson())
		state := callback.Query().Get("state")
		b.follow(p.end, with(callback, "state", "")).refusesAt(errorPage, "state_not_found")
		for _, wrong := range []string{"unknown", strings.ToUpper(state), state + "A", state[1:], "auth-state:" + state, "%00", state + "\x00"} {
			b.follow(p.end, with(callback, "state", wrong)).refusesAt(errorPage, "state_mismatch")
		}
		b.get(p.end, "/callback/op?state="+state+"&state="+state).fails(400, "VALIDATION_ERROR")
		b.follow(p.end, callback).leadsTo("/welcome")
	})
}

// TestParallelFlows: of two tabs the one that was opened last signs in, and the
// other does not sign in with its cookie.
func TestParallelFlows(t *testing.T) {
	t.Parallel()
	newWorld(t, setting{}).everyWay(t, func(p *path) {
		b, first, second := newBrowser(p.t), p.newPerson(), p.newPerson()
		callbacks := []*url.URL{p.authorize(b, first), p.authorize(b, second)}
		b.follow(p.end, callbacks[0]).refuses("state_mismatch")
		p.anonymous(b)
		b.follow(p.end, callbacks[1]).leadsTo("/welcome")
		if user := b.user(p.end); user["name"] != "User "+second {
			p.t.Errorf("%v is signed in", user)
		}
	})
}

// TestOtherCallback: what comes back is refused in the order of the contract, and
// each time on the page of the flow.
func TestOtherCallback(t *testing.T) {
	t.Parallel()
	newWorld(t, setting{}).everyWay(t, func(p *path) {
		for reason, test := range map[string]struct {
			change func(callback *url.URL) *url.URL
			code   string
		}{
			"no code":             {func(u *url.URL) *url.URL { return with(u, "code", "") }, "no_code"},
			"wrong code":          {func(u *url.URL) *url.URL { return with(u, "code", "guessed") }, "invalid_code"},
			"another issuer":      {func(u *url.URL) *url.URL { return with(u, "iss", p.mock.Issuer) }, "issuer_mismatch"},
			"issuer with a slash": {func(u *url.URL) *url.URL { return with(u, "iss", p.op.Issuer+"/") }, "issuer_mismatch"},
			"an error":            {func(u *url.URL) *url.URL { return with(u, "error", "server_error") }, "server_error"},
		} {
			b := newBrowser(p.t)
			callback := p.authorize(b, p.newPerson())
			if r := b.follow(p.end, test.change(callback)); r.status != 302 || r.header.Get("Location") != "/oops?error="+test.code {
				p.t.Errorf("%s: %d %s, want %s", reason, r.status, r.header.Get("Location"), test.code)
			}
			b.follow(p.end, callback).refusesAt(errorPage, "state_mismatch") // the flow is over
			p.anonymous(b)
		}
		b := newBrowser(p.t)
		anonymous := b.follow(p.end, with(p.authorize(b, p.newPerson()), "iss", ""))
		if p.end.name == "npm" {
			anonymous.leadsTo("/welcome")
		} else {
			anonymous.refuses("issuer_missing") // the provider announces that it sends it (RFC 9207 section 2.4)
		}
	})
}

// TestOtherProvider: a flow that began with one provider is not finished by what
// another one sends (the mix-up attack of RFC 9700 section 4.4). This library
// remembers the provider with the state and leaves the flow as it was; the
// original compares the issuer if it was sent, and the other provider gets a code
// that it has not made.
func TestOtherProvider(t *testing.T) {
	t.Parallel()
	newWorld(t, setting{}).everyWay(t, func(p *path) {
		remembers := p.begun.name != "npm" && p.end.name != "npm"
		for path, code := range map[string]string{"../unknown": "oauth_provider_not_found", "../mock": "issuer_mismatch", "../mock?": "invalid_code"} {
			b := newBrowser(p.t)
			callback := p.authorize(b, p.newPerson())
			other := callback.JoinPath(strings.TrimSuffix(path, "?"))
			if strings.HasSuffix(path, "?") {
				other = with(other, "iss", "")
			}
			if remembers {
				b.follow(p.end, other).refuses("state_mismatch")
				b.follow(p.end, callback).leadsTo("/welcome")
				continue
			}
			b.follow(p.end, other).refuses(code)
			b.follow(p.end, callback).refusesAt(errorPage, "state_mismatch")
			p.anonymous(b)
		}
	})
}

// TestDoubleClick: a callback that is opened many times at the same moment signs in
// once, and the provider gets the code once: some take the second use for a theft
// and end what the first one began. (The original lets two through.)
func TestDoubleClick(t *testing.T) {
	t.Parallel()
	newWorld(t, setting{}).ours(t, func(p *path) {
		b := newBrowser(p.t)
		callback := p.authorize(b, p.newPerson())
		before := len(p.op.RequestsTo("/token"))
		replies := make(chan reply, 8)
		var all sync.WaitGroup
		for range cap(replies) {
			all.Go(func() { replies <- b.clone().follow(p.end, callback) })
		}
		all.Wait()
		close(replies)
		signedIn := 0
		for r := range replies {
			if r.header.Get("Location") == "/welcome" {
				signedIn++
				continue
			}
			r.refusesAt(errorPage, "state_mismatch")
		}
		if n := len(p.op.RequestsTo("/token")) - before; signedIn != 1 || n != 1 {
			p.t.Errorf("%d signed in, %d exchanges", signedIn, n)
		}
	})
}

// TestStateInCookie: with the whole state in a cookie the two servers understand
// each other too, and whoever changes or borrows the cookie is refused.
func TestStateInCookie(t *testing.T) {
	t.Parallel()
	newWorld(t, stateInCookie).everyWay(t, func(p *path) {
		b, person := newBrowser(p.t), p.newPerson()
		callback := p.authorize(b, person)
		if b.value("state") != "" || b.value("oauth_state") == "" {
			p.t.Fatalf("cookies %v", b.cookies)
		}
		own := b.value("oauth_state")
		other := newBrowser(p.t)
		foreign := p.authorize(other, p.newPerson())
		for reason, test := range map[string]struct{ value, code, page string }{
			"none":     {"", "state_mismatch", errorPage},
			"no hex":   {"x" + own, "state_invalid", errorPage},
			"cut":      {own[:len(own)-2], "state_invalid", errorPage},
			"changed":  {flip(own), "state_invalid", errorPage},
			"another":  {other.value("oauth_state"), "state_mismatch", "/oops"},
			"reversed": {own[len(own)/2:] + own[:len(own)/2], "state_invalid", errorPage},
		} {
			thief := newBrowser(p.t)
			if test.value != "" {
				thief.set("oauth_state", test.value)
			}
			if r := thief.follow(p.end, callback); r.status != 302 || r.header.Get("Location") != test.page+"?error="+test.code {
				p.t.Errorf("%s: %d %s", reason, r.status, r.header.Get("Location"))
			}
		}
		b.follow(p.end, callback).leadsTo("/welcome")
		if b.value("oauth_state") != "" {
			p.t.Error("the cookie stays")
		}
		// The server keeps nothing: it is the provider that refuses the code.
		thief := newBrowser(p.t)
		thief.set("oauth_state", own)
		thief.follow(p.end, callback).refuses("invalid_code")
		other.follow(p.end, foreign).leadsTo("/welcome")
	})
}

// flip changes one hexadecimal digit in the middle of a text.
func flip(text string) string {
	digits := []byte(text)
	if i := len(digits) / 2; digits[i] == '0' {
		digits[i] = '1'
	} else {
		digits[i] = '0'
	}
	return string(digits)
}
