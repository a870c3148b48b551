package auth_test

import (
	"fmt"
	"go/ast"
	"go/token"
	"go/types"
	"maps"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// reviewed are the comparisons of values that are named like secrets which are not made
// in constant time, by reason. Each is the function, and what it compares.
var reviewed = map[string][]string{
	"looked up by the database, by equality on 128 random bits or more, or on their hash, in an index whose time says nothing over a network": {
		`(*sessionStore).change: "token" = token`,
		`(*sessionStore).stored: "token" = token`,
		`(sessionScope).where: "token" = which.token`,
		`(*verificationStore).erase: "identifier" = stored`,
		`(*verificationStore).newestRow: "identifier" = form`,
		`(*verificationStore).redeem: "identifier" = identifier`,
		`(*verificationStore).removeAll: "identifier" = form`,
	},
	"what was read from a row is still in it: both are the server's, and the row is found by its id": {
		`(*TwoFactor).spend: "backupCodes" = row.BackupCodes`,
		`(*core).replaceHash: "password" = *account.Password`,
		`(*core).refresh: *account.RefreshToken = *used`,
		`(*services).sessionForPassword: *account.Password = *checked.Password`,
	},
	"the session was found by that token, and has to have it": {
		`(*Verifier).askRemote: data.Session.Token = c.token`,
		`(*sharedSessions).entry: session.Token = token`,
	},
	"both have been signed by the server, and the signatures held": {
		`(*MultiSession).token: m.cookie(ctx, token).Name = name`,
		`(*Verifier).Session: data.Session.Token = claim.token`,
		`(*diagnosing).readCopy: data.Session.Token = token`,
		`(*services).loadSession: data.Session.Token = token`,
		`(*services).peekSession: data.Session.Token = token`,
		`(jwtSessionSeal).Open: said.SessionID = said.Session.Token`,
	},
	"among the tokens of one user, who is signed in and could have them listed": {
		`(*MultiSession).revoke: current.Session.Token = token`,
		`(*core).revokeSession: in.Token = data.Session.Token`,
		`(*sessionStore).removeShared: token = session.Token`,
		`(*sharedSessions).enlist: r.Token = session.Token`,
		`(*sharedSessions).forget: tokens = r.Token`,
		`(*sharedSessions).matching: token = which.except`,
		`(*sharedSessions).tokens: tokens = r.Token`,
	},
	"no secret: a name, a version, a header that anybody can read": {
		`(*diagnosing).otherName: name = d.Cookie`,
		`(*diagnosing).otherName: other = d.Cookie`,
		`(*diagnosing).readCopy: version = d.core.session.CookieCache.version(data)`,
		`(*diagnosing).twice: name = d.Cookie`,
		`(*encrypter).candidates: key.header = encoded`,
		`(*openAPIShown).view: tag.Name = tag.Name`,
		`(*openAPIShown).view: tag = tag`,
		`(*services).readCopy: version = s.session.CookieCache.version(data)`,
		`(*verificationStore).stored: form = identifier`,
	},
	"the address of the user, whoever signs in knows it": {
		`(*knownProvider).userOf: user.Email = tokens.confirmedEmail`,
	},
	"one value with itself in another form, or a value made for the occasion": {
		`(*operation).relay: op.fingerprint(x) = x.relayed.input`,
		`(*services).takesBearer: find(h) = token`,
		`parseArgon2id: h.String() = hash`,
	},
	"an operator asks, with secrets of the operator's own": {
		`(*diagnosing).show: lower = strings.ToLower(secret)`,
	},
}

// secretNames are what values are called that nobody may learn by the time that a
// comparison takes.
var secretNames = regexp.MustCompile(`(?i)token|code|secret|passw|hash|hmac|\bmac|tag\b|signature|\bsig\b|sign(ed|s)?\b|nonce|state|verifier|challenge|digest|\bsum|otp|credential|cookie|bearer|identifier|fingerprint|binding`)

// comparing are the functions beside == and != whose time depends on the values.
var comparing = map[string]bool{
	"bytes.Equal": true, "bytes.Compare": true, "bytes.EqualFold": true, "bytes.Contains": true, "bytes.HasPrefix": true,
	"strings.Compare": true, "strings.EqualFold": true, "strings.Contains": true, "strings.HasPrefix": true, "strings.HasSuffix": true,
	"strings.CutPrefix": true, "strings.CutSuffix": true,
	"slices.Equal": true, "slices.Contains": true, "slices.Index": true, "maps.Equal": true, "reflect.DeepEqual": true, "cmp.Compare": true,
}

// TestConstantTime: two values of which one is secret are compared with hmac.Equal or
// subtle.ConstantTimeCompare, unless somebody has looked and says in reviewed why not.
// A comparison with a constant tells nothing of a secret and does not count. What a
// store looks up by a secret (Where) is a comparison too: in an index, over a network.
func TestConstantTime(t *testing.T) {
	source := loadPackage(t)
	found := make(map[string]token.Pos)
	for _, file := range source.files {
		for _, d := range file.Decls {
			name := "var"
			if f, ok := d.(*ast.FuncDecl); ok {
				name = describe(source.info.Defs[f.Name])
			}
			ast.Inspect(d, func(n ast.Node) bool {
				for _, c := range source.compared(n) {
					if source.secret(c.a, c.b) {
						found[name+": "+c.text()] = n.Pos()
					}
				}
				return true
			})
		}
	}
	for _, names := range reviewed {
		for _, name := range names {
			if _, ok := found[name]; !ok {
				t.Errorf("nothing is compared like that any more: %s", name)
			}
			delete(found, name)
		}
	}
	for _, name := range slices.Sorted(maps.Keys(found)) {
		t.Errorf("%s: not in constant time: %s", source.set.Position(found[name]), name)
	}
}

// A comparison is two values that are compared; one twice is the key of a map.
type comparison struct{ a, b ast.Expr }

// text is how reviewed writes one.
func (c comparison) text() string { return types.ExprString(c.a) + " = " + types.ExprString(c.b) }

// compared returns what a node compares.
func (p *sourcePackage) compared(n ast.Node) []comparison {
	switch n := n.(type) {
	case *ast.BinaryExpr:
		if n.Op == token.EQL || n.Op == token.NEQ {
			return []comparison{{n.X, n.Y}}
		}
	case *ast.SwitchStmt:
		return cases(n)
	case *ast.IndexExpr:
		if _, ok := p.typeOf(n.X).(*types.Map); ok {
			return []comparison{{n.Index, n.Index}}
		}
	case *ast.CallExpr:
		name := p.function(n.Fun)
		if comparing[name] && len(n.Args) == 2 || name == "Where" {
			return []comparison{{n.Args[0], n.Args[1]}}
		}
	}
	return nil
}

// cases compare the tag of a switch.
func cases(s *ast.SwitchStmt) (all []comparison) {
	for _, clause := range s.Body.List {
		for _, e := range clause.(*ast.CaseClause).List {
			if s.Tag != nil {
				all = append(all, comparison{s.Tag, e})
			}
		}
	}
	return all
}

// function is what a call calls: "bytes.Equal", or a function of the package.
func (p *sourcePackage) function(e ast.Expr) string {
	switch e := e.(type) {
	case *ast.IndexExpr:
		return p.function(e.X)
	case *ast.Ident:
		return e.Name
	case *ast.SelectorExpr:
		if pkg, ok := e.X.(*ast.Ident); ok {
			if _, ok := p.info.Uses[pkg].(*types.PkgName); ok {
				return fmt.Sprint(pkg.Name, ".", e.Sel.Name)
			}
		}
	}
	return ""
}

func (p *sourcePackage) typeOf(e ast.Expr) types.Type {
	if t := p.info.Types[e].Type; t != nil {
		return t.Underlying()
	}
	return nil
}

// secret reports whether a comparison of two values could tell one that is secret.
func (p *sourcePackage) secret(a, b ast.Expr) bool {
	if p.info.Types[b].Value != nil || p.info.Types[a].Value != nil && !p.column(a) {
		return false
	}
	return p.text(b) && (secretNames.MatchString(types.ExprString(a)) || secretNames.MatchString(types.ExprString(b)))
}

// column reports whether an expression is the name of a column that holds a secret.
func (p *sourcePackage) column(e ast.Expr) bool {
	v := p.info.Types[e].Value
	return v != nil && slices.Contains([]string{`"token"`, `"identifier"`, `"value"`, `"backupCodes"`, `"secret"`, `"password"`}, v.ExactString())
}

// text reports whether an expression is a text or bytes, and not one of the package's
// own kinds of names such as Code.
func (p *sourcePackage) text(e ast.Expr) bool {
	t := p.info.Types[e].Type
	if named, ok := t.(*types.Named); ok && named.Obj().Pkg() == p.types {
		return false
	}
	switch t := p.typeOf(e).(type) {
	case *types.Basic:
		return t.Info()&types.IsString != 0
	case *types.Pointer:
		return strings.HasSuffix(t.String(), "string")
	case *types.Slice:
		return types.Identical(t.Elem(), types.Typ[types.Byte]) || types.Identical(t.Elem(), types.Typ[types.String])
	case *types.Array:
		return types.Identical(t.Elem(), types.Typ[types.Byte])
	}
	return false
}
