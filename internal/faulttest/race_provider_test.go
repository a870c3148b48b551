package faulttest

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/seed3b05b409/auth"
)

// Two providers, accounts of any address on request.
func twoProviders(c *auth.Config) {
	c.Providers = append(c.Providers, acmeProvider("other"))
	c.Account.Linking.DifferentEmails = true
}

func newRace(t *testing.T, db *database) *stage {
	s := newStage(t, db)
	s.director = s.instance(s.plain, twoProviders)
	return s
}

// A visit is a browser that is at the provider.
type visit struct {
	stage           *stage
	by              *auth.Auth
	provider        string
	state, cookie   string
	session, landed string // where and as whom it has come back
}

// visit begins a flow of a stranger, or one that links to somebody's user.
func (s *stage) visit(as, provider string) *visit {
	path := "/sign-in/social"
	if as != "" {
		path = "/link-social"
	}
	r := s.directAs(as, path, fmt.Sprintf(`{"provider":%q,"callbackURL":"/in","errorCallbackURL":"/oops"}`, provider))
	v := &visit{stage: s, by: s.director, provider: provider}
	for _, c := range r.Cookies() {
		if c.Name == stateCookie {
			v.cookie, v.state = c.Value, bearer(c.Value)
		}
	}
	return v
}

// end comes back with a code.
func (v *visit) end(code string) {
	s := v.stage
	r := s.request(http.MethodGet, "/callback/"+v.provider+"?"+url.Values{"code": {code}, "state": {v.state}}.Encode(), "", "")
	r.Header.Set("Cookie", stateCookie+"="+v.cookie)
	w := httptest.NewRecorder()
	v.by.ServeHTTP(w, r)
	v.landed = w.Header().Get("Location")
	if w.Code != http.StatusFound || strings.Contains(v.landed, "internal_server_error") {
		log, _ := s.noted()
		s.t.Errorf("callback: %d %q %s\n%s", w.Code, v.landed, w.Body, log)
	}
	for _, c := range w.Result().Cookies() {
		if c.Name == tokenCookie {
			v.session = c.Value
		}
	}
}

// ends are what visits do together.
func ends(code string, visits ...*visit) (all []func()) {
	for _, v := range visits {
		all = append(all, func() { v.end(code) })
	}
	return all
}

// signedIn counts the visits that ended with a session which is stored.
func signedIn(state snapshot, visits []*visit) (n int) {
	for _, v := range visits {
		if v.landed == "/in" && hasSession(state, bearer(v.session)) {
			n++
		}
	}
	return n
}

// having counts the rows of a table in which a column has a value.
func having(rows map[string]map[string]string, column, value string) (n int) {
	for _, row := range rows {
		if row[column] == value {
			n++
		}
	}
	return n
}

// belong checks that every session and account is that of a user, and that every
// account is there once.
func belong(t *testing.T, state snapshot) {
	t.Helper()
	for _, table := range []string{"session", "account"} {
		for id, row := range state[table] {
			if _, ok := state["user"][row["userId"]]; !ok {
				t.Errorf("%s %s belongs to nobody", table, id)
			}
		}
	}
	seen := make(map[string]bool)
	for _, row := range state["account"] {
		key := row["providerId"] + " " + row["accountId"]
		if seen[key] {
			t.Errorf("account %s is there twice", key)
		}
		seen[key] = true
	}
}

// TestFirstSignInsAtOnce: a user who comes in several tabs is one user with one
// account, signed in in all of them. It does not matter at which provider, if both
// vouch for the address.
func TestFirstSignInsAtOnce(t *testing.T) {
	for _, tt := range []struct {
		name      string
		providers []string
		accounts  int
	}{
		{"at one provider", []string{"acme", "acme", "acme", "acme", "acme", "acme"}, 1},
		{"at two providers", []string{"acme", "other", "acme", "other", "acme", "other"}, 2},
	} {
		t.Run(tt.name, func(t *testing.T) {
			onEach(t, func(t *testing.T, db *database) {
				s := newRace(t, db)
				for round := range rounds {
					var visits []*visit
					for _, provider := range tt.providers {
						visits = append(visits, s.visit("", provider))
					}
					email := fmt.Sprintf("eve%d@example.com", round)
					together(ends("1."+email, visits...)...)
					state := db.snapshot(t)
					users, accounts := having(state["user"], "email", email), having(state["account"], "accountId", "at acme: "+email)
					if in := signedIn(state, visits); users != 1 || accounts != tt.accounts || in != len(visits) {
						t.Fatalf("round %d: %d users, %d accounts, %d of %d signed in", round, users, accounts, in, len(visits))
					}
					belong(t, state)
				}
			})
		})
	}
}

// TestFirstSignInsAtOnceWithAnyIDs: what makes them one is there for every kind of
// ids.
func TestFirstSignInsAtOnceWithAnyIDs(t *testing.T) {
	for _, kind := range []auth.IDType{auth.IDUUID, auth.IDSerial} {
		t.Run(string(kind), func(t *testing.T) {
			onEach(t, func(t *testing.T, db *database) {
				s := emptyStage(t, db, func(c *auth.Config) { c.IDs = kind })
				visits := []*visit{s.visit("", "acme"), s.visit("", "acme"), s.visit("", "acme")}
				together(ends("1.eve@example.com", visits...)...)
				state := db.snapshot(t)
				if in := signedIn(state, visits); len(state["user"]) != 1 || len(state["account"]) != 1 || in != len(visits) {
					t.Errorf("%d users, %d accounts, %d signed in", len(state["user"]), len(state["account"]), in)
				}
				if len(state["verification"]) != 0 {
					t.Errorf("left behind: %v", state["verification"])
				}
			})
		})
	}
}

