package programtest

import (
	"net/http"
	"strings"
	"testing"
)

const form = "application/x-www-form-urlencoded"

func TestMinimal(t *testing.T) {
	p := start(t, "minimal", run{})
	p.visitor().get("/hello").is(http.StatusUnauthorized).says("UNAUTHORIZED")
	v := p.visitor().signUp(ada)
	v.get("/hello").is(http.StatusOK).says("Hello, Ada")
	v.signOut().get("/hello").is(http.StatusUnauthorized)
}

// TestSecretOfEnvironment: AUTH_SECRET is the secret, so that one which is too short is
// refused.
func TestSecretOfEnvironment(t *testing.T) {
	for _, name := range driven() {
		if _, err := (run{env: []string{"AUTH_SECRET=too short"}}).start(t, name); err == nil || !strings.Contains(err.Error(), "needs 32") {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestChi(t *testing.T) {
	p := start(t, "chi", run{})
	stranger := p.visitor()
	stranger.get("/").is(http.StatusOK)
	stranger.get("/notes").is(http.StatusUnauthorized).says("UNAUTHORIZED")
	stranger.do("POST", "/notes", form, "Buy milk").is(http.StatusUnauthorized)

	v := p.visitor().signUp(ada)
	v.get("/notes").is(http.StatusOK).says("Notes of Ada: 0")
	v.do("POST", "/notes", form, "Buy milk").is(http.StatusCreated)
	v.with("Sec-Fetch-Site", "cross-site").do("POST", "/notes", form, "Buy whisky").is(http.StatusForbidden)
	v.do("POST", "/notes", form, strings.Repeat("long ", 1000)).is(http.StatusBadRequest)
	v.get("/notes").is(http.StatusOK).says("Notes of Ada: 1\nBuy milk\n")
	p.visitor().signUp(person{"Grace", "grace@example.com", password}).get("/notes").says("Notes of Grace: 0")
	v.signOut().get("/notes").is(http.StatusUnauthorized)
}

func TestEcho(t *testing.T) {
	p := start(t, "echo", run{})
	stranger := p.visitor()
	stranger.get("/").is(http.StatusOK)
	stranger.get("/me").is(http.StatusUnauthorized).says("UNAUTHORIZED")
	stranger.get("/nowhere").is(http.StatusNotFound) // Echo's own

	v := p.visitor().signUp(ada)
	v.get("/me").is(http.StatusOK).says(`"name":"Ada"`)
	v.do("POST", "/me/name", form, "name=Countess").is(http.StatusNoContent)
	v.get("/me").is(http.StatusOK).says(`"name":"Countess"`)
	v.with("Sec-Fetch-Site", "cross-site").do("POST", "/me/name", form, "name=Eve").is(http.StatusForbidden)
	v.signOut().get("/me").is(http.StatusUnauthorized)
}
