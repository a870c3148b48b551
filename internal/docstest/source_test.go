package docstest

import (
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"maps"
	"path"
	"regexp"
	"slices"
	"strconv"
	"strings"
)

// generated is where the packages made from the pages are, for the go command
// alone: on the disk they are elsewhere.
const generated = "github.com/seed3b05b409/auth/internal/docstest/generated"

// known are the packages that fragments use without an import. The package log is
// there as well, in the form of Stage.Log.
var known = map[string]string{
	"auth": "github.com/seed3b05b409/auth", "redisstorage": "github.com/seed3b05b409/auth/redisstorage",
	"redis": "github.com/redis/go-redis/v9", "norm": "golang.org/x/text/unicode/norm",
	"bytes": "bytes", "context": "context", "cmp": "cmp", "embed": "embed", "errors": "errors", "expvar": "expvar", "fmt": "fmt",
	"hex": "encoding/hex", "html": "html", "httptest": "net/http/httptest", "http": "net/http", "io": "io",
	"json": "encoding/json", "log": "log", "maps": "maps", "net": "net", "netip": "net/netip", "os": "os",
	"rand": "crypto/rand", "slices": "slices", "slog": "log/slog", "smtp": "net/smtp", "sql": "database/sql",
	"strconv": "strconv", "strings": "strings", "sync": "sync", "synctest": "testing/synctest",
	"template": "html/template", "testing": "testing", "time": "time", "tls": "crypto/tls", "url": "net/url",
}

// A source is the Go code of one page.
type source struct {
	page      string
	files     map[string]string // by name, from the directory of generated packages
	programs  []program
	fragments []block
}

// A program is a complete one, with the other blocks up to the next.
type program struct {
	block
	directory string
	ports     ports
	after     []block
}

// identifier is the name of a page in Go.
func (p page) identifier() string {
	name := strings.ToLower(strings.TrimSuffix(p.name, ".md"))
	return "page_" + strings.NewReplacer("/", "_", "-", "_", ".", "_").Replace(name)
}

// source sorts the blocks of a page: programs, packages, and what belongs to the
// package of the page.
func (p page) source() (source, error) {
	s := source{page: p.identifier(), files: make(map[string]string)}
	var declarations, library string
	var functions []string
	imports := make(map[string]bool)
	for _, b := range p.blocks {
		switch {
		case b.program():
			directory := fmt.Sprintf("%s_%d", s.page, b.line)
			p := program{block: b, directory: directory, ports: make(ports)}
			s.programs = append(s.programs, p)
			s.files[directory+"/main.go"] = b.at() + s.own(p.ports.replace(b.code))
			continue
		case b.language == "go" && strings.HasPrefix(b.code, "package "):
			library = path.Join(s.page, packageName(b.code), "package.go")
			s.files[library] += b.at() + s.own(b.code)
			continue
		case b.language == "go" && declares(b.code):
			if library != "" {
				s.files[library] += b.at() + b.code
				continue
			}
			declarations += b.at() + b.code
			if err := use(imports, "package p\n"+b.code); err != nil {
				return s, fmt.Errorf("%s: %w", b.name(), err)
			}
		case b.language == "go" || b.language == "sql":
			text, err := function(b)
			if err == nil {
				err = use(imports, "package p\n"+text)
			}
			if err != nil {
				return s, fmt.Errorf("%s: %w", b.name(), err)
			}
			functions = append(functions, text)
			s.fragments = append(s.fragments, b)
		}
		if n := len(s.programs); n > 0 {
			s.programs[n-1].after = append(s.programs[n-1].after, b)
		}
	}
	s.files[s.page+"/page.go"] = s.pagePackage(imports, declarations+strings.Join(functions, ""))
	return s, nil
}

// declares reports whether code consists of declarations.
func declares(code string) bool {
	_, err := parser.ParseFile(token.NewFileSet(), "", "package p\n"+code, parser.SkipObjectResolution)
	return err == nil
}

func packageName(code string) string {
	name, _, _ := strings.Cut(strings.TrimPrefix(code, "package "), "\n")
	return strings.TrimSpace(name)
}

