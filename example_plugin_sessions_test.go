package auth_test

import (
	"context"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"

	"github.com/seed3b05b409/auth"
)

// withPlugin is an instance with a plugin.
func withPlugin(plugin auth.Plugin) *auth.Auth {
	a, err := auth.New(auth.Config{
		BaseURL:       "https://example.com",
		Secret:        "a secret of at least 32 characters",
		Store:         auth.NewMemoryStore(),
		EmailPassword: auth.EmailPassword{Enabled: true},
		Plugins:       []auth.Plugin{plugin},
		Logger:        slog.New(slog.DiscardHandler),
	})
	if err != nil {
		panic(err)
	}
	return a
}

// A client without cookies, such as an app, sends what the header set-auth-token of
// a sign-in had. Handlers of the program see the same caller.
func ExampleBearer() {
	a := withPlugin(&auth.Bearer{RequireSignature: true})
	var header http.Header
	if _, err := a.API.SignUpEmail.Call(context.Background(), john, auth.ReturnHeaders(&header)); err != nil {
		panic(err)
	}
	r := httptest.NewRequest("GET", "/me", nil)
	r.Header.Set("Authorization", "Bearer "+header.Get("Set-Auth-Token"))
	a.RequireSession(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		fmt.Println(auth.SessionFromContext(r.Context()).User.Name)
	})).ServeHTTP(httptest.NewRecorder(), r)
	// Output: John Doe
}

// A page lets its user go on elsewhere: the token is good once.
func ExampleOneTimeToken() {
	plugin := &auth.OneTimeToken{StoreToken: auth.HashIdentifier}
	a := withPlugin(plugin)
	ctx := context.Background()
	var header http.Header
	if _, err := a.API.SignUpEmail.Call(ctx, john, auth.ReturnHeaders(&header)); err != nil {
		panic(err)
	}
	out, err := plugin.Generate.Call(ctx, auth.Empty{}, auth.WithHeaders(asBrowser(header)))
	if err != nil {
		panic(err)
	}
	for range 2 {
		data, err := plugin.Verify.Call(ctx, auth.VerifyOneTimeTokenRequest{Token: out.Token})
		if err != nil {
			fmt.Println(err)
			continue
		}
		fmt.Println(data.User.Name)
	}
	// Output:
	// John Doe
	// auth: Invalid token
}

// Two people sign in in one browser, which holds both sessions.
func ExampleMultiSession() {
	several := &auth.MultiSession{}
	a := withPlugin(several)
	ctx := context.Background()
	var first, second http.Header
	if _, err := a.API.SignUpEmail.Call(ctx, john, auth.ReturnHeaders(&first)); err != nil {
		panic(err)
	}
	jane := auth.SignUpEmailRequest{Name: "Jane Doe", Email: "jane@doe.com", Password: "correct horse"}
	if _, err := a.API.SignUpEmail.Call(ctx, jane, auth.WithHeaders(asBrowser(first)), auth.ReturnHeaders(&second)); err != nil {
		panic(err)
	}
	browser := asBrowser(first)
	browser["Cookie"] = append(asBrowser(second)["Cookie"], browser["Cookie"]...)
	list, err := several.List.Call(ctx, auth.Empty{}, auth.WithHeaders(browser))
	if err != nil {
		panic(err)
	}
	for _, data := range list {
		fmt.Println(data.User.Name)
	}
	// Unordered output:
	// John Doe
	// Jane Doe
}

// asBrowser returns the headers of a browser that has got a response.
func asBrowser(response http.Header) http.Header {
	r := &http.Request{Header: make(http.Header)}
	for _, c := range (&http.Response{Header: response}).Cookies() {
		r.AddCookie(c)
	}
	return r.Header
}
