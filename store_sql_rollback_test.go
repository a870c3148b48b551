package auth

import (
	"context"
	"errors"
	"fmt"
	"io"
	"testing"
)

type (
	codedByMethod   string
	codedByField    struct{ SQLState [5]byte }
	codedByText     struct{ SQLState string }
	codedByNobody   struct{ sqlState [5]byte }
	codedByEmbedded struct{ *codedByField }
)

func (e codedByMethod) Error() string    { return "error" }
func (e codedByMethod) SQLState() string { return string(e) }
func (e *codedByField) Error() string    { return "error" }
func (e codedByText) Error() string      { return "error" }
func (e codedByNobody) Error() string    { return string(e.sqlState[:]) }

// Errors of drivers as they come, and others that look like them.
func TestSQLState(t *testing.T) {
	deadlock := [5]byte{'4', '0', '0', '0', '1'}
	for _, test := range []struct {
		err  error
		want string
	}{
		{nil, ""},
		{io.EOF, ""},
		{codedByMethod("40P01"), "40P01"},
		{fmt.Errorf("update: %w", codedByMethod("40001")), "40001"},
		{&codedByField{deadlock}, "40001"},
		{fmt.Errorf("update: %w", &codedByField{deadlock}), "40001"},
		{codedByEmbedded{&codedByField{deadlock}}, "40001"},
		{(*codedByField)(nil), ""},
		{codedByText{"40001"}, ""},
		{codedByNobody{deadlock}, ""},
		{errors.Join(io.EOF, codedByMethod("40001")), "40001"},
	} {
		if got := sqlState(test.err); got != test.want {
			t.Errorf("%#v: %q, want %q", test.err, got, test.want)
		}
		if marked, want := errors.Is(undone(test.err), ErrRolledBack), test.want != ""; marked != want {
			t.Errorf("%#v: marked %t", test.err, marked)
		}
	}
	if err := undone(codedByMethod("23505")); errors.Is(err, ErrRolledBack) {
		t.Errorf("a conflict is %v", err)
	}
}

// A rolledBackStore rolls transactions back that have done all their work.
type rolledBackStore struct {
	Store
	times int
}

func (s *rolledBackStore) Transaction(ctx context.Context, fn func(ctx context.Context) error) error {
	return s.Store.Transaction(ctx, func(ctx context.Context) error {
		if err := fn(ctx); err != nil || s.times == 0 {
			return err
		}
		s.times--
		return fmt.Errorf("at the commit: %w", ErrRolledBack)
	})
}

// TestRolledBack: what the database rolls back is done again, and nothing of the first
// time is left: no second mail, no second hook.
func TestRolledBack(t *testing.T) {
	for _, test := range []struct {
		times, mails int
		err          error
	}{
		{0, 1, nil},
		{3, 1, nil},
		{maxAttempts - 1, 1, nil},
		{maxAttempts, 0, ErrRolledBack},
	} {
		created := 0
		w := newWorld(t, func(c *Config) {
			c.Store = &rolledBackStore{c.Store, test.times}
			c.EmailVerification.SendOnSignUp = true
			c.DatabaseHooks.User.AfterCreate = func(context.Context, *User) { created++ }
		})
		_, err := w.API.SignUpEmail.Call(t.Context(), SignUpEmailRequest{Name: "Ann", Email: "ann@example.com", Password: "password1234"})
		if !errors.Is(err, test.err) || len(w.mails) != test.mails || created != test.mails {
			t.Errorf("%d times: error %v, %d mails, %d hooks", test.times, err, len(w.mails), created)
		}
	}
}
