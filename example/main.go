// Command example is a complete server with accounts: sign-up, sign-in, profile,
// verified e-mail addresses, password change and reset, sessions and deletion.
// Its pages are rendered on the server, work without JavaScript and call the
// endpoints of package auth as Go functions. The same endpoints are served below
// /api/auth for JavaScript clients.
//
// It needs no configuration:
//
//	go run ./example
//
// Mails are not sent but shown at /outbox, and everything is kept in memory.
package main

import (
	"context"
	"crypto/rand"
	"errors"
	"flag"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"os"
	"os/signal"
	"strconv"
	"sync"
	"syscall"
	"time"

	"github.com/seed3b05b409/auth"
)

func main() {
	addr := flag.String("addr", "localhost:3000", "`address` to listen on; port 0 is any free one")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	context.AfterFunc(ctx, stop) // a second Ctrl-C ends the program at once
	if err := run(ctx, *addr, os.Getenv("AUTH_SECRET"), os.Stdout); err != nil {
		fmt.Fprintln(os.Stderr, "example:", err)
		os.Exit(1)
	}
}

// run serves until ctx ends. It tells out what it serves and where.
func run(ctx context.Context, addr, secret string, out io.Writer) error {
	listener, err := net.Listen("tcp", addr)
	if err != nil {
		return err
	}
	defer listener.Close()

	generated := secret == ""
	if generated {
		secret = rand.Text() + rand.Text() // 260 random bits
	}
	baseURL := urlOf(addr, listener)
	var mailing sync.WaitGroup
	mails := newOutbox()
	a, err := auth.New(newConfig(baseURL, secret, mails, mailing.Go))
	if err != nil {
		return err
	}
	public := !isLoopback(listener)
	announce(out, baseURL, generated, public)

	err = serve(ctx, listener, newSite(a, mails, !public))
	mailing.Wait() // a mail that a finished request caused is still sent
	return err
}

// urlOf returns where browsers find the server. The host is the one that was
// asked for, as cookies belong to a host; the port is the one that was given.
func urlOf(addr string, listener net.Listener) string {
	host, _, _ := net.SplitHostPort(addr)
	if ip := net.ParseIP(host); host == "" || ip != nil && ip.IsUnspecified() {
		host = "localhost"
	}
	port := listener.Addr().(*net.TCPAddr).Port
	return "http://" + net.JoinHostPort(host, strconv.Itoa(port))
}

func isLoopback(listener net.Listener) bool {
	return listener.Addr().(*net.TCPAddr).IP.IsLoopback()
}

func announce(out io.Writer, baseURL string, generated, public bool) {
	fmt.Fprintln(out, "Example server of package auth. Ctrl-C ends it.")
	fmt.Fprintln(out)
	fmt.Fprintf(out, "  pages   %s/\n", baseURL)
	fmt.Fprintf(out, "  API     %s/api/auth\n", baseURL)
	if public {
		fmt.Fprintln(out, "  mails   in this log only: the outbox would show their links to the whole network")
	} else {
		fmt.Fprintf(out, "  mails   %s/outbox and this log; none is sent\n", baseURL)
	}
	fmt.Fprintln(out, "  store   memory; it is empty after a restart")
	if generated {
		fmt.Fprintln(out, "  secret  made for this run; set AUTH_SECRET (32 bytes or more) to choose one")
	} else {
		fmt.Fprintln(out, "  secret  from AUTH_SECRET")
	}
	fmt.Fprintln(out)
}

// serve answers requests until ctx ends, then gives those that run ten seconds
// to finish.
func serve(ctx context.Context, listener net.Listener, handler http.Handler) error {
	server := &http.Server{
		Handler:           handler,
		ReadHeaderTimeout: 5 * time.Second,
		ReadTimeout:       15 * time.Second,
		WriteTimeout:      30 * time.Second,
		IdleTimeout:       2 * time.Minute,
		MaxHeaderBytes:    64 << 10,
		ErrorLog:          slog.NewLogLogger(slog.Default().Handler(), slog.LevelWarn),
	}
	failed := make(chan error, 1)
	go func() { failed <- server.Serve(listener) }()
	select {
	case err := <-failed:
		return err
	case <-ctx.Done():
	}
	slog.Info("shutting down")
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	defer cancel()
	if err := server.Shutdown(ctx); err != nil {
		return errors.Join(err, server.Close())
	}
	return nil
}
