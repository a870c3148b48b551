package bench

import (
	"database/sql"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"runtime"
	"runtime/metrics"
	"testing"
	"time"

	"github.com/seed3b05b409/auth"
)

// BenchmarkGrowth is what the library does with sessions when there are a thousand, a
// hundred thousand or, with AUTH_BENCH_LARGE=1, a million of them; with -short only a
// thousand. A user has three. The operations are
//
//   - look-up: the session and the user of a request (Auth.Session);
//   - list: all sessions of a user (ListSessions);
//   - revoke-others: the end of two of them (RevokeOtherSessions);
//   - clean-up: the removal of what has expired, a tenth of all (Auth.Cleanup).
//
// The budget of the memory store: the look-up takes the same time at every size, but
// for what the caches of the machine make of it, and a session takes 1 KiB. How much
// that is stands beside it as "bare look-up", one in a map of structs. Databases have
// trees, which grow by a level now and then.
func BenchmarkGrowth(b *testing.B) {
	for _, on := range backends[:3] {
		for _, size := range growthSizes() {
			b.Run(fmt.Sprintf("%s/%d", on.name, size), func(b *testing.B) {
				p := newPopulation(b, on, size)
				b.Run("look-up", p.lookUp)
				if p.db == nil {
					b.Run("bare look-up", p.lookUpBare)
				}
				b.Run("list", p.list)
				b.Run("revoke-others", p.revokeOthers)
				b.Run("clean-up", p.cleanUp)
			})
		}
	}
}

func growthSizes() []int {
	switch {
	case testing.Short():
		return []int{1_000}
	case os.Getenv("AUTH_BENCH_LARGE") != "":
		return []int{1_000, 100_000, 1_000_000}
	}
	return []int{1_000, 100_000}
}

// A population is an instance with many sessions.
type population struct {
	*auth.Auth
	store   auth.Store
	db      *sql.DB // nil: in memory
	dialect auth.Dialect
	size    int
	bytes   float64 // that a session takes in this process
}

func newPopulation(b *testing.B, on backend, size int) *population {
	b.Helper()
	store, db := on.store(b)
	p := &population{
		Auth: newAuth(b, store, auth.Passwords{Hasher: plain{}}, auth.SessionOptions{}), store: store,
		db: db, dialect: on.server.Dialect, size: size,
	}
	signUp(b, p.Auth) // the tables of a memory store come into being
	if db != nil {
		p.run(b, fillings[p.dialect].users, p.users())
		p.run(b, fillings[p.dialect].sessions, 0, size, "+7 days")
		p.analyze(b)
		return p
	}
	for i := range p.users() {
		p.insert(b, userTable, auth.Row{"Ada Lovelace", fmt.Sprintf("ada-%d@example.com", i), false, nil, time.Now(), time.Now(), userID(i)})
	}
	before := heap()
	p.fill(b, 0, size, 7*24*time.Hour)
	p.bytes = float64(heap()-before) / float64(size)
	return p
}

func (p *population) users() int { return (p.size + 2) / 3 }

// lookUp reads the session of one person after the other. In memory the collector of
// garbage works meanwhile, at least once.
func (p *population) lookUp(b *testing.B) {
	var cookies []string
	for _, i := range p.sample() {
		cookies = append(cookies, cookieOf(i).Get("Cookie"))
	}
	r := httptest.NewRequest(http.MethodGet, "/", nil)
	stop := p.collect(b)
	i := 0
	b.ReportAllocs()
	for b.Loop() {
		i = (i + 7919) % len(cookies)
		r.Header["Cookie"] = cookies[i : i+1]
		if data, err := p.Session(r); data == nil {
			b.Fatal(err)
		}
	}
	stop()
	if p.db == nil {
		b.ReportMetric(p.bytes, "bytes/session")
	}
}

// sample returns the numbers of sessions from everywhere in the table, more than fit
// into the caches of the machine.
func (p *population) sample() []int {
	sample := make([]int, min(p.size, 1<<16))
	for i := range sample {
		sample[i] = i * (p.size / len(sample))
	}
	return sample
}

// collect lets the collector work. What it returns waits for it, and reports the longest
// time for which it stopped everything, and its share of the processor time.
func (p *population) collect(b *testing.B) (stop func()) {
	if p.db != nil {
		return func() {}
	}
	begin := readCollector()
	done := make(chan struct{})
	go func() {
		runtime.GC()
		close(done)
	}()
	return func() {
		<-done
		end := readCollector()
		b.ReportMetric(1e6*end.longestSince(begin), "gc-pause-us")
		b.ReportMetric(100*(end.spent-begin.spent)/(end.all-begin.all), "gc-cpu-%")
	}
}

