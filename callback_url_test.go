package auth

import (
	"net/netip"
	"net/url"
	"strconv"
	"strings"
	"testing"
)

// The wanted URLs were computed with the original's functions on node 20.
func TestCallbackURL(t *testing.T) {
	const set = "error=INVALID_TOKEN"
	tests := []struct {
		target, resolved, appended string
		reason                     string
	}{
		{"/", "http://localhost:3000/?" + set, "/?" + set, "the root"},
		{"/reset?a=1", "http://localhost:3000/reset?a=1&" + set, "/reset?a=1&" + set, "the query is kept"},
		{"/x?a=1#h", "http://localhost:3000/x?a=1&" + set + "#h", "/x?a=1&" + set + "#h", "the fragment stays last"},
		{"/x?", "http://localhost:3000/x?" + set, "/x?" + set, "an empty query"},
		{"/x#", "http://localhost:3000/x?" + set + "#", "/x?" + set + "#", "an empty fragment"},
		{"/x?&", "http://localhost:3000/x?" + set, "/x?&" + set, "no second separator"},
		{"/x?a=1&", "http://localhost:3000/x?a=1&" + set, "/x?a=1&" + set, "no second separator"},
		{"/x?error=old&b=c&error=older", "http://localhost:3000/x?" + set + "&b=c", "/x?error=old&b=c&error=older&" + set, "set replaces, append does not"},
		{"/x?a=x%20y+z", "http://localhost:3000/x?a=x+y+z&" + set, "/x?a=x%20y+z&" + set, "set writes the query anew"},
		{"/x?a&=1&&b", "http://localhost:3000/x?a=&=1&b=&" + set, "/x?a&=1&&b&" + set, "odd pairs"},
		{"/x?%zz=%", "http://localhost:3000/x?%25zz=%25&" + set, "/x?%zz=%&" + set, "stray percent signs"},
		{"/x?b=%ff", "http://localhost:3000/x?b=%EF%BF%BD&" + set, "/x?b=%ff&" + set, "what is not UTF-8"},
		{"/x?b%2Bc=d+e", "http://localhost:3000/x?b%2Bc=d+e&" + set, "/x?b%2Bc=d+e&" + set, "plus signs"},
		{"/x?a='~*", "http://localhost:3000/x?a=%27%7E*&" + set, "/x?a=%27~*&" + set, "the URL standard's spelling"},
		{"/a b/ü?ü", "http://localhost:3000/a%20b/%C3%BC?%C3%BC=&" + set, "/a%20b/%C3%BC?%C3%BC&" + set, "encoded as browsers do"},
		{"/a/../b/./c/..", "http://localhost:3000/b/?" + set, "/b/?" + set, "dots resolved"},
		{"/a/%2e%2E/b", "http://localhost:3000/b?" + set, "/b?" + set, "encoded dots resolved"},
		{"/x//y", "http://localhost:3000/x//y?" + set, "/x//y?" + set, "slashes kept"},
		{"/x?b#c?d", "http://localhost:3000/x?b=&" + set + "#c?d", "/x?b&" + set + "#c?d", "a query mark in the fragment"},
		{"https://EXAMPLE.com:443/a/../b?c=d#e", "https://example.com/b?c=d&" + set + "#e", "https://example.com/b?c=d&" + set + "#e", "absolute, normalised"},
		{"https://example.com?x", "https://example.com/?x=&" + set, "https://example.com/?x&" + set, "no path"},
		{"https://[::1]:3000/x", "https://[::1]:3000/x?" + set, "https://[::1]:3000/x?" + set, "IPv6"},
		{"myapp://", "myapp://?" + set, "myapp://?" + set, "own scheme"},
		{"MYAPP://Ho/a b?x='1'", "myapp://Ho/a%20b?x=%271%27&" + set, "myapp://Ho/a%20b?x='1'&" + set, "own scheme with path and query"},
		{"myapp:/.//x", "myapp:/.//x?" + set, "myapp:/.//x?" + set, "no authority out of a path"},
		{"exp://192.168.1.1:8081/--/cb", "exp://192.168.1.1:8081/--/cb?" + set, "exp://192.168.1.1:8081/--/cb?" + set, "own scheme with port"},
	}
	for _, test := range tests {
		got, err := redirectWith("http://localhost:3000", test.target, "error", "INVALID_TOKEN")
		if err != nil || got != test.resolved {
			t.Errorf("redirectWith(%q) = %q, %v, want %q: %s", test.target, got, err, test.resolved, test.reason)
		}
		if got := appendQuery(test.target, "error", "INVALID_TOKEN"); got != test.appended {
			t.Errorf("appendQuery(%q) = %q, want %q: %s", test.target, got, test.appended, test.reason)
		}
	}
}

