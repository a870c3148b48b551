package auth

import "unicode/utf8"

// validUTF8 replaces what is no UTF-8 by U+FFFD, as the Encoding Standard decodes
// it: a character that is cut off counts once, every other octet by itself.
func validUTF8(text []byte) []byte {
	if utf8.Valid(text) {
		return text
	}
	valid := make([]byte, 0, len(text)+utf8.UTFMax)
	for len(text) > 0 {
		r, n := utf8.DecodeRune(text)
		if r == utf8.RuneError && n == 1 {
			n = cutOff(text)
		}
		valid, text = utf8.AppendRune(valid, r), text[n:]
	}
	return valid
}

// cutOff returns how many octets at the beginning of a text that does not begin
// with a character are the beginning of one, at least 1.
func cutOff(text []byte) int {
	for n := min(len(text), utf8.UTFMax-1); n > 1; n-- {
		if !utf8.FullRune(text[:n]) {
			return n
		}
	}
	return 1
}
