package auth

import (
	"context"
	"errors"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
)

// TestClientEndpoint: one's own endpoint at the server, with all parts of a request.
func TestClientEndpoint(t *testing.T) {
	type lookup struct {
		ID    string   `path:"id"`
		Tags  []string `query:"tag,omitempty"`
		Agent string   `header:"X-Agent,omitempty"`
		Note  string   `json:"note"`
	}
	create := NewEndpoint("POST", "/things/:id", func(ctx context.Context, in lookup) (*lookup, error) {
		if in.Note == "" {
			return nil, NewError(http.StatusConflict, "NO_NOTE", "There is no note")
		}
		x := ExchangeFrom(ctx)
		x.SetStatus(http.StatusCreated)
		x.Header().Set("X-Made", "yes")
		return &in, nil
	})
	mux := http.NewServeMux()
	mux.Handle("POST /things/{id}", create)
	server := httptest.NewServer(mux)
	t.Cleanup(server.Close)
	c := mustClient(t, server.URL+"/api/auth")
	there := ClientEndpoint(c, create)
	var (
		status int
		header http.Header
	)
	in := lookup{ID: "a/b ü", Tags: []string{"x", "y&z"}, Agent: "me", Note: "n"}
	out, err := there.Call(t.Context(), in, ReturnStatus(&status), ReturnHeaders(&header))
	if err != nil || out.Note != "n" || status != 201 || header.Get("X-Made") != "yes" {
		t.Fatalf("%+v, %v, %d, %v", out, err, status, header)
	}
	if _, err := there.Call(t.Context(), lookup{ID: "1"}); !errors.Is(err, Code("NO_NOTE")) {
		t.Errorf("%v", err)
	}
	for _, id := range []string{"", ".", ".."} {
		if _, err := there.Call(t.Context(), lookup{ID: id}); err == nil || apiError(err) != nil || !strings.Contains(err.Error(), "place in a path") {
			t.Errorf("the parameter %q: %v", id, err)
		}
	}
	defer func() {
		if text, _ := recover().(string); !strings.Contains(text, "signOut belongs to an instance") {
			t.Errorf("panic: %q", text)
		}
	}()
	ClientEndpoint(c, c.API.SignOut)
}