// A collector is what the runtime says of its collector of garbage.
type collector struct {
	pauses     *metrics.Float64Histogram // in seconds
	spent, all float64                   // processor seconds
}

func readCollector() collector {
	samples := []metrics.Sample{
		{Name: "/sched/pauses/total/gc:seconds"}, {Name: "/cpu/classes/gc/total:cpu-seconds"}, {Name: "/cpu/classes/total:cpu-seconds"},
	}
	metrics.Read(samples)
	return collector{samples[0].Value.Float64Histogram(), samples[1].Value.Float64(), samples[2].Value.Float64()}
}

// longestSince is an upper bound of the longest pause since an earlier reading.
func (c collector) longestSince(before collector) (seconds float64) {
	for i, n := range c.pauses.Counts {
		if n > before.pauses.Counts[i] {
			seconds = c.pauses.Buckets[i+1]
		}
	}
	return seconds
}

// lookUpBare is what a look-up in a map costs at this size, with the copy that a store
// owes its caller.
func (p *population) lookUpBare(b *testing.B) {
	people, sessions := make(map[string]*auth.User), make(map[string]*auth.Session)
	for i := range p.users() {
		people[userID(i)] = &auth.User{Name: "Ada Lovelace", Email: fmt.Sprintf("ada-%d@example.com", i), ID: userID(i)}
	}
	for i := range p.size {
		sessions[token(i)] = &auth.Session{Token: token(i), UserAgent: new(browser), UserID: userID(i / 3), ID: sessionID(i)}
	}
	var tokens []string
	for _, i := range p.sample() {
		tokens = append(tokens, token(i))
	}
	i := 0
	b.ReportAllocs()
	for b.Loop() {
		i = (i + 7919) % len(tokens)
		session := *sessions[tokens[i]]
		user := *people[session.UserID]
		keep = &auth.SessionData{Session: &session, User: &user}
	}
}

// keep makes results escape.
var keep *auth.SessionData

func (p *population) list(b *testing.B) {
	i := 0
	b.ReportAllocs()
	for b.Loop() {
		i = (i + 7919) % p.users()
		list, err := p.API.ListSessions.Call(b.Context(), auth.Empty{}, auth.WithHeaders(cookieOf(3*i)))
		if err != nil || len(list) == 0 {
			b.Fatal(list, err)
		}
	}
}

// revokeOthers takes one user after the other. When all have lost their sessions they get
// others, while the clock stands.
func (p *population) revokeOthers(b *testing.B) {
	users, i := p.size/3, 0
	for b.Loop() {
		if _, err := p.API.RevokeOtherSessions.Call(b.Context(), auth.Empty{}, auth.WithHeaders(cookieOf(3*i))); err != nil {
			b.Fatal(err)
		}
		if i++; i == users {
			b.StopTimer()
			p.restore(b, i)
			b.StartTimer()
			i = 0
		}
	}
	p.restore(b, i)
}

// restore gives the first users the sessions again that they have lost.
func (p *population) restore(b *testing.B, users int) {
	b.Helper()
	n, err := p.store.Count(b.Context(), sessionTable)
	if want := int64(p.size - 2*users + 1); n != want || err != nil { // and the one of who signed up
		b.Fatalf("%d sessions, want %d: %v", n, want, err)
	}
	for i := range users {
		p.fill(b, 3*i+1, 3*i+3, 7*24*time.Hour)
	}
}

// cleanUp adds a tenth of sessions that have expired, while the clock stands.
func (p *population) cleanUp(b *testing.B) {
	expired := p.size / 10
	for b.Loop() {
		b.StopTimer()
		if p.db != nil {
			p.run(b, fillings[p.dialect].sessions, p.size, expired, "-1 minutes")
			p.analyze(b)
		} else {
			p.fill(b, p.size, p.size+expired, -time.Minute)
		}
		b.StartTimer()
		if err := p.Cleanup(b.Context()); err != nil {
			b.Fatal(err)
		}
	}
	n, err := p.store.Count(b.Context(), sessionTable)
	if n != int64(p.size)+1 || err != nil {
		b.Fatalf("%d sessions are left of %d: %v", n, p.size, err)
	}
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N*expired), "ns/row")
}
