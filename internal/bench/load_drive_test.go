package bench

import (
	"context"
	"fmt"
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
		t := &tallies[i]
		crowd.Go(func() {
			for {
				t.ask(c, next(), time.Now())
				if t.err != nil || ctx.Err() != nil {
					return
				}
			}
		})
	}
	crowd.Wait()
	return total(start, tallies)
}

// pace asks so many times a second for a while, whether the requests before have their
// answers or not. The time of an answer counts from when its request was due. So many
// connections are used as it takes.
func (s *server) pace(during time.Duration, rate int, next func() []byte) tally {
	between := time.Second / time.Duration(rate)
	tallies := make([]tally, max(1, int(during/between)))
	idle := make(chan *client, len(tallies))
	start := time.Now()
	var crowd sync.WaitGroup
	for i := range tallies {
		t, due := &tallies[i], start.Add(time.Duration(i)*between)
		time.Sleep(time.Until(due))
		crowd.Go(func() {
			c, err := s.oneOf(idle)
			if err != nil {
				t.err = err
				return
			}
			t.ask(c, next(), due)
			idle <- c
		})
	}
	crowd.Wait()
	close(idle)
	for c := range idle {
		c.close()
	}
	return total(start, tallies)
}

// oneOf returns an idle client or, if there is none, a new one.
func (s *server) oneOf(idle <-chan *client) (*client, error) {
	select {
	case c := <-idle:
		return c, nil
	default:
		return s.dial()
	}
}

func total(start time.Time, tallies []tally) (all tally) {
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

// ask asks once and counts the time of the answer from when the request was due.
func (t *tally) ask(c *client, request []byte, due time.Time) {
	got, err := c.ask(request)
	switch {
	case err != nil:
		t.err = err
	case got.good():
		t.last = time.Now()
		t.took = append(t.took, t.last.Sub(due))
	case got.status == http.StatusServiceUnavailable:
		t.refused++
		time.Sleep(pauseAfterRefusal)
	default:
		t.err = unexpectedReply(got)
	}
}

// latencies are in order.
type latencies []time.Duration

// quantile returns the time within which so many percent were answered.
func (l latencies) quantile(percent float64) time.Duration {
	if len(l) == 0 {
		return 0
	}
	return l[max(0, int(math.Ceil(percent*float64(len(l))/100))-1)]
}

// report reports quantiles as metrics like p99.9-us.
func (l latencies) report(b *testing.B, unit time.Duration, percents ...float64) {
	names := map[time.Duration]string{time.Microsecond: "us", time.Millisecond: "ms"}
	for _, percent := range percents {
		b.ReportMetric(float64(l.quantile(percent))/float64(unit), fmt.Sprintf("p%v-%s", percent, names[unit]))
	}
}
