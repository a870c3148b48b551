package auth

import "strings"

// signCookie returns the value of a signed cookie (contract section 7.2), which
// is value, a dot and its tag. It is not percent-encoded yet: writing a cookie
// encodes every value.
func (s *signer) signCookie(value string) string {
	return value + "." + s.sign(value)
}

// openCookie returns the value inside the raw, percent-encoded value of a signed
// cookie. Nothing is made of a value whose tag does not hold; ok is then false.
// The usual value needs no decoding and is returned without allocation.
func (s *signer) openCookie(raw string) (value string, ok bool) {
	value, tag, ok := splitSigned(raw)
	if !ok || !s.matches(value, &tag) {
		return "", false
	}
	return value, true
}

// splitSigned returns the parts of a signed value, which nobody has checked yet.
func splitSigned(raw string) (value string, tag [tagLength]byte, ok bool) {
	dot := strings.LastIndexByte(raw, '.')
	if dot < 1 {
		return "", tag, false
	}
	if tag, ok = decodeTag(raw[dot+1:]); !ok {
		return "", tag, false
	}
	return decodeURIComponent(raw[:dot]), tag, true
}

// decodeTag reads a tag in standard base64 in which "+", "/" and "=" may be
// percent-encoded.
func decodeTag(text string) (tag [tagLength]byte, ok bool) {
	n := 0
	for ; text != "" && n < tagLength; n++ {
		var size int
		tag[n], size = decodeTagByte(text)
		text = text[size:]
	}
	return tag, text == "" && n == tagLength && tag[tagLength-1] == '='
}

func decodeTagByte(text string) (c byte, size int) {
	if len(text) < 3 || text[0] != '%' {
		return text[0], 1
	}
	switch text[1:3] {
	case "2B", "2b":
		return '+', 3
	case "2F", "2f":
		return '/', 3
	case "3D", "3d":
		return '=', 3
	}
	return text[0], 1
}
