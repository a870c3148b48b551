package storetest

import (
	"fmt"
	"strconv"
	"sync/atomic"
	"testing"
	"time"

	"github.com/seed3b05b409/auth"
)

// Secondary is a secondary storage with every ability.
type Secondary interface {
	auth.SecondaryStorage
	auth.SecondaryTaker
	auth.SecondaryCounter
}

// RunSecondary is the contract of [auth.SecondaryStorage] and its optional
// abilities as a test. Every call of open returns a storage that nothing else
// uses and that is empty.
func RunSecondary(t *testing.T, open func(t *testing.T) Secondary) {
	for _, c := range secondaryCases {
		t.Run(c.name, func(t *testing.T) { c.run(&secondarySuite{t, open(t)}) })
	}
}

type secondarySuite struct {
	*testing.T
	Secondary
}

var secondaryCases = []struct {
	name string
	run  func(*secondarySuite)
}{
	{"a key that was never set has no value", func(s *secondarySuite) {
		s.wantNone("nothing")
		if value, found, err := s.Take(s.Context(), "nothing"); value != "" || found || err != nil {
			s.Errorf("take: %q, %v, %v", value, found, err)
		}
		s.delete("nothing")
	}},
	{"values are kept as they are", func(s *secondarySuite) {
		for i, value := range []string{"", "plain", "null", "\x00\xff not UTF-8", `{"name":"A&B <é> \u2028"}`, string(make([]byte, 1<<20))} {
			key := fmt.Sprintf("key %d|:*{}[é]", i)
			s.set(key, value, 0)
			s.wantValue(key, value)
		}
	}},
	{"set replaces value and time", func(s *secondarySuite) {
		s.set("k", "short", 50*time.Millisecond)
		s.set("k", "long", 0)
		time.Sleep(100 * time.Millisecond)
		s.wantValue("k", "long")
		s.set("k", "short again", 50*time.Millisecond)
		s.wantGone("k")
	}},
	{"a value is gone when its time is over", func(s *secondarySuite) {
		s.set("k", "v", time.Second)
		s.wantValue("k", "v")
		s.wantGone("k")
	}},
	{"what was deleted is gone", func(s *secondarySuite) {
		s.set("a", "1", time.Minute)
		s.set("b", "2", time.Minute)
		s.delete("a")
		s.wantNone("a")
		s.wantValue("b", "2")
	}},
	{"one caller takes a value", func(s *secondarySuite) {
		for round := range 20 {
			key := strconv.Itoa(round)
			s.set(key, "once", time.Minute)
			var winners atomic.Int64
			atOnce(16, func(int) {
				value, found, err := s.Take(s.Context(), key)
				if err != nil || found != (value == "once") {
					s.Errorf("take: %q, %v, %v", value, found, err)
				}
				if found {
					winners.Add(1)
				}
			})
			if n := winners.Load(); n != 1 {
				s.Errorf("%d callers took one value", n)
			}
			s.wantNone(key)
		}
	}},
	{"no increment is lost", func(s *secondarySuite) {
		var highest atomic.Int64
		atOnce(16, func(int) {
			for range 25 {
				n := s.increment("k", time.Minute)
				for h := highest.Load(); h < n && !highest.CompareAndSwap(h, n); h = highest.Load() {
				}
			}
		})
		if n := highest.Load(); n != 400 {
			s.Errorf("400 increments made %d", n)
		}
		s.wantValue("k", "400")
	}},
	{"a count lives as long as its first increment says", func(s *secondarySuite) {
		begin := time.Now()
		s.increment("k", time.Second)
		time.Sleep(500 * time.Millisecond)
		s.increment("k", time.Hour)
		s.wantGone("k")
		if lived := time.Since(begin); lived < 900*time.Millisecond {
			s.Errorf("a second took %v", lived)
		}
		if n := s.increment("k", time.Minute); n != 1 {
			s.Errorf("the next window begins with %d", n)
		}
	}},
	{"text cannot be counted up", func(s *secondarySuite) {
		s.set("k", "text", time.Minute)
		if n, err := s.Increment(s.Context(), "k", time.Minute); err == nil {
			s.Errorf("increment: %d", n)
		}
		s.wantValue("k", "text")
	}},
}

func (s *secondarySuite) set(key, value string, ttl time.Duration) {
	s.Helper()
	if err := s.Set(s.Context(), key, value, ttl); err != nil {
		s.Fatalf("set %q: %v", key, err)
	}
}

func (s *secondarySuite) delete(key string) {
	s.Helper()
	if err := s.Secondary.Delete(s.Context(), key); err != nil {
		s.Fatalf("delete %q: %v", key, err)
	}
}

func (s *secondarySuite) increment(key string, ttl time.Duration) int64 {
	s.Helper()
	n, err := s.Increment(s.Context(), key, ttl)
	if err != nil {
		s.Errorf("increment %q: %v", key, err)
	}
	return n
}

func (s *secondarySuite) wantValue(key, want string) {
	s.Helper()
	if value, found, err := s.Get(s.Context(), key); value != want || !found || err != nil {
		s.Errorf("%q is %.40q, %v, %v, want %.40q", key, value, found, err, want)
	}
}

func (s *secondarySuite) wantNone(key string) {
	s.Helper()
	if value, found, err := s.Get(s.Context(), key); value != "" || found || err != nil {
		s.Errorf("%q is %.40q, %v, %v, want nothing", key, value, found, err)
	}
}

// wantGone waits for a key to expire.
func (s *secondarySuite) wantGone(key string) {
	s.Helper()
	for range 100 {
		if _, found, err := s.Get(s.Context(), key); err != nil || !found {
			s.wantNone(key)
			return
		}
		time.Sleep(30 * time.Millisecond)
	}
	s.Errorf("%q does not expire", key)
}
