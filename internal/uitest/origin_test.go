package uitest

import (
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"

	"github.com/seed3b05b409/auth"
	"github.com/seed3b05b409/auth/internal/testdb"
)

// allowOrigins is the middleware of docs/front-ends.md.
func allowOrigins(next http.Handler, origins ...string) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		h, origin := w.Header(), r.Header.Get("Origin")
		h.Add("Vary", "Origin")
		if slices.Contains(origins, origin) {
			h.Set("Access-Control-Allow-Origin", origin)
			h.Set("Access-Control-Allow-Credentials", "true")
			if r.Method == http.MethodOptions {
				h.Set("Access-Control-Allow-Methods", "GET, POST")
				h.Set("Access-Control-Allow-Headers", "Content-Type")
				h.Set("Access-Control-Max-Age", "7200")
				w.WriteHeader(http.StatusNoContent)
				return
			}
		}
		next.ServeHTTP(w, r)
	})
}

// TestOtherOrigin has the pages at one origin and the server at another: what
// docs/front-ends.md says of that.
func TestOtherOrigin(t *testing.T) {
	findBrowser(t)
	built := build(t)
	for _, test := range []struct {
		name      string
		host      string // of the pages
		configure func(c *auth.Config, pages string)
		deaf      bool   // without the middleware
		refused   string // what the page says of the sign-up
		forgets   bool   // the browser keeps no cookie
	}{
		{name: "same site", host: "127.0.0.1", configure: trust},
		{name: "not trusted", host: "127.0.0.1", configure: func(*auth.Config, string) {}, refused: "Invalid origin"},
		{name: "no CORS", host: "127.0.0.1", configure: trust, deaf: true, refused: "Failed to fetch"},
		{name: "other site", host: "localhost", configure: trust, forgets: true},
		{name: "other site, partitioned", host: "localhost", configure: func(c *auth.Config, pages string) {
			trust(c, pages)
			c.Cookies.Default = auth.CookieAttributes{SameSite: http.SameSiteNoneMode, Partitioned: true}
		}},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			var handler http.Handler
			server := httptest.NewTLSServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { handler.ServeHTTP(w, r) }))
			t.Cleanup(server.Close)
			pages := httptest.NewTLSServer(files(t, built, server.URL))
			t.Cleanup(pages.Close)
			origin := strings.Replace(pages.URL, "127.0.0.1", test.host, 1)

			s := &site{origin: server.URL, db: testdb.SQLite.Open(t), mails: make(chan mail, 16)}
			c := config(t, s)
			test.configure(&c, origin)
			handler = newAuth(t, c)
			if !test.deaf {
				handler = allowOrigins(handler, origin)
			}

			b := open(t, s).goTo(origin+"/hooks/sign-up").fill("name", name, "email", email, "password", firstPassword).press("Join")
			users := 1
			switch {
			case test.refused != "":
				b.sees(test.refused)
				users = 0
			case test.forgets:
				b.sees("Join: done").goTo(origin + "/hooks/sign-up").sees("Join").lacks("Hello")
			default:
				b.sees("Hello, " + name).goTo(origin + "/hooks").sees("Hello, " + name).press("Leave").sees("Leave: done").goTo(origin + "/hooks").sees("Enter")
			}
			if got := s.get(t, `SELECT count(*) FROM user`); got != []string{"0", "1"}[users] {
				t.Errorf("%s users, want %d", got, users)
			}
			b.shoot("end")
		})
	}
}

func trust(c *auth.Config, pages string) { c.TrustedOrigins = []string{pages} }
