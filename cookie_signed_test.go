package auth

import (
	"strings"
	"testing"
)

func TestSignCookie(t *testing.T) {
	tests := []struct{ value, want string }{
		{vectorToken, vectorToken + ".kETVl37GFTa4oW3pwcjjK6fnKzSkRCUVmzVrAP8JAbo%3D"},
		{"true", "true.0PQ7F7kOmfakzh3AtxOYojAGqa0h%2Fh7eN%2Bp7DqYCIDc%3D"},
		{"é; b\n%", "%C3%A9%3B%20b%0A%25.KirJpzVayxa3QAj7g7VuM%2BmGwBwPrkqy97gEbHBnCOc%3D"},
	}
	s := newSigner(vectorSecret)
	for _, tt := range tests {
		line := cookie{name: "a", value: s.signCookie(tt.value)}.String()
		if line != "a="+tt.want {
			t.Errorf("signed %q = %s, want a=%s", tt.value, line, tt.want)
		}
		if got, ok := s.openCookie(tt.want); !ok || got != tt.value {
			t.Errorf("openCookie(%s) = %q, %v", tt.want, got, ok)
		}
	}
}

func TestOpenCookie(t *testing.T) {
	s := newSigner(vectorSecret)
	const encoded = vectorToken + ".kETVl37GFTa4oW3pwcjjK6fnKzSkRCUVmzVrAP8JAbo%3D"
	tests := []struct{ reason, raw, want string }{
		{"as it is set", encoded, vectorToken},
		{"not encoded", vectorToken + "." + vectorTag, vectorToken},
		{"lower-case percent sequences", strings.ToLower("true.") + "0PQ7F7kOmfakzh3AtxOYojAGqa0h%2fh7eN%2bp7DqYCIDc%3d", "true"},
		{"the last dot separates", "a.b." + s.sign("a.b"), "a.b"},
		{"a value that is no percent-encoding", "100%." + s.sign("100%"), "100%"},
		{"another value", "x" + encoded, ""},
		{"another tag", strings.Replace(encoded, ".k", ".l", 1), ""},
		{"no value", "." + s.sign(""), ""},
		{"no tag", vectorToken + ".", ""},
		{"no dot", vectorToken, ""},
		{"nothing", "", ""},
		{"no padding", strings.TrimSuffix(encoded, "%3D"), ""},
		{"padding twice", encoded + "%3D", ""},
		{"something after the tag", encoded + "A", ""},
		{"second spelling of the tag", strings.Replace(encoded, "Abo%", "Abp%", 1), ""},
		{"base64url", "true.0PQ7F7kOmfakzh3AtxOYojAGqa0h_h7eN-p7DqYCIDc=", ""},
		{"encoded twice", strings.Replace(encoded, "%", "%25", 1), ""},
		{"cut off in a percent sequence", strings.TrimSuffix(encoded, "D"), ""},
	}
	for _, tt := range tests {
		if got, ok := s.openCookie(tt.raw); got != tt.want || ok != (tt.want != "") {
			t.Errorf("%s: %q, %v, want %q", tt.reason, got, ok, tt.want)
		}
	}
}

func FuzzOpenCookie(f *testing.F) {
	f.Add(vectorToken+".kETVl37GFTa4oW3pwcjjK6fnKzSkRCUVmzVrAP8JAbo%3D", false)
	f.Add("100%25", true)
	f.Add("a.b", true)
	s := newSigner(vectorSecret)
	f.Fuzz(func(t *testing.T, raw string, sign bool) {
		if sign {
			raw = encodeURIComponent(s.signCookie(raw))
		}
		value, ok := s.openCookie(raw)
		if !ok {
			if value != "" {
				t.Fatalf("%q: a value, %q, without a valid tag", raw, value)
			}
			return
		}
		tag := strings.NewReplacer("%2B", "+", "%2b", "+", "%2F", "/", "%2f", "/", "%3D", "=", "%3d", "=").Replace(raw[strings.LastIndex(raw, ".")+1:])
		if value == "" || tag != independentTag(vectorSecret, value) {
			t.Fatalf("%q: accepted %q with tag %q", raw, value, tag)
		}
	})
}

func BenchmarkOpenCookie(b *testing.B) {
	s := newSigner(vectorSecret)
	b.ReportAllocs()
	for b.Loop() {
		if _, ok := s.openCookie(vectorToken + ".kETVl37GFTa4oW3pwcjjK6fnKzSkRCUVmzVrAP8JAbo%3D"); !ok {
			b.Fatal("refused")
		}
	}
}
