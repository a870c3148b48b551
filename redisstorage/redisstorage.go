// Package redisstorage keeps sessions, verifications and rate limits in Redis:
// it is an [auth.SecondaryStorage] on the client github.com/redis/go-redis.
//
//	client := redis.NewClient(&redis.Options{Addr: "localhost:6379"})
//	a, err := auth.New(auth.Config{
//		SecondaryStorage: redisstorage.New(client, redisstorage.Options{}),
//		…
//	})
//
// Its keys are those of the npm package @better-auth/redis-storage, so that a
// TypeScript server and this one can share a Redis.
package redisstorage

import (
	"context"
	"errors"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/seed3b05b409/auth"
)

// DefaultPrefix begins every key, as in @better-auth/redis-storage.
const DefaultPrefix = "better-auth:"

// Options configure a [Storage].
type Options struct {
	// Prefix begins every key. Default: DefaultPrefix.
	Prefix string

	// NoPrefix leaves keys as they are: a session's key is its token.
	NoPrefix bool
}

// A Storage is an [auth.SecondaryStorage], [auth.SecondaryTaker] and
// [auth.SecondaryCounter]. It is safe for concurrent use. Every operation
// concerns one key and is one round trip, so that a cluster will do.
type Storage struct {
	client redis.UniversalClient
	prefix string
}

var (
	_ auth.SecondaryStorage = (*Storage)(nil)
	_ auth.SecondaryTaker   = (*Storage)(nil)
	_ auth.SecondaryCounter = (*Storage)(nil)
)

// New returns a storage on a client, which stays the caller's to close. The
// server must be Redis 6.2 or newer, or something with its GETDEL and EVAL.
// Redis must not evict keys that have not expired (maxmemory-policy noeviction):
// each would be a session that ends.
func New(client redis.UniversalClient, options Options) *Storage {
	prefix := options.Prefix
	if prefix == "" && !options.NoPrefix {
		prefix = DefaultPrefix
	}
	return &Storage{client, prefix}
}

// Get implements [auth.SecondaryStorage].
func (s *Storage) Get(ctx context.Context, key string) (value string, found bool, err error) {
	return orMissing(s.client.Get(ctx, s.prefix+key).Result())
}

// Set implements [auth.SecondaryStorage].
func (s *Storage) Set(ctx context.Context, key, value string, ttl time.Duration) error {
	return s.client.Set(ctx, s.prefix+key, value, atLeastMillisecond(ttl)).Err()
}

// Delete implements [auth.SecondaryStorage].
func (s *Storage) Delete(ctx context.Context, key string) error {
	return s.client.Del(ctx, s.prefix+key).Err()
}

// Take implements [auth.SecondaryTaker].
func (s *Storage) Take(ctx context.Context, key string) (value string, found bool, err error) {
	return orMissing(s.client.GetDel(ctx, s.prefix+key).Result())
}

// incrementScript is one step to everybody else, so that no count is left
// without an end.
var incrementScript = redis.NewScript(`
local count = redis.call("INCR", KEYS[1])
if count == 1 then
	redis.call("PEXPIRE", KEYS[1], ARGV[1])
end
return count
`)

// Increment implements [auth.SecondaryCounter].
func (s *Storage) Increment(ctx context.Context, key string, ttl time.Duration) (int64, error) {
	ms := atLeastMillisecond(ttl).Milliseconds()
	return incrementScript.Run(ctx, s.client, []string{s.prefix + key}, ms).Int64()
}

// atLeastMillisecond keeps a time that Redis can tell from none.
func atLeastMillisecond(ttl time.Duration) time.Duration {
	if ttl > 0 {
		ttl = max(ttl, time.Millisecond)
	}
	return ttl
}

// orMissing tells a missing key from a failure.
func orMissing(value string, err error) (string, bool, error) {
	if errors.Is(err, redis.Nil) {
		return "", false, nil
	}
	return value, err == nil, err
}
