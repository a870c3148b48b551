package redistest

import (
	"cmp"
	"context"
	"crypto/rand"
	"os"
	"testing"

	"github.com/redis/go-redis/v9"

	"github.com/seed3b05b409/auth/internal/storetest"
	"github.com/seed3b05b409/auth/internal/testnode"
	"github.com/seed3b05b409/auth/redisstorage"
)

const howToRunRedis = "to run this test, start a Redis at 127.0.0.1:6379 or name one in AUTH_TEST_REDIS"

func redisAddress() string { return cmp.Or(os.Getenv("AUTH_TEST_REDIS"), "127.0.0.1:6379") }

// connect returns a client. It skips the test where no Redis answers, but not in
// CI.
func connect(t testing.TB) *redis.Client {
	t.Helper()
	client := redis.NewClient(&redis.Options{Addr: redisAddress()})
	t.Cleanup(func() { _ = client.Close() })
	if err := client.Ping(t.Context()).Err(); err != nil {
		testnode.Missing(t, "no Redis: "+err.Error(), howToRunRedis)
	}
	return client
}

// namespace returns a key prefix of the test's own; its keys are removed in the
// end.
func namespace(t testing.TB, client *redis.Client) string {
	prefix := "auth-redistest:" + rand.Text() + ":"
	t.Cleanup(func() {
		for _, key := range keys(t, client, prefix) {
			client.Del(context.Background(), key)
		}
	})
	return prefix
}

func keys(t testing.TB, client *redis.Client, prefix string) []string {
	var found []string
	scan := client.Scan(context.Background(), 0, prefix+"*", 1000).Iterator()
	for scan.Next(context.Background()) {
		found = append(found, scan.Val())
	}
	if err := scan.Err(); err != nil {
		t.Error(err)
	}
	return found
}

func TestContract(t *testing.T) {
	client := connect(t)
	storetest.RunSecondary(t, func(t *testing.T) storetest.Secondary {
		return redisstorage.New(client, redisstorage.Options{Prefix: namespace(t, client)})
	})
}

func TestPrefixes(t *testing.T) {
	client, key := connect(t), "auth-redistest:"+rand.Text()
	for _, test := range []struct {
		options redisstorage.Options
		want    string
	}{
		{redisstorage.Options{}, "better-auth:" + key},
		{redisstorage.Options{Prefix: "p:"}, "p:" + key},
		{redisstorage.Options{NoPrefix: true}, key},
	} {
		if err := redisstorage.New(client, test.options).Set(t.Context(), key, "v", 0); err != nil {
			t.Fatal(err)
		}
		if n := client.Del(t.Context(), test.want).Val(); n != 1 {
			t.Errorf("%+v did not store %q", test.options, test.want)
		}
	}
}

// A Redis that does not answer is an error everywhere, never a missing value.
func TestUnreachable(t *testing.T) {
	client := redis.NewClient(&redis.Options{Addr: "127.0.0.1:1", MaxRetries: -1, DialerRetries: 1})
	defer client.Close()
	s := redisstorage.New(client, redisstorage.Options{})
	if _, found, err := s.Get(t.Context(), "k"); found || err == nil {
		t.Error("Get", found, err)
	}
	if _, found, err := s.Take(t.Context(), "k"); found || err == nil {
		t.Error("Take", found, err)
	}
	if _, err := s.Increment(t.Context(), "k", 1); err == nil {
		t.Error("Increment")
	}
	if s.Set(t.Context(), "k", "v", 0) == nil || s.Delete(t.Context(), "k") == nil {
		t.Error("Set or Delete")
	}
}
