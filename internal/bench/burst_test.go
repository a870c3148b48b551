package bench

import (
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"
)

const (
	burstPatience = 2 * time.Minute // of a client that waits for its answer
	burstMemory   = 4 << 30         // that a server may have, so that the machine survives
)

// BenchmarkBurst is ten thousand clients that sign in at the same moment, each on a
// connection of its own, on a server that has all processors, hashes with scrypt and
// begins with an empty store; with -short sixteen. It is one round, which ends when all
// are answered or have waited for two minutes. accepted/op are those who got a session,
// refused/op those who were told when to come again (503 with Retry-After), lost/op all
// others: no answer, or another one. The bare handler hashes nothing: its memory is that
// of the connections. The budget: 150 MB and nobody lost.
//
// Servers may have 4 GB. What one does that needs more is part of the result.
func BenchmarkBurst(b *testing.B) {
	clients := 10_000
	if testing.Short() {
		clients = 16
	}
	b.Run(strconv.Itoa(clients), func(b *testing.B) {
		for _, peer := range []string{"bare", "auth", "better-auth"} {
			b.Run(peer, func(b *testing.B) { measureBurst(b, peer, clients) })
		}
	})
}

func measureBurst(b *testing.B, peer string, clients int) {
	server := startServer(b, inMemory.as(peer), everyProcessor)
	limitMemory(b, server, burstMemory)
	server.signUp(b)
	crowd := server.connect(b, clients)
	peak := server.watchMemory()
	b.ResetTimer()
	accepted, refused := crowd.signIn()
	b.StopTimer()
	lost := clients - accepted - refused
	b.ReportMetric(float64(accepted), "accepted/op")
	b.ReportMetric(float64(refused), "refused/op")
	b.ReportMetric(float64(lost), "lost/op")
	b.ReportMetric(peak(), "rss-MB")
	if peer == "auth" && lost > 0 {
		b.Errorf("%d clients got no answer", lost)
	}
}

// limitMemory bounds what a process can allocate, on Linux.
func limitMemory(b *testing.B, s *server, bytes int64) {
	b.Helper()
	limit := exec.CommandContext(b.Context(), "prlimit", "--pid", strconv.Itoa(s.pid), fmt.Sprintf("--data=%d", bytes))
	if out, err := limit.CombinedOutput(); err != nil {
		b.Fatalf("prlimit, of util-linux: %v: %s", err, out)
	}
}

// watchMemory reads the peak of the process's memory until the function that it returns
// is called, as a process that has ended tells it no more.
func (s *server) watchMemory() (peak func() float64) {
	done, result := make(chan struct{}), make(chan float64)
	go func() {
		most := 0.0
		tick := time.NewTicker(50 * time.Millisecond)
		defer tick.Stop()
		for {
			most = max(most, s.residentPeak())
			select {
			case <-done:
				result <- most
				return
			case <-tick.C:
			}
		}
	}()
	return func() float64 {
		close(done)
		return <-result
	}
}

// residentPeak is in MB, 0 if the process has ended.
func (s *server) residentPeak() float64 {
	status, _ := os.ReadFile(fmt.Sprintf("/proc/%d/status", s.pid))
	_, after, _ := strings.Cut(string(status), "VmHWM:")
	kibibytes, _ := strconv.ParseFloat(strings.Fields(after + " 0")[0], 64)
	return kibibytes * 1024 / 1e6
}

// A crowd are clients that are connected.
type crowd []*client

// connect opens connections. Two descriptors each are needed of the system's limits, one
// in either process.
func (s *server) connect(b *testing.B, clients int) crowd {
	b.Helper()
	all := make(crowd, clients)
	for i := range all {
		c, err := s.dial()
		if err != nil {
			b.Fatalf("connection %d: %v (try ulimit -n %d)", i, err, 2*clients)
		}
		b.Cleanup(c.close)
		all[i] = c
	}
	return all
}

// signIn lets all sign in at once and counts the answers.
func (all crowd) signIn() (accepted, refused int) {
	var (
		mu          sync.Mutex
		ready, done sync.WaitGroup
		request     = signInBytes(adaEmail)
		start       = make(chan struct{})
	)
	for _, c := range all {
		ready.Add(1)
		done.Go(func() {
			ready.Done()
			<-start
			status, retryAfter := c.attempt(request)
			mu.Lock()
			defer mu.Unlock()
			switch {
			case status == http.StatusOK:
				accepted++
			case status == http.StatusServiceUnavailable && retryAfter != "":
				refused++
			}
		})
	}
	ready.Wait()
	close(start)
	done.Wait()
	return accepted, refused
}

// attempt returns what the answer says, no status if there is none.
func (c *client) attempt(request []byte) (status int, retryAfter string) {
	_ = c.connection.SetDeadline(time.Now().Add(burstPatience))
	if _, err := c.connection.Write(request); err != nil {
		return 0, ""
	}
	response, err := http.ReadResponse(c.answers, nil)
	if err != nil {
		return 0, ""
	}
	_ = response.Body.Close()
	return response.StatusCode, response.Header.Get("Retry-After")
}
