package storetest

import (
	"errors"
	"fmt"
	"sync"

	"github.com/seed3b05b409/auth"
)

// Ids that the store counts, and ids that are UUIDs.
var idCases = []testCase{
	{"the store counts ids", counted},
	{"rows find each other by counted ids", countedReferences},
	{"what is no number is no counted id", countedStrangers},
	{"a taken value conflicts, whoever makes the id", countedConflict},
	{"of many counted ids no two are the same", countedRace},
	{"UUIDs come back as they were", uuids},
	{"what is no UUID is no id", uuidStrangers},
}

// The tables of these cases; the parts belong to the wholes.
var (
	countedWhole, countedPart = wholeAndPart("counted", auth.IDSerial)
	uuidWhole, uuidPart       = wholeAndPart("uuid", auth.IDUUID)
)

func wholeAndPart(name string, ids auth.IDType) (whole, part *auth.Table) {
	return &auth.Table{Name: name + "Whole", IDs: ids, Columns: []auth.Column{
			{Name: "name", Type: auth.TypeString, Unique: true},
		}}, &auth.Table{Name: name + "Part", IDs: ids, Columns: []auth.Column{
			{Name: "wholeId", Type: auth.TypeString, References: name + "Whole", Index: true},
		}}
}

// number inserts a row without an id and returns the one it got.
func (s *suite) number(t *auth.Table, values ...any) string {
	s.Helper()
	row := append(auth.Row(values), "")
	s.insert(t, row)
	id, _ := row[len(row)-1].(string)
	if id == "" {
		s.Fatalf("no id: %v", row)
	}
	return id
}

func counted(s *suite) {
	first, second := s.number(countedWhole, "a"), s.number(countedWhole, "b")
	if first == second {
		s.Errorf("two rows have the id %s", first)
	}
	s.wantIDs(auth.Query{Table: countedWhole, Where: []auth.Condition{auth.Where("id", second)}}, second)
	// nil is no id too, and an id that the caller chooses is kept.
	null := auth.Row{"c", nil}
	s.insert(countedWhole, null)
	chosen := "1000000"
	s.insert(countedWhole, auth.Row{"d", chosen})
	s.wantIDs(auth.Query{Table: countedWhole, Where: []auth.Condition{auth.Where("name", "d")}}, chosen)
	s.wantCount(countedWhole, 4)
}

func countedReferences(s *suite) {
	whole := s.number(countedWhole, "a")
	part := s.number(countedPart, whole)
	s.number(countedPart, s.number(countedWhole, "b"))
	q := auth.Query{Table: countedPart, Where: []auth.Condition{auth.Where("wholeId", whole)}, Join: &auth.Join{Table: countedWhole, Column: "wholeId"}}
	rows, err := s.Select(s.Context(), q)
	if err != nil || len(rows) != 1 || fmt.Sprint(rows[0]) != fmt.Sprint(auth.Row{whole, part, "a", whole}) {
		s.Errorf("join: %v, %v", rows, err)
	}
	if n, err := s.Delete(s.Context(), countedWhole, auth.Where("id", whole)); n != 1 || err != nil {
		s.Errorf("delete: %d, %v", n, err)
	}
	s.wantCount(countedPart, 1)
}

func countedStrangers(s *suite) {
	id := s.number(countedWhole, "a")
	for _, stranger := range []string{"", "x", "0" + id, id + " ", "+" + id, id + ".0", "99999999999999999999", "9999999999", "1e3", "' OR 1=1"} {
		s.wantCount(countedWhole, 0, auth.Where("id", stranger))
		s.wantCount(countedWhole, 1, auth.Condition{Column: "id", Op: "!=", Value: stranger})
		s.wantCount(countedWhole, 0, auth.Condition{Column: "id", Op: "in", Value: []string{stranger}})
		s.wantCount(countedWhole, 1, auth.Condition{Column: "id", Op: "in", Value: []string{stranger, id}})
		s.wantCount(countedWhole, 1, auth.Condition{Column: "id", Op: "not in", Value: []string{stranger}})
		s.wantCount(countedPart, 0, auth.Where("wholeId", stranger))
		if row, err := s.Consume(s.Context(), countedWhole, auth.Where("id", stranger)); row != nil || err != nil {
			s.Errorf("consume %q: %v, %v", stranger, row, err)
		}
		if stranger != "" && stranger != "9999999999" { // some have room for that one
			s.wantInvalid("insert "+stranger, s.Insert(s.Context(), countedWhole, auth.Row{"b", stranger}))
		}
	}
}

