package auth

import (
	"context"
	"log/slog"
	"runtime/debug"
	"strings"
	"time"
)

// An Event is something that matters to the security of users: a sign-in, a refusal,
// a change. Config.OnEvent receives each one, and Config.Logger a record with the same
// content.
//
// No event holds a password, token, code, cookie or secret, and none an address or a
// name that somebody typed: those are in it as an Identifier. A record has the fields
// that are not empty, as address, user, session, identifier, method, provider and
// reason, then the Attrs.
type Event struct {
	Name  EventName
	Level slog.Level // at least slog.LevelWarn for what is suspicious, slog.LevelInfo otherwise
	Time  time.Time

	Address   string // of the client, as in Session.IPAddress; empty in a Call without a request
	UserID    string // whom it is about; empty if that is nobody, unknown, or not to be told
	SessionID string // Session.ID, never the token

	// Identifier stands for an e-mail address or a user name: a keyed hash of it, the
	// same for the same text (in lower case) as long as the secret is the same. Attempts
	// at one account can be counted by it, and the EventSignIn and EventSignUp of the
	// user have that of the user's address. Whoever makes an event puts the text here;
	// nobody else sees that.
	Identifier string

	// Method says how: SignIn.Method for sign-ins, "totp", "otp" or "backup-code" for
	// second factors. Provider is the id of a provider. Reason says why not. All three
	// are of a small number of values, whatever strangers send.
	Method   string
	Provider string
	Reason   string

	Attrs []slog.Attr // what else there is to know; docs/events.md lists it
}

// event records what matters to security, for people and for counters. Of what is
// stored in a transaction it tells when that is committed and not before; what is
// suspicious happened whatever becomes of the transaction.
func (s *services) event(ctx context.Context, e Event) {
	if e.Name.suspicious() {
		e.Level = max(e.Level, slog.LevelWarn)
	}
	if s.onEvent != nil || s.log.Enabled(ctx, e.Level) {
		s.tell(ctx, e)
	}
}

// tell is event for an event that somebody hears.
func (s *services) tell(ctx context.Context, e Event) {
	if x := ExchangeFrom(ctx); x != nil {
		setDefault(&e.Address, x.ClientAddress())
	}
	if e.Identifier != "" {
		e.Identifier = s.pseudonym(e.Identifier)
	}
	e.Time = time.Now()
	if queue := s.queueOf(ctx); queue != nil && e.Level >= slog.LevelWarn {
		s.record(queue.outer, e)
		return
	}
	s.afterCommit(ctx, func(ctx context.Context) { s.record(ctx, e) })
}

// record writes the event into the log and hands it to the application, whose panic
// is none of the request's.
func (s *services) record(ctx context.Context, e Event) {
	s.log.LogAttrs(ctx, e.Level, string(e.Name), e.attrs()...)
	if s.onEvent == nil {
		return
	}
	defer func() {
		if v := recover(); v != nil {
			s.log.ErrorContext(ctx, "panic in OnEvent", "event", string(e.Name), "panic", v, "stack", string(debug.Stack()))
		}
	}()
	s.onEvent(ctx, e)
}

// attrs are the fields of the record.
func (e *Event) attrs() []slog.Attr {
	attrs := make([]slog.Attr, 0, 7+len(e.Attrs))
	for _, field := range [...]struct{ key, value string }{
		{"address", e.Address}, {"user", e.UserID}, {"session", e.SessionID}, {"identifier", e.Identifier},
		{"method", e.Method}, {"provider", e.Provider}, {"reason", e.Reason},
	} {
		if field.value != "" {
			attrs = append(attrs, slog.String(field.key, field.value))
		}
	}
	return append(attrs, e.Attrs...)
}

// pseudonym is the Identifier of a text. Its beginning keeps it from being the
// signature of anything; its length keeps it from being one of a whole.
func (s *services) pseudonym(text string) string {
	const purpose, length = "auth: identifier of an event\n", 16
	return s.signer.signURL([]byte(purpose + lowerEmail(text)))[:length]
}

// reasonOf is a code as the Reason of an event.
func reasonOf(code Code) string { return strings.ToLower(string(code)) }
