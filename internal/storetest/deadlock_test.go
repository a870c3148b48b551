package storetest

import (
	"context"
	"errors"
	"sync"
	"testing"

	"github.com/seed3b05b409/auth"
)

// TestDeadlock: of two transactions that wait for each other the database ends one. It
// is told so, whatever its function makes of the error, and nothing that it wrote
// before or afterwards is kept. On MySQL what came afterwards would else be, since the
// server has ended the transaction by itself.
func TestDeadlock(t *testing.T) {
	onEach(t, func(t *testing.T, d database) {
		if d.dialect == auth.SQLite {
			return // its transactions come one after the other
		}
		store := migrated(t, d.open(t), d.dialect)
		for range 2 {
			deadlock(&suite{t, store})
			empty(t, store)
		}
	})
}

func deadlock(s *suite) {
	names := [...]string{"ann", "bob"}
	for _, name := range names {
		s.insert(author, with(person(name, name), "score", 0))
	}
	var (
		begun, ended sync.WaitGroup
		errs         [len(names)]error
	)
	begun.Add(len(names))
	for i, own := range names {
		other := names[1-i]
		ended.Go(func() {
			errs[i] = s.Transaction(s.Context(), func(ctx context.Context) error {
				set := map[string]any{"score": i + 1}
				_, err := s.Update(ctx, author, set, auth.Where("id", own))
				begun.Done()
				begun.Wait()
				if err == nil {
					_, err = s.Update(ctx, author, set, auth.Where("id", other))
				}
				if after := s.Insert(ctx, author, person("by "+own, own)); (after == nil) != (err == nil) {
					s.Errorf("an update with the error %v, and after it an insert with %v", err, after)
				}
				return nil
			})
		})
	}
	ended.Wait()
	winner := 0
	if errs[0] != nil {
		winner = 1
	}
	if errs[winner] != nil || !errors.Is(errs[1-winner], auth.ErrRolledBack) {
		s.Fatalf("errors %v, want one to be %v", errs, auth.ErrRolledBack)
	}
	s.wantCount(author, 3)
	s.wantCount(author, 2, auth.Where("score", winner+1))
	s.wantCount(author, 1, auth.Where("id", "by "+names[winner]))
}

// TestDeadlockOfWrites: a write that is no part of a transaction is made again by the
// store. All delete what they reach in another order than others, with what references
// it.
func TestDeadlockOfWrites(t *testing.T) {
	onEach(t, func(t *testing.T, d database) {
		s := &suite{t, migrated(t, d.open(t), d.dialect)}
		for range 20 {
			library(s)
			atOnce(crowd/4, func(i int) {
				if _, err := s.Delete(s.Context(), author, auth.Condition{Column: "id", Op: []string{"<", ">"}[i%2], Value: "3"}); err != nil {
					s.Error(err)
				}
			})
			empty(t, s.Store)
		}
	})
}
