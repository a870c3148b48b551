// Package storetest is the contract of [auth.Store] as a test: every store has
// to pass [Run].
//
// A store that needs its tables to exist creates those of [Tables] before it
// hands out a store. The suite compares strings of lower-case ASCII letters
// only, so that any collation will do, and never refers to a row that does not
// exist, so that a database may refuse such references.
package storetest

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/seed3b05b409/auth"
)

// The tables of the suite have every column type, both with and without NULL,
// and references over two levels.
var (
	author = &auth.Table{Name: "author", Columns: []auth.Column{
		{Name: "name", Type: auth.TypeString, Sortable: true},
		{Name: "email", Type: auth.TypeString, Unique: true, Nullable: true},
		{Name: "score", Type: auth.TypeNumber, Nullable: true, Float: true},
		{Name: "active", Type: auth.TypeBoolean},
		{Name: "born", Type: auth.TypeDate, Nullable: true},
		{Name: "profile", Type: auth.TypeJSON, Nullable: true},
		{Name: "tags", Type: auth.TypeStrings, Nullable: true},
		{Name: "sizes", Type: auth.TypeNumbers, Nullable: true},
	}}
	book = &auth.Table{Name: "book", Columns: []auth.Column{
		{Name: "title", Type: auth.TypeString, Sortable: true},
		{Name: "authorId", Type: auth.TypeString, References: "author", Index: true, Nullable: true},
		{Name: "remark", Type: auth.TypeString, Nullable: true},
	}}
	page = &auth.Table{Name: "page", Columns: []auth.Column{
		{Name: "number", Type: auth.TypeNumber, BigInt: true},
		{Name: "bookId", Type: auth.TypeString, References: "book"},
	}}
)

// Tables returns the tables that the suite uses, a table behind those it
// references.
func Tables() []*auth.Table {
	return []*auth.Table{author, book, page, countedWhole, countedPart, uuidWhole, uuidPart}
}

// Run runs the suite. Every call of open returns an empty store.
func Run(t *testing.T, open func(t *testing.T) auth.Store) {
	for _, c := range slices.Concat(rowCases, idCases, queryCases, writeCases, raceCases, transactionCases) {
		t.Run(c.name, func(t *testing.T) { c.run(&suite{t, open(t)}) })
	}
}

type testCase struct {
	name string
	run  func(*suite)
}

// A suite is one case at work on a store of its own.
type suite struct {
	*testing.T
	auth.Store
}

// person is an author with nothing but what has to be there.
func person(id, name string) auth.Row {
	return auth.Row{name, nil, nil, true, nil, nil, nil, nil, id}
}

// with sets a column of an author's row.
func with(row auth.Row, column string, value any) auth.Row {
	row = slices.Clone(row)
	row[slices.IndexFunc(author.Columns, func(c auth.Column) bool { return c.Name == column })] = value
	return row
}

func (s *suite) insert(table *auth.Table, rows ...auth.Row) {
	s.Helper()
	for _, row := range rows {
		if err := s.Insert(s.Context(), table, row); err != nil {
			s.Fatalf("insert %v: %v", row, err)
		}
	}
}

// ids returns the ids that a query finds, in their order.
func (s *suite) ids(q auth.Query) []string {
	s.Helper()
	rows, err := s.Select(s.Context(), q)
	if err != nil {
		s.Fatalf("select %+v: %v", q, err)
	}
	ids := make([]string, len(rows))
	for i, row := range rows {
		ids[i] = row[len(q.Table.Columns)].(string)
	}
	return ids
}

// one returns the author with an id, nil if there is none.
func (s *suite) one(ctx context.Context, id string) auth.Row {
	s.Helper()
	rows, err := s.Select(ctx, auth.Query{Table: author, Where: []auth.Condition{auth.Where("id", id)}})
	if err != nil {
		s.Fatalf("select %q: %v", id, err)
	}
	if len(rows) == 0 {
		return nil
	}
	return rows[0]
}

func (s *suite) wantIDs(q auth.Query, want ...string) {
	s.Helper()
	if got := s.ids(q); !slices.Equal(got, want) {
		s.Errorf("%+v found %q, want %q", q.Where, got, want)
	}
}

func (s *suite) wantCount(table *auth.Table, want int64, where ...auth.Condition) {
	s.Helper()
	if got, err := s.Count(s.Context(), table, where...); err != nil || got != want {
		s.Errorf("count of %s %v = %d, %v, want %d", table.Name, where, got, err, want)
	}
}

func (s *suite) wantError(what string, err, want error) {
	s.Helper()
	if !errors.Is(err, want) {
		s.Errorf("%s: error %v, want %v", what, err, want)
	}
}

// wantRefused expects an error that does not claim a conflict.
func (s *suite) wantRefused(what string, err error) {
	s.Helper()
	if err == nil || errors.Is(err, auth.ErrConflict) {
		s.Errorf("%s: error %v, want a refusal", what, err)
	}
}

// atOnce runs fn in many goroutines that start together.
func atOnce(n int, fn func(i int)) {
	var start, done sync.WaitGroup
	start.Add(1)
	for i := range n {
		done.Go(func() {
			start.Wait()
			fn(i)
		})
	}
	start.Done()
	done.Wait()
}

func date(text string) time.Time {
	t, err := time.Parse(time.RFC3339Nano, text)
	if err != nil {
		panic(fmt.Sprint("storetest: ", err))
	}
	return t
}
