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

	v.at(orders).get("/account").is(http.StatusOK).says("Ada is signed in 1 times.")
	v.at(orders).with("Sec-Fetch-Site", "cross-site").do("POST", "/account", form, "name=Eve").is(http.StatusForbidden)
	v.at(orders).do("POST", "/account", form, "name=Countess").is(http.StatusNoContent)
	v.at(orders).get("/account").says("Countess is signed in 1 times.")
	v.at(orders).get("/orders").says("Orders of Countess: 1")
	accounts.visitor().signIn(ada).at(orders).get("/account").says("signed in 2 times.")
	stranger.get("/account").is(http.StatusUnauthorized)
	stranger.do("POST", "/account", form, "name=Nobody").is(http.StatusUnauthorized)
	v.signOut().at(orders).get("/orders").is(http.StatusUnauthorized)

	grace := accounts.visitor().signUp(person{"Grace", "grace@example.com", password})
	accounts.kill()
	grace.at(orders).get("/orders").is(http.StatusInternalServerError) // she is not signed out: nobody can tell
	grace.at(orders).get("/account").is(http.StatusInternalServerError)
	grace.at(orders).do("POST", "/account", form, "name=G").is(http.StatusBadGateway)
}

// TestMicroserviceWithSecret: a copy of the session is good for reading, also while
// nobody answers who could be asked, and for nothing else.
func TestMicroserviceWithSecret(t *testing.T) {
	accounts, orders := startServices(t, "AUTH_SECRET="+strings.Repeat("s", 32))
	v := accounts.visitor().signUp(ada).at(orders)
	v.get("/orders").is(http.StatusOK).says("Orders of Ada: 0")
	v.do("POST", "/orders", form, "an engine").is(http.StatusCreated)
	v.do("POST", "/account", form, "name=Countess").is(http.StatusNoContent)

	accounts.kill()
	v.get("/orders").is(http.StatusOK).says("Orders of Countess: 1") // the copy came with the new name
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
