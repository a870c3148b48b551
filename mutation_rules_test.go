package auth

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/url"
	"reflect"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"
	"unicode/utf8"
)

// A judgement is what came of one request, and what was wrong with it.
type judgement struct {
	*mutationWorld
	op     string // that was reached, empty for none
	allow  allowance
	said   said
	status int
	header http.Header
	body   string
	after  snapshot
	wrong  []string
}

// judge sends a request, checks what came of it and puts the world back. It returns the
// status, 0 for a request that does not reach a handler.
func (m *mutationWorld) judge(t *testing.T, wire *wireRequest) int {
	t.Helper()
	r, ok := wire.read()
	if !ok {
		return 0
	}
	j := &judgement{mutationWorld: m, said: listen(r, wire)}
	if op, _ := m.router.find(r.Method, r.URL.EscapedPath()); op != nil {
		j.op, j.allow = op.name, allowances[op.name]
	}
	rec := httptest.NewRecorder()
	m.ServeHTTP(rec, r.WithContext(t.Context()))
	j.status, j.header, j.body, j.after = rec.Code, rec.Header(), rec.Body.String(), m.snapshot(t)
	holders := j.holders()
	j.checkStatus()
	j.checkHeaders()
	j.checkBody()
	j.checkTargets()
	j.checkCookies(holders)
	j.checkRows(holders)
	j.checkSecrets(holders)
	if len(j.wrong) > 0 {
		t.Errorf("%s\nrequest: %.3000q\nanswer: %d %.2000q\n%.2000s\nlog: %.2000s", strings.Join(j.wrong, "\n"), fmt.Sprint(*wire), j.status, fmt.Sprint(j.header), j.body, m.log.String())
	}
	m.mails, m.codes, m.provider.requests = nil, nil, nil
	m.log.Reset()
	if len(m.rows.differences(j.after)) > 0 {
		m.reset(t)
	}
	return j.status
}

func (j *judgement) errorf(format string, args ...any) {
	j.wrong = append(j.wrong, j.op+": "+fmt.Sprintf(format, args...))
}

// said is everything that a request says, as it is and decoded.
type said map[places][]string

func listen(r *http.Request, wire *wireRequest) said {
	s := make(said)
	for name, values := range r.Header {
		in := places(0)
		switch name {
		case "Cookie":
			in = inCookie
		case "Authorization":
			in = inAuthorization
		}
		for _, value := range values {
			s[in] = append(s[in], name, value)
			for part := range strings.SplitSeq(value, ";") { // one that cannot be decoded does not spoil the others
				s[in] = append(s[in], unescape(part))
			}
		}
	}
	s[inCookie] = append(s[inCookie], joinedChunks(r.Header))
	body := wire.received()
	_, form := (&wireRequest{target: "?" + body}).parameters()
	_, query := wire.parameters()
	for _, pair := range append(form, query...) {
		for _, text := range []string{pair.name, pair.value} {
			s[inInput] = append(s[inInput], unescape(text), unescape(strings.ReplaceAll(text, "+", " ")))
		}
	}
	s[inInput] = append(s[inInput], wire.target, unescape(wire.target), body)
	s[inInput] = append(s[inInput], jsonStrings(strings.TrimPrefix(body, "\ufeff"))...)
	s[0] = append(s[0], r.Host, wire.method)
	return s
}

func unescape(text string) string {
	if plain, err := url.QueryUnescape(strings.ReplaceAll(text, "+", "%2B")); err == nil {
		return plain
	}
	return decodeURIComponent(text)
}

// joinedChunks is every cookie that came in chunks, one after the other.
func joinedChunks(h http.Header) (joined string) {
	chunks := make(map[string]string)
	for name, value := range requestCookies(h) {
		chunks[name] = value
	}
	for name := range chunks {
		base, first := strings.CutSuffix(name, ".0")
		for i := 0; first && i < maxCookieChunks; i++ {
			joined += chunks[base+"."+strconv.Itoa(i)]
		}
	}
	return unescape(joined)
}

// says reports whether a text was sent in one of the places.
func (s said) says(text string, in places) bool {
	for place, texts := range s {
		if place&in != 0 && slices.ContainsFunc(texts, func(said string) bool { return strings.Contains(said, text) }) {
			return true
		}
	}
	return false
}

func (s said) anywhere(text string) bool {
	return s.says(text, inCookie|inAuthorization|inInput) || slices.ContainsFunc(s[0], func(said string) bool { return strings.Contains(said, text) })
}

