package auth

import (
	"errors"
	"fmt"
	"strconv"
	"strings"
)

// maxCookieAge is the longest lifetime that user agents grant and the original
// allows, 400 days, in seconds.
const maxCookieAge = 400 * 24 * 60 * 60

// A cookie is one Set-Cookie line in the original's wire form (contract section
// 7.1). The value stands here unencoded.
type cookie struct {
	name, value string
	maxAge      int // seconds; zero: until the browser closes; negative: expire now
	domain      string
	path        string
	httpOnly    bool
	secure      bool
	sameSite    string // "lax", "strict", "none"; empty: not sent
	partitioned bool
}

// expired returns the cookie that makes a user agent forget c.
func (c cookie) expired() cookie {
	c.value, c.maxAge = "", -1
	return c
}

// String returns the line as append writes it.
func (c cookie) String() string { return string(c.append(nil)) }

// append appends the text of the Set-Cookie line to dst. The value is
// percent-encoded; the other parts are what validate has seen.
func (c cookie) append(dst []byte) []byte {
	c = c.resolved()
	dst = append(append(dst, c.name...), '=')
	dst = appendURIComponent(dst, c.value)
	if c.maxAge != 0 {
		dst = strconv.AppendInt(append(dst, "; Max-Age="...), int64(max(c.maxAge, 0)), 10)
	}
	if c.domain != "" {
		dst = append(append(dst, "; Domain="...), c.domain...)
	}
	if c.path != "" {
		dst = append(append(dst, "; Path="...), c.path...)
	}
	return c.appendFlags(dst)
}

func (c cookie) appendFlags(dst []byte) []byte {
	if c.httpOnly {
		dst = append(dst, "; HttpOnly"...)
	}
	if c.secure {
		dst = append(dst, "; Secure"...)
	}
	if c.sameSite != "" {
		dst = append(append(dst, "; SameSite="...), c.sameSite[0]&^0x20) // upper case
		dst = append(dst, c.sameSite[1:]...)
	}
	if c.partitioned {
		dst = append(dst, "; Partitioned"...)
	}
	return dst
}

// resolved applies what the name prefixes (RFC 6265bis section 4.1.3) and some
// attributes demand of the others; user agents drop a cookie that disobeys.
func (c cookie) resolved() cookie {
	switch {
	case hasPrefixFold(c.name, "__Host-"):
		c.secure, c.path, c.domain = true, "/", ""
	case hasPrefixFold(c.name, "__Secure-"), c.partitioned, strings.EqualFold(c.sameSite, "none"):
		c.secure = true
	}
	return c
}

func hasPrefixFold(text, prefix string) bool {
	return len(text) >= len(prefix) && strings.EqualFold(text[:len(prefix)], prefix)
}

// validate checks what the configuration gave the cookie. Errors: all mistakes,
// joined.
func (c cookie) validate() error {
	return errors.Join(
		validCookieName(c.name),
		validCookieDomain(c.domain),
		validCookiePath(c.path),
		validCookieAge(c.maxAge),
		validSameSite(c.sameSite),
	)
}

// validCookieName admits a token of RFC 9110 section 5.6.2.
func validCookieName(name string) error {
	if name == "" || strings.IndexFunc(name, notToken) >= 0 {
		return fmt.Errorf("auth: cookie name %q is not a token", name)
	}
	return nil
}

func notToken(r rune) bool {
	return !strings.ContainsRune(alphanumeric+"!#$%&'*+-.^_`|~", r)
}

// validCookieDomain admits a host name, with or without a leading dot, and the
// empty string. A name in another script is given in its ASCII form.
func validCookieDomain(domain string) error {
	if strings.Trim(domain, alphanumeric+"-.") != "" {
		return fmt.Errorf("auth: cookie domain %q is not a host name", domain)
	}
	return nil
}

// validCookiePath admits an absolute path without control characters,
// semicolons and whatever is not ASCII, and the empty string.
func validCookiePath(path string) error {
	bad := func(r rune) bool { return r < ' ' || r > '~' || r == ';' }
	if path != "" && path[0] != '/' || strings.IndexFunc(path, bad) >= 0 {
		return fmt.Errorf("auth: cookie path %q is not an absolute path", path)
	}
	return nil
}

func validCookieAge(seconds int) error {
	if seconds > maxCookieAge {
		return fmt.Errorf("auth: cookie lifetime of %d s is more than 400 days", seconds)
	}
	return nil
}

func validSameSite(mode string) error {
	switch strings.ToLower(mode) {
	case "", "lax", "strict", "none":
		return nil
	}
	return fmt.Errorf("auth: cookie SameSite is %q; want lax, strict or none", mode)
}
