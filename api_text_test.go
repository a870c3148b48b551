package auth_test

import (
	"flag"
	"fmt"
	"go/token"
	"go/types"
	"os"
	"slices"
	"strings"
	"testing"
)

var updateGolden = flag.Bool("update", false, "write golden files instead of comparing with them")

// TestAPI keeps api.txt, which has a line for every exported name, so that a change of
// what programs can depend on shows where changes are read:
//
//	go test -run TestAPI . -update
func TestAPI(t *testing.T) {
	pkg, err := compiledImporter(t, token.NewFileSet()).Import("github.com/seed3b05b409/auth")
	if err != nil {
		t.Fatal(err)
	}
	lines := exportedAPI(pkg)
	text := strings.Join(lines, "\n") + "\n"
	if *updateGolden {
		if err := os.WriteFile("api.txt", []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	written, err := os.ReadFile("api.txt")
	if err != nil {
		t.Fatal(err)
	}
	if string(written) == text {
		return
	}
	known := strings.Split(strings.TrimSuffix(string(written), "\n"), "\n")
	for _, line := range lines {
		if !slices.Contains(known, line) {
			t.Errorf("new: %s", line)
		}
	}
	for _, line := range known {
		if !slices.Contains(lines, line) {
			t.Errorf("gone: %s", line)
		}
	}
	t.Error("api.txt is not what the package exports: go test -run TestAPI . -update")
}

// exportedAPI returns the lines in their order.
func exportedAPI(pkg *types.Package) (lines []string) {
	qualify := types.RelativeTo(pkg)
	for _, name := range pkg.Scope().Names() {
		switch object := pkg.Scope().Lookup(name).(type) {
		case *types.TypeName:
			if object.Exported() {
				lines = append(lines, typeAPI(object, qualify)...)
			}
		case *types.Const:
			if object.Exported() {
				lines = append(lines, types.ObjectString(object, qualify)+" = "+object.Val().ExactString())
			}
		default:
			if object.Exported() {
				lines = append(lines, types.ObjectString(object, qualify))
			}
		}
	}
	slices.Sort(lines)
	return lines
}

// typeAPI returns the lines of a type: what it is, its fields and its methods.
func typeAPI(name *types.TypeName, qualify types.Qualifier) (lines []string) {
	declared := "type " + types.TypeString(name.Type(), qualify)
	switch under := name.Type().Underlying().(type) {
	case *types.Struct:
		lines = append(lines, declared+" struct")
		for field := range under.Fields() {
			if field.Exported() {
				lines = append(lines, fmt.Sprintf("field %s.%s %s", name.Name(), field.Name(), types.TypeString(field.Type(), qualify)))
			}
		}
	case *types.Interface:
		lines = append(lines, declared+" interface")
	default:
		lines = append(lines, declared+" "+types.TypeString(under, qualify))
	}
	receiver := name.Type()
	if !types.IsInterface(receiver) {
		receiver = types.NewPointer(receiver)
	}
	for method := range types.NewMethodSet(receiver).Methods() {
		if method.Obj().Exported() && method.Obj().Pkg() == name.Pkg() {
			lines = append(lines, methodAPI(name, method, qualify))
		}
	}
	return lines
}

func methodAPI(name *types.TypeName, method *types.Selection, qualify types.Qualifier) string {
	signature := strings.TrimPrefix(types.TypeString(method.Type(), qualify), "func")
	return fmt.Sprintf("method %s.%s%s", name.Name(), method.Obj().Name(), signature)
}
