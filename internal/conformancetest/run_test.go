package conformancetest

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"
)

// A run takes one site through the steps of a case and writes down what it says
// and does.
type run struct {
	t       testing.TB
	variant *variant
	site    site
	words   *words

	jars    map[string]*jar
	last    []byte // the last answer
	mail    event  // the newest
	kept    map[string]string
	tables  []table
	rows    []row
	storage []entry
}

func newRun(t testing.TB, v *variant, s site, address string) *run {
	r := &run{
		t: t, variant: v, site: s, words: &words{t: t, variant: v, address: address, labels: make(map[string]string), began: time.Now()},
		jars: make(map[string]*jar), kept: make(map[string]string), tables: tables(t, s.database()),
	}
	r.rows = r.readRows()
	return r
}

func (r *run) jar(name string) *jar {
	if r.jars[name] == nil {
		r.jars[name] = &jar{}
	}
	return r.jars[name]
}

// do runs a step and returns what came of it, in lines.
func (r *run) do(s *step) []string {
	r.words.begin()
	lines := r.act(s)
	return append(lines, r.effects(s)...)
}

func (r *run) act(s *step) []string {
	who := s.who()
	rest := r.expand(who, s.rest)
	j := r.jar(who)
	switch s.verb {
	case "join":
		return r.request(s, "POST", "/sign-up/email", fmt.Sprintf(`{"name":%q,"email":"%s@example.com","password":"correct horse"}`, capital(who), who))
	case "call":
		return r.call(s, rest)
	case "drop":
		j.drop(rest)
	case "tamper":
		j.tamper(rest)
	case "set":
		name, value, _ := strings.Cut(rest, "=")
		j.set(name, value)
	case "copy":
		j.cookies = nil
		for _, c := range r.jar(rest).cookies {
			j.set(c.name, c.text)
		}
	case "age":
		r.age(j, rest)
	case "sql":
		if _, err := r.site.database().Exec(rest); err != nil {
			r.t.Fatalf("%v: %v", s, err)
		}
		r.rows = r.readRows()
	case "keep":
		name, value, _ := strings.Cut(rest, "=")
		r.kept[strings.TrimSpace(name)] = strings.TrimSpace(value)
	default:
		path, body, _ := strings.Cut(rest, " ")
		return r.request(s, s.verb, path, body)
	}
	return nil
}

func capital(name string) string { return strings.ToUpper(name[:1]) + name[1:] }

// age makes the copy of a session older by a duration.
func (r *run) age(j *jar, duration string) {
	d, err := time.ParseDuration(duration)
	if err != nil {
		r.t.Fatal(err)
	}
	c := j.find("session_data")
	if c == nil {
		return
	}
	var aged struct{ Value string }
	theOriginal(r.t).Ask(r.t, "age", object{
		"strategy": r.variant.strategy(), "value": c.text, "secret": r.variant.keys()[0], "seconds": int(d / time.Second),
	}, &aged)
	c.text = aged.Value
}

var transport = &http.Transport{MaxIdleConnsPerHost: -1}

// request sends a request and describes the response.
func (r *run) request(s *step, method, path, body string) []string {
	request, err := http.NewRequestWithContext(r.t.Context(), method, r.address(path), nil)
	if err != nil {
		r.t.Fatalf("%v: %v", s, err)
	}
	request.Host = strings.SplitN(r.variant.base(), "/", 4)[2]
	request.Header = http.Header{
		"Origin":          {r.variant.base()},
		"User-Agent":      {"conformance/1"},
		"X-Forwarded-For": {r.words.address},
	}
	if cookies := r.jar(s.who()).header(); cookies != "" {
		request.Header.Set("Cookie", cookies)
	}
	if body != "" {
		request.Header.Set("Content-Type", "application/json")
		request.Body, request.ContentLength = io.NopCloser(strings.NewReader(body)), int64(len(body))
	}
	for _, header := range s.headers {
		if name, removed := strings.CutPrefix(header, "-"); removed {
			delete(request.Header, http.CanonicalHeaderKey(name))
			continue
		}
		name, value, _ := strings.Cut(header, ":")
		value = r.expand(s.who(), strings.TrimSpace(value))
		if strings.EqualFold(name, "Host") {
			request.Host = value
			continue
		}
		request.Header.Set(name, value)
	}
	if request.Header.Get("User-Agent") == "" {
		request.Header.Set("User-Agent", "") // or net/http sends its own
	}
	answer, err := transport.RoundTrip(request) // follows no redirect
	if err != nil {
		r.t.Fatalf("%v: %v", s, err)
	}
	defer answer.Body.Close()
	text, err := io.ReadAll(answer.Body)
	if err != nil {
		r.t.Fatalf("%v: %v", s, err)
	}
	r.jar(s.who()).take(answer.Header["Set-Cookie"])
	r.last = text
	return r.describe(&response{Status: answer.StatusCode, Headers: pairs(answer.Header), Body: string(text)})
}

// address is where a path of a step is: below the base path, from the root with
// ^, or that of a link.
func (r *run) address(path string) string {
	base := strings.TrimSuffix(r.variant.base(), "/")
	if link, err := url.Parse(path); err == nil && link.IsAbs() {
		_, path, _ = strings.Cut(strings.TrimPrefix(path, link.Scheme+"://"), "/")
		return r.site.origin() + "/" + path
	}
	if path, root := strings.CutPrefix(path, "^"); root {
		return r.site.origin() + path
	}
	return r.site.origin() + r.basePath(base) + path
}

// basePath is that of the base URL, if it has one.
func (r *run) basePath(base string) string {
	if u, err := url.Parse(base); err == nil && u.Path != "" {
		return u.Path
	}
	if path, ok := r.variant.options["basePath"].(string); ok {
		return path
	}
	return "/api/auth"
}

