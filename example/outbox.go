package main

import (
	"context"
	"log/slog"
	"net"
	"net/http"
	"slices"
	"sync"
	"time"

	"github.com/seed3b05b409/auth"
)

// An outbox stands in for a mail server while a program is developed: it keeps
// the latest mails in memory and logs them. A real program sends them here; the
// texts would be the same. It is safe for concurrent use.
type outbox struct {
	mu    sync.Mutex
	mails []mail // the oldest first
}

type mail struct {
	To, Subject, Text string
	Link              string // where the button in the mail leads; empty if there is none
	Action            string // what the button says
	Code              string // what the mail asks to type, empty if it has a link
	Sent              time.Time
}

// outboxSize bounds the memory that the outbox takes.
const outboxSize = 100

func newOutbox() *outbox { return &outbox{} }

// The methods below have the form of the callbacks in auth.Config.

func (o *outbox) verifyAddress(ctx context.Context, m auth.Mail) error {
	return o.send(ctx, mail{
		To: m.User.Email, Subject: "Verify your e-mail address", Link: m.URL, Action: "Verify address",
		Text: "Hello " + called(m.User) + ", please confirm that this address is yours. The link is good for one hour.",
	})
}

func (o *outbox) confirmChange(ctx context.Context, m auth.Mail) error {
	return o.send(ctx, mail{
		To: m.User.Email, Subject: "Confirm your new e-mail address", Link: m.URL, Action: "Change address",
		Text: "Hello " + called(m.User) + ", you asked to change your address to " + m.NewEmail +
			". If you agree, we will write to the new address next. If it was not you who asked, change your password.",
	})
}

func (o *outbox) resetPassword(ctx context.Context, m auth.Mail) error {
	return o.send(ctx, mail{
		To: m.User.Email, Subject: "Choose a new password", Link: m.URL, Action: "Choose a password",
		Text: "Hello " + called(m.User) + ", somebody asked to reset your password. The link is good for one hour. If it was not you, ignore this mail.",
	})
}

func (o *outbox) deleteAccount(ctx context.Context, m auth.Mail) error {
	return o.send(ctx, mail{
		To: m.User.Email, Subject: "Delete your account", Link: m.URL, Action: "Delete account",
		Text: "Hello " + called(m.User) + ", the link deletes your account and all that belongs to it. This cannot be undone.",
	})
}

func (o *outbox) signInLink(ctx context.Context, m auth.MagicLinkMail) error {
	return o.send(ctx, mail{
		To: m.Email, Subject: "Sign in", Link: m.URL, Action: "Sign in",
		Text: "Hello, this link signs you in. It is good for five minutes. If you did not ask for it, ignore this mail.",
	})
}

func (o *outbox) signInCode(ctx context.Context, user *auth.User, code string) error {
	return o.send(ctx, mail{
		To: user.Email, Subject: "Your code", Code: code,
		Text: "Hello " + called(user) + ", this code is the second step of your sign-in. It is good for three minutes. If it is not you who signs in, change your password.",
	})
}

func (o *outbox) send(ctx context.Context, m mail) error {
	m.Sent = time.Now()
	slog.InfoContext(ctx, "mail", "to", m.To, "subject", m.Subject, "link", m.Link, "code", m.Code)
	o.mu.Lock()
	defer o.mu.Unlock()
	if len(o.mails) == outboxSize {
		o.mails = slices.Delete(o.mails, 0, 1)
	}
	o.mails = append(o.mails, m)
	return nil
}

// latest returns all mails, the newest first.
func (o *outbox) latest() []mail {
	o.mu.Lock()
	defer o.mu.Unlock()
	mails := slices.Clone(o.mails)
	slices.Reverse(mails)
	return mails
}

// outboxPage shows the mails of everybody to anybody, which is why it is served
// on loopback addresses only, and only under their names: another site could
// give this machine a name of its own and read the links (DNS rebinding).
func (s *site) outboxPage(w http.ResponseWriter, r *http.Request) {
	if !isLocalHost(r.Host) {
		s.notFound(w, r)
		return
	}
	s.show(w, r, "outbox", s.mails.latest())
}

func isLocalHost(hostport string) bool {
	host, _, err := net.SplitHostPort(hostport)
	if err != nil {
		host = hostport
	}
	ip := net.ParseIP(host)
	return host == "localhost" || ip != nil && ip.IsLoopback()
}
