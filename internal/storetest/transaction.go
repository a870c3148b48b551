package storetest

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/seed3b05b409/auth"
)

// All or nothing, unseen until then.
var transactionCases = []testCase{
	{"transaction commits", commit},
	{"transaction rolls back on an error", rollback},
	{"transaction rolls back on a panic, which goes on", panics},
	{"transaction sees its own writes", ownWrites},
	{"transaction is invisible until it ends", isolation},
	{"transaction goes on after a conflict", afterConflict},
	{"transaction keeps a row as it found it", lock},
	{"transaction can be used by several goroutines", helpers},
	{"transaction inside a transaction joins it", nested},
	{"transaction inside a transaction fails with it and makes it fail", nestedFailure},
	{"context of a transaction is useless afterwards", afterwards},
	{"canceled context changes nothing", canceled},
	{"canceled context stops a transaction", canceledInside},
	{"canceled context stops waiting", canceledWaiting},
}

var errOnPurpose = errors.New("on purpose")

// change writes in every way there is.
func (s *suite) change(ctx context.Context) {
	s.Helper()
	_, updated := s.Update(ctx, author, map[string]any{"name": "anna", "email": "anna@example.com"}, auth.Where("id", "1"))
	_, deleted := s.Delete(ctx, author, auth.Where("id", "2"))
	_, consumed := s.Consume(ctx, author, auth.Where("id", "3"))
	_, added := s.Increment(ctx, author, map[string]int64{"score": 1}, nil, auth.Where("id", "4"))
	inserted := s.Insert(ctx, author, with(person("5", "eve"), "email", "ann@example.com"))
	if err := errors.Join(updated, deleted, consumed, added, inserted); err != nil {
		s.Errorf("in the transaction: %v", err)
	}
}

func (s *suite) wantUnchanged() {
	s.Helper()
	byID := []auth.Order{{Column: "id"}}
	s.wantIDs(auth.Query{Table: author, Order: byID}, "1", "2", "3", "4")
	s.wantIDs(auth.Query{Table: book, Order: byID}, "b1", "b2", "b3", "b4")
	s.wantCount(author, 1, auth.Where("email", "ann@example.com"), auth.Where("name", "ann"))
	s.wantCount(author, 1, auth.Where("score", 20.5))
}

func (s *suite) wantChanged() {
	s.Helper()
	byID := []auth.Order{{Column: "id"}}
	s.wantIDs(auth.Query{Table: author, Order: byID}, "1", "4", "5")
	s.wantIDs(auth.Query{Table: book, Order: byID}, "b1", "b2", "b4")
	s.wantCount(author, 1, auth.Where("email", "anna@example.com"), auth.Where("name", "anna"))
	s.wantCount(author, 1, auth.Where("email", "ann@example.com"), auth.Where("id", "5"))
	s.wantCount(author, 1, auth.Where("score", 21.5))
}

func commit(s *suite) {
	library(s)
	err := s.Transaction(s.Context(), func(ctx context.Context) error {
		s.change(ctx)
		return nil
	})
	if err != nil {
		s.Fatal(err)
	}
	s.wantChanged()
}

func rollback(s *suite) {
	library(s)
	err := s.Transaction(s.Context(), func(ctx context.Context) error {
		s.change(ctx)
		return errOnPurpose
	})
	s.wantError("transaction", err, errOnPurpose)
	s.wantUnchanged()
	s.insert(author, person("5", "eve")) // the store is free again
}

func panics(s *suite) {
	library(s)
	func() {
		defer func() {
			if got := recover(); got != errOnPurpose {
				s.Errorf("recovered %v, want %v", got, errOnPurpose)
			}
		}()
		_ = s.Transaction(s.Context(), func(ctx context.Context) error {
			s.change(ctx)
			panic(errOnPurpose)
		})
	}()
	s.wantUnchanged()
	s.insert(author, person("5", "eve"))
}

