package auth

import (
	"context"
	"time"
)

// Migrate makes the tables, columns and indexes that the configuration needs and
// the database lacks. It drops and changes nothing, and several programs may
// call it at the same time. A store that needs no tables, such as
// [MemoryStore], is left alone. The Logger is told of everything that is made, at level
// Info, and at level Debug that nothing was missing.
//
// Errors: those of the database; a column that must have a value and cannot be
// added to a table with rows.
func (a *Auth) Migrate(ctx context.Context) error {
	store, ok := a.core.store.(SchemaStore)
	if !ok {
		return nil
	}
	log, begun, last, steps := a.core.log, time.Now(), time.Now(), 0
	listening := context.WithValue(ctx, schemaListener{}, func(step schemaStep) {
		fields := []any{"table", step.table}
		if step.column != "" {
			fields = append(fields, "column", step.column)
		}
		log.InfoContext(ctx, "database: "+step.kind+" made", append(fields, "duration", time.Since(last))...)
		last, steps = time.Now(), steps+1
	})
	switch err := store.Migrate(listening, a.core.tables()); {
	case err != nil:
		return err
	case steps == 0:
		log.DebugContext(ctx, "database: nothing is missing", "duration", time.Since(begun))
	default:
		log.InfoContext(ctx, "database: what was missing is there", "steps", steps, "duration", time.Since(begun))
	}
	return nil
}

// Schema returns the statements that make the tables in an empty database, for
// programs with migrations of their own. It is empty if the store needs no
// tables.
func (a *Auth) Schema() string {
	store, ok := a.core.store.(SchemaStore)
	if !ok {
		return ""
	}
	schema, _ := store.Schema(a.core.tables()) // New has seen these tables accepted
	return schema
}

// CheckSchema reports what is wrong with the tables in the database, all of it:
// missing tables, columns and indexes, types that do not fit, columns that want
// a value nobody gives them. It is nil if the configuration can work with the
// database. What belongs to others, tables and nullable columns, is ignored.
func (a *Auth) CheckSchema(ctx context.Context) error {
	if store, ok := a.core.store.(SchemaStore); ok {
		return store.CheckSchema(ctx, a.core.tables())
	}
	return nil
}
