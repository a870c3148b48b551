// Command minimal is the smallest server with accounts: people sign up and in, and
// one handler knows who they are. Everything is kept in memory and gone when the
// program ends.
//
//	go run ./example/minimal
//
// In another terminal, sign up, keep the cookie and be recognised:
//
//	curl -c jar -H 'Content-Type: application/json' localhost:3000/api/auth/sign-up/email \
//		-d '{"name":"Ada","email":"ada@example.com","password":"correct horse"}'
//	curl -b jar localhost:3000/api/auth/get-session
//	curl -b jar localhost:3000/hello
//	curl -i localhost:3000/hello   # 401: nobody is signed in
//
// The flag -addr takes another address. AUTH_SECRET, at least 32 bytes, signs the
// cookies; without it a secret is made for this run.
package main

import (
	"cmp"
	"crypto/rand"
	"flag"
	"fmt"
	"log"
	"net"
	"net/http"
	"os"
	"time"

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
	http.Handle("/api/auth/", a)
	http.Handle("GET /hello", a.RequireSession(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		fmt.Fprintln(w, "Hello,", auth.SessionFromContext(r.Context()).User.Name)
	})))
	listener, err := net.Listen("tcp", *addr)
	if err != nil {
		log.Fatal(err)
	}
	log.Printf("serving at http://%s", *addr)
	server := &http.Server{ReadTimeout: 15 * time.Second}
	log.Fatal(server.Serve(listener))
}
