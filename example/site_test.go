package main

import (
	"net/http"
	"regexp"
	"slices"
	"strings"
	"testing"
)

func TestSignUpSignOutSignIn(t *testing.T) {
	s := start(t)
	b := s.browser(t)
	b.open("/").at("/").says("Create an account")
	b.signUp("Ada@example.com").
		notices("Welcome! We sent you a mail to verify your address.").
		says("Ada Lovelace", "ada@example.com", "Not verified")
	b.open("/account").at("/account").notices("") // a notice is shown once
	b.open("/sign-in").at("/account")             // nothing to do there

	b.post("/sign-out").at("/sign-in").notices("You are signed out.")
	b.open("/account").at("/sign-in").notices("Please sign in to continue.")
	b.signIn("ada@example.com", firstPassword).at("/account").says("Ada Lovelace")
}

func TestRememberMe(t *testing.T) {
	s := start(t)
	s.browser(t).signUp("ada@example.com")
	for _, c := range []struct {
		form []string
		age  bool
	}{
		{[]string{"login", "ada@example.com", "password", firstPassword, "remember", "on"}, true},
		{[]string{"login", "ada@example.com", "password", firstPassword}, false},
	} {
		b := s.browser(t)
		b.client.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
		p := b.post("/sign-in", c.form...)
		i := slices.IndexFunc(p.header["Set-Cookie"], func(c string) bool { return strings.Contains(c, "session_token=") })
		if i < 0 || strings.Contains(p.header["Set-Cookie"][i], "Max-Age") != c.age {
			t.Errorf("form %v: cookies %q, want one with Max-Age: %v", c.form, p.header["Set-Cookie"], c.age)
		}
	}
}

func TestVisitorsSeeTheirMistakes(t *testing.T) {
	s := start(t)
	taken := s.browser(t)
	taken.signUp("taken@example.com")
	taken.post("/account", "name", "Ada", "username", "taken").at("/account")
	const email = "who@example.com"
	for _, c := range []struct {
		name   string
		path   string
		form   []string
		back   string // "": path
		notice string
		wrong  string // input that is marked
	}{
		{"address taken", "/sign-up", []string{"name", "Who", "email", "taken@example.com", "new-password", firstPassword},
			"", "Error: User already exists. Use another email.", "email"},
		{"short password", "/sign-up", []string{"name", "Who", "email", email, "new-password", "short"},
			"", "Error: Password too short", "new-password"},
		{"no address", "/sign-up", []string{"name", "Who", "email", "nobody", "new-password", firstPassword},
			"", "Error: [body.email] Invalid email address", ""},
		{"unknown address", "/sign-in", []string{"login", email, "password", firstPassword},
			"", "Error: Invalid email or password", ""},
		{"wrong password", "/sign-in", []string{"login", "taken@example.com", "password", secondPassword},
			"", "Error: Invalid email or password", ""},
		{"unknown user name", "/sign-in", []string{"login", "nobody", "password", firstPassword},
			"", "Error: Invalid username or password", ""},
		{"no address and no user name", "/sign-in", []string{"login", "a@b", "password", firstPassword},
			"", "Error: Invalid email", "login"},
		{"short user name", "/sign-in", []string{"login", "a", "password", firstPassword},
			"", "Error: Username is too short", "login"},
		{"user name taken", "/sign-up", []string{"name", "Who", "email", email, "username", "Taken", "new-password", firstPassword},
			"", "Error: Username is already taken. Please try another.", "username"},
		{"no user name", "/sign-up", []string{"name", "Who", "email", email, "username", "a b c", "new-password", firstPassword},
			"", "Error: Username is invalid", "username"},
		{"link without an address", "/sign-in/link", []string{"email", "nobody"},
			"", "Error: [body.email] Invalid email address", ""},
		{"sign-in without form", "/sign-in", nil, "", "Error: Invalid username or password", ""},
		{"forged reset", "/reset-password", []string{"token", "a b", "new-password", firstPassword},
			"/reset-password?token=a+b", "Error: Invalid token", ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			back := c.back
			if back == "" {
				back = c.path
			}
			p := s.browser(t).post(c.path, c.form...).at(back).notices(c.notice)
			p.says("<title>Error: ", `role="alert"`).saysNot(firstPassword, secondPassword)
			if got := markedInput(p); got != c.wrong {
				t.Errorf("input %q is marked, want %q", got, c.wrong)
			}
			for i := 0; i < len(c.form); i += 2 {
				if slices.Contains(keptInputs, c.form[i]) {
					p.says(`value="` + c.form[i+1] + `"`)
				}
			}
		})
	}
}

var invalidInput = regexp.MustCompile(`<input id="([a-z-]+)"[^>]* aria-invalid="true" aria-describedby="flash`)

func markedInput(p page) string {
	found := invalidInput.FindStringSubmatch(p.body)
	if found == nil {
		return ""
	}
	return found[1]
}

