package conformancetest

import (
	"bytes"
	"encoding/json"
	"fmt"
	"strings"
)

// call calls an endpoint directly and describes what it returns.
func (r *run) call(s *step, rest string) []string {
	endpoint, rest, _ := strings.Cut(rest, " ")
	options, text, found := strings.Cut(rest, "{")
	var input callInput
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
	input.Headers = r.callHeaders(s)
	return r.outcome(s, r.site.call(r.t, endpoint, input))
}

// callHeaders are those of the browser that a step names, and of the step itself;
// nil if there are none.
func (r *run) callHeaders(s *step) map[string]string {
	if s.browser == "" && len(s.headers) == 0 {
		return nil
	}
	headers := make(map[string]string)
	if s.browser != "" {
		headers["user-agent"], headers["x-forwarded-for"] = "conformance/1", r.words.address
		if cookies := r.jar(s.browser).header(); cookies != "" {
			headers["cookie"] = cookies
		}
	}
	for _, header := range s.headers {
		name, value, _ := strings.Cut(header, ":")
		headers[strings.ToLower(name)] = r.expand(s.who(), strings.TrimSpace(value))
	}
	return headers
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
