package main

import (
	"errors"
	"net/http"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/seed3b05b409/auth"
)

var sessionButton = regexp.MustCompile(`name="session" value="([^"]+)"`)

func TestSessions(t *testing.T) {
	s := start(t)
	one, two, three := s.browser(t), s.browser(t), s.browser(t)
	one.signUp("ada@example.com")
	p := one.open("/sessions").at("/sessions").says("This device", "from 127.0.0.1").saysNot("Sign out all others")
	if sessionButton.MatchString(p.body) {
		t.Error("the current session can be revoked")
	}
	two.signIn("ada@example.com", firstPassword).at("/account")
	button := sessionButton.FindStringSubmatch(one.open("/sessions").body)
	if button == nil {
		t.Fatal("the second session cannot be revoked")
	}
	one.post("/sessions/revoke", "session", button[1]).at("/sessions").notices("The session is signed out.")
	two.open("/account").at("/sign-in")
	one.post("/sessions/revoke", "session", button[1]).at("/sessions").notices("That session had ended already.")

	two.signIn("ada@example.com", firstPassword).at("/account")
	three.signIn("ada@example.com", firstPassword).at("/account")
	one.post("/sessions/revoke-others").at("/sessions").notices("All other sessions are signed out.")
	two.open("/account").at("/sign-in")
	three.open("/account").at("/sign-in")
	one.open("/account").at("/account")
}

// Nobody can end the session of somebody else.
func TestSessionsOfOthers(t *testing.T) {
	s := start(t)
	ada, ada2, mallory := s.browser(t), s.browser(t), s.browser(t)
	ada.signUp("ada@example.com")
	ada2.signIn("ada@example.com", firstPassword)
	id := sessionButton.FindStringSubmatch(ada.open("/sessions").body)[1]
	mallory.signUp("mallory@example.com")
	mallory.post("/sessions/revoke", "session", id).notices("That session had ended already.")
	ada2.open("/account").at("/account")
}

// Long after sign-in the list is not shown, and there is a way to see it.
func TestSessionsAfterLongTime(t *testing.T) {
	s := startWith(t, func(config *auth.Config) { config.Session.FreshAge = time.Millisecond })
	b := s.browser(t)
	b.signUp("ada@example.com")
	time.Sleep(2 * time.Millisecond)
	p := b.open("/sessions").at("/sessions").says("Sign out and in again").saysNot("This device")
	b.post("/sessions/revoke", "session", "any").at("/sessions").notices("Error: Session is not fresh")
	p.says(`action="/sign-out"`)
}

// A store that fails is not the user's fault and none of their business.
func TestInternalErrors(t *testing.T) {
	s := startWith(t, func(config *auth.Config) {
		config.Hooks.Before = func(x *auth.Exchange) error {
			if x.Operation().Name() == "signInEmail" {
				return errors.New("the disk is full")
			}
			return nil
		}
	})
	p := s.browser(t).signIn("ada@example.com", firstPassword)
	if p.status != http.StatusInternalServerError {
		t.Errorf("status %d", p.status)
	}
	p.says("Something went wrong.").saysNot("disk")
}

func TestTokensStayOutOfPages(t *testing.T) {
	s := start(t)
	b := s.browser(t)
	b.signUp("ada@example.com")
	s.browser(t).signIn("ada@example.com", firstPassword)
	tokens := regexp.MustCompile(`"token":"([^"]+)"`).FindAllStringSubmatch(b.open("/api/auth/list-sessions").body, -1)
	if len(tokens) != 2 {
		t.Fatalf("%d sessions", len(tokens))
	}
	p := b.open("/sessions")
	for _, token := range tokens {
		p.saysNot(token[1])
	}
}

func TestDevices(t *testing.T) {
	at := func(id string, hour int) *auth.Session {
		return &auth.Session{ID: id, CreatedAt: time.Date(2026, 1, 1, hour, 0, 0, 0, time.UTC)}
	}
	current := at("current", 1)
	var order []string
	for _, d := range devices([]*auth.Session{at("old", 2), at("new", 3), current}, current) {
		order = append(order, d.ID)
	}
	if got := strings.Join(order, " "); got != "current new old" {
		t.Errorf("order: %s", got)
	}
}

func TestDeviceNames(t *testing.T) {
	for agent, want := range map[string]string{
		"Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/140.0.0.0 Safari/537.36":                                   "Chrome on Linux",
		"Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/140.0.0.0 Safari/537.36 Edg/140.0.0.0":           "Edge on Windows",
		"Mozilla/5.0 (iPhone; CPU iPhone OS 18_0 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/18.0 Mobile/15E148 Safari/604.1": "Safari on iPhone",
		"Mozilla/5.0 (Linux; Android 15; Pixel 9) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/140.0.0.0 Mobile Safari/537.36":                   "Chrome on Android",
		"Mozilla/5.0 (Macintosh; Intel Mac OS X 10.15; rv:140.0) Gecko/20100101 Firefox/140.0":                                                    "Firefox on macOS",
		"curl/8.5.0": "curl",
		"":           "Unknown device",
	} {
		d := device{Session: &auth.Session{UserAgent: &agent}}
		if got := d.Name(); got != want {
			t.Errorf("%s: %s, want %s", agent, got, want)
		}
	}
}
