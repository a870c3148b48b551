package auth

import (
	"net/http"
	"slices"
	"strings"
	"testing"
	"unicode/utf8"
)

func TestCookieValue(t *testing.T) {
	tests := []struct {
		reason string
		lines  []string
		want   string
		ok     bool
	}{
		{"no header", nil, "", false},
		{"only one", []string{"a=b"}, "b", true},
		{"not the first", []string{"x=y; a=b; z=w"}, "b", true},
		{"no space after the semicolon", []string{"x=y;a=b"}, "b", true},
		{"the first one wins", []string{"a=b; a=c"}, "b", true},
		{"even if it is empty", []string{"a=; a=c"}, "", true},
		{"several headers, as HTTP/2 may send", []string{"x=y", "a=b", "a=c"}, "b", true},
		{"stays encoded", []string{"a=%2B%zz"}, "%2B%zz", true},
		{"quotes are stripped", []string{`a="b"`}, "b", true},
		{"a single quote is not a pair", []string{`a="`}, `"`, true},
		{"only outer white space is", []string{"a =\t b c \t; x=y"}, "b c", true},
		{"value with =", []string{"a=b=c=="}, "b=c==", true},
		{"a part without = is skipped", []string{"a; a=b"}, "b", true},
		{"empty parts", []string{";;;a=b;"}, "b", true},
		{"names are case-sensitive", []string{"A=b"}, "", false},
		{"a prefix is another name", []string{"aa=b; a.0=c"}, "", false},
		{"inside another value", []string{"x=a=b"}, "", false},
	}
	for _, tt := range tests {
		got, ok := cookieValue(http.Header{"Cookie": tt.lines}, "a")
		if got != tt.want || ok != tt.ok {
			t.Errorf("%s: %q, %v, want %q, %v", tt.reason, got, ok, tt.want, tt.ok)
		}
	}
}

// The wanted texts are what JavaScript's functions return; decoding errors are
// caught as the original does.
func TestURIComponent(t *testing.T) {
	encode := []struct{ text, want string }{
		{"", ""},
		{"AZaz09-_.!~*'()", "AZaz09-_.!~*'()"},
		{" \"#$%&+,/:;<=>?@[\\]^`{|}\x7f\x00", "%20%22%23%24%25%26%2B%2C%2F%3A%3B%3C%3D%3E%3F%40%5B%5C%5D%5E%60%7B%7C%7D%7F%00"},
		{"é€😀", "%C3%A9%E2%82%AC%F0%9F%98%80"},
	}
	for _, tt := range encode {
		if got := encodeURIComponent(tt.text); got != tt.want {
			t.Errorf("encodeURIComponent(%q) = %q, want %q", tt.text, got, tt.want)
		}
		if got := decodeURIComponent(tt.want); got != tt.text {
			t.Errorf("decodeURIComponent(%q) = %q, want %q", tt.want, got, tt.text)
		}
	}
	decode := []struct{ reason, text, want string }{
		{"lower-case digits", "%2b%c3%a9", "+é"},
		{"a plus is a plus", "a+b", "a+b"},
		{"kept as a whole: not hexadecimal", "%2B%zz", "%2B%zz"},
		{"cut off", "%2B%2", "%2B%2"},
		{"not UTF-8", "%ff", "%ff"},
		{"surrogate", "%ED%A0%80", "%ED%A0%80"},
		{"overlong", "%C0%AF", "%C0%AF"},
	}
	for _, tt := range decode {
		if got := decodeURIComponent(tt.text); got != tt.want {
			t.Errorf("%s: decodeURIComponent(%q) = %q, want %q", tt.reason, tt.text, got, tt.want)
		}
	}
}

// The second opinion is net/http, wherever its rules are the original's.
func FuzzCookieValue(f *testing.F) {
	f.Add("a=b; c=d", "a")
	f.Add("x;a=\"b\" ;a=c;=;", "a")
	f.Add("a=b%zz;better-auth.session_token=t.k%3D", "better-auth.session_token")
	f.Fuzz(func(t *testing.T, line, name string) {
		h := http.Header{"Cookie": {line}}
		raw, ok := cookieValue(h, name)
		chunkNames(h, name)
		if joined := joinChunks(h, name); raw != "" && joined != decodeURIComponent(raw) {
			t.Fatalf("%q: joinChunks = %q, want the unsplit cookie", line, joined)
		}
		if utf8.ValidString(raw) && decodeURIComponent(encodeURIComponent(raw)) != raw {
			t.Fatalf("%q changes when encoded and decoded", raw)
		}
		if !sameSplit(line) || validCookieName(name) != nil {
			return
		}
		theirs := (&http.Request{Header: h}).CookiesNamed(name)
		switch {
		case !ok && len(theirs) > 0:
			t.Fatalf("%q: net/http finds %v", line, theirs)
		case ok && cookieOctets(raw) && (len(theirs) == 0 || theirs[0].Value != raw):
			t.Fatalf("%q: %q, net/http finds %v", line, raw, theirs)
		}
	})
}

// sameSplit reports whether net/http splits the line as the original does: it
// also reads parts without "=", keeps white space after "=", trims line breaks
// and stops at some number of cookies.
func sameSplit(line string) bool {
	parts := strings.Split(line, ";")
	bare := func(part string) bool { return !strings.Contains(part, "=") }
	return len(parts) < 1000 && !slices.ContainsFunc(parts, bare) &&
		!strings.Contains(line, "= ") && !strings.Contains(line, "=\t") && !strings.ContainsAny(line, "\r\n")
}

// cookieOctets reports whether net/http accepts the value: it drops a cookie
// whose value RFC 6265 forbids, which the original reads.
func cookieOctets(value string) bool {
	return strings.IndexFunc(value, func(r rune) bool {
		return r < ' ' || r > '~' || strings.ContainsRune(`";\`, r)
	}) < 0
}

func BenchmarkCookieValue(b *testing.B) {
	h := http.Header{"Cookie": {"_ga=GA1.1.1234567890.1234567890; theme=dark; better-auth.session_token=" + vectorToken + ".x%3D"}}
	b.ReportAllocs()
	for b.Loop() {
		if _, ok := cookieValue(h, "better-auth.session_token"); !ok {
			b.Fatal("not found")
		}
	}
}
