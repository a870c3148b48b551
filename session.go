package auth

import (
	"cmp"
	"context"
	"maps"
	"strconv"
	"strings"
	"time"
)

// A Session is one sign-in of a user (table "session"). Whoever holds its Token
// in a signed cookie is the user, until ExpiresAt.
type Session struct {
	ID        string    `db:"id"`
	ExpiresAt time.Time `db:"expiresAt"`
	Token     string    `db:"token"`
	CreatedAt time.Time `db:"createdAt"`
	UpdatedAt time.Time `db:"updatedAt"`
	IPAddress *string   `db:"ipAddress"`
	UserAgent *string   `db:"userAgent"`
	UserID    string    `db:"userId"`

	// Fields are the values of additional columns (Config.Session.Fields and
	// those of plugins) by name, nil if there are none.
	Fields map[string]any `db:",extra"`
	planned
}

// MarshalJSON writes the session as clients see it.
func (s *Session) MarshalJSON() ([]byte, error) { return s.plan.marshal(s) }

func (s *Session) appendJSON(dst []byte) ([]byte, error) {
	if s == nil {
		return append(dst, "null"...), nil
	}
	return s.plan.appendObject(dst, s)
}

// UnmarshalJSON reads what MarshalJSON or the original wrote.
func (s *Session) UnmarshalJSON(data []byte) error { return unmarshalEntity(data, s) }

// SessionData is a session and its user: what get-session returns.
type SessionData struct {
	Session *Session
	User    *User

	// NeedsRefresh is set on a GET when SessionOptions.DeferRefresh is on: true
	// asks the client to POST, which prolongs the session.
	NeedsRefresh *bool
}

// MarshalJSON writes {"session":…,"user":…} and, if it is set, needsRefresh.
func (d *SessionData) MarshalJSON() ([]byte, error) { return d.appendJSON(nil) }

func (d *SessionData) appendJSON(dst []byte) (_ []byte, err error) {
	if d == nil {
		return append(dst, "null"...), nil
	}
	if dst, err = d.Session.appendJSON(append(dst, `{"session":`...)); err != nil {
		return nil, err
	}
	if dst, err = d.User.appendJSON(append(dst, `,"user":`...)); err != nil {
		return nil, err
	}
	if d.NeedsRefresh != nil {
		dst = strconv.AppendBool(append(dst, `,"needsRefresh":`...), *d.NeedsRefresh)
	}
	return append(dst, '}'), nil
}

func sessionTable(fields []Column) *Table {
	return &Table{Name: "session", Expires: "expiresAt", Columns: append([]Column{
		{Name: "expiresAt", Type: TypeDate},
		{Name: "token", Type: TypeString, Unique: true},
		{Name: "createdAt", Type: TypeDate, Default: currentTime},
		{Name: "updatedAt", Type: TypeDate},
		{Name: "ipAddress", Type: TypeString, Nullable: true},
		{Name: "userAgent", Type: TypeString, Nullable: true},
		{Name: "userId", Type: TypeString, References: "user", Index: true},
	}, fields...)}
}

// SessionOptions say how long sessions live and how they are read. The zero
// value is right for most programs.
type SessionOptions struct {
	ExpiresIn time.Duration // lifetime since the last refresh; default 7 days, at most 400 days
	UpdateAge time.Duration // a session this old is prolonged when it is read; default 1 day

	// RefreshAlways prolongs a session whenever it is read (an UpdateAge of
	// zero), NeverRefresh never does.
	RefreshAlways bool
	NeverRefresh  bool

	// DeferRefresh keeps GET get-session from writing: it says needsRefresh, and
	// a POST of the same endpoint prolongs the session.
	DeferRefresh bool

	// MaxLifetime ends a session this long after its sign-in, however often it was
	// prolonged and whatever another server wrote. Default: none, as in the original,
	// whose servers, beside this one, go on accepting such a session until it expires.
	MaxLifetime time.Duration

	// FreshAge is how long after sign-in a session may list sessions, unlink
	// accounts and delete the user without a password; default 1 day.
	// AlwaysFresh lifts that limit.
	FreshAge    time.Duration
	AlwaysFresh bool

	// StoreInDatabase keeps sessions in Config.Store although there is a
	// Config.SecondaryStorage, which then only answers faster. Without one they
	// are there anyway.
	StoreInDatabase bool

	// PreserveInDatabase, which needs both, keeps the rows of sessions that have
	// ended, for audits: they expire at that moment. The secondary storage alone
	// says who is signed in.
	PreserveInDatabase bool

	CookieCache CookieCache
	Fields      []Column // additional columns
}

// Lifetimes of the contract (section 6.3).
const (
	defaultSessionLifetime = 7 * 24 * time.Hour
	defaultUpdateAge       = 24 * time.Hour
	defaultFreshAge        = 24 * time.Hour
	forgottenSessionTime   = 24 * time.Hour // without "remember me"
)

