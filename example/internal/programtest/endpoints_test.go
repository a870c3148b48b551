package programtest

import (
	"fmt"
	"net/http"
	"testing"
)

func TestEndpoints(t *testing.T) {
	p := start(t, "endpoints", run{})
	stranger := p.visitor()
	stranger.get("/").is(http.StatusUnauthorized)
	stranger.get("/api/bookmarks").is(http.StatusUnauthorized).says("UNAUTHORIZED")
	stranger.post("/api/bookmarks", bookmark{URL: "https://go.dev"}).is(http.StatusUnauthorized)

	v := p.visitor().signUp(ada)
	v.get("/api/bookmarks").is(http.StatusOK).says(`"title":"Start here"`, `"total":1`)
	v.post("/api/bookmarks", bookmark{URL: " https://go.dev "}).is(http.StatusCreated).
		says(`{"id":2,"url":"https://go.dev","title":"go.dev","createdAt":"`) // the hook has trimmed and named it
	for what, invalid := range map[string]bookmark{"no URL": {}, "another scheme": {URL: "ftp://go.dev"}, "no host": {URL: "https:///x"}} {
		t.Log(what)
		v.post("/api/bookmarks", invalid).is(http.StatusBadRequest).says("VALIDATION_ERROR")
	}
	v.with("Sec-Fetch-Site", "cross-site").post("/api/bookmarks", bookmark{URL: "https://evil.example"}).is(http.StatusForbidden)
	v.get("/").is(http.StatusOK).says("2 bookmarks of Ada", "go.dev https://go.dev\nStart here ")
	v.get("/api/bookmarks?limit=1").is(http.StatusOK).says(`"total":2`, `"id":2`)
	v.get("/api/bookmarks?limit=many").is(http.StatusBadRequest).says("VALIDATION_ERROR")

	grace := p.visitor().signUp(person{"Grace", "grace@example.com", password})
	grace.do("DELETE", "/api/bookmarks/2", "", "").is(http.StatusNotFound).says("BOOKMARK_NOT_FOUND") // it is Ada's
	v.do("DELETE", "/api/bookmarks/2", "", "").is(http.StatusOK)
	v.do("DELETE", "/api/bookmarks/2", "", "").is(http.StatusNotFound)
	for i := range 99 {
		v.post("/api/bookmarks", bookmark{URL: fmt.Sprintf("https://example.com/%d", i)}).is(http.StatusCreated)
	}
	v.post("/api/bookmarks", bookmark{URL: "https://example.com/99"}).is(http.StatusConflict).says("TOO_MANY_BOOKMARKS")
}

type bookmark struct {
	URL   string `json:"url"`
	Title string `json:"title,omitempty"`
}

// TestEndpointsDocument: one document has the endpoints of both kinds, where they are.
func TestEndpointsDocument(t *testing.T) {
	p := start(t, "endpoints", run{})
	var document struct {
		Servers []struct{ URL string }
		Paths   map[string]map[string]struct {
			Summary   string
			Servers   []struct{ URL string }
			Responses map[string]any
		}
	}
	p.visitor().get("/openapi.json").is(http.StatusOK).has("Content-Type", "application/json").decode(&document)
	if len(document.Servers) != 1 || document.Servers[0].URL != p.url+"/api/auth" || document.Paths["/sign-in/email"]["post"].Responses["200"] == nil {
		t.Errorf("sign-in is not there: %+v", document.Servers)
	}
	add := document.Paths["/api/bookmarks"]["post"]
	if add.Summary != "Keep a bookmark" || add.Responses["409"] == nil || len(add.Servers) != 1 || add.Servers[0].URL != p.url {
		t.Errorf("bookmarks are added by %+v", add)
	}
	if document.Paths["/api/bookmarks/{id}"]["delete"].Responses["404"] == nil {
		t.Errorf("no bookmark can be removed: %v", document.Paths["/api/bookmarks/{id}"])
	}
}
