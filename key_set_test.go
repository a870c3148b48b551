package auth

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"testing"
	"testing/synctest"
	"time"
)

// A keyServer publishes keys. The ids are those it has now; it can be slow or
// down.
type keyServer struct {
	t       testing.TB
	mu      sync.Mutex
	ids     []string
	fails   error
	delay   time.Duration
	fetches int
	running int
}

func (s *keyServer) fetch(ctx context.Context, url string) ([]byte, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.fetches++
	if s.running++; s.running > 1 || url != "https://idp.example/keys" {
		s.t.Errorf("%d fetches at once of %s", s.running, url)
	}
	defer func() { s.running-- }()
	s.mu.Unlock()
	select {
	case <-time.After(s.delay):
	case <-ctx.Done():
	}
	s.mu.Lock()
	if ctx.Err() != nil {
		return nil, ctx.Err()
	}
	var keys []string
	for _, id := range s.ids {
		keys = append(keys, makeJWK(s.t, testKeys()["EdDSA"].Public(), map[string]any{"kid": id}))
	}
	return makeKeySet(keys...), s.fails
}

func (s *keyServer) keys() *remoteKeys { return newRemoteKeys("https://idp.example/keys", s.fetch) }

// expectFetches checks the number of fetches since the last time.
func (s *keyServer) expectFetches(want int, reason string) {
	s.t.Helper()
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.fetches != want {
		s.t.Errorf("%s: %d fetches, want %d", reason, s.fetches, want)
	}
	s.fetches = 0
}

// expectKeys checks how many keys are found.
func (s *keyServer) expectKeys(r *remoteKeys, kid string, want int, reason string) {
	s.t.Helper()
	keys, err := r.find(s.t.Context(), kid)
	if err != nil || len(keys) != want {
		s.t.Errorf("%s: %d keys, want %d, %v", reason, len(keys), want, err)
	}
	for _, k := range keys {
		if kid != "" && k.ID != kid {
			s.t.Errorf("%s: key %q for %q", reason, k.ID, kid)
		}
	}
}

func (s *keyServer) expectError(r *remoteKeys, kid string, want error, reason string) {
	s.t.Helper()
	if keys, err := r.find(s.t.Context(), kid); !errors.Is(err, want) || keys != nil {
		s.t.Errorf("%s: %v, %v, want %v", reason, keys, err, want)
	}
}

func TestRemoteKeysAge(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := &keyServer{t: t, ids: []string{"a", "b", "a"}}
		r := s.keys()
		s.expectFetches(0, "nothing was asked for")
		s.expectKeys(r, "a", 2, "ids need not be unique")
		s.expectKeys(r, "b", 1, "cached")
		s.expectKeys(r, "", 3, "without an id")
		time.Sleep(keySetAge - time.Nanosecond)
		s.expectKeys(r, "a", 2, "just before its age")
		s.expectFetches(1, "within the age")
		s.ids = []string{"b"}
		time.Sleep(time.Nanosecond)
		s.expectKeys(r, "b", 1, "at its age")
		s.expectFetches(1, "at its age")
		s.expectKeys(r, "a", 0, "a key that was withdrawn")
		s.expectFetches(0, "just fetched")
	})
}

func TestRemoteKeysUnknownID(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := &keyServer{t: t, ids: []string{"a"}}
		r := s.keys()
		s.expectKeys(r, "b", 0, "unknown from the start")
		s.ids = []string{"a", "b"}
		time.Sleep(keySetCooldown - time.Nanosecond)
		for i := range 100 {
			s.expectKeys(r, fmt.Sprint("made up ", i), 0, "cooldown")
		}
		s.expectFetches(1, "within the cooldown")
		time.Sleep(time.Nanosecond)
		s.expectKeys(r, "b", 1, "a new key")
		s.expectKeys(r, "c", 0, "cooldown again")
		s.expectFetches(1, "after the cooldown")
	})
}

var errDown = errors.New("the provider is down")

