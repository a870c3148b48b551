package auth

import (
	"cmp"
	"context"
	"database/sql"
	"database/sql/driver"
	"errors"
	"sync"
	"time"
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
	conn, inner, err := s.open(ctx)
	if err != nil {
		return err
	}
	defer s.leave(ctx, conn, inner)
	tx := &sqlTx{tx: inner}
	defer tx.end()
	if err := tx.outcome(fn(context.WithValue(ctx, sqlTxKey{s}, tx))); err != nil {
		return err
	}
	if err := tx.commit(ctx, inner.Commit); err != nil {
		s.clear(ctx, conn, inner)
		return undone(err)
	}
	_ = conn.Close() // it is the pool's again, which may have no other one
	s.prepareFresh(ctx, tx)
	return nil
}

// open begins a transaction on a connection of the pool, on another one if that turns
// out to be broken.
func (s *SQLStore) open(ctx context.Context) (conn *sql.Conn, tx *sql.Tx, err error) {
	for range maxAttempts {
		if conn, err = s.db.Conn(ctx); err != nil {
			return nil, nil, err
		}
		if tx, err = s.dialect.begin(ctx, conn); err == nil {
			return conn, tx, nil
		}
		_ = conn.Close()
		if !errors.Is(err, driver.ErrBadConn) {
			break
		}
	}
	return nil, nil, err
}

// leave gives the connection of a transaction back to the pool, and rolls the
// transaction back if it was not committed.
func (s *SQLStore) leave(ctx context.Context, conn *sql.Conn, tx *sql.Tx) {
	if err := tx.Rollback(); err != nil && !errors.Is(err, sql.ErrTxDone) {
		s.clear(ctx, conn, tx)
	}
	_ = conn.Close()
}

// patience is how long the end of a transaction may take that could not be ended.
const patience = 5 * time.Second

// clear makes sure that no transaction is open on a connection whose COMMIT or ROLLBACK
// has failed. MySQL leaves it open where it refuses a COMMIT (read-only, interrupted):
// who got the connection next would read what was true then, and write what is gone
// with the connection. A connection that cannot even roll back is discarded.
func (s *SQLStore) clear(ctx context.Context, conn *sql.Conn, tx *sql.Tx) {
	_ = tx.Rollback() // or the connection would still be its
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), patience)
	defer cancel()
	if _, err := conn.ExecContext(ctx, "ROLLBACK"); err != nil {
		s.discard(conn)
	}
}

// discard closes a connection that nobody shall get any more. SQLite's stay: where they
// cannot roll back, no transaction is open.
func (s *SQLStore) discard(conn *sql.Conn) {
	if !s.traits.oneWriter {
		_ = conn.Raw(func(any) error { return driver.ErrBadConn })
	}
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
