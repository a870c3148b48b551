package auth

import (
	"fmt"
	"net/url"
	"slices"
	"strconv"
	"strings"
)

// A tape is what a fuzzer writes and mutations read: choices and texts. Behind its end
// are zeros.
type tape struct{ rest []byte }

func (p *tape) next() byte {
	if len(p.rest) == 0 {
		return 0
	}
	b := p.rest[0]
	p.rest = p.rest[1:]
	return b
}

// pick chooses one of n.
func (p *tape) pick(n int) int { return int(p.next()) % max(n, 1) }

// text is one that strangers like to send, or one of the tape's own.
func (p *tape) text() string {
	if i := p.pick(len(oddTexts) + len(oddTexts)/2); i < len(oddTexts) {
		return oddTexts[i]
	}
	n := min(p.pick(24), len(p.rest))
	own := string(p.rest[:n])
	p.rest = p.rest[n:]
	return own
}

// mark begins and ends what must not come back as it is.
const mark = "zq<\"'>zq"

var oddTexts = []string{
	mark, mark + "\r\nSet-Cookie: zq=1", "%7Aq%3C%22%27%3Ezq%0D%0ASet-Cookie:%20zq=1", "<script>alert(1)</script>" + mark, "\"" + mark, "{{.}}" + mark,
	"", " ", "\t", "\x00", "\x7f", "\xff\xfe", "%", "%zz", "%00", "%0d%0a", "\u2028", "\u202e", "é", "e\u0301", "\U0001F600", "ﬀ", "ı", "K",
	"null", "undefined", "true", "0", "-1", "1e999", "NaN", "__proto__", "constructor", "[object Object]", "*", "..", ".", "/", "\\", "'", "\"", ";", ",", "=", "&", "$",
	"https://evil.example", "//evil.example", "/\\evil.example", "\\\\evil.example", "/\t/evil.example", "/%2f/evil.example", "/%5cevil.example", "https:evil.example", "https:/evil.example",
	"javascript:alert(1)", "data:text/html,x", "https://trusted.example", "https://trusted.example/in", "https://trusted.example.evil.example", "https://trusted.example@evil.example", "https://a.wild.example/x",
	"https://wild.example.evil.example", "https://evil.example#.wild.example", "app.example://x", "http://localhost:3000", "http://localhost:3000/in", "http://localhost", "http://localhost:3000@evil.example", "http://localhost:3000.evil.example",
	"/in", "/in?a=b&c", "/in#x", "/in?error=x", "/in?" + mark, "/in/" + mark, "ann@example.com", "ANN@EXAMPLE.COM", "bob@example.com", "bob@example.com\x00", " bob@example.com", "bob@example.com,ann@example.com", "\"bob\"@example.com",
	"ann_", "BOB_", "acme", "google", "credential", "sign-in", "forget-password", "email-verification", "change-email", "1; DROP TABLE user", "' OR ''='", "${jndi:ldap://x}", "$id", "$bob.id",
	"$session", "$account", "$reset", "$link", "$ott", "$verify", "$otpSignIn", "$state", "$totp", "password of ann", "cat at acme",
	strings.Repeat("a", 300), strings.Repeat("a", 5000), strings.Repeat("%41", 3000), strings.Repeat("é", 2000), strings.Repeat("a.", 600) + "zq", "127.0.0.1", "::1", "[::1]:80", "10.0.0.1, 192.0.2.1", "for=192.0.2.1;proto=https",
}

// oddJSON are values that no endpoint wants, of every type.
var oddJSON = []string{
	`null`, `true`, `false`, `0`, `-0`, `-1`, `1.5`, `1e999`, `-1e999`, `1e-999`, `123456789012345678901234567890`, `""`, `" "`, `[]`, `[null]`, `[[]]`, `{}`, `{"a":{"b":[]}}`,
	`{"__proto__":{"admin":true}}`, `{"toString":1,"valueOf":2}`, `{"$ne":null}`, `{"length":1,"0":"x"}`, `["ann@example.com"]`, `["ann@example.com","bob@example.com"]`, `{"email":"bob@example.com"}`,
	`"\ud800"`, `"\udc00\ud800"`, `"\u0000"`, `"a\u0000b"`, `"\ufeff"`, `"\u202eann"`, `"\"\\\/\b\f\n\r\t"`, `"zq<\"'>zq\r\n"`, `"\u007aq\u003c\"'\u003ezq"`, `"é"`, `"\u0065\u0301"`, "\"\xff\"", "\"a\nb\"", `'x'`, `tru`, `01`, `+1`, `.5`, `NaN`, `"x`,
	`"__proto__"`, `"1970-01-01T00:00:00.000Z"`, `"9999-99-99"`, `1e3`, `"0"`, `"false"`,
}

