package auth

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"
)

func mustLimit(t testing.TB, config RateLimit, plugins ...map[string]RateRule) *limiter {
	t.Helper()
	l, err := newLimiter(config, plugins...)
	if err != nil {
		t.Fatal(err)
	}
	return l
}

// countAllowed counts n requests and returns how many were allowed.
func countAllowed(t *testing.T, l *limiter, n int, address, path string) int {
	t.Helper()
	count := 0
	for range n {
		_, ok, err := l.allow(t.Context(), nil, address, path)
		if err != nil {
			t.Fatal(err)
		}
		if ok {
			count++
		}
	}
	return count
}

func TestLimiter_builtInRules(t *testing.T) {
	tests := []struct {
		path   string
		max    int
		window time.Duration
	}{
		{"/get-session", 100, 10 * time.Second},
		{"/sign-in/email", 3, 10 * time.Second},
		{"/sign-in/magic-link", 3, 10 * time.Second},
		{"/sign-up/email", 3, 10 * time.Second},
		{"/change-password", 3, 10 * time.Second},
		{"/change-email", 3, 10 * time.Second},
		{"/request-password-reset", 3, 60 * time.Second},
		{"/request-password-reset/x", 100, 10 * time.Second},
		{"/send-verification-email", 3, 60 * time.Second},
		{"/forget-password/email-otp", 3, 60 * time.Second},
		{"/email-otp/send-verification-otp", 3, 60 * time.Second},
		{"/email-otp/request-password-reset", 3, 60 * time.Second},
		{"/reset-password", 100, 10 * time.Second},
	}
	for _, test := range tests {
		synctest.Test(t, func(t *testing.T) {
			l := mustLimit(t, RateLimit{})
			if got := countAllowed(t, l, test.max+5, "203.0.113.7", test.path); got != test.max {
				t.Errorf("%s: %d allowed, want %d", test.path, got, test.max)
			}
			retryAfter, _, _ := l.allow(t.Context(), nil, "203.0.113.7", test.path)
			if retryAfter != test.window {
				t.Errorf("%s: retry after %v, want %v", test.path, retryAfter, test.window)
			}
		})
	}
}

func TestLimiter_whichRule(t *testing.T) {
	second := time.Second
	l := mustLimit(t, RateLimit{
		Window: 20 * second,
		Max:    50,
		Rules: map[string]RateRule{
			"/get-session":     {Unlimited: true},
			"/sign-in/*":       {Max: 5},
			"/sign-in/social":  {Max: 7, Window: second},
			"/two-factor/**":   {Max: 8},
			"/two-factor/*":    {Max: 9},
			"/passkey/verify*": {Window: 3 * second},
		},
	}, map[string]RateRule{
		"/two-factor/**": {Window: 10 * second, Max: 3},
		"/sign-in/magic": {Window: 60 * second, Max: 2},
		"/phone/**":      {Window: 60 * second, Max: 10},
	}, map[string]RateRule{
		"/phone/**": {Window: second, Max: 1000},
	})
	tests := []struct {
		path   string
		want   RateRule
		reason string
	}{
		{"/anything", RateRule{20 * second, 50, false}, "the configured standard"},
		{"/sign-up/email", RateRule{10 * second, 3, false}, "the built-in rule comes before it"},
		{"/phone/verify", RateRule{60 * second, 10, false}, "the first plugin with a rule wins"},
		{"/two-factor/verify", RateRule{10 * second, 8, false}, "longer globs come first, the window is the plugin's"},
		{"/sign-in/magic", RateRule{60 * second, 5, false}, "the configuration comes last"},
		{"/sign-in/social", RateRule{second, 7, false}, "a path comes before globs"},
		{"/sign-in/oauth2/callback", RateRule{10 * second, 3, false}, "a star is one segment"},
		{"/passkey/verify-login", RateRule{3 * second, 50, false}, "a zero Max keeps the standard"},
		{"/get-session", RateRule{20 * second, 50, true}, "no limit"},
	}
	for _, test := range tests {
		if got := l.rule(test.path); got != test.want {
			t.Errorf("%s: %+v, want %+v: %s", test.path, got, test.want, test.reason)
		}
	}
}

