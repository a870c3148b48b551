package conformancetest

import (
	"fmt"
	"strings"
	"testing"
	"time"
)

// A run takes one site through the steps of a case and writes down what it says
// and does.
type run struct {
	t       testing.TB
	variant *variant
	site    site
	words   *words

	provider *provider // nil if the variant has none

	jars map[string]*jar
	last []byte // the last answer
	mail event  // the newest
	kept map[string]string

	database *watcher // nil without one
	rows     []row
	storage  []entry
}

func newRun(t testing.TB, v *variant, s site, p *provider, address string) *run {
	r := &run{
		t: t, variant: v, site: s, provider: p,
		words: &words{t: t, variant: v, provider: p, address: address, labels: make(map[string]string), began: time.Now()},
		jars:  make(map[string]*jar), kept: make(map[string]string), database: watch(t, s.database()),
	}
	if r.database != nil {
		r.words.rows = r.database.rows
	}
	r.look()
	return r
}

// look remembers the rows as they are.
func (r *run) look() {
	if r.database != nil && r.database.changed() {
		r.rows = r.database.rows()
	}
}

func (r *run) jar(name string) *jar {
	if r.jars[name] == nil {
		r.jars[name] = &jar{}
	}
	return r.jars[name]
}

// do runs a step and returns what came of it, in lines.
func (r *run) do(s *step) []string {
	r.words.begin()
	lines := r.act(s)
	return append(lines, r.effects(s)...)
}

func (r *run) act(s *step) []string {
	who := s.who()
	rest := r.expand(who, s.rest)
	j := r.jar(who)
	switch s.verb {
	case "join":
		return r.request(s, "POST", "/sign-up/email", fmt.Sprintf(`{"name":%q,"email":"%s@example.com","password":"correct horse"}`, capital(who), who))
	case "flow":
		return r.flow(s, "/sign-in/social", rest)
	case "link":
		return r.flow(s, "/link-social", rest)
	case "says":
		r.provider.says(rest)
	case "call":
		return r.call(s, rest)
	case "drop":
		j.drop(rest)
	case "tamper":
		j.tamper(rest)
	case "set":
		name, value, _ := strings.Cut(rest, "=")
		j.set(name, value)
	case "copy":
		j.cookies = nil
		for _, c := range r.jar(rest).cookies {
			j.set(c.name, c.text)
		}
	case "age":
		r.age(j, rest)
	case "sql":
		if _, err := r.site.database().Exec(rest); err != nil {
			r.t.Fatalf("%v: %v", s, err)
		}
		r.look()
	case "keep":
		name, value, _ := strings.Cut(rest, "=")
		r.kept[strings.TrimSpace(name)] = strings.TrimSpace(value)
	default:
		path, body, _ := strings.Cut(rest, " ")
		return r.request(s, s.verb, path, body)
	}
	return nil
}

func capital(name string) string { return strings.ToUpper(name[:1]) + name[1:] }

// age makes the copy of a session older by a duration.
func (r *run) age(j *jar, duration string) {
	d, err := time.ParseDuration(duration)
	if err != nil {
		r.t.Fatal(err)
	}
	c := j.find("session_data")
	if c == nil {
		return
	}
	var aged struct{ Value string }
	theOriginal(r.t).Ask(r.t, "age", object{
		"strategy": r.variant.strategy(), "value": c.text, "secret": r.variant.keys()[0], "seconds": int(d / time.Second),
	}, &aged)
	c.text = aged.Value
}
