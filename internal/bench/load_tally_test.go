package bench

import (
	"context"
	"net/http"
	"net/http/httptest"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

// stallFor is a server whose third request keeps it from answering anybody for a while.
func stallFor(t *testing.T, d time.Duration) *server {
	t.Helper()
	var working sync.Mutex
	var asked atomic.Int64
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		working.Lock()
		defer working.Unlock()
		if asked.Add(1) == 3 {
			time.Sleep(d)
		}
		_, _ = w.Write([]byte("an answer"))
	}))
	t.Cleanup(s.Close)
	return &server{address: s.Listener.Addr().String()}
}

// TestPace: who comes while the server stalls waits, and that is counted.
func TestPace(t *testing.T) {
	const stall = 300 * time.Millisecond
	got := stallFor(t, stall).pace(400*time.Millisecond, 100, always(getSessionBytes("")))
	if got.err != nil || len(got.took) != 40 {
		t.Fatalf("%d answers, want 40: %v", len(got.took), got.err)
	}
	// 30 come meanwhile, one each 10 ms. Half of them wait for half of it at least.
	if waited := got.took.quantile(100 - 100*15./40); waited < stall/2-20*time.Millisecond {
		t.Errorf("15 of 40 waited %v or more, want half of %v", waited, stall)
	}
}

// TestDrive: who is refused comes again, and what was begun is waited for.
func TestDrive(t *testing.T) {
	var asked atomic.Int64
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		if asked.Add(1) == 1 {
			w.WriteHeader(http.StatusServiceUnavailable)
			return
		}
		time.Sleep(20 * time.Millisecond)
		_, _ = w.Write([]byte("an answer"))
	}))
	defer s.Close()
	clients := &server{address: s.Listener.Addr().String()}
	ctx, cancel := context.WithTimeout(t.Context(), pauseAfterRefusal+10*time.Millisecond)
	defer cancel()
	got := clients.drive(ctx, 1, always(getSessionBytes("")))
	if got.err != nil || got.refused != 1 || len(got.took) == 0 || got.elapsed < pauseAfterRefusal+20*time.Millisecond {
		t.Errorf("%+v", got)
	}
}

// TestUnexpected: neither an error nor a session that was not found is counted as an
// answer.
func TestUnexpected(t *testing.T) {
	ended, cancel := context.WithCancel(t.Context())
	cancel() // each client asks once
	for _, status := range []int{http.StatusOK, http.StatusUnauthorized, http.StatusInternalServerError} {
		s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
			w.WriteHeader(status)
			_, _ = w.Write([]byte("null"))
		}))
		defer s.Close()
		clients := &server{address: s.Listener.Addr().String()}
		got := clients.drive(ended, 2, always(getSessionBytes("")))
		if _, unexpected := got.err.(unexpectedReply); !unexpected || len(got.took) > 0 {
			t.Errorf("status %d: %d answers, %v", status, len(got.took), got.err)
		}
	}
}

func TestQuantile(t *testing.T) {
	var thousand latencies
	for i := range 1000 {
		thousand = append(thousand, time.Duration(i+1))
	}
	for _, test := range []struct {
		of      latencies
		percent float64
		want    time.Duration
	}{
		{nil, 99, 0},
		{latencies{7}, 50, 7},
		{latencies{7}, 99.9, 7},
		{thousand, 50, 500},
		{thousand, 99, 990},
		{thousand, 99.9, 999},
		{thousand, 100, 1000},
	} {
		if got := test.of.quantile(test.percent); got != test.want {
			t.Errorf("%v %% of %d: %d, want %d", test.percent, len(test.of), got, test.want)
		}
	}
}