// oddNames are members and parameters that somebody might fall for.
var oddNames = []string{
	"__proto__", "constructor", "prototype", "toString", "id", "userId", "user", "role", "admin", "email", "emailVerified", "createdAt", "updatedAt", "expiresAt", "token", "password", "newPassword", "currentPassword",
	"callbackURL", "errorCallbackURL", "newUserCallbackURL", "redirectTo", "redirect", "rememberMe", "trustDevice", "disableSession", "twoFactorEnabled", "username", "displayUsername", "image", "name", "newEmail",
	"provider", "providerId", "accountId", "idToken", "code", "state", "error", "error_description", "otp", "type", "scopes", "disableRedirect", "disableCookieCache", "disableRefresh", "requestSignUp", "additionalParams", "fetchOptions", "query", "headers", "ipAddress", "userAgent",
	"", " ", "EMAIL", "Email", "email ", "email[]", "email.x", "\x00", "é", mark, "iss", "theme", "sessionToken", "method", "issuer", "metadata",
}

var oddHeaders = []string{
	"Origin", "Referer", "Host", "Cookie", "Authorization", "Content-Type", "Content-Length", "Transfer-Encoding", "User-Agent", "Accept", "Accept-Encoding", "X-Forwarded-For", "X-Forwarded-Host", "X-Forwarded-Proto", "X-Forwarded-Port", "Forwarded", "X-Real-IP",
	"CF-Connecting-IP", "X-HTTP-Method-Override", "X-Original-URL", "X-Rewrite-URL", "Sec-Fetch-Site", "Sec-Fetch-Mode", "Sec-Fetch-Dest", "X-Requested-With", "Expect", "Connection", "Upgrade", "Range", "If-None-Match", "Via", "TE", "Trailer", "Access-Control-Request-Method", "Set-Auth-Token", "Set-Cookie", "Location", mark, "x",
}

var oddHeaderValues = map[string][]string{
	"Origin":            {"null", "https://evil.example", "http://localhost:3000/", "HTTP://LOCALHOST:3000", "https://trusted.example", "https://a.wild.example", "https://evil.example#.wild.example", "file://", "http://localhost:3000, https://evil.example"},
	"Referer":           {"https://evil.example/", "http://localhost:3000/x?y", "https://trusted.example/", "about:blank"},
	"Host":              {"evil.example", "localhost", "localhost:3000:3000", "[::1]:3000", "localhost:99999", "trusted.example", ""},
	"Authorization":     {"Bearer ", "Bearer $session", "bearer  $session", "Bearer $bob.session", "Basic YW5uOng=", "Bearer a b", "Bearer " + mark, "$session", "Bearer $session.AAAA"},
	"Content-Type":      {"application/json", "application/json; charset=utf-16", "APPLICATION/JSON", "application/x-www-form-urlencoded", "text/plain", "multipart/form-data; boundary=x", "application/json, text/plain", "application/jsonx", "application/problem+json", mark, ";", ""},
	"Transfer-Encoding": {"chunked", "gzip, chunked", "identity"},
	"Content-Length":    {"0", "1", "9999999999", "-1", "+5", "x"},
	"X-Forwarded-Proto": {"https", "javascript", "http, https"},
	"Sec-Fetch-Site":    {"cross-site", "same-site", "none", "same-origin"},
	"Sec-Fetch-Mode":    {"navigate", "cors", "no-cors"},
	"Cookie":            {"", ";", "=", "a", "better-auth.session_token", "better-auth.session_token=", "better-auth.session_token=\"x\"", "$Version=1; better-auth.session_token=x", mark},
}

