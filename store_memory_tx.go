package auth

import (
	"context"
	"slices"
	"strconv"
)

// A memoryTx is the private side of a write: new versions of rows that lie over
// the committed ones, until commit puts them in their place. Dropping it is the
// rollback. With no changes it is a view of the committed rows.
type memoryTx struct {
	txState
	store   *MemoryStore
	changes map[string]*memoryTable
}

// commit makes the changes visible, all at once.
func (tx *memoryTx) commit(ctx context.Context) error {
	return tx.txState.commit(ctx, func() error {
		tx.collect()
		tx.store.mu.Lock()
		defer tx.store.mu.Unlock()
		for name, over := range tx.changes {
			tx.store.tables[name].apply(over)
		}
		return nil
	})
}

// collect deletes a few long expired rows of the tables that were written to.
func (tx *memoryTx) collect() {
	for name, over := range tx.changes {
		v := memoryView{tx.store.tables[name], over}
		v.base.expired(func(n *memoryRow) {
			if !v.hides(n) {
				tx.remove(v, n)
			}
		})
	}
}

// look returns a table as the transaction sees it.
func (tx *memoryTx) look(t *Table) (memoryView, error) {
	if t == nil {
		return memoryView{}, t.check()
	}
	base := tx.store.tables[t.Name]
	if base == nil {
		return memoryView{}, t.check()
	}
	return memoryView{base, tx.changes[t.Name]}, base.accept(t)
}

// edit is look for an operation that writes.
func (tx *memoryTx) edit(t *Table) (memoryView, error) {
	if t == nil {
		return memoryView{}, t.check()
	}
	base, err := tx.store.table(t)
	if err != nil {
		return memoryView{}, err
	}
	over := tx.changes[t.Name]
	if over == nil {
		over = base.overlay()
		if tx.changes == nil {
			tx.changes = make(map[string]*memoryTable)
		}
		tx.changes[t.Name] = over
	}
	return memoryView{base, over}, nil
}

func (tx *memoryTx) count(t *Table, where []Condition) (n int64, err error) {
	v, err := tx.look(t)
	if err != nil {
		return 0, err
	}
	bound, err := t.bind(nil, where)
	if err != nil {
		return 0, err
	}
	v.each(bound, func(*memoryRow) bool { n++; return true })
	return n, nil
}

func (tx *memoryTx) query(q *Query) ([]memoryHit, error) {
	v, err := tx.look(q.Table)
	if err != nil {
		return nil, err
	}
	order, err := q.bindOrder()
	if err != nil {
		return nil, err
	}
	limit := 0
	if len(order) == 0 && q.Join == nil && q.Limit > 0 {
		limit = q.Offset + q.Limit
	}
	found, err := v.where(q.Table, q.Where, limit)
	if err != nil {
		return nil, err
	}
	if len(order) > 0 {
		slices.SortStableFunc(found, func(a, b *memoryRow) int { return compareRows(a.values, b.values, order) })
	}
	hits, err := tx.hits(q, found)
	return page(hits, q.Offset, q.Limit), err
}

// hits pairs rows with their partners, if the query asks for such.
func (tx *memoryTx) hits(q *Query, found []*memoryRow) ([]memoryHit, error) {
	hits := make([]memoryHit, 0, len(found))
	if q.Join == nil {
		for _, n := range found {
			hits = append(hits, memoryHit{row: n.values})
		}
		return hits, nil
	}
	column, err := q.bindJoin()
	if err != nil {
		return nil, err
	}
	partners, err := tx.look(q.Join.Table)
	if err != nil {
		return nil, err
	}
	for _, n := range found {
		if partner := partners.get(indexID, n.values[column]); partner != nil {
			hits = append(hits, memoryHit{n.values, partner.values})
		}
	}
	return hits, nil
}

func page(hits []memoryHit, offset, limit int) []memoryHit {
	hits = hits[min(offset, len(hits)):]
	if limit > 0 {
		hits = hits[:min(limit, len(hits))]
	}
	return hits
}

func (tx *memoryTx) insert(t *Table, row Row) error {
	v, err := tx.edit(t)
	if err != nil {
		return err
	}
	values, err := t.storable(row)
	if err != nil {
		return err
	}
	if t.IDs == IDSerial {
		tx.number(v.base, values)
	}
	if v.taken(values, nil) {
		return ErrConflict
	}
	tx.store.seq++
	v.over.add(values, tx.store.seq)
	row[len(row)-1] = values.id()
	return nil
}

// number gives a row without an id the next one. Numbers are not given twice,
// even if the transaction fails.
func (tx *memoryTx) number(m *memoryTable, values Row) {
	if values.id() == "" {
		m.lastID++
		values[len(values)-1] = strconv.FormatInt(m.lastID, 10)
	} else if id, ok := parseSerial(values.id()); ok {
		m.lastID = max(m.lastID, id)
	}
}

func (tx *memoryTx) update(t *Table, set map[string]any, where []Condition) (int64, error) {
	v, err := tx.edit(t)
	if err != nil {
		return 0, err
	}
	values, err := t.bindUpdate(set)
	if err != nil {
		return 0, err
	}
	found, err := v.where(t, where, 0)
	if err != nil {
		return 0, err
	}
	if v.clash(found, values) {
		return 0, ErrConflict
	}
	for _, n := range found {
		v.replace(n, n.with(values))
	}
	return int64(len(found)), nil
}

func (tx *memoryTx) increment(t *Table, add map[string]int64, set map[string]any, where []Condition) (Row, error) {
	v, err := tx.edit(t)
	if err != nil {
		return nil, err
	}
	values, addends, err := t.bindIncrement(set, add)
	if err != nil {
		return nil, err
	}
	found, err := v.where(t, where, 1)
	if err != nil || len(found) == 0 {
		return nil, err
	}
	row := found[0].with(values)
	for _, a := range addends {
		if row[a.column], err = addStored(row[a.column], a.value.(int64)); err != nil {
			return nil, err
		}
	}
	if v.taken(row, found[0]) {
		return nil, ErrConflict
	}
	v.replace(found[0], row)
	return row, nil
}

func (tx *memoryTx) delete(t *Table, where []Condition, limit int) ([]*memoryRow, error) {
	v, err := tx.edit(t)
	if err != nil {
		return nil, err
	}
	found, err := v.where(t, where, limit)
	if err != nil {
		return nil, err
	}
	for _, n := range found {
		tx.remove(v, n)
	}
	return found, nil
}

// remove deletes a row and the rows that reference it, unless one of these has
// led here.
func (tx *memoryTx) remove(v memoryView, n *memoryRow) {
	id := n.values[len(n.values)-1]
	if v.get(indexID, id) != n {
		return
	}
	v.remove(n)
	for _, base := range tx.store.tables {
		for i := range base.indexes[indexID+1:] {
			index := indexID + 1 + i
			if base.references(index, v.base.table.Name) {
				tx.cascade(base.table, index, id)
			}
		}
	}
}

// cascade removes the rows that have a key in an index.
func (tx *memoryTx) cascade(t *Table, index int, key any) {
	v, _ := tx.look(t)
	var found []*memoryRow
	v.walk(index, key, nil, func(n *memoryRow) bool {
		found = append(found, n)
		return true
	})
	if len(found) == 0 {
		return
	}
	v, _ = tx.edit(t) // t is the store's own, which cannot fail
	for _, n := range found {
		tx.remove(v, n)
	}
}
