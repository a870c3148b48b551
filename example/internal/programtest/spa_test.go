package programtest

import (
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// builtPages is a folder as Vite builds them. The real ones are in the browser's tests.
func builtPages(t *testing.T) string {
	t.Helper()
	dist := filepath.Join(t.TempDir(), "dist")
	if err := os.MkdirAll(filepath.Join(dist, "assets"), 0o755); err != nil {
		t.Fatal(err)
	}
	for name, text := range map[string]string{
		"index.html": "<!doctype html><title>Pages</title>", "icon.svg": "<svg/>", "assets/index-1a2b.js": "export {}",
	} {
		if err := os.WriteFile(filepath.Join(dist, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return dist
}

func TestSPA(t *testing.T) {
	p := start(t, "spa", run{args: []string{"-web", builtPages(t)}})
	v := p.visitor()
	for _, route := range []string{"/", "/sign-in", "/sessions", "/no/such/route"} {
		a := v.get(route).is(http.StatusOK).says("<title>Pages").has("Cache-Control", "no-cache").
			has("Content-Type", "text/html; charset=utf-8").has("X-Content-Type-Options", "nosniff")
		if policy := a.header.Get("Content-Security-Policy"); !strings.Contains(policy, "script-src 'self';") {
			t.Errorf("%s: policy %q", route, policy)
		}
	}
	page := v.get("/sessions")
	v.with("If-Modified-Since", page.header.Get("Last-Modified")).get("/sessions").is(http.StatusNotModified)
	v.get("/assets/index-1a2b.js").is(http.StatusOK).says("export").
		has("Cache-Control", "public, max-age=31536000, immutable").has("Content-Type", "text/javascript; charset=utf-8")
	v.get("/icon.svg").is(http.StatusOK).has("Cache-Control", "no-cache").has("Content-Type", "image/svg+xml")
	for _, gone := range []string{"/assets/index-old.js", "/assets/", "/assets", "/robots.txt", "/api/nothing", "/api/auth/nothing"} {
		if a := v.get(gone).is(http.StatusNotFound); strings.Contains(a.body, "<title>") || strings.Contains(a.header.Get("Cache-Control"), "immutable") {
			t.Errorf("%s: %q %s", gone, a.header, a.body)
		}
	}
	v.do("POST", "/sessions", form, "").is(http.StatusMethodNotAllowed)
	v.get("/api/auth/list-sessions").is(http.StatusUnauthorized)
	v.signUp(ada).get("/api/auth/list-sessions").is(http.StatusOK)
}

// TestSPANotBuilt: a reader who has not built the pages is told how to.
func TestSPANotBuilt(t *testing.T) {
	_, err := run{args: []string{"-web", filepath.Join(t.TempDir(), "dist")}}.start(t, "spa")
	if err == nil || !strings.Contains(err.Error(), "npm ci && npm run build") {
		t.Error(err)
	}
}

// TestSPADevelopment: the pages are those of another server, the endpoints are here.
func TestSPADevelopment(t *testing.T) {
	vite := start(t, "chi", run{}) // any server
	p := start(t, "spa", run{args: []string{"-dev", vite.url}})
	p.visitor().get("/").is(http.StatusOK).says("Everybody may read this.")
	p.visitor().signUp(ada)
}
