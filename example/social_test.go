package main

import (
	"context"
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/seed3b05b409/auth"
)

// startSocial starts the example with the demonstration provider.
func startSocial(t *testing.T) *server {
	t.Helper()
	return startSocialWith(t, func(*auth.Config) {})
}

func startSocialWith(t *testing.T, change func(config *auth.Config)) *server {
	t.Helper()
	var serving sync.WaitGroup
	t.Cleanup(serving.Wait) // the provider ends with the test's context, which has ended by then
	return startWith(t, func(config *auth.Config) {
		demo, err := startDemoProvider(t.Context(), config.BaseURL, serving.Go)
		if err != nil {
			t.Fatal(err)
		}
		config.Providers = []auth.Provider{demo.provider()}
		change(config)
	})
}

// with begins to sign in at the provider, or to link, and returns its page.
func (b *browser) with(path string) chooser {
	b.t.Helper()
	return b.chooserOf(b.post(path, "provider", demoID).at(path))
}

// A chooser is the page of the demonstration provider.
type chooser struct {
	browser    *browser
	origin, id string
}

var requestID = regexp.MustCompile(`name="id" value="([^"]+)"`)

// chooserOf goes where a page leads.
func (b *browser) chooserOf(p page) chooser {
	b.t.Helper()
	next := onward(p)
	u, err := url.Parse(next)
	if err != nil {
		b.t.Fatal(err)
	}
	found := requestID.FindStringSubmatch(b.open(next).says("Demo provider", "Ada Lovelace", "Grace Hopper").body)
	if found == nil {
		b.t.Fatal("the provider's page has no request")
	}
	return chooser{b, u.Scheme + "://" + u.Host, found[1]}
}

// onward is where a page leads by itself, and by its link.
func onward(p page) string {
	p.t.Helper()
	next, ok := strings.CutPrefix(p.header.Get("Refresh"), "0; url=")
	if !ok {
		p.t.Fatalf("%s leads nowhere; notice %q", p.path, p.notice())
	}
	p.says(`<a class="button" href="` + next + `"`)
	return next
}

// as chooses a user, nobody to deny.
func (c chooser) as(user string) page {
	c.browser.t.Helper()
	return c.browser.post(c.origin+"/choose", "id", c.id, "user", user)
}

// signOut signs out at the provider too.
func (b *browser) signOutEverywhere() page {
	b.t.Helper()
	return b.open(onward(b.post("/sign-out"))).at("/sign-in").notices("You are signed out.")
}

func TestSignUpWithProvider(t *testing.T) {
	s := startSocial(t)
	b := s.browser(t)
	for _, path := range []string{"/sign-in", "/sign-up"} {
		b.open(path).says("Continue with demo")
	}
	b.with("/sign-in/social").as("ada").at("/account").notices("Welcome!").
		says("Ada Lovelace", "ada@example.com", "Verified", "Ways to sign in", "demo").
		saysNot("Not verified", "Unlink", "Link demo", "Password</strong>")
	if mails := s.mails.latest(); len(mails) > 0 {
		t.Errorf("an address that the provider has verified gets %q", mails[0].Subject)
	}
	b.signOutEverywhere()
	b.open("/account").at("/sign-in")
	b.with("/sign-in/social").as("ada").at("/account").notices("").says("Ada Lovelace") // not new any more

	// Who has no password is not asked for one.
	b.open("/delete-account").saysNot(`type="password"`)
	b.post("/delete-account").at("/delete-account").notices("We sent you a mail. Your account is deleted when you follow the link in it.")
	b.open("/password").saysNot("Current password")
	b.post("/password/first", "new-password", "short").at("/password").notices("Error: Password too short")
	b.post("/password/first", "new-password", firstPassword).at("/password").notices("Your password is set.").says("Current password")
	b.post("/password/first", "new-password", secondPassword).at("/password").notices("Error: User already has a password set")
	s.browser(t).signIn("ada@example.com", firstPassword).at("/account")
}

func TestUnverifiedAddressOfProvider(t *testing.T) {
	s := startSocial(t)
	b := s.browser(t)
	b.with("/sign-in/social").as("grace").at("/account").says("grace@example.com", "Not verified")
	s.mail(t, "grace@example.com", "Verify your e-mail address")
}