// own gives the packages of a page the place that they have here.
func (s source) own(code string) string {
	return strings.ReplaceAll(code, `"example.com/`, fmt.Sprintf(`"%s/%s/`, generated, s.page))
}

// pagePackage is the file with the declarations and fragments of a page.
func (s source) pagePackage(imports map[string]bool, body string) string {
	var text strings.Builder
	fmt.Fprintf(&text, "package %s\n\nimport \"github.com/seed3b05b409/auth/internal/docstest\"\n", s.page)
	for _, name := range slices.Sorted(maps.Keys(imports)) {
		fmt.Fprintf(&text, "import %s %q\n", name, known[name])
	}
	text.WriteString("var Fragments = []docstest.Fragment{\n")
	for _, b := range s.fragments {
		if b.notRun == "" {
			fmt.Fprintf(&text, "{%q, fragment%d},\n", b.name(), b.line)
		}
	}
	text.WriteString("}\n" + body)
	return text.String()
}

// function makes a function of a fragment. Its variables count as used, and what it
// declares hides what is around it. Where it opens a store, it gets that of SQLite,
// which is what db is.
func function(b block) (string, error) {
	code := otherDialect.ReplaceAllString(b.code, "(db, auth.SQLite")
	if b.language == "sql" {
		code = "_, err = db.ExecContext(ctx, " + strconv.Quote(code) + ")\n"
	} else if used, err := useVariables(code); err != nil {
		return "", err
	} else {
		code = used
	}
	return fmt.Sprintf(`
func fragment%d(stage *docstest.Stage) {
	ctx, key, a, db, mux, w, r, config, log := stage.Context, stage.Key, stage.Auth, stage.DB, stage.Mux, stage.Writer, stage.Request, stage.Config, stage.Log
	var err error
	_, _, _, _, _, _, _, _, _, _ = ctx, key, a, db, mux, w, r, config, log, err
	{
%s%s
	stage.Check(err)
	}
}
`, b.line, b.at(), code), nil
}

var otherDialect = regexp.MustCompile(`\(db, auth\.(PostgreSQL|MySQL)\b`)

const head = "package p\nfunc _() {\n"

// useVariables adds "; _ = x" to each statement that declares x.
func useVariables(code string) (string, error) {
	file, err := parser.ParseFile(token.NewFileSet(), "", head+code+"\n}", parser.SkipObjectResolution)
	if err != nil {
		return "", err
	}
	uses := make(map[int]string) // by offset
	ast.Inspect(file, func(n ast.Node) bool {
		list, _ := n.(*ast.BlockStmt)
		for i := 0; list != nil && i < len(list.List); i++ {
			for _, name := range declared(list.List[i]) {
				uses[int(list.List[i].End())-1-len(head)] += "; _ = " + name
			}
		}
		return true
	})
	for _, at := range slices.Backward(slices.Sorted(maps.Keys(uses))) {
		code = code[:at] + uses[at] + code[at:]
	}
	return code, nil
}

// declared returns the variables that a statement declares for those behind it.
func declared(statement ast.Stmt) (names []string) {
	var expressions []ast.Expr
	switch s := statement.(type) {
	case *ast.AssignStmt:
		if s.Tok == token.DEFINE {
			expressions = s.Lhs
		}
	case *ast.DeclStmt:
		for _, spec := range s.Decl.(*ast.GenDecl).Specs {
			if values, ok := spec.(*ast.ValueSpec); ok && s.Decl.(*ast.GenDecl).Tok == token.VAR {
				for _, name := range values.Names {
					expressions = append(expressions, name)
				}
			}
		}
	}
	for _, e := range expressions {
		if name, ok := e.(*ast.Ident); ok && name.Name != "_" {
			names = append(names, name.Name)
		}
	}
	return names
}

// use adds the known packages that a file uses. In a fragment, log is a variable.
func use(imports map[string]bool, text string) error {
	file, err := parser.ParseFile(token.NewFileSet(), "", text, 0)
	if err != nil {
		return err
	}
	for _, name := range file.Unresolved {
		if known[name.Name] != "" {
			imports[name.Name] = true
		}
	}
	return nil
}
