package conformancetest

import (
	"context"
	"io"
	"net/http"
	"net/http/httptest"
	"slices"
	"time"

	"github.com/seed3b05b409/auth"
)

// A sabotage breaks this library on purpose, in a test of the tests. Nil breaks
// nothing.
type sabotage struct {
	answer func(*http.Request, *httptest.ResponseRecorder)
	config func(*auth.Config)
}

// configure changes a configuration that is complete.
func (s *sabotage) configure(c *auth.Config) {
	if s != nil && s.config != nil {
		s.config(c)
	}
}

// handler changes every answer.
func (s *sabotage) handler(next http.Handler) http.Handler {
	if s == nil || s.answer == nil {
		return next
	}
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		a := httptest.NewRecorder()
		next.ServeHTTP(a, r)
		s.answer(r, a)
		for name, values := range a.Header() {
			w.Header()[name] = values
		}
		w.Header().Del("Content-Length")
		w.WriteHeader(a.Code)
		_, _ = io.Copy(w, a.Body)
	})
}

// A brokenStore does not do everything that it says.
type brokenStore struct {
	auth.SchemaStore
	insert func(t *auth.Table, row auth.Row) bool  // changes a row, or leaves it out
	update func(t *auth.Table, set map[string]any) // changes what is to be set
	keep   string                                  // a table that loses no rows
}

// breakStore puts one in front of the store.
func breakStore(b brokenStore) func(*auth.Config) {
	return func(c *auth.Config) {
		b.SchemaStore = c.Store.(auth.SchemaStore)
		c.Store = &b
	}
}

func (b *brokenStore) Insert(ctx context.Context, t *auth.Table, row auth.Row) error {
	if b.insert != nil && !b.insert(t, row) {
		return nil
	}
	return b.SchemaStore.Insert(ctx, t, row)
}

func (b *brokenStore) Update(ctx context.Context, t *auth.Table, set map[string]any, where ...auth.Condition) (int64, error) {
	if b.update != nil {
		b.update(t, set)
	}
	return b.SchemaStore.Update(ctx, t, set, where...)
}

func (b *brokenStore) Delete(ctx context.Context, t *auth.Table, where ...auth.Condition) (int64, error) {
	if t.Name == b.keep {
		return b.Count(ctx, t, where...)
	}
	return b.SchemaStore.Delete(ctx, t, where...)
}

// leaveOut inserts no rows of a table.
func leaveOut(table string) func(*auth.Table, auth.Row) bool {
	return func(t *auth.Table, _ auth.Row) bool { return t.Name != table }
}

// put inserts the rows of a table with another value.
func put(table, column string, value any) func(*auth.Table, auth.Row) bool {
	return func(t *auth.Table, row auth.Row) bool {
		if t.Name == table {
			row[slices.IndexFunc(t.Columns, func(c auth.Column) bool { return c.Name == column })] = value
		}
		return true
	}
}

// set changes a column with every change of a table.
func set(table, column string, value any) func(*auth.Table, map[string]any) {
	return func(t *auth.Table, changes map[string]any) {
		if t.Name == table {
			changes[column] = value
		}
	}
}

// A brokenStorage changes what is put into it.
type brokenStorage struct {
	*storage
	longer time.Duration // that it keeps everything
	value  func(string) string
}

func breakStorage(b brokenStorage) func(*auth.Config) {
	return func(c *auth.Config) {
		b.storage = c.SecondaryStorage.(*storage)
		c.SecondaryStorage = &b
	}
}

func (b *brokenStorage) Set(ctx context.Context, key, value string, ttl time.Duration) error {
	if b.value != nil {
		value = b.value(value)
	}
	return b.storage.Set(ctx, key, value, ttl+b.longer)
}
