package auth

import (
	"context"
	"encoding/json"
	"html"
	"regexp"
	"slices"
	"strings"
	"testing"
)

func TestOpenAPIDoors(t *testing.T) {
	checkPluginDoors(t, doorSet{
		plugin: func() Plugin { return &OpenAPI{} },
		cases: []doorCase{
			{op: "generateOpenAPISchema", want: 200},
			{op: "generateOpenAPISchema", as: "forged", want: 200},
			{op: "openAPIReference", want: 200},
			{op: "openAPIReference", as: "ann", want: 200},
		},
	})
}

func TestOpenAPIReferenceDoors(t *testing.T) {
	checkPluginDoors(t, doorSet{
		plugin: func() Plugin { return &OpenAPI{DisableReference: true} },
		cases: []doorCase{
			{op: "generateOpenAPISchema", want: 200},
			{op: "openAPIReference", want: 404},
		},
	})
}

// TestOpenAPIPlugin: the document on the wire is that of Go code, and the page has it
// too.
func TestOpenAPIPlugin(t *testing.T) {
	own := at("GET", "/items")
	plugin := &OpenAPI{Path: "/docs", Own: []Operation{own}}
	w := newWorld(t, func(c *Config) { c.Plugins = []Plugin{plugin} })
	want := parseDocument(t, w.OpenAPI(own)).text
	if got := w.browser().get("/open-api/generate-schema"); got.StatusCode != 200 || got.body != want || got.Header.Get("Content-Type") != "application/json" {
		t.Errorf("answer %d %s", got.StatusCode, got.body)
	}
	if got, err := plugin.GenerateSchema.Call(t.Context(), Empty{}); err != nil || string(got) != want {
		t.Errorf("call: %s, %v", got, err)
	}
	page := w.browser().get("/docs")
	if page.StatusCode != 200 || !strings.HasPrefix(page.Header.Get("Content-Type"), "text/html") || strings.Contains(page.Header.Get("Content-Security-Policy"), "unsafe") {
		t.Errorf("page %d %v", page.StatusCode, page.Header)
	}
	var embedded, document any
	if err := json.Unmarshal([]byte(embeddedDocument(t, page.body)), &embedded); err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal([]byte(want), &document); err != nil {
		t.Fatal(err)
	}
	if got := encodeResult(t, embedded); got != encodeResult(t, document) {
		t.Errorf("the page has %s", got)
	}
	if w.browser().get("/reference").StatusCode != 404 {
		t.Error("the page is also at its default path")
	}
}

func embeddedDocument(t *testing.T, page string) string {
	t.Helper()
	_, rest, _ := strings.Cut(page, `<script id="api-reference" type="application/json">`)
	text, _, found := strings.Cut(rest, "</script>")
	if !found {
		t.Fatal("the page has no document")
	}
	return text
}

// TestOpenAPIPage: everything in the document can be read on the page, every link on it
// leads somewhere, and it takes nothing from elsewhere.
func TestOpenAPIPage(t *testing.T) {
	w := documentedWorld(t)
	doc := parseDocument(t, w.OpenAPI())
	page := w.browser().get("/reference").body
	shown := html.UnescapeString(strings.Replace(page, embeddedDocument(t, page), "", 1))
	var ids []string
	for _, match := range regexp.MustCompile(` id="([^"]*)"`).FindAllStringSubmatch(page, -1) {
		if slices.Contains(ids, match[1]) {
			t.Errorf("two elements have the id %s", match[1])
		}
		ids = append(ids, match[1])
	}
	for path, item := range doc.Paths {
		for _, op := range item {
			for _, text := range []string{path, op.OperationID, `id="operation/` + op.OperationID + `"`} {
				if !strings.Contains(shown, text) {
					t.Errorf("the page does not show %s", text)
				}
			}
			for status := range op.Responses {
				for code := range strings.FieldsSeq(doc.codes(op, status)) {
					if !strings.Contains(shown, code) {
						t.Errorf("the page does not show %s", code)
					}
				}
			}
		}
	}
	links := regexp.MustCompile(`href="([^"]*)"`).FindAllStringSubmatch(page, -1)
	for _, match := range links {
		if target, ok := strings.CutPrefix(match[1], "#"); !ok || !slices.Contains(ids, target) {
			t.Errorf("the link %s leads nowhere", match[1])
		}
	}
	if len(links) < len(doc.Paths) {
		t.Errorf("%d links", len(links))
	}
	for _, elsewhere := range []string{" src=", " onclick=", " style=", "url(", "@import", "javascript:", "ZgotmplZ"} {
		if strings.Contains(page, elsewhere) {
			t.Errorf("the page contains %s", elsewhere)
		}
	}
}

