package auth

import (
	"context"
	"errors"
	"net/http"
	"strings"
	"testing"
)

// TestClientPluginsBelongToOne: a plugin is of one Auth or Client; one that NewClient
// has refused is of nobody.
func TestClientPluginsBelongToOne(t *testing.T) {
	for _, make := range []func() Plugin{
		func() Plugin { return &TwoFactor{} }, func() Plugin { return &Bearer{} }, func() Plugin { return &MagicLink{} },
	} {
		plugin := make()
		if _, err := NewClient("ftp://h", ClientPlugins(plugin)); err == nil {
			t.Fatal("a bad URL is accepted")
		}
		mustClient(t, "http://h", ClientPlugins(plugin))
		if text := mistaken(t, plugin); !strings.Contains(text, "belongs to another instance") {
			t.Errorf("New: %s", text)
		}
		if _, err := NewClient("http://h", ClientPlugins(plugin)); err == nil || !strings.Contains(err.Error(), "belongs to another instance") {
			t.Errorf("NewClient: %v", err)
		}
	}
	plugin := &Bearer{}
	newWorld(t, func(c *Config) { c.Plugins = []Plugin{plugin} })
	if _, err := NewClient("http://h", ClientPlugins(plugin)); err == nil || !strings.Contains(err.Error(), "belongs to another instance") {
		t.Errorf("NewClient: %v", err)
	}
}

// TestClientPluginServices: a plugin learns that it is at a client, and is told when it
// asks for what only the server has.
func TestClientPluginServices(t *testing.T) {
	op := NewEndpoint("GET", "/mine", func(context.Context, Empty) (*Status, error) { panic("not here") })
	plugin := grafted("mine", Extension{Endpoints: []PluginEndpoint{{Name: "mine", Endpoint: op}}})
	c := mustClient(t, "http://auth.internal/x", ClientHTTP(answers(200, `{"status":true}`)), ClientOrigin("https://example.com"), ClientPlugins(plugin))
	if config := plugin.s.Config(); !plugin.s.Remote() || config.BaseURL != "https://example.com" || plugin.s.Plugin("mine") != plugin {
		t.Errorf("%v, %+v", plugin.s.Remote(), config)
	}
	if out, err := op.Call(t.Context(), Empty{}); err != nil || !out.Status || c.API.Operation("mine") != Operation(op) {
		t.Errorf("%v, %v", out, err)
	}
	defer func() {
		if text, _ := recover().(string); !strings.Contains(text, "a plugin of a Client has no Services") {
			t.Errorf("panic: %q", text)
		}
	}()
	plugin.s.Log()
}

// TestPluginAnswerWithoutValue: an answer that nobody could know again is a mistake.
func TestPluginAnswerWithoutValue(t *testing.T) {
	if text := mistaken(t, grafted("odd", Extension{Answers: []RouteAnswer{{Paths: []string{"/x"}}}})); !strings.Contains(text, "has no Value") {
		t.Error(text)
	}
}

// TestClientTwoFactor: a challenge comes back as the error that it is in process, and
// the second factor ends it.
func TestClientTwoFactor(t *testing.T) {
	w := newTwoFactorWorld(t, func(p *TwoFactor) { p.SkipVerificationOnEnable = true })
	tf := &TwoFactor{}
	c := newClientOf(t, w.world, ClientPlugins(tf))
	ctx := t.Context()
	signUpAs(t, c, "ann")
	enabled, err := tf.Enable.Call(ctx, EnableTwoFactorRequest{Password: "password of ann"})
	if err != nil || len(enabled.BackupCodes) != 10 {
		t.Fatalf("%+v, %v", enabled, err)
	}
	if _, err := c.API.SignOut.Call(ctx, SignOutRequest{}); err != nil {
		t.Fatal(err)
	}
	in := SignInEmailRequest{Email: "ann@example.com", Password: "password of ann"}
	var resp *http.Response
	if _, err := c.API.SignInEmail.Call(ctx, in, AsResponse(&resp)); err != nil {
		t.Errorf("AsResponse: %v", err)
	} else if body := readBody(t, resp); body != `{"twoFactorRedirect":true,"twoFactorMethods":["totp","otp"]}` {
		t.Errorf("body %s", body)
	}
	out, err := c.API.SignInEmail.Call(ctx, in)
	challenge, ok := errors.AsType[*TwoFactorChallenge](err)
	if !ok || out != nil || !challenge.TwoFactorRedirect || len(challenge.TwoFactorMethods) != 2 {
		t.Fatalf("%v, %v", out, err)
	}
	if _, err := tf.VerifyBackupCode.Call(ctx, VerifyBackupCodeRequest{Code: "wrong"}); !errors.Is(err, ErrInvalidBackupCode) {
		t.Errorf("a wrong code: %v", err)
	}
	verified, err := tf.VerifyBackupCode.Call(ctx, VerifyBackupCodeRequest{Code: enabled.BackupCodes[0]})
	if err != nil || verified.Token == "" || verified.User.Email != "ann@example.com" {
		t.Fatalf("%+v, %v", verified, err)
	}
	if sessions, err := c.API.ListSessions.Call(ctx, Empty{}); err != nil || len(sessions) != 1 {
		t.Errorf("%v, %v", sessions, err)
	}
}
