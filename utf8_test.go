package auth

import "testing"

// The rows are examples of the Encoding Standard and of the Unicode Standard,
// section 3.9.
func TestValidUTF8(t *testing.T) {
	for _, tt := range []struct{ in, want, reason string }{
		{"a\u20ac\U0001f642", "a\u20ac\U0001f642", "valid"},
		{"\xff\xfe", "\ufffd\ufffd", "octets that begin nothing, one by one"},
		{"a\x80b", "a\ufffdb", "a continuation of nothing"},
		{"\xf0\x9f\x98", "\ufffd", "cut off at the end"},
		{"\xf0\x9f\x98x\xe2\x82", "\ufffdx\ufffd", "cut off by a letter"},
		{"\xf0\x9f\xf0\x9f\x98\xe2\xe2\x82A", "\ufffd\ufffd\ufffd\ufffdA", "cut off by others"},
		{"\xc0\x80", "\ufffd\ufffd", "overlong"},
		{"\xe0\x80\x9f", "\ufffd\ufffd\ufffd", "overlong from its second octet on"},
		{"\xed\xa0\x80", "\ufffd\ufffd\ufffd", "a surrogate"},
		{"\xed\x9f", "\ufffd", "cut off before it could be one"},
		{"\xf4\x90\x80\x80", "\ufffd\ufffd\ufffd\ufffd", "beyond Unicode"},
		{"", "", "nothing"},
	} {
		if got := string(validUTF8([]byte(tt.in))); got != tt.want {
			t.Errorf("%s: %q, want %q", tt.reason, got, tt.want)
		}
	}
}
