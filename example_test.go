package auth_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"

	"github.com/seed3b05b409/auth"
)

// newAuth is the instance of the examples.
func newAuth() *auth.Auth {
	a, err := auth.New(auth.Config{
		BaseURL:       "https://example.com",
		Secret:        "a secret of at least 32 characters",
		Store:         auth.NewMemoryStore(),
		EmailPassword: auth.EmailPassword{Enabled: true},
		Logger:        slog.New(slog.DiscardHandler),
	})
	if err != nil {
		panic(err)
	}
	return a
}

var john = auth.SignUpEmailRequest{Name: "John Doe", Email: "john@doe.com", Password: "correct horse"}

func ExampleNew() {
	a, err := auth.New(auth.Config{
		BaseURL:       "https://example.com",
		Secret:        "a secret of at least 32 characters",
		Store:         auth.NewMemoryStore(),
		EmailPassword: auth.EmailPassword{Enabled: true},
	})
	if err != nil {
		panic(err)
	}
	mux := http.NewServeMux()
	mux.Handle("/api/auth/", a)

	rec := httptest.NewRecorder()
	mux.ServeHTTP(rec, httptest.NewRequest("GET", "/api/auth/ok", nil))
	fmt.Println(rec.Body)
	// Output: {"ok":true}
}

func ExampleNew_mistakes() {
	_, err := auth.New(auth.Config{BaseURL: "example.com", Secret: "short"})
	fmt.Println(err)
	// Output:
	// auth: Config.BaseURL "example.com" is no absolute http or https URL
	// auth: Config.Secret has 5 bytes, it needs 32
	// auth: Config.Store is missing
}

func ExampleEndpoint_Call() {
	a := newAuth()
	ctx := context.Background()

	out, err := a.API.SignUpEmail.Call(ctx, john)
	if err != nil {
		panic(err)
	}
	fmt.Println(out.User.Name, len(*out.Token))

	_, err = a.API.SignInEmail.Call(ctx, auth.SignInEmailRequest{Email: "john@doe.com", Password: "wrong"})
	fmt.Println(errors.Is(err, auth.ErrInvalidEmailOrPassword))
	// Output:
	// John Doe 32
	// true
}

func ExampleReturnHeaders() {
	a := newAuth()
	var header http.Header
	_, err := a.API.SignUpEmail.Call(context.Background(), john, auth.ReturnHeaders(&header))
	if err != nil {
		panic(err)
	}
	name, _, _ := strings.Cut(header.Get("Set-Cookie"), "=")
	fmt.Println(name)
	// Output: __Secure-better-auth.session_token
}

func ExampleAsResponse() {
	a := newAuth()
	var resp *http.Response
	_, err := a.API.SignInEmail.Call(context.Background(),
		auth.SignInEmailRequest{Email: "john@doe.com", Password: "wrong"}, auth.AsResponse(&resp))
	body, _ := io.ReadAll(resp.Body)
	fmt.Println(err, resp.StatusCode, string(body))
	// Output: <nil> 401 {"message":"Invalid email or password","code":"INVALID_EMAIL_OR_PASSWORD"}
}

// A page that signs a visitor in calls the endpoint and forwards its cookies.
func ExampleForwardHeaders() {
	a := newAuth()
	page := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_, err := a.API.SignUpEmail.Call(r.Context(), auth.SignUpEmailRequest{
			Name: r.FormValue("name"), Email: r.FormValue("email"), Password: r.FormValue("password"),
		}, auth.WithRequest(r), auth.WithRateLimit(), auth.ForwardHeaders(w))
		if err != nil {
			http.Error(w, "please try again", http.StatusBadRequest)
			return
		}
		http.Redirect(w, r, "/", http.StatusSeeOther)
	})
	handler := http.NewCrossOriginProtection().Handler(page)

	r := httptest.NewRequest("POST", "https://example.com/join", strings.NewReader("name=John&email=john@doe.com&password=correct+horse"))
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	rec := httptest.NewRecorder()
	handler.ServeHTTP(rec, r)
	fmt.Println(rec.Code, rec.Header().Get("Location"), len(rec.Result().Cookies()))
	// Output: 303 / 1
}

