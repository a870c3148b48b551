package storetest

import (
	"reflect"
	"slices"

	"github.com/seed3b05b409/auth"
)

// Which rows are found, in which order.
var queryCases = []testCase{
	{"every operator on every type", operators},
	{"conditions are joined by AND", conjunction},
	{"order by several columns, NULL first", order},
	{"pages", pages},
	{"join", join},
	{"join with conditions, order and page", joinPaged},
	{"nothing found", nothing},
	{"count", count},
	{"queries that make no sense are refused", nonsense},
}

// library fills the store: ann 10, bob 20, cid without score, dan 20.
func library(s *suite) {
	s.insert(author,
		auth.Row{"ann", "ann@example.com", 10, true, date("2001-01-01T00:00:00Z"), nil, nil, nil, "1"},
		auth.Row{"bob", "bob@example.org", 20, false, date("2002-02-02T00:00:00.002Z"), tree, nil, nil, "2"},
		auth.Row{"cid", nil, nil, true, nil, nil, []string{"x"}, nil, "3"},
		auth.Row{"dan", "50%_@example.com", 20.5, false, date("2002-02-02T00:00:00.003Z"), nil, nil, nil, "4"},
	)
	s.insert(book,
		auth.Row{"first", "1", "2", "b1"},
		auth.Row{"second", "1", "nobody", "b2"},
		auth.Row{"third", "2", nil, "b3"},
		auth.Row{"fourth", nil, "1", "b4"},
	)
}

