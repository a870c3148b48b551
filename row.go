package auth

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"reflect"
)

// records is the typed side of a table: it turns entities, which are structs
// with db tags, into the rows of a store and back.
//
//	type User struct {
//		Name  string         `db:"name"`
//		Image *string        `db:"image"`     // a nullable column
//		ID    string         `db:"id"`
//		Extra map[string]any `db:",extra"`    // the columns without a field
//		planned
//	}
//
// An entity has a field for the id. Fields are of the types string, bool, int,
// int64, float64, time.Time, pointers to these, []string, []float64 and, for
// json, map[string]any or any; a nullable column needs one that can be nil.
type records[T any] struct {
	store Store
	table *Table
	plan  *entityPlan
	newID func() string // nil: the store makes the ids
}

// newRecords reports a description of the table that cannot be right, a tag
// that names no column, a field of the wrong type and a column for which there
// is neither a field nor an extra map.
func newRecords[T any](store Store, table *Table) (*records[T], error) {
	if err := table.check(); err != nil {
		return nil, err
	}
	plan, err := newEntityPlan(reflect.TypeFor[T](), table)
	if err != nil {
		return nil, err
	}
	return &records[T]{store: store, table: table, plan: plan}, nil
}

// insert stores a new entity. One without an id gets one, columns of its extra
// map that are absent get their default, in the map as well: afterwards the
// entity is what a read would return. Errors: ErrConflict, or what a column has in
// its place.
func (r *records[T]) insert(ctx context.Context, entity *T) error {
	r.identify(entity)
	r.plan.complete(entity)
	row := r.toRow(entity)
	err := r.store.Insert(ctx, r.table, row)
	if errors.Is(err, ErrConflict) {
		return r.taken(ctx, func(i int) any { return row[i] })
	}
	if err == nil {
		*r.plan.id(entity) = row.id()
		r.plan.presentAll(entity)
	}
	return err
}

// taken returns the error of the column whose value another row has, ErrConflict if
// it has none. The values are those that were to be written, nil for one that was
// not; the conditions are those of the rows that were to be changed.
func (r *records[T]) taken(ctx context.Context, value func(i int) any, own ...Condition) error {
	for i := range r.table.Columns {
		c := &r.table.Columns[i]
		if c.Taken == nil || value(i) == nil {
			continue
		}
		holds := Where(c.Name, value(i))
		n, err := r.store.Count(ctx, r.table, holds)
		if err == nil && n > 0 && len(own) > 0 {
			var same int64
			same, err = r.store.Count(ctx, r.table, append([]Condition{holds}, own...)...)
			n -= same
		}
		switch {
		case err != nil:
			return err
		case n > 0:
			return c.Taken
		}
	}
	return ErrConflict
}

// identify gives an entity an id, unless it has one or the store will make it.
func (r *records[T]) identify(entity *T) {
	if id := r.plan.id(entity); *id == "" && r.newID != nil {
		*id = r.newID()
	}
}

// find returns the entities that a query finds; its Table and Join do not count.
func (r *records[T]) find(ctx context.Context, q Query) ([]*T, error) {
	q.Table, q.Join = r.table, nil
	rows, err := r.store.Select(ctx, q)
	if err != nil {
		return nil, err
	}
	entities := make([]*T, len(rows))
	for i, row := range rows {
		if entities[i], err = r.fromRow(row); err != nil {
			return nil, err
		}
	}
	return entities, nil
}

// first returns the first entity that meets the conditions; nil, nil if there
// is none.
func (r *records[T]) first(ctx context.Context, where ...Condition) (*T, error) {
	rows, err := r.store.Select(ctx, Query{Table: r.table, Where: where, Limit: 1})
	if err != nil || len(rows) == 0 {
		return nil, err
	}
	return r.fromRow(rows[0])
}

// lock is first for a transaction: the row stays as it is until that ends.
func (r *records[T]) lock(ctx context.Context, where ...Condition) (*T, error) {
	found, err := r.find(ctx, Query{Where: where, Limit: 1, Lock: true})
	if err != nil || len(found) == 0 {
		return nil, err
	}
	return found[0], nil
}