func TestMembersOnly(t *testing.T) {
	s := start(t)
	for _, path := range []string{"/account", "/password", "/sessions", "/delete-account", "/two-factor/confirm"} {
		s.browser(t).open(path).at("/sign-in").notices("Please sign in to continue.")
	}
	for _, path := range []string{
		"/account", "/account/verification", "/account/email", "/password",
		"/sessions/revoke", "/sessions/revoke-others", "/delete-account",
		"/two-factor/enable", "/two-factor/disable", "/two-factor/backup-codes",
	} {
		s.browser(t).post(path, "name", "x", "email", "x@example.com", "password", firstPassword, "new-password", firstPassword).
			at("/sign-in").notices("Please sign in to continue.")
	}
}

func TestFormsOfOtherSites(t *testing.T) {
	s := start(t)
	b := s.browser(t)
	b.signUp("ada@example.com")
	for header, value := range map[string]string{"Sec-Fetch-Site": "cross-site", "Origin": "https://evil.example"} {
		req := b.newPost("/account", "name", "Mallory")
		req.Header.Set(header, value)
		if p := b.do(req); p.status != http.StatusForbidden {
			t.Errorf("%s: %s: status %d", header, value, p.status)
		}
	}
	b.open("/account").saysNot("Mallory")

	req := b.newPost("/account", "name", "Augusta")
	req.Header.Set("Sec-Fetch-Site", "same-origin")
	req.Header.Set("Origin", s.url)
	b.do(req).at("/account").says("Augusta")
}

func TestPagesAreLockedDown(t *testing.T) {
	s := start(t)
	visitor, member := s.browser(t), s.browser(t)
	member.signUp("ada@example.com")
	pages := map[string]*browser{
		"/": visitor, "/sign-up": visitor, "/sign-in": visitor, "/forgot-password": visitor,
		"/reset-password?token=x": visitor, "/reset-password?error=INVALID_TOKEN": visitor, "/outbox": visitor,
		"/link/verified": visitor, "/link/changed": visitor, "/link/deleted": visitor, "/nowhere": visitor, "/link/other": visitor,
		"/sign-in/link": visitor, secondStep: visitor, secondStepPath + mailCode: visitor, secondStepPath + backupCode: visitor,
		"/account": member, "/two-factor/confirm": member, "/password": member, "/sessions": member, "/delete-account": member,
	}
	for path, b := range pages {
		p := b.open(path)
		if p.path != path {
			t.Errorf("%s leads to %s", path, p.path)
		}
		p.saysNot("<script", " style=", " onclick=", "ZgotmplZ", "<no value>")
		for name, want := range map[string]string{
			"Content-Security-Policy": "default-src 'none'",
			"X-Content-Type-Options":  "nosniff",
			"X-Frame-Options":         "DENY",
			"Referrer-Policy":         "same-origin",
			"Cache-Control":           "no-store",
		} {
			if got := p.header.Get(name); !strings.HasPrefix(got, want) {
				t.Errorf("%s: %s: %s", path, name, got)
			}
		}
	}
	if p := visitor.open("/nowhere"); p.status != http.StatusNotFound {
		t.Errorf("unknown page: status %d", p.status)
	}
	if p := visitor.open("/static/style.css"); p.status != http.StatusOK || !strings.HasPrefix(p.header.Get("Content-Type"), "text/css") {
		t.Errorf("stylesheet: %d %s", p.status, p.header.Get("Content-Type"))
	}
	if p := visitor.open("/static/"); p.status != http.StatusNotFound {
		t.Errorf("directory: status %d", p.status)
	}
}

// The API is beside the pages, with checks of its own.
func TestAPI(t *testing.T) {
	s := start(t)
	b := s.browser(t)
	if p := b.open("/api/auth/get-session"); p.body != "null" {
		t.Errorf("get-session of a visitor: %s", p.body)
	}
	b.signUp("ada@example.com")
	b.open("/api/auth/get-session").says(`"email":"ada@example.com"`)
	if p := b.post("/api/auth/sign-out"); p.status == http.StatusOK {
		t.Error("a form without an origin signed out over the API")
	}
}

func TestTooManyAttempts(t *testing.T) {
	s := start(t)
	b := s.browser(t)
	for range attempts.Max {
		b.signIn("nobody@", "").at("/sign-in").notices("Error: Invalid email")
	}
	b.signIn("nobody@", "").at("/sign-in").notices("Error: Too many requests. Please try again later.")
}

func TestLargeForm(t *testing.T) {
	b := start(t).browser(t)
	if p := b.signIn("ada@example.com", strings.Repeat("x", maxForm)); p.status != http.StatusBadRequest {
		t.Errorf("status %d", p.status)
	}
	// What does not fit into a cookie is lost, the message is not.
	b.post("/sign-up", "name", strings.Repeat("n", 5000), "email", "ada@example.com", "new-password", "short").
		at("/sign-up").notices("Error: Password too short").saysNot("nnnn")
}
