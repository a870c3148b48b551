package soaktest

import (
	"context"
	"math/rand/v2"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/seed3b05b409/auth/internal/testdb"
)

// TestSoak lets people use a server for a while.
func TestSoak(t *testing.T) {
	if *soakTime > 50*time.Minute {
		t.Fatal("-soak: links in mails are good for an hour")
	}
	t.Run("memory", func(t *testing.T) {
		t.Parallel()
		s := newSoak(t, "memory", "")
		s.read = readServer(s.server)
		s.run(s.cutClients())
	})
	t.Run("SQLite", func(t *testing.T) {
		t.Parallel()
		database := testdb.SQLite.New(t)
		db := database.Open(t)
		s := newSoak(t, database.Driver, database.With("_pragma=busy_timeout(300)").Source)
		s.read = readDatabase(db, `"%s"`)
		s.run(s.cutClients(), s.killServer(), s.lockFile(db), s.fillDisk(database.URL), s.forbidWrites())
	})
	t.Run("PostgreSQL", func(t *testing.T) {
		t.Parallel()
		c := newPostgreSQL(t)
		h := newHospital(t, c.Database)
		h.run(h.cutClients(), h.killServer(), h.cutDatabase(), h.endBackends(), h.crashDatabase(c), h.forbidWrites())
	})
	t.Run("MariaDB", func(t *testing.T) {
		t.Parallel()
		c := newMariaDB(t)
		h := newWard(t, c)
		h.run(h.cutClients(), h.killServer(), h.cutDatabase(), h.killConnections(), h.killQueries(), h.crashDatabase(c), h.forbidWrites(), h.lockTables())
	})
}

// A soak is one run over one store.
type soak struct {
	t       *testing.T
	seed    uint64
	weather *weather
	post    *post
	server  *server
	rush    *rush
	people  []*person
	lines   []*line
	read    reader
	acts    atomic.Int64

	outcomes, faults *tally
}

func newSoak(t *testing.T, driver, source string) *soak {
	s := &soak{t: t, seed: chooseSeed(), weather: newWeather(), post: newPost(), rush: newRush(), outcomes: newTally(), faults: newTally()}
	s.server = newServer(t, driver, source, s.post)
	for n := range *people {
		l := &line{address: s.server.front.address(), weather: s.weather}
		s.lines = append(s.lines, l)
		p := newPerson(n, s.seed, l, s.post, s.weather)
		p.rush, p.tally = s.rush, s.outcomes
		s.people = append(s.people, p)
	}
	return s
}

// run lets all people act until the time is over, with faults in between, and looks
// at what is stored in the end. Then they go on for a moment without faults, and the
// server is to hold no more than before.
func (s *soak) run(faults ...fault) {
	s.t.Logf("-seed %d -people %d -soak %v", s.seed, len(s.people), *soakTime)
	s.crowd(*soakTime, faults)
	s.audit()
	before := s.server.rest()
	s.crowd(*soakTime/8, nil)
	s.audit()
	s.server.expectNoLeaks(before)
	s.t.Logf("faults:\n%v\noutcomes:\n%v", s.faults, s.outcomes)
}

func (s *soak) audit() {
	s.t.Helper()
	audit(s.t, s.people, s.read)
	s.rush.audit(s.t, s.read)
}

// crowd lets all people act for a while, and until there was each fault.
func (s *soak) crowd(d time.Duration, faults []fault) {
	ctx, cancel := context.WithCancel(s.t.Context())
	defer cancel()
	var crowd sync.WaitGroup
	for i, p := range s.people {
		crowd.Go(func() {
			for ctx.Err() == nil && p.act() {
				s.acts.Add(1)
			}
			if p.failure != "" {
				cancel()
			}
			s.lines[i].close()
		})
	}
	s.spoil(ctx, d, faults)
	cancel()
	crowd.Wait()
	s.report()
}

// spoil lets faults come until the time is over, or somebody has seen what should not
// be.
func (s *soak) spoil(ctx context.Context, d time.Duration, faults []fault) {
	r, end := rand.New(rand.NewPCG(s.seed, 0)), time.Now().Add(d)
	for round := 0; ctx.Err() == nil && (round < len(faults) || time.Now().Before(end)); round++ {
		const calm = 400 * time.Millisecond
		select {
		case <-ctx.Done():
			return
		case <-time.After(calm/2 + time.Duration(r.Int64N(int64(calm)))):
		}
		switch {
		case round < len(faults):
			s.suffer(faults[round], r) // each at least once
		case len(faults) > 0:
			s.suffer(faults[r.IntN(len(faults))], r)
		}
	}
}

func (s *soak) suffer(f fault, r *rand.Rand) {
	s.weather.begin(f)
	defer s.weather.end(f)
	s.faults.add(f.name)
	f.strike(r)
	if f.heal != nil {
		f.heal()
	}
}

func (s *soak) report() {
	s.t.Helper()
	failures := 0
	for _, p := range s.people {
		if p.failure != "" {
			if failures++; failures <= 2 {
				s.t.Error(p.failure)
			}
		}
	}
	s.t.Logf("%d requests", s.acts.Load())
	if failures > 0 {
		s.t.Fatalf("%d failures; the end of the server's log:\n%s", failures, &s.server.log)
	}
}
