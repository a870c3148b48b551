package faulttest

import (
	"go/ast"
	"go/parser"
	"go/token"
	"maps"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// races are those of everything that is good once, and of every limit. What a race is
// about is named as the source of the package declares it; TestRacesAreComplete finds
// what has none.
var races = []struct {
	name  string
	run   func(c *contest)
	about string
}{
	{"reset token", (*contest).raceResetToken, "purposeResetPassword spendResetToken"},
	{"first password", (*contest).raceFirstPassword, "setPassword"},
	{"changed password", (*contest).raceChangedPassword, "replacePassword endSessions"},
	{"delete token", (*contest).raceDeleteToken, "purposeDeleteAccount spendDeleteToken deleteUser"},
	{"verification link", (*contest).raceVerifyEmail, "emailToken"},
	{"change of an address", (*contest).raceChangeEmail, "emailToken"},
	{"address of several users", (*contest).raceOneAddress, "user.email"},
	{"address of new users", (*contest).raceSignUps, "user.email"},
	{"last account", (*contest).raceUnlinking, "unlink"},
	{"flow", (*contest).raceState, "purposeOAuthState storedFlow"},
	{"flow in a cookie", (*contest).raceSealedState, "sealedFlow"},
	{"first sign-ins", (*contest).raceFirstSignIns, "userOfIdentity"},
	{"account of a provider", (*contest).raceLinks, "storeLink"},
	{"refresh token of a provider", (*contest).raceRefresh, "refresh"},
	{"link of a user", raceLink(true), "purposeMagicLink MagicLink.redeem MagicLink.lockUser MagicLink.userOf"},
	{"link of a new user", raceLink(false), "purposeMagicLink MagicLink.redeem"},
	{"code to sign in", raceCode(otpToSignIn), "OTPSignIn otpCodes.try"},
	{"code to verify", raceCode(otpToVerify), "OTPVerifyEmail EmailOTP.lock"},
	{"code to reset", raceCode(otpToReset), "OTPForgetPassword"},
	{"code to change", raceCode(otpToChange), "OTPChangeEmail"},
	{"wrong codes to sign in", raceWrongCodes(otpToSignIn), "OTPSignIn otpCodes.try"},
	{"wrong codes to verify", raceWrongCodes(otpToVerify), "OTPVerifyEmail"},
	{"wrong codes to reset", raceWrongCodes(otpToReset), "OTPForgetPassword"},
	{"wrong codes to change", raceWrongCodes(otpToChange), "OTPChangeEmail"},
	{"few wrong codes", raceMixedCodes(otpToSignIn, raceOTPAttempts-1), "otpCodes.try"},
	{"many wrong codes", raceMixedCodes(otpToSignIn, raceCrowd/2), "otpCodes.try"},
	{"one-time token", (*contest).raceHandOver, "oneTimeTokenPurpose OneTimeToken.verify"},
	{"user name", (*contest).raceNames, "user.username"},
	{"one browser", (*contest).raceBrowser, "session.token"},
	{"challenge", (*contest).raceOneChallenge, "purposeChallenge TwoFactor.admit TwoFactor.attempt TwoFactor.verifyOTP"},
	{"budget of a challenge", (*contest).raceBudgetOfChallenge, "purposeAttempts TwoFactor.take"},
	{"right among wrong codes", (*contest).raceMixedChallenge, "purposeAttempts TwoFactor.take"},
	{"code of an app", (*contest).raceReplay, "twoFactor.lastTotpStep TwoFactor.useStep"},
	{"backup code", (*contest).raceBackupCodeOfMany, "TwoFactor.spend"},
	{"backup codes", (*contest).raceBackupCodesOfMany, "TwoFactor.spend"},
	{"code that was sent", (*contest).raceSentCode, "purposeOTP TwoFactor.turn"},
	{"wrong codes of those sent", (*contest).raceSentGuesses, "purposeOTP TwoFactor.verifyOTP"},
	{"lockout", (*contest).raceLockout, "twoFactor.failedVerificationCount TwoFactor.count"},
	{"trusted device", (*contest).raceDevice, "purposeTrustDevice TwoFactor.keepTrust"},
	{"authenticator", (*contest).raceSetUp, "TwoFactor.storeSecret"},
	{"shared limit", (*contest).raceSharedLimit, "rateLimit.key rateLimit.count rateLimit.lastRequest rateDatabase.Consume rateDatabase.attempt rateDatabase.open rateDatabase.increment rateSecondary.Consume"},
	{"limit of one server", (*contest).raceOwnLimit, "rateMemory.Consume"},
	{"queue of passwords", (*contest).raceHashQueue, "passwords.waiting"},
}

// otherRaces are run by tests of their own, in one process.
var otherRaces = map[string]string{
	"sessionForPassword":    "TestResetEndsSignInsUnderWay",
	"storeIDTokenLink":      "TestTwoUsersLinkAtOnce",
	"Services.ProveMailbox": "TestPluginsAtOnce",
}

// noRaces are names that look like something that is good once, or like a limit.
var noRaces = map[string]string{
	"purposeStateCookie":            "seals a cookie and names no verification",
	"purposeLinkSession":            "seals a part of a flow and names no verification",
	"TwoFactor.checkLock":           "ends a lock whose time is over: whoever comes second changes nothing",
	"limiter.allow":                 "asks the storage, which decides",
	"network.state":                 "remembers what addresses the network has",
	"rateDatabase.longest":          "the longest window; a shorter one keeps rows for a shorter time",
	"rateDatabase.lastPrune":        "when rows were removed; twice does no harm",
	"verificationStore.lastCleanup": "when rows were removed; twice does no harm",
	"Services.ConsumeVerification":  "passes on",
	"Services.LockUser":             "passes on",
	"sharedSessions.enlist":         "a list of sessions that is shared bears losses between processes (docs/secondary-storage.md)",
	"sharedSessions.forget":         "the same",
	"sharedSessions.exclusively":    "the same",
}

// plumbing are the files in which consuming, counting and locking are made.
var plumbing = []string{
	"database_hooks.go", "records.go", "row.go", "secondary_storage.go", "verification.go",
	"store.go", "store_memory.go", "store_memory_tx.go", "store_sql.go", "store_sql_write.go",
}

// TestRacesAreComplete reads the package: whatever consumes, counts or locks, every
// purpose of verifications and type of codes, every unique column and every number that
// is stored, every storage of a rate limit and every atomic number of a server has a
// race, or a reason not to have one.
func TestRacesAreComplete(t *testing.T) {
	found := inventory(t)
	known := make(map[string]bool)
	for _, r := range races {
		for name := range strings.FieldsSeq(r.about) {
			known[name] = true
		}
	}
	for name, test := range otherRaces {
		known[name] = true
		if !found["test "+test] {
			t.Errorf("there is no %s, which is said to race %s", test, name)
		}
	}
	for name := range noRaces {
		known[name] = true
	}
	for _, name := range slices.Sorted(maps.Keys(found)) {
		if !known[name] && !strings.HasPrefix(name, "test ") {
			t.Errorf("%s has no race: add one to races, or say in noRaces why not", name)
		}
		delete(known, name)
	}
	for name := range known {
		t.Errorf("the package does not declare %s any more", name)
	}
}

// inventory returns the names of what should have races, and of the tests here.
func inventory(t *testing.T) map[string]bool {
	t.Helper()
	s := &stocktaking{found: make(map[string]bool), texts: make(map[string]string)}
	files := parseFiles(t, "../../*.go")
	for _, file := range files {
		ast.Inspect(file, s.readText)
	}
	for name, file := range files {
		s.file = filepath.Base(name)
		for _, d := range file.Decls {
			s.declaration(d)
		}
	}
	for _, file := range parseFiles(t, "*_test.go") {
		for _, d := range file.Decls {
			if f, ok := d.(*ast.FuncDecl); ok && strings.HasPrefix(f.Name.Name, "Test") {
				s.found["test "+f.Name.Name] = true
			}
		}
	}
	return s.found
}

// parseFiles reads files by name; those of tests only if the pattern says so.
func parseFiles(t *testing.T, pattern string) map[string]*ast.File {
	t.Helper()
	names, err := filepath.Glob(pattern)
	if err != nil || len(names) == 0 {
		t.Fatalf("no sources: %v", err)
	}
	files := make(map[string]*ast.File)
	for _, name := range names {
		if strings.HasSuffix(name, "_test.go") != strings.HasSuffix(pattern, "_test.go") {
			continue
		}
		if files[name], err = parser.ParseFile(token.NewFileSet(), name, nil, parser.SkipObjectResolution); err != nil {
			t.Fatal(err)
		}
	}
	return files
}

type stocktaking struct {
	found map[string]bool
	texts map[string]string // constants
	file  string
	table string // whose columns follow
}

// readText notes the constants that are texts.
func (s *stocktaking) readText(n ast.Node) bool {
	if v, ok := n.(*ast.ValueSpec); ok {
		for i, value := range v.Values {
			if text, ok := value.(*ast.BasicLit); ok && text.Kind == token.STRING && i < len(v.Names) {
				s.texts[v.Names[i].Name] = strings.Trim(text.Value, `"`)
			}
		}
	}
	return true
}

func (s *stocktaking) declaration(d ast.Decl) {
	switch d := d.(type) {
	case *ast.GenDecl:
		for _, spec := range d.Specs {
			switch spec := spec.(type) {
			case *ast.ValueSpec:
				s.constants(d.Tok, spec)
			case *ast.TypeSpec:
				s.fields(spec)
			}
		}
	case *ast.FuncDecl:
		s.function(d)
	}
}

// constants finds purposes of verifications and types of codes.
func (s *stocktaking) constants(kind token.Token, spec *ast.ValueSpec) {
	for _, name := range spec.Names {
		typ, _ := spec.Type.(*ast.Ident)
		if kind == token.CONST && (strings.HasPrefix(name.Name, "purpose") || strings.HasSuffix(name.Name, "Purpose") || typ != nil && typ.Name == "OTPType") {
			s.found[name.Name] = true
		}
	}
}

// fields finds the atomic numbers of a struct.
func (s *stocktaking) fields(spec *ast.TypeSpec) {
	body, ok := spec.Type.(*ast.StructType)
	if !ok {
		return
	}
	for _, field := range body.Fields.List {
		typ, ok := field.Type.(*ast.SelectorExpr)
		if pkg, _ := selected(typ, ok); pkg != "atomic" || typ.Sel.Name == "Bool" {
			continue
		}
		for _, name := range field.Names {
			s.found[spec.Name.Name+"."+name.Name] = true
		}
	}
}

// selected is the identifier before the dot.
func selected(e *ast.SelectorExpr, ok bool) (string, bool) {
	if !ok {
		return "", false
	}
	x, ok := e.X.(*ast.Ident)
	if !ok {
		return "", false
	}
	return x.Name, true
}

// decisive are the functions by which something is good once or a limit holds.
var decisive = []string{
	"Consume", "ConsumeVerification", "consumeVerification", "redeemVerification", "Take",
	"Increment", "increment", "lockUser", "LockUser", "hold", "signJWT", "stateSeal.open",
}

// function finds those that consume, count, lock, or make or open what no store
// remembers, and columns.
func (s *stocktaking) function(f *ast.FuncDecl) {
	name := functionName(f)
	if f.Name.Name == "Consume" && f.Type.Params.NumFields() == 3 && f.Recv != nil && !slices.Contains(plumbing, s.file) {
		s.found[name] = true
	}
	if f.Body == nil {
		return
	}
	s.table = ""
	ast.Inspect(f.Body, func(n ast.Node) bool {
		switch n := n.(type) {
		case *ast.CallExpr:
			if call, ok := n.Fun.(*ast.SelectorExpr); ok && isDecisive(call) && !slices.Contains(plumbing, s.file) {
				s.found[name] = true
			}
		case *ast.CompositeLit:
			s.literal(n)
		}
		return true
	})
}

func isDecisive(call *ast.SelectorExpr) bool {
	if slices.Contains(decisive, call.Sel.Name) {
		return true
	}
	of, ok := call.X.(*ast.SelectorExpr)
	return ok && slices.Contains(decisive, of.Sel.Name+"."+call.Sel.Name)
}

// functionName has the receiver of plugins and types, and not that of the services and
// endpoints of the core.
func functionName(f *ast.FuncDecl) string {
	if f.Recv == nil {
		return f.Name.Name
	}
	typ := f.Recv.List[0].Type
	if star, ok := typ.(*ast.StarExpr); ok {
		typ = star.X
	}
	if name, ok := typ.(*ast.Ident); ok && name.Name != "core" && name.Name != "services" {
		return name.Name + "." + f.Name.Name
	}
	return f.Name.Name
}

// literal finds the table and the columns that are unique or count.
func (s *stocktaking) literal(literal *ast.CompositeLit) {
	values := make(map[string]ast.Expr)
	for _, element := range literal.Elts {
		if pair, ok := element.(*ast.KeyValueExpr); ok {
			if key, ok := pair.Key.(*ast.Ident); ok {
				values[key.Name] = pair.Value
			}
		}
	}
	name := s.text(values["Name"])
	if _, ok := values["Columns"]; ok && name != "" {
		s.table = name
	}
	typ, _ := values["Type"].(*ast.Ident)
	_, unique := values["Unique"]
	if typ != nil && name != "" && (unique || typ.Name == "TypeNumber") {
		table := s.table
		if table == "" {
			table = "user" // plugins add columns to it
		}
		s.found[table+"."+name] = true
	}
}

func (s *stocktaking) text(e ast.Expr) string {
	switch e := e.(type) {
	case *ast.BasicLit:
		return strings.Trim(e.Value, `"`)
	case *ast.Ident:
		return s.texts[e.Name]
	}
	return ""
}