// The window starts anew with every allowed request and not with denied ones.
func TestLimiter_window(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := mustLimit(t, RateLimit{})
		steps := []struct {
			wait       time.Duration
			ok         bool
			retryAfter time.Duration
			reason     string
		}{
			{0, true, 0, "first"},
			{9 * time.Second, true, 0, "second, restarts the window"},
			{9 * time.Second, true, 0, "third, restarts the window"},
			{9 * time.Second, false, time.Second, "27 seconds after the first, but 9 after the third"},
			{500 * time.Millisecond, false, 500 * time.Millisecond, "a denied one restarts nothing"},
			{500 * time.Millisecond, true, 0, "10 seconds after the third"},
			{0, true, 0, "counted from one again"},
			{0, true, 0, "counted from one again"},
			{0, false, 10 * time.Second, "a whole window"},
		}
		for i, step := range steps {
			time.Sleep(step.wait)
			retryAfter, ok, err := l.allow(t.Context(), nil, "203.0.113.7", "/sign-in/email")
			if ok != step.ok || retryAfter != step.retryAfter || err != nil {
				t.Errorf("step %d: %v, %v, %v, want %v, %v: %s", i, retryAfter, ok, err, step.retryAfter, step.ok, step.reason)
			}
		}
	})
}

func TestLimiter_keys(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := mustLimit(t, RateLimit{})
		for _, client := range []struct {
			address, path string
			want          int
			reason        string
		}{
			{"203.0.113.7", "/sign-in/email", 3, "the first client"},
			{"203.0.113.8", "/sign-in/email", 3, "another client"},
			{"203.0.113.7", "/sign-in/social", 3, "another path"},
			{"203.0.113.7", "/sign-in/email", 0, "the first again"},
			{"", "/sign-in/email", 3, "unknown clients share a count"},
			{"no-trusted-ip", "/sign-in/email", 0, "under the original's key"},
		} {
			if got := countAllowed(t, l, 5, client.address, client.path); got != client.want {
				t.Errorf("%q %s: %d allowed, want %d: %s", client.address, client.path, got, client.want, client.reason)
			}
		}
	})
}

func TestLimiter_disabled(t *testing.T) {
	l := mustLimit(t, RateLimit{Disabled: true})
	if got := countAllowed(t, l, 1000, "203.0.113.7", "/sign-in/email"); got != 1000 {
		t.Errorf("%d allowed", got)
	}
	l = mustLimit(t, RateLimit{Rules: map[string]RateRule{"/**": {Unlimited: true}}})
	if got := countAllowed(t, l, 1000, "203.0.113.7", "/sign-in/email"); got != 1000 {
		t.Errorf("%d allowed by an unlimited rule", got)
	}
}

type storageFunc func(key string, rule RateRule) (time.Duration, bool, error)

func (f storageFunc) Consume(_ context.Context, key string, rule RateRule) (time.Duration, bool, error) {
	return f(key, rule)
}

func TestLimiter_storage(t *testing.T) {
	broken := errors.New("broken")
	l := mustLimit(t, RateLimit{Storage: storageFunc(func(key string, rule RateRule) (time.Duration, bool, error) {
		switch key {
		case "a|/sign-in/email":
			return 0, false, nil
		case "b|/sign-in/email":
			return 0, true, broken
		}
		return 0, rule == RateRule{Window: 10 * time.Second, Max: 3}, nil
	})})
	if retryAfter, ok, err := l.allow(t.Context(), nil, "a", "/sign-in/email"); retryAfter != 10*time.Second || ok || err != nil {
		t.Errorf("denied: %v, %v, %v, want the whole window", retryAfter, ok, err)
	}
	if _, ok, err := l.allow(t.Context(), nil, "b", "/sign-in/email"); ok || !errors.Is(err, broken) {
		t.Errorf("broken: %v, %v", ok, err)
	}
	if _, ok, err := l.allow(t.Context(), nil, "c", "/sign-in/email"); !ok || err != nil {
		t.Errorf("allowed: %v, %v", ok, err)
	}
}

func TestTooManyRequests(t *testing.T) {
	for wait, want := range map[time.Duration]string{
		time.Nanosecond:         "1",
		time.Second:             "1",
		1001 * time.Millisecond: "2",
		time.Minute:             "60",
	} {
		e := tooManyRequests(wait)
		body, err := e.MarshalJSON()
		if err != nil || string(body) != `{"message":"Too many requests. Please try again later."}` {
			t.Errorf("body %s, %v", body, err)
		}
		if got := e.Header.Get("X-Retry-After"); e.Status != 429 || got != want {
			t.Errorf("%v: status %d, X-Retry-After %q, want %q", wait, e.Status, got, want)
		}
	}
}

