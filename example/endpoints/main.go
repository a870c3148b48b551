// Command endpoints has endpoints of its own beside those of package auth: bookmarks,
// which people keep for themselves. Each is one typed function with validation, errors
// and hooks, which HTTP clients reach and Go code calls. Everything is kept in memory
// and gone when the program ends.
//
//	go run ./example/endpoints
//
// In another terminal:
//
//	curl -c jar -H 'Content-Type: application/json' localhost:3000/api/auth/sign-up/email \
//		-d '{"name":"Ada","email":"ada@example.com","password":"correct horse"}'
//	curl -b jar -H 'Content-Type: application/json' localhost:3000/api/bookmarks \
//		-d '{"url":"https://go.dev","title":"Go"}'
//	curl -b jar 'localhost:3000/api/bookmarks?limit=5'
//	curl -b jar localhost:3000/   # a handler that calls the endpoint as a function
//	curl -i -b jar -X DELETE localhost:3000/api/bookmarks/7   # 404: BOOKMARK_NOT_FOUND
//	curl -i -b jar -H 'Content-Type: application/json' localhost:3000/api/bookmarks -d '{"url":"ftp://go.dev"}'   # 400: VALIDATION_ERROR
//	curl -i localhost:3000/api/bookmarks   # 401: nobody is signed in
//	curl localhost:3000/openapi.json   # what clients are generated from
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
	"log"
	"net"
	"net/http"
	"os"
	"os/signal"
	"syscall"
	"time"

	"github.com/seed3b05b409/auth"
)

func main() {
	addr := flag.String("addr", "localhost:3000", "`address` to listen on")
	flag.Parse()
	b := newBookmarks()
	a, err := auth.New(auth.Config{
		BaseURL:       "http://" + *addr,
		Secret:        cmp.Or(os.Getenv("AUTH_SECRET"), rand.Text()+rand.Text()),
		Store:         auth.NewMemoryStore(),
		EmailPassword: auth.EmailPassword{Enabled: true},
		DatabaseHooks: auth.DatabaseHooks{User: auth.EntityHooks[auth.User]{AfterCreate: b.welcome}},
	})
	if err != nil {
		log.Fatal(err)
	}
	if err := serve(*addr, routes(a, b)); err != nil {
		log.Fatal(err)
	}
}

// routes serves both kinds of endpoints. Those of auth protect themselves. One's own
// are guarded as any handler is: RequireSession says who calls, and as cookies come
// along with forms of other sites too, CrossOriginProtection keeps these out.
func routes(a *auth.Auth, b *bookmarks) http.Handler {
	own := http.NewServeMux()
	own.Handle("POST /api/bookmarks", b.Add)
	own.Handle("GET /api/bookmarks", b.List)
	own.Handle("DELETE /api/bookmarks/{id}", b.Remove)
	own.HandleFunc("GET /{$}", b.page)
	mux := http.NewServeMux()
	mux.Handle("/api/auth/", a)
	mux.Handle("GET /openapi.json", a.OpenAPI(b.Add, b.List, b.Remove)) // both kinds in one document
	mux.Handle("/", http.NewCrossOriginProtection().Handler(a.RequireSession(own)))
	return mux
}

// page calls an endpoint as a function. The context of the request has the session
// in it.
func (b *bookmarks) page(w http.ResponseWriter, r *http.Request) {
	list, err := b.List.Call(r.Context(), listRequest{Limit: 3})
	if err != nil {
		http.Error(w, "please try again later", http.StatusInternalServerError)
		return
	}
	fmt.Fprintf(w, "The latest of %d bookmarks of %s:\n", list.Total, auth.SessionFromContext(r.Context()).User.Name)
	for _, bookmark := range list.Bookmarks {
		fmt.Fprintf(w, "%s %s\n", bookmark.Title, bookmark.URL)
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
