package programtest

import (
	"cmp"
	"context"
	"crypto/rand"
	"errors"
	"net/http"
	"os"
	"strings"
	"sync"
	"testing"

	"github.com/redis/go-redis/v9"

	"github.com/seed3b05b409/auth/internal/testdb"
)

// sharedServers returns how instances reach a database and keys in a Redis that are
// the test's own. It skips the test where no server answers, but not in CI.
func sharedServers(t *testing.T) run {
	t.Helper()
	database := testdb.PostgreSQL.New(t)
	addr := cmp.Or(os.Getenv("AUTH_TEST_REDIS"), "127.0.0.1:6379")
	client := redis.NewClient(&redis.Options{Addr: addr})
	t.Cleanup(func() { _ = client.Close() })
	if err := client.Ping(t.Context()).Err(); err != nil {
		missing(t, "no Redis: "+err.Error(), "to run this test, start a Redis at 127.0.0.1:6379 or name one in AUTH_TEST_REDIS")
	}
	prefix := "auth-programtest:" + rand.Text() + ":"
	t.Cleanup(func() { forget(t, client, prefix) })
	return run{
		args: []string{"-db", database.URL, "-redis", "redis://" + addr, "-prefix", prefix},
		env:  []string{"AUTH_SECRET=" + strings.Repeat("s", 32)},
	}
}

// missing skips the test on a machine without what it needs, but not in CI.
func missing(t *testing.T, what, remedy string) {
	t.Helper()
	if os.Getenv("CI") == "true" {
		t.Fatalf("%s: %s", what, remedy)
	}
	t.Skipf("%s: %s", what, remedy)
}

// forget removes the keys of the test.
func forget(t *testing.T, client *redis.Client, prefix string) {
	ctx := context.Background()
	keys := client.Scan(ctx, 0, prefix+"*", 1000).Iterator()
	found := 0
	for keys.Next(ctx) {
		found++
		client.Del(ctx, keys.Val())
	}
	if err := keys.Err(); err != nil || found == 0 {
		t.Errorf("%d keys of the test were in the Redis, %v", found, err)
	}
}

// startInstances starts instances at the same time, and the proxy in front of them.
func startInstances(t *testing.T, n int) (proxy *program, instances []*program, again func(i int)) {
	t.Helper()
	r := sharedServers(t)
	proxyAddr, err := freeAddr()
	if err != nil {
		t.Fatal(err)
	}
	r.args = append(r.args, "-url", "http://"+proxyAddr)
	instances = make([]*program, n)
	errs := make([]error, n)
	var starting sync.WaitGroup
	for i := range instances {
		starting.Go(func() { instances[i], errs[i] = r.start(t, "instances") })
	}
	starting.Wait()
	if err := errors.Join(errs...); err != nil {
		t.Fatal(err)
	}
	var addrs []string
	for _, p := range instances {
		addrs = append(addrs, p.addr())
	}
	proxy = start(t, "instances", run{addr: proxyAddr, args: []string{"-proxy", strings.Join(addrs, ",")}})
	return proxy, instances, func(i int) {
		t.Helper()
		r.addr = addrs[i]
		instances[i] = start(t, "instances", r)
	}
}

// TestInstances: whatever one instance knows the others know, and no session ends
// with an instance.
func TestInstances(t *testing.T) {
	proxy, instances, again := startInstances(t, 2)
	v := proxy.visitor().signUp(ada)
	served := make(map[string]int)
	for range 6 {
		a := v.get("/whoami").is(http.StatusOK).says("You are Ada")
		served[a.header.Get("Instance")]++
	}
	proxy.visitor().get("/whoami").is(http.StatusUnauthorized)
	if len(served) != 2 {
		t.Errorf("served by %v", served)
	}

	instances[0].kill()
	for range 4 {
		v.get("/whoami").is(http.StatusOK).says("You are Ada").has("Instance", instances[1].addr())
	}
	v.with("Origin", proxy.url).post("/api/auth/update-user", map[string]string{"name": "Countess"}).is(http.StatusOK)
	again(0)
	instances[1].stop() // as when it is replaced by a new version
	v.get("/whoami").is(http.StatusOK).says("You are Countess").has("Instance", instances[0].addr())
	again(1)

	other := proxy.visitor().signIn(ada)
	other.with("Origin", proxy.url).post("/api/auth/revoke-other-sessions", struct{}{}).is(http.StatusOK)
	for range 4 {
		v.get("/whoami").is(http.StatusUnauthorized)
		other.get("/whoami").is(http.StatusOK)
	}
}

// TestInstancesCountTogether: the rate limit is one for all, and whom it counts is the
// client, not the proxy, which believes no client.
func TestInstancesCountTogether(t *testing.T) {
	proxy, _, _ := startInstances(t, 2)
	served := make(map[string]int)
	guess := func(claimed string) int {
		a := proxy.visitor().with("X-Forwarded-For", claimed).post("/api/auth/sign-in/email",
			map[string]string{"email": ada.Email, "password": "wrong"})
		served[a.header.Get("Instance")]++
		return a.status
	}
	for _, claimed := range []string{"192.0.2.1", "192.0.2.2", "192.0.2.3"} {
		if status := guess(claimed); status != http.StatusUnauthorized {
			t.Errorf("status %d", status)
		}
	}
	if status := guess("192.0.2.4"); status != http.StatusTooManyRequests || len(served) != 2 {
		t.Errorf("status %d, served by %v", status, served)
	}
}

func TestInstancesNeedASecret(t *testing.T) {
	_, err := run{}.start(t, "instances")
	if err == nil || !strings.Contains(err.Error(), "AUTH_SECRET is missing") {
		t.Error(err)
	}
}
