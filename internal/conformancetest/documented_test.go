package conformancetest

import (
	"bytes"
	"cmp"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/seed3b05b409/auth"
)

// An exchange is a request and what this library said to it.
type exchange struct {
	request *http.Request
	sent    []byte
	status  int
	header  http.Header
	body    []byte
}

func (x *exchange) String() string {
	return fmt.Sprintf("%s %s %s: %d %s", x.request.Method, x.request.URL, x.sent, x.status, x.body)
}

// documented compares every exchange with the document, and keeps what it finds.
func (o *ours) documented(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		x := &exchange{request: r.Clone(r.Context())}
		read := new(bytes.Buffer)
		if r.Body != http.NoBody { // that there is none has to show
			r.Body = tee{io.TeeReader(r.Body, read), r.Body}
		}
		a := httptest.NewRecorder()
		next.ServeHTTP(a, r)
		x.sent, x.status, x.header, x.body = read.Bytes(), a.Code, a.Header(), a.Body.Bytes()
		for _, finding := range o.document.findings(x) {
			o.found(finding)
		}
		for name, values := range a.Header() {
			w.Header()[name] = values
		}
		w.WriteHeader(a.Code)
		_, _ = w.Write(x.body)
	})
}

type tee struct {
	io.Reader
	io.Closer
}

func (o *ours) found(finding string) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.undocumented = append(o.undocumented, finding)
}

// takeFindings returns what was found since the last time.
func (o *ours) takeFindings() []string {
	o.mu.Lock()
	defer o.mu.Unlock()
	found := o.undocumented
	o.undocumented = nil
	return found
}

// applicationHeaders ask the functions of a variant to answer in place of the library.
// What they say is the application's.
var applicationHeaders = []string{
	"X-Before", "X-After", "X-Hook", "X-Stop",
	"X-Probe-Before", "X-Probe-After", "X-Witness-Before", "X-Witness-After", "X-Application-Before", "X-Application-After",
}

// applicationCodes are those of the functions of variants. The library has none of
// them.
var applicationCodes = []string{"REFUSED", "CONFLICTING", "NOT_NOW", "not_invited", "NO_MAILS", "STOPPED", "PROBE_CONFLICT"}

// fromApplication reports whether the answer to a request is not the library's.
func (x *exchange) fromApplication() bool {
	asks := slices.ContainsFunc(applicationHeaders, func(name string) bool { return x.request.Header.Get(name) != "" })
	return asks || slices.Contains(applicationCodes, codeOf(x.body))
}

func codeOf(body []byte) string {
	var e struct {
		Code string `json:"code"`
	}
	_ = json.Unmarshal(body, &e) // what has no code is none
	return e.Code
}

// undescribed are the endpoints that show the document, which leaves them out.
var undescribed = []string{"/open-api/generate-schema", "/reference", "/docs"}

// findings are what an exchange has that the document does not.
func (d *document) findings(x *exchange) (found []string) {
	if x.fromApplication() {
		return nil
	}
	path := x.request.URL.EscapedPath()
	operation, params, ok := d.find(x.request.Method, path)
	if !ok && slices.Contains(undescribed, strings.TrimPrefix(path, "/api/auth")) {
		return nil
	}
	if !ok && (x.status == http.StatusNotFound || x.status == http.StatusTooManyRequests) {
		return nil
	}
	if !ok { // Config.SkipTrailingSlashes
		operation, params, ok = d.find(x.request.Method, strings.TrimSuffix(path, "/"))
	}
	if !ok {
		return []string{"an operation that is not documented: " + x.String()}
	}
	if operation.refusesStray(x) {
		return nil
	}
	found = operation.response(x.status, x.header, x.body)
	if x.status >= 200 && x.status < 300 {
		found = append(found, operation.requestOf(x, params)...)
	}
	for i := range found {
		found[i] += "\n    in " + x.String()
	}
	return found
}

// redirectMembers are looked at in every body, whether the operation takes them or not.
var redirectMembers = map[string]string{
	"INVALID_CALLBACK_URL": "callbackURL", "INVALID_REDIRECT_URL": "redirectTo",
	"INVALID_ERROR_CALLBACK_URL": "errorCallbackURL", "INVALID_NEW_USER_CALLBACK_URL": "newUserCallbackURL",

	"Invalid callbackURL: expected a string": "callbackURL", "Invalid redirectURL: expected a string": "redirectTo",
	"Invalid errorCallbackURL: expected a string": "errorCallbackURL", "Invalid newUserCallbackURL: expected a string": "newUserCallbackURL",
}

