package main

import (
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"sync"

	"github.com/seed3b05b409/auth"
)

// orders are what users have ordered, by the id of the user, and the endpoints of the
// accounts as this service has them: the same functions as there, over the network.
type orders struct {
	accounts *auth.Client

	mu sync.Mutex
	of map[string][]string
}

// newOrders is the service for orders. It knows who calls in three ways:
//
//   - A Verifier only reads. Without the secret it asks the accounts about every
//     request; with it, a copy of the session in the cookies will do where five minutes
//     more or less do not matter.
//   - One that ignores copies asks always, for what must not be done by somebody who has
//     been signed out.
//   - A Client asks too, and prolongs the session as the accounts themselves would.
func newOrders(authURL, secret string) (http.Handler, error) {
	reader, readerErr := auth.NewVerifier(auth.VerifierConfig{URL: authURL, Secret: secret})
	buyer, buyerErr := auth.NewVerifier(auth.VerifierConfig{URL: authURL, Secret: secret, IgnoreCopies: true})
	accounts, accountsErr := auth.NewClient(authURL)
	if err := errors.Join(readerErr, buyerErr, accountsErr); err != nil {
		return nil, err
	}
	o := &orders{accounts: accounts, of: make(map[string][]string)}
	mux := http.NewServeMux()
	mux.Handle("GET /orders", reader.RequireSession(http.HandlerFunc(o.list)))
	mux.Handle("POST /orders", buyer.RequireSession(http.HandlerFunc(o.place)))
	mux.Handle("GET /account", accounts.RequireSession(http.HandlerFunc(o.account)))
	mux.HandleFunc("POST /account", o.rename)                // the endpoint that it calls asks for a session
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

func (o *orders) account(w http.ResponseWriter, r *http.Request) {
	sessions, err := o.accounts.API.ListSessions.Call(r.Context(), auth.Empty{}, auth.WithRequest(r))
	if err != nil {
		o.fail(w, r, err)
		return
	}
	fmt.Fprintf(w, "%s is signed in %d times.\n", auth.SessionFromContext(r.Context()).User.Name, len(sessions))
}

// rename changes the name of the user on their behalf. The new copy of the session goes
// to the browser, so that the Verifier knows the name too.
func (o *orders) rename(w http.ResponseWriter, r *http.Request) {
	_, err := o.accounts.API.UpdateUser.Call(r.Context(), auth.UpdateUserRequest{Name: new(r.PostFormValue("name"))},
		auth.WithRequest(r), auth.ForwardHeaders(w))
	if err != nil {
		o.fail(w, r, err)
		return
	}
	w.WriteHeader(http.StatusNoContent)
}

// fail hands on what the accounts have said. Any other error is that they could not be
// asked, or not be understood.
func (o *orders) fail(w http.ResponseWriter, r *http.Request, err error) {
	if refused, ok := errors.AsType[*auth.APIError](err); ok && refused.Status < http.StatusInternalServerError {
		http.Error(w, refused.Message, refused.Status)
		return
	}
	slog.ErrorContext(r.Context(), "the accounts do not answer", "error", err)
	http.Error(w, "please try again later", http.StatusBadGateway)
}