func TestNewLimiter_mistakes(t *testing.T) {
	_, err := newLimiter(RateLimit{
		Max:   -1,
		Rules: map[string]RateRule{"sign-in": {}, "/a": {Max: -1}, "/b": {Window: -1}, "/c": {}},
	}, map[string]RateRule{"": {}})
	if err == nil || strings.Count(err.Error(), "\n") != 4 {
		t.Errorf("%v, want five mistakes", err)
	}
}

// rateStorages are the places where requests can be counted.
var rateStorages = map[string]func(t *testing.T, config RateLimit) *limiter{
	"memory": func(t *testing.T, config RateLimit) *limiter { return mustLimit(t, config) },
	"secondary storage": func(t *testing.T, config RateLimit) *limiter {
		return limiterOf(t, config, NewMemorySecondaryStorage())
	},
	"database": func(t *testing.T, config RateLimit) *limiter {
		config.StoreInDatabase = true
		return limiterOf(t, config, nil)
	},
}

func limiterOf(t *testing.T, config RateLimit, secondary SecondaryStorage) *limiter {
	return newWorld(t, func(c *Config) { c.RateLimit, c.SecondaryStorage = config, secondary }).limiter
}

// GHSA-44jh-23m7-hpcf: concurrent requests exceeded the limit.
func TestAdvisory_GHSA_44jh_23m7_hpcf(t *testing.T) {
	for name, make := range rateStorages {
		t.Run(name, func(t *testing.T) {
			const maximum = 1000
			l := make(t, RateLimit{Max: maximum, Window: time.Hour})
			var count atomic.Int64
			var group sync.WaitGroup
			for range 64 {
				group.Go(func() {
					for range 50 {
						_, ok, err := l.allow(context.Background(), nil, "203.0.113.7", "/get-session")
						if err != nil {
							t.Error(err)
						}
						if ok {
							count.Add(1)
						}
					}
				})
			}
			group.Wait()
			if got := count.Load(); got != maximum {
				t.Errorf("%d of 3200 concurrent requests allowed, want %d", got, maximum)
			}
		})
	}
}

// slowStore lets others act upon what was read a moment ago.
type slowStore struct{ Store }

func (s slowStore) Select(ctx context.Context, q Query) ([]Row, error) {
	rows, err := s.Store.Select(ctx, q)
	time.Sleep(time.Millisecond)
	return rows, err
}

// Many requests at the end of a window open one new window.
func TestRateDatabase_opensOneWindow(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := newWorld(t, func(c *Config) {
			c.Store = slowStore{c.Store}
			c.RateLimit = RateLimit{Max: 3, Window: time.Minute, StoreInDatabase: true}
		}).limiter
		for range 10 {
			var count atomic.Int64
			var group sync.WaitGroup
			for range 32 {
				group.Go(func() {
					if _, ok, err := l.allow(t.Context(), nil, "203.0.113.7", "/ok"); err != nil {
						t.Error(err)
					} else if ok {
						count.Add(1)
					}
				})
			}
			group.Wait()
			if got := count.Load(); got != 3 {
				t.Errorf("%d allowed, want 3", got)
			}
			time.Sleep(time.Minute)
		}
	})
}

// The windows of contract section 10: in a database every allowed request begins
// one and denied ones change nothing; in a secondary storage they are fixed.
func TestRateWindows(t *testing.T) {
	for name, want := range map[string]string{
		"memory":            "yes yes no/6s no/3s yes",
		"database":          "yes yes no/6s no/3s yes",
		"secondary storage": "yes yes no/10s yes yes",
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				l := rateStorages[name](t, RateLimit{Max: 2, Window: 10 * time.Second})
				var got []string
				for _, pause := range []time.Duration{0, 4, 4, 3, 3} {
					time.Sleep(pause * time.Second)
					wait, ok, err := l.allow(t.Context(), nil, "203.0.113.7", "/ok")
					switch {
					case err != nil:
						t.Fatal(err)
					case ok:
						got = append(got, "yes")
					default:
						got = append(got, fmt.Sprint("no/", wait))
					}
				}
				if s := strings.Join(got, " "); s != want {
					t.Errorf("%s, want %s", s, want)
				}
			})
		})
	}
}

