package docstest

import (
	"go/format"
	"testing"
)

// TestFormat: Go code on pages is as gofmt writes it.
func TestFormat(t *testing.T) {
	for _, p := range pages(t) {
		for _, b := range p.blocks {
			if b.language != "go" {
				continue
			}
			formatted, err := format.Source([]byte(b.code))
			switch {
			case err != nil:
				t.Errorf("%s: %v", b.name(), err)
			case string(formatted) != b.code:
				t.Errorf("%s is not formatted; gofmt writes\n%s", b.name(), formatted)
			}
		}
	}
}

// TestMatches: what a page shows of an output is demanded of it.
func TestMatches(t *testing.T) {
	const output = `{"token":"abc","user":{"name":"Ada"}}{"success":true}null`
	for _, test := range []struct {
		want string
		ok   bool
	}{
		{`{"token":"…","user":{"name":"Ada"}}`, true},
		{"{\"token\":\"…\",…}\n{\"success\":true}\nnull\n", true},
		{`{"token":"…","user":{"name":"Bob"}}`, false},
		{"null\n{\"success\":true}\n", false},
		{`{"token":"a.c"`, false},
	} {
		if matches(test.want, output) != test.ok {
			t.Errorf("%q matches: %t", test.want, !test.ok)
		}
	}
}
