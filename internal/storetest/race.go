package storetest

import (
	"errors"
	"fmt"
	"sync/atomic"

	"github.com/seed3b05b409/auth"
)

// What single-use tokens, attempt limits and unique addresses rest on.
var raceCases = []testCase{
	{"of many consumers one wins", consumeRace},
	{"of many consumers of two rows two win", consumeTwoRace},
	{"a guard holds against many", incrementRace},
	{"one guard of many rows lets all of them pass", incrementManyRace},
	{"of many inserts of a value one wins", insertRace},
	{"of many updates to a value one wins", updateRace},
	{"a counter loses nothing in transactions", transactionRace},
}

const crowd = 64

func consumeRace(s *suite) {
	for round := range 20 {
		id := fmt.Sprint("token", round)
		s.insert(author, person(id, "ann"))
		var winners atomic.Int64
		atOnce(crowd, func(int) {
			row, err := s.Consume(s.Context(), author, auth.Where("id", id))
			if err != nil {
				s.Error(err)
			}
			if row != nil {
				winners.Add(1)
			}
		})
		if n := winners.Load(); n != 1 {
			s.Fatalf("round %d: %d winners, want 1", round, n)
		}
	}
}

// consumeTwoRace: whoever loses a row must look for the other one.
func consumeTwoRace(s *suite) {
	for round := range 10 {
		s.insert(author, person("a", "ann"), person("b", "ann"))
		var winners atomic.Int64
		atOnce(crowd/4, func(int) {
			row, err := s.Consume(s.Context(), author, auth.Where("name", "ann"))
			if err != nil {
				s.Error(err)
			}
			if row != nil {
				winners.Add(1)
			}
		})
		if n := winners.Load(); n != 2 {
			s.Fatalf("round %d: %d winners, want 2", round, n)
		}
	}
}

func incrementManyRace(s *suite) {
	for i := range 8 {
		s.insert(author, with(person(fmt.Sprint(i), "ann"), "score", 0))
	}
	var passed atomic.Int64
	atOnce(crowd/4, func(int) {
		row, err := s.Increment(s.Context(), author, map[string]int64{"score": 1}, nil, auth.Where("score", 0))
		if err != nil {
			s.Error(err)
		}
		if row != nil {
			passed.Add(1)
		}
	})
	if n := passed.Load(); n != 8 {
		s.Errorf("%d passed, want 8", n)
	}
	s.wantCount(author, 8, auth.Where("score", 1))
}

func incrementRace(s *suite) {
	const allowed = 5
	s.insert(author, with(person("a", "ann"), "score", 0))
	var passed atomic.Int64
	atOnce(crowd, func(int) {
		guard := auth.Condition{Column: "score", Op: "<", Value: allowed}
		row, err := s.Increment(s.Context(), author, map[string]int64{"score": 1}, nil, auth.Where("id", "a"), guard)
		if err != nil {
			s.Error(err)
		}
		if row != nil {
			passed.Add(1)
		}
	})
	if n := passed.Load(); n != allowed {
		s.Errorf("%d passed, want %d", n, allowed)
	}
	s.wantCount(author, 1, auth.Where("score", allowed))
}

// wantOneNil runs fn at once and expects one success and conflicts otherwise.
func (s *suite) wantOneNil(fn func(i int) error) {
	s.Helper()
	var winners atomic.Int64
	atOnce(crowd, func(i int) {
		switch err := fn(i); {
		case err == nil:
			winners.Add(1)
		case !errors.Is(err, auth.ErrConflict):
			s.Errorf("error %v, want %v", err, auth.ErrConflict)
		}
	})
	if n := winners.Load(); n != 1 {
		s.Errorf("%d winners, want 1", n)
	}
}

func insertRace(s *suite) {
	for round := range 5 {
		email := fmt.Sprint(round, "@example.com")
		s.wantOneNil(func(i int) error {
			id := fmt.Sprint(round, "-", i)
			return s.Insert(s.Context(), author, with(person(id, "ann"), "email", email))
		})
	}
	s.wantOneNil(func(i int) error { return s.Insert(s.Context(), author, person("same", fmt.Sprint(i))) })
	s.wantCount(author, 6)
}

func updateRace(s *suite) {
	for i := range crowd {
		s.insert(author, person(fmt.Sprint(i), "ann"))
	}
	s.wantOneNil(func(i int) error {
		_, err := s.Update(s.Context(), author, map[string]any{"email": "x@example.com"}, auth.Where("id", fmt.Sprint(i)))
		return err
	})
	s.wantCount(author, 1, auth.Where("email", "x@example.com"))
}
