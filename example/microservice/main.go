// Command microservice is two services, each a process: one with the accounts, and one
// for orders that has neither their database nor their endpoints and asks the first who
// calls. Everything is kept in memory and gone when the programs end.
//
//	go run ./example/microservice
//	go run ./example/microservice -addr localhost:3001 -auth http://localhost:3000   # in another terminal
//
// In a third one, sign up at the first and order at the second:
//
//	curl -c jar -H 'Content-Type: application/json' localhost:3000/api/auth/sign-up/email \
//		-d '{"name":"Ada","email":"ada@example.com","password":"correct horse"}'
//	curl -b jar localhost:3001/orders -d 'a difference engine'
//	curl -b jar localhost:3001/orders
//	curl -b jar -c jar localhost:3001/account -d name=Countess   # the second changes it at the first
//	curl -b jar localhost:3001/account
//	curl -b jar -H 'Origin: http://localhost:3000' -X POST localhost:3000/api/auth/sign-out
//	curl -i -b jar localhost:3001/orders -d 'another one'   # 401: the session has ended
//
// With the same AUTH_SECRET, at least 32 bytes, the second service need not ask about
// every request: the first signs copies of sessions, good for five minutes, which it
// can check. Orders are placed by those only who are signed in at this moment.
package main

import (
	"context"
	"errors"
	"flag"
	"log"
	"net"
	"net/http"
	"os"
	"os/signal"
	"syscall"
	"time"
)

func main() {
	addr := flag.String("addr", "localhost:3000", "`address` to listen on")
	authURL := flag.String("auth", "", "`URL` of the service with the accounts; with it this is the one for orders")
	flag.Parse()
	secret := os.Getenv("AUTH_SECRET")
	var handler http.Handler
	var err error
	if *authURL == "" {
		handler, err = newAccounts("http://"+*addr, secret)
	} else {
		handler, err = newOrders(*authURL, secret)
	}
	if err != nil {
		log.Fatal(err)
	}
	if err := serve(*addr, handler); err != nil {
		log.Fatal(err)
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
