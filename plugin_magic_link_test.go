package auth

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"
)

// magicWorld is an instance with the plugin and what it has mailed.
type magicWorld struct {
	*world
	plugin *MagicLink
	mu     sync.Mutex
	links  []MagicLinkMail
}

func withMagicLink(t *testing.T, m *MagicLink, edit ...func(*Config)) *magicWorld {
	t.Helper()
	w := &magicWorld{plugin: m}
	m.Send = w.keep
	w.world = newWorld(t, append(edit, func(c *Config) { c.Plugins = append(c.Plugins, m) })...)
	return w
}

func (w *magicWorld) keep(_ context.Context, mail MagicLinkMail) error {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.links = append(w.links, mail)
	return nil
}

// ask has a link mailed and returns the mail.
func (w *magicWorld) ask(body map[string]any) MagicLinkMail {
	w.t.Helper()
	w.browser().post("/sign-in/magic-link", body).ok(w.t)
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.links[len(w.links)-1]
}

func TestMagicLinkDoors(t *testing.T) {
	const known = "abcdefghijklmnopqrstuvwxyzABCDEF"
	checkPluginDoors(t, doorSet{
		plugin: func() Plugin {
			return &MagicLink{
				Send: func(_ context.Context, m MagicLinkMail) error {
					switch m.Email {
					case "failing@example.com":
						return errSecret
					case "refused@example.com":
						return NewError(403, "NO_MAILS", "No mails for you")
					}
					return nil
				},
			}
		},
		prepare: func(d *doorWorld) {
			value := magicLink{Type: magicLinkType, Email: "ANN@example.com"}.String()
			if err := d.core.createVerification(d.t.Context(), purposeMagicLink, known, value, time.Minute); err != nil {
				d.t.Fatal(err)
			}
			d.secret["$link"] = known
		},
		cases: []doorCase{
			{op: "signInMagicLink", input: `{"email":"ann@example.com"}`, want: 200},
			{op: "signInMagicLink", input: `{"email":"new@example.com","name":"New","callbackURL":"/in","metadata":{"a":[1]}}`, want: 200},
			{op: "signInMagicLink", input: `{"email":"ann"}`, want: 400},
			{op: "signInMagicLink", input: `{}`, wire: true, want: 400},
			{op: "signInMagicLink", input: `{"email":"refused@example.com"}`, want: 403},
			{op: "signInMagicLink", input: `{"email":"ann@example.com"}`, broken: true, want: 500},
			{op: "magicLinkVerify", input: `{"token":"$link"}`, want: 200},
			{op: "magicLinkVerify", input: `{"token":"$link"}`, as: "ann", want: 200},
			{op: "magicLinkVerify", input: `{"token":"$link","callbackURL":"/in"}`, want: 302},
			{op: "magicLinkVerify", input: `{"token":"unknown","errorCallbackURL":"/oops?a=b"}`, want: 302},
			{op: "magicLinkVerify", input: `{}`, wire: true, want: 400},
			{op: "magicLinkVerify", input: `{"token":"$link"}`, broken: true, want: 500},
		},
	})
}

func TestMagicLinkOptions(t *testing.T) {
	send := func(context.Context, MagicLinkMail) error { return nil }
	for reason, m := range map[string]*MagicLink{"nobody sends": {}, "a negative lifetime": {Send: send, ExpiresIn: -1}, "a negative limit": {Send: send, RateLimit: RateRule{Max: -1}}} {
		if _, err := New(Config{BaseURL: testOrigin, Secret: testSecret, Store: NewMemoryStore(), Plugins: []Plugin{m}}); err == nil {
			t.Errorf("%s: no error", reason)
		}
	}
}