func ownWrites(s *suite) {
	library(s)
	err := s.Transaction(s.Context(), func(ctx context.Context) error {
		s.change(ctx)
		if s.one(ctx, "2") != nil || s.one(ctx, "5") == nil || s.one(ctx, "1")[0] != "anna" {
			s.Error("the transaction does not see what it wrote")
		}
		// Rows of the transaction can be changed again, and conflict too.
		s.wantError("insert", s.Insert(ctx, author, person("5", "eve")), auth.ErrConflict)
		if n, err := s.Update(ctx, author, map[string]any{"email": nil}, auth.Where("email", "ann@example.com")); n != 1 || err != nil {
			s.Errorf("update: %d, %v", n, err)
		}
		if n, err := s.Delete(ctx, author, auth.Where("name", "anna")); n != 1 || err != nil {
			s.Errorf("delete: %d, %v", n, err)
		}
		if err := s.Insert(ctx, author, person("1", "back")); err != nil {
			s.Errorf("insert of a deleted id: %v", err)
		}
		if n, err := s.Count(ctx, author); n != 3 || err != nil {
			s.Errorf("count: %d, %v, want 3", n, err)
		}
		return nil
	})
	if err != nil {
		s.Fatal(err)
	}
	s.wantIDs(auth.Query{Table: author, Order: []auth.Order{{Column: "name"}}}, "1", "4", "5")
	s.wantIDs(auth.Query{Table: book}, "b4") // the others went with their author
}

func isolation(s *suite) {
	library(s)
	err := s.Transaction(s.Context(), func(ctx context.Context) error {
		s.change(ctx)
		// A foreign reader neither waits nor sees anything.
		done := make(chan struct{})
		go func() {
			defer close(done)
			s.wantUnchanged()
		}()
		select {
		case <-done:
		case <-time.After(10 * time.Second):
			s.Error("a reader waits for the transaction")
		}
		return nil
	})
	if err != nil {
		s.Fatal(err)
	}
	s.wantChanged()
}

// afterConflict: sign-up tries an insert and looks for the other row if it
// fails, in one transaction.
func afterConflict(s *suite) {
	library(s)
	err := s.Transaction(s.Context(), func(ctx context.Context) error {
		s.wantError("insert", s.Insert(ctx, author, with(person("5", "eve"), "email", "bob@example.org")), auth.ErrConflict)
		_, err := s.Update(ctx, author, map[string]any{"email": "bob@example.org"}, auth.Where("id", "1"))
		s.wantError("update", err, auth.ErrConflict)
		return s.Insert(ctx, author, person("6", "fay"))
	})
	if err != nil {
		s.Errorf("commit: %v", err)
	}
	s.wantIDs(auth.Query{Table: author, Order: []auth.Order{{Column: "id"}}}, "1", "2", "3", "4", "6")
}

// lock: who checks a password and then signs in must not be overtaken by a
// change of that password.
func lock(s *suite) {
	library(s)
	changed := make(chan error, 1)
	err := s.Transaction(s.Context(), func(ctx context.Context) error {
		rows, err := s.Select(ctx, auth.Query{Table: author, Where: []auth.Condition{auth.Where("id", "1")}, Lock: true})
		if err != nil || len(rows) != 1 {
			s.Fatalf("select: %v, %v", rows, err)
		}
		go func() {
			_, err := s.Update(s.Context(), author, map[string]any{"name": "changed"}, auth.Where("id", "1"))
			changed <- err
		}()
		select {
		case err := <-changed:
			s.Errorf("the row was changed by somebody else: %v", err)
			changed <- err
		case <-time.After(50 * time.Millisecond):
		}
		if got := s.one(ctx, "1"); got[0] != "ann" {
			s.Errorf("the row is %v", got)
		}
		return nil
	})
	if err := errors.Join(err, <-changed); err != nil {
		s.Error(err)
	}
	s.wantCount(author, 1, auth.Where("name", "changed"))
	if _, err := s.Select(s.Context(), auth.Query{Table: author, Lock: true}); err != nil {
		s.Errorf("outside of a transaction: %v", err)
	}
}

func helpers(s *suite) {
	library(s)
	err := s.Transaction(s.Context(), func(ctx context.Context) error {
		atOnce(8, func(i int) {
			name := fmt.Sprint("helper", i)
			inserted := s.Insert(ctx, author, person(name, name))
			_, conflict := s.Update(ctx, author, map[string]any{"email": "bob@example.org"}, auth.Where("id", "1"))
			if inserted != nil || !errors.Is(conflict, auth.ErrConflict) {
				s.Errorf("insert: %v, update: %v", inserted, conflict)
			}
			if s.one(ctx, name) == nil {
				s.Errorf("%s does not see its own row", name)
			}
		})
		return nil
	})
	if err != nil {
		s.Fatal(err)
	}
	s.wantCount(author, 8, auth.Condition{Column: "name", Op: "starts with", Value: "helper"})
}

