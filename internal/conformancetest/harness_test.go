package conformancetest

import (
	"slices"
	"strings"
	"testing"
)

// A mistake in a case is an error that says where, never a case that checks less.
func TestParseReportsMistakes(t *testing.T) {
	for _, test := range []struct{ text, want, reason string }{
		{"GET /ok", "probe.txt:1: ", "a step before the first case"},
		{"# note\n\nvariants nowhere", "probe.txt:3: no variant is called nowhere", "an unknown variant"},
		{"== a\nvariants default no-such-*", "probe.txt:2: no variant is called no-such-*", "a pattern that stands for nothing"},
		{"== a\nGET /ok\n\n== a", "probe.txt:4: the title", "a title that is taken"},
		{"==", "probe.txt:1: the title", "no title"},
		{"== a\n    Origin: x", "probe.txt:2: ", "a header of no step"},
		{"== a\nGET /ok\n    Origin", "probe.txt:3: ", "a header without a value"},
		{"== a\n\n# note\nfetch /ok", "probe.txt:4: \"fetch\" is no step", "an unknown verb"},
		{"== a\nme:", "probe.txt:2: ", "a browser that does nothing"},
		{"== a\nme: dance", "probe.txt:2: \"dance\" is no step", "a browser that does what nobody can"},
		{"== a\n~ body size\n- 200", "probe.txt:2: ~ follows no step", "a difference of no step"},
		{"== a\nGET /ok\n- 200", "probe.txt:3: ", "a line of no difference"},
		{"== a\nGET /ok\n~ x\n- 200\nGET /ok\n+ 404", "probe.txt:6: ", "a line of a difference that has ended"},
		{"== a\nGET /ok\n~ [default body size", "probe.txt:3: ~ [default body size: the bracket is open", "an open bracket"},
	} {
		_, err := parse("probe", test.text)
		if err == nil || !strings.Contains(err.Error(), test.want) {
			t.Errorf("%s: %v, want %s", test.reason, err, test.want)
		}
	}
}

func TestParse(t *testing.T) {
	const text = `variants default https

== first
ann: POST /x?y {"a": 1}
    Origin: https://evil.test
    -Content-Type
~ [default] body size
- 200
+ 413
* body in another order
~ body size
- 201
join

== second
variants cache-*
sql DELETE FROM user
`
	cases, err := parse("probe", text)
	if err != nil || len(cases) != 2 {
		t.Fatal(cases, err)
	}
	first, second := cases[0], cases[1]
	if first.String() != "probe: first" || !slices.Equal(first.variants, []string{"default", "https"}) || !slices.Equal(second.variants, []string{"cache-*"}) {
		t.Errorf("%v %v, %v %v", first, first.variants, second, second.variants)
	}
	post := first.steps[0]
	if post.line != 4 || post.who() != "ann" || post.verb != "POST" || post.rest != `/x?y {"a": 1}` || !slices.Equal(post.headers, []string{"Origin: https://evil.test", "-Content-Type"}) {
		t.Errorf("%+v", post)
	}
	for _, test := range []struct {
		variant string
		want    []string
	}{
		{"default", []string{"- 200", "+ 413", "* body in another order", "- 201"}},
		{"https", []string{"- 201"}},
	} {
		if got := post.wantedIn(variantNamed(t, test.variant)); !slices.Equal(got, test.want) {
			t.Errorf("wanted in %s: %q, want %q", test.variant, got, test.want)
		}
	}
	if join := first.steps[1]; join.who() != "me" || join.verb != "join" || second.steps[0].rest != "DELETE FROM user" {
		t.Errorf("%+v %+v", join, second.steps[0])
	}
}

// An explanation explains its own lines, all of them, and nothing else.
func TestExplained(t *testing.T) {
	for _, test := range []struct {
		difference, wanted []string
		want               bool
		reason             string
	}{
		{nil, nil, true, "nothing is explained by nothing"},
		{[]string{"- 200", "+ 413"}, []string{"- 200", "+ 413"}, true, "line by line"},
		{[]string{"- 200", "+ 413"}, []string{"- 200"}, false, "a line too many"},
		{[]string{"- 200"}, []string{"- 200", "+ 413"}, false, "a line too few"},
		{nil, []string{"- 200"}, false, "a difference that is gone"},
		{[]string{"- 200"}, nil, false, "an explanation that is missing"},
		{[]string{"+ 413", "- 200"}, []string{"- 200", "+ 413"}, false, "another order"},
		{[]string{"- 200"}, []string{"+ 200"}, false, "the other side"},
		{[]string{"- body 2001"}, []string{"- body 200"}, false, "the whole line"},
		{[]string{"- body {a.b}"}, []string{"- body {a+b}"}, false, "text is no pattern"},
		{[]string{"- body <x\ny> z"}, []string{"- body <…> z"}, true, "… stands for any text"},
		{[]string{"- body <x> y"}, []string{"- body <…> z"}, false, "what follows … counts"},
	} {
		if got := explained(test.difference, test.wanted); got != test.want {
			t.Errorf("%s: %v", test.reason, got)
		}
	}
}