// TestMagicLink: a link signs in once, whoever has it, and for five minutes.
func TestMagicLink(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := withMagicLink(t, &MagicLink{})
		mail := w.ask(map[string]any{"email": "Ann@Example.com", "name": "Ann", "callbackURL": "/in?a=b", "newUserCallbackURL": "/welcome", "metadata": map[string]any{"x": "y"}})
		if want := testBase + "/magic-link/verify?token=" + mail.Token + "&callbackURL=%2Fin%3Fa%3Db&newUserCallbackURL=%2Fwelcome"; mail.URL != want || mail.Email != "Ann@Example.com" || mail.Metadata["x"] != "y" || len(mail.Token) != 32 {
			t.Errorf("mail %+v, want %s", mail, want)
		}
		ann := w.browser()
		ann.follow(mail.URL).leads(t, testOrigin+"/welcome")
		user := ann.get("/get-session")
		if user.field(t, "user.email") != "ann@example.com" || user.field(t, "user.name") != "Ann" || user.field(t, "user.emailVerified") != true {
			t.Errorf("user %s", user.body)
		}
		again := w.browser()
		if again.follow(mail.URL).leads(t, testOrigin+"/in?a=b&error=INVALID_TOKEN"); again.signedIn() {
			t.Error("a link signed in twice")
		}
		mail = w.ask(map[string]any{"email": "ann@example.com", "name": "Other"})
		time.Sleep(5*time.Minute - time.Second)
		phone := w.browser()
		r := phone.get("/magic-link/verify?token=" + mail.Token).ok(t)
		if r.field(t, "user.name") != "Ann" || r.field(t, "session.token") != r.field(t, "token") || !phone.signedIn() {
			t.Errorf("answer %s", r.body)
		}
		late := w.ask(map[string]any{"email": "ann@example.com"})
		time.Sleep(5*time.Minute + time.Second)
		if w.browser().follow(late.URL).leads(t, testOrigin+"/?error=INVALID_TOKEN"); count(t, w.world, w.core.verifications.table) != 0 {
			t.Error("a link that has expired stays")
		}
	})
}

// TestMagicLinkTokens: what makes tokens and what hides them may be the
// application's; nothing comes of a generator that has nothing to give.
func TestMagicLinkTokens(t *testing.T) {
	token, problem := "chosen", error(nil)
	w := withMagicLink(t, &MagicLink{
		ExpiresIn: time.Hour, StoreToken: HashIdentifier,
		GenerateToken: func(_ context.Context, email string) (string, error) { return token + "+" + email, problem },
	})
	mail := w.ask(map[string]any{"email": "ann@example.com"})
	stored, err := w.core.verifications.newest(t.Context(), purposeMagicLink+HashIdentifier("chosen+ann@example.com"))
	if err != nil || stored == nil || stored.ExpiresAt.Sub(stored.CreatedAt) != time.Hour || mail.Token != "chosen+ann@example.com" {
		t.Fatalf("%+v, %v; mail %+v", stored, err, mail)
	}
	w.browser().get("/magic-link/verify?token="+HashIdentifier(mail.Token)).leads(t, testOrigin+"/?error=INVALID_TOKEN")
	w.browser().follow(mail.URL).leads(t, testOrigin+"/")

	problem = errors.New("no entropy")
	w.browser().post("/sign-in/magic-link", `{"email":"ann@example.com"}`).fails(t, 500, "")
	empty := withMagicLink(t, &MagicLink{GenerateToken: func(context.Context, string) (string, error) { return "", nil }})
	empty.browser().post("/sign-in/magic-link", `{"email":"ann@example.com"}`).fails(t, 500, "")
	if len(w.links) != 1 || len(empty.links) != 0 {
		t.Errorf("mails %v %v", w.links, empty.links)
	}
}

// TestMagicLinkRace: of all who follow one link at the same moment one is signed in.
func TestMagicLinkRace(t *testing.T) {
	w := withMagicLink(t, &MagicLink{})
	mail := w.ask(map[string]any{"email": "ann@example.com", "callbackURL": "/in"})
	const n = 40
	browsers := make([]*browser, n)
	var wg sync.WaitGroup
	for i := range browsers {
		browsers[i] = w.browser()
		wg.Go(func() { browsers[i].follow(mail.URL) })
	}
	wg.Wait()
	won := 0
	for _, b := range browsers {
		if b.signedIn() {
			won++
		}
	}
	if sessions := count(t, w.world, w.core.sessions.table); won != 1 || sessions != 1 {
		t.Errorf("%d browsers are signed in, there are %d sessions", won, sessions)
	}
}

