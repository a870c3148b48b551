package auth

import (
	"fmt"
	"slices"
	"time"
)

// A memoryTable holds rows and finds them: the committed rows of a table, or
// the new versions of rows that a transaction has written.
type memoryTable struct {
	table   *Table
	indexes []memoryIndex
	expires int // position of Table.Expires, -1 if rows do not expire

	lastID int64 // of tables with IDSerial; only the holder of the writer's token changes it

	// Of committed rows: where the search for expired ones goes on; nil: at
	// the oldest row.
	sweep *memoryRow

	// Of a transaction: the committed rows that it hides, with their new
	// versions, nil for deleted ones.
	hidden map[*memoryRow]*memoryRow
}

// The first indexes of every table.
const (
	indexAll = iota // has every row under the one key allRows
	indexID
)

var allRows any = true

// A memoryIndex finds rows by the value of a column. Rows with the same value
// form a ring, oldest first; links[i] of a row belongs to indexes[i]. NULL is
// not indexed.
type memoryIndex struct {
	column int // -1: indexAll
	unique bool
	heads  map[any]*memoryRow
}

func (x *memoryIndex) key(values Row) any {
	if x.column < 0 {
		return allRows
	}
	return values[x.column]
}

// A memoryRow is the place of a row in a table. Its values are replaced by an
// update and never changed, so that readers may hold on to them.
type memoryRow struct {
	values Row
	seq    uint64 // insertion order
	links  []memoryLink
}

type memoryLink struct{ prev, next *memoryRow }

func newMemoryTable(t *Table) *memoryTable {
	m := &memoryTable{table: t, expires: t.index(t.Expires)}
	m.addIndex(-1, false)
	m.addIndex(len(t.Columns), true)
	for i := range t.Columns {
		if c := &t.Columns[i]; c.Unique || c.Index || c.References != "" {
			m.addIndex(i, c.Unique)
		}
	}
	return m
}

func (m *memoryTable) addIndex(column int, unique bool) {
	m.indexes = append(m.indexes, memoryIndex{column: column, unique: unique})
}

// overlay returns an empty table for new versions of this one's rows.
func (m *memoryTable) overlay() *memoryTable {
	over := &memoryTable{table: m.table, indexes: slices.Clone(m.indexes)}
	for i := range over.indexes {
		over.indexes[i].heads = nil
	}
	return over
}

// accept reports whether rows of t fit among those that are here.
func (m *memoryTable) accept(t *Table) error {
	if m.table == t {
		return nil
	}
	same := len(m.table.Columns) == len(t.Columns) && m.table.IDs == t.IDs
	for i := 0; same && i < len(t.Columns); i++ {
		a, b := &m.table.Columns[i], &t.Columns[i]
		same = a.Name == b.Name && a.Type == b.Type && a.Nullable == b.Nullable &&
			a.Unique == b.Unique && a.Index == b.Index && a.References == b.References
	}
	if !same {
		return fmt.Errorf("auth: the memory store has a table %q with other columns", t.Name)
	}
	return nil
}

// head returns the oldest row with a key in an index, nil if there is none.
func (m *memoryTable) head(index int, key any) *memoryRow {
	return m.indexes[index].heads[key]
}

// after returns the row that follows n in a ring, nil at its end.
func (n *memoryRow) after(index int, head *memoryRow) *memoryRow {
	if next := n.links[index].next; next != head {
		return next
	}
	return nil
}

// add appends a row.
func (m *memoryTable) add(values Row, seq uint64) *memoryRow {
	n := &memoryRow{values: values, seq: seq, links: make([]memoryLink, len(m.indexes))}
	for i := range m.indexes {
		m.link(i, n)
	}
	return n
}

// remove takes a row out.
func (m *memoryTable) remove(n *memoryRow) {
	if m.sweep == n {
		m.sweep = n.after(indexAll, m.head(indexAll, allRows))
	}
	for i := range m.indexes {
		m.unlink(i, n)
	}
}

// replace gives a row new values; the id stays the same.
func (m *memoryTable) replace(n *memoryRow, values Row) {
	old := n.values
	for i := range m.indexes {
		if x := &m.indexes[i]; x.key(old) != x.key(values) {
			m.unlink(i, n)
		}
	}
	n.values = values
	for i := range m.indexes {
		if x := &m.indexes[i]; x.key(old) != x.key(values) {
			m.link(i, n)
		}
	}
}

func (m *memoryTable) link(index int, n *memoryRow) {
	x := &m.indexes[index]
	key := x.key(n.values)
	if key == nil {
		return
	}
	head := x.heads[key]
	if head == nil {
		if x.heads == nil {
			x.heads = make(map[any]*memoryRow)
		}
		n.links[index] = memoryLink{n, n}
		x.heads[key] = n
		return
	}
	tail := head.links[index].prev
	n.links[index] = memoryLink{tail, head}
	tail.links[index].next = n
	head.links[index].prev = n
}

func (m *memoryTable) unlink(index int, n *memoryRow) {
	x := &m.indexes[index]
	key := x.key(n.values)
	if key == nil {
		return
	}
	link := &n.links[index]
	switch {
	case link.next == n:
		delete(x.heads, key)
	case x.heads[key] == n:
		x.heads[key] = link.next
	}
	link.prev.links[index].next = link.next
	link.next.links[index].prev = link.prev
	*link = memoryLink{}
}

// apply makes the versions of a transaction the committed ones.
func (m *memoryTable) apply(over *memoryTable) {
	for n, version := range over.hidden {
		if version == nil {
			m.remove(n)
		} else {
			m.replace(n, version.values)
		}
	}
	head := over.head(indexAll, allRows)
	for n := head; n != nil; n = n.after(indexAll, head) {
		if m.head(indexID, n.values[len(n.values)-1]) == nil {
			m.add(n.values, n.seq)
		}
	}
}

// Rows are collected an hour after they expired, so that nobody who still holds
// one is surprised. Each write looks at this many rows: expired ones then make
// up no more than a seventh of a table that is in steady use.
const (
	memoryGrace = time.Hour
	memorySweep = 8
)

// expired calls drop for those of the next few rows that may be collected.
func (m *memoryTable) expired(drop func(*memoryRow)) {
	if m.expires < 0 {
		return
	}
	head, limit := m.head(indexAll, allRows), now().Add(-memoryGrace)
	if m.sweep == nil {
		m.sweep = head
	}
	for range memorySweep {
		n := m.sweep
		if n == nil {
			return
		}
		m.sweep = n.after(indexAll, head)
		if date, ok := n.values[m.expires].(time.Time); ok && date.Before(limit) {
			drop(n)
		}
	}
}
