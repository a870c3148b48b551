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
	if err := fn(context.WithValue(ctx, sqlTxKey{s}, tx)); err != nil {
		return err
	}
	if err := tx.commit(ctx, inner.Commit); err != nil {
		return err
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

// prepared returns a statement to run in the transaction; nil if it has to be
// run by its text. Statements without arguments are not run often.
func (tx *sqlTx) prepared(ctx context.Context, s *SQLStore, b *sqlText) *sql.Stmt {
	if b.once || len(b.args) == 0 {
		return nil
	}
	s.mu.RLock()
	statement := s.statements[string(b.text)]
	s.mu.RUnlock()
	if statement == nil {
		tx.fresh = append(tx.fresh, b)
		return nil
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
	if err := s.takeTurn(ctx); err != nil {
		return err
	}
	defer s.endTurn()
	return write()
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
	return s.begin(ctx, fn)
}

// query runs a statement that returns rows and hands them to read.
func (s *SQLStore) query(ctx context.Context, b *sqlText, read func(*sql.Rows) error) error {
	run := func(rows *sql.Rows, err error) error {
		if err != nil {
			return err
		}
		return errors.Join(read(rows), rows.Close())
	}
	if tx := s.transaction(ctx); tx != nil {
		return tx.do(func() error {
			if statement := tx.prepared(ctx, s, b); statement != nil {
				return run(statement.QueryContext(ctx, b.args...))
			}
			return run(tx.tx.QueryContext(ctx, string(b.text), b.args...))
		})
	}
	statement, err := s.prepared(ctx, b)
	switch {
	case err != nil:
		return err
	case statement == nil:
		return run(s.db.QueryContext(ctx, string(b.text), b.args...))
	}
	return run(statement.QueryContext(ctx, b.args...))
}

// exec runs a statement that returns no rows and returns how many it touched.
func (s *SQLStore) exec(ctx context.Context, b *sqlText) (int64, error) {
	result, err := s.execResult(ctx, b)
	if err != nil {
		return 0, err
	}
	return s.dialect.touched(result)
}

func (s *SQLStore) execResult(ctx context.Context, b *sqlText) (result sql.Result, err error) {
	if tx := s.transaction(ctx); tx != nil {
		err = tx.do(func() error {
			if statement := tx.prepared(ctx, s, b); statement != nil {
				result, err = statement.ExecContext(ctx, b.args...)
			} else {
				result, err = tx.tx.ExecContext(ctx, string(b.text), b.args...)
			}
			return err
		})
		return result, err
	}
	statement, err := s.prepared(ctx, b)
	switch {
	case err != nil:
		return nil, err
	case statement == nil:
		return s.db.ExecContext(ctx, string(b.text), b.args...)
	}
	return statement.ExecContext(ctx, b.args...)
}

// maxPrepared bounds the statements that are kept. Code makes a fixed number of
// them; beyond this one something builds conditions out of input.
const maxPrepared = 1000

// prepared returns the statement, prepared when it is first used; nil for a
// statement that is not worth it.
func (s *SQLStore) prepared(ctx context.Context, b *sqlText) (*sql.Stmt, error) {
	if b.once {
		return nil, nil
	}
	s.mu.RLock()
	statement, full := s.statements[string(b.text)], len(s.statements) >= maxPrepared
	s.mu.RUnlock()
	if statement != nil || full {
		return statement, nil
	}
	statement, err := s.db.PrepareContext(ctx, string(b.text))
	if err != nil {
		return nil, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if first := s.statements[string(b.text)]; first != nil { // somebody was faster
		return first, statement.Close()
	}
	s.statements[string(b.text)] = statement
	return statement, nil
}

// rows runs a query for whole rows, nil if there are none.
func (s *SQLStore) rows(ctx context.Context, b *sqlText) (found []Row, err error) {
	cells := make([]sqlCell, len(b.columns))
	targets := make([]any, len(cells))
	for i := range cells {
		cells[i] = sqlCell{column: b.columns[i]}
		targets[i] = &cells[i]
	}
	err = s.query(ctx, b, func(rows *sql.Rows) error {
		for rows.Next() {
			if err := rows.Scan(targets...); err != nil {
				return err
			}
			row := make(Row, len(cells))
			for i := range cells {
				row[i] = cells[i].value
			}
			found = append(found, row)
		}
		return rows.Err()
	})
	return written(found, err)
}

// row is rows for at most one.
func (s *SQLStore) row(ctx context.Context, b *sqlText) (Row, error) {
	found, err := s.rows(ctx, b)
	if err != nil || len(found) == 0 {
		return nil, err
	}
	return found[0], nil
}

// number runs a query for one number.
func (s *SQLStore) number(ctx context.Context, b *sqlText) (n int64, err error) {
	err = s.query(ctx, b, func(rows *sql.Rows) error {
		if !rows.Next() {
			return cmp.Or(rows.Err(), sql.ErrNoRows)
		}
		return rows.Scan(&n)
	})
	return n, err
}
