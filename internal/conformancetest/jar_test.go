package conformancetest

import (
	"slices"
	"strings"
)

// A jar keeps the cookies of a browser, in the order in which they came, as they
// are on the wire.
type jar struct {
	cookies []*cookie
}

type cookie struct{ name, text string }

// value is empty if there is no such cookie.
func (c *cookie) value() string {
	if c == nil {
		return ""
	}
	return c.text
}

func (j *jar) find(suffix string) *cookie {
	for _, c := range j.cookies {
		if strings.HasSuffix(c.name, suffix) {
			return c
		}
	}
	return nil
}

func (j *jar) drop(suffix string) {
	j.cookies = slices.DeleteFunc(j.cookies, func(c *cookie) bool { return strings.HasSuffix(c.name, suffix) })
}

// set puts a cookie in: one whose name ends that way is overwritten.
func (j *jar) set(name, value string) {
	if c := j.find(name); c != nil {
		c.text = value
		return
	}
	j.cookies = append(j.cookies, &cookie{name, value})
}

// tamper changes the first character of a value.
func (j *jar) tamper(suffix string) {
	c := j.find(suffix)
	if c == nil || c.text == "" {
		return
	}
	first := "A"
	if c.text[0] == 'A' {
		first = "B"
	}
	c.text = first + c.text[1:]
}

// take does what the Set-Cookie lines of a response say.
func (j *jar) take(lines []string) {
	for _, line := range lines {
		name, rest, _ := strings.Cut(line, "=")
		value, attributes, _ := strings.Cut(rest, ";")
		j.cookies = slices.DeleteFunc(j.cookies, func(c *cookie) bool { return c.name == name })
		if !slices.Contains(strings.Split(strings.ToLower(strings.ReplaceAll(attributes, " ", "")), ";"), "max-age=0") {
			j.cookies = append(j.cookies, &cookie{name, value})
		}
	}
}

// header is what the browser sends.
func (j *jar) header() string {
	var parts []string
	for _, c := range j.cookies {
		parts = append(parts, c.name+"="+c.text)
	}
	return strings.Join(parts, "; ")
}