// mutations are the kinds of change.
var mutations = []func(m *mutationWorld, r *wireRequest, p *tape){
	addHeader, changeHeader, removeHeader, changeCookies, changeCookies, changeMembers, changeMembers, changeMembers,
	changeParameters, changeParameters, changePath, changeMethod, changeMedia, changeBody, changePerson, changeTransfer,
}

// maxMutations bounds what one tape does.
const maxMutations = 6

// mutate changes the request as the tape says.
func (m *mutationWorld) mutate(r *wireRequest, program []byte) {
	p := &tape{program}
	for n := 0; n < maxMutations && len(p.rest) > 0; n++ {
		mutations[p.pick(len(mutations))](m, r, p)
	}
}

// bend changes a text a little.
func (p *tape) bend(text string) string {
	at := p.pick(len(text) + 1)
	switch p.pick(8) {
	case 0:
		return p.text()
	case 1:
		return text[:at]
	case 2:
		return text[at:]
	case 3:
		return text[:at] + p.text() + text[at:]
	case 4:
		return text + text
	case 5:
		return strings.ToUpper(text)
	case 6:
		return text + p.text()
	}
	if at == len(text) {
		return text + string([]byte{p.next()})
	}
	bent := []byte(text)
	bent[at] ^= 1 << (p.next() % 8)
	return string(bent)
}

func addHeader(m *mutationWorld, r *wireRequest, p *tape) {
	name := oddHeaders[p.pick(len(oddHeaders))]
	values := oddHeaderValues[name]
	value := ""
	if i := p.pick(len(values) + 2); i < len(values) {
		value = m.expand(values[i])
	} else {
		value = m.expand(p.text())
	}
	if p.pick(2) == 0 {
		r.setHeader(name, value)
		return
	}
	r.headers = append(r.headers, textPair{name, value})
}

func changeHeader(m *mutationWorld, r *wireRequest, p *tape) {
	if len(r.headers) > 0 {
		h := &r.headers[p.pick(len(r.headers))]
		h.value = m.expand(p.bend(h.value))
	}
}

func removeHeader(_ *mutationWorld, r *wireRequest, p *tape) {
	if len(r.headers) > 0 {
		i := p.pick(len(r.headers))
		r.headers = slices.Delete(r.headers, i, i+1)
	}
}

// cookieNames are those that an instance knows, and some that it does not.
var cookieNames = []string{
	tokenName, "better-auth.session_data", "better-auth.session_data.0", "better-auth.session_data.1", "better-auth.dont_remember", "better-auth.state", "better-auth.two_factor", "better-auth.trust_device",
	"better-auth.session_token_multi-x", "better-auth.account_data", "__Secure-better-auth.session_token", "__Host-better-auth.session_token", "better-auth.oauth_state", "Better-Auth.session_token", "x",
}

func changeCookies(m *mutationWorld, r *wireRequest, p *tape) {
	pairs := r.cookies()
	if len(pairs) == 0 || p.pick(4) == 0 {
		others := []string{m.cookies["bob"], m.cookies["ann"], m.cookies["ann's other"], m.cookies["dan"], m.cookies["half dan"], m.cookies["flow"]}
		extra := (&wireRequest{headers: []textPair{{"Cookie", others[p.pick(len(others))]}}}).cookies()
		if p.pick(2) == 0 {
			extra = extra[:1]
		}
		pairs = append(pairs, extra...)
	}
	i, j := p.pick(len(pairs)), p.pick(len(pairs))
	switch p.pick(10) {
	case 0:
		pairs[i].value = p.bend(pairs[i].value)
	case 1:
		pairs[i].value, pairs[j].value = pairs[j].value, pairs[i].value
	case 2:
		pairs[i].name = cookieNames[p.pick(len(cookieNames))]
	case 3:
		pairs = append(pairs, textPair{pairs[i].name, p.bend(pairs[j].value)})
	case 4:
		pairs = slices.Insert(pairs, 0, textPair{pairs[i].name, p.bend(pairs[j].value)})
	case 5:
		pairs = slices.Delete(pairs, i, i+1)
	case 6:
		pairs[i].value = url.QueryEscape(m.expand(p.text()))
	case 7: // in chunks
		at := p.pick(len(pairs[i].value) + 1)
		pairs = append(pairs, textPair{pairs[i].name + ".0", pairs[i].value[:at]}, textPair{pairs[i].name + "." + strconv.Itoa(p.pick(120)), pairs[i].value[at:]})
		pairs = slices.Delete(pairs, i, i+1)
	case 8:
		pairs = append(pairs, textPair{cookieNames[p.pick(len(cookieNames))], m.expand(p.text())})
	case 9: // somebody else's name, one's own signature
		_, signature, _ := strings.Cut(pairs[i].value, ".")
		pairs[i].value = m.values["$bob.session"] + "." + signature
	}
	r.setCookies(pairs)
}

