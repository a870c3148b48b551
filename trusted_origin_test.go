package auth

import (
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
)

func mustTrust(t testing.TB, base string, patterns ...string) *trustedOrigins {
	t.Helper()
	u, err := url.Parse(base)
	if err != nil {
		t.Fatal(err)
	}
	own, err := ownOriginOf(u)
	if err != nil {
		t.Fatal(err)
	}
	trusted, err := newTrustedOrigins([]originPattern{own}, patterns)
	if err != nil {
		t.Fatal(err)
	}
	return trusted
}

// Every row was also put to the original's matcher; where it trusts and we do
// not, the reason starts with "stricter".
func TestTrustedOrigins_trustsOrigin(t *testing.T) {
	tests := []struct {
		pattern, value string
		want           bool
		reason         string
	}{
		{"https://example.com", "https://example.com", true, "the origin itself"},
		{"https://example.com", "https://example.com/login?x=1#y", true, "a Referer has a path"},
		{"https://example.com", "HTTPS://EXAMPLE.com", true, "scheme and host ignore case"},
		{"https://example.com", "https://example.com:443", true, "the default port is no port"},
		{"https://example.com", "https://example.com:0443", true, "also with leading zeros"},
		{"https://example.com", "https://example.com:", true, "an empty port is no port"},
		{"https://example.com", "https://example.com:8443", false, "another port"},
		{"https://example.com", "http://example.com", false, "another scheme"},
		{"https://example.com", "https://a.example.com", false, "a subdomain is another host"},
		{"https://example.com", "https://example.com.", false, "so is the name with a dot at its end"},
		{"https://example.com", "https://example.com.evil.org", false, "no prefix match"},
		{"https://example.com", "https://evilexample.com", false, "no suffix match"},
		{"https://example.com", "https://evil.org/https://example.com", false, "no substring match"},
		{"https://example.com", "https://example.com@evil.org", false, "user information is not the host"},
		{"https://example.com", "https://user@example.com", false, "stricter: no user information at all"},
		{"https://example.com", `https://evil.org\@example.com`, false, "a browser goes to evil.org"},
		{"https://example.com", `https://example.com\@evil.org`, false, "stricter: net/url sees another host"},
		{"https://example.com", `https://example.com/a\b`, false, "stricter: no backslash anywhere"},
		{"https://example.com", "https://exa\tmple.com", false, "stricter: browsers drop the tab, others do not"},
		{"https://example.com", "https://example.com/\n", false, "stricter: no control characters"},
		{"https://example.com", "https://example.com/\u0085", false, "stricter: nor those above ASCII"},
		{"https://example.com", " https://example.com", false, "stricter: no blanks around"},
		{"https://example.com", "https://example.com ", false, "stricter: no blanks around"},
		{"https://example.com", "https:example.com", false, "stricter: relative on an https page"},
		{"https://example.com", "https:/example.com", false, "stricter: relative on an https page"},
		{"https://example.com", "https:///example.com", false, "stricter: no host for net/url"},
		{"https://example.com", "https://ex%61mple.com", false, "stricter: host to be decoded"},
		{"https://example.com", "https://example。com", false, "stricter: host to be mapped"},
		{"https://kelvin.example", "https://\u212aelvin.example", false, "stricter: the Kelvin sign is lower-cased to k"},
		{"https://example.com", "https://example.com\xff", false, "not UTF-8"},
		{"https://example.com", "example.com", false, "no scheme"},
		{"https://example.com", "//example.com", false, "no scheme"},
		{"https://example.com", "/", false, "a path is no origin"},
		{"https://example.com", "", false, "nothing"},
		{"https://example.com", "null", false, "an opaque origin"},
		{"https://example.com", "https://", false, "no host"},
		{"https://example.com", "https://example.com:99999", false, "no port"},
		{"https://example.com", "https://example.com:44a", false, "no port"},
		{"https://example.com", "https://base.example", true, "the base URL's own origin"},
		{"", "https://base.example", true, "an empty pattern does no harm"},
		{"", "https://evil.org", false, "nor does it trust anything"},
		{"https://xn--bcher-kva.example", "https://xn--bcher-kva.example", true, "punycode is ASCII"},
		{"https://xn--bcher-kva.example", "https://bücher.example", false, "stricter: IDNA is the browser's job"},

		{"http://127.0.0.1:3000", "http://127.0.0.1:3000", true, "an IPv4 address"},
		{"http://127.0.0.1:3000", "http://127.1:3000", false, "stricter: short form"},
		{"http://127.0.0.1:3000", "http://0x7f.1:3000", false, "stricter: hexadecimal"},
		{"http://127.0.0.1:3000", "http://2130706433:3000", false, "stricter: one number"},
		{"http://127.0.0.1:3000", "http://127.0.0.1.:3000", false, "stricter: dot at the end"},
		{"http://[::1]:3000", "http://[::1]:3000", true, "an IPv6 address"},
		{"http://[::1]:3000", "http://[0:0::1]:3000", true, "written otherwise"},
		{"http://[::1]:3000", "http://[::1%25eth0]:3000", false, "zones are not for URLs"},
		{"http://[::1]:3000", "http://[::1", false, "an open bracket"},
		{"http://[::ffff:7f00:1]", "http://[::ffff:127.0.0.1]", true, "browsers write mapped addresses in hexadecimal"},

		{"https://*.example.com", "https://a.example.com", true, "one label"},
		{"https://*.example.com", "https://a.b.example.com", true, "several labels"},
		{"https://*.example.com", "https://A.Example.com:443", true, "normalised first"},
		{"https://*.example.com", "https://example.com", false, "no label"},
		{"https://*.example.com", "http://a.example.com", false, "another scheme"},
		{"https://*.example.com", "https://a.example.com:8443", false, "another port"},
		{"https://*.example.com", "https://evil.org/.example.com", false, "the path is not the host"},
		{"https://*.example.com", "https://evil.org?.example.com", false, "nor is the query"},
		{"https://*.example.com", "https://evil.org#.example.com", false, "nor the fragment"},
		{"https://*.example.com", "https://a@b.example.com", false, "stricter: user information"},
		{"https://*.example.com", "https://a!b.example.com", false, "stricter: not a host name"},
		{"https://preview-*.example.com", "https://preview-1.example.com", true, "part of a label"},
		{"https://preview-*.example.com", "https://other.example.com", false, "its literal part differs"},
		{"http://localhost:*", "http://localhost:5173", true, "any port"},
		{"http://localhost:*", "http://localhost", false, "but a port"},
		{"http://localhost:*", "http://localhost.evil.org:1", false, "the host is literal"},
		{"http*://a.example.com", "http://a.example.com", true, "both web schemes"},
		{"*://a.example.com", "https://a.example.com", true, "any web scheme"},
		{"*://a.example.com", "myapp://a.example.com", false, "an own scheme is named"},
		{"https://*", "https://anything.example:8443", true, "trusts the world, as it says"},
		{"https://**", "https://anything.example:8443", true, "trusts the world, as it says"},

		{"*.example.com", "https://a.example.com", true, "host pattern, any scheme"},
		{"*.example.com", "http://a.example.com", true, "host pattern, any scheme"},
		{"*.example.com", "myapp://a.example.com/x", true, "host pattern, any scheme"},
		{"*.example.com", "https://a.example.com:8080", false, "the port is part of it"},
		{"*.example.com:8080", "https://a.example.com:8080", true, "the port is part of it"},
		{"*.example.com", "myapp://x@a.example.com", false, "stricter: user information"},
		{"*.example.com", "javascript://a.example.com/%0aalert(1)", false, "stricter: it would run"},
		{"*", "javascript:alert(1)", false, "it would run"},
		{"*", "data:text/html,x", false, "it would show the attacker's page"},
		{"192.168.*.*", "http://192.168.1.5", true, "digits name a range of addresses"},
		{"192.168.*.*", "http://192.168.attacker.example", false, "and no names"},
		{"192.168.*.*", "http://192.168.1", false, "stricter: short form"},
		{"http://10.*", "http://10.0.0.1", true, "digits name a range of addresses"},
		{"http://10.*", "http://10.evil.example", false, "and no names"},

		{"myapp://", "myapp://", true, "the scheme alone trusts all of it"},
		{"myapp://", "MyApp://any/thing", true, "schemes ignore case"},
		{"myapp://", "myapp:opaque", true, "all of it"},
		{"myapp://", "myapp://u:p@host:80/x", true, "all of it"},
		{"myapp://", "myapp://[::1]:80", true, "all of it"},
		{"myapp://", "myapp://javascript:alert(1)", false, "a port is a number"},
		{"myapp://", "myapp://host:65536", false, "of 16 bits"},
		{"myapp://", "myapp://:80", false, "a port of no host"},
		{"myapp://", "myapp://user@", false, "a user of no host"},
		{"myapp://", "myapp://a[b", false, "a bracket without an address"},
		{"myapp://", "myapp://[1:2]", false, "half an address"},
		{"myapp://", "otherapp://", false, "another scheme"},
		{"myapp://", "https://myapp", false, "another scheme"},
		{"myapp://host", "myapp://HOST/x", true, "the authority ignores case"},
		{"myapp://host", "myapp://host:80", false, "a port is another authority"},
		{"myapp://host", "myapp://host@evil", false, "user information is part of it"},
		{"myapp://host", "myapp:///host", false, "no authority"},
		{"myapp://host/cb", "myapp://host/cb", true, "the path"},
		{"myapp://host/cb", "myapp://host/cb/?code=1", true, "with a query"},
		{"myapp://host/cb", "myapp://host/cb/x", true, "what lies below"},
		{"myapp://host/cb", "myapp://host/cbevil", false, "whole segments"},
		{"myapp://host/cb", "myapp://host/cb/../evil", false, "dots are resolved"},
		{"myapp://host/cb", "myapp://host/cb/%2e%2e/evil", false, "decoded before"},
		{"myapp://host/cb", "myapp://host/cb%2f..%2fevil", false, "slashes too"},
		{"exp://*/*", "exp://192.168.1.7:8081", true, "the root is a path"},
		{"exp://*/*", "exp://192.168.1.7:8081/x", true, "one segment"},
		{"exp://*/*", "exp://192.168.1.7:8081/x/y", false, "not two"},
		{"exp://*/*", "exp://a@b/x", false, "no user information under wildcards"},
		{"exp://192.168.*.*:*/*", "exp://192.168.1.7:8081/x", true, "a range with any port"},
		{"exp://192.168.*.*:*/*", "exp://192.168.evil.example:8081/x", false, "a range of addresses"},
		{"exp://**", "exp://192.168.1.7:8081/--/x", true, "all of the scheme"},
		{"myapp://host/cb/**", "myapp://host/cb/x/y", true, "what lies below"},
		{"myapp://host/cb/**", "myapp://host/cbevil", false, "stricter: whole segments"},
		{"myapp://host/cb/*", `myapp://host/cb%5cx`, false, "stricter: a backslash is no separator"},
		{"chrome-extension://abcdef", "chrome-extension://abcdef", true, "browser extensions"},
		{"capacitor://localhost", "capacitor://localhost", true, "mobile web views"},
	}
	for _, test := range tests {
		trusted := mustTrust(t, "https://base.example/api/auth", test.pattern)
		if got := trusted.trustsOrigin(nil, test.value); got != test.want {
			t.Errorf("pattern %q: trustsOrigin(%q) = %v: %s", test.pattern, test.value, got, test.reason)
		}
	}
}

