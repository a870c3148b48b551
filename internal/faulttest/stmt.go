package faulttest

import (
	"context"
	"database/sql/driver"
	"errors"
)

// stmt is a prepared statement on a wire.
type stmt struct {
	conn  *conn
	inner driver.Stmt
	text  string
}

func (s *stmt) Close() error {
	s.conn.mu.Lock()
	defer s.conn.mu.Unlock()
	if s.conn.dead || !s.conn.statements[s] {
		return nil
	}
	delete(s.conn.statements, s)
	return s.inner.Close()
}

func (s *stmt) NumInput() int {
	if s.conn.broken() {
		return -1
	}
	return s.inner.NumInput()
}

func (s *stmt) Exec(args []driver.Value) (driver.Result, error) {
	return s.ExecContext(context.Background(), named(args))
}

func (s *stmt) ExecContext(ctx context.Context, args []driver.NamedValue) (driver.Result, error) {
	return disturb(ctx, s.conn.wire, s.conn, Exec, s.text, func() (driver.Result, error) {
		if e, ok := s.inner.(driver.StmtExecContext); ok {
			return e.ExecContext(ctx, args)
		}
		values, err := positional(ctx, args)
		if err != nil {
			return nil, err
		}
		//lint:ignore SA1019 drivers that have nothing newer
		return s.inner.Exec(values)
	})
}

func (s *stmt) Query(args []driver.Value) (driver.Rows, error) {
	return s.QueryContext(context.Background(), named(args))
}

func (s *stmt) QueryContext(ctx context.Context, args []driver.NamedValue) (driver.Rows, error) {
	return disturb(ctx, s.conn.wire, s.conn, Query, s.text, func() (driver.Rows, error) {
		if q, ok := s.inner.(driver.StmtQueryContext); ok {
			return q.QueryContext(ctx, args)
		}
		values, err := positional(ctx, args)
		if err != nil {
			return nil, err
		}
		//lint:ignore SA1019 drivers that have nothing newer
		return s.inner.Query(values)
	})
}

// CheckNamedValue asks the connection where the statement has no opinion, as
// database/sql does.
func (s *stmt) CheckNamedValue(v *driver.NamedValue) error {
	if checker, ok := s.inner.(driver.NamedValueChecker); ok {
		return checker.CheckNamedValue(v)
	}
	return s.conn.CheckNamedValue(v)
}

func (s *stmt) ColumnConverter(i int) driver.ValueConverter {
	//lint:ignore SA1019 drivers that have nothing newer
	if c, ok := s.inner.(driver.ColumnConverter); ok {
		return c.ColumnConverter(i)
	}
	return driver.DefaultParameterConverter
}

func named(args []driver.Value) []driver.NamedValue {
	out := make([]driver.NamedValue, len(args))
	for i, v := range args {
		out[i] = driver.NamedValue{Ordinal: i + 1, Value: v}
	}
	return out
}

func positional(ctx context.Context, args []driver.NamedValue) ([]driver.Value, error) {
	out := make([]driver.Value, len(args))
	for i, v := range args {
		if v.Name != "" {
			return nil, errors.New("faulttest: the driver knows no named arguments")
		}
		out[i] = v.Value
	}
	return out, ctx.Err()
}