// TestMagicLinksOfOneAddress: links of one address that are followed at the same
// moment all sign in, and make one user.
func TestMagicLinksOfOneAddress(t *testing.T) {
	for _, signedUp := range []bool{false, true} {
		w := withMagicLink(t, &MagicLink{})
		if signedUp {
			w.as("ann")
		}
		const n = 20
		browsers := make([]*browser, n)
		var wg sync.WaitGroup
		for i := range browsers {
			mail := w.ask(map[string]any{"email": "ann@example.com"})
			browsers[i] = w.browser()
			wg.Go(func() { browsers[i].follow(mail.URL) })
		}
		wg.Wait()
		for i, b := range browsers {
			if !b.signedIn() {
				t.Errorf("signed up %v: link %d signed nobody in", signedUp, i)
			}
		}
		if n := count(t, w.world, w.core.users.table); n != 1 {
			t.Errorf("signed up %v: %d users", signedUp, n)
		}
	}
}

// refusingStore fails when it is to insert into a table.
type refusingStore struct {
	Store
	table string
}

func (s *refusingStore) Insert(ctx context.Context, table *Table, row Row) error {
	if table.Name == s.table {
		return errSecret
	}
	return s.Store.Insert(ctx, table, row)
}

// TestMagicLinkLosesNothing: a store that fails in the middle leaves the link good
// and everything as it was.
func TestMagicLinkLosesNothing(t *testing.T) {
	store := &refusingStore{Store: NewMemoryStore()}
	w := withMagicLink(t, &MagicLink{}, func(c *Config) { c.Store = store })
	squatter := w.as("known")
	tables := func() (n [3]int64) {
		for i, table := range []*Table{w.core.users.table, w.core.accounts.table, w.core.sessions.table} {
			var err error
			if n[i], err = store.Count(t.Context(), table); err != nil {
				t.Fatal(err)
			}
		}
		return n
	}
	before := tables()
	for _, email := range []string{"known@example.com", "new@example.com"} {
		mail := w.ask(map[string]any{"email": email})
		b := w.browser()
		for _, store.table = range []string{"session", "user"} {
			if email == "known@example.com" && store.table == "user" {
				continue // there is one
			}
			if r := b.follow(mail.URL).fails(t, 500, ""); len(r.Header["Set-Cookie"]) != 0 || tables() != before || !squatter.signedIn() {
				t.Errorf("%s, no %s: %v, rows %v", email, store.table, r.Header, tables())
			}
		}
		store.table = ""
		if b.follow(mail.URL).leads(t, testOrigin+"/"); !b.signedIn() {
			t.Errorf("%s: the link is lost", email)
		}
		if squatter.signedIn() {
			break
		}
		squatter, before = b, tables()
	}
}

// TestMagicLinkComesBack: a link that is in the secondary storage alone is there
// again after a failure.
func TestMagicLinkComesBack(t *testing.T) {
	for mode, apply := range secondaryModes {
		store := &refusingStore{Store: NewMemoryStore()}
		w := withMagicLink(t, &MagicLink{}, apply, func(c *Config) { c.Store, c.SecondaryStorage = store, NewMemorySecondaryStorage() })
		mail := w.ask(map[string]any{"email": "new@example.com"})
		b := w.browser()
		store.table = "user"
		b.follow(mail.URL).fails(t, 500, "")
		store.table = ""
		if b.follow(mail.URL).leads(t, testOrigin+"/"); !b.signedIn() {
			t.Errorf("%s: the link is lost", mode)
		}
		w.browser().follow(mail.URL).leads(t, testOrigin+"/?error=INVALID_TOKEN")
	}
}

