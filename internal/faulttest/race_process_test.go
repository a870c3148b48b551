package faulttest

import (
	"cmp"
	"context"
	"crypto/rand"
	"encoding/json"
	"flag"
	"fmt"
	"maps"
	"net/http/httptest"
	"os"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/seed3b05b409/auth/internal/testdb"
)

// How often everything is raced.
var (
	raceRounds = flag.Int("race.rounds", 1, "`rounds` of each race")
	raceOne    = flag.Bool("race.one", false, "race in a single server too")
	raceFor    = flag.Duration("race.for", 0, "race until this `time` is over")
)

// raceCrowd is how many requests meet.
const raceCrowd = 12

// An arena is a database and the servers that work on it.
type arena struct {
	db      *database
	outside *outside
	servers []string // addresses
	redis   string   // prefix of keys, empty without one
	shots   atomic.Int64
}

// TestRacesOfProcesses races everything that is good once, and every limit, in two
// servers on one database (races), with -race.one in a single server too. The race
// detector looks on at two servers on PostgreSQL.
func TestRacesOfProcesses(t *testing.T) {
	t.Parallel()
	for _, p := range products {
		postgresql := p.Server.Dialect == testdb.PostgreSQL.Dialect
		for _, processes := range []int{1, 2} {
			if processes == 1 && !*raceOne || underRace && !postgresql {
				continue
			}
			t.Run(fmt.Sprintf("%s in %d", p.Dialect, processes), func(t *testing.T) {
				t.Parallel()
				newArena(t, p, processes, "").race(t)
			})
		}
		if postgresql && !underRace {
			t.Run(fmt.Sprintf("%s and redis in 2", p.Dialect), func(t *testing.T) {
				t.Parallel()
				newArena(t, p, 2, redisKeys(t)).race(t)
			})
		}
	}
}

func newArena(t *testing.T, p product, processes int, keys string) *arena {
	a := &arena{db: p.newDatabase(t), outside: &outside{mails: make(map[string][]string)}, redis: keys}
	a.outside.acme.forgive()
	network := httptest.NewServer(a.outside)
	t.Cleanup(network.Close)
	config, err := json.Marshal(&racer{Driver: p.Driver, Source: a.db.source, Redis: keys, Outside: network.URL})
	if err != nil {
		t.Fatal(err)
	}
	for range processes {
		address, _ := startSelf(t, servedRaces+"="+string(config))
		a.servers = append(a.servers, address)
	}
	return a
}

func redisAddress() string { return cmp.Or(os.Getenv("AUTH_TEST_REDIS"), "127.0.0.1:6379") }

// redisKeys is a prefix for keys that are removed in the end.
func redisKeys(t *testing.T) string {
	t.Helper()
	client := redis.NewClient(&redis.Options{Addr: redisAddress()})
	if err := client.Ping(t.Context()).Err(); err != nil {
		const how = "start a Redis at 127.0.0.1:6379 or name one in AUTH_TEST_REDIS"
		if os.Getenv("CI") == "true" {
			t.Fatalf("no Redis (%v): %s", err, how)
		}
		t.Skipf("no Redis (%v): %s", err, how)
	}
	prefix := "auth-faulttest:" + rand.Text() + ":"
	t.Cleanup(func() {
		ctx := context.Background()
		for keys := client.Scan(ctx, 0, prefix+"*", 1000).Iterator(); keys.Next(ctx); {
			client.Del(ctx, keys.Val())
		}
		_ = client.Close()
	})
	return prefix
}

// race runs all races, round after round.
func (a *arena) race(t *testing.T) {
	end := time.Now().Add(*raceFor)
	round := 0
	for ; !t.Failed() && (round < *raceRounds || time.Now().Before(end)); round++ {
		for _, r := range races {
			t.Run(r.name, func(t *testing.T) { r.run(&contest{T: t, arena: a, name: r.name, round: round}) })
		}
	}
	t.Logf("%d rounds of %d races, %d requests", round, len(races), a.shots.Load())
}

// A contest is one race in one round. Its people are its own.
type contest struct {
	*testing.T
	arena *arena
	name  string
	round int
	sent  int
}

// send sends one request, to the servers in turn.
func (c *contest) send(s shot) answer {
	c.Helper()
	c.sent++
	server := c.arena.servers[c.sent%len(c.arena.servers)]
	c.arena.shots.Add(1)
	h, err := hold(server, s)
	if err == nil {
		_, err = h.conn.Write(h.last)
	}
	if err != nil {
		c.Fatal(err)
	}
	a, err := h.answer()
	if err != nil {
		c.Fatal(err)
	}
	c.expectNoFailure(s, a)
	return a
}

// ok sends what must succeed.
func (c *contest) ok(s shot) answer {
	c.Helper()
	a := c.send(s)
	if a.status != 200 {
		c.Fatalf("round %d: %s %s: %d %s", c.round, s.method, s.path, a.status, a.body)
	}
	return a
}

