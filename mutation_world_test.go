package auth

import (
	"bytes"
	"context"
	"encoding/base32"
	"encoding/json"
	"log/slog"
	"net/http"
	"net/url"
	"reflect"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"
)

// A mutationWorld is an instance with everything switched on, in which three people
// live who hold one of each thing that can be held. Its store is put back before each
// request.
type mutationWorld struct {
	*world
	store    *replacedStore
	provider *fakeProvider
	factor   *TwoFactor
	log      bytes.Buffer
	codes    []OTPMail

	people  []*person
	values  map[string]string // what the catalogue calls by names such as $session
	cookies map[string]string // Cookie headers, by the names in the catalogue
	rows    snapshot
	pages   map[string]int // tags of a page, by operation
	made    time.Time
}

// A person has an account with the plugins, and secrets.
type person struct {
	name, id string
	secrets  []secret
	private  []string // what nobody else may see, beside the secrets
}

// A secret speaks for its person where it is sent in one of the places.
type secret struct {
	text string
	in   places
}

type places uint8

const (
	inCookie places = 1 << iota
	inAuthorization
	inInput // path, query and body
)

// replacedStore lets the instance stay while its rows are put back.
type replacedStore struct{ Store }

// A snapshot is all rows of a store.
type snapshot map[rowKey]storedRow

type rowKey struct{ table, id string }

type storedRow struct {
	table *Table
	row   Row
}

// value returns a column of the row.
func (r storedRow) value(column string) any {
	if column == "id" {
		return r.row[len(r.row)-1]
	}
	i := slices.IndexFunc(r.table.Columns, func(c Column) bool { return c.Name == column })
	if i < 0 {
		return nil
	}
	return r.row[i]
}

func (m *mutationWorld) snapshot(t *testing.T) snapshot {
	t.Helper()
	all := make(snapshot)
	for _, table := range m.core.tables() {
		rows, err := m.store.Select(t.Context(), Query{Table: table})
		if err != nil {
			t.Fatal(err)
		}
		for _, row := range rows {
			all[rowKey{table.Name, row[len(row)-1].(string)}] = storedRow{table, row}
		}
	}
	return all
}

// reset puts all rows back.
func (m *mutationWorld) reset(t *testing.T) {
	t.Helper()
	m.store.Store = NewMemoryStore()
	for _, r := range m.rows {
		if err := m.store.Insert(t.Context(), r.table, slices.Clone(r.row)); err != nil {
			t.Fatal(err)
		}
	}
	m.log.Reset()
}

// differences are the rows that differ, as they were if they are no more.
func (s snapshot) differences(after snapshot) (changed map[rowKey]storedRow) {
	changed = make(map[rowKey]storedRow)
	for key, row := range s {
		if now, ok := after[key]; !ok || !reflect.DeepEqual(row.row, now.row) {
			changed[key] = row
		}
	}
	for key, row := range after {
		if _, ok := s[key]; !ok {
			changed[key] = row
		}
	}
	return changed
}

// maxMutationAge is how long the codes of a world are good for sure.
const maxMutationAge = 20 * time.Second

// fresh returns the world, or a new one if its codes grow old.
func (m *mutationWorld) fresh(t *testing.T) *mutationWorld {
	if m == nil || time.Since(m.made) > maxMutationAge {
		return newMutationWorld(t)
	}
	return m
}