// refusesStray reports whether a request was refused for a body, or a member of it,
// that the operation does not take, so that its document need not say anything of it.
func (operation part) refusesStray(x *exchange) bool {
	var e struct{ Code, Message string }
	_ = json.Unmarshal(x.body, &e) // what is no error has neither
	body := operation.at("requestBody")
	switch member := cmp.Or(redirectMembers[e.Code], redirectMembers[e.Message]); {
	case x.status < 400:
		return false
	case member != "":
		return !slices.ContainsFunc(body.at("content", "application/json", "schema").parts(), func(p part) bool {
			return p.at("properties", member).value != nil
		})
	}
	return body.value == nil && (e.Code == "BAD_REQUEST" || e.Code == "UNSUPPORTED_MEDIA_TYPE" || e.Code == "PAYLOAD_TOO_LARGE")
}

// outcomeFindings are the same for a direct call of what is documented.
func (d *document) outcomeFindings(op auth.Operation, input callInput, out outcome) (found []string) {
	x := &exchange{request: &http.Request{Header: make(http.Header)}, status: http.StatusOK, header: make(http.Header), body: out.Value}
	for name, value := range input.Headers {
		x.request.Header.Set(name, value)
	}
	var headers [][2]string
	switch {
	case out.Response != nil:
		x.status, headers, x.body = out.Response.Status, out.Response.Headers, []byte(out.Response.Body)
	case out.Thrown != nil:
		x.status, headers, x.body = out.Thrown.Status, out.Thrown.Headers, out.Thrown.Body
	}
	for _, header := range headers {
		x.header.Set(header[0], header[1])
	}
	if out.Response == nil && len(x.body) > 0 {
		x.header.Set("Content-Type", "application/json") // a value has none
	}
	operation := d.operationOf(op)
	if operation.value == nil || out.Failure != "" || x.fromApplication() || x.withoutHeaders() {
		return nil
	}
	for _, finding := range operation.response(x.status, x.header, x.body) {
		found = append(found, fmt.Sprintf("%s\n    in a call of %s: %d %s", finding, op.Name(), x.status, x.body))
	}
	return found
}

// withoutHeaders reports whether a call was refused for something that every request
// has.
func (x *exchange) withoutHeaders() bool {
	return bytes.Contains(x.body, []byte(`"Headers is required"`))
}

// response compares a response with those of an operation.
func (operation part) response(status int, header http.Header, body []byte) (found []string) {
	response := operation.at("responses", strconv.Itoa(status))
	if response.value == nil {
		return []string{fmt.Sprintf("the status %d is not documented", status)}
	}
	for name, described := range members(response.at("headers")) {
		if described.at("required").value == true && header.Get(name) == "" {
			found = append(found, fmt.Sprintf("the header %s is missing", name))
		}
	}
	return append(found, response.content(status, header, body)...)
}

func members(p part) map[string]part {
	all := make(map[string]part)
	object, _ := p.value.(object)
	for name := range object {
		all[name] = p.at(name)
	}
	return all
}

// content compares a body with those of a response. Errors whose code is optional may
// have none.
func (response part) content(status int, header http.Header, body []byte) []string {
	content := response.at("content")
	if len(body) == 0 {
		schema := content.at("application/json", "schema")
		if content.value != nil && (status < 400 || schema.codeRequired()) {
			return []string{fmt.Sprintf("a body of the status %d is missing", status)}
		}
		return nil
	}
	documented := content.at(mediaType(header))
	if documented.value == nil {
		return []string{fmt.Sprintf("the media type %q of the status %d is not documented", header.Get("Content-Type"), status)}
	}
	schema := documented.at("schema")
	if schema.value == nil {
		return nil
	}
	if problem := schema.validateText(body); problem != "" {
		return []string{fmt.Sprintf("the body of the status %d: %s", status, problem)}
	}
	if code := codeOf(body); status >= 400 && code != "" && !slices.Contains(schema.codes(), code) {
		return []string{fmt.Sprintf("the code %s of the status %d is not documented", code, status)}
	}
	return nil
}