// names reports whether the request names an address, however it is written.
func (s said) names(email string) bool {
	return slices.ContainsFunc(s[inInput], func(said string) bool { return strings.Contains(strings.ToLower(said), email) })
}

// holders are the ids of those who sent a secret of theirs.
func (j *judgement) holders() map[string]bool {
	holders := make(map[string]bool)
	for _, p := range j.people {
		holders[p.id] = slices.ContainsFunc(p.secrets, func(s secret) bool { return j.said.says(s.text, s.in) })
	}
	return holders
}

// checkStatus: nothing breaks, whatever is sent.
func (j *judgement) checkStatus() {
	if j.status >= 500 || j.status < 200 {
		j.errorf("status %d", j.status)
	}
	if log := j.log.String(); strings.Contains(log, "level=ERROR") || strings.Contains(log, "panic") {
		j.errorf("an error in the log")
	}
}

// mutationHeaders are all that an answer may have.
var mutationHeaders = []string{
	"Content-Type", "Set-Cookie", "Location", "Cache-Control", "Pragma", "Content-Security-Policy", "X-Content-Type-Options", "Referrer-Policy",
	"Set-Auth-Token", "Set-Auth-Jwt", "Access-Control-Expose-Headers",
}

// checkHeaders: no header is one that the sender wrote, or has what the sender wrote as
// it is.
func (j *judgement) checkHeaders() {
	for name, values := range j.header {
		if !slices.Contains(mutationHeaders, name) {
			j.errorf("header %q", name)
		}
		for _, value := range values {
			if strings.Contains(value, "zq<") || strings.ContainsFunc(value, func(c rune) bool { return c < ' ' || c > '~' }) {
				j.errorf("header %s is %q", name, value)
			}
		}
	}
	if exposed := j.header.Get(exposeHeader); strings.Trim(exposed, alphanumeric+"-, ") != "" {
		j.errorf("exposes %q", exposed)
	}
	if j.op == "getSession" && j.status == 200 && j.header.Get("Cache-Control") != "no-store" {
		j.errorf("a session that caches may keep")
	}
}

// checkBody: a body says what it is and is that; what was sent is a value in it, never
// text of its own.
func (j *judgement) checkBody() {
	switch media := j.header.Get("Content-Type"); {
	case j.body == "" && media == "":
	case j.body == "":
		if media != "application/json" {
			j.errorf("nothing, as %q", media)
		}
	case strings.Contains(j.body, mark) || !utf8.ValidString(j.body):
		j.errorf("a body with what was sent, or no text")
	case media == "application/json":
		if !json.Valid([]byte(j.body)) {
			j.errorf("no JSON")
		}
	case j.pages[j.op] == 0 || media != "text/html; charset=utf-8":
		j.errorf("a body as %q", media)
	default:
		j.checkPage()
	}
}

// checkPage: a page has the tags that it has without any input, and may run nothing.
func (j *judgement) checkPage() {
	if got := strings.Count(j.body, "<") + strings.Count(j.body, ">"); got != j.pages[j.op] || strings.Contains(j.body, mark[:4]) {
		j.errorf("a page with tags that are not its own")
	}
	policy := j.header.Get("Content-Security-Policy")
	if !strings.Contains(policy, "default-src 'none'") || !strings.Contains(policy, "frame-ancestors 'none'") || strings.Contains(policy, "script-src 'unsafe-inline'") {
		j.errorf("policy %q", policy)
	}
	if j.header.Get("X-Content-Type-Options") != "nosniff" || j.header.Get("Referrer-Policy") != "no-referrer" {
		j.errorf("headers of a page %v", j.header)
	}
}

// checkTargets: nobody is led to where the configuration does not trust.
func (j *judgement) checkTargets() {
	for _, target := range j.header["Location"] {
		if !isTrustedTarget(target) {
			j.errorf("leads to %q", target)
		}
	}
	var answer struct{ URL, Redirect any }
	if json.Unmarshal([]byte(j.body), &answer) == nil {
		if target, ok := answer.URL.(string); ok && target != "" && !isTrustedTarget(target) {
			j.errorf("tells to go to %q", target)
		}
	}
	if j.status >= 300 && j.status < 400 && j.header.Get("Location") == "" {
		j.errorf("status %d leads nowhere", j.status)
	}
}