func newMutationWorld(t *testing.T) *mutationWorld {
	t.Helper()
	m := &mutationWorld{store: &replacedStore{NewMemoryStore()}, values: map[string]string{}, cookies: map[string]string{}, pages: map[string]int{}, made: time.Now()}
	second := &twoFactorWorld{}
	m.factor = &TwoFactor{Issuer: "Acme", OTP: TwoFactorOTPOptions{Send: second.receive}}
	second.plugin = m.factor
	m.provider = &fakeProvider{users: map[string]string{
		"ann at acme": annAtAcme,
		"bob at acme": `{"id":8,"name":"Bob","email":"bob@example.com","email_verified":true}`,
		"dan at acme": `{"id":9,"name":"Dan","email":"dan@example.com","email_verified":true}`,
		"cat at acme": `{"id":10,"name":"Cat","email":"cat@example.com","email_verified":true}`,
	}, tokens: map[string]string{}}
	for _, name := range []string{"ann", "bob", "dan"} {
		m.provider.tokens[name+" at acme"] = `,"refresh_token":"` + name + ` at acme","expires_in":3600`
	}
	m.world = newWorld(t, func(c *Config) {
		c.Store = m.store
		c.TrustedOrigins = []string{"https://trusted.example", "https://*.wild.example", "app.example://"}
		c.Providers, c.HTTPClient = []Provider{acme}, &http.Client{Transport: m.provider}
		c.Session.Fields = []Column{{Name: "theme", Type: TypeString, Nullable: true, Optional: true}}
		c.Session.CookieCache = CookieCache{Enabled: true}
		c.Logger = slog.New(slog.NewTextHandler(&m.log, &slog.HandlerOptions{Level: slog.LevelDebug}))
		c.Plugins = []Plugin{
			m.factor, &Bearer{}, &Username{}, &JWT{}, &MultiSession{}, &OneTimeToken{}, &OpenAPI{},
			&EmailOTP{EmailChange: OTPEmailChange{Enabled: true}, Send: func(_ context.Context, mail OTPMail) error {
				m.codes = append(m.codes, mail)
				return nil
			}},
			&MagicLink{Send: func(context.Context, MagicLinkMail) error { return nil }},
		}
	})
	second.world = m.world
	for _, name := range []string{"ann", "bob", "dan"} {
		m.settle(name)
	}
	m.enroll(second)
	m.beginFlow()
	m.values["$new"] = m.otp("new@example.com", OTPSignIn)
	m.browser().get("/jwks").ok(t)
	m.signIn("ann").get("/token").ok(t) // makes the key
	for _, page := range []string{"error", "openAPIReference"} {
		body := m.browser().get(m.API.Operation(page).Path()).ok(t).body
		m.pages[page] = strings.Count(body, "<") + strings.Count(body, ">")
	}
	m.log.Reset()
	m.rows = m.snapshot(t)
	return m
}

// settle gives somebody sessions, an account at the provider and whatever else a
// person with an address can be sent. The first one is who the catalogue speaks of.
func (m *mutationWorld) settle(name string) {
	p := &person{name: name}
	m.people = append(m.people, p)
	email := name + "@example.com"
	b := m.as(name)
	p.id = b.get("/get-session").ok(m.t).field(m.t, "user.id").(string)
	b.post("/update-user", map[string]any{"username": name + "_"}).ok(m.t)
	m.linkAtAcme(b, name)
	other := m.signIn(name)
	change := map[string]any{"newEmail": "new." + email}
	b.post("/email-otp/request-email-change", change).ok(m.t)
	changeCode := m.codes[len(m.codes)-1].Code
	once, err := m.API.Operation("generateOneTimeToken").(*Endpoint[Empty, *GenerateOneTimeTokenResponse]).Call(m.t.Context(), Empty{}, WithHeaders(b.headers()))
	if err != nil {
		m.t.Fatal(err)
	}
	reset, remove, link := newResetToken(), newDeleteToken(), newResetToken()+"magic"
	m.keepFor(purposeResetPassword, reset, p.id)
	m.keepFor(purposeDeleteAccount, remove, p.id)
	m.keepFor(purposeMagicLink, link, magicLink{Type: magicLinkType, Email: email}.String())
	verify := m.core.emailToken(emailClaims{Email: email, UserID: p.id}, defaultLinkLifetime)
	signInCode, verifyCode, forgotCode := m.otp(email, OTPSignIn), m.otp(email, OTPVerifyEmail), m.otp(email, OTPForgetPassword)
	account := m.accountAtAcme(p.id)

	for _, held := range []*browser{b, other} {
		signed := decodeURIComponent(held.cookies[tokenName])
		raw, _, _ := strings.Cut(signed, ".")
		p.secrets = append(p.secrets, secret{signed, inCookie | inAuthorization}, secret{raw, inAuthorization})
		p.private = append(p.private, raw)
	}
	for _, text := range []string{"password of " + name, reset, link, once.Token, verify, signInCode, verifyCode, forgotCode} {
		p.secrets = append(p.secrets, secret{text, inInput})
	}
	p.private = append(p.private, p.id, email, name+" at acme", remove, account.ID, "plain:password of "+name)
	m.cookies[name], m.cookies[name+"'s other"] = b.cookieHeader(), other.cookieHeader()
	prefix := "$" + name + "."
	if name == "ann" {
		prefix = "$"
	}
	for key, value := range map[string]string{
		"session": strings.SplitN(decodeURIComponent(b.cookies[tokenName]), ".", 2)[0], "account": account.ID, "reset": reset, "delete": remove,
		"link": link, "ott": once.Token, "verify": verify, "otpSignIn": signInCode, "otpVerify": verifyCode, "otpForgot": forgotCode, "otpChange": changeCode, "id": p.id,
	} {
		m.values[prefix+key] = value
	}
}

