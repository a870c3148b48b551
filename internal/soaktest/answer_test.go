package soaktest

import (
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
)

// A request is one to the server.
type request struct {
	method, path string
	body         map[string]any // nil: none
	jar          *jar           // whose cookies it carries and changes; may be nil
}

func (r *request) String() string {
	text := r.method + " " + r.path
	if r.body != nil {
		body, _ := json.Marshal(r.body)
		text += " " + string(body)
	}
	if r.jar != nil {
		text += " as " + orNobody(r.jar.token())
		if r.jar.copy() != nil {
			text += " with a copy"
		}
	}
	return text
}

func orNobody(token string) string {
	if token == "" {
		return "nobody"
	}
	return token
}

// An answer is what the server said.
type answer struct {
	status int
	header http.Header
	body   []byte
}

func (a *answer) String() string {
	text := fmt.Sprintf("%d %s", a.status, a.body)
	for _, line := range a.header.Values("Set-Cookie") {
		pair, _, _ := strings.Cut(line, ";")
		if name, value, _ := strings.Cut(pair, "="); name == tokenCookie {
			text += " cookie=" + tokenOf(value)
		}
	}
	return text
}

// decode reads the body.
func (a *answer) decode(into any) error {
	if err := json.Unmarshal(a.body, into); err != nil {
		return fmt.Errorf("the body is unreadable: %w", err)
	}
	return nil
}

func (a *answer) code() string {
	var body struct{ Code string }
	_ = json.Unmarshal(a.body, &body)
	return body.Code
}

// cookie returns what becomes of the session's cookie, and its new token.
func (a *answer) cookie() (change cookieChange, token string) {
	for _, c := range (&http.Response{Header: a.header}).Cookies() {
		switch {
		case c.Name != tokenCookie:
		case c.MaxAge < 0:
			change, token = cookieCleared, ""
		default:
			change, token = cookieSet, tokenOf(c.Value)
		}
	}
	return change, token
}

// sealed returns the copy of the session that it gives the browser, if any.
func (a *answer) sealed() (c *sessionCopy) {
	for _, cookie := range (&http.Response{Header: a.header}).Cookies() {
		if cookie.Name == copyCookie {
			c = copyOf(cookie.Value)
		}
	}
	return c
}