// parts are a schema and all that it consists of, or may consist of.
func (schema part) parts() []part {
	all := []part{schema}
	for _, keyword := range []string{"allOf", "anyOf", "oneOf"} {
		for _, of := range schema.at(keyword).each() {
			all = append(all, of.parts()...)
		}
	}
	return all
}

// codes are those that the schema of an error names.
func (schema part) codes() (codes []string) {
	for _, p := range schema.parts() {
		for _, code := range p.at("properties", "code", "enum").each() {
			codes = append(codes, code.text())
		}
	}
	return codes
}

func (schema part) codeRequired() bool {
	return slices.ContainsFunc(schema.parts(), func(p part) bool {
		return slices.ContainsFunc(p.at("required").each(), func(name part) bool { return name.text() == "code" })
	})
}

// requestOf compares a request that was accepted with what an operation takes.
func (operation part) requestOf(x *exchange, params map[string]string) (found []string) {
	query := x.request.URL.Query()
	for _, parameter := range operation.at("parameters").each() {
		name, schema := parameter.at("name").text(), parameter.at("schema")
		value, there := params[name]
		switch parameter.at("in").text() {
		case "query":
			value, there = query.Get(name), query.Has(name)
		case "header":
			value, there = x.request.Header.Get(name), x.request.Header.Values(name) != nil
		}
		if !there && parameter.at("required").value == true {
			found = append(found, fmt.Sprintf("the parameter %s was not needed", name))
		}
		if there {
			found = append(found, excused("the parameter "+name+" was accepted: ", schema.validate(typed(schema, value)))...)
		}
	}
	return append(found, operation.at("requestBody").bodyOf(x)...)
}

// typed is a text as the type of its schema, if it can be that.
func typed(schema part, text string) any {
	var value any
	if !schema.takesText() && json.Unmarshal([]byte(text), &value) == nil {
		return value
	}
	return text
}

func (schema part) takesText() bool {
	types, several := schema.at("type").value.([]any)
	return schema.at("type").text() == "string" || several && slices.Contains(types, any("string"))
}

// bodyOf compares the body of a request that was accepted.
func (described part) bodyOf(x *exchange) []string {
	switch {
	case len(x.sent) == 0 && described.at("required").value == true:
		return []string{"a body was not needed"}
	case len(x.sent) == 0 || described.value == nil:
		return nil
	}
	media := mediaType(x.request.Header)
	schema := described.at("content", media, "schema")
	if schema.value == nil {
		return []string{fmt.Sprintf("a body of the type %q was accepted", media)}
	}
	problem := ""
	if media == "application/x-www-form-urlencoded" {
		problem = schema.validate(schema.form(string(x.sent)))
	} else {
		problem = schema.validateText(x.sent)
	}
	return excused("the body was accepted: ", problem)
}

func mediaType(h http.Header) string {
	media, _, _ := strings.Cut(h.Get("Content-Type"), ";")
	return strings.ToLower(strings.TrimSpace(media))
}

// form is a posted form as an object whose members have the types of a schema. The
// last one of a name counts.
func (schema part) form(text string) object {
	members := make(object)
	for pair := range strings.SplitSeq(text, "&") {
		name, value, _ := strings.Cut(pair, "=")
		if name = formText(name); name != "" {
			members[name] = typed(schema.at("properties", name), formText(value))
		}
	}
	return members
}

// formText is a text of a form, as it is if it cannot be decoded.
func formText(text string) string {
	if decoded, err := url.QueryUnescape(text); err == nil {
		return decoded
	}
	return text
}

// A leniency is something that this library takes although it does not say so.
type leniency struct {
	problem *regexp.Regexp
	reason  string
	used    atomic.Bool
}

// leniencies are all of them.
var leniencies = []*leniency{
	{problem: regexp.MustCompile(`^the parameter disable(CookieCache|Refresh) was accepted`), reason: "any text sets a flag"},
	{problem: regexp.MustCompile(`^the body was accepted.* is not valid date-time: less than 20 characters long$`), reason: "dates may have the other forms that JavaScript knows"},
	{problem: regexp.MustCompile(`^the body was accepted.* at '/method': value must be one of `), reason: "an empty text counts as none"},
	{problem: regexp.MustCompile(`^the body was accepted.*sign-up.*: got null, want `), reason: "null gives way to the default of a column"},
	{problem: regexp.MustCompile(`^the body was accepted: invalid character 'ï'`), reason: "a byte order mark is skipped"},
}