func TestTrustedOrigins_trustsURL(t *testing.T) {
	tests := []struct {
		value  string
		want   bool
		reason string
	}{
		{"/", true, "a path"},
		{"/a b", true, "browsers encode blanks"},
		{"/a#/b", true, "slashes are free in the fragment"},
		{"/a?b=%2F%2Fx&c=//y", true, "and in the query"},
		{"/a//b", true, "and inside the path"},
		{"/a/../b", true, "dots that stay below the root"},
		{"/@evil.org", true, "no authority without two slashes"},
		{"/ü", true, "browsers encode it"},
		{"https://base.example/x", true, "the own origin in full"},
		{"https://app.example/x", true, "a trusted origin"},
		{"https://evil.example/x", false, "another one"},
		{"//evil.example", false, "another host by two slashes"},
		{"///evil.example", false, "browsers ignore the third"},
		{`/\evil.example`, false, "a backslash is a slash to browsers"},
		{`/x?\`, false, "no backslash anywhere"},
		{"/a\tb", false, "browsers drop tabs"},
		{"/\t/evil.example", false, "and get two slashes"},
		{"/a\x00", false, "no control characters"},
		{"/a\u0085", false, "nor those above ASCII"},
		{"/a%2Fb", false, "proxies decode slashes"},
		{"/%5cevil.example", false, "and backslashes"},
		{"/.//evil.example", false, "stricter: //evil.example once the dot is resolved"},
		{"/x/..//evil.example", false, "stricter: the same"},
		{"/%2e//evil.example", false, "stricter: the same"},
		{"/x/%2E./%2e%2e//evil.example", false, "stricter: the same"},
		{"x", false, "relative to the path of the request"},
		{"./x", false, "relative to the path of the request"},
		{"?x", false, "relative to the path of the request"},
		{" /x", false, "neither path nor URL"},
		{"", false, "nothing"},
	}
	trusted := mustTrust(t, "https://base.example/api/auth", "https://app.example")
	for _, test := range tests {
		if got := trusted.trustsURL(nil, test.value); got != test.want {
			t.Errorf("trustsURL(%q) = %v: %s", test.value, got, test.reason)
		}
	}
}

func TestTrustedOrigins_perRequest(t *testing.T) {
	trusted := mustTrust(t, "https://base.example")
	trusted.perRequest = func(r *http.Request) []string {
		return []string{"https://*example.org", "https://*." + r.Host}
	}
	r := httptest.NewRequest("POST", "https://tenant.example/", nil)
	for value, want := range map[string]bool{
		"https://a.tenant.example": true,
		"https://a.other.example":  false,
		"https://evilexample.org":  false, // the pattern with a mistake is ignored
	} {
		if got := trusted.trustsOrigin(r, value); got != want {
			t.Errorf("trustsOrigin(%q) = %v", value, got)
		}
	}
}

func TestNewTrustedOrigins_mistakes(t *testing.T) {
	tests := []struct{ pattern, want string }{
		{"example.com", "no scheme"},
		{"localhost:3000", "no scheme"},
		{"https://example.com/", "write https://example.com"},
		{"https://Example.com", "write https://example.com"},
		{"HTTPS://example.com", "write https://example.com"},
		{"https://example.com:443", "write https://example.com"},
		{"https://example.com/app", "write https://example.com"},
		{"https://bücher.example", "punycode"},
		{"https://", "not an origin"},
		{" https://example.com", "blanks"},
		{"https://*.example.com/", "no path"},
		{"https://example.com/**", "no path"},
		{"https://*.Example.com", "lower-case"},
		{"HTTPS://*.example.com", "write https://"},
		{"https://*.example.com:443", "default port"},
		{"https://*.example.com:http", "port"},
		{"https://*example.com", "dot after the wildcard"},
		{"https://e?ample.com", "dot after the wildcard"},
		{"https://example.*", "cannot end"},
		{"https://example.com*", "cannot end"},
		{"http://localhost*", "cannot end"},
		{"*example.com", "dot after the wildcard"},
		{"http://[0::1]:*", "canonical"},
		{"my*app://x", "wildcard in the scheme"},
		{"javascript://", "not a URL"},
		{"javascript://*", "not a scheme"},
		{"1app://x", "not a URL"},
	}
	var patterns []string
	for _, test := range tests {
		patterns = append(patterns, test.pattern)
	}
	_, err := newTrustedOrigins(nil, patterns)
	if err == nil {
		t.Fatal("no error")
	}
	lines := strings.Split(err.Error(), "\n")
	if len(lines) != len(tests) {
		t.Fatalf("%d mistakes reported, want all %d:\n%v", len(lines), len(tests), err)
	}
	for i, test := range tests {
		if !strings.Contains(lines[i], test.want) {
			t.Errorf("%q: %s, want %q in it", test.pattern, lines[i], test.want)
		}
	}
}

func TestNewTrustedOrigins_badBase(t *testing.T) {
	for _, base := range []string{"", "/api/auth", "ftp://example.com", "https://", "https://u:p@example.com"} {
		u, err := url.Parse(base)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := ownOriginOf(u); err == nil {
			t.Errorf("base URL %q is accepted", base)
		}
	}
}

// CVE-2025-71403: wildcards and absolute URLs were matched as text.
func TestAdvisory_GHSA_vp58_j275_797x(t *testing.T) {
	trusted := mustTrust(t, "https://base.example", "https://*.example.com", "https://trusted.example")
	for _, value := range []string{
		"https://example.com.evil.org",
		"https://evil.org/a.example.com",
		"https://evil.org?a.example.com",
		"https://evil.org#.example.com",
		"https://trusted.example.evil.org",
		"https://trusted.example@evil.org",
		"https://trusted.example:p@evil.org",
		"https://eviltrusted.example",
		"http://trusted.example",
		"evil.org/https://trusted.example",
	} {
		if trusted.trustsURL(nil, value) {
			t.Errorf("%q is trusted", value)
		}
	}
}

func BenchmarkTrustsOrigin(b *testing.B) {
	trusted := mustTrust(b, "https://base.example/api/auth", "https://app.example", "https://*.example.com")
	for b.Loop() {
		trusted.trustsOrigin(nil, "https://a.b.example.com")
	}
}