func TestAppendQuery_severalParameters(t *testing.T) {
	got := appendQuery("/my-error?x=1", "error", "foo_bar", "error_description", "hi there ~*'ü")
	if want := "/my-error?x=1&error=foo_bar&error_description=hi+there+%7E*%27%C3%BC"; got != want {
		t.Errorf("%q, want %q", got, want)
	}
	if got := appendQuery("/a b"); got != "/a b" {
		t.Errorf("without parameters %q", got)
	}
}

// Even with the origin check disabled no builder turns an ambiguous target
// into another host.
func TestRedirectWith_ambiguous(t *testing.T) {
	for _, target := range []string{"", "x", "//evil.example", `/\evil.example`, "/.//evil.example", "/%2F/x", "https:evil.example", "https://a@b", "javascript:alert(1)"} {
		if got, err := redirectWith("https://base.example", target, "token", "secret"); err == nil {
			t.Errorf("redirectWith(%q) = %q", target, got)
		}
		if got := appendQuery(target, "token", "secret"); got != target {
			t.Errorf("appendQuery(%q) = %q", target, got)
		}
	}
}

// CVE-2024-56734: verify-email redirected to any callbackURL.
func TestAdvisory_GHSA_8jhw_6pjj_8723(t *testing.T) {
	trusted := mustTrust(t, "https://base.example")
	for _, value := range []string{"https://evil.example", "http://base.example", "https://base.example.evil.example", "evil.example"} {
		if trusted.trustsURL(nil, value) {
			t.Errorf("%q is trusted", value)
		}
	}
}

// CVE-2025-27143: what lacks a scheme passed for a path.
func TestAdvisory_GHSA_hjpm_7mrm_26w8(t *testing.T) {
	trusted := mustTrust(t, "https://base.example")
	for _, value := range []string{
		"//evil.example", "///evil.example", `/\evil.example`, `\\evil.example`, `/\/evil.example`,
		"/\t/evil.example", "/\n/evil.example", "/%2f/evil.example", "/%5Cevil.example", "/.//evil.example",
	} {
		if trusted.trustsURL(nil, value) {
			t.Errorf("%q is trusted", value)
		}
	}
}

