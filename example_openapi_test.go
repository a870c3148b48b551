package auth_test

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"

	"github.com/seed3b05b409/auth"
)

// The document of an instance has the application's own endpoints too.
func ExampleAuth_OpenAPI() {
	type createItem struct {
		Name string `json:"name" check:"nonempty"`
	}
	create := auth.NewEndpoint("POST", "/items", func(ctx context.Context, in createItem) (createItem, error) {
		return in, nil
	})
	a, err := auth.New(auth.Config{
		BaseURL: "https://example.com",
		Secret:  "a secret of at least thirty-two bytes",
		Store:   auth.NewMemoryStore(),
	})
	if err != nil {
		fmt.Println(err)
		return
	}
	mux := http.NewServeMux()
	mux.Handle("/api/auth/", a)
	mux.Handle("POST /items", create)
	mux.Handle("GET /openapi.json", a.OpenAPI(create))

	answer := httptest.NewRecorder()
	mux.ServeHTTP(answer, httptest.NewRequest("GET", "/openapi.json", nil))
	var document struct {
		Servers []struct{ URL string }
		Paths   map[string]map[string]struct {
			OperationID string
			Servers     []struct{ URL string }
		}
	}
	if err := json.Unmarshal(answer.Body.Bytes(), &document); err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(document.Servers[0].URL, document.Paths["/sign-in/email"]["post"].OperationID)
	fmt.Println(document.Paths["/items"]["post"].Servers[0].URL, document.Paths["/items"]["post"].OperationID)
	// Output:
	// https://example.com/api/auth signInEmail
	// https://example.com postItems
}

// Endpoints without an Auth have a document as well.
func ExampleNewOpenAPI() {
	type ping struct {
		Times int `query:"times,omitempty"`
	}
	document := auth.NewOpenAPI(auth.NewEndpoint("GET", "/ping", func(ctx context.Context, in ping) (string, error) {
		return "pong", nil
	}).Describe(auth.Description{Summary: "Ask for a sign of life"}))
	document.Title = "Ping"

	text, err := json.Marshal(document)
	if err != nil {
		fmt.Println(err)
		return
	}
	var parts struct {
		Info  json.RawMessage
		Paths map[string]map[string]struct{ Parameters json.RawMessage }
	}
	if err := json.Unmarshal(text, &parts); err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(string(parts.Info))
	fmt.Println(string(parts.Paths["/ping"]["get"].Parameters))
	// Output:
	// {"title":"Ping","version":"1.0.0"}
	// [{"name":"times","in":"query","schema":{"type":"integer"}}]
}
