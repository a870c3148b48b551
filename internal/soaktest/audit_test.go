package soaktest

import (
	"database/sql"
	"fmt"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"
)

// A row is one of a table.
type row map[string]any

func (r row) text(column string) string {
	switch value := r[column].(type) {
	case nil:
		return ""
	case []byte:
		return string(value)
	default:
		return fmt.Sprint(value)
	}
}

func (r row) flag(column string) bool {
	text := r.text(column)
	return text == "1" || text == "true"
}

// expired reports whether a row is of no use any more.
func (r row) expired(now time.Time) bool {
	at, ok := r["expiresAt"].(time.Time)
	if !ok {
		at, _ = time.Parse(time.RFC3339, r.text("expiresAt"))
	}
	return at.Before(now)
}

// A reader returns the rows of a table.
type reader func(table string) ([]row, error)

// readDatabase reads past the server.
func readDatabase(db *sql.DB) reader {
	return func(table string) (found []row, err error) {
		rows, err := db.Query(`SELECT * FROM "` + table + `"`)
		if err != nil {
			return nil, err
		}
		defer func() { _ = rows.Close() }()
		columns, err := rows.Columns()
		if err != nil {
			return nil, err
		}
		for rows.Next() {
			values, targets := make([]any, len(columns)), make([]any, len(columns))
			for i := range values {
				targets[i] = &values[i]
			}
			if err := rows.Scan(targets...); err != nil {
				return nil, err
			}
			r := make(row)
			for i, column := range columns {
				r[column] = values[i]
			}
			found = append(found, r)
		}
		return found, rows.Err()
	}
}

// readServer asks the server for what is in its memory.
func readServer(s *server) reader {
	return func(table string) (found []row, err error) {
		return found, s.ask("/rows?table="+url.QueryEscape(table), &found)
	}
}

// audit compares all that is stored with what the people know.
func audit(tb testing.TB, people []*person, read reader) {
	tb.Helper()
	tables := make(map[string][]row)
	for _, table := range []string{"user", "account", "session", "verification"} {
		found, err := read(table)
		if err != nil {
			tb.Errorf("%s: %v", table, err)
			return
		}
		tables[table] = found
	}
	b := books{now: time.Now().Truncate(time.Millisecond), owners: make(map[string]string), holders: make(map[string]*person), lines: make(map[string][]string)}
	b.open(people)
	b.enter(tb, tables)
	for _, p := range people {
		b.compare(tb, p)
	}
}

// books say in lines what is stored of each person.
type books struct {
	now     time.Time
	owners  map[string]string  // addresses of users by id
	holders map[string]*person // by secrets of mails and tokens of sessions
	lines   map[string][]string
}

// open registers who knows what.
func (b *books) open(people []*person) {
	for _, p := range people {
		for kind, secrets := range p.secrets {
			if kind == mailCode {
				continue // these are not unique
			}
			for _, secret := range secrets {
				b.holders[secret] = p
			}
		}
		for _, token := range p.tokens {
			b.holders[token] = p
		}
		for _, w := range p.worlds {
			for _, s := range w.sessions {
				b.holders[s.token] = p
			}
		}
	}
	delete(b.holders, "") // what nobody was told
}

func (b *books) enter(tb testing.TB, tables map[string][]row) {
	for _, r := range tables["user"] {
		email := r.text("email")
		b.owners[r.text("id")] = email
		b.add(email, userLine(&user{name: r.text("name"), username: r.text("username"), email: email, verified: r.flag("emailVerified")}))
	}
	for _, r := range tables["account"] {
		if email := b.owner(tb, "account", r); email != "" {
			b.add(email, passwordLine(email, strings.TrimPrefix(r.text("password"), "plain:")))
		}
	}
	for _, r := range tables["session"] {
		if r.expired(b.now) {
			continue
		}
		token := r.text("token")
		if b.holders[token] == nil {
			token = "" // nobody was told
		}
		if email := b.owner(tb, "session", r); email != "" {
			b.add(email, sessionLine(email, token))
		}
	}
	for _, r := range tables["verification"] {
		_, secret, _ := strings.Cut(r.text("identifier"), ":")
		if p := b.holders[secret]; p != nil && !r.expired(b.now) { // the mails of others were lost
			b.lines[p.name] = append(b.lines[p.name], tokenLine(secret))
		}
	}
}

// owner returns the address of the user whom a row belongs to.
func (b *books) owner(tb testing.TB, table string, r row) string {
	email, known := b.owners[r.text("userId")]
	if !known {
		tb.Errorf("%s without a user: %v", table, r)
	}
	return email
}

func (b *books) add(email, line string) {
	name, _, _ := strings.Cut(email, "-")
	b.lines[name] = append(b.lines[name], line)
}

func userLine(u *user) string {
	return fmt.Sprintf("user %s %q %q verified=%v", u.email, u.name, u.username, u.verified)
}
func passwordLine(email, password string) string { return "password of " + email + " " + password }
func sessionLine(email, token string) string     { return "session of " + email + " " + token }
func tokenLine(secret string) string             { return "token " + secret }

// compare expects what one of the worlds of a person has.
func (b *books) compare(tb testing.TB, p *person) {
	tb.Helper()
	got := sorted(b.lines[p.name])
	if slices.ContainsFunc(p.worlds, func(w *world) bool { return w.stored(b.now) == got }) {
		return
	}
	p.fail("stored is\n%s\nand not\n%s", got, p.worlds[0].stored(b.now))
	tb.Error(p.failure)
}

// stored is what the database should have of a world.
func (w *world) stored(now time.Time) string {
	var lines []string
	for _, u := range w.users {
		lines = append(lines, userLine(u))
		if u.password != "" {
			lines = append(lines, passwordLine(u.email, u.password))
		}
	}
	for _, s := range w.sessions {
		if !s.expires.Before(now) {
			lines = append(lines, sessionLine(s.user.email, s.token))
		}
	}
	for secret, t := range w.tokens {
		if !t.expires.Before(now) {
			lines = append(lines, tokenLine(secret))
		}
	}
	return sorted(lines)
}

func sorted(lines []string) string {
	return strings.Join(slices.Sorted(slices.Values(lines)), "\n")
}
