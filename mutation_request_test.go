package auth

import (
	"bufio"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"slices"
	"strings"
)

// A wireRequest is a request in the form in which it is mutated: everything is text.
type wireRequest struct {
	method, target string
	headers        []textPair
	body           string
}

// A textPair is a header, a cookie or a parameter, or a member of an object, whose
// parts are JSON then.
type textPair struct{ name, value string }

// wire returns a request of the catalogue as it is sent.
func (m *mutationWorld) wire(v validRequest) *wireRequest {
	path, input := m.API.Operation(v.op).Path(), m.expand(v.input)
	r := &wireRequest{method: v.method, headers: []textPair{
		{"Host", "localhost:3000"}, {"User-Agent", "mutation"}, {"Accept", "*/*"}, {"Origin", testOrigin}, {"Referer", testOrigin + "/in"},
		{"Sec-Fetch-Site", "same-origin"}, {"X-Forwarded-For", "192.0.2.7"},
	}}
	if cookies := m.cookies[v.as]; cookies != "" {
		r.headers = append(r.headers, textPair{"Cookie", cookies})
	}
	var query url.Values
	if members := splitMembers(input); v.method == http.MethodGet || strings.Contains(path, "/:") {
		query = make(url.Values)
		for _, pair := range members {
			name, value := unquoted(pair.name), unquoted(pair.value)
			if replaced := strings.Replace(path, ":"+name, url.PathEscape(value), 1); replaced != path {
				path = replaced
			} else {
				query.Set(name, value)
			}
		}
	}
	r.target = "/api/auth" + path
	switch {
	case v.method == http.MethodPost && query != nil:
		r.body = query.Encode()
		r.headers = append(r.headers, textPair{"Content-Type", mediaForm})
	case v.method == http.MethodPost:
		r.body = input
		r.headers = append(r.headers, textPair{"Content-Type", mediaJSON})
	case len(query) > 0:
		r.target += "?" + query.Encode()
	}
	return r
}

func unquoted(text string) (s string) {
	if json.Unmarshal([]byte(text), &s) != nil {
		return text
	}
	return s
}

// splitMembers takes an object apart, nil if the text is none. Repeated names stay.
func splitMembers(text string) (members []textPair) {
	decoder := json.NewDecoder(strings.NewReader(text))
	if open, err := decoder.Token(); err != nil || open != json.Delim('{') {
		return nil
	}
	for decoder.More() {
		name, err := decoder.Token()
		var value json.RawMessage
		if err != nil || decoder.Decode(&value) != nil {
			return members
		}
		quoted, _ := json.Marshal(name)
		members = append(members, textPair{string(quoted), string(value)})
	}
	return members
}

func joinMembers(members []textPair) string {
	texts := make([]string, len(members))
	for i, m := range members {
		texts[i] = m.name + ":" + m.value
	}
	return "{" + strings.Join(texts, ",") + "}"
}

// header returns the index of the first header with the name, -1 if there is none.
func (r *wireRequest) header(name string) int {
	return slices.IndexFunc(r.headers, func(h textPair) bool { return strings.EqualFold(h.name, name) })
}

func (r *wireRequest) setHeader(name, value string) {
	if i := r.header(name); i >= 0 {
		r.headers[i].value = value
		return
	}
	r.headers = append(r.headers, textPair{name, value})
}

func (r *wireRequest) cookies() (pairs []textPair) {
	if i := r.header("Cookie"); i >= 0 {
		for pair := range strings.SplitSeq(r.headers[i].value, "; ") {
			name, value, _ := strings.Cut(pair, "=")
			pairs = append(pairs, textPair{name, value})
		}
	}
	return pairs
}

func (r *wireRequest) setCookies(pairs []textPair) { r.setHeader("Cookie", joinPairs(pairs, "; ")) }

func joinPairs(pairs []textPair, separator string) string {
	texts := make([]string, len(pairs))
	for i, p := range pairs {
		texts[i] = p.name + "=" + p.value
	}
	return strings.Join(texts, separator)
}

// parameters are those of the query, or of the body if it is a form.
func (r *wireRequest) parameters() (before string, pairs []textPair) {
	text := r.body
	if i := r.header("Content-Type"); i < 0 || r.headers[i].value != mediaForm {
		before, text, _ = strings.Cut(r.target, "?")
	}
	for pair := range strings.SplitSeq(text, "&") {
		name, value, _ := strings.Cut(pair, "=")
		pairs = append(pairs, textPair{name, value})
	}
	return before, pairs
}

func (r *wireRequest) setParameters(before string, pairs []textPair) {
	if text := joinPairs(pairs, "&"); before == "" {
		r.body = text
	} else {
		r.target = before + "?" + text
	}
}

// read gives the request as a server of net/http gives it to a handler, not ok if it
// does not.
func (r *wireRequest) read() (parsed *http.Request, ok bool) {
	var text strings.Builder
	fmt.Fprintf(&text, "%s %s HTTP/1.1\r\n", r.method, r.target)
	hosts := 0
	for _, h := range r.headers {
		fmt.Fprintf(&text, "%s: %s\r\n", h.name, h.value)
		if strings.EqualFold(h.name, "Host") {
			hosts++
		}
	}
	if r.header("Content-Length") < 0 && r.header("Transfer-Encoding") < 0 && r.body != "" {
		fmt.Fprintf(&text, "Content-Length: %d\r\n", len(r.body))
	}
	text.WriteString("\r\n" + r.body)
	parsed, err := http.ReadRequest(bufio.NewReader(strings.NewReader(text.String())))
	if err != nil || hosts != 1 || strings.Trim(parsed.Host, hostCharacters) != "" || len(text.String())-len(r.body) > http.DefaultMaxHeaderBytes {
		return nil, false
	}
	for name, values := range parsed.Header {
		if name == "" || strings.IndexFunc(name, notToken) >= 0 || slices.ContainsFunc(values, func(v string) bool { return strings.ContainsFunc(v, isHeaderControl) }) {
			return nil, false
		}
	}
	parsed.RemoteAddr = "192.0.2.1:1234"
	return parsed, true
}

// received is the body as far as a handler can read it.
func (r *wireRequest) received() string {
	parsed, ok := r.read()
	if !ok {
		return ""
	}
	body, _ := io.ReadAll(parsed.Body)
	return string(body)
}

// hostCharacters are what net/http lets through in Host.
const hostCharacters = alphanumeric + "!$%&'()*+,-.:;=[]_~"

func isHeaderControl(c rune) bool { return c < ' ' && c != '\t' || c == 0x7f }