func nested(s *suite) {
	library(s)
	err := s.Transaction(s.Context(), func(outer context.Context) error {
		err := s.Transaction(outer, func(inner context.Context) error {
			s.change(inner)
			return nil
		})
		if s.one(outer, "5") == nil {
			s.Error("the outer transaction does not see what the inner one wrote")
		}
		if s.one(s.Context(), "5") != nil {
			s.Error("the end of the inner transaction has committed")
		}
		return errors.Join(err, errOnPurpose)
	})
	s.wantError("transaction", err, errOnPurpose)
	s.wantUnchanged()
}

// nestedFailure: an inner function that failed may have written half of what it
// wanted, so the outer one must not be able to commit that by mistake.
func nestedFailure(s *suite) {
	library(s)
	err := s.Transaction(s.Context(), func(outer context.Context) error {
		err := s.Transaction(outer, func(inner context.Context) error {
			s.change(inner)
			return errOnPurpose
		})
		s.wantError("inner transaction", err, errOnPurpose)
		return nil
	})
	s.wantError("outer transaction", err, errOnPurpose)
	s.wantUnchanged()

	err = s.Transaction(s.Context(), func(outer context.Context) error {
		defer func() { _ = recover() }()
		return s.Transaction(outer, func(inner context.Context) error {
			s.change(inner)
			panic(errOnPurpose)
		})
	})
	if err == nil {
		s.Error("a transaction whose inner one panicked was committed")
	}
	s.wantUnchanged()
}

func afterwards(s *suite) {
	library(s)
	var leaked context.Context
	_ = s.Transaction(s.Context(), func(ctx context.Context) error {
		leaked = ctx
		return nil
	})
	s.wantRefused("insert", s.Insert(leaked, author, person("5", "eve")))
	s.wantRefused("transaction", s.Transaction(leaked, func(context.Context) error { return nil }))
	_, err := s.Select(leaked, auth.Query{Table: author})
	s.wantRefused("select", err)
	s.wantUnchanged()
}

func canceled(s *suite) {
	library(s)
	ctx, cancel := context.WithCancel(s.Context())
	cancel()
	s.wantError("insert", s.Insert(ctx, author, person("5", "eve")), context.Canceled)
	_, err := s.Delete(ctx, author)
	s.wantError("delete", err, context.Canceled)
	_, err = s.Select(ctx, auth.Query{Table: author})
	s.wantError("select", err, context.Canceled)
	s.wantUnchanged()
}

func canceledInside(s *suite) {
	library(s)
	ctx, cancel := context.WithCancel(s.Context())
	err := s.Transaction(ctx, func(ctx context.Context) error {
		s.change(ctx)
		cancel()
		return nil
	})
	s.wantError("transaction", err, context.Canceled)
	s.wantUnchanged()
}

func canceledWaiting(s *suite) {
	library(s)
	err := s.Transaction(s.Context(), func(ctx context.Context) error {
		s.change(ctx)
		waiting, cancel := context.WithTimeout(s.Context(), 50*time.Millisecond)
		defer cancel()
		err := s.Transaction(waiting, func(ctx context.Context) error {
			_, err := s.Update(ctx, author, map[string]any{"name": "late"}, auth.Where("id", "1"))
			return err
		})
		if err == nil {
			s.Error("a write went past the transaction that had changed its row")
		}
		return errOnPurpose
	})
	s.wantError("transaction", err, errOnPurpose)
	s.wantUnchanged()
}

func transactionRace(s *suite) {
	s.insert(author, with(person("a", "ann"), "score", 0))
	atOnce(crowd, func(int) {
		err := s.Transaction(s.Context(), func(ctx context.Context) error {
			if _, err := s.Increment(ctx, author, map[string]int64{"score": 1}, nil, auth.Where("id", "a")); err != nil {
				return err
			}
			_, err := s.Increment(ctx, author, map[string]int64{"score": 1}, nil, auth.Where("id", "a"))
			return err
		})
		if err != nil {
			s.Error(err)
		}
	})
	s.wantCount(author, 1, auth.Where("score", 2*crowd))
}
