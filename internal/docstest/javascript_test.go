package docstest

import (
	"embed"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/seed3b05b409/auth/internal/testnode"
)

//go:embed all:npm
var npm embed.FS

// ownClient is for blocks that use a client on pages that make none.
const ownClient = `import { createAuthClient } from "better-auth/client";
const authClient = createAuthClient(), client = authClient;
`

// TestJavaScript checks the code of pages as the TypeScript compiler does. A block
// that makes no client has that of the block before it on its page.
func TestJavaScript(t *testing.T) {
	manifest, err := fs.Sub(npm, "npm")
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	if err := os.CopyFS(dir, manifest); err != nil {
		t.Fatal(err)
	}
	checked := 0
	for _, p := range pages(t) {
		client := ownClient
		for _, b := range p.blocks {
			if !slices.Contains([]string{"js", "jsx", "ts", "tsx"}, b.language) {
				continue
			}
			checked++
			code := b.code
			if strings.Contains(code, "createAuthClient") {
				client = code + "\n"
			} else if strings.Contains(strings.ToLower(code), "client.") {
				code = client + code
			}
			name := fmt.Sprintf("%s-line-%d.%s", strings.ReplaceAll(p.name, "/", "-"), b.line, b.language)
			if err := os.WriteFile(filepath.Join(dir, name), []byte(code), 0o644); err != nil {
				t.Fatal(err)
			}
		}
	}
	if checked == 0 {
		t.Fatal("no page has JavaScript")
	}
	testnode.Build(t, os.DirFS(dir))
}