func TestProviderSaysNo(t *testing.T) {
	s := startSocial(t)
	b := s.browser(t)
	b.with("/sign-in/social").as("").at("/sign-in").notices("Error: You said no, so nothing has happened.")
	b.signUp("ada@example.com")
	b.with("/account/link").as("").at("/account").notices("Error: You said no, so nothing has happened.").says("Link demo")
}

func TestLinkAndUnlink(t *testing.T) {
	s := startSocial(t)
	b := s.browser(t)
	b.signUp("ada@example.com").says("Link demo").saysNot("Unlink")
	const other = "Error: That account has another e-mail address than yours here, so it was not linked."
	b.with("/account/link").as("linus").at("/account").notices(other)
	b.with("/account/link").as("ada").at("/account").notices("The account is linked.").
		says("demo</strong>", "Password</strong>").saysNot("Link demo")

	// Either way leads to the same user.
	s.browser(t).with("/sign-in/social").as("ada").at("/account").notices("").says("ada@example.com")
	s.browser(t).signIn("ada@example.com", firstPassword).at("/account")

	password := unlinkButton(t, b.open("/account"), "Password")
	b.post("/account/unlink", "account", unlinkButton(t, b.open("/account"), "demo")).
		at("/account").notices("The account is no longer linked.").says("Link demo").saysNot("Unlink")
	b.post("/account/unlink", "account", password).at("/account").notices("Error: You can't unlink your last account")
}

// Long after sign-in nothing is unlinked: whoever finds a browser open could leave
// themselves as the only way in.
func TestUnlinkAfterLongTime(t *testing.T) {
	s := startSocialWith(t, func(config *auth.Config) { config.Session.FreshAge = time.Millisecond })
	b := s.browser(t)
	b.signUp("ada@example.com")
	p := b.with("/account/link").as("ada").at("/account")
	b.post("/account/unlink", "account", unlinkButton(t, p, "demo")).at("/account").
		notices("Error: You signed in more than a day ago. To unlink an account, please sign out and in again.").says("demo</strong>")
}

// unlinkButton returns the id of the account that the button unlinks.
func unlinkButton(t *testing.T, p page, name string) string {
	t.Helper()
	found := regexp.MustCompile(`name="account" value="([^"]+)" aria-label="Unlink ` + name + `"`).FindStringSubmatch(p.body)
	if found == nil {
		t.Fatalf("%s cannot be unlinked:\n%s", name, p.body)
	}
	return found[1]
}

// An address that was never verified here may be somebody else's, so the account at
// the provider is not linked by itself, and nobody is told more than that.
func TestSameAddressIsNotLinkedByItself(t *testing.T) {
	s := startSocial(t)
	s.browser(t).signUp("ada@example.com")
	const notLinked = "Error: There is an account with this address already. Sign in to it, verify the address and link the provider on your profile."
	b := s.browser(t)
	b.with("/sign-in/social").as("ada").at("/sign-in").notices(notLinked)

	b.open(s.mail(t, "ada@example.com", "Verify your e-mail address").Link).at("/link/verified")
	b.with("/sign-in/social").as("ada").at("/account").says("demo</strong>", "Password</strong>")
}

func TestAccountOfSomebodyElse(t *testing.T) {
	s := startSocial(t)
	b := s.browser(t)
	b.signUp("ada@example.com")
	pending := b.with("/account/link")
	b.open(s.mail(t, "ada@example.com", "Verify your e-mail address").Link)
	thief := s.browser(t)
	thief.open(pending.origin + "/choose?id=" + pending.id)
	thief.post(pending.origin+"/choose", "id", pending.id, "user", "ada").at("/sign-in").
		notices("Error: That took too long, or it began in another window. Please try again.")
}

func TestUnknownProvider(t *testing.T) {
	b := startSocial(t).browser(t)
	const unknown = "Error: That provider cannot be reached now. Please try again later."
	b.post("/sign-in/social", "provider", "nobody").at("/sign-in").notices(unknown)
	b.post("/sign-in/social").at("/sign-in").notices(unknown)
	b.signUp("ada@example.com")
	b.post("/account/link", "provider", "nobody").at("/account").notices(unknown)
}

