package auth

import (
	"net/http"
	"reflect"
	"strings"
	"testing"
)

func dataCookie(value string) cookie {
	return cookie{name: "better-auth.session_data", value: value, maxAge: 300, path: "/", httpOnly: true, sameSite: "lax"}
}

func TestChunkCookie(t *testing.T) {
	const size = 3977 // contract section 7.5
	tests := []struct {
		reason string
		length int
		want   int
	}{
		{"empty", 0, 1},
		{"fits", size, 1},
		{"one byte too long", size + 1, 2},
		{"exactly two", 2 * size, 2},
		{"as many as are allowed", 100 * size, 100},
		{"more", 100*size + 1, 0},
	}
	for _, tt := range tests {
		value := strings.Repeat("v", tt.length)
		chunks := chunkCookie(dataCookie(value))
		if len(chunks) != tt.want {
			t.Errorf("%s: %d cookies, want %d", tt.reason, len(chunks), tt.want)
		}
		var sent []string
		for _, c := range chunks {
			if line := c.String(); len(line) > maxCookieLine || !strings.HasSuffix(line, "; Max-Age=300; Path=/; HttpOnly; SameSite=Lax") {
				t.Errorf("%s: line of %d bytes: …%s", tt.reason, len(line), line[len(line)-60:])
			}
			sent = append(sent, c.name+"="+c.value)
		}
		h := http.Header{"Cookie": {strings.Join(sent, "; ")}}
		if got := joinChunks(h, "better-auth.session_data"); tt.want > 0 && got != value {
			t.Errorf("%s: %d bytes came back, want %d", tt.reason, len(got), len(value))
		}
	}
	chunks := chunkCookie(dataCookie(strings.Repeat("v", size+1)))
	if chunks[0].name != "better-auth.session_data.0" || len(chunks[0].String()) != 4049 {
		t.Errorf("first line has name %s and %d bytes, want 4049 as in the contract", chunks[0].name, len(chunks[0].String()))
	}
	if got := chunkCookie(cookie{name: "a", path: "/" + strings.Repeat("p", maxCookieLine)}); got != nil {
		t.Errorf("attributes that fill the line: %d cookies", len(got))
	}
}

func TestJoinChunks(t *testing.T) {
	tests := []struct {
		reason, line string
		want         string
		names        []string
	}{
		{"nothing", "x=y", "", nil},
		{"unsplit", "d=v", "v", []string{"d"}},
		{"decoded", "d=a%2Bb", "a+b", []string{"d"}},
		{"in numeric order", "d.10=c; d.9=b; d.0=a", "abc", []string{"d.10", "d.9", "d.0"}},
		{"unsplit goes before chunks", "d.0=a; d=v", "v", []string{"d.0", "d"}},
		{"an empty unsplit one does not", "d=; d.0=a; d.1=b", "ab", []string{"d", "d.0", "d.1"}},
		{"a gap is not noticed here", "d.0=a; d.2=c", "ac", []string{"d.0", "d.2"}},
		{"only canonical numbers", "d.00=a; d.+1=b; d.-1=c; d.1x=d; d.=e; d.100=f; d.0.1=g; d0=h; dd.0=i", "", nil},
		{"twice: the last one, named once", "d.0=a; d.0=b", "b", []string{"d.0"}},
	}
	for _, tt := range tests {
		h := http.Header{"Cookie": {tt.line}}
		if got := joinChunks(h, "d"); got != tt.want {
			t.Errorf("%s: %q, want %q", tt.reason, got, tt.want)
		}
		if got := chunkNames(h, "d"); !reflect.DeepEqual(got, tt.names) {
			t.Errorf("%s: names %q, want %q", tt.reason, got, tt.names)
		}
	}
}