func TestRemoteKeysFailure(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := &keyServer{t: t, ids: []string{"a"}, fails: errDown}
		r := s.keys()
		for range 100 {
			s.expectError(r, "a", errDown, "down from the start")
		}
		time.Sleep(keySetRetry - time.Nanosecond)
		s.expectError(r, "", errDown, "cooldown after a failure")
		s.expectFetches(1, "down from the start")
		s.fails = nil
		time.Sleep(time.Nanosecond)
		s.expectKeys(r, "a", 1, "it is back")
		s.expectFetches(1, "it is back")

		s.fails = errDown
		time.Sleep(keySetCooldown)
		s.expectError(r, "b", errDown, "an unknown id, which may be a new key")
		s.expectKeys(r, "a", 1, "the old set is still good")
		s.expectFetches(1, "a refetch failed")
		time.Sleep(keySetAge - keySetRetry)
		s.expectError(r, "a", errDown, "the old set is too old")
		time.Sleep(keySetRetry)
		s.fails = nil
		s.expectKeys(r, "a", 1, "it is back again")
	})
}

func TestRemoteKeysOddAnswers(t *testing.T) {
	answer, panics := "", false
	synctest.Test(t, func(t *testing.T) {
		r := newRemoteKeys("x", func(context.Context, string) ([]byte, error) {
			if panics {
				panic("in the transport")
			}
			return []byte(answer), nil
		})
		find := func(reason string, want bool) {
			t.Helper()
			if keys, err := r.find(t.Context(), ""); (err == nil) != want || len(keys) != 0 {
				t.Errorf("%s: %v, %v", reason, keys, err)
			}
			time.Sleep(keySetCooldown)
		}
		find("no key set", false)
		answer = `{"keys":[{"kty":"oct","k":""}]}`
		find("no key that can be used", true)
		panics = true
		find("a panic ends one fetch and not the process", false)
		panics = false
		find("after the panic", true)
	})
}

// A fetch takes five seconds at most and is one for all who wait.
func TestRemoteKeysTimeout(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := &keyServer{t: t, ids: []string{"a"}, delay: time.Hour}
		r := s.keys()
		start := time.Now()
		s.expectError(r, "a", context.DeadlineExceeded, "a slow provider")
		if took := time.Since(start); took != keySetTimeout {
			t.Errorf("it took %v", took)
		}
		s.expectError(r, "a", context.DeadlineExceeded, "cooldown")
		s.expectFetches(1, "cooldown")
	})
}

// Whoever leaves, the first one too, takes nothing from those who wait.
func TestRemoteKeysShareOneFetch(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := &keyServer{t: t, ids: []string{"a", "b"}, delay: time.Second}
		r := s.keys()
		impatient, cancel := context.WithTimeout(t.Context(), time.Millisecond)
		defer cancel()
		var wg sync.WaitGroup
		wg.Go(func() {
			if _, err := r.find(impatient, "a"); !errors.Is(err, context.DeadlineExceeded) {
				t.Errorf("the impatient one: %v", err)
			}
		})
		synctest.Wait()
		start := time.Now()
		for i := range 50 {
			wg.Go(func() { s.expectKeys(r, []string{"", "a", "b", "c"}[i%4], []int{2, 1, 1, 0}[i%4], "one who waits") })
		}
		wg.Wait()
		if took := time.Since(start); took != time.Second {
			t.Errorf("it took %v", took)
		}
		s.expectFetches(1, "all together")

		// a known key does not wait for a fetch that an unknown one caused
		time.Sleep(keySetCooldown)
		wg.Go(func() { s.expectKeys(r, "c", 0, "an unknown one") })
		synctest.Wait()
		start = time.Now()
		s.expectKeys(r, "a", 1, "a known one")
		if took := time.Since(start); took != 0 {
			t.Errorf("a known key took %v", took)
		}
		wg.Wait()
	})
}

// A caller that is gone already causes a fetch but does not wait for it.
func TestRemoteKeysGoneCaller(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := &keyServer{t: t, ids: []string{"a"}, delay: time.Second}
		r := s.keys()
		gone, cancel := context.WithCancel(t.Context())
		cancel()
		start := time.Now()
		if _, err := r.find(gone, "a"); !errors.Is(err, context.Canceled) || time.Since(start) != 0 {
			t.Errorf("%v after %v", err, time.Since(start))
		}
		time.Sleep(time.Second)
		synctest.Wait()
		if keys, err := r.find(gone, "a"); err != nil || len(keys) != 1 {
			t.Errorf("%v, %v: what is known costs nothing", keys, err)
		}
		s.expectFetches(1, "both times")
	})
}