// The callback is reached from another site; the form is not.
func TestProviderFormsOfOtherSites(t *testing.T) {
	s := startSocial(t)
	b := s.browser(t)
	b.signUp("ada@example.com")
	for _, path := range []string{"/sign-in/social", "/account/link", "/account/unlink", "/password/first"} {
		req := b.newPost(path, "provider", demoID)
		req.Header.Set("Sec-Fetch-Site", "cross-site")
		if p := b.do(req); p.status != http.StatusForbidden {
			t.Errorf("%s: status %d", path, p.status)
		}
	}
}

// What a link says went wrong is one of our own texts, whatever the link says.
func TestProviderErrors(t *testing.T) {
	s := startSocial(t)
	b := s.browser(t)
	for code, want := range map[string]string{
		"signup_disabled":             "Nobody is known here by that account",
		"email_not_found":             "The provider did not tell your e-mail address",
		"<script>alert(1)</script>":   "That did not work. Please try again.",
		"":                            "That did not work. Please try again.",
		"email_not_verified&x=1#frag": "Please verify your e-mail address first.",
	} {
		p := b.open("/provider-error?error_description=Call+me&error=" + strings.NewReplacer("<", "%3C", ">", "%3E").Replace(code)).at("/sign-in")
		if !strings.HasPrefix(p.notice(), "Error: "+want) {
			t.Errorf("%q: notice %q", code, p.notice())
		}
		p.saysNot("Call me", "alert(1)")
	}
	// A callback that belongs to no flow has no page of its own to end at.
	b.open("/api/auth/callback/demo?code=x&state=y").at("/sign-in").
		notices("Error: That took too long, or it began in another window. Please try again.")
}

func TestProvidersFromEnv(t *testing.T) {
	env := map[string]string{}
	getenv := func(name string) string { return env[name] }
	if got, err := providersFromEnv(getenv); got != nil || err != nil {
		t.Errorf("nothing set: %v, %v", got, err)
	}
	env = map[string]string{
		"GITHUB_CLIENT_ID": "id", "GITHUB_CLIENT_SECRET": "secret",
		"OIDC_ISSUER": "https://login.example.com", "OIDC_CLIENT_ID": "id", "OIDC_NAME": "Example",
	}
	got, err := providersFromEnv(getenv)
	if err != nil || len(got) != 2 || got[0].ID != "github" || got[0].Name != "GitHub" || got[1].ID != "oidc" || got[1].Name != "Example" {
		t.Errorf("%+v, %v", got, err)
	}
	for name, value := range map[string]string{"GITHUB_CLIENT_SECRET": "", "OIDC_ISSUER": "", "OIDC_CLIENT_ID": ""} {
		old := env[name]
		env[name] = value
		if _, err := providersFromEnv(getenv); err == nil || !strings.Contains(err.Error(), name) {
			t.Errorf("without %s: %v", name, err)
		}
		env[name] = old
	}
}

// Where strangers could reach it, there is no provider that lets them be anybody,
// and none where others are configured.
func TestWhenDemoProviderRuns(t *testing.T) {
	google := namedProvider{"Google", auth.Google("id", "secret")}
	for _, c := range []struct {
		why        string
		configured []namedProvider
		public     bool
		want       string
	}{
		{"nothing configured", nil, false, demoID},
		{"on a network", nil, true, ""},
		{"a provider configured", []namedProvider{google}, false, "google"},
		{"a provider configured, on a network", []namedProvider{google}, true, "google"},
	} {
		var serving sync.WaitGroup
		ctx, stop := context.WithCancel(t.Context())
		got, err := chooseProviders(ctx, c.configured, "http://localhost:3000", c.public, serving.Go)
		if err != nil {
			t.Fatal(err)
		}
		var ids []string
		for _, p := range got {
			ids = append(ids, p.ID)
		}
		if strings.Join(ids, " ") != c.want {
			t.Errorf("%s: providers %q, want %q", c.why, ids, c.want)
		}
		stop()
		serving.Wait()
	}
}
