package auth

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"reflect"
	"unicode/utf8"
)

// A received is an answer of a server, read to its end.
type received struct {
	status int
	header http.Header
	body   []byte
}

func (r *received) contentType() string { return r.header.Get("Content-Type") }

// endToEnd returns the headers that are the endpoint's: without those of the
// connection, of the message and of its body.
func (r *received) endToEnd() http.Header {
	h := r.header.Clone()
	dropHopByHop(h)
	for _, key := range []string{"Content-Type", "Content-Length", "Content-Encoding", "Date"} {
		h.Del(key)
	}
	return h
}

// decode reads the body into a result, a *Res.
func (r *received) decode(output any) error {
	switch out := output.(type) {
	case *Raw:
		*out = Raw{ContentType: r.contentType(), Body: r.body}
		return nil
	case **Raw:
		*out = &Raw{ContentType: r.contentType(), Body: r.body}
		return nil
	}
	if r.status == http.StatusNoContent {
		return nil
	}
	body := bytes.TrimSpace(r.body)
	if len(body) == 0 {
		return errors.New("it is empty")
	}
	if err := json.Unmarshal(body, output); err != nil {
		return fmt.Errorf("status %d, %q: %w", r.status, r.contentType(), withoutValue(err))
	}
	return nil
}

// withoutValue keeps what the server has said out of an error's text.
func withoutValue(err error) error {
	if wrong, ok := errors.AsType[*json.UnmarshalTypeError](err); ok {
		return fmt.Errorf("member %q is no %v", wrong.Field, wrong.Type)
	}
	if _, ok := errors.AsType[*json.SyntaxError](err); ok {
		return errors.New("it is no JSON")
	}
	return errors.New("it has not the form of the result")
}

// failure returns the answer as an error. It is understood in the form of this package
// and, where a body has that instead, in the one of OAuth (RFC 6749 section 5.2).
func (r *received) failure() *APIError {
	api := &APIError{Status: r.status, Header: r.endToEnd()}
	api.Header.Del("Set-Cookie") // the response has them
	var object map[string]any
	_ = json.Unmarshal(r.body, &object)
	text := func(name string) string {
		value, _ := object[name].(string)
		return value
	}
	api.Message, api.Code = text("message"), Code(text("code"))
	if api.empty() {
		api.Message, api.Code = text("error_description"), Code(text("error"))
	}
	if api.empty() && len(r.body) > 0 {
		api.cause = fmt.Errorf("the server says %q", excerpt(r.body))
	}
	return api
}

// maxExcerpt is how many bytes of a strange body an error shows.
const maxExcerpt = 200

func excerpt(body []byte) []byte {
	if len(body) <= maxExcerpt {
		return body
	}
	end := maxExcerpt
	for end > 0 && !utf8.RuneStart(body[end]) {
		end--
	}
	return append(bytes.Clone(body[:end]), "…"...)
}

// answerIn returns the value that the server gives in place of the result, nil if it
// gives the result.
func (op *operation) answerIn(r *received) any {
	for _, form := range op.instead {
		if r.status != http.StatusOK {
			return nil
		}
		if value := form.read(r.body); value != nil {
			return value
		}
	}
	return nil
}

// An answerForm is a type that answers of plugins have, see RouteAnswer.
type answerForm struct {
	of      reflect.Type
	binding *binding
}

func newAnswerForm(value error) answerForm {
	t := reflect.TypeOf(value)
	of := t
	if of.Kind() == reflect.Pointer {
		of = of.Elem()
	}
	return answerForm{t, newBinding(of)}
}

// read returns a value of the type if the body has all members that it requires and no
// others, else nil.
func (f answerForm) read(body []byte) any {
	s := new(sent)
	if s.parseJSON(body) != nil || s.root != kindObject || len(s.members) == 0 {
		return nil
	}
	for _, name := range s.names() {
		if !f.binding.names(name) {
			return nil
		}
	}
	value := reflect.New(f.of).Elem()
	in := value
	if f.of.Kind() == reflect.Pointer {
		value.Set(reflect.New(f.of.Elem()))
		in = value.Elem()
	}
	if len(f.binding.bindMembers(s, in, false)) > 0 {
		return nil
	}
	return value.Interface()
}
