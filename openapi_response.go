package auth

import (
	"maps"
	"net/http"
	"reflect"
	"slices"
	"strconv"
	"strings"
)

// responses returns the success, the redirect and then the errors by status.
func (w *openAPIWriter) responses(op *operation, method string) (all orderedObject[*openAPIResponse]) {
	if success := w.success(op); success != nil {
		all.set("200", success)
	}
	if op.description.Redirects {
		all.set("302", redirectResponse())
	}
	if w.cookies != nil && w.cookies(op, method) {
		for _, m := range all {
			w.addCookies(m.value)
		}
	}
	errs := w.errors(op, method)
	for _, status := range slices.Sorted(maps.Keys(errs)) {
		all.set(strconv.Itoa(status), w.failure(status, errs[status], op.description.Errors[status] != nil))
	}
	return all
}

func (w *openAPIWriter) addCookies(response *openAPIResponse) {
	const name = "SetCookie"
	w.doc.Components.Headers.set(name, openAPIHeader{Description: "Cookies, each in a header of its own", Schema: schemaOf("string")})
	response.Headers.set("Set-Cookie", openAPIHeader{Ref: "#/components/headers/" + name})
}

// success returns nil for an endpoint that can do nothing but redirect.
func (w *openAPIWriter) success(op *operation) *openAPIResponse {
	out := indirect(op.out)
	if op.description.Redirects && out.Kind() == reflect.Struct && out.NumField() == 0 {
		return nil
	}
	response := &openAPIResponse{Description: "Success"}
	if out == reflect.TypeFor[Raw]() {
		media := op.media
		if media == "" {
			media = "*/*"
		}
		response.Content.set(media, openAPIMedia{})
		return response
	}
	schema := w.of(op.out)
	if w.answers != nil {
		schema = w.anyOf(schema, w.answers(op))
	}
	if op.nullResult {
		schema = schema.nullable()
	}
	response.Content.set(mediaJSON, openAPIMedia{schema})
	return response
}

func (w *openAPIWriter) anyOf(schema *jsonSchema, answers []reflect.Type) *jsonSchema {
	if len(answers) == 0 {
		return schema
	}
	either := &jsonSchema{AnyOf: []*jsonSchema{schema}}
	for _, answer := range answers {
		either.AnyOf = append(either.AnyOf, w.of(answer))
	}
	return either
}

func redirectResponse() *openAPIResponse {
	response := &openAPIResponse{Description: http.StatusText(http.StatusFound)}
	response.Headers.set("Location", openAPIHeader{Required: true, Schema: &jsonSchema{Type: jsonTypes{"string"}, Format: "uri-reference"}})
	return response
}

// errors returns the codes that an operation can fail with, by status, sorted. The empty
// one stands for errors without a code, as no code at all does.
func (w *openAPIWriter) errors(op *operation, method string) map[int][]Code {
	errs := map[int][]Code{http.StatusInternalServerError: {""}}
	add := func(more map[int][]Code) {
		for status, codes := range more {
			if len(codes) == 0 {
				codes = []Code{""}
			}
			errs[status] = append(errs[status], codes...)
		}
	}
	if len(op.binding.fields) > 0 || op.binding.rest != nil || op.binding.validate {
		add(map[int][]Code{http.StatusBadRequest: {ErrValidation}})
	}
	if takesBody(op, method) {
		add(map[int][]Code{
			http.StatusBadRequest:            {ErrBadRequest},
			http.StatusRequestEntityTooLarge: {ErrPayloadTooLarge},
			http.StatusUnsupportedMediaType:  {ErrUnsupportedMediaType},
		})
	}
	for _, check := range op.use {
		add(check.errors)
	}
	if w.refusals != nil {
		add(w.refusals(op, method))
	}
	add(op.description.Errors)
	for status, codes := range errs {
		slices.Sort(codes)
		errs[status] = slices.Compact(codes)
	}
	return errs
}

// failure describes an error. Those that no endpoint adds anything to are components.
func (w *openAPIWriter) failure(status int, codes []Code, own bool) *openAPIResponse {
	text := http.StatusText(status)
	response := &openAPIResponse{Description: text}
	codeless := codes[0] == ""
	if codeless {
		codes = codes[1:]
	}
	if status == http.StatusInternalServerError && len(codes) == 0 {
		response.Description += "; the body is empty"
	} else {
		response.Content.set(mediaJSON, openAPIMedia{errorWith(codes, codeless)})
	}
	if header := waitHeaders[status]; header != "" {
		response.Headers.set(header, openAPIHeader{Description: "Seconds to wait", Schema: schemaOf("integer")})
	}
	if own || status == http.StatusBadRequest || status == http.StatusForbidden {
		return response
	}
	name := strings.ReplaceAll(text, " ", "")
	switch known, ok := w.doc.Components.Responses.get(name); {
	case !ok:
		w.doc.Components.Responses.set(name, response)
	case !reflect.DeepEqual(known, response):
		return response
	}
	return &openAPIResponse{Ref: "#/components/responses/" + name}
}

// waitHeaders tell how long a client should wait, by status.
var waitHeaders = map[int]string{
	http.StatusTooManyRequests:    "X-Retry-After",
	http.StatusServiceUnavailable: "Retry-After",
}

// errorWith returns the schema of an error with one of some codes, or also without one.
func errorWith(codes []Code, codeless bool) *jsonSchema {
	if len(codes) == 0 {
		return schemaRef(errorComponent)
	}
	code := schemaOf("string")
	for _, c := range codes {
		code.Enum = append(code.Enum, string(c))
	}
	coded := schemaOf("object").allow("code", code)
	if !codeless {
		coded.Required = []string{"code"}
	}
	return &jsonSchema{AllOf: []*jsonSchema{schemaRef(errorComponent), coded}}
}

// errorComponent is the schema of an APIError.
const errorComponent = "Error"

func errorSchema() *jsonSchema {
	return schemaOf("object").require("message", schemaOf("string")).allow("code", schemaOf("string"))
}
