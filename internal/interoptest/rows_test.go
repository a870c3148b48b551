package interoptest

import (
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/seed3b05b409/auth"
	"github.com/seed3b05b409/auth/internal/testdb"
)

// What differs from one row to the next, by its form. What has none of these
// forms is compared to the letter.
var forms = []struct {
	name    string
	pattern *regexp.Regexp
}{
	{"scrypt hash", regexp.MustCompile(`[0-9a-f]{32}:[0-9a-f]{128}`)},
	{"UUID", regexp.MustCompile(`[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}`)},
	{"ISO date", regexp.MustCompile(`\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z`)},
	{"SQL date", regexp.MustCompile(`\d{4}-\d\d-\d\d \d\d:\d\d:\d\d(\.\d{1,3})?`)},
	{"address", regexp.MustCompile(`person\d+(@example\.com)?`)},
	{"challenge", regexp.MustCompile(`2fa-[\w-]{20}'?$`)},
	{"trusted device", regexp.MustCompile(`trust-device-[\w-]{32}'?$`)},
	{"one-time token", regexp.MustCompile(`one-time-token:[\w-]{32}'?$`)},
	{"TOTP secret", regexp.MustCompile(`\b[0-9a-f]{144}\b`)},
	{"10 backup codes", regexp.MustCompile(`\b[0-9a-f]{362}\b`)},
	{"9 backup codes", regexp.MustCompile(`\b[0-9a-f]{334}\b`)},
	{"private key", regexp.MustCompile(`\b[0-9a-f]{338}\b`)},
	{"Ed25519 point", regexp.MustCompile(`"x":"[\w-]{43}"`)},
	{"code and", regexp.MustCompile(`\b\d{6}:`)},
	{"32 characters", regexp.MustCompile(`\b[0-9A-Za-z]{32}\b`)},
	{"24 characters", regexp.MustCompile(`\b[0-9A-Za-z]{24}\b`)},
}

// form replaces what differs from one row to the next by its form.
func form(text string) string {
	for _, f := range forms {
		text = f.pattern.ReplaceAllString(text, "<"+f.name+">")
	}
	return text
}

// values returns the rows of a table, each column as "name: type value" in the
// database's own words. Serial ids become their form.
func (d *database) values(t *testing.T, table string) (lines []string) {
	t.Helper()
	rows, err := d.db.QueryContext(t.Context(), "SELECT * FROM "+d.quote(table)+" LIMIT 0")
	if err != nil {
		t.Fatal(err)
	}
	columns, err := rows.Columns()
	if err != nil {
		t.Fatal(err)
	}
	rows.Close()
	texts := make([]string, len(columns))
	for i, column := range columns {
		texts[i] = fmt.Sprintf(map[auth.Dialect]string{
			auth.SQLite:     `typeof(%[1]s) || ' ' || quote(%[1]s)`,
			auth.PostgreSQL: `%[1]s::text`,
			auth.MySQL:      `CAST(%[1]s AS CHAR)`,
		}[d.dialect], d.quote(column))
	}
	for _, row := range d.texts(t, "SELECT "+strings.Join(texts, ", ")+" FROM "+d.quote(table)) {
		for i, value := range strings.Split(row, " | ") {
			if lower := strings.ToLower(columns[i]); strings.HasSuffix(lower, "id") || lower == "value" {
				value = digits.ReplaceAllString(value, "$1<number>")
			}
			lines = append(lines, fmt.Sprintf("%s.%s: %s", table, columns[i], form(value)))
		}
	}
	slices.Sort(lines) // rows have no order
	return lines
}

var digits = regexp.MustCompile(`^(integer |text ')?\d+'?$`)

// A step leaves rows behind.
type step struct {
	name   string
	run    func(t *testing.T, at *site, b *browser, email string)
	tables []string
}

var (
	signingUp = step{"sign-up", func(t *testing.T, at *site, b *browser, email string) {
		b.post(at, "/sign-up/email", signUp(email, password, nil)).is(200)
	}, []string{"user", "account", "session"}}

	requestingReset = step{"request of a reset", func(t *testing.T, at *site, b *browser, email string) {
		b.post(at, "/request-password-reset", map[string]any{"email": email}).is(200)
	}, []string{"verification"}}

	requestingDeletion = step{"request of the deletion", func(t *testing.T, at *site, b *browser, email string) {
		b.post(at, "/delete-user", map[string]any{}).is(200)
	}, []string{"verification"}}

	deletion = step{"deletion", func(t *testing.T, at *site, b *browser, email string) {
		b.follow(at, at.mails.await(t, "deletion", email).URL)
	}, []string{"user", "account", "session", "verification"}}
)