// TestMagicLinkRefusals: what forbids to sign in spends the link and is told to the
// page.
func TestMagicLinkRefusals(t *testing.T) {
	refusal := error(nil)
	hook := func(context.Context, *User) error { return refusal }
	sessions := error(nil)
	w := withMagicLink(t, &MagicLink{}, func(c *Config) {
		c.DatabaseHooks.User.BeforeCreate = hook
		c.DatabaseHooks.Session.BeforeCreate = func(context.Context, *Session) error { return sessions }
	})
	oops := testOrigin + "/oops?"
	for _, tt := range []struct {
		user, session error
		location      string // empty: JSON
		status        int
		code          Code
		reason        string
	}{
		{ErrAborted, nil, oops + "error=failed_to_create_user", 302, "", "a hook that refuses a user without a reason"},
		{NewError(400, "NOPE", "no way"), nil, oops + "error=NOPE&error_description=no+way", 302, "", "a hook with a reason"},
		{ErrInvalidValue, nil, oops + "error=failed_to_create_user", 302, "", "a name that cannot be stored"},
		{NewError(403, "", "No"), nil, "", 403, "", "a hook that has no code for it"},
		{nil, ErrAborted, oops + "error=failed_to_create_session", 302, "", "a hook that refuses a session"},
		{nil, NewError(403, "BANNED", "Banned"), "", 403, "BANNED", "a hook that says why"},
	} {
		refusal, sessions = tt.user, tt.session
		mail := w.ask(map[string]any{"email": "ann@example.com", "callbackURL": "/in", "errorCallbackURL": "/oops"})
		b := w.browser()
		r := b.follow(mail.URL)
		if tt.location != "" {
			r.leads(t, tt.location)
		} else {
			r.fails(t, tt.status, tt.code)
		}
		if b.signedIn() {
			t.Errorf("%s: signed in", tt.reason)
		}
		refusal, sessions = nil, nil
		again := w.browser()
		if again.follow(mail.URL); again.signedIn() != errors.Is(tt.user, ErrInvalidValue) {
			t.Errorf("%s: the link signs in afterwards: %v", tt.reason, again.signedIn())
		}
		if user, err := w.core.userByEmail(t.Context(), "ann@example.com"); err != nil {
			t.Fatal(err)
		} else if user != nil {
			if err := w.core.deleteUser(t.Context(), user.ID); err != nil {
				t.Fatal(err)
			}
		}
	}
}

// TestMagicLinkIsChallenged: a link is one factor. It is spent, and what the other
// plugin has stored for the second one stays.
func TestMagicLinkIsChallenged(t *testing.T) {
	c := &challenger{answer: map[string]bool{"twoFactorRedirect": true}}
	w := withMagicLink(t, &MagicLink{}, func(config *Config) { config.Plugins = []Plugin{c} })
	for _, redirects := range []bool{false, true} {
		if c.err = nil; redirects {
			c.err = func(ctx context.Context) error {
				if err := w.core.createVerification(ctx, "second-factor:", "x", "y", time.Minute); err != nil {
					return err
				}
				return ExchangeFrom(ctx).Redirect("/second")
			}
		}
		mail := w.ask(map[string]any{"email": "ann@example.com"})
		b := w.browser()
		if redirects {
			b.follow(mail.URL).leads(t, "/second")
			if v, err := w.core.verifications.newest(t.Context(), "second-factor:x"); err != nil || v == nil {
				t.Errorf("what the redirect needs: %v, %v", v, err)
			}
		} else if r := b.get("/magic-link/verify?token=" + mail.Token).ok(t); r.body != `{"twoFactorRedirect":true}` || len(r.Header["Set-Cookie"]) != 0 {
			t.Errorf("%s %v", r.body, r.Header)
		}
		if in := c.asked[len(c.asked)-1]; in.Method != "magic-link" || in.Redirects != redirects || !in.User.EmailVerified {
			t.Errorf("asked about %+v", in)
		}
		if b.follow(mail.URL).leads(t, testOrigin+"/?error=INVALID_TOKEN"); count(t, w.world, w.core.sessions.table) != 0 {
			t.Error("there is a session")
		}
	}
}

// A row of another purpose, or of another shape, was redeemed as a magic link.
func TestAdvisory_GHSA_965c_763c_88jm_MagicLink(t *testing.T) {
	w := withMagicLink(t, &MagicLink{})
	w.as("ann")
	const link = `{"type":"magic-link","email":"ann@example.com"}`
	for _, tt := range []struct{ purpose, value, reason string }{
		{purposeOAuthState, link, "a state of a flow"},
		{purposeResetPassword, link, "a reset of a password"},
		{"", link, "no purpose"},
		{"MAGIC-LINK:", link, "a purpose in other letters"},
		{purposeMagicLink, `{"email":"ann@example.com"}`, "no type"},
		{purposeMagicLink, `{"type":"oauth-state","email":"ann@example.com"}`, "another type"},
		{purposeMagicLink, `{"Type":"magic-link","email":"ann@example.com"}`, "a member in other letters"},
		{purposeMagicLink, `{"type":"magic-link","email":"ann@example.com","callbackURL":"/"}`, "members of a flow"},
		{purposeMagicLink, `{"type":"magic-link","email":["ann@example.com"]}`, "an address that is none"},
		{purposeMagicLink, `ann@example.com`, "no JSON"},
	} {
		if err := w.core.createVerification(t.Context(), tt.purpose, "token", tt.value, time.Minute); err != nil {
			t.Fatal(err)
		}
		eve := w.browser()
		for _, token := range []string{"token", tt.purpose + "token"} {
			if eve.get("/magic-link/verify?token="+url.QueryEscape(token)).leads(t, testOrigin+"/?error=INVALID_TOKEN"); eve.signedIn() {
				t.Errorf("%s signs in", tt.reason)
			}
		}
		if v, err := w.core.verifications.newest(t.Context(), tt.purpose+"token"); err != nil || v == nil {
			t.Errorf("%s was spent: %v, %v", tt.reason, v, err)
		}
		if err := w.core.verifications.removeAll(t.Context(), tt.purpose+"token"); err != nil {
			t.Fatal(err)
		}
	}
}

