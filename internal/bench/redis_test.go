package bench

import (
	"cmp"
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"net/http"
	"os"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/seed3b05b409/auth/internal/testnode"
	"github.com/seed3b05b409/auth/redisstorage"
)

// connectRedis returns a client and a prefix for keys that are removed in the end.
func connectRedis(b *testing.B) (client *redis.Client, prefix string) {
	b.Helper()
	client = redis.NewClient(&redis.Options{Addr: cmp.Or(os.Getenv("AUTH_TEST_REDIS"), "127.0.0.1:6379")})
	b.Cleanup(func() { _ = client.Close() })
	if err := client.Ping(b.Context()).Err(); err != nil {
		testnode.Missing(b, "no Redis: "+err.Error(), "start a Redis at 127.0.0.1:6379 or name one in AUTH_TEST_REDIS")
	}
	prefix = redisstorage.DefaultPrefix + rand.Text() + ":"
	b.Cleanup(func() {
		ctx := context.Background() // that of the benchmark has ended
		for keys := client.Scan(ctx, 0, prefix+"*", 1000).Iterator(); keys.Next(ctx); {
			client.Del(ctx, keys.Val())
		}
	})
	return client, prefix
}

// bareShared does by hand what a session in Redis takes: a look-up for it, and one for
// the mark that ends all sessions of its user.
type bareShared struct {
	client *redis.Client
	prefix string
}

func (s *bareShared) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	data, err := s.read(r)
	switch {
	case err != nil:
		w.WriteHeader(http.StatusInternalServerError)
	case data == nil:
		w.WriteHeader(http.StatusUnauthorized)
	default:
		answer(w, data)
	}
}

func (s *bareShared) read(r *http.Request) (*sessionJSON, error) {
	token := signedToken(r)
	if token == "" {
		return nil, nil
	}
	text, err := s.client.Get(r.Context(), s.prefix+token).Bytes()
	if errors.Is(err, redis.Nil) {
		return nil, nil
	} else if err != nil {
		return nil, err
	}
	var data sessionJSON
	if err := json.Unmarshal(text, &data); err != nil {
		return nil, err
	}
	before, err := s.client.Get(r.Context(), s.prefix+"revoked-sessions-before-"+data.User.ID).Int64()
	if err != nil && !errors.Is(err, redis.Nil) {
		return nil, err
	}
	if data.Session.CreatedAt.UnixMilli() < before || data.Session.ExpiresAt.Before(time.Now()) {
		return nil, nil
	}
	return &data, nil
}
