package bench

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"strconv"
	"sync/atomic"
	"testing"
	"time"
)

// BenchmarkServer is over loopback HTTP against server processes, this library beside
// its peers. They are
//
//   - bare: the least code by hand that reads a session, for get-session only;
//   - auth: this library;
//   - scs: github.com/alexedwards/scs, the nearest library in Go. It keeps sessions
//     and nothing else, so it is in get-session only, and not with a cookie cache,
//     which it does not have;
//   - better-auth: the npm package, on node.
//
// All answer get-session with the same members, which is checked at each start. Each
// case lasts for a window of three seconds, or -benchtime if that is longer.
//
//	go test -run XXX -bench Server ./internal/bench
//
// takes some five minutes. With -short only the stores memory and SQLite are in it, and
// few clients.
func BenchmarkServer(b *testing.B) {
	b.Run("get-session", benchmarkSessions)
	b.Run("sign-in", func(b *testing.B) {
		benchmarkPasswords(b, func() []byte { return signInBytes(adaEmail) })
	})
	b.Run("sign-up", func(b *testing.B) {
		var people atomic.Int64
		benchmarkPasswords(b, func() []byte { return signUpBytes(fmt.Sprintf("ada-%d@example.com", people.Add(1))) })
	})
	b.Run("under sign-ins", benchmarkUnderSignIns)
}

// window is how long a case is measured: a moment where -benchtime is a number of
// times, as in CI.
func window() time.Duration {
	asked, err := time.ParseDuration(flag.Lookup("test.benchtime").Value.String())
	if err != nil {
		return 100 * time.Millisecond
	}
	return max(asked, 3*time.Second)
}

// within is a context of so long.
func within(b *testing.B, d time.Duration) context.Context {
	ctx, cancel := context.WithTimeout(b.Context(), d)
	b.Cleanup(cancel)
	return ctx
}

func always(request []byte) func() []byte { return func() []byte { return request } }

// benchmarkSessions is get-session by eight clients that ask without a pause. The
// server has one processor to itself, but for a database, which runs wherever the
// system puts it.
//
// A fast server is limited by its clients, who have the other processors. What counts
// is the processor time that a request takes it: server-ns/op, and req/s/core as its
// inverse. Of a database that is the part of the driver. The latencies are what the
// clients see, their own work included.
func benchmarkSessions(b *testing.B) {
	chosen := homes
	if testing.Short() {
		chosen = homes[:2]
	}
	for _, in := range chosen {
		b.Run(in.name, func(b *testing.B) {
			s := in.empty(b)
			s.Plain = true // hashing is not what is measured, nor its memory
			cookies := ""
			if s.shared() {
				cookies = sharedCookies(b, s)
			}
			for _, peer := range []string{"bare", "auth", "scs", "better-auth"} {
				if peer == "scs" && s.CookieCache {
					continue
				}
				b.Run(peer, func(b *testing.B) { measureSessions(b, s.as(peer), cookies) })
			}
		})
	}
}

// sharedCookies are Ada's, good on every server of the setting but scs.
func sharedCookies(b *testing.B, s setting) string {
	b.Helper()
	server := startServer(b, s.as("auth"), everyProcessor)
	defer server.stop()
	return server.signUp(b)
}

const sessionClients = 8

func measureSessions(b *testing.B, s setting, cookies string) {
	server := startServer(b, s, serverProcessor)
	leaveServerProcessor(b)
	if cookies == "" || s.Peer == "scs" {
		cookies = server.signUp(b)
	}
	server.checkSession(b, cookies)
	request := always(getSessionBytes(cookies))
	server.drive(within(b, window()/3), sessionClients, request)

	before := server.processorTime(b)
	b.ResetTimer()
	t := server.drive(within(b, window()), sessionClients, request)
	b.StopTimer()
	t.check(b)
	spent := float64(server.processorTime(b)-before) / float64(len(t.took))
	b.ReportMetric(0, "ns/op") // of the window
	b.ReportMetric(spent, "server-ns/op")
	b.ReportMetric(1e9/spent, "req/s/core")
	b.ReportMetric(server.peakMemory(b), "rss-MB")
	t.took.report(b, time.Microsecond, 50, 99, 99.9)
}

// benchmarkPasswords is requests that hash a password with scrypt, in memory, by
// clients that ask without a pause but for one of a second after a 503. Servers have
// all processors: what is measured is how many people a machine can sign in. This
// library leaves one of them over for reading sessions, unless there is only one.
//
// All requests are answered that are begun within the window, and count.
func benchmarkPasswords(b *testing.B, next func() []byte) {
	onEachCrowd(b, []int{1, 8, 64, 512}, func(b *testing.B, peer string, clients int) {
		server := startServer(b, inMemory.as(peer), everyProcessor)
		server.checkSession(b, server.signUp(b))
		server.drive(within(b, window()/10), 1, next)
		b.ResetTimer()
		t := server.drive(within(b, window()), clients, next)
		b.StopTimer()
		t.check(b)
		b.ReportMetric(0, "ns/op")
		b.ReportMetric(float64(len(t.took))/t.elapsed.Seconds(), "req/s")
		b.ReportMetric(float64(t.refused)/float64(len(t.took)+t.refused), "refused/op")
		b.ReportMetric(server.peakMemory(b), "rss-MB")
		t.took.report(b, time.Millisecond, 50, 99)
	})
}

// onEachCrowd runs a benchmark with several numbers of clients, only the first two with
// -short, on the peers that sign people in.
func onEachCrowd(b *testing.B, crowds []int, measure func(b *testing.B, peer string, clients int)) {
	if testing.Short() {
		crowds = crowds[:min(2, len(crowds))]
	}
	for _, clients := range crowds {
		b.Run(strconv.Itoa(clients), func(b *testing.B) {
			for _, peer := range []string{"auth", "better-auth"} {
				b.Run(peer, func(b *testing.B) { measure(b, peer, clients) })
			}
		})
	}
}

// The readers of benchmarkUnderSignIns: so many that hardly one still waits when its
// next request is due.
const (
	readers  = 50
	readRate = 200 // a second
)

// benchmarkUnderSignIns is how long get-session takes while a crowd signs in all the
// time, on a server with one processor. Sessions are read at a fixed rate, and times
// count from when a request was due. The budget: 50 ms for 99 of 100, and 150 MB.
func benchmarkUnderSignIns(b *testing.B) {
	onEachCrowd(b, []int{64, 512}, func(b *testing.B, peer string, clients int) {
		server := startServer(b, inMemory.as(peer), serverProcessor)
		leaveServerProcessor(b)
		cookies := server.signUp(b)
		server.checkSession(b, cookies)
		begin := time.Now()
		ctx, leave := context.WithCancel(b.Context())
		crowd := make(chan tally, 1)
		go func() { crowd <- server.drive(ctx, clients, always(signInBytes(adaEmail))) }()
		time.Sleep(window() / 3)

		b.ResetTimer()
		t := server.pace(window(), readers, readRate, always(getSessionBytes(cookies)))
		b.StopTimer()
		t.check(b)
		b.ReportMetric(0, "ns/op")
		b.ReportMetric(server.peakMemory(b), "rss-MB")
		t.took.report(b, time.Millisecond, 50, 99, 99.9)
		leave()
		server.stop() // those who still wait need no answer
		signIns := <-crowd
		var wrong unexpectedReply
		if errors.As(signIns.err, &wrong) {
			b.Fatalf("sign-in: %v", wrong)
		}
		b.ReportMetric(float64(len(signIns.took))/time.Since(begin).Seconds(), "sign-ins/s")
	})
}
