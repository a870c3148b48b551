package conformancetest

import (
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"net/http"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/seed3b05b409/auth"
)

// openAPIVariants serve a document and a page.
var openAPIVariants = []*variant{
	withPlugins("open-api", openAPIPlugin),
	withPlugins("open-api-path", plugged{"openAPI", object{"path": "/docs"}, func(*ours) auth.Plugin { return &auth.OpenAPI{Path: "/docs"} }}),
	withPlugins("open-api-off", plugged{"openAPI", object{"disableDefaultReference": true}, func(*ours) auth.Plugin {
		return &auth.OpenAPI{DisableReference: true}
	}}),
}

var openAPIPlugin = plugged{"openAPI", object{}, func(*ours) auth.Plugin { return &auth.OpenAPI{} }}

// everyPlugin is an instance with all plugins and further columns.
var everyPlugin = withPlugins("every plugin",
	bearer, jwtPlain,
	plugged{"twoFactor", object{}, func(*ours) auth.Plugin { return &auth.TwoFactor{} }},
	plugged{"username", object{}, func(*ours) auth.Plugin { return &auth.Username{} }},
	plugged{"emailOTP", object{"sendVerificationOTP": "$otp mail"}, func(o *ours) auth.Plugin { return &auth.EmailOTP{Send: o.otpMail} }},
	plugged{"magicLink", object{"sendMagicLink": "$magic mail"}, func(o *ours) auth.Plugin { return &auth.MagicLink{Send: o.magicMail} }},
	multi, ott, openAPIPlugin,
).with(&variant{
	options: object{"user": object{"additionalFields": object{
		"nick": object{"type": "string", "required": true},
		"age":  object{"type": "number", "required": false},
		"plan": object{"type": "string", "required": false, "input": false},
	}}},
	config: func(c *auth.Config, _ *ours) {
		c.User.Fields = []auth.Column{
			{Name: "nick", Type: auth.TypeString},
			{Name: "age", Type: auth.TypeNumber, Optional: true},
			{Name: "plan", Type: auth.TypeString, Optional: true, ServerOnly: true},
		}
	},
})

// openAPIDifferences are the lines of a document that only one side has, with the row of
// docs/differences.md that says why.
var openAPIDifferences = map[string][]string{
	"ids of operations in the document (`open-api`)": {"id"},
	"members that the document (`open-api`) lists": {
		"+ get /account-info query accountId", "+ get /account-info query userId",
		"+ get /error query error", "+ get /error query error_description",
	},
	"what must be there in the document (`open-api`)": {
		"+ get /account-info query accountId required",
		"+ get /delete-user/callback query token required",
		"+ get /magic-link/verify query token required",
		"+ post /delete-user body required", "+ post /revoke-session body required",
		"+ post /send-verification-email body required", "+ post /sign-up/email body required",
		"+ post /update-user body required",
	},
}

// TestOpenAPIDescribesTheSame compares the documents of both sides: paths, methods,
// groups, parameters and members of bodies, and which of them have to be there.
func TestOpenAPIDescribesTheSame(t *testing.T) {
	theirs := describedBy(t, serveOriginal(t, everyPlugin, nil))
	ours := describedBy(t, serveOurs(t, everyPlugin, nil, nil))
	if len(theirs) < 200 {
		t.Fatalf("the original describes only %d things", len(theirs))
	}
	text, err := os.ReadFile("../../docs/differences.md")
	if err != nil {
		t.Fatal(err)
	}
	var wanted []string
	for row, lines := range openAPIDifferences {
		if !strings.Contains(string(text), "\n| "+row+" |") {
			t.Errorf("differences.md has no row %q", row)
		}
		wanted = append(wanted, lines...)
	}
	var found []string
	for line := range theirs {
		if !ours[line] {
			found = append(found, "- "+line)
		}
	}
	for line := range ours {
		if !theirs[line] {
			found = append(found, "+ "+line)
		}
	}
	ids := 0
	for _, line := range slices.Sorted(slices.Values(found)) {
		if strings.Contains(line, " id ") {
			ids++
		} else if !slices.Contains(wanted, line) {
			t.Errorf("a difference that is not listed: %s", line)
		}
	}
	for _, line := range wanted {
		if line != "id" && !slices.Contains(found, line) {
			t.Errorf("no difference: %s", line)
		}
	}
	if ids == 0 {
		t.Error("all ids are the original's")
	}
}

// describedBy returns what the document of a site says, in lines.
func describedBy(t *testing.T, s site) map[string]bool {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, s.origin()+"/api/auth/open-api/generate-schema", nil)
	if err != nil {
		t.Fatal(err)
	}
	answer, err := http.DefaultClient.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer answer.Body.Close()
	text, err := io.ReadAll(answer.Body)
	if err != nil {
		t.Fatal(err)
	}
	var doc describedDocument
	if err := json.Unmarshal(text, &doc); err != nil {
		t.Fatalf("%v: %s", err, text)
	}
	lines := map[string]bool{"openapi " + doc.OpenAPI: true, fmt.Sprint("servers ", doc.Servers): true}
	for _, name := range slices.Sorted(maps.Keys(doc.Components.Schemas)) {
		if tables := []string{"User", "Session", "Account", "Verification", "TwoFactor", "Jwks"}; slices.Contains(tables, name) {
			lines["table "+name] = true
		}
	}
	for path, item := range doc.Paths {
		for method, op := range item {
			op.describe(method+" "+path, func(line string) { lines[line] = true })
		}
	}
	return lines
}

type describedDocument struct {
	OpenAPI    string
	Servers    []struct{ URL string }
	Paths      map[string]map[string]*describedOperation
	Components struct{ Schemas map[string]any }
}

type describedOperation struct {
	OperationID string
	Tags        []string
	Parameters  []struct {
		Name, In string
		Required bool
	}
	RequestBody struct {
		Required bool
		Content  map[string]struct{ Schema describedBody }
	}
}

type describedBody struct {
	Properties map[string]any
	Required   []string
}

func (op *describedOperation) describe(name string, add func(line string)) {
	add(fmt.Sprint(name, " of ", op.Tags))
	add(name + " id " + op.OperationID)
	for _, p := range op.Parameters {
		add(name + " " + p.In + " " + p.Name)
		if p.Required {
			add(name + " " + p.In + " " + p.Name + " required")
		}
	}
	body := op.RequestBody.Content["application/json"].Schema
	for member := range body.Properties {
		add(name + " body " + member)
	}
	for _, member := range body.Required {
		add(name + " body " + member + " required")
	}
	if op.RequestBody.Required {
		add(name + " body required")
	}
}
