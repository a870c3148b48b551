package auth

import (
	"errors"
	"net/http/httptest"
	"testing"
)

// newClientOf makes a Client of a world that is served over a loopback socket.
func newClientOf(t *testing.T, w *world, options ...ClientOption) *Client {
	t.Helper()
	server := httptest.NewServer(w)
	t.Cleanup(server.Close)
	c, err := NewClient(server.URL, append([]ClientOption{ClientOrigin(testOrigin)}, options...)...)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// TestClientIsOneUser: the cookies of answers are kept, and errors are those of an Auth.
func TestClientIsOneUser(t *testing.T) {
	c := newClientOf(t, newWorld(t))
	ctx := t.Context()
	if data, err := c.API.GetSession.Call(ctx, GetSessionRequest{}); data != nil || err != nil {
		t.Fatalf("a session from nowhere: %v, %v", data, err)
	}
	up, err := c.API.SignUpEmail.Call(ctx, SignUpEmailRequest{Name: "Ann", Email: "ann@example.com", Password: "password"})
	if err != nil || up.User.Name != "Ann" || up.Token == nil {
		t.Fatalf("sign-up: %+v, %v", up, err)
	}
	data, err := c.API.GetSession.Call(ctx, GetSessionRequest{})
	if err != nil || data == nil || data.Session.Token != *up.Token || data.User.ID != up.User.ID {
		t.Fatalf("session: %+v, %v", data, err)
	}
	if _, err = c.API.ChangePassword.Call(ctx, ChangePasswordRequest{NewPassword: "new password", CurrentPassword: "wrong"}); !errors.Is(err, ErrInvalidPassword) || apiError(err).Status != 400 {
		t.Errorf("wrong password: %v", err)
	}
	if _, err = c.API.SignOut.Call(ctx, SignOutRequest{}); err != nil {
		t.Error(err)
	}
	if _, err = c.API.ListSessions.Call(ctx, Empty{}); !errors.Is(err, ErrUnauthorized) {
		t.Errorf("after sign-out: %v", err)
	}
	if _, err = c.API.SetPassword.Call(ctx, SetPasswordRequest{}); err == nil || apiError(err) != nil {
		t.Errorf("an endpoint without a URL: %v", err)
	}
}
