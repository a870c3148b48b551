package auth

import (
	"context"
	"fmt"
	"slices"
)

// Records are the rows of a plugin's own table as structs. T is a struct whose
// fields name their columns:
//
//	type Invitation struct {
//		ID        string     `db:"id"`
//		Email     string     `db:"email"`
//		UserID    string     `db:"userId"`
//		ExpiresAt time.Time  `db:"expiresAt"`
//		UsedAt    *time.Time `db:"usedAt"` // a nullable column
//	}
//
// Fields are of the types string, bool, int, int64, float64, time.Time, pointers to
// these, []string, []float64 and, for json, map[string]any or any. Every table has
// the column id, which is not listed; it gets a value when a row is inserted. A
// field map[string]any tagged db:",extra" holds the columns that other plugins add;
// without it none can.
//
// Records are safe for concurrent use. With the context of a transaction
// (Services.Transaction) they are part of it.
type Records[T any] struct {
	given   *Table
	schema  *Table      // with what other plugins add; nil before New has returned
	records *records[T] // the same
}

// NewRecords makes the records of a table. A plugin lists them in Extension.Tables.
func NewRecords[T any](t *Table) *Records[T] { return &Records[T]{given: t} }

// A PluginTable is a table of a plugin. *Records is the only one.
type PluginTable interface {
	table() *Table
	declared() []Column
	open(s *services, added []Column) error
}

// table returns the table as it is stored, once it is open.
func (r *Records[T]) table() *Table {
	switch {
	case r == nil:
		return nil
	case r.schema != nil:
		return r.schema
	}
	return r.given
}

// declared are the columns that the plugin itself gives the table.
func (r *Records[T]) declared() []Column { return r.given.Columns }

// open makes a table of the instance's own from what the plugin has declared, which
// others may have declared tables with.
func (r *Records[T]) open(s *services, added []Column) error {
	if r.records != nil {
		return fmt.Errorf("table %s belongs to another instance already: make its Records in Extend", r.given.Name)
	}
	schema := *r.given
	schema.Columns = slices.Concat(schema.Columns, added)
	opened, err := open(s, &schema, EntityHooks[T]{})
	if err == nil {
		r.schema, r.records = &schema, opened.records
	}
	return err
}

// Insert stores a row and gives it an id unless it has one. Errors: ErrConflict if a
// unique value is taken, ErrInvalidValue.
func (r *Records[T]) Insert(ctx context.Context, row *T) error { return r.records.insert(ctx, row) }

// Find returns the rows that a query finds; its Table and Join do not count.
func (r *Records[T]) Find(ctx context.Context, q Query) ([]*T, error) {
	return r.records.find(ctx, q)
}

// First returns a row that meets the conditions; nil, nil if there is none.
func (r *Records[T]) First(ctx context.Context, where ...Condition) (*T, error) {
	return r.records.first(ctx, where...)
}

// Update sets columns of the rows that meet the conditions and returns their number.
func (r *Records[T]) Update(ctx context.Context, set map[string]any, where ...Condition) (int64, error) {
	return r.records.update(ctx, set, where...)
}

// Delete removes the rows that meet the conditions and returns their number.
func (r *Records[T]) Delete(ctx context.Context, where ...Condition) (int64, error) {
	return r.records.delete(ctx, where...)
}

// Consume removes one row that meets the conditions and returns it; nil, nil if
// there is none. Of any number of callers exactly one gets it.
func (r *Records[T]) Consume(ctx context.Context, where ...Condition) (*T, error) {
	return r.records.consume(ctx, where...)
}

// Increment adds to numbers of one row that meets the conditions, sets other columns
// and returns the row as it is then; nil, nil if there is none. Nothing comes
// between the test of the conditions and the change, so that they are a guard.
func (r *Records[T]) Increment(ctx context.Context, add map[string]int64, set map[string]any, where ...Condition) (*T, error) {
	row, err := r.records.store.Increment(ctx, r.schema, add, r.records.onUpdate(set), where...)
	if err != nil || row == nil {
		return nil, err
	}
	return r.records.fromRow(row)
}
