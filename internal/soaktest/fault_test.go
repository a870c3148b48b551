package soaktest

import (
	"math/rand/v2"
	"time"
)

// A fault is something that goes wrong for a while.
type fault struct {
	name  string
	loses bool // answers
	fails bool // requests, with 5xx

	strike func(r *rand.Rand) // begins it and may wait for a while; then the server is to recover
	heal   func()             // makes it end; may be nil
}

// andThen is the fault with something to wait for when it has ended.
func (f fault) andThen(wait func()) fault {
	heal := f.heal
	f.heal = func() {
		heal()
		wait()
	}
	return f
}

// butFirst is the fault with something to wait for before it ends.
func (f fault) butFirst(wait func()) fault {
	heal := f.heal
	f.heal = func() {
		wait()
		heal()
	}
	return f
}

// crashing crashes a database and starts it again.
func (c *cluster) crashing() fault {
	return fault{name: "database crashed", fails: true, strike: func(r *rand.Rand) {
		c.crash()
		linger(r)
	}, heal: c.start}
}

// moment is how long a fault lasts at most.
const moment = 700 * time.Millisecond

func linger(r *rand.Rand) { time.Sleep(time.Duration(r.Int64N(int64(moment)))) }

// cutClients cuts the connections of all clients, a few times.
func (s *soak) cutClients() fault {
	var cut []string
	return fault{name: "clients cut off", loses: true, strike: func(r *rand.Rand) {
		cut = nil
		for range 1 + r.IntN(4) {
			cut = append(cut, s.server.front.cut()...)
			time.Sleep(time.Duration(r.IntN(100)) * time.Millisecond)
		}
	}, heal: func() { s.server.settle(cut) }}
}

// killServer kills the server and starts another one.
func (s *soak) killServer() fault {
	return fault{
		name: "server killed", loses: true,
		strike: func(*rand.Rand) { s.server.kill() },
		heal:   func() { s.server.start("") },
	}
}
