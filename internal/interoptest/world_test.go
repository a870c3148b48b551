package interoptest

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"maps"
	"net/http/httptest"
	"testing"

	"github.com/seed3b05b409/auth"
	"github.com/seed3b05b409/auth/internal/testdb"
	"golang.org/x/text/unicode/norm"
)

// A variant is a configuration, in the words of both sides.
type variant struct {
	name    string
	options map[string]any // of the original, beside the common ones
	config  func(c *auth.Config)
	naming  []auth.Naming
	plugins func(mails *outbox) []auth.Plugin
}

const secret = "a secret for tests, 32 bytes long"

// originalOptions are what the original is configured with.
func (v *variant) originalOptions() map[string]any {
	return merge(map[string]any{
		"baseURL":           baseURL,
		"secret":            secret,
		"emailAndPassword":  map[string]any{"enabled": true, "sendResetPassword": "$mail reset"},
		"emailVerification": map[string]any{"sendVerificationEmail": "$mail verification"},
		"user": map[string]any{
			"changeEmail": map[string]any{"enabled": true, "sendChangeEmailConfirmation": "$mail confirmation"},
			"deleteUser":  map[string]any{"enabled": true, "sendDeleteAccountVerification": "$mail deletion"},
		},
	}, v.options)
}

// merge adds the members of one tree to another.
func merge(into, from map[string]any) map[string]any {
	merged := maps.Clone(into)
	for key, value := range from {
		branch, ok := value.(map[string]any)
		existing, both := merged[key].(map[string]any)
		if ok && both {
			value = merge(existing, branch)
		}
		merged[key] = value
	}
	return merged
}

// open configures this library on a database.
func (v *variant) open(t *testing.T, d *database, mails *outbox) *auth.Auth {
	t.Helper()
	send := func(kind string) func(context.Context, auth.Mail) error {
		return func(_ context.Context, m auth.Mail) error {
			mails.add(mail{Kind: kind, To: m.User.Email, NewEmail: m.NewEmail, URL: m.URL, Token: m.Token})
			return nil
		}
	}
	config := auth.Config{
		BaseURL:           baseURL,
		Secret:            secret,
		Store:             auth.NewSQLStore(d.db, d.dialect, v.naming...),
		EmailPassword:     auth.EmailPassword{Enabled: true, SendResetPassword: send("reset")},
		EmailVerification: auth.EmailVerification{Send: send("verification")},
		User: auth.UserOptions{
			ChangeEmail: auth.ChangeEmail{Enabled: true, SendConfirmation: send("confirmation")},
			Delete:      auth.DeleteUser{Enabled: true, SendVerification: send("deletion")},
		},
		Passwords: auth.Passwords{Normalize: norm.NFKC.String},
		RateLimit: auth.RateLimit{Disabled: true},
		Logger:    slog.New(slog.NewTextHandler(t.Output(), &slog.HandlerOptions{Level: slog.LevelWarn})),
	}
	if v.config != nil {
		v.config(&config)
	}
	if v.plugins != nil {
		config.Plugins = v.plugins(mails)
	}
	a, err := auth.New(config)
	if err != nil {
		t.Fatal(err)
	}
	return a
}

// A world is one database with both sites on it.
type world struct {
	*database
	naming    []auth.Naming
	npm, ours *site
	people    int
}

// newWorld starts both sites on a new database whose tables one of them made.
func newWorld(t *testing.T, s testdb.Server, v *variant, migrator string) *world {
	t.Helper()
	o, d, mails := theOriginal(t), newDatabase(t, s), &outbox{}
	a := v.open(t, d, mails)
	if migrator == "npm" {
		o.migrate(t, d, v.originalOptions())
	} else if err := a.Migrate(t.Context()); err != nil {
		t.Fatal(err)
	}
	server := httptest.NewServer(a)
	t.Cleanup(server.Close)
	return &world{
		database: d,
		naming:   v.naming,
		npm:      o.serve(t, d, v.originalOptions()),
		ours:     &site{name: "go", origin: server.URL, mails: mails, call: caller(a)},
	}
}

// caller calls endpoints of an instance by their names.
func caller(a *auth.Auth) func(t *testing.T, name string, body, into any) {
	return func(t *testing.T, name string, body, into any) {
		t.Helper()
		text, err := json.Marshal(body)
		if err != nil {
			t.Fatal(err)
		}
		out, err := a.API.Operation(name).CallJSON(t.Context(), text)
		if err == nil {
			err = json.Unmarshal(out, into)
		}
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
	}
}

// sql returns the quoted name of a table, or of a column of it.
func (w *world) sql(table, column string) string {
	name := cmp.Or(column, table)
	for _, naming := range w.naming {
		name = cmp.Or(naming(table, column), name)
	}
	return w.quote(name)
}

// newAddress is an address that nobody has used.
func (w *world) newAddress() string {
	w.people++
	return fmt.Sprintf("person%d@example.com", w.people)
}

// A pair is the two sites of a world in the roles of a test.
type pair struct {
	*world
	a, b *site
}

// from returns the pair in which a site is the first.
func (w *world) from(name string) *pair {
	if name == w.npm.name {
		return &pair{w, w.npm, w.ours}
	}
	return &pair{w, w.ours, w.npm}
}

// bothWays runs tests with each of the sites in each of the roles.
func (w *world) bothWays(t *testing.T, flows []flow) {
	for _, name := range []string{"npm", "go"} {
		w.from(name).run(t, flows)
	}
}

func (p *pair) run(t *testing.T, flows []flow) {
	for _, f := range flows {
		t.Run(f.name+", "+p.a.name+" then "+p.b.name, func(t *testing.T) { f.run(t, p) })
	}
}

// A flow is something that begins at one site and goes on at the other.
type flow struct {
	name string
	run  func(t *testing.T, p *pair)
}

const password = "correct horse"

// join signs a new person up at a site and returns their browser and address.
func (p *pair) join(t *testing.T, at *site) (*browser, string) {
	t.Helper()
	b, email := newBrowser(t), p.newAddress()
	b.post(at, "/sign-up/email", signUp(email, password, nil)).is(200)
	return b, email
}

// signUp is the body of a sign-up with additional fields.
func signUp(email, password string, fields map[string]any) map[string]any {
	body := map[string]any{"name": "Ada", "email": email, "password": password}
	maps.Copy(body, fields)
	return body
}

func signIn(email, password string) map[string]any {
	return map[string]any{"email": email, "password": password}
}