// A squatter signed up with somebody's address; the password was good after the
// owner had signed in with a link.
func TestAdvisory_GHSA_qq9h_g4jm_xgf3_MagicLink(t *testing.T) {
	w := withMagicLink(t, &MagicLink{})
	squatter := w.as("ann")
	owner := w.browser()
	owner.follow(w.ask(map[string]any{"email": "ann@example.com"}).URL).leads(t, testOrigin+"/")
	if squatter.signedIn() || !owner.signedIn() {
		t.Error("the squatter's session goes on")
	}
	w.browser().post("/sign-in/email", credentials("ann")).fails(t, 401, ErrInvalidEmailOrPassword)
	if n := count(t, w.world, w.core.accounts.table); n != 0 {
		t.Errorf("%d accounts", n)
	}
	// what a proven owner has is theirs
	w.browser().post("/request-password-reset", `{"email":"ann@example.com"}`).ok(t)
	w.browser().post("/reset-password", map[string]string{"token": w.lastMail().Token, "newPassword": "password of ann"}).ok(t)
	w.browser().follow(w.ask(map[string]any{"email": "ann@example.com"}).URL)
	if w.signIn("ann"); !owner.signedIn() {
		t.Error("a second link took away what the owner has")
	}
}

// A link was spent before the other checks had passed.
func TestAdvisory_GHSA_hc7v_x88r_fmh4(t *testing.T) {
	w := withMagicLink(t, &MagicLink{})
	mail := w.ask(map[string]any{"email": "ann@example.com"})
	for _, query := range []string{
		"&callbackURL=https://evil.example", "&newUserCallbackURL=//evil.example", "&errorCallbackURL=https://evil.example",
	} {
		w.browser().get("/magic-link/verify?token="+mail.Token+query).fails(t, 403, ErrInvalidCallbackURL)
	}
	w.browser().get("/magic-link/verify?token="+mail.Token+"&callbackURL=/a&callbackURL=/b").fails(t, 400, ErrValidation)
	_, err := w.plugin.Verify.Call(t.Context(), MagicLinkVerifyRequest{Token: mail.Token, CallbackURL: `\\evil`}, WithHeaders(http.Header{}))
	if !errors.Is(err, ErrInvalidCallbackURL) {
		t.Errorf("a call: %v", err)
	}
	if _, err := w.plugin.Verify.Call(t.Context(), MagicLinkVerifyRequest{Token: mail.Token}); err == nil || errors.Is(err, ErrInvalidToken) {
		t.Errorf("a call without headers: %v", err)
	}
	ann := w.browser()
	if ann.follow(mail.URL).leads(t, testOrigin+"/"); !ann.signedIn() {
		t.Error("the link is spent")
	}
}

// An address was validated before it was normalized, and then was another one.
func TestAdvisory_GHSA_7rqj_MagicLink(t *testing.T) {
	w := withMagicLink(t, &MagicLink{})
	for _, email := range []string{
		"bo\u212a@example.com", "\u0130da@example.com", "ann@ｅxample.com", "ann@example.com,eve@example.com",
		"ann@example.com\n", " ann@example.com", "ann@example.com\x00", "\"ann@example.com\"", "ann@example.com>", "ａnn@example.com",
	} {
		w.browser().post("/sign-in/magic-link", map[string]any{"email": email}).fails(t, 400, ErrValidation)
	}
	if len(w.links) != 0 || count(t, w.world, w.core.verifications.table) != 0 {
		t.Errorf("mails %+v", w.links)
	}
}

