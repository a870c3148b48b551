// Command example is a complete server with accounts: sign-up, sign-in by password,
// by a link in a mail and at providers, two-factor authentication, profile, user
// names, verified e-mail addresses, password change and reset, linked accounts,
// sessions and deletion.
// Its pages are rendered on the server, work without JavaScript and call the
// endpoints of package auth as Go functions. The same endpoints are served below
// /api/auth for JavaScript clients.
//
// It needs no configuration:
//
//	go run ./example
//
// Mails are not sent but shown at /outbox. Users and sessions are kept in a file,
// example.db in the working directory; the flag -db takes another file or a
// server's database:
//
//	go run ./example -db postgres://user@localhost:5432/name
//	go run ./example -db mysql://user@localhost:3306/name
//	go run ./example -db memory
//
// Providers are those of GOOGLE_CLIENT_ID and GOOGLE_CLIENT_SECRET, the same for
// GITHUB, MICROSOFT and DISCORD, and of OIDC_ISSUER, OIDC_CLIENT_ID and
// OIDC_CLIENT_SECRET for any OpenID provider. The program prints the redirect URI to
// register. Without any of them it starts a provider of its own, at which everybody
// is whom they choose to be, on a loopback address.
package main

import (
	"context"
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
	"strings"
	"sync"
	"syscall"
	"time"

	"github.com/seed3b05b409/auth"
)

// options are what people choose.
type options struct {
	addr      string          // to listen on
	database  string          // as parseSource takes it
	secret    string          // empty: one is made
	providers []namedProvider // empty: the demonstration provider
}

func main() {
	chosen := options{secret: os.Getenv("AUTH_SECRET")}
	flag.StringVar(&chosen.addr, "addr", "localhost:3000", "`address` to listen on; port 0 is any free one")
	flag.StringVar(&chosen.database, "db", "example.db", "`database`: "+sourceForms)
	flag.Parse()
	var err error
	if chosen.providers, err = providersFromEnv(os.Getenv); err != nil {
		fmt.Fprintln(os.Stderr, "example:", err)
		os.Exit(1)
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	context.AfterFunc(ctx, stop) // a second Ctrl-C ends the program at once
	if err := run(ctx, chosen, os.Stdout); err != nil {
		fmt.Fprintln(os.Stderr, "example:", err)
		os.Exit(1)
	}
}

// run serves until ctx ends. It tells out what it serves and where.
func run(ctx context.Context, chosen options, out io.Writer) error {
	listener, err := net.Listen("tcp", chosen.addr)
	if err != nil {
		return err
	}
	defer listener.Close()
	db, err := openDatabase(ctx, chosen.database)
	if err != nil {
		return err
	}
	return db.close(runOn(ctx, db, listener, chosen, out))
}

func runOn(ctx context.Context, db *database, listener net.Listener, chosen options, out io.Writer) error {
	secret, err := chooseSecret(chosen.secret, db.file)
	if err != nil {
		return err
	}
	baseURL := urlOf(chosen.addr, listener)
	var background sync.WaitGroup
	defer background.Wait() // a mail that a finished request caused is still sent
	defer context.AfterFunc(ctx, func() { slog.Info("shutting down") })()
	ctx, stop := context.WithCancel(ctx)
	defer stop()
	public := !isLoopback(listener)
	providers, err := chooseProviders(ctx, chosen.providers, baseURL, public, background.Go)
	if err != nil {
		return err
	}
	mails := newOutbox()
	plugins := newPlugins(mails)
	config := newConfig(baseURL, secret.value, db.store, mails, plugins, background.Go)
	config.Providers = configsOf(providers)
	a, err := auth.New(config)
	if err != nil {
		return err
	}
	if err := db.prepare(ctx, a); err != nil {
		return err
	}
	announce(out, baseURL, db, secret, public, providers)
	background.Go(func() { cleanUp(ctx, a) })
	return serve(ctx, listener, newSite(a, plugins, mails, !public, providers))
}

// chooseProviders returns the configured providers, or starts the demonstration
// provider. It lets everybody be anybody, which is not for a network.
func chooseProviders(ctx context.Context, configured []namedProvider, baseURL string, public bool, background func(task func())) ([]namedProvider, error) {
	if len(configured) > 0 || public {
		return configured, nil
	}
	demo, err := startDemoProvider(ctx, baseURL, background)
	if err != nil {
		return nil, err
	}
	return []namedProvider{{"Demo", demo.provider()}}, nil
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

func announce(out io.Writer, baseURL string, db *database, secret secret, public bool, providers []namedProvider) {
	fmt.Fprintln(out, "Example server of package auth. Ctrl-C ends it.")
	fmt.Fprintln(out)
	fmt.Fprintf(out, "  pages   %s/\n", baseURL)
	fmt.Fprintf(out, "  API     %s/api/auth\n", baseURL)
	if public {
		fmt.Fprintln(out, "  mails   in this log only: the outbox would show their links to the whole network")
	} else {
		fmt.Fprintf(out, "  mails   %s/outbox and this log; none is sent\n", baseURL)
	}
	if db.pool == nil {
		fmt.Fprintln(out, "  store   memory; it is empty after a restart")
	} else {
		fmt.Fprintf(out, "  store   %s\n", db.shown)
	}
	fmt.Fprintf(out, "  secret  %s\n", secret.origin)
	for _, p := range providers {
		if p.ID == demoID {
			fmt.Fprintf(out, "  sign-in at a demonstration provider, %s, as the environment names none\n", strings.TrimSuffix(p.DiscoveryURL, "/.well-known/openid-configuration"))
			continue
		}
		fmt.Fprintf(out, "  sign-in at %s, where the redirect URI is %s/api/auth/callback/%s\n", p.Name, baseURL, p.ID)
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
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	defer cancel()
	if err := server.Shutdown(ctx); err != nil {
		return errors.Join(err, server.Close())
	}
	return nil
}
