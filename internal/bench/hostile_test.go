package bench

import (
	"context"
	"io"
	"net"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"
)

// recommended is a server as the documentation recommends it.
func recommended(h http.Handler) *http.Server {
	return &http.Server{
		Handler:           h,
		ReadHeaderTimeout: 5 * time.Second,
		ReadTimeout:       15 * time.Second,
		WriteTimeout:      30 * time.Second,
		IdleTimeout:       2 * time.Minute,
		MaxHeaderBytes:    64 << 10,
	}
}

// BenchmarkHostile is how long get-session takes a client that behaves while others do
// not, on a server with one processor and the timeouts that the documentation recommends.
// Times count from when a request was due. The budget: as under sign-ins, 50 ms for 99 of
// 100.
func BenchmarkHostile(b *testing.B) {
	for _, kind := range []struct {
		name    string
		clients int
		attack  func(ctx context.Context, c net.Conn, i int) // until the connection ends
	}{
		{"quiet", 0, nil},
		{"slow clients", 500, slowly},
		{"huge headers", 20, hugeHeader},
		{"huge bodies", 20, hugeBody},
		{"idle connections", 5000, idly},
	} {
		b.Run(kind.name, func(b *testing.B) {
			if testing.Short() {
				kind.clients /= 20
			}
			s := inMemory.as("auth")
			s.Guarded, s.Plain = true, true
			server := startServer(b, s, serverProcessor)
			leaveServerProcessor(b)
			cookies := server.signUp(b)
			server.checkSession(b, cookies)
			stop := server.attack(b, kind.clients, kind.attack)
			b.ResetTimer()
			t := server.pace(window(), readRate, always(getSessionBytes(cookies)))
			b.StopTimer()
			stop()
			t.check(b)
			b.ReportMetric(0, "ns/op")
			b.ReportMetric(server.peakMemory(b), "rss-MB")
			t.took.report(b, time.Microsecond, 50, 99)
		})
	}
}

// attack lets clients do harm until it is told to stop. A client whose connection is
// closed comes again.
func (s *server) attack(b *testing.B, clients int, harm func(ctx context.Context, c net.Conn, i int)) (stop func()) {
	b.Helper()
	ctx, cancel := context.WithCancel(b.Context())
	var connected, ended sync.WaitGroup
	for i := range clients {
		connected.Add(1)
		ended.Go(func() {
			first := sync.OnceFunc(connected.Done)
			for ctx.Err() == nil {
				if c, err := s.dial(); err == nil {
					first()
					unhook := context.AfterFunc(ctx, c.close)
					harm(ctx, c.connection, i)
					unhook()
					c.close()
				}
				pause(ctx, 20*time.Millisecond)
			}
			first()
		})
	}
	connected.Wait()
	return func() {
		cancel()
		ended.Wait()
	}
}

func pause(ctx context.Context, d time.Duration) {
	select {
	case <-ctx.Done():
	case <-time.After(d):
	}
}

// slowly sends one byte a second, half of the clients of the header, half of a body.
func slowly(ctx context.Context, c net.Conn, i int) {
	text := "GET /api/auth/get-session HTTP/1.1\r\nHost: localhost\r\nX: "
	if i%2 == 0 {
		text = "POST /api/auth/sign-in/email HTTP/1.1\r\nHost: localhost\r\nOrigin: " + origin +
			"\r\nContent-Type: application/json\r\nContent-Length: 100000\r\n\r\n"
	}
	for ctx.Err() == nil {
		if _, err := io.WriteString(c, text); err != nil {
			return
		}
		text = "x"
		pause(ctx, time.Second)
	}
}

var megabyte = strings.Repeat("x", 1<<20)

// hugeHeader sends a header of a megabyte, by turns in one line and in many cookies.
func hugeHeader(_ context.Context, c net.Conn, i int) {
	header := "X: " + megabyte
	if i%2 == 0 {
		header = "Cookie: " + strings.Repeat("a=b; ", 1<<20/5)
	}
	_, _ = io.WriteString(c, "GET /api/auth/get-session HTTP/1.1\r\nHost: localhost\r\n"+header+"\r\n\r\n")
	_, _ = io.Copy(io.Discard, c)
}

// hugeBody sends more than ten megabytes, or chunks without an end, until the server
// closes the connection.
func hugeBody(ctx context.Context, c net.Conn, i int) {
	length, chunk := "Transfer-Encoding: chunked", "100000\r\n"+megabyte+"\r\n"
	if i%2 == 0 {
		length, chunk = "Content-Length: 100000000", megabyte
	}
	text := "POST /api/auth/sign-in/email HTTP/1.1\r\nHost: localhost\r\nOrigin: " + origin + "\r\nContent-Type: application/json\r\n" + length + "\r\n\r\n"
	for ctx.Err() == nil {
		if _, err := io.WriteString(c, text); err != nil {
			return
		}
		text = chunk
	}
}

// idly asks nothing.
func idly(ctx context.Context, _ net.Conn, _ int) { <-ctx.Done() }
