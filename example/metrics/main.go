// Command metrics is a server that counts what happens: expvar at /debug/vars and
// Prometheus at /metrics, on an address of their own that nobody outside should reach.
//
//	go run ./example/metrics
//	curl -X POST localhost:3000/api/auth/sign-in/email -H 'Content-Type: application/json' \
//		-d '{"email":"ada@example.com","password":"wrong password"}'
//	curl localhost:3001/metrics
//
// The flags -addr and -metrics take other addresses. AUTH_SECRET, at least 32 bytes, signs
// the cookies; without it a secret is made for this run.
package main

import (
	"cmp"
	"context"
	"crypto/rand"
	"errors"
	"flag"
	"fmt"
	"log"
	"log/slog"
	"net"
	"net/http"
	"os"
	"os/signal"
	"syscall"
	"time"

	"github.com/seed3b05b409/auth"
)

func main() {
	public := flag.String("addr", "localhost:3000", "`address` of the endpoints")
	private := flag.String("metrics", "localhost:3001", "`address` of the metrics")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if err := run(ctx, *public, *private, nil); err != nil {
		fmt.Fprintln(os.Stderr, "metrics:", err)
		os.Exit(1)
	}
}

// run serves on both addresses until ctx ends. It calls listening, if that is not nil,
// with the addresses that they have become.
func run(ctx context.Context, public, private string, listening func(public, private net.Addr)) error {
	outside, err := net.Listen("tcp", public)
	if err != nil {
		return err
	}
	defer outside.Close()
	inside, err := net.Listen("tcp", private)
	if err != nil {
		return err
	}
	defer inside.Close()
	count := newMetrics()
	a, err := auth.New(auth.Config{
		BaseURL:       "http://" + outside.Addr().String(),
		Secret:        cmp.Or(os.Getenv("AUTH_SECRET"), rand.Text()+rand.Text()),
		Store:         auth.NewMemoryStore(),
		EmailPassword: auth.EmailPassword{Enabled: true},
		OnEvent:       count.event,
		Logger:        slog.New(slog.NewJSONHandler(os.Stdout, nil)),
	})
	if err != nil {
		return err
	}
	log.Printf("serving at http://%s, metrics at http://%s", outside.Addr(), inside.Addr())
	if listening != nil {
		listening(outside.Addr(), inside.Addr())
	}
	mux := http.NewServeMux()
	mux.Handle("/api/auth/", count.latency(a))
	return serve(ctx, map[net.Listener]http.Handler{outside: mux, inside: count.handler()})
}

// serve ends with the first server that does, or with ctx: what runs then has ten seconds
// to finish.
func serve(ctx context.Context, handlers map[net.Listener]http.Handler) error {
	failed := make(chan error, len(handlers))
	servers := make([]*http.Server, 0, len(handlers))
	for listener, handler := range handlers {
		server := &http.Server{
			Handler:           handler,
			ReadHeaderTimeout: 5 * time.Second,
			ReadTimeout:       15 * time.Second,
			WriteTimeout:      30 * time.Second,
			IdleTimeout:       2 * time.Minute,
		}
		servers = append(servers, server)
		go func() { failed <- server.Serve(listener) }()
	}
	var err error
	select {
	case err = <-failed:
	case <-ctx.Done():
	}
	ending, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	defer cancel()
	for _, server := range servers {
		err = errors.Join(err, server.Shutdown(ending))
	}
	return err
}
