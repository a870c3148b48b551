package soaktest

import (
	"database/sql"
	"encoding/json"
	"fmt"
	"net/url"
	"slices"
	"strconv"
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

// readDatabase reads past the server, from tables that a format names.
func readDatabase(db *sql.DB, name string) reader {
	return func(table string) (found []row, err error) {
		rows, err := db.Query("SELECT * FROM " + fmt.Sprintf(name, table))
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
	for _, table := range []string{"user", "account", "session", "verification", "twoFactor"} {
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
			if kind == mailCode || kind == mailFactor {
				continue // these are not unique
			}
			for _, secret := range secrets {
				b.holders[secret] = p
			}
		}
		for _, token := range p.tokens {
			b.holders[token] = p
		}
		for _, code := range p.backups {
			b.holders[code] = p
		}
		for _, w := range p.worlds {
			for _, s := range w.sessions {
				b.holders[s.token] = p
			}
			for token := range w.challenges {
				b.holders[token] = p
			}
			for id := range w.trusted {
				b.holders[id] = p
			}
		}
	}
	delete(b.holders, "") // what nobody was told
}

func (b *books) enter(tb testing.TB, tables map[string][]row) {
	for _, r := range tables["user"] {
		email := r.text("email")
		b.owners[r.text("id")] = email
		b.add(email, userLine(&user{name: r.text("name"), username: r.text("username"), email: email, verified: r.flag("emailVerified"), factor: r.flag("twoFactorEnabled")}))
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
	challenges := make(map[string]bool)
	for _, r := range tables["verification"] {
		challenges[strings.TrimPrefix(r.text("identifier"), "2fa-")] = true
	}
	for _, r := range tables["verification"] {
		secret, line := verificationLine(r)
		over := strings.HasPrefix(line, spentBudget) && !challenges[secret] // a code that was sent leaves the attempts of others
		if p := b.holders[secret]; p != nil && !r.expired(b.now) && !over { // the mails of others were lost
			b.lines[p.name] = append(b.lines[p.name], line)
		}
	}
	for _, r := range tables["twoFactor"] {
		if email := b.owner(tb, "twoFactor", r); email != "" {
			b.add(email, b.appLine(email, r))
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

// spentBudget begins the identifier of the attempts of a challenge.
const spentBudget = "2fa-attempts-2fa-"

// verificationLine returns the secret of a row and what it says.
func verificationLine(r row) (secret, line string) {
	identifier := r.text("identifier")
	for _, purpose := range []string{spentBudget, "2fa-otp-", "2fa-", "trust-device-"} {
		if secret, is := strings.CutPrefix(identifier, purpose); is {
			line = purpose + secret
			if purpose == spentBudget {
				line += " " + r.text("value")
			}
			return secret, line
		}
	}
	_, secret, _ = strings.Cut(identifier, ":")
	return secret, tokenLine(secret)
}

// appLine says what is stored of an app.
func (b *books) appLine(email string, r row) string {
	var codes, told []string
	_ = json.Unmarshal([]byte(r.text("backupCodes")), &codes)
	for _, code := range codes {
		if b.holders[code] != nil {
			told = append(told, code)
		}
	}
	failed, _ := strconv.Atoi(r.text("failedVerificationCount"))
	return appLine(email, &app{
		verified: r.flag("verified"), failed: failed, codes: told, untold: len(codes) - len(told),
	}, r.text("lockedUntil") != "")
}

func appLine(email string, own *app, locked bool) string {
	return fmt.Sprintf("app of %s verified=%v failed=%d locked=%v codes=%v +%d", email, own.verified, own.failed, locked, slices.Sorted(slices.Values(own.codes)), own.untold)
}

func userLine(u *user) string {
	return fmt.Sprintf("user %s %q %q verified=%v factor=%v", u.email, u.name, u.username, u.verified, u.factor)
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
	for u, own := range w.apps {
		lines = append(lines, appLine(u.email, own, !own.locked.IsZero()))
	}
	for token, c := range w.challenges {
		if c.expires.Before(now) {
			continue
		}
		lines = append(lines, "2fa-"+token)
		if c.bound {
			lines = append(lines, fmt.Sprintf("%s%s %d", spentBudget, token, c.spent))
		}
	}
	for id, t := range w.trusted {
		if !t.expires.Before(now) {
			lines = append(lines, "trust-device-"+id)
		}
	}
	return sorted(lines)
}

func sorted(lines []string) string {
	return strings.Join(slices.Sorted(slices.Values(lines)), "\n")
}
