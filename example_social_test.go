package auth_test

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/cookiejar"
	"net/http/httptest"
	"net/url"
	"strings"

	"github.com/seed3b05b409/auth"
)

// newSocialAuth is an instance whose users sign in at a provider.
func newSocialAuth(baseURL string, provider auth.Provider) *auth.Auth {
	a, err := auth.New(auth.Config{
		BaseURL:   baseURL,
		Secret:    "a secret of at least 32 characters",
		Store:     auth.NewMemoryStore(),
		Providers: []auth.Provider{provider},
		Logger:    slog.New(slog.DiscardHandler),
	})
	if err != nil {
		panic(err)
	}
	return a
}

// acme is a provider that is in no table, at a server of its own.
func acme(server string) auth.Provider {
	return auth.Provider{
		ID:               "acme",
		ClientID:         "client",
		ClientSecret:     "client secret",
		AuthorizationURL: server + "/authorize",
		TokenURL:         server + "/token",
		UserInfoURL:      server + "/user",
		Scopes:           []string{"profile"},
		MapProfile: func(_ context.Context, profile map[string]any, user *auth.ProviderUser) error {
			user.Name, _ = profile["display_name"].(string)
			user.EmailVerified = profile["mail_state"] == "confirmed"
			return nil
		},
	}
}

// startAcme starts that server. It signs everybody in as Ada without asking.
func startAcme() *httptest.Server {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /authorize", func(w http.ResponseWriter, r *http.Request) {
		back := url.Values{"code": {"ada's code"}, "state": {r.FormValue("state")}}
		http.Redirect(w, r, r.FormValue("redirect_uri")+"?"+back.Encode(), http.StatusFound)
	})
	mux.HandleFunc("POST /token", func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		fmt.Fprint(w, `{"access_token":"ada's token","token_type":"Bearer","expires_in":3600,"scope":"profile"}`)
	})
	mux.HandleFunc("GET /user", func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		fmt.Fprint(w, `{"id":1815,"display_name":"Ada Lovelace","email":"ada@example.com","mail_state":"confirmed"}`)
	})
	return httptest.NewServer(mux)
}

func ExampleGoogle() {
	google := auth.Google("client id", "client secret")
	google.Params = map[string]string{"access_type": "offline", "prompt": "consent"} // for a refresh token
	a := newSocialAuth("https://example.com", google)

	out, err := a.API.SignInSocial.Call(context.Background(), auth.SignInSocialRequest{
		Provider: "google", CallbackURL: "/dashboard",
	})
	if err != nil {
		panic(err)
	}
	u, _ := url.Parse(out.URL)
	fmt.Println(u.Host)
	for _, name := range []string{"redirect_uri", "scope", "access_type", "code_challenge_method"} {
		fmt.Println(name, u.Query().Get(name))
	}
	// Output:
	// accounts.google.com
	// redirect_uri https://example.com/api/auth/callback/google
	// scope email profile openid
	// access_type offline
	// code_challenge_method S256
}

func ExampleOIDC() {
	var server *httptest.Server
	server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_ = json.NewEncoder(w).Encode(map[string]any{ // at /.well-known/openid-configuration
			"issuer":                                server.URL,
			"authorization_endpoint":                server.URL + "/login",
			"token_endpoint":                        server.URL + "/token",
			"jwks_uri":                              server.URL + "/keys",
			"id_token_signing_alg_values_supported": []string{"RS256"},
		})
	}))
	defer server.Close()
	a := newSocialAuth("https://example.com", auth.OIDC("work", server.URL, "client id", "client secret"))

	out, err := a.API.SignInSocial.Call(context.Background(), auth.SignInSocialRequest{Provider: "work"})
	if err != nil {
		panic(err)
	}
	u, _ := url.Parse(out.URL)
	fmt.Println(u.Path, u.Query().Get("scope"), u.Query().Has("nonce"))
	// Output: /login openid profile email true
}

// Any OAuth 2.0 server will do. MapProfile makes a user of its profile: a name, an
// address, whether it is verified, and values for additional fields.
func ExampleProvider() {
	provider := auth.Provider{
		ID:               "acme",
		ClientID:         "client id",
		ClientSecret:     "client secret",
		AuthorizationURL: "https://acme.example/authorize",
		TokenURL:         "https://acme.example/token",
		UserInfoURL:      "https://acme.example/api/user",
		Scopes:           []string{"profile"},
		MapProfile: func(_ context.Context, profile map[string]any, user *auth.ProviderUser) error {
			user.Name, _ = profile["display_name"].(string)
			user.EmailVerified = profile["mail_state"] == "confirmed"
			user.Fields = map[string]any{"team": profile["team"]}
			return nil
		},
	}
	a, err := auth.New(auth.Config{
		BaseURL:   "https://example.com",
		Secret:    "a secret of at least 32 characters",
		Store:     auth.NewMemoryStore(),
		User:      auth.UserOptions{Fields: []auth.Column{{Name: "team", Type: auth.TypeString, Nullable: true, Optional: true}}},
		Providers: []auth.Provider{provider},
	})
	if err != nil {
		panic(err)
	}
	out, err := a.API.SignInSocial.Call(context.Background(), auth.SignInSocialRequest{Provider: "acme"})
	if err != nil {
		panic(err)
	}
	fmt.Println(out.URL[:strings.Index(out.URL, "?")])
	// Output: https://acme.example/authorize
}

