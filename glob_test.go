package auth

import (
	"strings"
	"testing"
	"time"
)

func TestGlob(t *testing.T) {
	tests := []struct {
		pattern, value string
		want           bool
		reason         string
	}{
		{"*.example.com", "a.example.com", true, "a star is one label"},
		{"*.example.com", "a.b.example.com", true, "or several"},
		{"*.example.com", ".example.com", true, "or none"},
		{"*.example.com", "example.com", false, "the dot is literal"},
		{"*.example.com", "aXexampleXcom", false, "a dot is not a regular expression's dot"},
		{"*.example.com", "a.example.com.evil.org", false, "anchored at the end"},
		{"example.com*", "x.example.com", false, "anchored at the start"},
		{"?.com", "a.com", true, "a question mark is one character"},
		{"?.com", ".com", false, "not none"},
		{"?.com", "ab.com", false, "not two"},
		{"*", "a/b", false, "a star does not cross a slash"},
		{"*", `a\b`, false, "nor a backslash"},
		{"?", "/", false, "nor does a question mark match one"},
		{"**", "a/b/c", true, "two stars cross slashes"},
		{"**", `a\b`, false, "but not backslashes"},
		{"/a/**", "/a", true, "two stars match no segment"},
		{"/a/**", "/a/b/c", true, "or many"},
		{"/a/**", "/ab", false, "but only whole ones"},
		{"/a/**/z", "/a/z", true, "none in the middle"},
		{"/a/**/z", "/a/b/c/z", true, "several in the middle"},
		{"/a/**/z", "/a/bz", false, "whole segments in the middle"},
		{"**/z", "z", true, "none at the start"},
		{"**/z", "a/b/z", true, "several at the start"},
		{"**/z", "az", false, "whole segments at the start"},
		{"/a/**/**/z", "/a/z", true, "repeated stars are one"},
		{"/*", "/", true, "a star as segment matches an empty one"},
		{"/a/*", "/a", false, "but its slash is needed"},
		{"/a/b", "/a//b", true, "several slashes separate like one"},
		{"/a//b", "/a/b", true, "in the pattern too"},
		{"/a", "/a//", true, "slashes at the end are ignored"},
		{"/a/", "/a", false, "unless the pattern asks for one"},
		{"/a/", "/a/", true, "then it must be there"},
		{`a\*b`, "a*b", true, "an escaped star is a star"},
		{`a\*b`, "axb", false, "and nothing else"},
		{`a\\b`, "ab", false, "an escaped backslash is a backslash"},
		{"a+(b)[c]{d}|^$", "a+(b)[c]{d}|^$", true, "nothing else is special"},
	}
	for _, test := range tests {
		if got := newGlob(test.pattern).matches(test.value); got != test.want {
			t.Errorf("%q matches %q = %v: %s", test.pattern, test.value, got, test.reason)
		}
	}
}

// A pattern with many stars must not let a long value take exponential time.
func TestGlob_linearTime(t *testing.T) {
	g := newGlob(strings.Repeat("*a", 20) + "b")
	start := time.Now()
	if g.matches(strings.Repeat("a", 10000)) {
		t.Error("matches")
	}
	if took := time.Since(start); took > 5*time.Second {
		t.Errorf("took %v", took)
	}
}

func FuzzGlob(f *testing.F) {
	f.Add("/a/**/b*?", "/a/b")
	f.Add("\\\xff(", "")
	f.Add("a.b", "axb")
	f.Fuzz(func(t *testing.T, pattern, value string) {
		g := newGlob(pattern) // must not panic
		if !hasWildcard(pattern) && !strings.ContainsAny(pattern+value, "/\\") && strings.ToValidUTF8(pattern, "") == pattern {
			if g.matches(value) != (pattern == value) {
				t.Errorf("%q matches %q: %v", pattern, value, g.matches(value))
			}
		}
	})
}
