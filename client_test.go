package auth

import (
	"context"
	"errors"
	"net/http"
	"net/http/cookiejar"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
)

// newClientOf makes a Client of a world that is served over a loopback socket.
func newClientOf(t *testing.T, w *world, options ...ClientOption) *Client {
	t.Helper()
	server := httptest.NewServer(w)
	t.Cleanup(server.Close)
	return mustClient(t, server.URL, append([]ClientOption{ClientOrigin(testOrigin)}, options...)...)
}

func mustClient(t *testing.T, url string, options ...ClientOption) *Client {
	t.Helper()
	c, err := NewClient(url, options...)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// signUpAs signs the Client itself up.
func signUpAs(t *testing.T, c *Client, name string) *SignUpEmailResponse {
	t.Helper()
	out, err := c.API.SignUpEmail.Call(t.Context(), SignUpEmailRequest{Name: name, Email: name + "@example.com", Password: "password of " + name})
	if err != nil {
		t.Fatal(err)
	}
	return out
}

// TestClientIsOneUser: the cookies of answers are kept, and errors are those of an Auth.
func TestClientIsOneUser(t *testing.T) {
	c := newClientOf(t, newWorld(t))
	ctx := t.Context()
	if data, err := c.API.GetSession.Call(ctx, GetSessionRequest{}); data != nil || err != nil {
		t.Fatalf("a session from nowhere: %v, %v", data, err)
	}
	up := signUpAs(t, c, "ann")
	data, err := c.API.GetSession.Call(ctx, GetSessionRequest{})
	if err != nil || data == nil || data.Session.Token != *up.Token || data.User.ID != up.User.ID {
		t.Fatalf("session: %+v, %v", data, err)
	}
	if _, err = c.API.ChangePassword.Call(ctx, ChangePasswordRequest{NewPassword: "new password", CurrentPassword: "wrong"}); !errors.Is(err, ErrInvalidPassword) || apiError(err).Status != 400 || apiError(err).Message != "Invalid password" {
		t.Errorf("wrong password: %v", err)
	}
	if _, err = c.API.SignOut.Call(ctx, SignOutRequest{}); err != nil {
		t.Error(err)
	}
	if _, err = c.API.ListSessions.Call(ctx, Empty{}); !errors.Is(err, ErrUnauthorized) {
		t.Errorf("after sign-out: %v", err)
	}
	if _, err = c.API.SetPassword.Call(ctx, SetPasswordRequest{}); err == nil || apiError(err) != nil || !strings.Contains(err.Error(), "setPassword has no URL") {
		t.Errorf("an endpoint without a URL: %v", err)
	}
}

// TestClientCallJSON: members reach the server by name, and its text comes back.
func TestClientCallJSON(t *testing.T) {
	c := newClientOf(t, newWorld(t))
	signIn := c.API.Operation("signInEmail")
	if out, err := c.API.Operation("ok").CallJSON(t.Context(), nil); err != nil || string(out) != `{"ok":true}` {
		t.Errorf("ok: %s, %v", out, err)
	}
	for input, code := range map[string]Code{
		`{"email":"ann@example.com","password":"x"}`: ErrInvalidEmailOrPassword,
		`{"email":5}`: ErrValidation, `{}`: ErrValidation,
	} {
		if out, err := signIn.CallJSON(t.Context(), []byte(input)); out != nil || !errors.Is(err, code) {
			t.Errorf("%s: %s, %v", input, out, err)
		}
	}
}

// TestClientHooks run here, around the call.
func TestClientHooks(t *testing.T) {
	c := newClientOf(t, newWorld(t))
	refused := errors.New("refused")
	c.API.SignUpEmail.Before(func(_ context.Context, in *SignUpEmailRequest) error {
		in.Name = strings.ToUpper(in.Name)
		if in.Email == "no@example.com" {
			return refused
		}
		return nil
	})
	c.API.SignUpEmail.After(func(_ context.Context, in *SignUpEmailRequest, out **SignUpEmailResponse) error {
		(*out).User.Email = "hidden"
		return nil
	})
	var resp *http.Response
	in := SignUpEmailRequest{Name: "ann", Email: "ann@example.com", Password: "password"}
	out, err := c.API.SignUpEmail.Call(t.Context(), in, AsResponse(&resp))
	if err != nil || out.User.Name != "ANN" || out.User.Email != "hidden" {
		t.Fatalf("%+v, %v", out, err)
	}
	if body := readBody(t, resp); !strings.Contains(body, `"email":"hidden"`) {
		t.Errorf("the response does not show what the hook has changed: %s", body)
	}
	in.Email = "no@example.com"
	if _, err := c.API.SignUpEmail.Call(t.Context(), in); !errors.Is(err, refused) {
		t.Errorf("%v", err)
	}
}

func TestNewClientMistakes(t *testing.T) {
	kept, _ := cookiejar.New(nil)
	_, err := NewClient("https://u:secret@h/x?y#z", ClientOrigin("https://example.com/path"), ClientPlugins(nil, &TwoFactor{}, &TwoFactor{}, (*Username)(nil)),
		ClientBearer("x"), ClientHTTP(&http.Client{Jar: kept}), ClientColumns([]Column{{Name: "email"}}, []Column{{Name: "token"}}))
	for _, want := range []string{"more than scheme", "ClientOrigin", "ClientPlugins[0] is nil", `ClientPlugins[2] is the second plugin with the ID "two-factor"`, "ClientPlugins[3] is a nil *auth.Username", "ClientBearer", "user", "session"} {
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("error %v does not mention %s", err, want)
		}
	}
	if strings.Contains(err.Error(), "secret") {
		t.Errorf("the error has the password: %v", err)
	}
	for _, url := range []string{"", "h", "ftp://h", "http://", "http://h?", "http://h?x=1", "http://h#f", "http://u@h", "http://h/a%2Fb", "http://h ost"} {
		if _, err := NewClient(url); err == nil {
			t.Errorf("the URL %q is accepted", url)
		}
	}
	for _, origin := range []string{"example.com", "https://example.com/", "https://EXAMPLE.com", "https://example.com:443", "https://u@example.com", "ftp://example.com", "null"} {
		if _, err := NewClient("http://h", ClientOrigin(origin)); err == nil {
			t.Errorf("the origin %q is accepted", origin)
		}
	}
}