// FuzzCallbackURL checks that no accepted URL, and nothing built from one,
// takes a browser to a host that is not trusted.
func FuzzCallbackURL(f *testing.F) {
	hosts := []string{
		"app.example", "a.good.example", "good.example", "evil.example", "localhost:3000", "127.0.0.1", "127.1", "0x7f000001",
		"good.example.evil.example", "a.good.example@evil.example", `evil.example\@a.good.example`, `evil.example\.good.example`,
		"evil.example#.good.example", "evil.example%2f.good.example", "a.good。example", "a.good.example:443", "[::1]", "cb", "",
	}
	for _, prefix := range []string{"https://", "http://", "https:", "https:/", `https:\\`, "HTTPS:///", "//", `/\`, "/", "/.//", "/x/..//", "/%2e//", "\t/", "/\t/", "myapp://", "myapp:", "javascript://", " https://", ""} {
		for _, host := range hosts {
			f.Add(prefix + host + "/x?y=z#f")
		}
	}
	trusted := mustTrust(f, "https://app.example/api/auth", "https://*.good.example", "http://localhost:3000", "myapp://cb")
	f.Fuzz(func(t *testing.T, value string) {
		if !trusted.trustsURL(nil, value) {
			return
		}
		resolved, err := redirectWith("https://app.example", value, "token", "t")
		if err != nil {
			t.Fatalf("%q is trusted but %v", value, err)
		}
		for _, location := range []string{value, resolved, appendQuery(value, "error", "E")} {
			target := navigate(location)
			if !fuzzTrusts(target) || value[0] == '/' && target != "https://app.example" {
				t.Errorf("%q is trusted, %q takes the browser to %q", value, location, target)
			}
		}
	})
}

func fuzzTrusts(target string) bool {
	host, https := strings.CutPrefix(target, "https://")
	switch target {
	case "https://app.example", "http://localhost:3000", "myapp://cb":
		return true
	}
	return https && strings.HasSuffix(host, ".good.example")
}

// navigate is a model of the URL standard's parser, as small as it can be and
// independent of the code under test: it returns the origin that a browser on
// https://app.example/api/auth/verify-email goes to when told to follow value,
// empty if it goes nowhere.
func navigate(value string) string {
	value = strings.TrimFunc(value, func(c rune) bool { return c <= ' ' })
	value = strings.NewReplacer("\t", "", "\n", "", "\r", "").Replace(value)
	scheme, rest := "https", value
	if s, after, ok := strings.Cut(value, ":"); ok && isModelScheme(s) {
		scheme, rest = strings.ToLower(s), after
		switch scheme {
		case "http", "https", "ws", "wss", "ftp":
			if scheme == "https" && !strings.HasPrefix(rest, "//") {
				break // relative, with a scheme in front
			}
			return modelOrigin(scheme, strings.TrimLeft(rest, `/\`))
		default:
			authority, ok := strings.CutPrefix(rest, "//")
			if !ok {
				return scheme + ":"
			}
			if end := strings.IndexAny(authority, "/?#"); end >= 0 {
				authority = authority[:end]
			}
			return scheme + "://" + strings.ToLower(authority)
		}
	}
	if len(rest) > 1 && strings.IndexByte(`/\`, rest[0]) >= 0 && strings.IndexByte(`/\`, rest[1]) >= 0 {
		return modelOrigin(scheme, strings.TrimLeft(rest, `/\`))
	}
	return "https://app.example"
}

func isModelScheme(s string) bool {
	for i, c := range strings.ToLower(s) {
		if (c < 'a' || c > 'z') && (i == 0 || !strings.ContainsRune("0123456789+-.", c)) {
			return false
		}
	}
	return s != ""
}

func modelOrigin(scheme, rest string) string {
	if end := strings.IndexAny(rest, `/\?#`); end >= 0 {
		rest = rest[:end]
	}
	host := rest[strings.LastIndexByte(rest, '@')+1:]
	port := ""
	if colon := strings.LastIndexByte(host, ':'); colon > strings.LastIndexByte(host, ']') {
		host, port = host[:colon], strings.TrimLeft(host[colon+1:], "0")
	}
	if decoded, err := url.PathUnescape(host); err == nil {
		host = decoded
	}
	host = strings.NewReplacer("。", ".", "．", ".", "｡", ".").Replace(strings.ToLower(host))
	if address, ok := modelIPv4(host); ok {
		host = address
	}
	if port != "" && port != map[string]string{"http": "80", "https": "443"}[scheme] {
		host += ":" + port
	}
	return scheme + "://" + host
}

// modelIPv4 reads one to four decimal, octal or hexadecimal numbers.
func modelIPv4(host string) (string, bool) {
	parts := strings.Split(strings.TrimSuffix(host, "."), ".")
	var address uint64
	for i, part := range parts {
		n, err := strconv.ParseUint(part, 0, 32)
		if err != nil || len(parts) > 4 {
			return "", false
		}
		if i == len(parts)-1 {
			address = address<<(8*(5-len(parts))) | n
			break
		}
		address = address<<8 | n
	}
	b := [4]byte{byte(address >> 24), byte(address >> 16), byte(address >> 8), byte(address)}
	return netip.AddrFrom4(b).String(), true
}
