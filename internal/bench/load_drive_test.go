package bench

import (
	"context"
	"fmt"
	"iter"
	"math"
	"net/http"
	"slices"
	"sync"
	"testing"
	"time"
)

// A tally is what clients got from a server.
type tally struct {
	took    latencies     // of the good answers
	last    time.Time     // when the last of them came
	elapsed time.Duration // until then
	refused int           // answers with status 503
	err     error         // the first that ended a client
}

// check ends the benchmark if a client got something else or none got anything.
func (t tally) check(b *testing.B) {
	b.Helper()
	if t.err != nil || len(t.took) == 0 {
		b.Fatalf("%d good answers, %d refused: %v", len(t.took), t.refused, t.err)
	}
}

// drive lets clients ask until the context ends, each at least once and again as soon
// as it has its answer, and waits for the last answers. next is called by all of them
// at once.
func (s *server) drive(ctx context.Context, clients int, next func() []byte) tally {
	return s.load(clients, next, func(time.Time, int) iter.Seq[time.Time] {
		return func(yield func(time.Time) bool) {
			for yield(time.Now()) && ctx.Err() == nil {
			}
		}
	})
}

// pace lets clients ask at fixed times for a while, rate times a second among them.
// An answer's time counts from the moment at which its request was due: a client that
// still waits for the answer before does not hide that from its next one.
func (s *server) pace(during time.Duration, clients, rate int, next func() []byte) tally {
	between := time.Second / time.Duration(rate)
	return s.load(clients, next, func(start time.Time, client int) iter.Seq[time.Time] {
		return func(yield func(time.Time) bool) {
			due := start.Add(time.Duration(client) * between)
			for ; due.Before(start.Add(during)); due = due.Add(time.Duration(clients) * between) {
				time.Sleep(time.Until(due))
				if !yield(due) {
					return
				}
			}
		}
	})
}

// load connects all clients and then lets each of them ask at its times.
func (s *server) load(clients int, next func() []byte, times func(start time.Time, client int) iter.Seq[time.Time]) (all tally) {
	connected := make([]*client, clients)
	for i := range connected {
		c, err := s.dial()
		if err != nil {
			return tally{err: err}
		}
		defer c.close()
		connected[i] = c
	}
	start := time.Now()
	tallies := make([]tally, clients)
	var crowd sync.WaitGroup
	for i, c := range connected {
		crowd.Go(func() { tallies[i].err = tallies[i].collect(c, next, times(start, i)) })
	}
	crowd.Wait()
	for _, t := range tallies {
		all.took = append(all.took, t.took...)
		all.refused += t.refused
		if t.last.After(all.last) {
			all.last, all.elapsed = t.last, t.last.Sub(start)
		}
		if all.err == nil {
			all.err = t.err
		}
	}
	slices.Sort(all.took)
	return all
}

// pauseAfterRefusal is how long a client waits after a 503. Retry-After asks for more,
// but not everybody obeys.
const pauseAfterRefusal = time.Second

// collect asks at these times.
func (t *tally) collect(c *client, next func() []byte, times iter.Seq[time.Time]) error {
	for due := range times {
		got, err := c.ask(next())
		switch {
		case err != nil:
			return err
		case got.good():
			t.last = time.Now()
			t.took = append(t.took, t.last.Sub(due))
		case got.status == http.StatusServiceUnavailable:
			t.refused++
			time.Sleep(pauseAfterRefusal)
		default:
			return unexpectedReply(got)
		}
	}
	return nil
}

// latencies are in order.
type latencies []time.Duration

// quantile returns the time within which so many percent were answered.
func (l latencies) quantile(percent float64) time.Duration {
	if len(l) == 0 {
		return 0
	}
	return l[max(0, int(math.Ceil(percent/100*float64(len(l))))-1)]
}

// report reports quantiles as metrics like p99.9-us.
func (l latencies) report(b *testing.B, unit time.Duration, percents ...float64) {
	names := map[time.Duration]string{time.Microsecond: "us", time.Millisecond: "ms"}
	for _, percent := range percents {
		b.ReportMetric(float64(l.quantile(percent))/float64(unit), fmt.Sprintf("p%v-%s", percent, names[unit]))
	}
}
