package auth

import (
	"bytes"
	"context"
	"errors"
	"math"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"reflect"
	"strings"
	"testing"
	"time"
)

// kitchenSink has a field of every kind.
type kitchenSink struct {
	ID     string            `path:"id"`
	Number int               `path:"number"`
	Text   string            `json:"text"`
	Email  *string           `json:"email,omitempty"`
	Opt    Optional[float64] `json:"opt,omitzero"`
	When   time.Time         `json:"when,omitzero"`
	On     *bool             `json:"on,omitempty"`
	List   []string          `json:"list,omitempty"`
	Nested struct {
		A int    `json:"a"`
		B string `json:"b,omitempty"`
	} `json:"nested"`
	Object map[string]any `json:"object"`
	Any    any            `json:"any,omitempty"`
	Flag   bool           `query:"flag,omitempty,truthy"`
	Plain  bool           `query:"plain"`
	Float  *float64       `query:"float,omitempty"`
	Many   []int          `query:"many,omitempty"`
	At     DateTime       `query:"at,omitzero"`
	Header string         `header:"x-thing,omitempty"`
	Since  *time.Time     `header:"X-Since,omitempty"`
	Local  string         `json:"-"`
	Rest   map[string]any `json:",inline"`
}

// random fills in a value that JSON and an HTTP request can carry.
type random struct{ *rand.Rand }

func (r random) text(plain bool) string {
	alphabet := []rune("abc XYZ019-_.~%&=+#?/\\\"'<>{}\u00e4\u2028\ufffd\U0001f600,;:\n\t\x00")
	if plain {
		alphabet = []rune("abcXYZ019-_~")
	}
	text := make([]rune, 1+r.IntN(12))
	for i := range text {
		text[i] = alphabet[r.IntN(len(alphabet))]
	}
	return string(text)
}

func (r random) time() time.Time { return time.UnixMilli(r.Int64N(4e12)).UTC() }

// any is a value as encoding/json decodes it.
func (r random) any(depth int) any {
	switch n := r.IntN(7); {
	case n == 0:
		return r.text(false)
	case n == 1:
		return float64(r.IntN(1000)) / 8
	case n == 2:
		return r.IntN(2) == 0
	case n == 3 && depth > 0:
		return []any{r.any(depth - 1), r.any(depth - 1)}
	case n == 4 && depth > 0:
		return map[string]any{"a": r.any(depth - 1), r.text(false): r.any(depth - 1)}
	}
	return nil
}

func (r random) fill(v reflect.Value, plain bool) {
	switch v.Interface().(type) {
	case time.Time:
		v.Set(reflect.ValueOf(r.time()))
		return
	case DateTime:
		v.Set(reflect.ValueOf(DateTime{r.time()}))
		return
	case map[string]any:
		v.Set(reflect.ValueOf(map[string]any{"rest" + r.text(true): r.any(2), r.text(true) + "0": r.any(2)}))
		return
	case Optional[string]:
		v.Set(reflect.ValueOf([]Optional[string]{{}, Null[string](), Some(r.text(false))}[r.IntN(3)]))
		return
	case Optional[float64]:
		v.Set(reflect.ValueOf([]Optional[float64]{{}, Null[float64](), Some(0.0), Some(r.Float64())}[r.IntN(4)]))
		return
	}
	switch v.Kind() {
	case reflect.String:
		v.SetString(r.text(plain))
	case reflect.Bool:
		v.SetBool(r.IntN(2) == 0)
	case reflect.Int, reflect.Int64:
		v.SetInt(r.Int64() >> r.IntN(60))
	case reflect.Float64:
		v.SetFloat(r.Float64() * math.Pow10(r.IntN(30)))
	case reflect.Interface:
		if made := r.any(2); made != nil {
			v.Set(reflect.ValueOf(made))
		}
	case reflect.Pointer:
		if r.IntN(2) == 0 {
			v.Set(reflect.New(v.Type().Elem()))
			r.fill(v.Elem(), plain)
		}
	case reflect.Slice:
		v.Set(reflect.MakeSlice(v.Type(), 1+r.IntN(3), 3))
		for i := range v.Len() {
			r.fill(v.Index(i), plain)
		}
	case reflect.Map:
		v.Set(reflect.MakeMap(v.Type()))
		v.SetMapIndex(reflect.ValueOf(r.text(false)), reflect.ValueOf(r.text(false)))
	case reflect.Struct:
		r.fillStruct(v)
	}
}

func (r random) fillStruct(v reflect.Value) {
	for i := range v.NumField() {
		f := v.Type().Field(i)
		_, inPath := f.Tag.Lookup("path")
		_, inHeader := f.Tag.Lookup("header")
		local := f.Tag.Get("json") == "-" && f.Tag.Get("query") == ""
		if optional := strings.Contains(string(f.Tag), "omit"); local || optional && r.IntN(3) == 0 {
			continue
		}
		r.fill(v.Field(i), inPath || inHeader)
	}
}

