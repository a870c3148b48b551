package auth

import (
	"fmt"
	"net/netip"
	"net/url"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"
)

// A location is what trust in an absolute URL is decided on.
type location struct {
	scheme string // lower-case
	host   string // canonical; for other schemes than http and https the whole authority in lower case
	port   string // empty if it is the scheme's default
	path   string // only for other schemes than http and https: decoded, dots resolved
}

func (l location) web() bool { return isWebScheme(l.scheme) }

func (l location) authority() string {
	if l.port == "" {
		return l.host
	}
	return l.host + ":" + l.port
}

func (l location) origin() string { return l.scheme + "://" + l.authority() }

func isWebScheme(scheme string) bool { return scheme == "http" || scheme == "https" }

// isScriptScheme reports whether navigating to a URL of the scheme runs or
// shows what the URL itself contains.
func isScriptScheme(scheme string) bool {
	return scheme == "javascript" || scheme == "data" || scheme == "vbscript"
}

// parseLocation reads an absolute URL. It is not ok if two parsers could read it
// in two ways, or if it would run as a script.
func parseLocation(value string) (location, bool) {
	scheme, rest, ok := cutScheme(value)
	if !ok || !isUnambiguous(value) || strings.HasSuffix(value, " ") {
		return location{}, false
	}
	authority, rest, _ := cutAuthority(rest)
	if isWebScheme(scheme) {
		host, port, ok := canonicalAuthority(scheme, authority)
		return location{scheme: scheme, host: host, port: port}, ok
	}
	path, _, _ := splitReference(rest)
	l := location{scheme: scheme, host: strings.ToLower(authority), path: appPath(path)}
	return l, !isScriptScheme(scheme) && isAppAuthority(authority)
}

// isAppAuthority reports whether an authority is one for every scheme: none, or
// a host, whatever that is there, with a port that is a number.
func isAppAuthority(authority string) bool {
	host, port := splitPort(authority[strings.LastIndexByte(authority, '@')+1:])
	switch {
	case authority == "":
		return true
	case host == "" || !isPlainAuthority(authority):
		return false
	case strings.ContainsAny(host, "[]"):
		if _, ok := canonicalIPv6(host); !ok {
			return false
		}
	}
	_, err := strconv.ParseUint(port, 10, 16)
	return port == "" || err == nil
}

// isPlainAuthority reports whether no parser decodes or maps anything in the
// authority, or refuses it.
func isPlainAuthority(authority string) bool {
	for i := 0; i < len(authority); i++ {
		if c := authority[i]; c <= ' ' || c >= 0x7f || strings.IndexByte("%<>^|", c) >= 0 {
			return false
		}
	}
	return true
}

// isUnambiguous reports whether value is free of what browsers drop from a URL
// (control characters) or rewrite (backslashes).
func isUnambiguous(value string) bool {
	if !utf8.ValidString(value) {
		return false
	}
	for _, c := range value {
		if c == '\\' || unicode.IsControl(c) {
			return false
		}
	}
	return true
}

// cutScheme splits "Scheme:rest" and returns the scheme in lower case
// (RFC 3986 section 3.1).
func cutScheme(value string) (scheme, rest string, ok bool) {
	scheme, rest, ok = strings.Cut(value, ":")
	for i := 0; i < len(scheme); i++ {
		c := scheme[i] | 0x20
		letter := 'a' <= c && c <= 'z'
		if !letter && (i == 0 || !strings.ContainsRune("0123456789+-.", rune(scheme[i]))) {
			return "", "", false
		}
	}
	return strings.ToLower(scheme), rest, ok && scheme != ""
}

// cutAuthority splits what follows "scheme:" at the end of its authority.
func cutAuthority(value string) (authority, rest string, ok bool) {
	after, ok := strings.CutPrefix(value, "//")
	if !ok {
		return "", value, false
	}
	if end := strings.IndexAny(after, "/?#"); end >= 0 {
		return after[:end], after[end:], true
	}
	return after, "", true
}

