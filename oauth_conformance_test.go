package auth

import (
	"net/http"
	"net/url"
	"strings"
	"testing"
)

// discovered is acme as its metadata describe it.
func discovered(members string) func(r *http.Request, form url.Values) (int, string) {
	return func(r *http.Request, _ url.Values) (int, string) {
		if !strings.HasSuffix(r.URL.Path, "/openid-configuration") {
			return 0, ""
		}
		return http.StatusOK, `{"authorization_endpoint":"https://acme.test/there","token_endpoint":"https://acme.test/token"` + members + `}`
	}
}

func TestDiscoveredAuthorizationEndpoint(t *testing.T) {
	w, f := newSocialWorld(t, func(c *Config) {
		c.Providers = []Provider{OIDC("acme", "https://acme.test", "client", "client secret")}
	})
	f.answer = discovered("")
	u := w.browser().begin("/sign-in/social", nil)
	if u.Scheme+"://"+u.Host+u.Path != "https://acme.test/there" {
		t.Errorf("sent to %s", u)
	}
}
