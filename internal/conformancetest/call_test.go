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
