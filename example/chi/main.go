// Command chi has the endpoints and a guarded group of routes in a router of
// github.com/go-chi/chi. Everything is kept in memory and gone when the program ends.
//
//	go run ./example/chi
//
// In another terminal:
//
//	curl -c jar -H 'Content-Type: application/json' localhost:3000/api/auth/sign-up/email \
//		-d '{"name":"Ada","email":"ada@example.com","password":"correct horse"}'
//	curl -b jar localhost:3000/notes -d 'Buy milk'
//	curl -b jar localhost:3000/notes
//	curl -i localhost:3000/notes   # 401: nobody is signed in
//	curl -i -b jar -H 'Sec-Fetch-Site: cross-site' localhost:3000/notes -d 'Buy whisky'   # 403: as from another site
//
// The flag -addr takes another address. AUTH_SECRET, at least 32 bytes, signs the
// cookies; without it a secret is made for this run.
package main

import (
	"cmp"
	"context"
	"crypto/rand"
	"errors"
	"flag"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"os"
	"os/signal"
	"sync"
	"syscall"
	"time"

	"github.com/go-chi/chi/v5"
	"github.com/go-chi/chi/v5/middleware"

	"github.com/seed3b05b409/auth"
)

func main() {
	addr := flag.String("addr", "localhost:3000", "`address` to listen on")
	flag.Parse()
	a, err := auth.New(auth.Config{
		BaseURL:       "http://" + *addr,
		Secret:        cmp.Or(os.Getenv("AUTH_SECRET"), rand.Text()+rand.Text()),
		Store:         auth.NewMemoryStore(),
		EmailPassword: auth.EmailPassword{Enabled: true},
	})
	if err != nil {
		log.Fatal(err)
	}
	if err := serve(*addr, routes(a)); err != nil {
		log.Fatal(err)
	}
}

func routes(a *auth.Auth) http.Handler {
	r := chi.NewRouter()
	r.Use(middleware.Recoverer)
	r.Handle("/api/auth/*", a) // checks origins and limits rates by itself
	r.Get("/", func(w http.ResponseWriter, r *http.Request) {
		fmt.Fprintln(w, "Everybody may read this.")
	})
	r.Group(func(r chi.Router) {
		r.Use(http.NewCrossOriginProtection().Handler) // cookies come along with forms of other sites too
		r.Use(a.RequireSession)
		notes := &notes{of: make(map[string][]string)}
		r.Get("/notes", notes.list)
		r.Post("/notes", notes.add)
	})
	return r
}

// notes are what users have written, by the id of the user.
type notes struct {
	mu sync.Mutex
	of map[string][]string
}

const maxNote = 4 << 10

func (n *notes) add(w http.ResponseWriter, r *http.Request) {
	text, err := io.ReadAll(http.MaxBytesReader(w, r.Body, maxNote))
	if err != nil {
		http.Error(w, "the note cannot be read or is too long", http.StatusBadRequest)
		return
	}
	user := auth.SessionFromContext(r.Context()).User // never nil behind RequireSession
	n.mu.Lock()
	defer n.mu.Unlock()
	n.of[user.ID] = append(n.of[user.ID], string(text))
	w.WriteHeader(http.StatusCreated)
}

func (n *notes) list(w http.ResponseWriter, r *http.Request) {
	user := auth.SessionFromContext(r.Context()).User
	n.mu.Lock()
	defer n.mu.Unlock()
	fmt.Fprintf(w, "Notes of %s: %d\n", user.Name, len(n.of[user.ID]))
	for _, note := range n.of[user.ID] {
		fmt.Fprintln(w, note)
	}
}

// serve answers requests until the program is told to end, then gives those that run
// ten seconds to finish.
func serve(addr string, handler http.Handler) error {
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
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	ended := make(chan error, 1)
	context.AfterFunc(ctx, func() {
		stop() // a second Ctrl-C ends the program at once
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
