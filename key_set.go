package auth

import (
	"context"
	"fmt"
	"slices"
	"sync"
	"time"
)

// Times of a key set, those of the original's library.
const (
	keySetAge      = 10 * time.Minute // after which it is fetched again
	keySetCooldown = 30 * time.Second // between two fetches
	keySetRetry    = 3 * time.Second  // after one that failed
	keySetTimeout  = 5 * time.Second  // of one fetch
)

// remoteKeys is the key set that a provider publishes at a URL. It is fetched
// when a key is looked for, not before. Safe for concurrent use.
type remoteKeys struct {
	url   string
	fetch func(ctx context.Context, url string) ([]byte, error)

	mu      sync.Mutex
	keys    []JWK
	since   time.Time // when keys were fetched, zero if never
	asked   time.Time // when the last fetch ended, zero if none did
	failure error     // of the last fetch
	running *keyFetch // nil if none is
}

// newRemoteKeys returns the key set at a URL. fetch returns the body of the
// provider's answer, of bounded length, and heeds its context; anything but status
// 200 is an error.
func newRemoteKeys(url string, fetch func(ctx context.Context, url string) ([]byte, error)) *remoteKeys {
	return &remoteKeys{url: url, fetch: fetch}
}

// find returns the keys with an id, all keys if that is empty, none if the
// provider has no such key. An unknown id leads to a fetch, as keys are replaced
// from time to time; but not more often than every 30 seconds, or strangers could
// have the provider hammered through made-up ids. A failure is repeated after 3
// seconds. Errors: the set could not be fetched, or ctx ended.
func (r *remoteKeys) find(ctx context.Context, kid string) ([]JWK, error) {
	keys, fetch, err := r.look(kid)
	if fetch == nil {
		return keys, err
	}
	select {
	case <-fetch.done:
		return keysNamed(fetch.keys, kid), fetch.err
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

// look returns what is known of a key, or the fetch to wait for.
func (r *remoteKeys) look(kid string) ([]JWK, *keyFetch, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if !r.since.IsZero() && time.Since(r.since) < keySetAge {
		if keys := keysNamed(r.keys, kid); len(keys) > 0 {
			return keys, nil, nil
		}
	}
	cooldown := keySetCooldown
	if r.failure != nil {
		cooldown = keySetRetry
	}
	if r.running == nil && !r.asked.IsZero() && time.Since(r.asked) < cooldown {
		return nil, nil, r.failure
	}
	if r.running == nil {
		r.running = &keyFetch{done: make(chan struct{})}
		go r.renew(r.running)
	}
	return nil, r.running, nil
}

// keysNamed returns the keys with an id, all if it is empty.
func keysNamed(keys []JWK, kid string) []JWK {
	if kid == "" {
		return keys
	}
	return slices.DeleteFunc(slices.Clone(keys), func(k JWK) bool { return k.ID != kid })
}

// A keyFetch is one fetch, which any number of callers wait for. keys and err are
// set before done is closed.
type keyFetch struct {
	done chan struct{}
	keys []JWK
	err  error
}

// renew fetches the set. When it fails the old set stays.
func (r *remoteKeys) renew(f *keyFetch) {
	f.keys, f.err = r.download()
	r.mu.Lock()
	defer r.mu.Unlock()
	r.running, r.failure, r.asked = nil, f.err, time.Now()
	if f.err == nil {
		r.keys, r.since = f.keys, r.asked
	}
	close(f.done)
}

// download belongs to none of the callers, so its context is none of theirs. No
// handler is above it either: a panic of the application's HTTP transport would
// end the process.
func (r *remoteKeys) download() (keys []JWK, err error) {
	defer func() {
		if v := recover(); v != nil {
			keys, err = nil, fmt.Errorf("auth: panic: %v", v)
		}
	}()
	ctx, cancel := context.WithTimeout(context.Background(), keySetTimeout)
	defer cancel()
	text, err := r.fetch(ctx, r.url)
	if err != nil {
		return nil, err
	}
	return parseKeySet(text)
}