func countedConflict(s *suite) {
	id := s.number(countedWhole, "a")
	s.wantError("name", s.Insert(s.Context(), countedWhole, auth.Row{"a", ""}), auth.ErrConflict)
	s.wantError("id", s.Insert(s.Context(), countedWhole, auth.Row{"b", id}), auth.ErrConflict)
	s.wantCount(countedWhole, 1)
}

func countedRace(s *suite) {
	var mu sync.Mutex
	seen := make(map[string]bool)
	atOnce(crowd, func(i int) {
		row := auth.Row{fmt.Sprint(i), ""}
		if err := s.Insert(s.Context(), countedWhole, row); err != nil {
			s.Error(err)
		}
		mu.Lock()
		defer mu.Unlock()
		seen[row[1].(string)] = true
	})
	if len(seen) != crowd {
		s.Errorf("%d ids for %d rows", len(seen), crowd)
	}
	s.wantOneNil(func(int) error { return s.Insert(s.Context(), countedWhole, auth.Row{"wanted", ""}) })
}

const someUUID = "0123abcd-89ab-4def-8123-456789abcdef"

func uuids(s *suite) {
	s.insert(uuidWhole, auth.Row{"a", someUUID})
	s.insert(uuidPart, auth.Row{someUUID, "ffffffff-89ab-4def-8123-456789abcdef"})
	s.wantIDs(auth.Query{Table: uuidWhole, Where: []auth.Condition{auth.Where("id", someUUID)}}, someUUID)
	s.wantIDs(auth.Query{Table: uuidWhole, Where: []auth.Condition{{Column: "id", Op: "in", Value: []string{"x", someUUID}}}}, someUUID)
	q := auth.Query{Table: uuidPart, Join: &auth.Join{Table: uuidWhole, Column: "wholeId"}}
	rows, err := s.Select(s.Context(), q)
	if err != nil || len(rows) != 1 || rows[0][0] != someUUID || rows[0][3] != someUUID {
		s.Errorf("join: %v, %v", rows, err)
	}
	s.wantError("id", s.Insert(s.Context(), uuidWhole, auth.Row{"b", someUUID}), auth.ErrConflict)
	if row, err := s.Consume(s.Context(), uuidWhole, auth.Where("id", someUUID)); row == nil || err != nil {
		s.Errorf("consume: %v, %v", row, err)
	}
	s.wantCount(uuidPart, 0)
}

func uuidStrangers(s *suite) {
	s.insert(uuidWhole, auth.Row{"a", someUUID})
	for _, stranger := range []string{"", "1", "0123ABCD-89AB-4DEF-8123-456789ABCDEF", "0123abcd89ab4def8123456789abcdef", "{" + someUUID + "}", "' OR 1=1"} {
		s.wantCount(uuidWhole, 0, auth.Where("id", stranger))
		s.wantCount(uuidWhole, 1, auth.Condition{Column: "id", Op: "!=", Value: stranger})
		s.wantCount(uuidWhole, 1, auth.Condition{Column: "id", Op: "not in", Value: []string{stranger}})
		s.wantInvalid("insert", s.Insert(s.Context(), uuidWhole, auth.Row{"b", stranger}))
	}
}

// wantInvalid expects the error that blames a value.
func (s *suite) wantInvalid(what string, err error) {
	s.Helper()
	if !errors.Is(err, auth.ErrInvalidValue) {
		s.Errorf("%s: error %v, want %v", what, err, auth.ErrInvalidValue)
	}
}
