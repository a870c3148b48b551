package auth

import "strings"

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
		if rest, ok := strings.CutPrefix(line, name); !ok || rest[0] != '=' && rest[0] != '.' {
			kept = append(kept, line)
		}
	}
	if x.header["Set-Cookie"] = kept; len(kept) == 0 {
		delete(x.header, "Set-Cookie")
	}
}
