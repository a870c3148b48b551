package main

import (
	"fmt"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"runtime"
	"runtime/debug"
	"time"
)

// A class is one of the situations that have to take the same time.
type class struct {
	name    string
	request func() *http.Request // made while no clock runs
}

// A comparison is of one endpoint: the first class with each of the others.
type comparison struct {
	name    string
	handler http.Handler
	classes []class
	share   int    // of the samples, one in so many: for what takes long
	after   func() // after each request, while no clock runs; may be nil
	tells   string // why a difference is expected; empty if none is
	varies  bool   // answers have ids and times in them: only their status has to be the same
}

// measure serves n requests of each class, in rounds of random order, and returns
// their times in microseconds. Errors: answers that differ, as they tell without a
// clock.
func (c comparison) measure(n int) ([][]float64, error) {
	defer debug.SetGCPercent(debug.SetGCPercent(-1)) // no collection while the clock runs
	times := make([][]float64, len(c.classes))
	answers := make([]string, len(c.classes))
	for round := range n {
		if round%100 == 0 {
			runtime.GC()
		}
		for _, i := range rand.Perm(len(c.classes)) {
			elapsed, answer := c.serve(c.classes[i])
			times[i] = append(times[i], float64(elapsed)/float64(time.Microsecond))
			answers[i] = answer
		}
		for i, answer := range answers {
			if answer != answers[0] {
				return nil, fmt.Errorf("%s: the answer tells %s from %s:\n%s\n%s", c.name, c.classes[0].name, c.classes[i].name, answers[0], answer)
			}
		}
	}
	return times, nil
}

func (c comparison) serve(of class) (elapsed time.Duration, answer string) {
	r, recorder := of.request(), httptest.NewRecorder()
	begin := time.Now()
	c.handler.ServeHTTP(recorder, r)
	elapsed = time.Since(begin)
	if c.after != nil {
		c.after()
	}
	answer = fmt.Sprint(recorder.Code, " ", recorder.Header().Get("Location"))
	if !c.varies {
		answer += recorder.Body.String()
	}
	return elapsed, answer
}
