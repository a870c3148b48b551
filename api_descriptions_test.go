package auth_test

import (
	"context"
	"go/constant"
	"go/types"
	"maps"
	"reflect"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/seed3b05b409/auth"
)

// everyPlugin returns one of each plugin of the package.
func everyPlugin() []auth.Plugin {
	return []auth.Plugin{
		&auth.Username{},
		&auth.MagicLink{Send: func(context.Context, auth.MagicLinkMail) error { return nil }},
		&auth.EmailOTP{Send: func(context.Context, auth.OTPMail) error { return nil }, SendOnSignUp: true},
		&auth.TwoFactor{},
		&auth.MultiSession{},
		&auth.OneTimeToken{},
		&auth.Bearer{},
		&auth.JWT{},
		&auth.OpenAPI{},
	}
}

// everyOperation lists the endpoints of an instance with all plugins.
func everyOperation(t *testing.T) []auth.Operation {
	t.Helper()
	a, err := auth.New(auth.Config{
		BaseURL: "http://localhost:3000", Secret: strings.Repeat("secret", 6), Store: auth.NewMemoryStore(), Plugins: everyPlugin(),
	})
	if err != nil {
		t.Fatal(err)
	}
	return a.API.Operations()
}

// TestEveryPluginIsEvery: none is missing in the list above.
func TestEveryPluginIsEvery(t *testing.T) {
	var want, got []string
	scope := loadPackage(t).types.Scope()
	plugin := scope.Lookup("Plugin").Type().Underlying().(*types.Interface)
	for _, name := range scope.Names() {
		if object, ok := scope.Lookup(name).(*types.TypeName); ok && !types.IsInterface(object.Type()) &&
			types.Implements(types.NewPointer(object.Type()), plugin) {
			want = append(want, name)
		}
	}
	for _, p := range everyPlugin() {
		got = append(got, reflect.TypeOf(p).Elem().Name())
	}
	slices.Sort(got)
	if !slices.Equal(got, want) {
		t.Errorf("the list has %v, the package %v", got, want)
	}
}

var (
	summary = regexp.MustCompile(`^[A-Z][^.\n]{7,69}$`)
	details = regexp.MustCompile(`^[A-Z\x60].*\.$`)
)

// TestDescriptions: documents have a line of its own for every endpoint, whether it
// has a URL or not.
func TestDescriptions(t *testing.T) {
	seen := make(map[string]string)
	for _, op := range everyOperation(t) {
		d := auth.DescriptionOf(op)
		switch other := seen[d.Summary]; {
		case !summary.MatchString(d.Summary):
			t.Errorf("%s: the summary %q is none", op.Name(), d.Summary)
		case other != "":
			t.Errorf("%s has the summary of %s, %q", op.Name(), other, d.Summary)
		case d.Details != "" && !details.MatchString(d.Details):
			t.Errorf("%s: the details %q are no sentences", op.Name(), d.Details)
		}
		seen[d.Summary] = op.Name()
	}
}

// TestDescribedCodesExist: nobody is to handle what cannot be, or twice.
func TestDescribedCodesExist(t *testing.T) {
	known := codesOfPackage(t)
	for _, op := range everyOperation(t) {
		for status, codes := range auth.DescriptionOf(op).Errors {
			if status < 400 || status > 599 {
				t.Errorf("%s: %d is no status of an error", op.Name(), status)
			}
			for i, code := range codes {
				if code != "" && !known[code] || slices.Contains(codes[:i], code) {
					t.Errorf("%s: %d has the code %q, which there is not, or twice", op.Name(), status, code)
				}
			}
		}
	}
}

// codesOfPackage returns the constants of the type Code.
func codesOfPackage(t *testing.T) map[auth.Code]bool {
	s := &sourceFailures{sourcePackage: loadPackage(t)}
	known := make(map[auth.Code]bool)
	scope := s.types.Scope()
	for _, name := range scope.Names() {
		if c, ok := scope.Lookup(name).(*types.Const); ok && types.TypeString(c.Type(), types.RelativeTo(s.types)) == "Code" {
			known[auth.Code(constant.StringVal(c.Val()))] = true
		}
	}
	return known
}

