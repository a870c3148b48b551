package main

import (
	"fmt"
	"io"
	"net/http"
	"sync"

	"github.com/seed3b05b409/auth"
)

// orders are what users have ordered, by the id of the user.
type orders struct {
	mu sync.Mutex
	of map[string][]string
}

// newOrders is the service for orders. Without a secret it asks the accounts about
// every request. With it, a copy of the session in the cookies will do where five
// minutes more or less do not matter: reading.
func newOrders(authURL, secret string) (http.Handler, error) {
	reader, err := auth.NewVerifier(auth.VerifierConfig{URL: authURL, Secret: secret})
	if err != nil {
		return nil, err
	}
	buyer, err := auth.NewVerifier(auth.VerifierConfig{URL: authURL, Secret: secret, IgnoreCopies: true})
	if err != nil {
		return nil, err
	}
	o := &orders{of: make(map[string][]string)}
	mux := http.NewServeMux()
	mux.Handle("GET /orders", reader.RequireSession(http.HandlerFunc(o.list)))
	mux.Handle("POST /orders", buyer.RequireSession(http.HandlerFunc(o.place)))
	return http.NewCrossOriginProtection().Handler(mux), nil // cookies come along with forms of other sites too
}

const maxOrder = 4 << 10

func (o *orders) place(w http.ResponseWriter, r *http.Request) {
	text, err := io.ReadAll(http.MaxBytesReader(w, r.Body, maxOrder))
	if err != nil {
		http.Error(w, "the order cannot be read or is too long", http.StatusBadRequest)
		return
	}
	user := auth.SessionFromContext(r.Context()).User // never nil behind RequireSession
	o.mu.Lock()
	defer o.mu.Unlock()
	o.of[user.ID] = append(o.of[user.ID], string(text))
	w.WriteHeader(http.StatusCreated)
}

func (o *orders) list(w http.ResponseWriter, r *http.Request) {
	user := auth.SessionFromContext(r.Context()).User
	o.mu.Lock()
	defer o.mu.Unlock()
	fmt.Fprintf(w, "Orders of %s: %d\n", user.Name, len(o.of[user.ID]))
	for _, order := range o.of[user.ID] {
		fmt.Fprintln(w, order)
	}
}