// TestTwoUsersLinkAtOnce: an account at a provider becomes one user's, whoever else
// wants it at the same moment, in whatever way and at another server.
func TestTwoUsersLinkAtOnce(t *testing.T) {
	for _, tt := range []struct {
		name  string
		given func(*stage)
		email string // of the account, which Bob wants to have
		rival func(s *stage) func()
	}{
		{"that of a known address", verified, "ann@example.com", func(s *stage) func() { return ends("1.ann@example.com", s.visit("", "acme"))[0] }},
		{"that of a new user", nil, "cat@example.com", func(s *stage) func() { return ends("1.cat@example.com", s.visit("", "acme"))[0] }},
		{"by a request of both", nil, "cat@example.com", func(s *stage) func() { return ends("1.cat@example.com", s.visit("ANN", "acme"))[0] }},
		{"with an id_token", nil, "ann@example.com", func(s *stage) func() { return func() { s.post("ANN", "/link-social", annsToken) } }},
	} {
		t.Run(tt.name, func(t *testing.T) {
			onEach(t, func(t *testing.T, db *database) {
				s := newRace(t, db)
				s.words["BOB"] = s.session(s.direct("/sign-in/email", `{"email":"bob@example.com","password":"password of bob"}`))
				if tt.given != nil {
					tt.given(s)
				}
				db.save(t, "given")
				server := s.instance(s.plain, twoProviders)
				for round := range rounds {
					db.restore(t, "given")
					bob := s.visit("BOB", "acme")
					bob.by = server
					together(tt.rival(s), func() { bob.end("1." + tt.email) })
					state := db.snapshot(t)
					if n := having(state["account"], "accountId", "at acme: "+tt.email); n != 1 {
						t.Fatalf("round %d: %d accounts", round, n)
					}
					belong(t, state)
				}
			})
		})
	}
}

// TestOneCallbackAtOnce: a flow ends once, however often its callback is asked for.
func TestOneCallbackAtOnce(t *testing.T) {
	onEach(t, func(t *testing.T, db *database) {
		s := newRace(t, db)
		for round := range rounds {
			first := s.visit("", "acme")
			visits := make([]*visit, 6)
			for i := range visits {
				copied := *first
				visits[i] = &copied
			}
			email := fmt.Sprintf("eve%d@example.com", round)
			together(ends("1."+email, visits...)...)
			state := db.snapshot(t)
			lost := slices.DeleteFunc(slices.Clone(visits), func(v *visit) bool { return !strings.HasSuffix(v.landed, "error=state_mismatch") })
			if in := signedIn(state, visits); in != 1 || len(lost) != len(visits)-1 {
				t.Fatalf("round %d: %d signed in, %d refused", round, in, len(lost))
			}
		}
	})
}

// TestDeletionWhileLinking: nothing of a user who is deleted while the browser is
// at the provider stays.
func TestDeletionWhileLinking(t *testing.T) {
	onEach(t, func(t *testing.T, db *database) {
		s := newRace(t, db)
		for round := range rounds {
			email := fmt.Sprintf("eve%d@example.com", round)
			s.words["EVE"] = s.session(s.direct("/sign-up/email", fmt.Sprintf(`{"name":"Eve","email":%q,"password":"password of eve"}`, email)))
			linking, other := s.visit("EVE", "acme"), s.visit("EVE", "other")
			together(
				func() { linking.end("1." + email) },
				func() { other.end("1." + email) },
				func() { s.post("EVE", "/delete-user", `{"password":"password of eve"}`) },
			)
			belong(t, db.snapshot(t))
		}
	})
}

// TestRefreshesAtOnce: where a refresh token is good once, requests that find an
// expired access token at the same moment all get a good one, and what is stored
// can be refreshed again.
func TestRefreshesAtOnce(t *testing.T) {
	for _, path := range []string{"/get-access-token", "/refresh-token"} {
		t.Run(path, func(t *testing.T) {
			onEach(t, func(t *testing.T, db *database) {
				s := newRace(t, db)
				linked(s)
				for round := range rounds {
					db.exec(t, `UPDATE "account" SET "accessTokenExpiresAt" = ? WHERE "id" = ?`, db.hourAgo(), s.words["ACME"])
					var mu sync.Mutex
					tokens := make(map[string]int)
					ask := func() {
						w := httptest.NewRecorder()
						s.director.ServeHTTP(w, s.request(http.MethodPost, path, `{"accountId":"$ACME"}`, "ANN"))
						var answer struct{ AccessToken, Code string }
						if err := json.Unmarshal(w.Body.Bytes(), &answer); err != nil {
							t.Error(err)
						}
						mu.Lock()
						defer mu.Unlock()
						tokens[answer.AccessToken+answer.Code]++
					}
					together(ask, ask, ask, ask, ask, ask)
					row := db.snapshot(t)["account"][s.words["ACME"]]
					failed := tokens["FAILED_TO_GET_ACCESS_TOKEN"] + tokens["FAILED_TO_REFRESH_ACCESS_TOKEN"]
					if newest := tokens[row["accessToken"]]; failed > 0 || newest == 0 || path == "/get-access-token" && len(tokens) > 1 {
						t.Fatalf("round %d: %v; stored is %q", round, tokens, row["accessToken"])
					}
					if strings.TrimPrefix(row["accessToken"], "access ") != strings.TrimPrefix(row["refreshToken"], "refresh ") {
						t.Fatalf("round %d: stored are %q and %q", round, row["accessToken"], row["refreshToken"])
					}
				}
			})
		})
	}
}
