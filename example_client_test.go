package auth_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"

	"github.com/seed3b05b409/auth"
)

// serveExample serves an instance, as another program would do, and returns its URL.
func serveExample(plugins ...auth.Plugin) (url string, stop func()) {
	server := httptest.NewUnstartedServer(nil)
	url = "http://" + server.Listener.Addr().String()
	a, err := auth.New(auth.Config{
		BaseURL: url, Secret: "a secret of at least 32 characters", Store: auth.NewMemoryStore(),
		EmailPassword: auth.EmailPassword{Enabled: true}, Plugins: plugins,
		Logger: slog.New(slog.DiscardHandler),
	})
	if err != nil {
		panic(err)
	}
	server.Config.Handler = a
	server.Start()
	return url, server.Close
}

func ExampleNewClient() {
	url, stop := serveExample()
	defer stop()
	c, err := auth.NewClient(url)
	if err != nil {
		fmt.Println(err)
		return
	}
	ctx := context.Background()
	_, err = c.API.SignUpEmail.Call(ctx, auth.SignUpEmailRequest{Name: "Ada", Email: "ada@example.com", Password: "correct horse"})
	fmt.Println("sign-up:", err)

	data, err := c.API.GetSession.Call(ctx, auth.GetSessionRequest{}) // the client keeps the cookies
	fmt.Println("session:", data.User.Name, err)

	_, err = c.API.SignInEmail.Call(ctx, auth.SignInEmailRequest{Email: "ada@example.com", Password: "wrong"})
	fmt.Println("wrong password:", errors.Is(err, auth.ErrInvalidEmailOrPassword))
	// Output:
	// sign-up: <nil>
	// session: Ada <nil>
	// wrong password: true
}

func ExampleClient_RequireSession() {
	url, stop := serveExample()
	defer stop()
	c, err := auth.NewClient(url)
	if err != nil {
		fmt.Println(err)
		return
	}
	orders := c.RequireSession(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		fmt.Fprintln(w, "Orders of", auth.SessionFromContext(r.Context()).User.Name)
	}))
	visit := func(cookie string) {
		r := httptest.NewRequest("GET", "/orders", nil)
		r.Header.Set("Cookie", cookie)
		rec := httptest.NewRecorder()
		orders.ServeHTTP(rec, r)
		body, _ := io.ReadAll(rec.Result().Body)
		fmt.Printf("%d %s\n", rec.Code, body)
	}
	var header http.Header
	in := auth.SignUpEmailRequest{Name: "Ada", Email: "ada@example.com", Password: "correct horse"}
	if _, err = c.API.SignUpEmail.Call(context.Background(), in, auth.ReturnHeaders(&header)); err != nil {
		fmt.Println(err)
		return
	}
	visit(header.Get("Set-Cookie"))
	visit("")
	// Output:
	// 200 Orders of Ada
	//
	// 401 {"message":"Unauthorized","code":"UNAUTHORIZED"}
}

func ExampleClientPlugins() {
	url, stop := serveExample(&auth.Username{})
	defer stop()
	names := &auth.Username{}
	_, err := auth.NewClient(url, auth.ClientPlugins(names))
	if err != nil {
		fmt.Println(err)
		return
	}
	out, err := names.IsAvailable.Call(context.Background(), auth.IsUsernameAvailableRequest{Username: "ada"})
	fmt.Println(out.Available, err)
	// Output: true <nil>
}

// Hello is the request of an endpoint that two programs know.
type Hello struct {
	Name     string `path:"name"`
	Politely bool   `query:"politely,omitempty"`
}

func ExampleClientEndpoint() {
	hello := auth.NewEndpoint("GET", "/hello/:name", func(ctx context.Context, in Hello) (string, error) {
		if in.Politely {
			return "Good day, " + in.Name, nil
		}
		return "Hi " + in.Name, nil
	})
	mux := http.NewServeMux()
	mux.Handle("GET /hello/{name}", hello)
	server := httptest.NewServer(mux)
	defer server.Close()

	c, err := auth.NewClient(server.URL)
	if err != nil {
		fmt.Println(err)
		return
	}
	text, err := auth.ClientEndpoint(c, hello).Call(context.Background(), Hello{Name: "Ada", Politely: true})
	fmt.Println(text, err)
	// Output: Good day, Ada <nil>
}
