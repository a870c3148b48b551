package faulttest

import (
	"database/sql/driver"
	"errors"
	"io"
	"slices"
)

// drained is an answer that was read to its end, so that the database has done
// all of its work whatever becomes of the answer. Other rows are not wrapped.
type drained struct {
	columns []string
	rows    [][]driver.Value
	err     error // at the end, io.EOF if nil
}

// drain reads rows to their end and closes them.
func drain(rows driver.Rows) (*drained, error) {
	out := &drained{columns: slices.Clone(rows.Columns())}
	for {
		row := make([]driver.Value, len(out.columns))
		err := rows.Next(row)
		if errors.Is(err, io.EOF) {
			return out, rows.Close()
		}
		if err != nil {
			return nil, errors.Join(err, rows.Close())
		}
		for i, v := range row {
			if b, ok := v.([]byte); ok { // valid until the next row only
				row[i] = slices.Clone(b)
			}
		}
		out.rows = append(out.rows, row)
	}
}

func (d *drained) Columns() []string { return d.columns }
func (d *drained) Close() error      { return nil }

func (d *drained) Next(dest []driver.Value) error {
	switch {
	case len(d.rows) > 0:
		copy(dest, d.rows[0])
		d.rows = d.rows[1:]
		return nil
	case d.err != nil:
		return d.err
	}
	return io.EOF
}
