package auth

import (
	"slices"
	"strings"
)

// setCookie adds a Set-Cookie line to the response.
func (x *Exchange) setCookie(c cookie) { x.Header().Add("Set-Cookie", c.String()) }

// expireCookie makes the browser forget a cookie. Lines that would have set it,
// whole or in chunks, are taken back, so that a value which must not be used
// any more does not reach a log or a proxy either.
func (x *Exchange) expireCookie(c cookie) {
	x.takeBackCookie(c.name)
	x.setCookie(c.expired())
}

func (x *Exchange) takeBackCookie(name string) {
	lines := x.Header()["Set-Cookie"]
	if len(lines) == 0 {
		return
	}
	kept := lines[:0]
	for _, line := range lines {
		if !setsCookie(line, name) {
			kept = append(kept, line)
		}
	}
	if x.header["Set-Cookie"] = kept; len(kept) == 0 {
		delete(x.header, "Set-Cookie")
	}
}

// setsCookie reports whether a Set-Cookie line is that of a cookie or of a chunk of
// it.
func setsCookie(line, name string) bool {
	rest, ok := strings.CutPrefix(line, name)
	return ok && (strings.HasPrefix(rest, "=") || strings.HasPrefix(rest, "."))
}

// setsCookie reports whether the response sets or expires a cookie already.
func (x *Exchange) setsCookie(name string) bool {
	return slices.ContainsFunc(x.header["Set-Cookie"], func(line string) bool { return setsCookie(line, name) })
}