// update sets columns of all rows that meet the conditions, and besides those
// that have an OnUpdate. It returns the number of rows. Errors: ErrConflict, or what
// a column has in its place.
func (r *records[T]) update(ctx context.Context, set map[string]any, where ...Condition) (int64, error) {
	n, err := r.store.Update(ctx, r.table, r.onUpdate(set), where...)
	if errors.Is(err, ErrConflict) {
		err = r.taken(ctx, func(i int) any { return set[r.table.Columns[i].Name] }, where...)
	}
	return n, err
}

// onUpdate returns set with the columns that every update sets and this one does
// not.
func (r *records[T]) onUpdate(set map[string]any) map[string]any {
	full := make(map[string]any, len(set)+1)
	for i := range r.table.Columns {
		c := &r.table.Columns[i]
		if c.OnUpdate != nil {
			full[c.Name] = c.OnUpdate()
		}
	}
	maps.Copy(full, set)
	return full
}

// apply changes an entity that is kept elsewhere as update changes rows.
func (r *records[T]) apply(entity *T, set map[string]any) error {
	bound, err := r.table.bindSet(r.onUpdate(set))
	for _, b := range bound {
		if err == nil {
			err = r.plan.set(reflect.ValueOf(entity).Elem(), b.column, b.value)
		}
	}
	return err
}

// delete removes the rows that meet the conditions and returns their number.
func (r *records[T]) delete(ctx context.Context, where ...Condition) (int64, error) {
	return r.store.Delete(ctx, r.table, where...)
}

// consume removes one row that meets the conditions and returns it; nil, nil if
// there is none. Of any number of callers exactly one gets it.
func (r *records[T]) consume(ctx context.Context, where ...Condition) (*T, error) {
	row, err := r.store.Consume(ctx, r.table, where...)
	if err != nil || row == nil {
		return nil, err
	}
	return r.fromRow(row)
}

// toRow returns the entity's values in the order of the table. Keys of its
// extra map that name no column are left out.
func (r *records[T]) toRow(entity *T) Row {
	return r.plan.toRow(reflect.ValueOf(entity).Elem())
}

// fromRow returns a row as an entity.
func (r *records[T]) fromRow(row Row) (*T, error) {
	entity := new(T)
	if err := r.plan.fromRow(reflect.ValueOf(entity).Elem(), row); err != nil {
		return nil, err
	}
	if p, ok := any(entity).(planner); ok {
		p.setPlan(r.plan)
	}
	return entity, nil
}

// decode reads an entity from its JSON, with the extra columns in the types that
// a read from the store would give them.
func (r *records[T]) decode(data []byte) (*T, error) {
	entity := new(T)
	v := reflect.ValueOf(entity).Elem()
	if err := r.plan.unmarshal(data, v); err != nil {
		return nil, err
	}
	if err := r.plan.parseExtra(v); err != nil {
		return nil, err
	}
	if p, ok := any(entity).(planner); ok {
		p.setPlan(r.plan)
	}
	return entity, nil
}

// firstJoined returns the first a that meets the conditions with the b whose id
// is in the named column, in one round trip; nil, nil, nil if there is none.
func firstJoined[A, B any](ctx context.Context, a *records[A], b *records[B], column string, where ...Condition) (*A, *B, error) {
	q := Query{Table: a.table, Where: where, Limit: 1, Join: &Join{Table: b.table, Column: column}}
	rows, err := a.store.Select(ctx, q)
	if err != nil || len(rows) == 0 {
		return nil, nil, err
	}
	if want := a.table.width() + b.table.width(); len(rows[0]) != want {
		return nil, nil, fmt.Errorf("auth: a joined row has %d values, not %d", len(rows[0]), want)
	}
	left, err := a.fromRow(rows[0][:a.table.width()])
	if err != nil {
		return nil, nil, err
	}
	right, err := b.fromRow(rows[0][a.table.width():])
	if err != nil {
		return nil, nil, err
	}
	return left, right, nil
}
