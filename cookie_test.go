package auth

import (
	"net/http"
	"strings"
	"testing"
)

// The lines are what the original's serializer writes for the same cookies.
func TestCookieString(t *testing.T) {
	tests := []struct {
		reason string
		cookie cookie
		want   string
	}{
		{"nothing but a value", cookie{name: "a", value: "b"}, "a=b"},
		{"session token over HTTP",
			cookie{name: "better-auth.session_token", value: vectorToken + "." + vectorTag, maxAge: 604800, path: "/", httpOnly: true, sameSite: "lax"},
			"better-auth.session_token=" + vectorToken + ".kETVl37GFTa4oW3pwcjjK6fnKzSkRCUVmzVrAP8JAbo%3D; Max-Age=604800; Path=/; HttpOnly; SameSite=Lax"},
		{"every attribute in its place",
			cookie{name: "a", value: "b", maxAge: 5, domain: "d.co", path: "/z", httpOnly: true, secure: true, sameSite: "strict", partitioned: true},
			"a=b; Max-Age=5; Domain=d.co; Path=/z; HttpOnly; Secure; SameSite=Strict; Partitioned"},
		{"expired",
			cookie{name: "a", value: "b", maxAge: 5, path: "/", httpOnly: true, sameSite: "lax"}.expired(),
			"a=; Max-Age=0; Path=/; HttpOnly; SameSite=Lax"},
		{"__Host- binds to the host", cookie{name: "__Host-a", domain: "d.co", path: "/z"}, "__Host-a=; Path=/; Secure"},
		{"prefixes in any case", cookie{name: "__hOST-a", domain: "d.co"}, "__hOST-a=; Path=/; Secure"},
		{"__Secure- keeps domain and path", cookie{name: "__Secure-a", domain: "d.co", path: "/z"}, "__Secure-a=; Domain=d.co; Path=/z; Secure"},
		{"SameSite=None needs Secure", cookie{name: "a", sameSite: "none"}, "a=; Secure; SameSite=None"},
		{"spelled as configured", cookie{name: "a", sameSite: "None"}, "a=; Secure; SameSite=None"},
		{"Partitioned needs Secure", cookie{name: "a", partitioned: true}, "a=; Secure; Partitioned"},
		{"a value cannot break out", cookie{name: "a", value: "é;\x01\r\nSet-Cookie: b=c,'()*!~"}, "a=%C3%A9%3B%01%0D%0ASet-Cookie%3A%20b%3Dc%2C'()*!~"},
	}
	for _, tt := range tests {
		if got := tt.cookie.String(); got != tt.want {
			t.Errorf("%s:\n got %s\nwant %s", tt.reason, got, tt.want)
		}
	}
}

func TestCookieValidate(t *testing.T) {
	tests := []struct {
		reason string
		cookie cookie
		want   string // in the error; empty: valid
	}{
		{"as the original names them", cookie{name: "__Secure-better-auth.session_token", path: "/"}, ""},
		{"everything set", cookie{name: "a", domain: ".Example-1.com", path: "/a/b c", maxAge: maxCookieAge, sameSite: "Strict"}, ""},
		{"no name", cookie{}, "is not a token"},
		{"name with =", cookie{name: "a=b"}, "is not a token"},
		{"name with a line break", cookie{name: "a\nb"}, "is not a token"},
		{"name is not ASCII", cookie{name: "é"}, "is not a token"},
		{"name is not UTF-8", cookie{name: "\xff"}, "is not a token"},
		{"domain with another attribute", cookie{name: "a", domain: "d.co; Path=/"}, "is not a host name"},
		{"domain with a port", cookie{name: "a", domain: "d.co:80"}, "is not a host name"},
		{"relative path", cookie{name: "a", path: "x"}, "is not an absolute path"},
		{"path with another attribute", cookie{name: "a", path: "/;Secure"}, "is not an absolute path"},
		{"path with a line break", cookie{name: "a", path: "/\r\n"}, "is not an absolute path"},
		{"path is not ASCII", cookie{name: "a", path: "/é"}, "is not an absolute path"},
		{"401 days", cookie{name: "a", maxAge: maxCookieAge + 1}, "more than 400 days"},
		{"SameSite", cookie{name: "a", sameSite: "lax; Secure"}, "SameSite is"},
	}
	for _, tt := range tests {
		err := tt.cookie.validate()
		if (err == nil) != (tt.want == "") || err != nil && !strings.Contains(err.Error(), tt.want) {
			t.Errorf("%s: %v, want %q", tt.reason, err, tt.want)
		}
	}
	if err := (cookie{name: "=", domain: "="}).validate(); err == nil || strings.Count(err.Error(), "\n") != 1 {
		t.Errorf("want both mistakes, got %v", err)
	}
}

// Whatever the value, the line is one cookie with the attributes that were set.
func FuzzCookieString(f *testing.F) {
	for _, value := range []string{vectorToken + "." + vectorTag, "a; Domain=evil", "\r\nSet-Cookie: x=y", "\"q\"", "é\x00", "%zz", ""} {
		f.Add(value)
	}
	f.Fuzz(func(t *testing.T, value string) {
		line := cookie{name: "a", value: value, maxAge: 5, path: "/", httpOnly: true, sameSite: "lax"}.String()
		got, err := http.ParseSetCookie(line)
		if err != nil || got.Name != "a" || got.MaxAge != 5 || got.Path != "/" || !got.HttpOnly || got.SameSite != http.SameSiteLaxMode || len(got.Unparsed) > 0 || got.Domain != "" {
			t.Fatalf("%q became %q: %+v, %v", value, line, got, err)
		}
		h := http.Header{"Cookie": {"a=" + got.Value}}
		if raw, ok := cookieValue(h, "a"); !ok || raw != encodeURIComponent(value) {
			t.Fatalf("%q came back as %q", value, raw)
		}
	})
}

func BenchmarkCookieAppend(b *testing.B) {
	c := cookie{name: "better-auth.session_token", value: vectorToken + "." + vectorTag, maxAge: 604800, path: "/", httpOnly: true, sameSite: "lax"}
	var line []byte
	b.ReportAllocs()
	for b.Loop() {
		line = c.append(line[:0])
	}
}