var steps = []step{
	signingUp,
	{"update", func(t *testing.T, at *site, b *browser, email string) {
		b.post(at, "/update-user", map[string]any{"name": "Ada", "image": "https://example.com/ada"}).is(200)
	}, []string{"user"}},
	{"verification", func(t *testing.T, at *site, b *browser, email string) {
		b.post(at, "/send-verification-email", map[string]any{"email": email}).is(200)
		b.follow(at, at.mails.await(t, "verification", email).URL)
	}, []string{"user", "session", "verification"}},
	requestingReset,
	{"reset", func(t *testing.T, at *site, b *browser, email string) {
		token := at.mails.await(t, "reset", email).Token
		b.post(at, "/reset-password", map[string]any{"token": token, "newPassword": "battery staple"}).is(200)
	}, []string{"account", "verification"}},
	{"change of the password", func(t *testing.T, at *site, b *browser, email string) {
		b.post(at, "/change-password", map[string]any{"currentPassword": "battery staple", "newPassword": password, "revokeOtherSessions": true}).is(200)
	}, []string{"account", "session"}},
	{"short session", func(t *testing.T, at *site, b *browser, email string) {
		b.post(at, "/sign-in/email", map[string]any{"email": email, "password": password, "rememberMe": false}).is(200)
	}, []string{"session"}},
	requestingDeletion,
	deletion,
}

// fieldSteps write additional fields.
var fieldSteps = []step{
	{"sign-up with values", func(t *testing.T, at *site, b *browser, email string) {
		values := maps.Clone(userValues)
		values["handle"] = email
		b.post(at, "/sign-up/email", signUp(email, password, values)).is(200)
	}, []string{"user", "session"}},
	{"values of the session", func(t *testing.T, at *site, b *browser, email string) {
		b.post(at, "/update-session", sessionValues).is(200)
	}, []string{"session"}},
	{"other values", func(t *testing.T, at *site, b *browser, email string) {
		b.post(at, "/update-user", map[string]any{
			"nickname": nil, "level": 0, "newsletter": false, "birthday": "2000-02-29", "settings": []any{}, "tags": []string{}, "scores": nil,
		}).is(200)
		b.post(at, "/update-session", map[string]any{"trusted": false, "seen": nil, "place": []any{nil}}).is(200)
	}, []string{"user", "session"}},
	requestingDeletion,
	deletion,
}

// A column in which the two differ would be one that only one of them can read,
// sort or compare.
func TestRowsHaveOneForm(t *testing.T) {
	onEngines(t, func(t *testing.T, s testdb.Server) {
		t.Run(extended.name, func(t *testing.T) {
			sameRows(t, newWorld(t, s, extended, "npm"), slices.Concat(fieldSteps, steps))
		})
		for _, v := range []*variant{uuids, serials} {
			t.Run(v.name, func(t *testing.T) {
				sameRows(t, newWorld(t, s, v, "npm"), []step{signingUp, requestingReset, requestingDeletion, deletion})
			})
		}
	})
}

// sameRows takes a person through the same steps at each site and compares the
// rows after each. A deletion leaves nothing but tokens, and rows of the tables
// that are named, for the next person.
func sameRows(t *testing.T, w *world, steps []step, left ...string) {
	seen := make(map[*site][][]string)
	for _, at := range []*site{w.npm, w.ours} {
		for _, table := range append(left, "verification") {
			w.exec(t, "DELETE FROM "+w.quote(table))
		}
		b, email := newBrowser(t), w.newAddress()
		for _, s := range steps {
			if s.run(t, at, b, email); s.name == deletion.name {
				b, email = newBrowser(t), w.newAddress()
			}
			var rows []string
			for _, table := range s.tables {
				rows = append(rows, w.values(t, table)...)
			}
			seen[at] = append(seen[at], rows)
		}
	}
	for i, s := range steps {
		if difference := diff(seen[w.npm][i], seen[w.ours][i]); difference != "" {
			t.Errorf("%s: columns that the original writes (-) and that are written here (+):\n%s", s.name, difference)
		}
	}
}
