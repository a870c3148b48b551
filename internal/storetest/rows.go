package storetest

import (
	"reflect"
	"time"

	"github.com/seed3b05b409/auth"
)

// What goes in comes out, in the one form that Row promises, and belongs to
// whoever holds it.
var rowCases = []testCase{
	{"insert and read every type", everyType},
	{"times keep their milliseconds and come in UTC", times},
	{"pointers and integers of any size are understood", convenient},
	{"NULL stays apart from empty values", emptyIsNotNull},
	{"rows handed in are copied", copiedIn},
	{"rows handed out are copies", copiedOut},
	{"a taken id conflicts", idConflict},
	{"a taken unique value conflicts, NULL never does", uniqueConflict},
	{"rows that do not fit the table are refused", misfits},
}

var (
	tree = map[string]any{"a": []any{1.5, "x", nil, true}, "<&>\u2028": map[string]any{"deep": "ü"}}
	full = auth.Row{"ann", "ann@example.com", int64(1) << 40, true, date("2026-11-23T08:43:48.33Z"), tree,
		[]string{"a", "b,\"c\""}, []float64{1, 2.5}, "full"}
)

func everyType(s *suite) {
	s.insert(author, full, with(with(person("half", "bob"), "score", 2.5), "active", false))
	if got := s.one(s.Context(), "full"); !reflect.DeepEqual(got, full) {
		s.Errorf("got %#v, want %#v", got, full)
	}
	want := auth.Row{"bob", nil, 2.5, false, nil, nil, nil, nil, "half"}
	if got := s.one(s.Context(), "half"); !reflect.DeepEqual(got, want) {
		s.Errorf("got %#v, want %#v", got, want)
	}
}

func times(s *suite) {
	east := time.FixedZone("east", 3*60*60)
	for text, want := range map[string]string{
		"2026-11-23T08:43:48.33Z":      "2026-11-23T08:43:48.33Z",
		"2026-11-23T08:43:48Z":         "2026-11-23T08:43:48Z",
		"2026-11-23T08:43:48.3309999Z": "2026-11-23T08:43:48.33Z", // cut off, not rounded: it must not lie in the future
		"1999-12-31T23:59:59.999Z":     "1999-12-31T23:59:59.999Z",
	} {
		s.insert(author, with(person(text, "ann"), "born", date(text).In(east)))
		got, ok := s.one(s.Context(), text)[4].(time.Time)
		if !ok || got != date(want) || got.Location() != time.UTC {
			s.Errorf("%s came back as %v, want %s", text, got, want)
		}
		// A time that was read has to find its own row.
		s.wantIDs(auth.Query{Table: author, Where: []auth.Condition{auth.Where("born", got), auth.Where("id", text)}}, text)
	}
}

func convenient(s *suite) {
	name, email, none := "ann", "ann@example.com", (*time.Time)(nil)
	s.insert(author, auth.Row{&name, &email, 7, true, none, nil, nil, nil, "a"})
	want := auth.Row{"ann", "ann@example.com", int64(7), true, nil, nil, nil, nil, "a"}
	if got := s.one(s.Context(), "a"); !reflect.DeepEqual(got, want) {
		s.Errorf("got %#v, want %#v", got, want)
	}
	// 7 and 7.0 are the same number, however it is written.
	s.wantCount(author, 1, auth.Where("score", 7.0))
	s.wantCount(author, 1, auth.Where("score", uint8(7)))
}

func emptyIsNotNull(s *suite) {
	row := auth.Row{"", "", 0, false, time.Unix(1, 0), map[string]any{}, []string{}, []float64{}, "empty"}
	s.insert(author, row)
	want := auth.Row{"", "", int64(0), false, time.Unix(1, 0).UTC(), map[string]any{}, []string{}, []float64{}, "empty"}
	if got := s.one(s.Context(), "empty"); !reflect.DeepEqual(got, want) {
		s.Errorf("got %#v, want %#v", got, want)
	}
}

// copiedIn: a caller goes on using its maps and slices after an insert.
func copiedIn(s *suite) {
	inner := map[string]any{"k": "v"}
	tags := []string{"a"}
	row := with(with(person("a", "ann"), "profile", map[string]any{"inner": inner}), "tags", tags)
	s.insert(author, row)
	row[0], inner["k"], tags[0] = "changed", "changed", "changed"
	got := s.one(s.Context(), "a")
	if got[0] != "ann" || !reflect.DeepEqual(got[5], map[string]any{"inner": map[string]any{"k": "v"}}) || !reflect.DeepEqual(got[6], []string{"a"}) {
		s.Errorf("the stored row changed with the caller's: %v", got)
	}
}

// copiedOut: what one reader does to a row is no other reader's business.
func copiedOut(s *suite) {
	s.insert(author, full)
	mine := s.one(s.Context(), "full")
	mine[0] = "changed"
	mine[5].(map[string]any)["a"].([]any)[1] = "changed"
	mine[6].([]string)[0] = "changed"
	mine[7].([]float64)[0] = 99
	if got := s.one(s.Context(), "full"); !reflect.DeepEqual(got, full) {
		s.Errorf("the stored row changed with a reader's: %v", got)
	}
}

func idConflict(s *suite) {
	s.insert(author, person("a", "ann"))
	s.wantError("second insert", s.Insert(s.Context(), author, person("a", "bob")), auth.ErrConflict)
	if got := s.one(s.Context(), "a"); got[0] != "ann" {
		s.Errorf("the first row is now %v", got)
	}
}

func uniqueConflict(s *suite) {
	s.insert(author, with(person("a", "ann"), "email", "x@example.com"))
	err := s.Insert(s.Context(), author, with(person("b", "bob"), "email", "x@example.com"))
	s.wantError("second insert", err, auth.ErrConflict)
	s.insert(author, person("c", "cid"), person("d", "dan")) // two NULLs
	s.wantCount(author, 3)

	// The value is free again once its row is gone.
	if _, err := s.Delete(s.Context(), author, auth.Where("id", "a")); err != nil {
		s.Fatal(err)
	}
	s.insert(author, with(person("e", "eve"), "email", "x@example.com"))
}

func misfits(s *suite) {
	for name, row := range map[string]auth.Row{
		"no row":                   nil,
		"too short":                person("a", "ann")[1:],
		"too long":                 append(person("a", "ann"), "more"),
		"no id":                    person("", "ann"),
		"NULL id":                  append(person("", "ann")[:8], nil),
		"NULL where there is none": with(person("a", "ann"), "name", nil),
		"number for string":        with(person("a", "ann"), "name", 1),
		"string for number":        with(person("a", "ann"), "score", "1"),
		"string for boolean":       with(person("a", "ann"), "active", "true"),
		"string for date":          with(person("a", "ann"), "born", "2026-11-23T08:43:48.330Z"),
		"string for list":          with(person("a", "ann"), "tags", "a,b"),
		"strings for numbers":      with(person("a", "ann"), "sizes", []string{"1"}),
		"function for json":        with(person("a", "ann"), "profile", func() {}),
	} {
		err := s.Insert(s.Context(), author, row)
		s.wantRefused(name, err)
		if len(row) == len(author.Columns)+1 {
			s.wantInvalid(name, err)
		}
	}
	s.wantCount(author, 0)
}
