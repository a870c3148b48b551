package storetest

import (
	"math"
	"reflect"

	"github.com/seed3b05b409/auth"
)

// What writes change, and what they report.
var writeCases = []testCase{
	{"update counts and changes the rows that match", update},
	{"update finds rows by their new values", updateIndexed},
	{"update to a taken value conflicts and changes nothing", updateConflict},
	{"updates that make no sense are refused", updateMisfits},
	{"delete counts and removes the rows that match", deletion},
	{"delete takes along the rows that reference", cascade},
	{"consume returns the row once", consume},
	{"increment adds, sets and returns the new row", increment},
	{"increment leaves a row alone that its guard excludes", guarded},
	{"increments that make no sense are refused", incrementMisfits},
}

func update(s *suite) {
	library(s)
	n, err := s.Update(s.Context(), author, map[string]any{"score": 99, "tags": []string{"new"}, "born": nil}, auth.Where("active", true))
	if n != 2 || err != nil {
		s.Errorf("got %d, %v, want 2 rows", n, err)
	}
	want := auth.Row{"ann", "ann@example.com", int64(99), true, nil, nil, []string{"new"}, nil, "1"}
	if got := s.one(s.Context(), "1"); !reflect.DeepEqual(got, want) {
		s.Errorf("got %v, want %v", got, want)
	}
	s.wantCount(author, 2, auth.Where("score", 99))

	// A row that matches counts, even if it had the value before.
	n, err = s.Update(s.Context(), author, map[string]any{"score": 99}, auth.Where("id", "1"))
	if n != 1 || err != nil {
		s.Errorf("the same again: got %d, %v, want 1 row", n, err)
	}
	n, err = s.Update(s.Context(), author, map[string]any{"score": 99}, auth.Where("id", "nobody"))
	if n != 0 || err != nil {
		s.Errorf("nobody: got %d, %v, want no row", n, err)
	}
	if n, err = s.Update(s.Context(), author, map[string]any{"name": "all"}); n != 4 || err != nil {
		s.Errorf("without conditions: got %d, %v, want all 4 rows", n, err)
	}
}

func updateIndexed(s *suite) {
	library(s)
	if _, err := s.Update(s.Context(), book, map[string]any{"authorId": "2"}, auth.Where("id", "b1")); err != nil {
		s.Fatal(err)
	}
	if _, err := s.Update(s.Context(), author, map[string]any{"email": "new@example.com"}, auth.Where("id", "1")); err != nil {
		s.Fatal(err)
	}
	byID := []auth.Order{{Column: "id"}}
	s.wantIDs(auth.Query{Table: book, Order: byID, Where: []auth.Condition{auth.Where("authorId", "1")}}, "b2")
	s.wantIDs(auth.Query{Table: book, Order: byID, Where: []auth.Condition{auth.Where("authorId", "2")}}, "b1", "b3")
	s.wantIDs(auth.Query{Table: author, Where: []auth.Condition{auth.Where("email", "new@example.com")}}, "1")
	s.wantIDs(auth.Query{Table: author, Where: []auth.Condition{auth.Where("email", "ann@example.com")}})
	s.insert(author, with(person("5", "eve"), "email", "ann@example.com")) // free again
}

func updateConflict(s *suite) {
	library(s)
	set := map[string]any{"email": "bob@example.org", "name": "changed"}
	_, err := s.Update(s.Context(), author, set, auth.Where("id", "1"))
	s.wantError("taken", err, auth.ErrConflict)

	// One value for two rows would be taken by the first of them.
	_, err = s.Update(s.Context(), author, map[string]any{"email": "new@example.com", "name": "changed"}, auth.Where("active", true))
	s.wantError("two rows", err, auth.ErrConflict)
	s.wantCount(author, 0, auth.Where("name", "changed"))

	// Its own value is not in a row's way, and NULL is in nobody's.
	if _, err = s.Update(s.Context(), author, set, auth.Where("id", "2")); err != nil {
		s.Errorf("own value: %v", err)
	}
	if n, err := s.Update(s.Context(), author, map[string]any{"email": nil}); n != 4 || err != nil {
		s.Errorf("NULL for all: %d, %v", n, err)
	}
}

func updateMisfits(s *suite) {
	library(s)
	for name, set := range map[string]map[string]any{
		"nothing":           nil,
		"unknown column":    {"nme": "x"},
		"the id":            {"id": "x"},
		"NULL":              {"name": nil},
		"number for string": {"name": 1, "score": 1},
		"string for date":   {"born": "2026-11-23T08:43:48.330Z"},
	} {
		_, err := s.Update(s.Context(), author, set, auth.Where("id", "1"))
		s.wantRefused(name, err)
	}
	s.wantCount(author, 1, auth.Where("name", "ann"), auth.Where("score", 10))
}

func deletion(s *suite) {
	library(s)
	if n, err := s.Delete(s.Context(), author, auth.Where("active", false)); n != 2 || err != nil {
		s.Errorf("got %d, %v, want 2 rows", n, err)
	}
	if n, err := s.Delete(s.Context(), author, auth.Where("active", false)); n != 0 || err != nil {
		s.Errorf("again: got %d, %v, want none", n, err)
	}
	s.wantIDs(auth.Query{Table: author, Order: []auth.Order{{Column: "id"}}}, "1", "3")
	if n, err := s.Delete(s.Context(), author); n != 2 || err != nil {
		s.Errorf("without conditions: got %d, %v, want the other 2", n, err)
	}
}

