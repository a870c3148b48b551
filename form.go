package auth

import (
	"encoding/hex"
	"strings"
)

// A formParam is one name and value of a form or query.
type formParam struct{ name, value string }

// decodeForm decodes application/x-www-form-urlencoded as the URL standard does:
// nothing is an error, a stray percent sign stands for itself.
func decodeForm(query string) []formParam {
	var params []formParam
	for pair := range strings.SplitSeq(query, "&") {
		if pair != "" {
			name, value, _ := strings.Cut(pair, "=")
			params = append(params, formParam{decodeFormText(name), decodeFormText(value)})
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
	return strings.ToValidUTF8(string(decoded), "\uFFFD")
}
