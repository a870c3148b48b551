package conformancetest

import (
	"context"
	"errors"
	"net/http"
	"slices"
	"strconv"
	"sync"
	"time"

	"github.com/seed3b05b409/auth"
)

// The functions of functions.mjs, for this library.

// mail returns a sender that records what it should have sent.
func (o *ours) mail(kind string) func(context.Context, auth.Mail) error {
	return func(_ context.Context, m auth.Mail) error {
		data := []any{"to", m.User.Email, "url", m.URL, "token", m.Token}
		if kind == "confirmation" { // the other senders of the original get none
			data = append(data, "newEmail", m.NewEmail)
		}
		o.tell("mail "+kind, data...)
		return nil
	}
}

// callback returns a callback that records the user and comes to an end.
func (o *ours) callback(name, end string) func(context.Context, *auth.User) error {
	return func(_ context.Context, u *auth.User) error {
		o.tell(name, "email", u.Email, "emailVerified", u.EmailVerified)
		return ends[end]
	}
}

// sender returns one of mails that come to an end.
func (o *ours) sender(kind, end string) func(context.Context, auth.Mail) error {
	return func(_ context.Context, m auth.Mail) error {
		o.tell("sends "+kind, "email", m.User.Email, "emailVerified", m.User.EmailVerified)
		return ends[end]
	}
}

// ends are how callbacks come to an end.
var ends = map[string]error{
	"told":    nil,
	"refused": auth.NewError(http.StatusForbidden, "REFUSED", "No"),
	"failed":  errors.New("it failed"),
}

// tenantOrigins trusts a tenant in requests to it.
func tenantOrigins(r *http.Request) []string {
	if tenant := r.Header.Get("X-Tenant"); tenant != "" {
		return []string{"https://" + tenant + ".tenants.test"}
	}
	return nil
}

// plainHasher hashes nothing: hashing is not what most cases are about.
type plainHasher struct{}

func (plainHasher) Hash(_ context.Context, password string) (string, error) {
	return "plain:" + password, nil
}

func (plainHasher) Verify(_ context.Context, hash, password string) (bool, error) {
	return hash == "plain:"+password, nil
}

// A storage is a secondary storage that lists its entries in the order in which
// they came.
type storage struct {
	mu      sync.Mutex
	entries []*entry
}

func (s *storage) find(key string) (int, *entry) {
	i := slices.IndexFunc(s.entries, func(e *entry) bool { return e.Key == key })
	if i < 0 {
		return i, nil
	}
	return i, s.entries[i]
}

func (s *storage) all() (entries []entry) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, e := range s.entries {
		entries = append(entries, *e)
	}
	return entries
}

func (s *storage) Get(_ context.Context, key string) (string, bool, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	_, e := s.find(key)
	if e == nil {
		return "", false, nil
	}
	return e.Value, true, nil
}

func (s *storage) Set(_ context.Context, key, value string, ttl time.Duration) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	_, e := s.find(key)
	if e == nil {
		e = &entry{Key: key}
		s.entries = append(s.entries, e)
	}
	e.Value, e.TTL = value, int(ttl/time.Second)
	return nil
}

func (s *storage) Delete(ctx context.Context, key string) error {
	_, _, err := s.Take(ctx, key)
	return err
}

func (s *storage) Take(_ context.Context, key string) (string, bool, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	i, e := s.find(key)
	if e == nil {
		return "", false, nil
	}
	s.entries = slices.Delete(s.entries, i, i+1)
	return e.Value, true, nil
}

func (s *storage) Increment(_ context.Context, key string, ttl time.Duration) (int64, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	_, e := s.find(key)
	if e == nil {
		e = &entry{Key: key, Value: "0", TTL: int(ttl / time.Second)}
		s.entries = append(s.entries, e)
	}
	sum, err := strconv.ParseInt(e.Value, 10, 64)
	e.Value = strconv.FormatInt(sum+1, 10)
	return sum + 1, err
}