func ExampleAuth_RequireSession() {
	a := newAuth()
	me := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		fmt.Fprintln(w, "Hello", auth.SessionFromContext(r.Context()).User.Name)
	})
	mux := http.NewServeMux()
	mux.Handle("GET /me", a.RequireSession(me))

	var header http.Header
	if _, err := a.API.SignUpEmail.Call(context.Background(), john, auth.ReturnHeaders(&header)); err != nil {
		panic(err)
	}
	r := httptest.NewRequest("GET", "/me", nil)
	anonymous := httptest.NewRecorder()
	mux.ServeHTTP(anonymous, r)
	r.Header.Set("Cookie", header.Get("Set-Cookie"))
	signedIn := httptest.NewRecorder()
	mux.ServeHTTP(signedIn, r)
	fmt.Print(anonymous.Code, " ", signedIn.Code, " ", signedIn.Body)
	// Output: 401 200 Hello John Doe
}

func ExampleAuth_Session() {
	a := newAuth()
	session, err := a.Session(httptest.NewRequest("GET", "/", nil))
	fmt.Println(session == nil, err)
	// Output: true <nil>
}

func ExampleNewEndpoint() {
	type createItem struct {
		Name string `json:"name"`
	}
	type item struct {
		ID   int    `json:"id"`
		Name string `json:"name"`
	}
	create := auth.NewEndpoint("POST", "/items", func(ctx context.Context, in createItem) (item, error) {
		if in.Name == "taken" {
			return item{}, auth.NewError(http.StatusConflict, "NAME_TAKEN", "This name is taken")
		}
		auth.ExchangeFrom(ctx).SetStatus(http.StatusCreated)
		return item{1, in.Name}, nil
	})

	out, err := create.Call(context.Background(), createItem{Name: "lamp"})
	fmt.Println(out, err)

	for _, body := range []string{`{"name":"lamp"}`, `{"name":"taken"}`, `{}`} {
		r := httptest.NewRequest("POST", "/items", strings.NewReader(body))
		r.Header.Set("Content-Type", "application/json")
		rec := httptest.NewRecorder()
		create.ServeHTTP(rec, r)
		fmt.Println(rec.Code, rec.Body)
	}
	// Output:
	// {1 lamp} <nil>
	// 201 {"id":1,"name":"lamp"}
	// 409 {"message":"This name is taken","code":"NAME_TAKEN"}
	// 400 {"message":"[body.name] Invalid input: expected string, received undefined","code":"VALIDATION_ERROR"}
}

// One endpoint can be mounted wherever it is wanted; its protection comes along.
func ExampleEndpoint_ServeHTTP() {
	a := newAuth()
	mux := http.NewServeMux()
	mux.Handle("POST /login", a.API.SignInEmail)

	r := httptest.NewRequest("POST", "/login", strings.NewReader(`{"email":"john@doe.com","password":"wrong"}`))
	r.Header.Set("Content-Type", "application/json")
	rec := httptest.NewRecorder()
	mux.ServeHTTP(rec, r)
	fmt.Println(rec.Code)
	// Output: 401
}

func ExampleEndpoint_Before() {
	a := newAuth()
	a.API.SignUpEmail.Before(func(ctx context.Context, in *auth.SignUpEmailRequest) error {
		if !strings.HasSuffix(in.Email, "@doe.com") {
			return auth.NewError(http.StatusForbidden, "WRONG_COMPANY", "Only for the Does")
		}
		return nil
	})
	_, err := a.API.SignUpEmail.Call(context.Background(), auth.SignUpEmailRequest{Name: "Eve", Email: "eve@example.com", Password: "correct horse"})
	fmt.Println(err)
	// Output: auth: Only for the Does (WRONG_COMPANY)
}