func cascade(s *suite) {
	library(s)
	s.insert(page, auth.Row{1, "b1", "p1"}, auth.Row{2, "b1", "p2"}, auth.Row{1, "b3", "p3"}, auth.Row{1, "b4", "p4"})
	if n, err := s.Delete(s.Context(), author, auth.Where("id", "1")); n != 1 || err != nil {
		s.Errorf("got %d, %v, want 1 row: those that follow do not count", n, err)
	}
	byID := []auth.Order{{Column: "id"}}
	s.wantIDs(auth.Query{Table: book, Order: byID}, "b3", "b4")
	s.wantIDs(auth.Query{Table: page, Order: byID}, "p3", "p4")
	if row, err := s.Consume(s.Context(), author, auth.Where("id", "2")); row == nil || err != nil {
		s.Errorf("consume: %v, %v", row, err)
	}
	s.wantIDs(auth.Query{Table: book}, "b4")
	s.wantIDs(auth.Query{Table: page}, "p4")
}

func consume(s *suite) {
	s.insert(author, full)
	row, err := s.Consume(s.Context(), author, auth.Where("email", "ann@example.com"), auth.Where("active", false))
	if row != nil || err != nil {
		s.Errorf("a condition that fails: %v, %v", row, err)
	}
	row, err = s.Consume(s.Context(), author, auth.Where("email", "ann@example.com"))
	if err != nil || !reflect.DeepEqual(row, full) {
		s.Errorf("got %v, %v, want %v", row, err, full)
	}
	row, err = s.Consume(s.Context(), author, auth.Where("email", "ann@example.com"))
	if row != nil || err != nil {
		s.Errorf("again: %v, %v, want nothing", row, err)
	}
	// Of several rows only one goes.
	s.insert(author, person("a", "ann"), person("b", "ann"))
	if row, err = s.Consume(s.Context(), author, auth.Where("name", "ann")); row == nil || err != nil {
		s.Errorf("one of two: %v, %v", row, err)
	}
	s.wantCount(author, 1)
}

func increment(s *suite) {
	library(s)
	row, err := s.Increment(s.Context(), author, map[string]int64{"score": -3}, map[string]any{"active": false}, auth.Where("id", "1"))
	want := auth.Row{"ann", "ann@example.com", int64(7), false, date("2001-01-01T00:00:00Z"), nil, nil, nil, "1"}
	if err != nil || !reflect.DeepEqual(row, want) {
		s.Errorf("got %v, %v, want %v", row, err, want)
	}
	if got := s.one(s.Context(), "1"); !reflect.DeepEqual(got, want) {
		s.Errorf("stored is %v, want %v", got, want)
	}
	row, err = s.Increment(s.Context(), author, map[string]int64{"score": 2}, nil, auth.Where("id", "4"))
	if err != nil || row == nil || row[2] != 22.5 {
		s.Errorf("a fraction: got %v, %v", row, err)
	}
	// As in SQL, NULL and something is NULL.
	row, err = s.Increment(s.Context(), author, map[string]int64{"score": 1}, nil, auth.Where("id", "3"))
	if err != nil || row == nil || row[2] != nil {
		s.Errorf("NULL: got %v, %v", row, err)
	}
	// Of several rows only one changes.
	row, err = s.Increment(s.Context(), book, nil, map[string]any{"remark": "one"})
	if err != nil || row == nil {
		s.Errorf("one of many: got %v, %v", row, err)
	}
	s.wantCount(book, 1, auth.Where("remark", "one"))
}

func guarded(s *suite) {
	library(s)
	guard := auth.Condition{Column: "score", Op: "<", Value: 10}
	row, err := s.Increment(s.Context(), author, map[string]int64{"score": 1}, nil, auth.Where("id", "1"), guard)
	if row != nil || err != nil {
		s.Errorf("got %v, %v, want nothing", row, err)
	}
	s.wantCount(author, 1, auth.Where("id", "1"), auth.Where("score", 10))
}

func incrementMisfits(s *suite) {
	library(s)
	s.insert(page, auth.Row{int64(math.MaxInt64), "b1", "last"})
	add := func(id string, add map[string]int64, set map[string]any) error {
		_, err := s.Increment(s.Context(), author, add, set, auth.Where("id", id))
		return err
	}
	s.wantRefused("unknown column", add("1", map[string]int64{"scr": 1}, nil))
	s.wantRefused("no number", add("1", map[string]int64{"name": 1}, nil))
	s.wantRefused("the id", add("1", map[string]int64{"id": 1}, nil))
	s.wantRefused("set and added", add("1", map[string]int64{"score": 1}, map[string]any{"score": 1}))
	s.wantRefused("wrong type", add("1", nil, map[string]any{"name": 1}))
	s.wantError("taken", add("1", map[string]int64{"score": 1}, map[string]any{"email": "bob@example.org"}), auth.ErrConflict)
	s.wantCount(author, 1, auth.Where("id", "1"), auth.Where("score", 10))
	_, err := s.Increment(s.Context(), page, map[string]int64{"number": 1}, nil, auth.Where("id", "last"))
	s.wantRefused("overflow", err)
	s.wantCount(page, 1, auth.Where("number", int64(math.MaxInt64)))
}