// Rows that no rule needs are removed when a window opens, others are not.
func TestRateDatabase_prunes(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, func(c *Config) {
			c.RateLimit = RateLimit{StoreInDatabase: true, Rules: map[string]RateRule{"/slow": {Window: time.Hour, Max: 1}}}
		})
		visit := func(address, path string) bool {
			_, ok, err := w.limiter.allow(t.Context(), nil, address, path)
			if err != nil {
				t.Fatal(err)
			}
			return ok
		}
		for i := range 50 {
			visit(fmt.Sprint("203.0.113.", i), "/ok")
		}
		time.Sleep(30 * time.Minute)
		visit("198.51.100.1", "/slow")
		visit("198.51.100.1", "/ok")
		time.Sleep(31 * time.Minute)
		visit("198.51.100.1", "/ok")
		if n := count(t, w, w.core.rateCounts.table); n != 2 {
			t.Errorf("%d rows are left, want 2", n)
		}
		if visit("198.51.100.1", "/slow") {
			t.Error("a count that is still needed was removed")
		}
		if tables := w.core.tables(); tables[len(tables)-1].Name != "rateLimit" {
			t.Error("the table is not among those in use")
		}
	})
}

func TestRateMemory_bounded(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := newRateMemory(100)
		rule := RateRule{Window: time.Minute, Max: 1}
		consume := func(key string) bool {
			_, ok, _ := m.Consume(t.Context(), key, rule)
			return ok
		}
		for i := range 1000 {
			consume(fmt.Sprint(i))
			time.Sleep(time.Millisecond)
		}
		if len(m.counts) != 100 || m.oldest.Len() != 100 {
			t.Fatalf("%d counts, %d in order, want 100", len(m.counts), m.oldest.Len())
		}
		if consume("999") {
			t.Error("the newest was evicted")
		}
		if consume("900") {
			t.Error("the oldest but one of the kept was evicted")
		}
		if !consume("899") {
			t.Error("the oldest was kept")
		}
	})
}

func TestRateMemory_prune(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := newRateMemory(1000)
		rule := RateRule{Window: time.Second, Max: 1}
		for i := range 500 {
			m.Consume(t.Context(), fmt.Sprint(i), rule)
		}
		time.Sleep(time.Second)
		for i := range 250 {
			m.Consume(t.Context(), fmt.Sprint("new", i), rule)
		}
		if len(m.counts) != 250 || m.oldest.Len() != 250 {
			t.Errorf("%d counts, %d in order: each new one should remove two expired", len(m.counts), m.oldest.Len())
		}
	})
}

func BenchmarkLimiter(b *testing.B) {
	l := mustLimit(b, RateLimit{Max: 1 << 30})
	b.ReportAllocs()
	b.RunParallel(func(pb *testing.PB) {
		for pb.Next() {
			l.allow(context.Background(), nil, "203.0.113.7", "/get-session")
		}
	})
}

// TestRuleFunc: the application has the last word on a rule, request by request.
func TestRuleFunc(t *testing.T) {
	w := newWorld(t, func(c *Config) {
		c.RateLimit = RateLimit{Window: time.Minute, Max: 1, Rules: map[string]RateRule{"/get-session": {Max: 2}}, RuleFunc: func(r *http.Request, path string, rule RateRule) RateRule {
			switch {
			case r == nil:
				return RateRule{Max: 1}
			case r.Header.Get("X-Partner") != "":
				return RateRule{Unlimited: true}
			case r.Header.Get("X-Mistake") != "":
				return RateRule{Max: -1}
			case path == "/get-session" && rule == (RateRule{Window: time.Minute, Max: 2}):
				return RateRule{Max: 3}
			}
			return rule
		}}
	})
	b := w.browser()
	statuses := func(path string, n int) (got []int) {
		for range n {
			got = append(got, b.get(path).StatusCode)
		}
		return got
	}
	if got := statuses("/get-session", 4); !slices.Equal(got, []int{200, 200, 200, 429}) {
		t.Errorf("a rule that was changed: %v", got)
	}
	if got := statuses("/ok", 2); !slices.Equal(got, []int{200, 429}) {
		t.Errorf("a rule that was kept: %v", got)
	}
	b.header.Set("X-Partner", "1")
	if got := statuses("/ok", 3); !slices.Equal(got, []int{200, 200, 200}) {
		t.Errorf("no limit: %v", got)
	}
	b.header.Del("X-Partner")
	b.header.Set("X-Mistake", "1")
	if got := statuses("/ok", 1); !slices.Equal(got, []int{500}) {
		t.Errorf("a rule that cannot be: %v", got)
	}
	_, err := w.API.OK.Call(t.Context(), Empty{}, WithHeaders(http.Header{"X-Forwarded-For": {"203.0.113.9"}}), WithRateLimit())
	if err != nil {
		t.Errorf("a call without a request: %v", err)
	}
}
