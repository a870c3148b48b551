package main

import (
	"context"
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/seed3b05b409/auth"
)

// The tokens of an account can be refreshed, each refresh token once.
func TestTokensOfDemoProvider(t *testing.T) {
	s := startSocial(t)
	s.browser(t).with("/sign-in/social").as("ada").at("/account")
	account := onlyAccount(t, s)
	first, err := s.auth.API.GetAccessToken.Call(t.Context(), account)
	if err != nil || first.AccessToken == "" {
		t.Fatalf("%+v, %v", first, err)
	}
	refreshed, err := s.auth.API.RefreshToken.Call(t.Context(), account)
	if err != nil || refreshed.AccessToken == first.AccessToken || refreshed.RefreshToken == "" {
		t.Fatalf("%+v, %v", refreshed, err)
	}
	again, err := s.auth.API.RefreshToken.Call(t.Context(), account)
	if err != nil || again.RefreshToken == refreshed.RefreshToken {
		t.Fatalf("%+v, %v", again, err)
	}
	info, err := s.auth.API.AccountInfo.Call(t.Context(), auth.AccountInfoRequest{AccountID: account.AccountID, UserID: account.UserID})
	if err != nil || info.User.Name != "Ada Lovelace" || info.Account.AccountID != "ada" {
		t.Fatalf("%+v, %v", info, err)
	}
}

// onlyAccount is the one account in the database.
func onlyAccount(t *testing.T, s *server) auth.AccountRequest {
	t.Helper()
	var found auth.AccountRequest
	rows, err := s.db.pool.QueryContext(context.Background(), `SELECT id, userId FROM account`)
	if err != nil {
		t.Fatal(err)
	}
	defer rows.Close()
	for rows.Next() {
		if err := rows.Scan(&found.AccountID, &found.UserID); err != nil {
			t.Fatal(err)
		}
	}
	return found
}

// The provider takes nothing that does not have what a careful client sends.
func TestDemoProviderRefuses(t *testing.T) {
	s := startSocial(t)
	b := s.browser(t)
	next, err := url.Parse(onward(b.post("/sign-in/social", "provider", demoID)))
	if err != nil {
		t.Fatal(err)
	}
	b.client.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	for _, c := range []struct {
		why, name, value string
		status           int
		leads            string // to a URL with this in it
	}{
		{"what the site sends", "state", "x", http.StatusFound, "/choose?id="},
		{"no PKCE", "code_challenge", "", http.StatusFound, "error=invalid_request"},
		{"plain PKCE", "code_challenge_method", "plain", http.StatusFound, "error=invalid_request"},
		{"a redirect to another place", "redirect_uri", "http://127.0.0.1:1/", http.StatusBadRequest, ""},
		{"another client", "client_id", "other", http.StatusBadRequest, ""},
	} {
		query := next.Query()
		query.Set(c.name, c.value)
		u := *next
		u.RawQuery = query.Encode()
		p := b.open(u.String())
		if location := p.header.Get("Location"); p.status != c.status || !strings.Contains(location, c.leads) {
			t.Errorf("%s: status %d, leads to %q", c.why, p.status, location)
		}
	}
}