// isTrustedTarget reads a URL as a browser does.
func isTrustedTarget(target string) bool {
	if strings.ContainsFunc(target, func(c rune) bool { return c <= ' ' || c == 0x7f || c == '\\' }) {
		return false
	}
	u, err := url.Parse(target)
	switch {
	case err != nil || u.User != nil || u.Opaque != "":
		return false
	case u.Scheme == "" && u.Host == "":
		return strings.HasPrefix(target, "/") && !strings.HasPrefix(target, "//")
	}
	origin := u.Scheme + "://" + strings.ToLower(u.Host)
	return origin == testOrigin || origin == "https://trusted.example" || u.Scheme == "https" && strings.HasSuffix(u.Hostname(), ".wild.example") ||
		u.Scheme == "app.example" || origin == "https://acme.test"
}

var cookieLine = regexp.MustCompile(`^better-auth\.([\w.-]+)=([\w%.~!*'()-]*)(?:; Max-Age=(\d+))?; Path=/; HttpOnly; SameSite=Lax$`)

// checkCookies: a cookie has a reason, and a session's belongs to a session of somebody
// who proved who they are.
func (j *judgement) checkCookies(holders map[string]bool) {
	seen := make(map[string]bool)
	for _, line := range j.header["Set-Cookie"] {
		parts := cookieLine.FindStringSubmatch(line)
		if parts == nil {
			j.errorf("cookie line %q", line)
			continue
		}
		name, value, gone := shortName(parts[1]), parts[2], parts[3] == "0"
		if seen[parts[1]] && name != "session_data" { // whoever looks a session up sends the copy, and so does what follows
			j.errorf("two cookies %s", parts[1])
		}
		seen[parts[1]] = true
		switch {
		case gone && value != "" || !gone && value == "":
			j.errorf("cookie line %q is neither set nor dropped", line)
		case gone && !hasWord(j.allow.drops, name), !gone && !hasWord(j.allow.sets, name):
			j.errorf("cookie %s without a reason (status %d)", line, j.status)
		case gone:
		case name == "session_token" || name == "session_token_multi":
			j.checkSessionCookie(name, unescape(value), holders)
		case name == "session_data":
			j.checkCopy(unescape(value), holders)
		}
	}
}

// shortName is a cookie's name without what differs.
func shortName(name string) string {
	if strings.HasPrefix(name, "session_token_multi-") {
		return "session_token_multi"
	}
	name, _, _ = strings.Cut(name, ".")
	return name
}

func hasWord(list, word string) bool { return slices.Contains(strings.Fields(list), word) }

func (j *judgement) checkSessionCookie(name, value string, holders map[string]bool) {
	token, signature, _ := strings.Cut(value, ".")
	mac := hmac.New(sha256.New, []byte(testSecret))
	mac.Write([]byte(token))
	if signature != base64.StdEncoding.EncodeToString(mac.Sum(nil)) {
		j.errorf("a session cookie that is not signed: %q", value)
	}
	for _, row := range j.after {
		if row.table.Name == "session" && row.value("token") == token {
			j.checkOwner(name, row.value("userId").(string), holders)
			return
		}
	}
	j.errorf("a cookie of a session that is not stored")
}

func (j *judgement) checkOwner(name, owner string, holders map[string]bool) {
	if !holders[owner] && !j.isNew(owner) {
		j.errorf("a session of somebody who was not proved")
	}
	var answer struct{ User struct{ ID string } }
	if json.Unmarshal([]byte(j.body), &answer) == nil && answer.User.ID != "" && answer.User.ID != owner && name == "session_token" {
		j.errorf("a session of %s and an answer about %s", owner, answer.User.ID)
	}
}

// isNew reports whether somebody came to be with this request.
func (j *judgement) isNew(id string) bool {
	key := rowKey{"user", id}
	_, before := j.rows[key]
	_, after := j.after[key]
	return !before && after && j.allow.creates
}

func (j *judgement) checkCopy(value string, holders map[string]bool) {
	object := decodedCopy(value)
	var data struct {
		Session struct {
			Session struct{ UserID string }
			User    struct{ ID string }
		}
	}
	if err := json.Unmarshal([]byte(object), &data); err != nil || data.Session.User.ID == "" {
		j.errorf("a copy that cannot be read: %q", object)
		return
	}
	if id := data.Session.User.ID; id != data.Session.Session.UserID || !holders[id] && !j.isNew(id) {
		j.errorf("a copy of the session of somebody who was not proved")
	}
}

