package auth

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"math"
	"net/http"
	"strconv"
	"strings"
)

// sent is what a client sent, taken apart but not yet decoded.
type sent struct {
	root    jsonKind // of the body
	members []member // of an object body, or the fields of a form
	query   map[string][]string
	params  []param   // of the path, found by our router
	first   [6]member // room for the members of most bodies
}

// A member is one name and value of a body. The value is JSON text, or plain
// text when it comes from a form.
type member struct {
	name  []byte
	value []byte
	kind  jsonKind
	plain bool
}

// jsonKind names the type of a JSON value as validation messages do.
type jsonKind uint8

const (
	kindUndefined jsonKind = iota
	kindNull
	kindString
	kindNumber
	kindBoolean
	kindArray
	kindObject
	kindInfinity // a number beyond float64
	kindMinusInfinity
)

func (k jsonKind) String() string {
	return [...]string{"undefined", "null", "string", "number", "boolean", "array", "object", "Infinity", "-Infinity"}[k]
}

// member returns the last member of the given name, the one that JSON.parse
// would keep, nil if there is none.
func (s *sent) member(name string) *member {
	for i := len(s.members) - 1; i >= 0; i-- {
		if string(s.members[i].name) == name {
			return &s.members[i]
		}
	}
	return nil
}

// names returns the names of all members.
func (s *sent) names() []string {
	names := make([]string, len(s.members))
	for i := range names {
		names[i] = string(s.members[i].name)
	}
	return names
}

// text returns the value of a member whose kind is string.
func (m *member) text() string {
	if m.plain {
		return string(m.value)
	}
	return string(jsonText(m.value))
}

// jsonText returns the content of a JSON string that is valid, also as UTF-8.
func jsonText(quoted []byte) []byte {
	content := quoted[1 : len(quoted)-1]
	if bytes.IndexByte(content, '\\') < 0 {
		return content
	}
	var text string
	_ = json.Unmarshal(quoted, &text) // cannot fail: the text is valid
	return []byte(text)
}

const (
	mediaJSON = "application/json"
	mediaForm = "application/x-www-form-urlencoded"
)

// readBody reads the request's body in one of the accepted media types. A
// request without a Content-Type has no body, as in the original's adapter for
// node.
func (s *sent) readBody(r *http.Request, w http.ResponseWriter, limit int64, form bool) error {
	contentType := r.Header.Get("Content-Type")
	if r.Body == nil || r.Body == http.NoBody || contentType == "" {
		return nil
	}
	media, _, _ := strings.Cut(contentType, ";")
	media = strings.ToLower(strings.TrimSpace(media))
	if media != mediaJSON && !(form && media == mediaForm) {
		return unsupportedMediaType(contentType, form)
	}
	body, err := readLimited(r, w, limit)
	switch {
	case err != nil:
		return err
	case len(body) == 0:
		return nil
	case media == mediaForm:
		s.parseForm(string(body))
		return nil
	}
	return s.parseJSON(body)
}

func unsupportedMediaType(got string, form bool) error {
	allowed := mediaJSON
	if form {
		allowed = mediaForm + ", " + mediaJSON
	}
	return NewError(http.StatusUnsupportedMediaType, ErrUnsupportedMediaType,
		`Content-Type "`+got+`" is not allowed. Allowed types: `+allowed)
}

func readLimited(r *http.Request, w http.ResponseWriter, limit int64) (body []byte, err error) {
	switch n := r.ContentLength; {
	case n > limit:
		return nil, ErrPayloadTooLarge.With(http.StatusRequestEntityTooLarge)
	case n >= 0:
		body, err = readExactly(r.Body, n)
	default:
		body, err = io.ReadAll(http.MaxBytesReader(w, r.Body, limit))
	}
	if _, tooLarge := errors.AsType[*http.MaxBytesError](err); tooLarge {
		return nil, ErrPayloadTooLarge.With(http.StatusRequestEntityTooLarge)
	}
	if err != nil {
		return nil, NewError(http.StatusBadRequest, ErrBadRequest, "Request body could not be read").WithCause(err)
	}
	return body, nil
}

