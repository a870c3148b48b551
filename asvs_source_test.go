package auth_test

import (
	"go/ast"
	"go/types"
	"maps"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
)

// imports returns the packages that the library imports.
func (p *sourcePackage) imports() []string {
	all := make(map[string]bool)
	for _, file := range p.files {
		for _, spec := range file.Imports {
			path, err := strconv.Unquote(spec.Path.Value)
			if err == nil {
				all[path] = true
			}
		}
	}
	return slices.Sorted(maps.Keys(all))
}

// TestCryptographicInventory: docs/asvs.md lists every package of cryptography and
// chance that the library uses, and no other. The list has neither MD5 nor ciphers of
// yore.
func TestCryptographicInventory(t *testing.T) {
	cryptographic := regexp.MustCompile(`^(crypto(/.*)?|hash(/.*)?|math/rand(/.*)?|golang\.org/x/crypto/.*)$`)
	used := slices.DeleteFunc(loadPackage(t).imports(), func(path string) bool { return !cryptographic.MatchString(path) })
	_, section, _ := strings.Cut(readText(t, "docs/asvs.md"), "\n## Cryptography\n")
	section, _, _ = strings.Cut(section, "\n## ")
	var listed []string
	for _, row := range regexp.MustCompile(`(?m)^\| ([^|]+) \|`).FindAllStringSubmatch(section, -1) {
		for _, name := range regexp.MustCompile("`([^`]+)`").FindAllStringSubmatch(row[1], -1) {
			listed = append(listed, name[1])
		}
	}
	slices.Sort(listed)
	if !slices.Equal(used, listed) {
		t.Errorf("the library uses %v\nthe page lists %v", used, listed)
	}
	for _, path := range used {
		switch path {
		case "crypto/md5", "crypto/des", "crypto/rc4", "crypto/dsa", "math/rand":
			t.Errorf("%s is used", path)
		}
	}
}

// TestNothingIsInterpreted: no input becomes a command, code, a template, a regular
// expression, markup or memory.
func TestNothingIsInterpreted(t *testing.T) {
	source := loadPackage(t)
	for _, path := range source.imports() {
		switch {
		case path == "os/exec", path == "plugin", path == "text/template", path == "unsafe", path == "C", path == "os", path == "io/ioutil":
		case path == "encoding/gob", path == "encoding/xml", path == "encoding/csv", path == "net/smtp", path == "net/mail":
		case strings.HasPrefix(path, "net/rpc"), strings.HasPrefix(path, "go/"):
		default:
			continue
		}
		t.Errorf("%s is imported", path)
	}
	compiled := 0
	for _, file := range source.files {
		ast.Inspect(file, func(n ast.Node) bool {
			call, ok := n.(*ast.CallExpr)
			if !ok {
				return true
			}
			called, ok := call.Fun.(*ast.SelectorExpr)
			if !ok {
				return true
			}
			what, ok := source.info.Uses[called.Sel].(*types.Func)
			if !ok || !interprets(what) || what.Name() != "MustCompile" && what.Name() != "Parse" {
				return true
			}
			compiled++
			_, literal := call.Args[0].(*ast.BasicLit)
			if !literal && !trusted[source.fileName(call.Pos())] {
				t.Errorf("%s makes an expression or a template of more than a literal", source.set.Position(call.Pos()))
			}
			return true
		})
	}
	if compiled == 0 {
		t.Error("the test does not find what it looks for")
	}
	others := []string{"Compile", "CompilePOSIX", "MustCompilePOSIX", "ParseFiles", "ParseGlob", "ParseFS", "HTML", "JS", "JSStr", "URL", "HTMLAttr", "CSS", "Srcset"}
	for ident, object := range source.info.Uses {
		if interprets(object) && slices.Contains(others, object.Name()) && !trusted[source.fileName(ident.Pos())] {
			t.Errorf("%s uses %s.%s", source.set.Position(ident.Pos()), object.Pkg().Name(), object.Name())
		}
	}
}

// trusted are files whose texts are nobody's input: quoted patterns of the
// configuration; an embedded file, and the description of the endpoints in it, escaped.
var trusted = map[string]bool{"glob.go": true, "plugin_openapi_page.go": true}

// interprets reports whether something is of a package that makes programs of texts.
func interprets(object types.Object) bool {
	return object.Pkg() != nil && (object.Pkg().Path() == "regexp" || object.Pkg().Path() == "html/template")
}

// TestSecretsAreComparedInConstantTime: where a secret that somebody sent meets the
// right one, how long it takes does not tell how much of it is right.
func TestSecretsAreComparedInConstantTime(t *testing.T) {
	compares := map[string]bool{
		"(*signer).matches": false, "(*signer).verifyURL": false, "same": false, "withoutCode": false, "(*otpCodes).matches": false,
		"(totp).verify": false, "(*idTokenRules).hasNonce": false, "verifyScrypt": false, "verifyArgon2id": false, "(*encrypter).decrypt": false,
	}
	source := loadPackage(t)
	for _, file := range source.files {
		for _, declared := range file.Decls {
			fn, ok := declared.(*ast.FuncDecl)
			if !ok {
				continue
			}
			name := fn.Name.Name
			if fn.Recv != nil {
				name = "(" + types.ExprString(fn.Recv.List[0].Type) + ")." + name
			}
			if _, wanted := compares[name]; !wanted {
				continue
			}
			ast.Inspect(fn.Body, func(n ast.Node) bool {
				if ident, ok := n.(*ast.Ident); ok {
					if used, ok := source.info.Uses[ident].(*types.Func); ok && used.Pkg() != nil {
						switch used.Pkg().Path() + "." + used.Name() {
						case "crypto/subtle.ConstantTimeCompare", "crypto/hmac.Equal":
							compares[name] = true
						}
					}
				}
				return true
			})
		}
	}
	for name, constant := range compares {
		if !constant {
			t.Errorf("%s does not compare in constant time, or is no more", name)
		}
	}
}