// TestClientURL: a URL without a path means the default base path, as elsewhere.
func TestClientURL(t *testing.T) {
	for _, tt := range []struct{ url, want, origin string }{
		{"http://h", "http://h/api/auth/ok", "http://h"},
		{"http://h/", "http://h/api/auth/ok", "http://h"},
		{"https://H:443/x/", "https://H:443/x/ok", "https://h"},
		{"http://[::1]:3000/v1/auth", "http://[::1]:3000/v1/auth/ok", "http://[::1]:3000"},
	} {
		var sent *http.Request
		c := mustClient(t, tt.url, ClientHTTP(recorded(&sent, 200, `{"ok":true}`)))
		if out, err := c.API.OK.Call(t.Context(), Empty{}); err != nil || !out.OK {
			t.Fatal(err)
		}
		if got := sent.URL.String(); got != tt.want || sent.Header.Get("Origin") != tt.origin {
			t.Errorf("%s: %s from %s", tt.url, got, sent.Header.Get("Origin"))
		}
	}
}

// recorded is a server that always says the same and keeps what it was asked last.
func recorded(sent **http.Request, status int, body string, header ...string) *http.Client {
	client := answers(status, body, header...)
	return &http.Client{Transport: roundTrip(func(r *http.Request) (*http.Response, error) {
		*sent = r
		return client.Transport.RoundTrip(r)
	})}
}

// TestClientConcurrent: one Client serves its own user and others at the same time.
func TestClientConcurrent(t *testing.T) {
	w := newWorld(t)
	bob := w.as("bob").headers()
	c := newClientOf(t, w)
	signUpAs(t, c, "ann")
	var group sync.WaitGroup
	for i := range 16 {
		group.Go(func() {
			opts, want := []CallOption(nil), "ann@example.com"
			if i%2 == 1 {
				opts, want = []CallOption{WithHeaders(bob)}, "bob@example.com"
			}
			for range 5 {
				if data, err := c.API.GetSession.Call(t.Context(), GetSessionRequest{}, opts...); err != nil || data == nil || data.User.Email != want {
					t.Errorf("%v, %v; want %s", data, err, want)
				}
			}
		})
	}
	group.Wait()
}