// fire fires shots at the same moment.
func (c *contest) fire(shots ...shot) []answer {
	c.Helper()
	c.arena.shots.Add(int64(len(shots)))
	answers := volley(c.T, c.arena.servers, shots, nil)
	for i, a := range answers {
		c.expectNoFailure(shots[i], a)
	}
	return answers
}

func (c *contest) expectNoFailure(s shot, a answer) {
	c.Helper()
	if a.status >= 500 {
		c.Errorf("round %d: %s %s: %d %s", c.round, s.method, s.path, a.status, a.body)
	}
}

// count counts answers by label.
func count(answers []answer) map[string]int {
	labels := make(map[string]int)
	for _, a := range answers {
		labels[a.label()]++
	}
	return labels
}

// one demands that one shot has won and the others were told so, and returns it.
func (c *contest) one(answers []answer, won string, lost ...string) int {
	c.Helper()
	winner := -1
	for i, a := range answers {
		switch label := a.label(); {
		case label == won && winner < 0:
			winner = i
		case label == won || !slices.Contains(lost, label):
			c.Fatalf("round %d: %v", c.round, count(answers))
		}
	}
	if winner < 0 {
		c.Fatalf("round %d: nobody has won: %v", c.round, count(answers))
	}
	return winner
}

// exactly demands so many answers of each kind.
func (c *contest) exactly(answers []answer, want map[string]int) {
	c.Helper()
	if got := count(answers); !maps.Equal(got, want) {
		c.Errorf("round %d: %v, want %v", c.round, got, want)
	}
}

// crowded makes shots that differ in their number.
func crowded(make func(i int) shot) []shot { return several(raceCrowd, make) }

func several(n int, make func(i int) shot) (shots []shot) {
	for i := range n {
		shots = append(shots, make(i))
	}
	return shots
}

// A person is somebody who has signed up.
type person struct{ id, email, password, cookie string }

// address is a new one.
func (c *contest) address(name string) string {
	return fmt.Sprintf("%s.%d.%s@example.com", strings.ReplaceAll(c.name, " ", "-"), c.round, name)
}

func (c *contest) signUp(name string) *person {
	c.Helper()
	p := &person{email: c.address(name), password: "password of " + name}
	a := c.ok(post("/main/sign-up/email", `{"name":"Somebody","email":%q,"password":%q}`, p.email, p.password))
	p.cookie = a.session()
	var out struct{ User struct{ ID string } }
	c.decode(a, &out)
	p.id = out.User.ID
	return p
}

// verified says of somebody's address that it is verified.
func (c *contest) verified(p *person) {
	c.Helper()
	c.arena.db.exec(c.T, `UPDATE "user" SET "emailVerified" = true WHERE "id" = ?`, p.id)
}

func (c *contest) decode(a answer, into any) {
	c.Helper()
	if err := json.Unmarshal([]byte(a.body), into); err != nil {
		c.Fatalf("%v: %s", err, a.body)
	}
}

// mailed is the token in the last mail to an address.
func (c *contest) mailed(address string) string {
	c.Helper()
	token := c.arena.outside.last(address)
	if token == "" {
		c.Fatalf("no mail to %s", address)
	}
	return token
}

// signIn tries somebody's password.
func (c *contest) signIn(email, password string) answer {
	c.Helper()
	return c.send(post("/main/sign-in/email", `{"email":%q,"password":%q}`, email, password))
}

// lives reports whether a session's cookie is good.
func (c *contest) lives(cookie string) bool {
	c.Helper()
	return cookie != "" && c.ok(get("/main/get-session").as(cookie)).body != "null"
}

// sessions demands that somebody has so many sessions, and counts those that were sent
// among them.
func (c *contest) sessions(p *person, want int, sent ...answer) {
	c.Helper()
	live := 0
	for _, a := range sent {
		if c.lives(a.session()) {
			live++
		}
	}
	if len(sent) > 0 && live != want {
		c.Errorf("round %d: of the sessions that were sent %d live, want %d", c.round, live, want)
	}
	if c.arena.redis == "" {
		c.rows("session", "userId", p.id, want)
	}
}

// rows demands so many rows with a value.
func (c *contest) rows(table, column, value string, want int) {
	c.Helper()
	if got := c.count(table, column, value); got != want {
		c.Errorf("round %d: %d rows of %s with %s %s, want %d", c.round, got, table, column, value, want)
	}
}

func (c *contest) count(table, column, value string) (n int) {
	c.Helper()
	c.arena.db.scan(c.T, fmt.Sprintf(`SELECT COUNT(*) FROM %q WHERE %q = ?`, table, column), []any{value}, &n)
	return n
}

// column reads a value of the row that somebody has in a table.
func (c *contest) column(table, column, key, id string) (value string) {
	c.Helper()
	var stored *string
	c.arena.db.scan(c.T, fmt.Sprintf(`SELECT %q FROM %q WHERE %q = ?`, column, table, key), []any{id}, &stored)
	if stored != nil {
		value = *stored
	}
	return value
}
