package auth

import (
	"cmp"
	"context"
	"database/sql"
	"errors"
	"sync"
)

// A sqlTx is a transaction of a SQLStore.
type sqlTx struct {
	txState
	tx *sql.Tx

	// steps is held during an operation that may take several statements. No
	// other goroutine may come in between: on PostgreSQL nothing works while a
	// statement that failed is being undone.
	steps sync.Mutex

	fresh []*sqlText // statements that nobody has prepared yet

	lost error // ErrRolledBack: what came now would be written outside of any transaction
}

// run runs one statement of the transaction, unless the database has ended that.
func (tx *sqlTx) run(work func() error) error {
	return tx.do(func() error {
		if tx.lost != nil {
			return tx.lost
		}
		err := undone(work())
		if errors.Is(err, ErrRolledBack) {
			tx.lost = err
		}
		return err
	})
}

// outcome is what fn's error makes of the transaction.
func (tx *sqlTx) outcome(err error) error {
	tx.mu.Lock()
	defer tx.mu.Unlock()
	return cmp.Or(tx.lost, err)
}

// sqlTxKey is the context key of a store's transaction.
type sqlTxKey struct{ store *SQLStore }

func (s *SQLStore) transaction(ctx context.Context) *sqlTx {
	tx, _ := ctx.Value(sqlTxKey{s}).(*sqlTx)
	return tx
}

// begin runs fn in a new transaction.
func (s *SQLStore) begin(ctx context.Context, fn func(ctx context.Context) error) error {
	if err := s.takeTurn(ctx); err != nil {
		return err
	}
	defer s.endTurn()
	inner, err := s.dialect.begin(ctx, s.db)
	if err != nil {
		return err
	}
	defer func() { _ = inner.Rollback() }() // nothing after a commit; if it fails the connection ends, which does the same
	tx := &sqlTx{tx: inner}
	defer tx.end()
	if err := tx.outcome(fn(context.WithValue(ctx, sqlTxKey{s}, tx))); err != nil {
		return err
	}
	if err := tx.commit(ctx, inner.Commit); err != nil {
		return undone(err)
	}
	s.prepareFresh(ctx, tx)
	return nil
}

// prepareFresh prepares what a transaction that is over has used, for those to
// come. Earlier it could have waited for a connection while it held the last one.
func (s *SQLStore) prepareFresh(ctx context.Context, tx *sqlTx) {
	for _, b := range tx.fresh {
		if _, err := s.prepared(ctx, b); err != nil {
			return // the transaction has succeeded all the same
		}
	}
}

// runner returns what runs a statement in the transaction: prepared, if somebody
// has prepared it. Statements without arguments are not run often.
func (tx *sqlTx) runner(ctx context.Context, s *SQLStore, b *sqlText) sqlRunner {
	if b.once || len(b.args) == 0 {
		return unprepared{tx.tx, b}
	}
	s.mu.RLock()
	statement := s.statements[string(b.text)]
	s.mu.RUnlock()
	if statement == nil {
		tx.fresh = append(tx.fresh, b)
		return unprepared{tx.tx, b}
	}
	return tx.tx.StmtContext(ctx, statement)
}

// takeTurn waits until no other write of this store is under way, where the
// database would answer with an error instead of letting one wait.
func (s *SQLStore) takeTurn(ctx context.Context) error {
	if err := ctx.Err(); err != nil || s.turn == nil {
		return err
	}
	select {
	case s.turn <- struct{}{}:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

func (s *SQLStore) endTurn() {
	if s.turn != nil {
		<-s.turn
	}
}

// writing runs a write that is atomic by itself, in its turn or in the
// transaction of ctx, which has had its own.
func (s *SQLStore) writing(ctx context.Context, write func() error) error {
	if s.transaction(ctx) != nil {
		return s.step(ctx, write)
	}
	return s.again(ctx, func() error {
		if err := s.takeTurn(ctx); err != nil {
			return err
		}
		defer s.endTurn()
		return write()
	})
}

// step runs an operation, by itself if ctx has a transaction.
func (s *SQLStore) step(ctx context.Context, operation func() error) error {
	if tx := s.transaction(ctx); tx != nil {
		tx.steps.Lock()
		defer tx.steps.Unlock()
	}
	return operation()
}

// inTransaction runs fn in the transaction of ctx or in one of its own. Unlike a
// Transaction that joins, fn may fail without spoiling the outer one, and so
// must not have written anything then.
func (s *SQLStore) inTransaction(ctx context.Context, fn func(ctx context.Context) error) error {
	if s.transaction(ctx) != nil {
		return fn(ctx)
	}
	return s.again(ctx, func() error { return s.begin(ctx, fn) })
}