func operators(s *suite) {
	library(s)
	born := date("2002-02-02T00:00:00.002Z")
	for _, c := range []struct {
		column, op string
		value      any
		want       []string
	}{
		{"name", "", "bob", []string{"2"}},
		{"name", "=", "bob", []string{"2"}},
		{"name", "=", "bo", nil},
		{"name", "!=", "bob", []string{"1", "3", "4"}},
		{"name", "<", "bob", []string{"1"}},
		{"name", "<=", "bob", []string{"1", "2"}},
		{"name", ">", "bob", []string{"3", "4"}},
		{"name", ">=", "bob", []string{"2", "3", "4"}},
		{"name", "in", []string{"dan", "ann", "dan", "zoe"}, []string{"1", "4"}},
		{"name", "not in", []string{"dan", "ann"}, []string{"2", "3"}},
		{"name", "contains", "i", []string{"3"}},
		{"name", "contains", "", []string{"1", "2", "3", "4"}},
		{"name", "starts with", "a", []string{"1"}},
		{"name", "ends with", "n", []string{"1", "4"}},

		// By id, by unique and by indexed column the same must be found.
		{"id", "=", "3", []string{"3"}},
		{"id", "in", []any{"3", "1", "nobody"}, []string{"1", "3"}},
		{"id", "in", []string{}, nil},
		{"id", "not in", []string{}, []string{"1", "2", "3", "4"}},
		{"id", ">", "2", []string{"3", "4"}},
		{"email", "=", "ann@example.com", []string{"1"}},
		{"email", "in", []string{"ann@example.com"}, []string{"1"}},

		// What is special in a SQL pattern is an ordinary letter here.
		{"email", "contains", "%", []string{"4"}},
		{"email", "contains", "_", []string{"4"}},
		{"email", "starts with", "50%_", []string{"4"}},
		{"email", "ends with", "%m", nil},
		{"email", "contains", `\`, nil},
		{"email", "=", "' OR '1'='1", nil},

		// NULL meets no condition but = nil.
		{"email", "=", nil, []string{"3"}},
		{"email", "!=", nil, []string{"1", "2", "4"}},
		{"email", "!=", "ann@example.com", []string{"2", "4"}},
		{"email", "not in", []string{"ann@example.com"}, []string{"2", "4"}},
		{"email", "not in", []string{}, []string{"1", "2", "4"}},
		{"score", "<", 1000, []string{"1", "2", "4"}},
		{"profile", "=", nil, []string{"1", "3", "4"}},
		{"profile", "!=", nil, []string{"2"}},
		{"tags", "!=", nil, []string{"3"}},

		{"score", "=", 20, []string{"2"}},
		{"score", ">", 20, []string{"4"}},
		{"score", ">=", 20.5, []string{"4"}},
		{"score", "<", 20.5, []string{"1", "2"}},
		{"score", "in", []int{10, 20}, []string{"1", "2"}},
		{"score", "in", []float64{20.5}, []string{"4"}},
		{"active", "=", true, []string{"1", "3"}},
		{"active", "!=", true, []string{"2", "4"}},
		{"born", "=", born, []string{"2"}},
		{"born", "<", born, []string{"1"}},
		{"born", ">", born, []string{"4"}},
		{"born", "<=", born, []string{"1", "2"}},
		{"born", "in", []any{born}, []string{"2"}},
	} {
		where := []auth.Condition{{Column: c.column, Op: c.op, Value: c.value}}
		got := s.ids(auth.Query{Table: author, Where: where})
		slices.Sort(got)
		if !slices.Equal(got, c.want) {
			s.Errorf("%s %s %v found %q, want %q", c.column, c.op, c.value, got, c.want)
		}
		s.wantCount(author, int64(len(c.want)), where...)
	}
}

func conjunction(s *suite) {
	library(s)
	s.wantIDs(auth.Query{Table: author, Where: []auth.Condition{
		auth.Where("active", false), {Column: "score", Op: ">", Value: 20},
	}}, "4")
	// An index may only narrow the search, not decide it.
	s.wantIDs(auth.Query{Table: author, Where: []auth.Condition{auth.Where("id", "1"), auth.Where("name", "bob")}})
	s.wantIDs(auth.Query{Table: author, Where: []auth.Condition{auth.Where("id", "1"), auth.Where("id", "2")}})
}

func order(s *suite) {
	library(s)
	s.wantIDs(auth.Query{Table: author, Order: []auth.Order{{Column: "name", Desc: true}}}, "4", "3", "2", "1")
	s.wantIDs(auth.Query{Table: author, Order: []auth.Order{{Column: "score"}}}, "3", "1", "2", "4")
	s.wantIDs(auth.Query{Table: author, Order: []auth.Order{{Column: "score", Desc: true}}}, "4", "2", "1", "3")
	s.wantIDs(auth.Query{Table: author, Order: []auth.Order{{Column: "born", Desc: true}}}, "4", "2", "1", "3")
	s.wantIDs(auth.Query{Table: author, Order: []auth.Order{{Column: "active"}, {Column: "name", Desc: true}}}, "4", "2", "3", "1")
	s.wantIDs(auth.Query{Table: author, Order: []auth.Order{{Column: "active", Desc: true}, {Column: "id"}}}, "1", "3", "2", "4")
}

func pages(s *suite) {
	library(s)
	byName := []auth.Order{{Column: "name"}}
	s.wantIDs(auth.Query{Table: author, Order: byName, Limit: 2}, "1", "2")
	s.wantIDs(auth.Query{Table: author, Order: byName, Limit: 2, Offset: 1}, "2", "3")
	s.wantIDs(auth.Query{Table: author, Order: byName, Offset: 3}, "4")
	s.wantIDs(auth.Query{Table: author, Order: byName, Limit: 9, Offset: 3}, "4")
	s.wantIDs(auth.Query{Table: author, Order: byName, Limit: 2, Offset: 4})
	if got := s.ids(auth.Query{Table: author, Limit: 3}); len(got) != 3 {
		s.Errorf("a limit of 3 without an order gave %q", got)
	}
}

func join(s *suite) {
	library(s)
	q := auth.Query{Table: book, Where: []auth.Condition{auth.Where("title", "first")}, Join: &auth.Join{Table: author, Column: "authorId"}}
	rows, err := s.Select(s.Context(), q)
	want := []auth.Row{{"first", "1", "2", "b1",
		"ann", "ann@example.com", int64(10), true, date("2001-01-01T00:00:00Z"), nil, nil, nil, "1"}}
	if err != nil || !reflect.DeepEqual(rows, want) {
		s.Errorf("got %v, %v, want %v", rows, err, want)
	}
}

func joinPaged(s *suite) {
	library(s)
	byTitle := []auth.Order{{Column: "title"}}
	// The book without an author and the remark that is no id have no partner.
	s.wantIDs(auth.Query{Table: book, Order: byTitle, Join: &auth.Join{Table: author, Column: "authorId"}}, "b1", "b2", "b3")
	s.wantIDs(auth.Query{Table: book, Order: byTitle, Join: &auth.Join{Table: author, Column: "remark"}}, "b1", "b4")
	// A row without a partner takes no place on a page.
	s.wantIDs(auth.Query{Table: book, Order: byTitle, Limit: 1, Offset: 1, Join: &auth.Join{Table: author, Column: "remark"}}, "b4")
	// id is a column of both tables and means the one of the query's.
	s.wantIDs(auth.Query{Table: book, Where: []auth.Condition{auth.Where("id", "b3")}, Join: &auth.Join{Table: author, Column: "authorId"}}, "b3")
}

func nothing(s *suite) {
	rows, err := s.Select(s.Context(), auth.Query{Table: author})
	if err != nil || len(rows) != 0 {
		s.Errorf("an empty table gave %v, %v", rows, err)
	}
	s.wantIDs(auth.Query{Table: book, Join: &auth.Join{Table: author, Column: "authorId"}})
}

func count(s *suite) {
	s.wantCount(author, 0)
	library(s)
	s.wantCount(author, 4)
	s.wantCount(author, 2, auth.Where("active", true))
	s.wantCount(author, 1, auth.Where("active", true), auth.Where("score", 10))
}

func nonsense(s *suite) {
	library(s)
	for name, where := range map[string]auth.Condition{
		"unknown column":     auth.Where("nme", "ann"),
		"column with quotes": auth.Where(`name" = "name`, "ann"),
		"unknown operator":   {Column: "name", Op: "like", Value: "a%"},
		"operator as SQL":    {Column: "name", Op: "= name OR name =", Value: "a"},
		"number for string":  auth.Where("name", 1),
		"string for number":  auth.Where("score", "1"),
		"string for date":    auth.Where("born", "2026-11-23T08:43:48.330Z"),
		"bool for id":        auth.Where("id", true),
		"no list":            {Column: "name", Op: "in", Value: "ann"},
		"nil list":           {Column: "name", Op: "in"},
		"mixed list":         {Column: "name", Op: "in", Value: []any{"ann", 1}},
		"NULL in list":       {Column: "email", Op: "not in", Value: []any{"ann", nil}},
		"less than NULL":     {Column: "score", Op: "<"},
		"contains NULL":      {Column: "name", Op: "contains"},
		"pattern on number":  {Column: "score", Op: "contains", Value: 1},
		"pattern on list":    {Column: "tags", Op: "contains", Value: "x"},
		"json compared":      auth.Where("profile", "x"),
		"list compared":      auth.Where("tags", []string{"x"}),
	} {
		_, err := s.Select(s.Context(), auth.Query{Table: author, Where: []auth.Condition{where}})
		s.wantRefused("select, "+name, err)
		_, err = s.Count(s.Context(), author, where)
		s.wantRefused("count, "+name, err)
		_, err = s.Update(s.Context(), author, map[string]any{"name": "x"}, where)
		s.wantRefused("update, "+name, err)
		_, err = s.Delete(s.Context(), author, where)
		s.wantRefused("delete, "+name, err)
		_, err = s.Consume(s.Context(), author, where)
		s.wantRefused("consume, "+name, err)
		_, err = s.Increment(s.Context(), author, map[string]int64{"score": 1}, nil, where)
		s.wantRefused("increment, "+name, err)
	}
	for name, q := range map[string]auth.Query{
		"no table":            {},
		"unknown order":       {Table: author, Order: []auth.Order{{Column: "nme"}}},
		"order of json":       {Table: author, Order: []auth.Order{{Column: "profile"}}},
		"negative limit":      {Table: author, Limit: -1},
		"negative offset":     {Table: author, Offset: -1},
		"unknown join column": {Table: book, Join: &auth.Join{Table: author, Column: "writer"}},
		"join by a number":    {Table: author, Join: &auth.Join{Table: author, Column: "score"}},
		"join by json":        {Table: author, Join: &auth.Join{Table: author, Column: "profile"}},
		"join of no table":    {Table: book, Join: &auth.Join{Column: "authorId"}},
	} {
		_, err := s.Select(s.Context(), q)
		s.wantRefused(name, err)
	}
	s.wantCount(author, 4)
}
