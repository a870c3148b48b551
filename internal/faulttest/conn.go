package faulttest

import (
	"context"
	"database/sql/driver"
	"errors"
	"sync"
)

// conn passes on every optional ability of a connection. What the wrapped one
// lacks is answered as database/sql would do without it.
type conn struct {
	wire  *Wire
	inner driver.Conn

	mu         sync.Mutex // guards what follows
	dead       bool
	statements map[*stmt]bool
}

func (c *conn) broken() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.dead
}

// cut closes the connection under the feet of its user. SQLite ends a
// transaction only when the connection's statements are closed too.
func (c *conn) cut() {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.dead {
		return
	}
	c.dead = true
	for s := range c.statements {
		_ = s.inner.Close()
	}
	_ = c.inner.Close()
}

func (c *conn) Close() error {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.dead {
		return nil
	}
	c.dead = true
	return c.inner.Close()
}

func (c *conn) Prepare(query string) (driver.Stmt, error) {
	return c.PrepareContext(context.Background(), query)
}

func (c *conn) PrepareContext(ctx context.Context, query string) (driver.Stmt, error) {
	return disturb(ctx, c.wire, c, Prepare, query, func() (driver.Stmt, error) {
		inner, err := c.prepare(ctx, query)
		if err != nil {
			return nil, err
		}
		s := &stmt{conn: c, inner: inner, text: query}
		c.mu.Lock()
		defer c.mu.Unlock()
		c.statements[s] = true
		return s, nil
	})
}

func (c *conn) prepare(ctx context.Context, query string) (driver.Stmt, error) {
	if p, ok := c.inner.(driver.ConnPrepareContext); ok {
		return p.PrepareContext(ctx, query)
	}
	s, err := c.inner.Prepare(query)
	if err == nil && ctx.Err() != nil {
		_ = s.Close()
		return nil, ctx.Err()
	}
	return s, err
}

func (c *conn) Begin() (driver.Tx, error) {
	return c.BeginTx(context.Background(), driver.TxOptions{})
}

func (c *conn) BeginTx(ctx context.Context, opts driver.TxOptions) (driver.Tx, error) {
	return disturb(ctx, c.wire, c, Begin, "", func() (driver.Tx, error) {
		inner, err := c.begin(ctx, opts)
		if err != nil {
			return nil, err
		}
		return &tx{c, inner}, nil
	})
}

func (c *conn) begin(ctx context.Context, opts driver.TxOptions) (driver.Tx, error) {
	if b, ok := c.inner.(driver.ConnBeginTx); ok {
		return b.BeginTx(ctx, opts)
	}
	if opts != (driver.TxOptions{}) {
		return nil, errors.New("faulttest: the driver knows no options of transactions")
	}
	//lint:ignore SA1019 drivers that have nothing newer
	t, err := c.inner.Begin()
	if err == nil && ctx.Err() != nil {
		_ = t.Rollback()
		return nil, ctx.Err()
	}
	return t, err
}

func (c *conn) ExecContext(ctx context.Context, query string, args []driver.NamedValue) (driver.Result, error) {
	return disturb(ctx, c.wire, c, Exec, query, func() (driver.Result, error) {
		if e, ok := c.inner.(driver.ExecerContext); ok {
			return e.ExecContext(ctx, query, args)
		}
		return nil, driver.ErrSkip
	})
}

func (c *conn) QueryContext(ctx context.Context, query string, args []driver.NamedValue) (driver.Rows, error) {
	return disturb(ctx, c.wire, c, Query, query, func() (driver.Rows, error) {
		if q, ok := c.inner.(driver.QueryerContext); ok {
			return q.QueryContext(ctx, query, args)
		}
		return nil, driver.ErrSkip
	})
}

func (c *conn) Ping(ctx context.Context) error {
	_, err := disturb(ctx, c.wire, c, Ping, "", func() (struct{}, error) {
		if p, ok := c.inner.(driver.Pinger); ok {
			return struct{}{}, p.Ping(ctx)
		}
		return struct{}{}, nil
	})
	return err
}

func (c *conn) ResetSession(ctx context.Context) error {
	if c.broken() {
		return driver.ErrBadConn
	}
	if r, ok := c.inner.(driver.SessionResetter); ok {
		return r.ResetSession(ctx)
	}
	return nil
}

func (c *conn) IsValid() bool {
	if c.broken() {
		return false
	}
	if v, ok := c.inner.(driver.Validator); ok {
		return v.IsValid()
	}
	return true
}

func (c *conn) CheckNamedValue(v *driver.NamedValue) error {
	if checker, ok := c.inner.(driver.NamedValueChecker); ok {
		return checker.CheckNamedValue(v)
	}
	return driver.ErrSkip
}

// tx is a transaction on a wire.
type tx struct {
	conn  *conn
	inner driver.Tx
}

// Commit leaves the transaction open when it is made to fail, as MySQL does where it
// refuses one, although database/sql takes a transaction for ended after a Commit.
func (t *tx) Commit() error { return t.end(Commit, t.inner.Commit) }

func (t *tx) Rollback() error { return t.end(Rollback, t.inner.Rollback) }

func (t *tx) end(kind Kind, do func() error) error {
	_, err := disturb(context.Background(), t.conn.wire, t.conn, kind, "", func() (struct{}, error) { return struct{}{}, do() })
	return err
}