// arrives sends an input to another pipeline's binding and returns what it reads.
func arrives(t *testing.T, here, there *operation, input any) any {
	t.Helper()
	m, err := here.compose(input)
	if err != nil {
		t.Fatalf("%s: %+v: %v", here.label(), input, err)
	}
	method, err := here.methodFor(m)
	if err != nil {
		t.Fatal(err)
	}
	r := httptest.NewRequest(method, "http://h"+m.path+"?"+m.query, bytes.NewReader(here.bodyOf(method, m)))
	r.Header = m.header
	r.Header.Set("Content-Type", mediaJSON)
	x := there.frame()
	x.Context, x.op, x.request, x.headers, x.sent = t.Context(), there, r, r.Header, new(sent)
	mux := http.NewServeMux()
	pattern := strings.ReplaceAll(there.path, "/:", "/{") // "/x/:id/y" is "/x/{id}/y"
	for _, name := range pathParams(there.path) {
		pattern = strings.ReplaceAll(pattern, "{"+name, "{"+name+"}")
	}
	reached := false
	mux.HandleFunc(pattern, func(w http.ResponseWriter, r *http.Request) {
		reached, x.request = true, r
		if !there.ignoreBody && method != http.MethodGet {
			if err := x.sent.readBody(r, w, defaultBodyLimit, there.form); err != nil {
				t.Errorf("%s: %v", there.label(), err)
			}
		}
		_, judged := x.input.(inspector) // by rules that are more than a list of fields
		if issues := there.binding.bind(x, there.bodyOptional); len(issues) > 0 && !judged {
			t.Errorf("%s: %v do not fit in %s?%s %s", there.label(), issues, m.path, m.query, m.body)
		}
	})
	mux.ServeHTTP(httptest.NewRecorder(), r)
	if !reached {
		t.Fatalf("%s: %s does not reach %s", there.label(), m.path, pattern)
	}
	return x.input
}

// sameInput compares two requests. A map that is not there is an empty one, since what
// has no members says nothing.
func sameInput(a, b any) bool {
	for _, v := range []reflect.Value{reflect.ValueOf(a).Elem(), reflect.ValueOf(b).Elem()} {
		for i := range v.NumField() {
			if f := v.Field(i); f.Kind() == reflect.Map && f.Len() == 0 {
				f.Set(reflect.MakeMap(f.Type()))
			}
		}
	}
	return reflect.DeepEqual(a, b)
}

// TestRemoteRequestsArrive: whatever the value of a request is, the binding of the server
// reads the same one, for every endpoint that has a URL.
func TestRemoteRequestsArrive(t *testing.T) {
	plugins := func() []Plugin {
		send := func(context.Context, MagicLinkMail) error { return nil }
		return []Plugin{&TwoFactor{}, &Username{}, &EmailOTP{}, &MagicLink{Send: send}, &JWT{}, &MultiSession{}, &OneTimeToken{}, &Bearer{}, &OpenAPI{}}
	}
	w := newWorld(t, func(c *Config) { c.Plugins = plugins() })
	c := mustClient(t, "http://h", ClientPlugins(plugins()...))
	r := random{rand.New(rand.NewPCG(rand.Uint64(), 0))}
	checked := 0
	for _, op := range c.API.Operations() {
		here, there := op.untyped(), w.API.Operation(op.Name()).untyped()
		if here.path == "" {
			continue
		}
		checked++
		for range 50 {
			input := here.frame().input
			r.fill(reflect.ValueOf(input).Elem(), false)
			copied := reflect.New(reflect.TypeOf(input).Elem())
			copied.Elem().Set(reflect.ValueOf(input).Elem())
			if got := arrives(t, here, there, input); !sameInput(got, copied.Interface()) {
				t.Fatalf("%s:\nsent %+v\n got %+v", op.Name(), copied, got)
			}
		}
	}
	if checked < 50 {
		t.Errorf("only %d endpoints have a URL", checked)
	}
}

func TestRemoteRequestKitchenSink(t *testing.T) {
	there := NewEndpoint("POST", "/things/:id/:number", func(_ context.Context, in kitchenSink) (kitchenSink, error) { return in, nil })
	here := ClientEndpoint(mustClient(t, "http://h"), there).operation
	r := random{rand.New(rand.NewPCG(rand.Uint64(), 0))}
	for range 2000 {
		in := new(kitchenSink)
		r.fillStruct(reflect.ValueOf(in).Elem())
		copied := *in
		got := arrives(t, here, there.operation, in).(*kitchenSink)
		if !sameInput(got, &copied) {
			t.Fatalf("\nsent %+v\n got %+v", copied, got)
		}
	}
}