// withDefaults fills in what was left zero.
func (o SessionOptions) withDefaults() SessionOptions {
	o.ExpiresIn = o.lifetime()
	setDefault(&o.UpdateAge, defaultUpdateAge)
	setDefault(&o.FreshAge, defaultFreshAge)
	o.CookieCache = o.CookieCache.withDefaults()
	if o.RefreshAlways {
		o.UpdateAge = 0
	}
	return o
}

// lifetime is that of a session which is not prolonged.
func (o *SessionOptions) lifetime() time.Duration {
	lifetime := cmp.Or(o.ExpiresIn, defaultSessionLifetime)
	if o.MaxLifetime > 0 {
		lifetime = min(lifetime, o.MaxLifetime)
	}
	return lifetime
}

// limit ends a session no later than MaxLifetime allows.
func (o *SessionOptions) limit(session *Session) {
	if o.MaxLifetime == 0 {
		return
	}
	if last := session.CreatedAt.Add(o.MaxLifetime); last.Before(session.ExpiresAt) {
		session.ExpiresAt = last
	}
}

// spent reports whether nothing prolongs a session any more.
func (o *SessionOptions) spent(session *Session) bool {
	return o.MaxLifetime > 0 && !session.ExpiresAt.Before(session.CreatedAt.Add(o.MaxLifetime))
}

// setDefault gives a zero option its default.
func setDefault[T comparable](option *T, value T) {
	var zero T
	if *option == zero {
		*option = value
	}
}

// createSession signs a user in. A session that is not to be remembered lives
// for a day. It has the client and the additional values of the one that it takes
// the place of, if there is one.
func (s *services) createSession(ctx context.Context, userID string, dontRemember bool, before *Session) (*Session, error) {
	lifetime := s.session.ExpiresIn
	if dontRemember {
		lifetime = forgottenSessionTime
	}
	address, program := clientOf(ctx)
	created := now()
	session := &Session{
		Token: newSessionToken(), UserID: userID,
		ExpiresAt: created.Add(lifetime), CreatedAt: created, UpdatedAt: created,
		IPAddress: &address, UserAgent: &program,
		Fields: defaults(s.session.Fields),
	}
	s.session.limit(session)
	session.follow(before)
	if err := s.sessions.create(ctx, session); err != nil {
		return nil, err
	}
	return session, nil
}

// follow takes over what a session says of its client and beyond the core's columns.
func (s *Session) follow(before *Session) {
	if before == nil {
		return
	}
	s.IPAddress, s.UserAgent = before.IPAddress, before.UserAgent
	fields := maps.Clone(before.Fields)
	if fields != nil {
		maps.Copy(fields, s.Fields)
		s.Fields = fields
	}
}

// clientOf returns the address and the User-Agent of who called, empty when
// they are unknown. The latter is cut where no honest program's is that long,
// and brought into UTF-8: a strange header must not keep anybody from signing in.
func clientOf(ctx context.Context) (address, program string) {
	x := ExchangeFrom(ctx)
	if x == nil {
		return "", ""
	}
	program = x.RequestHeader("User-Agent")
	return x.ClientAddress(), strings.ToValidUTF8(program[:min(len(program), maxUserAgent)], "")
}

const maxUserAgent = 4096 // bytes

// deleteSession ends the session with a token.
func (s *services) deleteSession(ctx context.Context, token string) error {
	return s.sessions.remove(ctx, sessionScope{token: token})
}

// deleteSessionsOf ends all sessions of a user.
func (s *services) deleteSessionsOf(ctx context.Context, userID string) error {
	return s.sessions.remove(ctx, sessionScope{many: true, userID: userID})
}

// endSessions ends sessions of a user by themselves. The user is locked first: on
// MySQL two statements that remove the same sessions in another order, one of them
// with the user, would wait for each other.
func (s *services) endSessions(ctx context.Context, which sessionScope) error {
	return s.transact(ctx, func(ctx context.Context) error {
		if _, err := s.lockUser(ctx, which.userID); err != nil {
			return err
		}
		return s.sessions.remove(ctx, which)
	})
}

// fresh reports whether a session was created recently enough for sensitive
// work. Refreshing a session does not make it fresh.
func (s *services) fresh(session *Session) bool {
	return s.session.AlwaysFresh || now().Sub(session.CreatedAt) < s.session.FreshAge
}

// visible is what clients see of a session and its user.
func (s *services) visible(data *SessionData) *SessionData {
	if data == nil || len(s.hiddenUserFields)+len(s.hiddenSessionFields) == 0 {
		return data
	}
	return &SessionData{Session: s.visibleSession(data.Session), User: s.visibleUser(data.User), NeedsRefresh: data.NeedsRefresh}
}

func (s *services) visibleSession(session *Session) *Session {
	if len(s.hiddenSessionFields) == 0 {
		return session
	}
	visible := *session
	visible.Fields = without(session.Fields, s.hiddenSessionFields)
	return &visible
}