// transportHeaders are the business of HTTP servers.
var transportHeaders = []string{"date", "connection", "keep-alive", "content-length", "transfer-encoding"}

// describe writes a response down.
func (r *run) describe(a *response) []string {
	body := "no body"
	if a.Body != "" {
		body = "body " + r.words.text(a.Body) // first, for its ids: those of a copy may come in another order
	}
	lines := append([]string{fmt.Sprint(a.Status)}, r.headers(a.Headers)...)
	return append(lines, body)
}

func (r *run) headers(headers [][2]string) (lines []string) {
	var cookies []string
	for _, header := range headers {
		switch {
		case header[0] == "set-cookie":
			cookies = append(cookies, header[1])
		case header[0] == "x-retry-after":
			lines = append(lines, header[0]+": "+fiveSeconds(header[1]))
		case !slices.Contains(transportHeaders, header[0]):
			lines = append(lines, header[0]+": "+r.words.text(header[1]))
		}
	}
	return append(lines, r.words.cookies(cookies)...)
}

// fiveSeconds rounds a number of seconds up: what a case takes is no difference.
func fiveSeconds(text string) string {
	seconds, err := strconv.Atoi(text)
	if err != nil {
		return text
	}
	return fmt.Sprintf("<at most %d>", (seconds+4)/5*5)
}

// call calls an endpoint directly and describes what it returns.
func (r *run) call(s *step, rest string) []string {
	endpoint, rest, _ := strings.Cut(rest, " ")
	var input callInput
	options, text, found := strings.Cut(rest, "{")
	if found {
		if err := json.Unmarshal([]byte("{"+text), &input); err != nil {
			r.t.Fatalf("%v: %v", s, err)
		}
	}
	for _, option := range strings.Fields(options) {
		switch option {
		case "asResponse":
			input.AsResponse = true
		case "returnHeaders":
			input.ReturnHeaders = true
		case "returnStatus":
			input.ReturnStatus = true
		default:
			r.t.Fatalf("%v: %s is no option", s, option)
		}
	}
	if s.browser != "" {
		input.Headers = map[string]string{"user-agent": "conformance/1", "x-forwarded-for": r.words.address}
		if cookies := r.jar(s.browser).header(); cookies != "" {
			input.Headers["cookie"] = cookies
		}
	}
	for _, header := range s.headers {
		name, value, _ := strings.Cut(header, ":")
		if input.Headers == nil {
			input.Headers = make(map[string]string)
		}
		input.Headers[strings.ToLower(name)] = r.expand(s.who(), strings.TrimSpace(value))
	}
	return r.outcome(s, r.site.call(r.t, endpoint, input))
}

func (r *run) outcome(s *step, o outcome) []string {
	switch {
	case o.Failure != "":
		return []string{"internal error"}
	case o.Thrown != nil:
		lines := append([]string{fmt.Sprint("thrown ", o.Thrown.Status)}, r.headers(o.Thrown.Headers)...)
		return append(lines, "error "+r.words.text(orNull(o.Thrown.Body)))
	case o.Response != nil:
		r.last = []byte(o.Response.Body)
		r.takeCookies(s, o.Response.Headers)
		return r.describe(o.Response)
	}
	r.last = o.Value
	r.takeCookies(s, o.Headers)
	lines := []string{"value " + r.words.text(orNull(o.Value))}
	if o.Status != nil {
		lines = append(lines, fmt.Sprint("status ", *o.Status))
	}
	return append(lines, r.headers(o.Headers)...)
}

func (r *run) takeCookies(s *step, headers [][2]string) {
	var lines []string
	for _, header := range headers {
		if header[0] == "set-cookie" {
			lines = append(lines, header[1])
		}
	}
	r.jar(s.who()).take(lines)
}

func orNull(text []byte) string {
	if text = bytes.TrimSpace(text); len(text) == 0 {
		return "null"
	}
	return string(text)
}

// effects are what a step has done beside the answer: mails, rows, entries.
func (r *run) effects(s *step) (lines []string) {
	now := r.site.settle(r.t)
	for _, e := range now.Events {
		what, _ := e["what"].(string)
		delete(e, "what")
		if strings.HasPrefix(what, "mail ") {
			r.mail = e
		}
		lines = append(lines, what+" "+r.words.text(jsonText(e)))
	}
	after := r.readRows()
	lines = append(lines, r.changes(after)...)
	r.rows = after
	for _, e := range now.Storage {
		if !slices.ContainsFunc(r.storage, e.same) {
			lines = append(lines, fmt.Sprintf("entry %s = %s for %v", r.words.text(e.Key), r.words.text(e.Value), e.lifetime()))
		}
	}
	for _, e := range r.storage {
		if !slices.ContainsFunc(now.Storage, func(other entry) bool { return other.Key == e.Key }) {
			lines = append(lines, "no entry "+r.words.text(e.Key))
		}
	}
	r.storage = now.Storage
	return lines
}

func (r *run) changes(after []row) (lines []string) {
	for _, now := range after {
		if !slices.Contains(r.rows, now) {
			lines = append(lines, "row "+now.place+": "+r.words.text(now.text))
		}
	}
	for _, before := range r.rows {
		if !slices.ContainsFunc(after, func(now row) bool { return now.place == before.place }) {
			lines = append(lines, "no row "+before.place)
		}
	}
	return lines
}

func jsonText(value any) string {
	var text bytes.Buffer
	encoder := json.NewEncoder(&text)
	encoder.SetEscapeHTML(false)
	if err := encoder.Encode(value); err != nil {
		panic(err)
	}
	return strings.TrimSpace(text.String())
}
