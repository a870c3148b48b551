package programtest

import (
	"net/http"
	"strings"
	"testing"
)

// startServices starts the service with the accounts and the one for orders.
func startServices(t *testing.T, env ...string) (accounts, orders *program) {
	t.Helper()
	accounts = start(t, "microservice", run{env: env})
	return accounts, start(t, "microservice", run{args: []string{"-auth", accounts.url}, env: env})
}

func TestMicroservice(t *testing.T) {
	accounts, orders := startServices(t)
	stranger := orders.visitor()
	stranger.get("/orders").is(http.StatusUnauthorized).says("UNAUTHORIZED")
	stranger.do("POST", "/orders", form, "an engine").is(http.StatusUnauthorized)

	v := accounts.visitor().signUp(ada)
	v.at(orders).get("/orders").is(http.StatusOK).says("Orders of Ada: 0")
	v.at(orders).do("POST", "/orders", form, "an engine").is(http.StatusCreated)
	v.at(orders).with("Sec-Fetch-Site", "cross-site").do("POST", "/orders", form, "a yacht").is(http.StatusForbidden)
	v.at(orders).get("/orders").is(http.StatusOK).says("Orders of Ada: 1\nan engine\n")
	v.signOut().at(orders).get("/orders").is(http.StatusUnauthorized)

	grace := accounts.visitor().signUp(person{"Grace", "grace@example.com", password})
	accounts.kill()
	grace.at(orders).get("/orders").is(http.StatusInternalServerError) // she is not signed out: nobody can tell
}

// TestMicroserviceWithSecret: a copy of the session is good for reading, also while
// nobody answers who could be asked, and for nothing else.
func TestMicroserviceWithSecret(t *testing.T) {
	accounts, orders := startServices(t, "AUTH_SECRET="+strings.Repeat("s", 32))
	v := accounts.visitor().signUp(ada).at(orders)
	v.get("/orders").is(http.StatusOK).says("Orders of Ada: 0")
	v.do("POST", "/orders", form, "an engine").is(http.StatusCreated)

	accounts.kill()
	v.get("/orders").is(http.StatusOK).says("Orders of Ada: 1")
	v.do("POST", "/orders", form, "another").is(http.StatusInternalServerError)
	orders.visitor().get("/orders").is(http.StatusUnauthorized)
}

// TestMicroserviceSignedOut: a copy that somebody has kept places no orders.
func TestMicroserviceSignedOut(t *testing.T) {
	accounts, orders := startServices(t, "AUTH_SECRET="+strings.Repeat("s", 32))
	v := accounts.visitor().signUp(ada)
	kept := v.cookies()
	v.signOut()
	thief := orders.visitor().with("Cookie", kept)
	thief.get("/orders").is(http.StatusOK) // for five minutes
	thief.do("POST", "/orders", form, "a yacht").is(http.StatusUnauthorized)
}
