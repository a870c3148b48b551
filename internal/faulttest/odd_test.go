package faulttest

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/seed3b05b409/auth"
)

// TestOddInput sends what one database or the other has no place for: the answer
// is never a 5xx, and what is refused changes nothing.
func TestOddInput(t *testing.T) {
	long := strings.Repeat("x", 300) + "@example.com"
	for _, tt := range []struct {
		method, path, body, as, agent string
		statuses                      map[auth.Dialect]int // 0: that of SQLite
	}{
		{method: "POST", path: "/sign-up/email", body: `{"name":"a\u0000b","email":"$NEW@example.com","password":"password of eve"}`,
			statuses: map[auth.Dialect]int{auth.SQLite: 200, auth.PostgreSQL: 422, auth.MySQL: 200}},
		{method: "POST", path: "/sign-up/email", body: `{"name":"` + strings.Repeat("é", 300) + `","email":"$NEW@example.com","password":"password of eve"}`,
			statuses: map[auth.Dialect]int{auth.SQLite: 200, auth.MySQL: 422}},
		{method: "POST", path: "/sign-up/email", body: `{"name":"Eve","email":"` + long + `","password":"password of eve"}`,
			statuses: map[auth.Dialect]int{auth.SQLite: 200, auth.MySQL: 422}},
		{method: "POST", path: "/sign-in/email", body: `{"email":"` + long + `","password":"wrong"}`, statuses: map[auth.Dialect]int{auth.SQLite: 401}},
		{method: "POST", path: "/update-user", body: `{"name":"a\u0000b"}`, as: "ANN",
			statuses: map[auth.Dialect]int{auth.SQLite: 200, auth.PostgreSQL: 400}},
		{method: "POST", path: "/update-user", body: `{"image":"` + strings.Repeat("x", 70_000) + `"}`, as: "ANN",
			statuses: map[auth.Dialect]int{auth.SQLite: 200, auth.MySQL: 400}},
		{method: "POST", path: "/update-session", body: `{"theme":"a\u0000b"}`, as: "ANN",
			statuses: map[auth.Dialect]int{auth.SQLite: 200, auth.PostgreSQL: 400}},
		{method: "POST", path: "/revoke-session", body: `{"token":"a\u0000b' OR '1'='1"}`, as: "ANN", statuses: map[auth.Dialect]int{auth.SQLite: 200}},
		{method: "POST", path: "/reset-password", body: `{"token":"\u0000","newPassword":"password of eve"}`, statuses: map[auth.Dialect]int{auth.SQLite: 400}},
		{method: "GET", path: "/reset-password/%00?callbackURL=%2F", statuses: map[auth.Dialect]int{auth.SQLite: 302}},
		{method: "GET", path: "/reset-password/%FF%FE?callbackURL=%2F", statuses: map[auth.Dialect]int{auth.SQLite: 302}},
		{method: "GET", path: "/delete-user/callback?token=%00%FF", as: "ANN", statuses: map[auth.Dialect]int{auth.SQLite: 404}},
		{method: "POST", path: "/unlink-account", body: `{"accountId":"\u0000"}`, as: "ANN", statuses: map[auth.Dialect]int{auth.SQLite: 400}},
		{method: "POST", path: "/sign-in/email", body: anns, agent: "caf\xe9 \xff" + strings.Repeat("x", 100_000), statuses: map[auth.Dialect]int{auth.SQLite: 200}},
	} {
		t.Run(fmt.Sprintf("%s %.60s", tt.path, tt.body), func(t *testing.T) {
			onEachInTurn(t, func(t *testing.T, db *database) {
				s := newStage(t, db)
				s.words["NEW"] = "eve"
				before := db.snapshot(t)
				r := s.request(tt.method, tt.path, tt.body, tt.as)
				if tt.agent != "" {
					r.Header.Set("User-Agent", tt.agent)
				}
				w := httptest.NewRecorder()
				s.director.ServeHTTP(w, r)
				want := tt.statuses[db.Dialect]
				if want == 0 {
					want = tt.statuses[auth.SQLite]
				}
				if w.Code != want {
					t.Errorf("%d, want %d: %s", w.Code, want, w.Body)
				}
				if got := change(before, db.snapshot(t)); w.Code >= http.StatusMultipleChoices && got != "" {
					t.Errorf("refused, but %q", got)
				}
			})
		})
	}
}

// TestOddInputHidesUsers: data that a database refuses must not tell which
// addresses are known where sign-up hides that.
func TestOddInputHidesUsers(t *testing.T) {
	onEachInTurn(t, func(t *testing.T, db *database) {
		s := newStage(t, db)
		s.director = s.instance(s.plain, hidingUsers)
		before := db.snapshot(t)
		for _, name := range []string{`a\u0000b`, strings.Repeat("x", 300)} {
			body := `{"name":"` + name + `","email":"%s@example.com","password":"password of eve"}`
			known := s.post("", "/sign-up/email", fmt.Sprintf(body, "ann"))
			if got := change(before, db.snapshot(t)); got != "" {
				t.Errorf("%q", got)
			}
			if unknown := s.post("", "/sign-up/email", fmt.Sprintf(body, fmt.Sprint("eve", len(name)))); known != unknown {
				t.Errorf("%.10q: %d for a known address, %d for a new one", name, known, unknown)
			}
			before = db.snapshot(t)
		}
	})
}