// A whole sign-in, as a browser sees it.
func Example_signInAtProvider() {
	provider := startAcme()
	defer provider.Close()
	site := httptest.NewUnstartedServer(nil)
	baseURL := "http://" + site.Listener.Addr().String()
	a := newSocialAuth(baseURL, acme(provider.URL))
	site.Config.Handler = a
	site.Start()
	defer site.Close()
	jar, _ := cookiejar.New(nil)
	browser := &http.Client{
		Jar:           jar,
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}

	// The page asks where to go. A cookie binds the answer to this browser.
	body := `{"provider":"acme","callbackURL":"/dashboard","newUserCallbackURL":"/welcome"}`
	resp, err := browser.Post(baseURL+"/api/auth/sign-in/social", "application/json", strings.NewReader(body))
	if err != nil {
		panic(err)
	}
	var answer struct{ URL string }
	_ = json.NewDecoder(resp.Body).Decode(&answer)
	resp.Body.Close()
	fmt.Println("to the provider:", strings.HasPrefix(answer.URL, provider.URL+"/authorize?"))

	// The user says yes, and the provider sends the browser back with a code.
	next := answer.URL
	for range 2 {
		resp, err := browser.Get(next)
		if err != nil {
			panic(err)
		}
		resp.Body.Close()
		next = resp.Header.Get("Location")
		path, _, _ := strings.Cut(next, "?")
		fmt.Println("then to:", strings.TrimPrefix(path, baseURL))
	}

	// The callback has made a user and a session.
	resp, err = browser.Get(baseURL + "/api/auth/get-session")
	if err != nil {
		panic(err)
	}
	defer resp.Body.Close()
	var session auth.SessionData
	if err := json.NewDecoder(resp.Body).Decode(&session); err != nil {
		panic(err)
	}
	fmt.Println("signed in:", session.User.Name, session.User.Email, session.User.EmailVerified)
	// Output:
	// to the provider: true
	// then to: /api/auth/callback/acme
	// then to: /welcome
	// signed in: Ada Lovelace ada@example.com true
}

// A provider's access token is for calls of its API on the user's behalf. It is
// refreshed when it has expired, if the provider has given a refresh token.
func Example_accessToken() {
	provider := startAcme()
	defer provider.Close()
	a := newSocialAuth("https://example.com", acme(provider.URL))
	request := signedInAt(a) // with Ada's cookies
	ctx := request.Context()

	accounts, err := a.API.ListUserAccounts.Call(ctx, auth.Empty{}, auth.WithRequest(request))
	if err != nil {
		panic(err)
	}
	token, err := a.API.GetAccessToken.Call(ctx, auth.AccountRequest{AccountID: accounts[0].ID}, auth.WithRequest(request))
	if err != nil {
		panic(err)
	}
	fmt.Println(accounts[0].ProviderID, accounts[0].AccountID, token.AccessToken, token.Scopes)

	// A job that has no request names the user.
	token, err = a.API.GetAccessToken.Call(ctx, auth.AccountRequest{AccountID: accounts[0].ID, UserID: accounts[0].UserID})
	fmt.Println(token.AccessToken, err)
	// Output:
	// acme 1815 ada's token [profile]
	// ada's token <nil>
}

// signedInAt signs Ada in and returns a request with her cookies.
func signedInAt(a *auth.Auth) *http.Request {
	start := httptest.NewRequest("POST", "https://example.com/api/auth/sign-in/social", bytes.NewBufferString(`{"provider":"acme"}`))
	start.Header.Set("Content-Type", "application/json")
	began := httptest.NewRecorder()
	a.ServeHTTP(began, start)
	u, _ := url.Parse(began.Header().Get("Location"))
	query := url.Values{"code": {"ada's code"}, "state": {u.Query().Get("state")}}
	callback := httptest.NewRequest("GET", "https://example.com/api/auth/callback/acme?"+query.Encode(), nil)
	for _, cookie := range began.Result().Cookies() {
		callback.AddCookie(cookie)
	}
	ended := httptest.NewRecorder()
	a.ServeHTTP(ended, callback)
	page := httptest.NewRequest("GET", "https://example.com/", nil)
	for _, cookie := range ended.Result().Cookies() {
		page.AddCookie(cookie)
	}
	return page
}
