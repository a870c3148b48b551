package faulttest

import (
	"context"
	"encoding/base64"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"sync"

	"github.com/seed3b05b409/auth"
)

// acme is a provider without a network. What it hands out is a generation and an
// address, such as "1.ann@example.com": that is a code, and the tokens for it are
// "access 1.ann@example.com" and "refresh 1.ann@example.com". Refreshing makes the
// next generation. A refresh token is good once, and so is a code that begins with
// "once ".
type acme struct {
	mu    sync.Mutex
	spent map[string]bool // refresh tokens and codes
}

// acmeProvider is its configuration, under any id.
func acmeProvider(id string) auth.Provider {
	return auth.Provider{
		ID: id, ClientID: "app", ClientSecret: "the app's secret",
		AuthorizationURL: "https://acme.test/authorize", TokenURL: "https://acme.test/token", UserInfoURL: "https://acme.test/userinfo",
		VerifyIDToken: func(_ context.Context, token, _ string) bool { return strings.HasSuffix(token, ".signed") },
	}
}

func (a *acme) RoundTrip(r *http.Request) (*http.Response, error) {
	status, body := http.StatusOK, ""
	if r.URL.Path == "/token" {
		text, err := io.ReadAll(r.Body)
		if err != nil {
			return nil, err
		}
		form, err := url.ParseQuery(string(text))
		if err != nil {
			return nil, err
		}
		status, body = a.token(form)
	} else {
		_, email := generation(strings.TrimPrefix(r.Header.Get("Authorization"), "Bearer access "))
		body = profile(email)
	}
	return &http.Response{
		StatusCode: status, Header: http.Header{"Content-Type": {"application/json"}},
		Body: io.NopCloser(strings.NewReader(body)), Request: r,
	}, nil
}

func (a *acme) token(form url.Values) (status int, body string) {
	grant, refresh := form.Get("code"), form.Get("refresh_token")
	grant, once := strings.CutPrefix(grant, "once ")
	if once && !a.spend("code "+grant) || refresh != "" && !a.spend(refresh) {
		return http.StatusBadRequest, `{"error":"invalid_grant"}`
	}
	if refresh != "" {
		n, email := generation(strings.TrimPrefix(refresh, "refresh "))
		grant = fmt.Sprint(n+1, ".", email)
	}
	return http.StatusOK, fmt.Sprintf(
		`{"access_token":"access %s","refresh_token":"refresh %s","expires_in":3600,"scope":"mail"}`, grant, grant)
}

// spend reports whether something is spent for the first time.
func (a *acme) spend(token string) bool {
	a.mu.Lock()
	defer a.mu.Unlock()
	before := a.spent[token]
	a.spent[token] = true
	return !before
}

// forgive makes good again what is spent.
func (a *acme) forgive() {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.spent = make(map[string]bool)
}

func generation(grant string) (n int, email string) {
	number, email, _ := strings.Cut(grant, ".")
	n, _ = strconv.Atoi(number)
	return n, email
}

func profile(email string) string {
	return fmt.Sprintf(`{"id":"at acme: %s","sub":"at acme: %s","email":%q,"email_verified":true,"name":"Somebody"}`, email, email, email)
}

// idTokenOf is an id_token that acme takes for its own.
func idTokenOf(email string) string {
	return "e30." + base64.RawURLEncoding.EncodeToString([]byte(profile(email))) + ".signed"
}

// begin begins a flow and keeps its state and cookie as $STATE and $FLOW.
func (s *stage) begin(as, path, body string) {
	s.t.Helper()
	r := s.directAs(as, path, body)
	for _, c := range r.Cookies() {
		if c.Name == stateCookie {
			s.words["FLOW"] = c.Value
			s.words["STATE"] = bearer(c.Value)
		}
	}
}

const stateCookie = "better-auth.state"

const atAcme = `{"provider":"acme","callbackURL":"/in","errorCallbackURL":"/oops"}`

func signingIn(s *stage) { s.begin("", "/sign-in/social", atAcme) }
func linking(s *stage)   { s.begin("ANN", "/link-social", atAcme) }

// linked gives Ann the account at acme, as $ACME, with the first tokens.
func linked(s *stage) {
	linking(s)
	s.arrive("1.ann@example.com")
	for id, account := range s.db.snapshot(s.t)["account"] {
		if account["providerId"] == "acme" {
			s.words["ACME"] = id
		}
	}
}

// arrive has the director end the flow.
func (s *stage) arrive(code string) {
	s.t.Helper()
	out := s.perform(s.t.Context(), &scenario{get: "/callback/acme?code=" + code + "&state=$STATE"}, s.director)
	if out.status != http.StatusFound || out.header.Get("Location") != "/in" {
		s.t.Fatalf("callback: %d %v", out.status, out.header)
	}
}

// exhausted lets Ann's access token expire.
func exhausted(s *stage) {
	linked(s)
	s.db.exec(s.t, `UPDATE "account" SET "accessTokenExpiresAt" = ? WHERE "id" = ?`, s.db.hourAgo(), s.words["ACME"])
}