// TestRemoteRequestRefusals: what would not arrive as it is is not sent, and the reason
// names the field without its value.
func TestRemoteRequestRefusals(t *testing.T) {
	good := kitchenSink{ID: "a", Number: 1}
	for _, tt := range []struct {
		field  string
		reason error
		edit   func(in *kitchenSink)
	}{
		{"Local", errGoOnly, func(in *kitchenSink) { in.Local = "secret" }},
		{"text", errNotText, func(in *kitchenSink) { in.Text = "secret\xff" }},
		{"object", errNotText, func(in *kitchenSink) { in.Object = map[string]any{"a": []any{"secret\xff"}} }},
		{"text", errTwice, func(in *kitchenSink) { in.Rest = map[string]any{"text": "secret"} }},
		{"more", errNotText, func(in *kitchenSink) { in.Rest = map[string]any{"more": "secret\xff"} }},
		{"more", nil, func(in *kitchenSink) { in.Rest = map[string]any{"more": math.NaN()} }},
		{"any", nil, func(in *kitchenSink) { in.Any = func() {} }},
		{"id", errNoPath, func(in *kitchenSink) { in.ID = ".." }},
		{"id", errNoPath, func(in *kitchenSink) { in.ID = "/" }},
		{"id", errNoPath, func(in *kitchenSink) { in.ID = "../x" }},
		{"id", errNoPath, func(in *kitchenSink) { in.ID = "a//b" }},
		{"id", errNotText, func(in *kitchenSink) { in.ID = "secret\xff" }},
		{"x-thing", errNoHeader, func(in *kitchenSink) { in.Header = "secret\r\nX: y" }},
		{"x-thing", errNoHeader, func(in *kitchenSink) { in.Header = " secret" }},
	} {
		op := NewEndpoint("POST", "/things/:id/:number", func(_ context.Context, in kitchenSink) (Empty, error) { return Empty{}, nil })
		asked := false
		c := mustClient(t, "http://h", ClientHTTP(&http.Client{Transport: roundTrip(func(*http.Request) (*http.Response, error) {
			asked = true
			return nil, errors.New("asked")
		})}))
		in := good
		tt.edit(&in)
		_, err := ClientEndpoint(c, op).Call(t.Context(), in)
		if err == nil || apiError(err) != nil || asked || !strings.Contains(err.Error(), tt.field) || strings.Contains(err.Error(), "secret") || tt.reason != nil && !errors.Is(err, tt.reason) {
			t.Errorf("%s: %v, asked: %v", tt.field, err, asked)
		}
	}
	c := mustClient(t, "http://h", ClientHTTP(answers(200, "{}")))
	if _, err := c.API.RequestPasswordResetCallback.Call(t.Context(), RequestPasswordResetCallbackRequest{Token: "a b"}); !errors.Is(err, errNoPath) {
		t.Errorf("below the base path parameters are not decoded: %v", err)
	}
	type body struct {
		A string `json:"a,omitempty"`
	}
	get := ClientEndpoint(c, NewEndpoint("GET", "/x", func(context.Context, body) (Empty, error) { return Empty{}, nil }))
	if _, err := get.Call(t.Context(), body{A: "x"}); err == nil || !strings.Contains(err.Error(), "GET has no body") {
		t.Errorf("a body for GET: %v", err)
	}
	if _, err := get.Call(t.Context(), body{}); err != nil {
		t.Errorf("no body for GET: %v", err)
	}
	text := ClientEndpoint(c, NewEndpoint("POST", "/x", func(context.Context, string) (Empty, error) { return Empty{}, nil }))
	if _, err := text.Call(t.Context(), "secret"); err == nil || strings.Contains(err.Error(), "secret") {
		t.Errorf("a request that is no struct: %v", err)
	}
}

// FuzzRemoteRequest: a request of any texts arrives as it is, or is not sent with a
// reason that does not tell them.
func FuzzRemoteRequest(f *testing.F) {
	f.Add("id", "text", "a, b", "rest", 1.5, int64(7), int64(1795424223782))
	f.Add("a/b", "\x00\u2028", "\u00e4", "TEXT", math.Copysign(0, -1), int64(-1<<63), int64(-62135596800001))
	f.Add("..", "secret\xff", " secret", "text", 1e300, int64(1<<63-1), int64(253402300800000))
	f.Add("%2e", "+ %zz&=", "\t", "", 1e-7, int64(0), int64(0))
	there := NewEndpoint("POST", "/things/:id/:number", func(_ context.Context, in kitchenSink) (kitchenSink, error) { return in, nil })
	f.Fuzz(func(t *testing.T, id, text, header, name string, float float64, number, ms int64) {
		here := ClientEndpoint(mustClient(t, "http://h"), there).operation
		in := kitchenSink{
			ID: id, Number: int(number), Text: text, Email: &text, Opt: Some(float), When: time.UnixMilli(ms).UTC(), List: []string{text, id},
			Object: map[string]any{name: text}, Any: []any{text, float}, Flag: number == 1, Float: &float, Many: []int{int(number), 1},
			At: DateTime{time.UnixMilli(ms).UTC()}, Header: header, Rest: map[string]any{"rest" + name: text},
		}
		in.Nested.A, in.Nested.B = int(number), text
		if _, err := here.compose(&in); err != nil {
			for _, secret := range []string{id, text, header} {
				if len(secret) > 20 && strings.Contains(err.Error(), secret) {
					t.Fatalf("%v tells %q", err, secret)
				}
			}
			return
		}
		copied := in
		got := arrives(t, here, there.operation, &in).(*kitchenSink)
		if !sameInput(got, &copied) {
			t.Fatalf("\nsent %+v\n got %+v", copied, got)
		}
	})
}
