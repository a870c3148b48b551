package faulttest

import (
	"context"
	"database/sql/driver"
	"io"
)

type connector struct {
	wire  *Wire
	inner driver.Connector
}

func (c *connector) Connect(ctx context.Context) (driver.Conn, error) {
	return disturb(ctx, c.wire, nil, Connect, "", func() (driver.Conn, error) {
		inner, err := c.inner.Connect(ctx)
		if err != nil {
			return nil, err
		}
		return &conn{wire: c.wire, inner: inner, statements: make(map[*stmt]bool)}, nil
	})
}

func (c *connector) Driver() driver.Driver { return c.inner.Driver() }

// Close implements io.Closer for connectors that have to be closed.
func (c *connector) Close() error {
	if closer, ok := c.inner.(io.Closer); ok {
		return closer.Close()
	}
	return nil
}

// dsn is the connector of drivers that have none.
type dsn struct {
	driver driver.Driver
	name   string
}

func (d dsn) Connect(context.Context) (driver.Conn, error) { return d.driver.Open(d.name) }
func (d dsn) Driver() driver.Driver                        { return d.driver }
