package oauthtest

import (
	"encoding/json"
	"testing"
)

// rewrite changes the stored payload of a flow.
func (p *path) rewrite(state string, change func(payload map[string]any)) {
	p.t.Helper()
	stored := p.column(p.t, "SELECT value FROM verification WHERE identifier = ?", "auth-state:"+state)
	if len(stored) != 1 {
		p.t.Fatalf("stored: %v", stored)
	}
	var payload map[string]any
	if err := json.Unmarshal([]byte(stored[0]), &payload); err != nil {
		p.t.Fatalf("%v: %s", err, stored[0])
	}
	change(payload)
	text, err := json.Marshal(payload)
	if err != nil {
		p.t.Fatal(err)
	}
	p.exec("UPDATE verification SET value = ? WHERE identifier = ?", string(text), "auth-state:"+state)
}

func (p *path) exec(statement string, arguments ...any) {
	p.t.Helper()
	if _, err := p.db.ExecContext(p.t.Context(), statement, arguments...); err != nil {
		p.t.Fatal(err)
	}
}

// TestStoredState: both servers read the row of a flow in the same way, whoever
// wrote it, and trust of what stands in it what the cookie and the provider confirm.
func TestStoredState(t *testing.T) {
	t.Parallel()
	set := func(name string, value any) func(map[string]any) {
		return func(payload map[string]any) { payload[name] = value }
	}
	without := func(name string) func(map[string]any) {
		return func(payload map[string]any) { delete(payload, name) }
	}
	newWorld(t, setting{}).stored(t, func(p *path) {
		for reason, test := range map[string]struct {
			change func(map[string]any)
			want   string
		}{
			"unchanged":           {func(map[string]any) {}, "/welcome"},
			"further members":     {set("note", map[string]any{"a": 1}), "/welcome"},
			"another callback":    {set("newUserURL", "/other"), "/other"},
			"no page for the new": {without("newUserURL"), "/dash"},
			"over":                {set("expiresAt", 1), "/oops?error=state_mismatch"},
			"without its state":   {without("oauthState"), "/welcome"},
			"another state":       {set("oauthState", "another"), "/oops?error=state_mismatch"},
			"another verifier":    {set("codeVerifier", "another-verifier-of-forty-three-characters-x"), "/oops?error=invalid_code"},
			"another nonce":       {set("idTokenNonce", "another"), "/oops?error=unable_to_get_user_info"},
			"no nonce":            {without("idTokenNonce"), "/oops?error=nonce_binding_missing"},
			"no callback":         {set("callbackURL", ""), "/oops?error=no_callback_url"},
			"callback missing":    {without("callbackURL"), errorPage + "?error=internal_server_error"},
			"verifier missing":    {without("codeVerifier"), errorPage + "?error=internal_server_error"},
			"expiry missing":      {without("expiresAt"), errorPage + "?error=internal_server_error"},
			"expiry as text":      {set("expiresAt", "9999999999999"), errorPage + "?error=internal_server_error"},
			"callback as number":  {set("callbackURL", 7), errorPage + "?error=internal_server_error"},
			"link to nobody":      {set("link", map[string]any{"userId": "nobody", "email": "x@example.com"}), "/oops?error=email_does_not_match"},
			"link with a broken session": {
				set("link", map[string]any{"userId": "nobody", "email": "x@example.com", "encryptedSessionToken": "00"}), "/oops?error=unable_to_link_account",
			},
		} {
			b := newBrowser(p.t)
			callback := p.authorize(b, p.newPerson())
			p.rewrite(callback.Query().Get("state"), test.change)
			if r := b.follow(p.end, callback); r.status != 302 || r.header.Get("Location") != test.want {
				p.t.Errorf("%s: %d %s, want %s", reason, r.status, r.header.Get("Location"), test.want)
			}
		}
	})
}

// TestBrokenRow: what is no payload at all is no flow.
func TestBrokenRow(t *testing.T) {
	t.Parallel()
	newWorld(t, setting{}).stored(t, func(p *path) {
		for _, value := range []string{"", "null", "[]", "{", `"text"`, "7"} {
			b := newBrowser(p.t)
			callback := p.authorize(b, p.newPerson())
			p.exec("UPDATE verification SET value = ?", value)
			b.follow(p.end, callback).refusesAt(errorPage, "internal_server_error")
			p.anonymous(b)
		}
	})
}

// TestLockedOut: an account that stands there twice, or whose user is gone, signs
// nobody in.
func TestLockedOut(t *testing.T) {
	t.Parallel()
	newWorld(t, setting{}).stored(t, func(p *path) {
		_, ann := p.signUp()
		_, bob := p.signUp()
		p.exec("UPDATE account SET accountId = ? WHERE accountId = ?", ann, bob)
		b := newBrowser(p.t)
		p.signIn(b, ann).refusesAt(errorPage, "internal_server_error")
		p.anonymous(b)
		p.exec("PRAGMA foreign_keys = OFF")
		_, cid := p.signUp()
		p.exec("UPDATE account SET userId = 'gone' WHERE accountId = ?", cid)
		p.signIn(b, cid).refuses("unable_to_link_account")
		p.anonymous(b)
	})
}