// splitReference splits what follows an authority. Query and fragment keep
// their "?" and "#".
func splitReference(value string) (path, query, fragment string) {
	if i := strings.IndexByte(value, '#'); i >= 0 {
		value, fragment = value[:i], value[i:]
	}
	if i := strings.IndexByte(value, '?'); i >= 0 {
		value, query = value[:i], value[i:]
	}
	return value, query, fragment
}

// canonicalAuthority returns host and port as the URL standard serialises
// them. Whatever it would have to guess about is not ok, user information
// included.
func canonicalAuthority(scheme, authority string) (host, port string, ok bool) {
	host, port = splitPort(authority)
	host, ok = canonicalHost(host)
	if ok = ok && isPlainAuthority(authority); !ok || port == "" {
		return host, "", ok
	}
	number, err := strconv.ParseUint(port, 10, 16)
	if err != nil {
		return "", "", false
	}
	if port = strconv.FormatUint(number, 10); port == defaultPort(scheme) {
		port = ""
	}
	return host, port, true
}

func defaultPort(scheme string) string {
	if scheme == "https" {
		return "443"
	}
	return "80"
}

// splitPort splits at the colon that follows the host, which may be an IPv6
// address in brackets.
func splitPort(authority string) (host, port string) {
	address := strings.LastIndexByte(authority, ']') + 1
	if i := strings.IndexByte(authority[address:], ':'); i >= 0 {
		return authority[:address+i], authority[address+i+1:]
	}
	return authority, ""
}

func canonicalHost(host string) (string, bool) {
	host = strings.ToLower(host)
	switch {
	case strings.HasPrefix(host, "["):
		return canonicalIPv6(host)
	case endsInNumber(host):
		return host, isIPv4(host)
	}
	return host, isHostName(host)
}

// canonicalIPv6 returns the bracketed address as browsers write it, which is
// RFC 5952 without the dotted form for mapped addresses.
func canonicalIPv6(host string) (string, bool) {
	inner, closed := strings.CutSuffix(host[1:], "]")
	address, err := netip.ParseAddr(inner)
	if err != nil || !closed || !address.Is6() || address.Zone() != "" {
		return "", false
	}
	if address.Is4In6() {
		b := address.As16()
		return fmt.Sprintf("[::ffff:%x:%x]", uint16(b[12])<<8|uint16(b[13]), uint16(b[14])<<8|uint16(b[15])), true
	}
	return "[" + address.String() + "]", true
}

// endsInNumber reports whether the URL standard reads host as an IPv4 address,
// in one of the spellings (decimal, octal, hexadecimal, shortened) it knows.
func endsInNumber(host string) bool {
	host = strings.TrimSuffix(host, ".")
	label := host[strings.LastIndexByte(host, '.')+1:]
	if hex, ok := strings.CutPrefix(label, "0x"); ok {
		return strings.Trim(hex, "0123456789abcdef") == ""
	}
	return label != "" && strings.Trim(label, "0123456789") == ""
}

func isIPv4(host string) bool {
	address, err := netip.ParseAddr(host)
	return err == nil && address.Is4()
}

func isHostName(host string) bool {
	return host != "" && strings.Trim(host, "abcdefghijklmnopqrstuvwxyz0123456789-._") == ""
}

// appPath decodes a path and resolves its dots, so that "/cb/%2e%2e/other"
// does not pass for something below "/cb". The root is the empty path.
func appPath(path string) string {
	if decoded, err := url.PathUnescape(path); err == nil && utf8.ValidString(decoded) {
		path = decoded
	}
	var resolved []string
	for segment := range strings.SplitSeq(path, "/") {
		switch segment {
		case "", ".":
		case "..":
			resolved = resolved[:max(len(resolved)-1, 0)]
		default:
			resolved = append(resolved, segment)
		}
	}
	if len(resolved) == 0 {
		return ""
	}
	return "/" + strings.Join(resolved, "/")
}