func decodedCopy(value string) string {
	object, err := base64.RawURLEncoding.DecodeString(strings.TrimRight(value, "="))
	if err != nil {
		return value
	}
	return string(object)
}

// checkRows: nothing of anybody changes who has not proved who they are, except what is
// sent to an address that was named; and nobody gains by naming a column.
func (j *judgement) checkRows(holders map[string]bool) {
	for key, row := range j.rows.differences(j.after) {
		before, existed := j.rows[key]
		after, exists := j.after[key]
		owner := j.ownerOf(row)
		switch {
		case key.table == "jwks":
			j.errorf("a key has changed")
		case owner == nil && key.table == "user":
			if !j.isNew(key.id) {
				j.errorf("a user has come to be")
			} else {
				j.checkNewUser(after)
			}
		case owner == nil && key.table != "verification":
			if id, _ := row.value("userId").(string); !j.isNew(id) {
				j.errorf("a %s of nobody", key.table)
			}
		case owner == nil || holders[owner.id]:
		case key.table == "verification" && j.allow.asks && j.said.names(owner.name+"@example.com"):
		default:
			j.errorf("a %s of %s has changed, who was not proved", key.table, owner.name)
		}
		if existed && exists {
			j.checkColumns(key.table, before, after)
		}
	}
}

func (j *judgement) checkNewUser(row storedRow) {
	if verified, _ := row.value("emailVerified").(bool); verified && !hasWord(privileged["emailVerified"], j.op) {
		j.errorf("a new user is verified")
	}
	if enabled, _ := row.value("twoFactorEnabled").(bool); enabled {
		j.errorf("a new user has a second factor")
	}
	if created, _ := row.value("createdAt").(time.Time); time.Since(created).Abs() > time.Minute {
		j.errorf("a new user was created at %v", created)
	}
}

// checkColumns: what identifies a row stays, and what a user is trusted for.
func (j *judgement) checkColumns(table string, before, after storedRow) {
	changed := func(column string) bool { return !reflect.DeepEqual(before.value(column), after.value(column)) }
	for _, column := range []string{"userId", "token", "createdAt", "providerId", "accountId"} {
		if changed(column) && table != "verification" && !(table == "twoFactor" && j.op == "enableTwoFactor") {
			j.errorf("%s of a %s has changed", column, table)
		}
	}
	for column, by := range privileged {
		if table == "user" && changed(column) && !hasWord(by, j.op) {
			j.errorf("%s of a user has changed", column)
		}
	}
}

// ownerOf returns whom a row is about, nil for nobody who was there before.
func (j *judgement) ownerOf(row storedRow) *person {
	for _, p := range j.people {
		switch row.table.Name {
		case "user":
			if row.value("id") == p.id {
				return p
			}
		case "verification":
			text := fmt.Sprint(row.value("identifier"), " ", row.value("value"))
			if strings.Contains(text, p.id) || strings.Contains(text, p.name+"@example.com") {
				return p
			}
		default:
			if row.value("userId") == p.id {
				return p
			}
		}
	}
	return nil
}

// checkSecrets: neither answer nor log has what is nobody's business, or the business of
// somebody who was not proved and whom the request does not speak of.
func (j *judgement) checkSecrets(holders map[string]bool) {
	texts := []string{j.body}
	for name, values := range j.header {
		for _, value := range values {
			texts = append(texts, value, unescape(value))
			if parts := cookieLine.FindStringSubmatch(value); name == "Set-Cookie" && parts != nil {
				texts = append(texts, decodedCopy(unescape(parts[2])))
			}
		}
	}
	answer := strings.Join(append(texts, jsonStrings(j.body)...), "\n")
	for _, text := range []string{testSecret, "plain:", "client secret", `"d":"`, "privateKey"} {
		if strings.Contains(answer, text) && j.op != "generateOpenAPISchema" && j.op != "openAPIReference" {
			j.errorf("%q is told", text)
		}
	}
	for _, p := range j.people {
		private := slices.Clone(p.private)
		for _, s := range p.secrets {
			if len(s.text) > 6 && strings.Contains(j.log.String(), s.text) {
				j.errorf("%q is in the log", s.text)
			}
			private = append(private, s.text)
		}
		if holders[p.id] {
			continue
		}
		for _, text := range private {
			if len(text) > 6 && strings.Contains(answer, text) && !j.said.anywhere(text) {
				j.errorf("%q of %s is told", text, p.name)
			}
		}
	}
}
