// Command metrics is a server that counts what happens: expvar at /debug/vars and
// Prometheus at /metrics, on an address of their own that nobody outside should reach.
//
//	go run ./example/metrics
//	curl -X POST localhost:3000/api/auth/sign-in/email -H 'Content-Type: application/json' \
//		-d '{"email":"ada@example.com","password":"wrong password"}'
//	curl localhost:3001/metrics
package main

import (
	"context"
	"crypto/rand"
	"errors"
	"flag"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"os"
	"os/signal"

	"github.com/seed3b05b409/auth"
)

func main() {
	public := flag.String("addr", "localhost:3000", "`address` of the endpoints")
	private := flag.String("metrics", "localhost:3001", "`address` of the metrics")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
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
		Secret:        rand.Text() + rand.Text(),
		Store:         auth.NewMemoryStore(),
		EmailPassword: auth.EmailPassword{Enabled: true},
		OnEvent:       count.event,
		Logger:        slog.New(slog.NewJSONHandler(os.Stdout, nil)),
	})
	if err != nil {
		return err
	}
	if listening != nil {
		listening(outside.Addr(), inside.Addr())
	}
	mux := http.NewServeMux()
	mux.Handle("/api/auth/", count.latency(a))
	return serve(ctx, map[net.Listener]http.Handler{outside: mux, inside: count.handler()})
}

// serve ends with the first server that does, or with ctx.
func serve(ctx context.Context, handlers map[net.Listener]http.Handler) error {
	failed := make(chan error, len(handlers))
	for listener, handler := range handlers {
		server := &http.Server{Handler: handler}
		defer server.Close()
		go func() { failed <- server.Serve(listener) }()
	}
	select {
	case err := <-failed:
		if errors.Is(err, http.ErrServerClosed) {
			return nil
		}
		return err
	case <-ctx.Done():
		return nil
	}
}