// linkAtAcme gives a browser's user an account at the provider.
func (m *mutationWorld) linkAtAcme(b *browser, name string) {
	b.callback(b.begin("/link-social", nil), name+" at acme").leads(m.t, "/in")
}

func (m *mutationWorld) accountAtAcme(user string) *Account {
	accounts, err := m.core.accountsOf(m.t.Context(), user)
	i := slices.IndexFunc(accounts, func(a *Account) bool { return a.ProviderID == "acme" })
	if err != nil || i < 0 {
		m.t.Fatal(accounts, err)
	}
	return accounts[i]
}

// keepFor stores what a mail leads to.
func (m *mutationWorld) keepFor(purpose, token, value string) {
	if err := m.core.createVerification(m.t.Context(), purpose, token, value, time.Hour); err != nil {
		m.t.Fatal(err)
	}
}

func (m *mutationWorld) otp(email string, typ OTPType) string {
	code, err := m.API.Operation("createVerificationOTP").(*Endpoint[CreateVerificationOTPRequest, string]).Call(m.t.Context(), CreateVerificationOTPRequest{email, typ})
	if err != nil {
		m.t.Fatal(err)
	}
	return code
}

// enroll gives dan a second factor, once with a session and once in the middle of a
// sign-in.
func (m *mutationWorld) enroll(w *twoFactorWorld) {
	dan := m.people[2]
	b := m.signIn("dan")
	app := w.setUp(b, "dan")
	m.cookies["dan"] = b.cookieHeader()
	signed := decodeURIComponent(b.cookies[tokenName])
	raw, _, _ := strings.Cut(signed, ".")
	half := w.challenged("dan")
	half.post("/two-factor/send-otp", "{}").ok(m.t)
	m.cookies["half dan"] = half.cookieHeader()
	m.values["$totp"], m.values["$factor"], m.values["$backup"] = app.code(0), w.lastCode(), app.backup[0]
	dan.secrets = append(dan.secrets, secret{signed, inCookie | inAuthorization}, secret{raw, inAuthorization},
		secret{decodeURIComponent(half.cookies["better-auth.two_factor"]), inCookie})
	dan.private = append(append(dan.private, app.backup...), raw, base32.StdEncoding.WithPadding(base32.NoPadding).EncodeToString(app.key))
}

// beginFlow is a browser on its way back from the provider.
func (m *mutationWorld) beginFlow() {
	b := m.browser()
	m.values["$state"] = b.begin("/sign-in/social", nil).Query().Get("state")
	m.cookies["flow"] = b.cookieHeader()
	m.provider.answer = func(r *http.Request, form url.Values) (int, string) {
		if form.Has("code") && form.Get("code") != "cat at acme" {
			return http.StatusBadRequest, `{"error":"invalid_grant"}` // nobody else is at the provider now
		}
		return 0, ""
	}
}

var valueName = regexp.MustCompile(`\$[\w.]+`)

// expand puts values in the place of their names.
func (m *mutationWorld) expand(text string) string {
	return valueName.ReplaceAllStringFunc(text, func(name string) string {
		if value, ok := m.values[name]; ok {
			return value
		}
		return name
	})
}

// jsonStrings returns every string and name of a JSON text, as far as it can be read.
func jsonStrings(text string) (found []string) {
	decoder := json.NewDecoder(strings.NewReader(text))
	for {
		token, err := decoder.Token()
		if err != nil {
			return found
		}
		if s, ok := token.(string); ok {
			found = append(found, s)
		}
	}
}