func ExampleDatabaseHooks() {
	a, err := auth.New(auth.Config{
		BaseURL: "https://example.com", Secret: "a secret of at least 32 characters", Store: auth.NewMemoryStore(),
		EmailPassword: auth.EmailPassword{Enabled: true},
		DatabaseHooks: auth.DatabaseHooks{User: auth.EntityHooks[auth.User]{
			AfterCreate: func(ctx context.Context, user *auth.User) { fmt.Println("welcome,", user.Name) },
		}},
	})
	if err != nil {
		panic(err)
	}
	if _, err := a.API.SignUpEmail.Call(context.Background(), john); err != nil {
		panic(err)
	}
	// Output: welcome, John Doe
}

// Sessions live beside the database, here in memory; the module redisstorage has
// a storage that several processes share.
func ExampleSecondaryStorage() {
	a, err := auth.New(auth.Config{
		BaseURL: "https://example.com", Secret: "a secret of at least 32 characters",
		Store:            auth.NewMemoryStore(),
		SecondaryStorage: auth.NewMemorySecondaryStorage(),
		EmailPassword:    auth.EmailPassword{Enabled: true},
	})
	if err != nil {
		panic(err)
	}
	ctx, cookies := context.Background(), http.Header{}
	if _, err := a.API.SignUpEmail.Call(ctx, john, auth.ReturnHeaders(&cookies)); err != nil {
		panic(err)
	}
	token, _, _ := strings.Cut(cookies.Get("Set-Cookie"), ";")
	data, err := a.API.GetSession.Call(ctx, auth.GetSessionRequest{}, auth.WithHeaders(http.Header{"Cookie": {token}}))
	fmt.Println(data.User.Name, err)
	// Output: John Doe <nil>
}

// One instance serves two hosts: the mailed link leads back to the one where it
// was asked for. A host that is not allowed gets nothing.
func ExampleDynamicBaseURL() {
	a, err := auth.New(auth.Config{
		DynamicBaseURL: auth.DynamicBaseURL{AllowedHosts: []string{"example.com", "*.example.org"}, Protocol: "https"},
		Secret:         "a secret of at least 32 characters",
		Store:          auth.NewMemoryStore(),
		EmailPassword: auth.EmailPassword{Enabled: true, SendResetPassword: func(_ context.Context, mail auth.Mail) error {
			link, _, _ := strings.Cut(mail.URL, mail.Token)
			fmt.Println("mail with", link)
			return nil
		}},
	})
	if err != nil {
		panic(err)
	}
	if _, err := a.API.SignUpEmail.Call(context.Background(), john, auth.WithHeaders(http.Header{"Host": {"example.com"}})); err != nil {
		panic(err)
	}
	for _, host := range []string{"example.com", "shop.example.org", "evil.example"} {
		r := httptest.NewRequest("POST", "https://"+host+"/api/auth/request-password-reset", strings.NewReader(`{"email":"john@doe.com"}`))
		r.Header.Set("Content-Type", "application/json")
		rec := httptest.NewRecorder()
		a.ServeHTTP(rec, r)
		fmt.Println(host, rec.Code)
	}
	// Output:
	// mail with https://example.com/api/auth/reset-password/
	// example.com 200
	// mail with https://shop.example.org/api/auth/reset-password/
	// shop.example.org 200
	// evil.example 421
}

func ExampleAPI_Operation() {
	a := newAuth()
	op := a.API.Operation("signUpEmail")
	fmt.Println(op.Methods(), op.Path())
	out, err := op.CallJSON(context.Background(), []byte(`{"name":"John","email":"john@doe.com","password":"correct horse"}`))
	var answer struct{ User struct{ Email string } }
	if err == nil {
		err = json.Unmarshal(out, &answer)
	}
	fmt.Println(answer.User.Email, err)
	// Output:
	// [POST] /sign-up/email
	// john@doe.com <nil>
}

