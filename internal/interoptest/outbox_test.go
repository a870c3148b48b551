package interoptest

import (
	"slices"
	"sync"
	"testing"
	"time"
)

// A mail is what a site wrote to somebody.
type mail struct {
	Site     string `json:"site"`
	Kind     string `json:"kind"` // reset, verification, confirmation, deletion; what plugins send
	To       string `json:"to"`
	NewEmail string `json:"newEmail"`
	URL      string `json:"url"`
	Token    string `json:"token"` // or a code
}

// An outbox keeps the mails of one site.
type outbox struct {
	mu    sync.Mutex
	mails []mail
}

func (o *outbox) add(m mail) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.mails = append(o.mails, m)
}

func (o *outbox) find(kind, to string) (found mail, ok bool) {
	o.mu.Lock()
	defer o.mu.Unlock()
	for _, m := range o.mails {
		if m.Kind == kind && m.To == to {
			found, ok = m, true
		}
	}
	return found, ok
}

// await returns the newest mail of a kind to an address. Those of the original
// come through a pipe, perhaps later than its answer.
func (o *outbox) await(t *testing.T, kind, to string) mail {
	t.Helper()
	for range 500 {
		if m, ok := o.find(kind, to); ok {
			return m
		}
		time.Sleep(10 * time.Millisecond)
	}
	t.Fatalf("no %s mail to %s", kind, to)
	return mail{}
}

// take is await for mails that are sent again: it removes what it returns.
func (o *outbox) take(t *testing.T, kind, to string) mail {
	t.Helper()
	taken := o.await(t, kind, to)
	o.mu.Lock()
	defer o.mu.Unlock()
	o.mails = slices.DeleteFunc(o.mails, func(m mail) bool { return m == taken })
	return taken
}
