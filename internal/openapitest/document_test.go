package openapitest

import (
	"bytes"
	"embed"
	"encoding/json"
	"maps"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"github.com/pb33f/libopenapi"
	"github.com/seed3b05b409/auth/internal/testnode"
)

//go:embed package.json package-lock.json
var manifest embed.FS

//go:embed redocly.yaml tsconfig.json usage.ts validate.mjs
var scripts embed.FS

// workshop returns a directory with the tools, the scripts and the documents of all
// configurations, each as NAME.json.
func workshop(t *testing.T) (dir string, names []string) {
	t.Helper()
	packages := testnode.InstallManifest(t, manifest)
	dir = t.TempDir()
	if err := os.Symlink(filepath.Join(packages, "node_modules"), filepath.Join(dir, "node_modules")); err != nil {
		t.Fatal(err)
	}
	for _, files := range []embed.FS{scripts, manifest} { // the manifest says that *.js are modules
		if err := os.CopyFS(dir, files); err != nil {
			t.Fatal(err)
		}
	}
	all := documents(t)
	for name, document := range all {
		text, err := json.MarshalIndent(document, "", "\t")
		if err == nil {
			err = os.WriteFile(filepath.Join(dir, name+".json"), text, 0o644)
		}
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
	}
	return dir, slices.Sorted(maps.Keys(all))
}

// jsonFiles are the names of the documents' files.
func jsonFiles(names []string) (files []string) {
	for _, name := range names {
		files = append(files, name+".json")
	}
	return files
}

// TestLint: the strictest rules of Redocly find nothing but what redocly.yaml explains.
func TestLint(t *testing.T) {
	dir, names := workshop(t)
	run(t, dir, append([]string{"node_modules/@redocly/cli/bin/cli.js", "lint", "--config", "redocly.yaml", "--format", "stylish"}, jsonFiles(names)...)...)
}

// TestLintFinds: the linter is not asleep.
func TestLintFinds(t *testing.T) {
	dir, _ := workshop(t)
	text, err := os.ReadFile(filepath.Join(dir, "minimal.json"))
	if err != nil {
		t.Fatal(err)
	}
	broken := bytes.Replace(text, []byte(`#/components/schemas/User"`), []byte(`#/components/schemas/Nobody"`), 1)
	if err := os.WriteFile(filepath.Join(dir, "broken.json"), broken, 0o644); err != nil {
		t.Fatal(err)
	}
	if out, err := command(t, dir, "node_modules/@redocly/cli/bin/cli.js", "lint", "--config", "redocly.yaml", "broken.json"); err == nil {
		t.Errorf("a reference to nothing is not found:\n%s", out)
	}
}

// TestSchema: the documents are what the schema of OpenAPI 3.1 asks for.
func TestSchema(t *testing.T) {
	dir, names := workshop(t)
	run(t, dir, append([]string{"validate.mjs"}, jsonFiles(names)...)...)
}

// TestGo: libopenapi, which Go programs read documents with, builds its model of all of
// them and finds every operation.
func TestGo(t *testing.T) {
	for name, document := range documents(t) {
		text, err := json.Marshal(document)
		if err != nil {
			t.Fatal(err)
		}
		parsed, err := libopenapi.NewDocument(text)
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		model, err := parsed.BuildV3Model()
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		found := 0
		for item := range model.Model.Paths.PathItems.ValuesFromOldest() {
			found += item.GetOperations().Len()
		}
		if want := countOperations(t, text); found != want || want < len(ownEndpoints()) {
			t.Errorf("%s: %d operations, want %d", name, found, want)
		}
	}
}

// countOperations counts the members of paths that are methods.
func countOperations(t *testing.T, text []byte) (n int) {
	t.Helper()
	var document struct{ Paths map[string]map[string]any }
	if err := json.Unmarshal(text, &document); err != nil {
		t.Fatal(err)
	}
	methods := []string{"get", "post", "put", "delete", "patch", "head", "options", "trace"}
	for _, item := range document.Paths {
		for name := range item {
			if slices.Contains(methods, name) {
				n++
			}
		}
	}
	return n
}

// TestServed: what the plugin serves is the same document.
func TestServed(t *testing.T) {
	a := newAuth(t, everything(t))
	response, err := http.Get(serve(t, a) + "/open-api/generate-schema")
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	var served bytes.Buffer
	if _, err := served.ReadFrom(response.Body); err != nil {
		t.Fatal(err)
	}
	want, err := json.Marshal(a.OpenAPI())
	if err != nil || !bytes.Equal(served.Bytes(), want) {
		t.Errorf("%d bytes are served, want %d (%v)", served.Len(), len(want), err)
	}
}
