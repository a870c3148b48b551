package faulttest

import (
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"sync/atomic"
	"testing"

	"github.com/seed3b05b409/auth"
)

// TestUsernamesAtOnce: of those who take one name one gets it, and the others are
// told that it is taken, at sign-up and later.
func TestUsernamesAtOnce(t *testing.T) {
	onEach(t, func(t *testing.T, db *database) {
		s := emptyStage(t, db, func(c *auth.Config) { c.Plugins = []auth.Plugin{&auth.Username{}} })
		for round := range rounds {
			var won, told atomic.Int32
			count := func(status int) {
				switch status {
				case http.StatusOK:
					won.Add(1)
				case http.StatusBadRequest:
					told.Add(1)
				}
			}
			signUp := func(i int) func() {
				return func() {
					count(s.post("", "/sign-up/email", fmt.Sprintf(`{"name":"x","email":"u%d.%d@example.com","password":"password","username":"name%d"}`, round, i, round)))
				}
			}
			rename := func(i int) func() {
				who := fmt.Sprintf("R%c", 'A'+i)
				s.words[who] = s.session(s.direct("/sign-up/email", fmt.Sprintf(`{"name":"x","email":"r%d.%d@example.com","password":"password"}`, round, i)))
				return func() { count(s.post(who, "/update-user", fmt.Sprintf(`{"username":"Name%d"}`, round))) }
			}
			together(signUp(1), signUp(2), signUp(3), rename(1), rename(2), rename(3))
			if won.Load() != 1 || told.Load() != 5 {
				t.Fatalf("round %d: %d have the name, %d were told that it is taken", round, won.Load(), told.Load())
			}
		}
	})
}

// sendingLinks sends links with a known token.
func sendingLinks(c *auth.Config) {
	c.Plugins = []auth.Plugin{&auth.MagicLink{
		Send:          func(context.Context, auth.MagicLinkMail) error { return nil },
		GenerateToken: func(_ context.Context, email string) (string, error) { return "link-for-" + email, nil },
	}}
}

// TestMagicLinksAtOnce: one link is one session.
func TestMagicLinksAtOnce(t *testing.T) {
	onEach(t, func(t *testing.T, db *database) {
		s := emptyStage(t, db, sendingLinks)
		for round := range rounds {
			email := fmt.Sprintf("u%d@example.com", round)
			s.direct("/sign-in/magic-link", `{"email":"`+email+`"}`)
			var won atomic.Int32
			follow := func() {
				w := httptest.NewRecorder()
				s.director.ServeHTTP(w, s.request(http.MethodGet, "/magic-link/verify?token=link-for-"+email, "", ""))
				switch w.Code {
				case http.StatusOK:
					won.Add(1)
				case http.StatusFound: // INVALID_TOKEN
				default:
					log, _ := s.noted()
					s.t.Errorf("%d %s\n%s", w.Code, w.Body, log)
				}
			}
			together(follow, follow, follow, follow, follow, follow)
			if won.Load() != 1 {
				t.Fatalf("round %d: %d sessions of one link", round, won.Load())
			}
		}
	})
}

// mailedLink has a link mailed to an address.
func mailedLink(email string) func(s *stage) {
	return func(s *stage) {
		director := s.director
		defer func() { s.director = director }()
		s.director = s.instance(s.plain, sendingLinks)
		s.direct("/sign-in/magic-link", `{"email":"`+email+`","name":"Cat"}`)
	}
}

// linkScenarios are those of sign-in by links.
var linkScenarios = []scenario{
	{endpoint: "signInMagicLink", config: sendingLinks, post: "/sign-in/magic-link", body: `{"email":"cat@example.com"}`, status: 200, change: "verification+1"},
	{endpoint: "magicLinkVerify", variant: "of somebody new", config: sendingLinks, given: mailedLink("cat@example.com"),
		get: "/magic-link/verify?token=link-for-cat@example.com", status: 200, change: "session+1 user+1 verification-1", again: 302},
	{endpoint: "magicLinkVerify", variant: "of somebody known", config: sendingLinks, given: both(verified, mailedLink("ann@example.com")),
		get: "/magic-link/verify?token=link-for-ann@example.com", status: 200, change: "session+1 verification-1", again: 302},
}

// TestEveryStatementOfALinkFails: a link that signs nobody in is good once more.
func TestEveryStatementOfALinkFails(t *testing.T) {
	onEachInTurn(t, func(t *testing.T, db *database) {
		s := newStage(t, db)
		for i := range linkScenarios {
			sc := &linkScenarios[i]
			s.run(t, sc.name(), func() { s.newTrial(sc, false).failEach(mishaps) })
		}
	})
}