func changeMembers(m *mutationWorld, r *wireRequest, p *tape) {
	members := splitMembers(r.body)
	name := func() string { return strconv.Quote(oddNames[p.pick(len(oddNames))]) }
	value := func() string {
		if i := p.pick(len(oddJSON) + len(oddJSON)/2); i < len(oddJSON) {
			return oddJSON[i]
		}
		switch p.pick(4) {
		case 0:
			return strings.Repeat("[", 9000) + strings.Repeat("]", 9000)
		case 1:
			return strings.Repeat(`{"a":`, 300) + "1" + strings.Repeat("}", 300)
		}
		return jsonQuote(m.expand(p.text()))
	}
	if len(members) == 0 {
		members = append(members, textPair{name(), value()})
	}
	i := p.pick(len(members))
	switch p.pick(7) {
	case 0:
		members[i].value = value()
	case 1:
		members[i].value = jsonQuote(m.expand(p.bend(unquoted(members[i].value))))
	case 2:
		members = append(members, textPair{members[i].name, value()})
	case 3:
		members = slices.Insert(members, 0, textPair{members[i].name, value()})
	case 4:
		members = append(members, textPair{name(), value()})
	case 5:
		members = slices.Delete(members, i, i+1)
	case 6:
		members[i].name = name()
	}
	r.body = joinMembers(members)
}

