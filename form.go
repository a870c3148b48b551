package auth

import (
	"encoding/hex"
	"fmt"
	"strings"
)

// A param is one name and value of a form, a query or a path.
type param struct{ name, value string }

// decodeForm decodes application/x-www-form-urlencoded as the URL standard does:
// nothing is an error, a stray percent sign stands for itself.
func decodeForm(query string) []param {
	var params []param
	for pair := range strings.SplitSeq(query, "&") {
		if pair != "" {
			name, value, _ := strings.Cut(pair, "=")
			params = append(params, param{decodeFormText(name), decodeFormText(value)})
		}
	}
	return params
}

func decodeFormText(s string) string {
	s = strings.ReplaceAll(s, "+", " ")
	decoded := make([]byte, 0, len(s))
	for i := 0; i < len(s); i++ {
		if s[i] == '%' && i+2 < len(s) {
			if octet, err := hex.DecodeString(s[i+1 : i+3]); err == nil {
				decoded = append(decoded, octet...)
				i += 2
				continue
			}
		}
		decoded = append(decoded, s[i])
	}
	return string(validUTF8(decoded))
}

// percentEncode encodes what is not printable ASCII and the characters of set,
// so that a header can carry it. It leaves percent signs alone and can be
// applied twice.
func percentEncode(s, set string) string {
	var b strings.Builder
	for i := 0; i < len(s); i++ {
		if c := s[i]; c <= 0x1f || c >= 0x7f || strings.IndexByte(set, c) >= 0 {
			fmt.Fprintf(&b, "%%%02X", c)
		} else {
			b.WriteByte(c)
		}
	}
	return b.String()
}
