package auth

import (
	"cmp"
	"slices"
)

// A memoryView is a table as a reader or a transaction sees it: committed rows,
// over which the versions of the transaction may lie. Without a base it is
// empty.
type memoryView struct {
	base *memoryTable
	over *memoryTable // nil: nothing written
}

// hides reports whether a committed row has been replaced or deleted.
func (v memoryView) hides(n *memoryRow) bool {
	if v.over == nil {
		return false
	}
	_, hidden := v.over.hidden[n]
	return hidden
}

// get returns the row with a key in a unique index.
func (v memoryView) get(index int, key any) *memoryRow {
	if v.base == nil {
		return nil
	}
	if n := v.base.head(index, key); n != nil && !v.hides(n) {
		return n
	}
	if v.over == nil {
		return nil
	}
	return v.over.head(index, key)
}

// each calls yield for the rows that meet the conditions until it returns
// false.
func (v memoryView) each(where []boundCondition, yield func(*memoryRow) bool) {
	if v.base == nil {
		return
	}
	index, c := v.base.choose(where)
	switch {
	case c == nil:
		v.walk(indexAll, allRows, where, yield)
	case c.op == "=":
		v.walk(index, c.value, where, yield)
	default:
		for _, key := range c.list {
			if !v.walk(index, key, where, yield) {
				return
			}
		}
	}
}

// choose returns the index that leaves the fewest rows to test, with the
// condition it serves; nil if there is none.
func (m *memoryTable) choose(where []boundCondition) (index int, by *boundCondition) {
	for i := range where {
		c := &where[i]
		if c.op != "in" && (c.op != "=" || c.value == nil) {
			continue
		}
		x := m.indexOf(c.column)
		if x > 0 && c.op == "=" && m.indexes[x].unique {
			return x, c
		}
		if x > 0 && (by == nil || by.op == "in") {
			index, by = x, c
		}
	}
	return index, by
}

// indexOf returns the index of a column, 0 if it has none.
func (m *memoryTable) indexOf(column int) int {
	for i := indexID; i < len(m.indexes); i++ {
		if m.indexes[i].column == column {
			return i
		}
	}
	return 0
}

// references reports whether an index is that of a column which holds ids of
// the named table.
func (m *memoryTable) references(index int, name string) bool {
	column := m.indexes[index].column
	return column >= 0 && m.table.column(column).References == name
}

// walk calls yield for the rows with a key in an index that meet the
// conditions, and reports whether it went through all of them.
func (v memoryView) walk(index int, key any, where []boundCondition, yield func(*memoryRow) bool) bool {
	head := v.base.head(index, key)
	for n := head; n != nil; n = n.after(index, head) {
		if !v.hides(n) && n.meets(where) && !yield(n) {
			return false
		}
	}
	if v.over == nil {
		return true
	}
	head = v.over.head(index, key)
	for n := head; n != nil; n = n.after(index, head) {
		if n.meets(where) && !yield(n) {
			return false
		}
	}
	return true
}

func (n *memoryRow) meets(where []boundCondition) bool {
	for i := range where {
		if !where[i].matches(n.values) {
			return false
		}
	}
	return true
}

// find returns the rows that meet the conditions in the order of insertion, at
// most limit unless it is 0.
func (v memoryView) find(where []boundCondition, limit int) []*memoryRow {
	var found []*memoryRow
	early := limit > 0 && v.inOrder(where)
	v.each(where, func(n *memoryRow) bool {
		found = append(found, n)
		return !early || len(found) < limit
	})
	bySeq := func(a, b *memoryRow) int { return cmp.Compare(a.seq, b.seq) }
	if !slices.IsSortedFunc(found, bySeq) {
		slices.SortFunc(found, bySeq)
	}
	if limit > 0 {
		found = found[:min(limit, len(found))]
	}
	return found
}

// where is find for conditions as they came.
func (v memoryView) where(t *Table, where []Condition, limit int) ([]*memoryRow, error) {
	var buffer [4]boundCondition
	bound, err := t.bind(buffer[:0], where)
	if err != nil {
		return nil, err
	}
	return v.find(bound, limit), nil
}

// inOrder reports whether each meets rows in the order of insertion. An index
// does not: an update puts a row behind those that had the value before.
func (v memoryView) inOrder(where []boundCondition) bool {
	if v.base == nil || v.over != nil && v.over.head(indexAll, allRows) != nil {
		return false
	}
	_, by := v.base.choose(where)
	return by == nil
}

// taken reports whether another row than self has a unique value of these.
func (v memoryView) taken(values Row, self *memoryRow) bool {
	for i := range v.base.indexes {
		x := &v.base.indexes[i]
		if !x.unique || x.key(values) == nil {
			continue
		}
		if n := v.get(i, x.key(values)); n != nil && n != self {
			return true
		}
	}
	return false
}

// clash reports whether setting values in all of the rows would make two rows
// share a unique one.
func (v memoryView) clash(rows []*memoryRow, set []boundValue) bool {
	if len(rows) == 1 {
		return v.taken(rows[0].with(set), rows[0])
	}
	return len(rows) > 1 && slices.ContainsFunc(set, func(s boundValue) bool {
		return s.value != nil && v.base.table.column(s.column).Unique
	})
}

// with returns a copy of the row's values with some of them set.
func (n *memoryRow) with(set []boundValue) Row {
	values := slices.Clone(n.values)
	for _, s := range set {
		values[s.column] = s.value
	}
	return values
}

// replace writes a new version of a visible row.
func (v memoryView) replace(n *memoryRow, values Row) {
	if v.committed(n) == n {
		v.over.hide(n, v.over.add(values, n.seq))
	} else {
		v.over.replace(n, values)
	}
}

// remove deletes a visible row.
func (v memoryView) remove(n *memoryRow) {
	base := v.committed(n)
	if base != nil {
		v.over.hide(base, nil)
	}
	if base != n {
		v.over.remove(n)
	}
}

// committed returns the committed row with the same id, nil if there is none.
func (v memoryView) committed(n *memoryRow) *memoryRow {
	return v.base.head(indexID, n.values[len(n.values)-1])
}

// hide puts a version, nil for none, in the place of a committed row.
func (m *memoryTable) hide(n, version *memoryRow) {
	if m.hidden == nil {
		m.hidden = make(map[*memoryRow]*memoryRow)
	}
	m.hidden[n] = version
}