// jsonQuote is a string of JSON; what is no UTF-8 stays.
func jsonQuote(text string) string {
	return `"` + strings.NewReplacer(`\`, `\\`, `"`, `\"`, "\n", `\n`, "\r", `\r`, "\t", `\t`, "\x00", `\u0000`).Replace(text) + `"`
}

func changeParameters(m *mutationWorld, r *wireRequest, p *tape) {
	before, pairs := r.parameters()
	i := p.pick(len(pairs))
	text := func() string {
		if t := m.expand(p.text()); p.pick(4) == 0 {
			return t
		} else {
			return url.QueryEscape(t)
		}
	}
	switch p.pick(7) {
	case 0:
		pairs[i].value = text()
	case 1:
		pairs[i].value = p.bend(pairs[i].value)
	case 2:
		pairs = append(pairs, textPair{pairs[i].name, text()})
	case 3:
		pairs = slices.Insert(pairs, 0, textPair{pairs[i].name, text()})
	case 4:
		pairs = append(pairs, textPair{url.QueryEscape(oddNames[p.pick(len(oddNames))]), text()})
	case 5:
		pairs = slices.Delete(pairs, i, i+1)
	case 6:
		pairs[i].name = []string{pairs[i].name + "[]", pairs[i].name + "[a]", text()}[p.pick(3)]
	}
	r.setParameters(before, pairs)
}

func changePath(m *mutationWorld, r *wireRequest, p *tape) {
	path, query, found := strings.Cut(r.target, "?")
	segments := strings.Split(path, "/")
	i := p.pick(len(segments))
	switch p.pick(9) {
	case 0:
		segments[i] = url.PathEscape(m.expand(p.text()))
	case 1:
		segments[i] = p.bend(segments[i])
	case 2:
		segments = slices.Insert(segments, i, []string{"", ".", "..", "%2e%2e", "%2e", "x"}[p.pick(6)])
	case 3:
		segments = slices.Delete(segments, i, i+1)
	case 4:
		segments[i] = strings.ToUpper(segments[i])
	case 5:
		if segments[i] != "" {
			segments[i] = fmt.Sprintf("%%%02x%s", segments[i][0], segments[i][1:])
		}
	case 6:
		segments = append(segments, []string{"", "%00", "%0d%0a", ";x=y", "x"}[p.pick(5)])
	case 7:
		segments[0] = []string{"http://evil.example", "http://localhost:3000", "https://trusted.example:99999", "//evil.example", "*"}[p.pick(5)] + segments[0]
	case 8: // another endpoint
		operations := m.API.Operations()
		segments = []string{"/api/auth" + operations[p.pick(len(operations))].Path()}
	}
	if r.target = strings.Join(segments, "/"); found {
		r.target += "?" + query
	}
}

func changeMethod(_ *mutationWorld, r *wireRequest, p *tape) {
	methods := []string{"GET", "POST", "HEAD", "OPTIONS", "PUT", "PATCH", "DELETE", "TRACE", "CONNECT", "get", "post", "X", "PRI"}
	r.method = methods[p.pick(len(methods))]
}

// changeMedia sends what was a form as JSON, and the other way round.
func changeMedia(_ *mutationWorld, r *wireRequest, p *tape) {
	if members := splitMembers(r.body); members != nil && p.pick(2) == 0 {
		var pairs []textPair
		for _, member := range members {
			pairs = append(pairs, textPair{url.QueryEscape(unquoted(member.name)), url.QueryEscape(unquoted(member.value))})
		}
		r.body = joinPairs(pairs, "&")
		r.setHeader("Content-Type", mediaForm)
		return
	}
	_, pairs := r.parameters()
	var members []textPair
	for _, pair := range pairs {
		name, _ := url.QueryUnescape(pair.name)
		value, _ := url.QueryUnescape(pair.value)
		members = append(members, textPair{jsonQuote(name), jsonQuote(value)})
	}
	r.body = joinMembers(members)
	r.setHeader("Content-Type", mediaJSON)
}

func changeBody(m *mutationWorld, r *wireRequest, p *tape) {
	switch p.pick(6) {
	case 0:
		r.body = p.bend(r.body)
	case 1:
		r.body = "\ufeff" + r.body
	case 2:
		r.body = "[" + r.body + "]"
	case 3:
		r.body += r.body
	case 4:
		r.body = oddJSON[p.pick(len(oddJSON))]
	case 5:
		r.body = strings.Repeat(" ", 1<<20) + r.body
	}
}

// changePerson puts bob in the place of ann, except where ann proves who she is.
func changePerson(m *mutationWorld, r *wireRequest, p *tape) {
	replacer := strings.NewReplacer("ann@example.com", "bob@example.com", "ann%40example.com", "bob%40example.com", `"ann_"`, `"bob_"`,
		m.values["$account"], m.values["$bob.account"], m.values["$id"], m.values["$bob.id"], m.values["$session"], m.values["$bob.session"])
	if p.pick(3) == 0 {
		for _, name := range []string{"dan@example.com", `"dan_"`} {
			r.body = strings.ReplaceAll(r.body, strings.Replace(name, "dan", "ann", 1), name)
		}
		return
	}
	r.body, r.target = replacer.Replace(r.body), replacer.Replace(r.target)
}

// changeTransfer sends the body in other ways.
func changeTransfer(_ *mutationWorld, r *wireRequest, p *tape) {
	switch p.pick(4) {
	case 0:
		at := p.pick(len(r.body) + 1)
		chunks := ""
		for _, chunk := range []string{r.body[:at], r.body[at:]} {
			if chunk != "" {
				chunks += fmt.Sprintf("%x\r\n%s\r\n", len(chunk), chunk)
			}
		}
		r.body = chunks + "0\r\n\r\n"
		r.setHeader("Transfer-Encoding", "chunked")
	case 1:
		r.setHeader("Content-Length", strconv.Itoa(len(r.body)+1+p.pick(100)))
	case 2:
		r.setHeader("Content-Length", strconv.Itoa(p.pick(len(r.body)+1)))
	case 3:
		r.body += "0\r\n\r\nGET /api/auth/ok HTTP/1.1\r\nHost: evil.example\r\n\r\n"
	}
}
