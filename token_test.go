package auth

import (
	"regexp"
	"strings"
	"testing"
)

func TestTokens(t *testing.T) {
	tests := []struct {
		name string
		new  func() string
		want string
	}{
		{"id", newID, `^[a-zA-Z0-9]{32}$`},
		{"session token", newSessionToken, `^[a-zA-Z0-9]{32}$`},
		{"reset token", newResetToken, `^[a-zA-Z0-9]{24}$`},
		{"delete token", newDeleteToken, `^[0-9a-z]{32}$`},
	}
	for _, tt := range tests {
		want := regexp.MustCompile(tt.want)
		seen := map[string]bool{}
		for range 1000 {
			token := tt.new()
			if !want.MatchString(token) || seen[token] {
				t.Fatalf("%s %q: malformed or seen before", tt.name, token)
			}
			seen[token] = true
		}
	}
}

// A plain remainder would give the first 256%62 characters a tenth or more above
// the others; the bound is eight standard deviations of a fair draw.
func TestRandomStringFair(t *testing.T) {
	const each = 20000
	for _, alphabet := range []string{alphanumeric, lowerAlphanumeric, "x"} {
		text := randomString(each*len(alphabet), alphabet)
		for _, c := range alphabet {
			if n := strings.Count(text, string(c)); n < each-1130 || n > each+1130 {
				t.Errorf("%q: %d of %q, want about %d", alphabet, n, c, each)
			}
		}
	}
	if got := randomString(0, alphanumeric); got != "" {
		t.Errorf("randomString(0) = %q", got)
	}
}

func BenchmarkNewSessionToken(b *testing.B) {
	b.ReportAllocs()
	for b.Loop() {
		newSessionToken()
	}
}
