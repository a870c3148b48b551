package bench

import (
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"text/template"
)

// BenchmarkBinary is how many bytes an endpoint adds to a program, as bytes/endpoint:
// the difference between programs with one and with 65 of them, by the endpoints
// more. Each endpoint has a function and types of its own. Programs are linked with
// -ldflags=-s -w, which leaves out what debuggers want. The budget: 4 KiB.
func BenchmarkBinary(b *testing.B) {
	few, many := 1, 65
	if testing.Short() {
		many = 9
	}
	for _, peer := range []struct {
		name    string
		program *template.Template
	}{
		{"by hand", programByHand},
		{"auth", programAuth},
		{"huma", programHuma},
	} {
		b.Run(peer.name, func(b *testing.B) {
			var added int64
			for b.Loop() {
				sizes := buildSizes(b, peer.program, few, many)
				added = sizes[1] - sizes[0]
			}
			b.ReportMetric(float64(added)/float64(many-few), "bytes/endpoint")
			b.ReportMetric(0, "ns/op") // that of the compiler and the linker
		})
	}
}

// buildSizes returns how large the program is with so many endpoints. Its files are
// an overlay on this module, whose dependencies it has.
func buildSizes(b *testing.B, program *template.Template, endpoints ...int) (sizes []int64) {
	b.Helper()
	dir := b.TempDir()
	replace := make(map[string]string)
	for _, n := range endpoints {
		source := filepath.Join(dir, fmt.Sprintf("endpoints-%d.go", n))
		writeProgram(b, source, program, n)
		target, err := filepath.Abs(filepath.Join("generated", fmt.Sprintf("endpoints-%d", n), "main.go"))
		if err != nil {
			b.Fatal(err)
		}
		replace[target] = source
	}
	overlay := filepath.Join(dir, "overlay.json")
	text, err := json.Marshal(map[string]any{"Replace": replace})
	if err != nil {
		b.Fatal(err)
	}
	if err := os.WriteFile(overlay, text, 0o600); err != nil {
		b.Fatal(err)
	}
	command := exec.CommandContext(b.Context(), "go", "build", "-ldflags=-s -w", "-overlay", overlay, "-o", dir+string(filepath.Separator), "./generated/...")
	if out, err := command.CombinedOutput(); err != nil {
		b.Fatalf("go build: %v\n%s", err, out)
	}
	for _, n := range endpoints {
		info, err := os.Stat(filepath.Join(dir, fmt.Sprintf("endpoints-%d", n)))
		if err != nil {
			b.Fatal(err)
		}
		sizes = append(sizes, info.Size())
	}
	return sizes
}

func writeProgram(b *testing.B, name string, program *template.Template, endpoints int) {
	b.Helper()
	file, err := os.Create(name)
	if err != nil {
		b.Fatal(err)
	}
	defer file.Close()
	if err := program.Execute(file, endpoints); err != nil {
		b.Fatal(err)
	}
}

// functions are the operations that all programs serve.
const functions = `
{{range .}}
type Order{{.}} struct {
	Item  string ` + "`json:\"item\"`" + `
	Count int    ` + "`json:\"count\"`" + `
	Gift  bool   ` + "`json:\"gift\"`" + `
}

type Receipt{{.}} struct {
	Item  string ` + "`json:\"item\"`" + `
	Total int    ` + "`json:\"total\"`" + `
}

func place{{.}}(_ context.Context, in Order{{.}}) (Receipt{{.}}, error) {
	return Receipt{{.}}{Item: in.Item, Total: {{.}} + in.Count}, nil
}
{{end}}
`

var programByHand = template.Must(template.New("by hand").Parse(`package main

import (
	"context"
	"encoding/json"
	"net/http"
)
` + functions + `
func main() {
	mux := http.NewServeMux()
	{{range .}}mux.HandleFunc("POST /orders/{{.}}", handle{{.}})
	{{end}}
	_ = http.ListenAndServe("localhost:0", mux)
}
{{range .}}
func handle{{.}}(w http.ResponseWriter, r *http.Request) {
	var in Order{{.}}
	if err := json.NewDecoder(http.MaxBytesReader(w, r.Body, 1<<20)).Decode(&in); err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	out, err := place{{.}}(r.Context(), in)
	if err != nil {
		http.Error(w, "internal error", http.StatusInternalServerError)
		return
	}
	w.Header().Set("Content-Type", "application/json")
	_ = json.NewEncoder(w).Encode(out)
}
{{end}}
`))

var programAuth = template.Must(template.New("auth").Parse(`package main

import (
	"context"
	"net/http"

	"github.com/seed3b05b409/auth"
)
` + functions + `
func main() {
	mux := http.NewServeMux()
	{{range .}}mux.Handle("POST /orders/{{.}}", auth.NewEndpoint("POST", "/orders/{{.}}", place{{.}}))
	{{end}}
	_ = http.ListenAndServe("localhost:0", mux)
}
`))

var programHuma = template.Must(template.New("huma").Parse(`package main

import (
	"context"
	"net/http"

	"github.com/danielgtaylor/huma/v2"
	"github.com/danielgtaylor/huma/v2/adapters/humago"
)
` + functions + `
{{range .}}
type Input{{.}} struct{ Body Order{{.}} }

type Output{{.}} struct{ Body Receipt{{.}} }
{{end}}
func main() {
	mux := http.NewServeMux()
	api := humago.New(mux, huma.DefaultConfig("orders", "1.0.0"))
	{{range .}}huma.Post(api, "/orders/{{.}}", func(ctx context.Context, in *Input{{.}}) (*Output{{.}}, error) {
		out, err := place{{.}}(ctx, in.Body)
		return &Output{{.}}{Body: out}, err
	})
	{{end}}
	_ = http.ListenAndServe("localhost:0", mux)
}
`))
