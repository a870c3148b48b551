package auth_test

import (
	"go/ast"
	"go/constant"
	"go/token"
	"go/types"
	"maps"
	"strings"
	"testing"

	"github.com/seed3b05b409/auth"
)

// A failure is an error that clients see: its status, zero where the source does
// not say it beside the code, and its code, empty for none.
type failure struct {
	status int
	code   auth.Code
}

// sourceFailures are the failures that functions of the package make, themselves or
// by the functions that they name. That is more than can happen, and less only
// behind interfaces and fields.
type sourceFailures struct {
	*sourcePackage
	of map[types.Object]*madeAndNamed
}

// madeAndNamed is what a piece of source has in it.
type madeAndNamed struct {
	made  map[failure]bool
	named []types.Object // functions of the package
}

func loadFailures(t *testing.T) *sourceFailures {
	s := &sourceFailures{loadPackage(t), make(map[types.Object]*madeAndNamed)}
	for _, file := range s.files {
		for _, decl := range file.Decls {
			if fn, ok := decl.(*ast.FuncDecl); ok && fn.Body != nil {
				s.of[s.info.Defs[fn.Name]] = s.in(fn.Body)
			}
		}
	}
	return s
}

// in reads a piece of source.
func (s *sourceFailures) in(node ast.Node) *madeAndNamed {
	found := &madeAndNamed{made: make(map[failure]bool)}
	s.walk(node, 0, found)
	return found
}

// walk reads a piece of source that is part of a call with a status.
func (s *sourceFailures) walk(node ast.Node, status int, found *madeAndNamed) {
	ast.Inspect(node, func(n ast.Node) bool {
		switch n := n.(type) {
		case *ast.CallExpr:
			s.walkCall(n, found)
			return false
		case *ast.FuncLit:
			s.walk(n.Body, 0, found)
			return false
		case *ast.BinaryExpr:
			if n.Op == token.EQL || n.Op == token.NEQ {
				return false
			}
		case *ast.CompositeLit:
			s.readLiteral(n, found)
		case *ast.Ident:
			if fn, ok := s.info.Uses[n].(*types.Func); ok && fn.Pkg() == s.types {
				found.named = append(found.named, fn.Origin())
			}
		}
		if expr, ok := n.(ast.Expr); ok {
			if code, ok := s.codeOf(expr); ok {
				found.add(failure{status, code})
			}
		}
		return true
	})
}

// walkCall reads a call, of which a code and its status may be arguments. One of
// errors.Is makes nothing.
func (s *sourceFailures) walkCall(call *ast.CallExpr, found *madeAndNamed) {
	if fn, ok := call.Fun.(*ast.SelectorExpr); ok && isFunc(s.info.Uses[fn.Sel], "errors.Is") {
		return
	}
	status := 0
	for _, arg := range call.Args {
		if n, ok := s.intOf(arg); ok && n >= 300 && n < 600 {
			status = n
		}
	}
	s.walk(call.Fun, status, found)
	for _, arg := range call.Args {
		if _, nested := ast.Unparen(arg).(*ast.CallExpr); nested {
			s.walk(arg, 0, found)
		} else {
			s.walk(arg, status, found)
		}
	}
}

// readLiteral finds the status of an APIError that is written out.
func (s *sourceFailures) readLiteral(literal *ast.CompositeLit, found *madeAndNamed) {
	if named, ok := s.info.Types[literal].Type.(*types.Named); !ok || named.Obj().Name() != "APIError" {
		return
	}
	for _, element := range literal.Elts {
		if pair, ok := element.(*ast.KeyValueExpr); ok {
			if n, ok := s.intOf(pair.Value); ok {
				found.add(failure{n, ""})
			}
		}
	}
}

// add leaves out the absence of a code where there is no status, which is nothing,
// and redirects.
func (found *madeAndNamed) add(f failure) {
	if f.status >= 400 || f.status == 0 && f.code != "" {
		found.made[f] = true
	}
}

func (s *sourceFailures) codeOf(expr ast.Expr) (auth.Code, bool) {
	typed := s.info.Types[expr]
	named, ok := typed.Type.(*types.Named)
	if !ok || typed.Value == nil || named.Obj().Name() != "Code" {
		return "", false
	}
	return auth.Code(constant.StringVal(typed.Value)), true
}