// A service that serves no auth itself knows who calls, here from the store that it
// shares with the server.
func ExampleVerifier_RequireSession() {
	store := auth.NewMemoryStore()
	const secret = "a secret of at least 32 characters"
	server, err := auth.New(auth.Config{
		BaseURL: "https://example.com", Secret: secret, Store: store,
		EmailPassword: auth.EmailPassword{Enabled: true},
	})
	if err != nil {
		panic(err)
	}
	var header http.Header
	if _, err := server.API.SignUpEmail.Call(context.Background(), john, auth.ReturnHeaders(&header)); err != nil {
		panic(err)
	}

	v, err := auth.NewVerifier(auth.VerifierConfig{Secret: secret, Store: store})
	if err != nil {
		panic(err)
	}
	mux := http.NewServeMux()
	mux.Handle("GET /orders", v.RequireSession(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		fmt.Fprintln(w, "Orders of", auth.SessionFromContext(r.Context()).User.Name)
	})))
	for _, cookie := range []string{"", header.Get("Set-Cookie")} {
		r := httptest.NewRequest("GET", "/orders", nil)
		r.Header.Set("Cookie", cookie)
		rec := httptest.NewRecorder()
		mux.ServeHTTP(rec, r)
		fmt.Println(rec.Code, strings.TrimSpace(rec.Body.String()))
	}
	// Output:
	// 401 {"message":"Unauthorized","code":"UNAUTHORIZED"}
	// 200 Orders of John Doe
}

func ExampleNewVerifier_mistakes() {
	_, err := auth.NewVerifier(auth.VerifierConfig{Store: auth.NewMemoryStore(), URL: "auth.internal"})
	fmt.Println(err)
	// Output:
	// auth: VerifierConfig.Secret is missing: a token counts with its signature only
	// auth: VerifierConfig has both a storage and a URL: one place says who is signed in
	// auth: VerifierConfig.URL "auth.internal" is no absolute http or https URL
}

// A program counts events, and raises an alarm at some. Nothing in them says who tried
// which password at which address.
func ExampleConfig_onEvent() {
	a, err := auth.New(auth.Config{
		BaseURL:       "https://example.com",
		Secret:        "a secret of at least 32 characters",
		Store:         auth.NewMemoryStore(),
		EmailPassword: auth.EmailPassword{Enabled: true},
		Logger:        slog.New(slog.DiscardHandler),
		OnEvent: func(_ context.Context, e auth.Event) {
			fmt.Println(e.Level, e.Name, e.Method)
		},
	})
	if err != nil {
		panic(err)
	}
	ctx := context.Background()
	if _, err := a.API.SignUpEmail.Call(ctx, john); err != nil {
		panic(err)
	}
	_, _ = a.API.SignInEmail.Call(ctx, auth.SignInEmailRequest{Email: "john@doe.com", Password: "wrong"})
	_, _ = a.API.SignInEmail.Call(ctx, auth.SignInEmailRequest{Email: "nobody@doe.com", Password: "wrong"})
	// Output:
	// INFO sign_up email-password
	// INFO sign_in email
	// WARN sign_in_failed email
	// WARN sign_in_failed email
}

func ExampleAuth_Diagnose() {
	a := newAuth()
	r := httptest.NewRequest("POST", "http://example.com/api/auth/sign-out", nil)
	r.Header.Set("Origin", "https://app.example.com")
	r.Header.Set("Cookie", "better-auth.session_token=…")

	for _, finding := range a.Diagnose(r).Findings {
		fmt.Println(finding.Code + ": " + finding.Saw)
	}
	// Output:
	// cookie_other_name: a cookie better-auth.session_token and none with the name __Secure-better-auth.session_token
	// secure_cookie_over_http: the cookie is Secure, and the request came over http
	// origin_not_trusted: the request comes from "https://app.example.com", which is no trusted origin
}