func TestDiff(t *testing.T) {
	for _, test := range []struct {
		a, b, want []string
		reason     string
	}{
		{[]string{"200", "x"}, []string{"200", "x"}, nil, "the same"},
		{[]string{"200", "a: 1", "body"}, []string{"200", "body"}, []string{"- a: 1"}, "a line less"},
		{[]string{"200", "body"}, []string{"200", "a: 1", "body"}, []string{"+ a: 1"}, "a line more"},
		{[]string{"200"}, []string{"404"}, []string{"- 200", "+ 404"}, "another line"},
		{[]string{"a", "b"}, []string{"b", "a"}, []string{"* a in another place"}, "the order counts"},
		{[]string{"a", "a"}, []string{"a"}, []string{"- a"}, "so does the number"},
		{nil, []string{"a"}, []string{"+ a"}, "nothing on one side"},
		{[]string{`body {"a":1,"b":[2]}`}, []string{`body {"b":[2],"a":1}`}, []string{"* body in another order"}, "members"},
		{[]string{`body {"a":1}`}, []string{`body {"a":1,"b":null}`}, []string{"* body with other members that are null"}, "a member that is null"},
		{[]string{`body {"a":1}`}, []string{`body {"a":"1"}`}, []string{`- body {"a":1}`, `+ body {"a":"1"}`}, "a value of another type"},
		{[]string{`body {"a":[1,2]}`}, []string{`body {"a":[2,1]}`}, []string{`- body {"a":[1,2]}`, `+ body {"a":[2,1]}`}, "the order of elements counts"},
		{[]string{`body {"a":1}`}, []string{`value {"a":1}`}, []string{`- body {"a":1}`, `+ value {"a":1}`}, "another kind of line"},
		{[]string{`entry x = {"a":1} for 1m`}, []string{`entry x = {"a":1} for 2m`}, []string{`- entry x = {"a":1} for 1m`, `+ entry x = {"a":1} for 2m`}, "what is around the JSON"},
		{[]string{"200", `body {"a":1,"b":2}`}, []string{"201", `body {"b":2,"a":1}`}, []string{"* body in another order", "- 200", "+ 201"}, "beside other differences"},
	} {
		if got := diff(test.a, test.b); !slices.Equal(got, test.want) {
			t.Errorf("%s: %q, want %q", test.reason, got, test.want)
		}
	}
}

// What is replaced has been checked: what is wrong stays as it is.
func TestWords(t *testing.T) {
	w := &words{t: t, variant: variants[0], address: "100.64.100.109", labels: make(map[string]string)}
	w.begin()
	const id, other = "abcdefghijklmnopqrstuvwxyzABCDEF", "ABCDEFabcdefghijklmnopqrstuvwxyz"
	right := signedValue(secret, id)
	wrong := signedValue(newSecret, other)
	token := signJWT(secret, `{"a":1}`)
	for _, test := range []struct{ text, want, reason string }{
		{right, "<id 1>.<signature 1>", "a signed value"},
		{right[:len(right)-4] + "AA%3D", "<id 1>." + strings.TrimPrefix(right[:len(right)-4], id+".") + "AA%3D", "a signature that is broken"},
		{wrong, "<id 2>." + strings.TrimPrefix(wrong, other+"."), "the signature of another secret"},
		{strings.Replace(right, id, other, 1), "<id 2>." + strings.TrimPrefix(right, id+"."), "the signature of another value"},
		{token, `<jwt {"a":1} <signature 1>>`, "a JWT"},
		{token[:len(token)-3] + "AAA", token[:len(token)-3] + "AAA", "a JWT with a broken signature"},
		{signJWT(newSecret, `{"a":1}`), signJWT(newSecret, `{"a":1}`), "a JWT of another secret"},
		{id + " " + other + " " + id, "<id 1> <id 2> <id 1>", "ids in the order of their appearance"},
		{id + "x", id + "x", "no id: too long"},
		{"0190a0b0-c1d2-4e3f-8a9b-0123456789ab", "<uuid 3>", "a UUID is no id"},
		{"100.64.100.109|/ok", "203.0.113.7|/ok", "the client's address"},
		{"100.65.100.109", "100.65.100.109", "another address"},
		{"1970-01-01T00:00:00.000Z", "1970-01-01T00:00:00.000Z", "a time that is far away"},
		{strings.Repeat("0", 32) + ":" + strings.Repeat("a", 128), "<scrypt hash>", "a hash"},
	} {
		if got := w.text(test.text); got != test.want {
			t.Errorf("%s: %s, want %s", test.reason, got, test.want)
		}
	}
}

// No client is taken for another: addresses are replaced wherever they stand.
func TestNewAddress(t *testing.T) {
	first := newAddress()
	for range 1000 {
		if next := newAddress(); strings.HasPrefix(next, first) || strings.HasPrefix(first, next) {
			t.Fatalf("%s and %s", first, next)
		}
	}
}

// What a browser does with cookies.
func TestJar(t *testing.T) {
	var j jar
	j.take([]string{"a.session_token=1; Path=/", "b=2; Max-Age=60", "c=3"})
	j.take([]string{"b=; Max-Age=0; Path=/", "a.session_token=4; HttpOnly"})
	if got := j.header(); got != "c=3; a.session_token=4" {
		t.Errorf("after Set-Cookie: %s", got)
	}
	j.tamper("session_token")
	j.set("d", "5")
	j.set("c", "6")
	j.drop("session_token")
	j.tamper("nothing")
	if got := j.header(); got != "c=6; d=5" {
		t.Errorf("after changes: %s", got)
	}
}