// excused are the lines of a problem that no leniency explains.
func excused(what, problem string) (found []string) {
	if problem == "" {
		return nil
	}
	first, lines, several := strings.Cut(problem, "\n")
	if !several {
		first, lines = "", first
	}
	for line := range strings.SplitSeq(lines, "\n") {
		line = what + strings.TrimSpace(first+" "+line)
		i := slices.IndexFunc(leniencies, func(l *leniency) bool { return l.problem.MatchString(line) })
		if i < 0 {
			found = append(found, line)
		} else {
			leniencies[i].used.Store(true)
		}
	}
	return found
}

// TestDocumentCatches: what is broken on purpose is found.
func TestDocumentCatches(t *testing.T) {
	const text = `
== probe
join
GET /get-session
POST /sign-in/email {"email":"me@example.com","password":"wrong horse"}
GET /error?error=x
`
	probe, v := parseOne(t, text), variants[0]
	for _, test := range []struct {
		name   string
		change func(r *http.Request, a *httptest.ResponseRecorder)
		finds  string
	}{
		{"another status", func(_ *http.Request, a *httptest.ResponseRecorder) {
			if a.Code == http.StatusUnauthorized {
				a.Code = http.StatusTeapot
			}
		}, "the status 418 is not documented"},
		{"another code", replaceBody("INVALID_EMAIL_OR_PASSWORD", "MADE_UP"), "the body of the status 401"},
		{"a missing code", replaceBody(`,"code":"INVALID_EMAIL_OR_PASSWORD"`, ``), "missing property 'code'"},
		{"a value of another type", replaceBody(`"emailVerified":false`, `"emailVerified":"false"`), "got string, want boolean"},
		{"no date", replaceBody(`T`, ` at `), "date-time"},
		{"a missing member", replaceBody(`"emailVerified":false,`, ``), "missing property 'emailVerified'"},
		{"a body where there is to be one", func(_ *http.Request, a *httptest.ResponseRecorder) { a.Body = new(bytes.Buffer) }, "a body of the status 200 is missing"},
		{"another media type", func(_ *http.Request, a *httptest.ResponseRecorder) { a.Header().Set("Content-Type", "text/plain") }, "the media type \"text/plain\" of the status 200 is not documented"},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			findings := strings.Join(probe.compare(t, v, &sabotage{answer: test.change}), "\n")
			if !strings.Contains(findings, test.finds) {
				t.Errorf("%q is not in the findings:\n%s", test.finds, findings)
			}
		})
	}
}

// TestDocumentCatchesRequests: a server that takes what it does not say it takes is
// found.
func TestDocumentCatchesRequests(t *testing.T) {
	d := documentOf(t, serveOurs(t, variants[0], nil, nil).Auth)
	const answer = `{"status":true}`
	for _, test := range []struct{ name, method, target, media, body, finds string }{
		{"nothing", "POST", "/reset-password?token=x", "application/json", `{"newPassword":"x"}`, ""},
		{"a missing member", "POST", "/reset-password", "application/json", `{}`, "missing property 'newPassword'"},
		{"a member of another type", "POST", "/reset-password", "application/json", `{"newPassword":1}`, "got number, want string"},
		{"no body", "POST", "/reset-password", "", "", "a body was not needed"},
		{"another media type", "POST", "/reset-password", "text/plain", `{"newPassword":"x"}`, `a body of the type "text/plain" was accepted`},
		{"a missing parameter", "GET", "/verify-email", "", "", "the parameter token was not needed"},
		{"no operation", "GET", "/reset-password", "", "", "an operation that is not documented"},
	} {
		t.Run(test.name, func(t *testing.T) {
			r := httptest.NewRequest(test.method, d.base+test.target, nil)
			r.Header.Set("Content-Type", test.media)
			found := strings.Join(d.findings(&exchange{r, []byte(test.body), 200, http.Header{"Content-Type": {"application/json"}}, []byte(answer)}), "\n")
			if !strings.Contains(found, test.finds) || (found == "") != (test.finds == "") {
				t.Errorf("found %q, want %q", found, test.finds)
			}
		})
	}
}
