package faulttest

import (
	"context"
	"maps"
	"slices"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/seed3b05b409/auth"
)

// codesAtOnce is a stage where every code is 123456, and how often a code was compared.
func codesAtOnce(t *testing.T, db *database) (*stage, *atomic.Int32) {
	var compared atomic.Int32
	s := emptyStage(t, db, func(c *auth.Config) {
		c.Plugins = []auth.Plugin{&auth.EmailOTP{
			Send:     func(context.Context, auth.OTPMail) error { return nil },
			Generate: func(context.Context, string, auth.OTPType) string { return "123456" },
			Store: auth.OTPStorage{Hash: func(_ context.Context, code string) (string, error) {
				compared.Add(1)
				return auth.HashIdentifier(code), nil
			}},
		}}
	})
	return s, &compared
}

// bring signs in with each of the codes at the same moment and counts the statuses.
func (s *stage) bring(codes ...string) map[int]int {
	statuses := make(map[int]int)
	var mu sync.Mutex
	var requests []func()
	for _, code := range codes {
		requests = append(requests, func() {
			status := s.post("", "/sign-in/email-otp", `{"email":"cat@example.com","otp":"`+code+`"}`)
			mu.Lock()
			defer mu.Unlock()
			statuses[status]++
		})
	}
	together(requests...)
	return statuses
}

// TestWrongCodesAtOnce: of any number of guesses no more count than are allowed.
func TestWrongCodesAtOnce(t *testing.T) {
	onEach(t, func(t *testing.T, db *database) {
		s, compared := codesAtOnce(t, db)
		for round := range rounds {
			s.direct("/email-otp/send-verification-otp", `{"email":"cat@example.com","type":"sign-in"}`)
			compared.Store(0)
			statuses := s.bring(slices.Repeat([]string{"000000"}, 8)...)
			if !maps.Equal(statuses, map[int]int{400: 7, 403: 1}) || compared.Load() != 3 {
				t.Fatalf("round %d: %v, %d codes were compared", round, statuses, compared.Load())
			}
			if statuses := s.bring("123456"); statuses[400] != 1 {
				t.Fatalf("round %d: the right code after them: %v", round, statuses)
			}
		}
	})
}

// TestRightCodesAtOnce: one of them signs in, although wrong ones come between.
func TestRightCodesAtOnce(t *testing.T) {
	onEach(t, func(t *testing.T, db *database) {
		s, _ := codesAtOnce(t, db)
		for round := range rounds {
			s.direct("/email-otp/send-verification-otp", `{"email":"cat@example.com","type":"sign-in"}`)
			statuses := s.bring("000000", "123456", "123456", "123456", "123456", "000000")
			if !maps.Equal(statuses, map[int]int{200: 1, 400: 5}) {
				t.Fatalf("round %d: %v", round, statuses)
			}
			if tables := db.snapshot(t); len(tables["user"]) != 1 || len(tables["session"]) != round+1 || len(tables["verification"]) != 0 {
				t.Fatalf("round %d: %v", round, tables)
			}
		}
	})
}
