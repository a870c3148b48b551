// Command instances is a server that runs several times: users are in PostgreSQL,
// sessions and the counts of the rate limit in Redis, and nothing that matters is in
// one process alone. Behind a proxy, which is the same program with the flag -proxy,
// any instance may end and nobody is signed out.
//
// It needs both servers, which the flags -db and -redis name. Where there are none:
//
//	docker run -d -p 5432:5432 -e POSTGRES_HOST_AUTH_METHOD=trust postgres
//	docker run -d -p 6379:6379 redis
//
// All instances share one secret. Each command in a terminal of its own, the first
// line in all of them with the same value:
//
//	export AUTH_SECRET=at-least-32-bytes-that-nobody-can-guess
//	go run ./example/instances -addr localhost:3001
//	go run ./example/instances -addr localhost:3002
//	go run ./example/instances -proxy localhost:3001,localhost:3002
//
// In one more terminal:
//
//	curl -c jar -H 'Content-Type: application/json' localhost:3000/api/auth/sign-up/email \
//		-d '{"name":"Ada","email":"ada@example.com","password":"correct horse"}'
//	curl -b jar localhost:3000/whoami
//	curl -b jar localhost:3000/whoami   # the other instance
//
// End one of the instances with Ctrl-C, or kill -9, and ask again. The fourth wrong
// password within ten seconds is refused, whichever instances had the first three:
//
//	for i in 1 2 3 4; do
//		curl -H 'Content-Type: application/json' localhost:3000/api/auth/sign-in/email \
//			-d '{"email":"ada@example.com","password":"wrong"}'   # 401, and 429 in the end
//	done
//
// Where browsers find the proxy is for the flag -url to say.
package main

import (
	"context"
	"database/sql"
	"errors"
	"flag"
	"fmt"
	"log"
	"log/slog"
	"net"
	"net/http"
	"os"
	"os/signal"
	"strings"
	"syscall"
	"time"

	_ "github.com/jackc/pgx/v5/stdlib"
	"github.com/redis/go-redis/v9"

	"github.com/seed3b05b409/auth"
	"github.com/seed3b05b409/auth/redisstorage"
)

// options are what people choose.
type options struct {
	addr, baseURL           string
	database, redis, prefix string
	proxy                   string
}

func main() {
	var o options
	flag.StringVar(&o.addr, "addr", "localhost:3000", "`address` to listen on")
	flag.StringVar(&o.baseURL, "url", "http://localhost:3000", "`URL` at which browsers find all instances together")
	flag.StringVar(&o.database, "db", "postgres://postgres@localhost:5432/postgres", "`URL` of the PostgreSQL database")
	flag.StringVar(&o.redis, "redis", "redis://localhost:6379", "`URL` of the Redis")
	flag.StringVar(&o.prefix, "prefix", redisstorage.DefaultPrefix, "`text` before every key in the Redis")
	flag.StringVar(&o.proxy, "proxy", "", "be the proxy in front of these `addresses`, separated by commas")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	context.AfterFunc(ctx, stop) // a second Ctrl-C ends the program at once
	var err error
	if o.proxy != "" {
		err = serve(ctx, o.addr, newProxy(strings.Split(o.proxy, ",")))
	} else {
		err = run(ctx, o)
	}
	if err != nil {
		log.Fatal(err)
	}
}

// run is one instance.
func run(ctx context.Context, o options) error {
	db, err := sql.Open("pgx", o.database)
	if err != nil {
		return err
	}
	defer db.Close()
	db.SetMaxOpenConns(16) // times the number of instances is what PostgreSQL has to allow
	db.SetMaxIdleConns(16)
	db.SetConnMaxIdleTime(3 * time.Minute)
	at, err := redis.ParseURL(o.redis)
	if err != nil {
		return err
	}
	client := redis.NewClient(at)
	defer client.Close()
	a, err := newAuth(o, db, client)
	if err != nil {
		return err
	}
	if err := a.Migrate(ctx); err != nil { // instances that start together take turns
		return err
	}
	go cleanUp(ctx, a)
	return serve(ctx, o.addr, routes(a, o.addr))
}

func newAuth(o options, db *sql.DB, client *redis.Client) (*auth.Auth, error) {
	secret := os.Getenv("AUTH_SECRET")
	if secret == "" {
		return nil, errors.New("AUTH_SECRET is missing: a cookie of one instance is good at the others if they share a secret")
	}
	return auth.New(auth.Config{
		BaseURL:          o.baseURL,
		Secret:           secret,
		Store:            auth.NewSQLStore(db, auth.PostgreSQL),
		SecondaryStorage: redisstorage.New(client, redisstorage.Options{Prefix: o.prefix}),
		EmailPassword:    auth.EmailPassword{Enabled: true},
		// Redis answers, and the rows remain if it loses something.
		Session: auth.SessionOptions{StoreInDatabase: true},
		// The proxy says in X-Forwarded-For whose request it is. It is believed on this
		// machine only; elsewhere TrustedProxies names its addresses.
		ClientAddress: auth.ClientAddress{TrustedProxies: nil},
	})
}

func routes(a *auth.Auth, addr string) http.Handler {
	mux := http.NewServeMux()
	mux.Handle("/api/auth/", a)
	mux.Handle("GET /whoami", a.RequireSession(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		fmt.Fprintf(w, "You are %s, says %s.\n", auth.SessionFromContext(r.Context()).User.Name, addr)
	})))
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Instance", addr)
		mux.ServeHTTP(w, r)
	})
}

// cleanUp removes rows that have expired, in every instance: they do not get in each
// other's way.
func cleanUp(ctx context.Context, a *auth.Auth) {
	for tick := time.Tick(time.Hour); ; {
		select {
		case <-ctx.Done():
			return
		case <-tick:
		}
		if err := a.Cleanup(ctx); err != nil && ctx.Err() == nil {
			slog.Error("expired rows remain", "error", err)
		}
	}
}

// serve answers requests until ctx ends, then gives those that run ten seconds to
// finish: the proxy meanwhile sends new ones to other instances.
func serve(ctx context.Context, addr string, handler http.Handler) error {
	listener, err := net.Listen("tcp", addr)
	if err != nil {
		return err
	}
	server := &http.Server{
		Handler:           handler,
		ReadHeaderTimeout: 5 * time.Second,
		ReadTimeout:       15 * time.Second,
		WriteTimeout:      30 * time.Second,
		IdleTimeout:       2 * time.Minute,
	}
	ended := make(chan error, 1)
	context.AfterFunc(ctx, func() {
		ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
		defer cancel()
		ended <- server.Shutdown(ctx)
	})
	log.Printf("serving at http://%s", addr)
	if err := server.Serve(listener); !errors.Is(err, http.ErrServerClosed) {
		return err
	}
	return <-ended
}
