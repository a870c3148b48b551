package auth

import (
	"cmp"
	"context"
	"database/sql"
	"errors"
)

// A sqlRunner runs one statement: a *sql.Stmt, or one that is not prepared.
type sqlRunner interface {
	QueryContext(ctx context.Context, args ...any) (*sql.Rows, error)
	ExecContext(ctx context.Context, args ...any) (sql.Result, error)
}

// unprepared is a statement that the database gets as text.
type unprepared struct {
	in interface { // a database or a transaction
		QueryContext(ctx context.Context, query string, args ...any) (*sql.Rows, error)
		ExecContext(ctx context.Context, query string, args ...any) (sql.Result, error)
	}
	b *sqlText
}

func (u unprepared) QueryContext(ctx context.Context, args ...any) (*sql.Rows, error) {
	return u.in.QueryContext(ctx, string(u.b.text), args...)
}

func (u unprepared) ExecContext(ctx context.Context, args ...any) (sql.Result, error) {
	return u.in.ExecContext(ctx, string(u.b.text), args...)
}

// run hands work what runs a statement, in the transaction of ctx if it has one.
func (s *SQLStore) run(ctx context.Context, b *sqlText, work func(r sqlRunner) error) error {
	if tx := s.transaction(ctx); tx != nil {
		return tx.run(func() error { return work(tx.runner(ctx, s, b)) })
	}
	statement, err := s.prepared(ctx, b)
	switch {
	case err != nil:
		return err
	case statement == nil:
		return undone(work(unprepared{s.db, b}))
	}
	return undone(work(statement))
}

// query runs a statement that returns rows and hands them to read.
func (s *SQLStore) query(ctx context.Context, b *sqlText, read func(*sql.Rows) error) error {
	return s.run(ctx, b, func(r sqlRunner) error {
		rows, err := r.QueryContext(ctx, b.args...)
		if err != nil {
			return err
		}
		return errors.Join(read(rows), rows.Close())
	})
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
	err = s.run(ctx, b, func(r sqlRunner) error {
		result, err = r.ExecContext(ctx, b.args...)
		return err
	})
	return result, err
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