// Functions whose failures are none of the endpoints that call them.
var silentFunctions = map[string]string{
	"(*auth.services).readSession":        "what it fails with counts as no session",
	"(*auth.services).sessionForPassword": "each sign-in says it in its own words",
	"(*auth.core).followProfile":          "its failure does not matter to the link",
	"(*auth.core).finishFlow":             "what it fails with is in the URL of a page",
	"(*auth.MagicLink).createUser":        "what it fails with is in the URL of a page",
}

// Codes that documents need not repeat for every endpoint.
var commonCodes = map[auth.Code]bool{
	auth.ErrValidation: true, auth.ErrUnauthorized: true, auth.ErrMissingOrNullOrigin: true, auth.ErrInvalidOrigin: true,
	auth.ErrCrossSiteNavigationLoginBlocked: true, auth.ErrInvalidCallbackURL: true, auth.ErrInvalidRedirectURL: true,
	auth.ErrInvalidErrorCallbackURL: true, auth.ErrInvalidNewUserCallbackURL: true, auth.ErrSessionNotFresh: true,
}

// What functions could fail with by themselves, and the endpoint does not answer with.
var impossible = map[string]map[auth.Code]string{
	"requestPasswordResetCallback": {auth.ErrInvalidToken: "it is in the URL of a page"},
	"magicLinkVerify":              {auth.ErrInvalidToken: "it is in the URL of a page"},

	"signInSocial":  {auth.ErrFieldNotAllowed: "such columns of a profile are left out"},
	"updateSession": {auth.ErrMissingField: "only what is created can lack something"},
	"updateUser":    {auth.ErrMissingField: "only what is created can lack something"},
}

// TestDescriptionsMatchSource: documents say every code that an endpoint can fail
// with, and no other: the functions that it is made of are read.
func TestDescriptionsMatchSource(t *testing.T) {
	source := loadFailures(t)
	endpoints := source.endpoints()
	for _, op := range everyOperation(t) {
		made := endpoints[op.Name()]
		if made == nil {
			t.Errorf("%s: it is not found in the source", op.Name())
			continue
		}
		reached := source.reached(made, silentFunctions)
		described := withoutHooks(op)
		for f := range reached {
			if !f.isCommon() && impossible[op.Name()][f.code] == "" && !describes(described, f) {
				t.Errorf("%s fails with %d %q, which its description does not say", op.Name(), f.status, f.code)
			}
		}
		for status, codes := range described {
			for _, code := range codes {
				if !reached[failure{status, code}] && !reached[failure{0, code}] {
					t.Errorf("%s never fails with %d %q, as its description says", op.Name(), status, code)
				}
			}
		}
	}
	for name := range impossible {
		if endpoints[name] == nil {
			t.Errorf("%s is no endpoint any more", name)
		}
	}
}

// isCommon reports whether a failure is none that a description says: those of all
// endpoints, and codes that pages have in their URL.
func (f failure) isCommon() bool {
	return commonCodes[f.code] && f.status != 400 || f.code == auth.ErrValidation ||
		f.status == 0 && strings.ToLower(string(f.code)) == string(f.code)
}

// withoutHooks are the errors of an endpoint by itself. A status without codes has the
// empty one.
func withoutHooks(op auth.Operation) map[int][]auth.Code {
	own := make(map[int][]auth.Code)
	for status, codes := range auth.DescriptionOf(op).Errors {
		if len(codes) == 0 {
			codes = []auth.Code{""}
		}
		own[status] = slices.DeleteFunc(slices.Clone(codes), func(code auth.Code) bool { return slices.Contains(hookCodes[op.Name()], code) })
	}
	return own
}

// hookCodes are what the plugins' hooks fail with.
var hookCodes = map[string][]auth.Code{
	"signUpEmail":    append([]auth.Code{auth.ErrInvalidEmail}, usernameCodes...),
	"updateUser":     append([]auth.Code{auth.ErrUsernameIsImmutable}, usernameCodes...),
	"signInSocial":   usernameCodes,
	"signInEmailOTP": usernameCodes,
}

var usernameCodes = []auth.Code{
	auth.ErrUsernameIsAlreadyTaken, auth.ErrUsernameTooShort, auth.ErrUsernameTooLong, auth.ErrInvalidUsername, auth.ErrInvalidDisplayUsername,
}

func describes(errs map[int][]auth.Code, f failure) bool {
	if f.status != 0 {
		return slices.Contains(errs[f.status], f.code)
	}
	return slices.ContainsFunc(slices.Collect(maps.Values(errs)), func(codes []auth.Code) bool { return slices.Contains(codes, f.code) })
}