func TestMagicLinkRateLimit(t *testing.T) {
	for max, m := range map[int]*MagicLink{5: {}, 2: {RateLimit: RateRule{Max: 2}}} {
		w := withMagicLink(t, m, func(c *Config) { c.RateLimit = RateLimit{} })
		for i := range max + 1 {
			want := map[bool]int{true: 400, false: 429}[i < max]
			if r := w.browser().post("/sign-in/magic-link", `{}`); r.StatusCode != want {
				t.Errorf("%d of %d: %d", i, max, r.StatusCode)
			}
			if r := w.browser().get("/magic-link/verify"); r.StatusCode != want {
				t.Errorf("%d of %d: %d", i, max, r.StatusCode)
			}
		}
	}
}

// FuzzMagicLinkValue: what is read is written in the same way again, and nothing
// else is a link.
func FuzzMagicLinkValue(f *testing.F) {
	for _, value := range []string{
		`{"type":"magic-link","email":"ann@example.com"}`, `{"type":"magic-link","email":"Ann@example.com","name":"<Ann> \u2028"}`,
		`{"type":"magic-link","email":"ann@example.com","name":null}`, `{"type":"magic-link","email":"ann@example.com"}x`,
		`{"TYPE":"magic-link","type":"x","email":"ann@example.com"}`, `null`, `[]`, `{}`, ``, `{"type":"magic-link","type":"a"}`,
	} {
		f.Add(value)
	}
	f.Fuzz(func(t *testing.T, value string) {
		link, ok := parseMagicLink(value)
		if !ok {
			return
		}
		again, ok := parseMagicLink(link.String())
		if !ok || again.Email != link.Email || again.Type != magicLinkType || !ValidEmail(link.Email) {
			t.Errorf("%q is read as %+v, and then as %+v", value, link, again)
		}
		if (link.Name == nil) != (again.Name == nil) || link.Name != nil && *link.Name != *again.Name {
			t.Errorf("%q loses its name", value)
		}
		if !strings.Contains(value, "@") || strings.TrimSpace(value)[0] != '{' {
			t.Errorf("%q is a link", value)
		}
	})
}

// FuzzMagicLinkQuery: whatever the query is, the answer sends nobody to another
// site, and a link is spent by one request alone.
func FuzzMagicLinkQuery(f *testing.F) {
	for _, seed := range [][4]string{
		{"", "", "", ""}, {"$", "/in", "", "/oops"}, {"x", "https://evil.example", "//evil", "/%5c"}, {"$", `/\evil`, "/a?error=1#x", "/a b"},
		{"$", "/in?%zz&=&a", "/\u2028", "http://localhost:3000/x"}, {"\x00", "javascript:alert(1)", "/", "data:"},
	} {
		f.Add(seed[0], seed[1], seed[2], seed[3])
	}
	f.Fuzz(func(t *testing.T, token, callbackURL, newUserCallbackURL, errorCallbackURL string) {
		w := withMagicLink(t, &MagicLink{})
		mail := w.ask(map[string]any{"email": "ann@example.com"})
		if token == "$" {
			token = mail.Token
		}
		query := url.Values{"token": {token}, "callbackURL": {callbackURL}, "newUserCallbackURL": {newUserCallbackURL}, "errorCallbackURL": {errorCallbackURL}}
		b := w.browser()
		r := b.do(httptest.NewRequest(http.MethodGet, testBase+"/magic-link/verify?"+query.Encode(), nil))
		location := r.Header.Get("Location")
		switch r.StatusCode {
		case 200, 400, 403:
		case 302:
			if !strings.HasPrefix(location+"/", testOrigin+"/") {
				t.Errorf("%v leads to %q", query, location)
			}
		default:
			t.Errorf("%v is answered with %d %s", query, r.StatusCode, r.body)
		}
		if signedIn := b.signedIn(); signedIn && token != mail.Token {
			t.Errorf("%v signs in", query)
		} else if !signedIn && token == mail.Token && r.StatusCode < 400 {
			t.Errorf("%v signs nobody in: %d %s", query, r.StatusCode, fmt.Sprint(location, r.body))
		}
	})
}