// TestOpenAPIPageBelievesItself: the policy of the page names exactly what the page
// runs, and an application's nonce stands where it should.
func TestOpenAPIPageBelievesItself(t *testing.T) {
	w := newWorld(t, func(c *Config) { c.Plugins = []Plugin{&OpenAPI{Nonce: `n"once`, Theme: "dark"}} })
	page := w.browser().get("/reference")
	policy := page.Header.Get("Content-Security-Policy")
	for kind, expr := range map[string]string{"style": `(?s)<style nonce="n&#34;once">(.*?)</style>`, "script": `(?s)<script nonce="n&#34;once">(.*?)</script>`} {
		found := regexp.MustCompile(expr).FindAllStringSubmatch(page.body, -1)
		if len(found) != 1 {
			t.Fatalf("%d elements %s", len(found), kind)
		}
		if want := kind + "-src " + sourceHash([]byte(found[0][1])) + ";"; !strings.Contains(policy, want) {
			t.Errorf("policy %s, want %s", policy, want)
		}
	}
	if !strings.Contains(page.body, `<html lang="en" data-theme="dark">`) {
		t.Error("the page is not dark")
	}
	if message := mistaken(t, &OpenAPI{Theme: "moon"}); !strings.Contains(message, `plugin open-api: the Theme "moon"`) {
		t.Errorf("error %s", message)
	}
}

// hostileTexts would end an element, an attribute or a comment if they were not
// escaped.
var hostileTexts = []string{
	`</script><script>alert(1)</script>`, `<!--<script>`, `]]>`, `"><img src=x onerror=alert(1)>`, `' onclick='alert(1)`,
	"</title><svg/onload=alert(1)>", "\u2028\u2029", "{{.}}", "</style>", "\x00", "\xff",
}

// TestAdvisory_GHSA_9x4v_xfq5_m8x5_Reference: titles, descriptions, names and paths are text on
// the page, whatever is in them.
func TestAdvisory_GHSA_9x4v_xfq5_m8x5_Reference(t *testing.T) {
	for _, text := range hostileTexts {
		checkHostilePage(t, text)
	}
}

func FuzzOpenAPIPage(f *testing.F) {
	for _, text := range hostileTexts {
		f.Add(text)
	}
	f.Fuzz(checkHostilePage)
}

func checkHostilePage(t *testing.T, text string) {
	own := NewEndpoint("GET", "/own/"+text, func(context.Context, struct {
		Param string `query:"q"`
	}) (Empty, error) {
		return Empty{}, nil
	}).Describe(Description{Summary: text, Details: text, Tag: text, Errors: map[int][]Code{400: {Code(text)}}})
	w := newWorld(t, func(c *Config) {
		c.AppName = text
		c.User.Fields = []Column{{Name: "own" + text, Type: TypeString, Optional: true}}
		c.Plugins = []Plugin{&OpenAPI{Own: []Operation{own}, Nonce: text}}
	})
	page := w.browser().get("/reference")
	if page.StatusCode != 200 {
		t.Fatalf("%q: status %d", text, page.StatusCode)
	}
	tags := regexp.MustCompile(`<(/?[a-zA-Z!][^\s/>]*)`).FindAllString(page.body, -1)
	count := make(map[string]int)
	for _, tag := range tags {
		count[tag]++
	}
	if count["<script"] != 2 || count["</script"] != 2 || count["<style"] != 1 || count["</style"] != 1 || count["</title"] != 1 {
		t.Errorf("%q: elements %v", text, count)
	}
	for tag := range count {
		if !slices.Contains(pageElements, strings.TrimLeft(tag, "</")) {
			t.Errorf("%q: there is an element %s", text, tag)
		}
	}
	if !json.Valid([]byte(embeddedDocument(t, page.body))) {
		t.Errorf("%q: the document is no JSON", text)
	}
}

// pageElements are those of the template.
var pageElements = strings.Fields(`!doctype html head meta title style body div nav input h1 h2 h3 h4 ul li a main p code
	section table tr th td details summary span script`)