// parseForm keeps every value as a string; the last of a repeated name counts. A
// question mark in front belongs to no name.
func (s *sent) parseForm(body string) {
	s.root = kindObject
	for _, param := range decodeForm(strings.TrimPrefix(body, "?")) {
		s.members = append(s.members, member{
			name: []byte(param.name), value: []byte(param.value), kind: kindString, plain: true,
		})
	}
}

// parseJSON accepts any JSON value. Nesting is limited by encoding/json.
func (s *sent) parseJSON(body []byte) error {
	body = bytes.TrimPrefix(validUTF8(body), []byte(byteOrderMark))
	if !json.Valid(body) {
		return NewError(http.StatusBadRequest, ErrBadRequest, "Invalid JSON in request body")
	}
	body = bytes.TrimLeft(body, jsonSpace)
	s.root = kindOfJSON(body)
	if s.root == kindObject {
		s.members = splitObject(s.first[:0], body)
	}
	return nil
}

const (
	jsonSpace     = " \t\r\n"
	byteOrderMark = "\uFEFF" // some clients begin with it
)

func kindOfJSON(value []byte) jsonKind {
	switch value[0] {
	case '{':
		return kindObject
	case '[':
		return kindArray
	case '"':
		return kindString
	case 't', 'f':
		return kindBoolean
	case 'n':
		return kindNull
	}
	return kindOfNumber(value)
}

func kindOfNumber(text []byte) jsonKind {
	switch n, _ := strconv.ParseFloat(string(bytes.TrimRight(text, jsonSpace)), 64); {
	case math.IsInf(n, 1):
		return kindInfinity
	case math.IsInf(n, -1):
		return kindMinusInfinity
	}
	return kindNumber
}

// splitObject appends the members of an object. The text must be valid JSON,
// which keeps this walk so simple.
func splitObject(dst []member, object []byte) []member {
	rest := bytes.TrimLeft(object[1:], jsonSpace)
	for rest[0] != '}' {
		end := endOfString(rest)
		name := rest[:end]
		rest = bytes.TrimLeft(rest[end:], jsonSpace)
		rest = bytes.TrimLeft(rest[1:], jsonSpace) // the colon
		end = endOfValue(rest)
		value := rest[:end]
		dst = append(dst, member{name: jsonText(name), value: value, kind: kindOfJSON(value)})
		rest = bytes.TrimLeft(rest[end:], jsonSpace)
		if rest[0] == ',' {
			rest = bytes.TrimLeft(rest[1:], jsonSpace)
		}
	}
	return dst
}

// endOfString returns the length of the JSON string that text begins with.
func endOfString(text []byte) int {
	for i := 1; ; i++ {
		switch text[i] {
		case '\\':
			i++
		case '"':
			return i + 1
		}
	}
}

// endOfValue returns the length of the JSON value that text begins with.
func endOfValue(text []byte) int {
	switch text[0] {
	case '"':
		return endOfString(text)
	case '{', '[':
		return endOfNested(text)
	}
	return bytes.IndexAny(text, ",]}"+jsonSpace)
}

func endOfNested(text []byte) int {
	depth := 0
	for i := 0; ; i++ {
		switch text[i] {
		case '"':
			i += endOfString(text[i:]) - 1
		case '{', '[':
			depth++
		case '}', ']':
			if depth--; depth == 0 {
				return i + 1
			}
		}
	}
}

// maxReserved is how much memory the headers of a request alone can reserve.
const maxReserved = 4 << 10

// readExactly reads n bytes into memory that grows with what arrives.
func readExactly(r io.Reader, n int64) ([]byte, error) {
	if n <= maxReserved {
		body := make([]byte, n)
		_, err := io.ReadFull(r, body)
		return body, err
	}
	var body bytes.Buffer
	body.Grow(maxReserved)
	_, err := io.CopyN(&body, r, n)
	if err == io.EOF {
		err = io.ErrUnexpectedEOF
	}
	return body.Bytes(), err
}
