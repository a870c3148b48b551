package auth

import (
	"context"
	"net/http"
	"slices"
	"testing"
)

// A tracedStore notes what is asked of it: operations and tables.
type tracedStore struct {
	Store
	asked []string
}

func (s *tracedStore) note(what string, t *Table) { s.asked = append(s.asked, what+" "+t.Name) }

func (s *tracedStore) Insert(ctx context.Context, t *Table, row Row) error {
	s.note("insert", t)
	return s.Store.Insert(ctx, t, row)
}

func (s *tracedStore) Select(ctx context.Context, q Query) ([]Row, error) {
	s.note("select", q.Table)
	return s.Store.Select(ctx, q)
}

func (s *tracedStore) Update(ctx context.Context, t *Table, set map[string]any, where ...Condition) (int64, error) {
	s.note("update", t)
	return s.Store.Update(ctx, t, set, where...)
}

func (s *tracedStore) Delete(ctx context.Context, t *Table, where ...Condition) (int64, error) {
	s.note("delete", t)
	return s.Store.Delete(ctx, t, where...)
}

func (s *tracedStore) Consume(ctx context.Context, t *Table, where ...Condition) (Row, error) {
	s.note("consume", t)
	return s.Store.Consume(ctx, t, where...)
}

// TestNobodyCostsTheSame: where the answer does not tell who exists, the store is asked
// the same of nobody as of somebody, and as many passwords are hashed. The statistics
// of internal/timingtest measure the rest.
func TestNobodyCostsTheSame(t *testing.T) {
	password := func(login string) map[string]any {
		return map[string]any{"email": login + "@example.com", "username": login, "password": "wrong password"}
	}
	address := func(login string) map[string]any { return map[string]any{"email": login + "@example.com"} }
	for _, kind := range []IDType{IDText, IDUUID, IDSerial} {
		for _, tt := range []struct {
			path    string
			body    func(login string) map[string]any
			nobody  string
			somehow []string // who has to cost the same
		}{
			{"/sign-in/email", password, "nobody", []string{"ann", "social"}},
			{"/sign-in/username", password, "nobody", []string{"ann", "social"}},
			{"/request-password-reset", address, "nobody", []string{"ann", "social"}},
			{"/sign-in/magic-link", address, "nobody", []string{"ann", "social"}},
		} {
			hashed := 0
			store := &tracedStore{Store: NewMemoryStore()}
			w := newWorld(t, func(c *Config) {
				c.Store, c.IDs, c.Passwords.Hasher = store, kind, countingHasher{n: &hashed}
				c.Plugins = []Plugin{&Username{}, &MagicLink{Send: func(context.Context, MagicLinkMail) error { return nil }}}
			})
			for _, name := range []string{"ann", "social"} {
				body := credentials(name)
				body["username"] = name
				w.browser().post("/sign-up/email", body).ok(t)
			}
			social, err := w.core.userByEmail(t.Context(), "social@example.com")
			if err != nil {
				t.Fatal(err)
			}
			if _, err := w.core.accounts.delete(t.Context(), Where("userId", social.ID)); err != nil {
				t.Fatal(err)
			}
			cost := func(login string) (asked []string, hashes int, answer string) {
				store.asked, hashed = nil, 0
				r := w.browser().post(tt.path, tt.body(login))
				return store.asked, hashed, http.StatusText(r.StatusCode) + r.body
			}
			cost("nobody") // the first one cleans up
			asked, hashes, answer := cost(tt.nobody)
			for _, somebody := range tt.somehow {
				a, h, said := cost(somebody)
				if !slices.Equal(a, asked) || h != hashes || said != answer {
					t.Errorf("%s, ids %v: %s costs %v and %d hashes, and gets %s\nnobody %v and %d, and gets %s",
						tt.path, kind, somebody, a, h, said, asked, hashes, answer)
				}
			}
		}
	}
}