func (s *sourceFailures) intOf(expr ast.Expr) (int, bool) {
	value := s.info.Types[expr].Value
	if value == nil || value.Kind() != constant.Int {
		return 0, false
	}
	n, ok := constant.Int64Val(value)
	return int(n), ok
}

// reached returns all failures of a piece of source. Those of functions in without
// are left out.
func (s *sourceFailures) reached(from *madeAndNamed, without map[string]string) map[failure]bool {
	seen, all := make(map[types.Object]bool), make(map[failure]bool)
	var visit func(found *madeAndNamed)
	visit = func(found *madeAndNamed) {
		maps.Copy(all, found.made)
		for _, fn := range found.named {
			if next := s.of[fn]; next != nil && !seen[fn] && without[fn.(*types.Func).FullName()] == "" {
				seen[fn] = true
				visit(next)
			}
		}
	}
	visit(from)
	return all
}

// endpoints returns what each endpoint is made of, by its name: its function and
// the checks before it.
func (s *sourceFailures) endpoints() map[string]*madeAndNamed {
	all, made := make(map[string]*madeAndNamed), make(map[types.Object]*madeAndNamed)
	s.each(func(n ast.Node) {
		switch n := n.(type) {
		case *ast.KeyValueExpr: // SignOut: define(…)
			key, isIdent := n.Key.(*ast.Ident)
			if call, ok := n.Value.(*ast.CallExpr); ok && isIdent && s.calls(call, "define") {
				all[apiName(key.Name)] = s.in(call)
			}
		case *ast.AssignStmt: // p.Enable = NewEndpoint(…)
			target, isField := n.Lhs[0].(*ast.SelectorExpr)
			if call := s.madeBy(n.Rhs[0]); call != nil && isField {
				made[s.info.Uses[target.Sel]] = s.in(call)
			}
		}
	})
	s.each(func(n ast.Node) {
		if literal, ok := n.(*ast.CompositeLit); ok {
			if name, field := s.declared(literal); field != nil {
				all[name] = made[field]
			}
		}
	})
	return all
}

// madeBy returns the call of NewEndpoint that an expression begins with, nil if it is
// no endpoint.
func (s *sourceFailures) madeBy(expr ast.Expr) *ast.CallExpr {
	call, ok := expr.(*ast.CallExpr)
	if !ok || s.calls(call, "NewEndpoint") {
		return call
	}
	if chained, ok := call.Fun.(*ast.SelectorExpr); ok { // NewEndpoint(…).Describe(…)
		return s.madeBy(chained.X)
	}
	return nil
}

// declared reads {Name: "enableTwoFactor", Endpoint: p.Enable}.
func (s *sourceFailures) declared(literal *ast.CompositeLit) (name string, field types.Object) {
	for _, element := range literal.Elts {
		pair, _ := element.(*ast.KeyValueExpr)
		if pair == nil {
			return "", nil
		}
		key, _ := pair.Key.(*ast.Ident)
		endpoint, _ := pair.Value.(*ast.SelectorExpr)
		switch value := s.info.Types[pair.Value].Value; {
		case key == nil:
		case key.Name == "Name" && value != nil:
			name = constant.StringVal(value)
		case key.Name == "Endpoint" && endpoint != nil:
			field = s.info.Uses[endpoint.Sel]
		}
	}
	return name, field
}

func (s *sourceFailures) each(visit func(n ast.Node)) {
	for _, file := range s.files {
		ast.Inspect(file, func(n ast.Node) bool {
			if n != nil {
				visit(n)
			}
			return true
		})
	}
}

func isFunc(object types.Object, name string) bool {
	fn, ok := object.(*types.Func)
	return ok && fn.FullName() == name
}

func (s *sourceFailures) calls(call *ast.CallExpr, name string) bool {
	fn, ok := ast.Unparen(call.Fun).(*ast.Ident)
	return ok && fn.Name == name
}

// apiName is the name of an endpoint of the core: that of its field with a small
// letter.
func apiName(field string) string {
	if field == "OK" {
		return "ok"
	}
	return strings.ToLower(field[:1]) + field[1:]
}
