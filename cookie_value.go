package auth

import (
	"iter"
	"net/http"
	"net/url"
	"strings"
	"unicode/utf8"
)

// requestCookies returns the names and raw values of the cookies in a request,
// in order. It is as lenient as the original: the space after a semicolon may
// be missing, values may be quoted, and a part without "=" is skipped.
func requestCookies(h http.Header) iter.Seq2[string, string] {
	return func(yield func(name, raw string) bool) {
		for _, line := range h["Cookie"] {
			for line != "" {
				var pair string
				pair, line, _ = strings.Cut(line, ";")
				name, raw, ok := strings.Cut(pair, "=")
				if ok && !yield(strings.Trim(name, " \t"), unquote(strings.Trim(raw, " \t"))) {
					return
				}
			}
		}
	}
}

func unquote(raw string) string {
	if len(raw) > 1 && raw[0] == '"' && raw[len(raw)-1] == '"' {
		return raw[1 : len(raw)-1]
	}
	return raw
}

// cookieValue returns the value of a request cookie as it was sent, not
// percent-decoded. The first of several with that name wins.
func cookieValue(h http.Header, name string) (raw string, ok bool) {
	for n, raw := range requestCookies(h) {
		if n == name {
			return raw, true
		}
	}
	return "", false
}

// decodeURIComponent decodes percent sequences; text in which one is malformed,
// or that would not be UTF-8 afterwards, is returned as it is.
func decodeURIComponent(text string) string {
	if strings.IndexByte(text, '%') < 0 {
		return text
	}
	decoded, err := url.PathUnescape(text)
	if err != nil || !utf8.ValidString(decoded) {
		return text
	}
	return decoded
}

// encodeURIComponent encodes as JavaScript's function of that name does.
func encodeURIComponent(text string) string {
	for i := range len(text) {
		if !unreserved(text[i]) {
			return string(appendURIComponent(nil, text))
		}
	}
	return text
}

// appendURIComponent appends the encoded text to dst.
func appendURIComponent(dst []byte, text string) []byte {
	const hex = "0123456789ABCDEF"
	for i := range len(text) {
		if c := text[i]; unreserved(c) {
			dst = append(dst, c)
		} else {
			dst = append(dst, '%', hex[c>>4], hex[c&15])
		}
	}
	return dst
}

// unreserved reports whether encodeURIComponent keeps c.
func unreserved(c byte) bool {
	switch {
	case 'a' <= c && c <= 'z', 'A' <= c && c <= 'Z', '0' <= c && c <= '9':
		return true
	}
	return strings.IndexByte("-_.!~*'()", c) >= 0
}
