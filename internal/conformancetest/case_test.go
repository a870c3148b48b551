package conformancetest

import (
	"embed"
	"fmt"
	"path"
	"slices"
	"strings"
	"testing"
)

//go:embed testdata/*.txt
var testdata embed.FS

// A scenario is a case of testdata.
type scenario struct {
	file, title string
	variants    []string   // patterns
	runs        []*variant // those of them that are chosen
	steps       []*step
}

func (s *scenario) String() string { return s.file + ": " + s.title }

// A step is something that a browser, or the test itself, does.
type step struct {
	line    int
	browser string // "" unless it is named
	verb    string
	rest    string
	headers []string // "Name: value" or "-Name"
	wanted  []*wanted
}

func (s *step) String() string {
	text := fmt.Sprintf("line %d: %s %s", s.line, s.verb, s.rest)
	if len(text) > 200 {
		text = text[:200] + "…"
	}
	return text
}

// who is the browser that a step is by.
func (s *step) who() string {
	if s.browser == "" {
		return "me"
	}
	return s.browser
}

// wanted is a difference that docs/differences.md explains.
type wanted struct {
	row      string
	variants string   // a pattern, or "" for all
	lines    []string // "- …" and "+ …"
}

func (w *wanted) applies(v *variant) bool {
	return w.variants == "" || v.matches(strings.Fields(w.variants))
}

// The verbs beside the methods of HTTP, which are in capitals.
var verbs = []string{"join", "flow", "link", "says", "call", "drop", "tamper", "set", "copy", "age", "sql", "keep"}

// scenarios reads the cases of all files.
func scenarios(t testing.TB) (all []*scenario) {
	t.Helper()
	entries, err := testdata.ReadDir("testdata")
	if err != nil {
		t.Fatal(err)
	}
	for _, entry := range entries {
		text, err := testdata.ReadFile(path.Join("testdata", entry.Name()))
		if err != nil {
			t.Fatal(err)
		}
		cases, err := parse(strings.TrimSuffix(entry.Name(), ".txt"), string(text))
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, cases...)
	}
	choose(all)
	return all
}

// parse reads the cases of one file.
func parse(file, text string) (cases []*scenario, err error) {
	p := parser{file: file, titles: make(map[string]bool)}
	for i, line := range strings.Split(text, "\n") {
		if err := p.take(i+1, strings.TrimRight(line, " \t\r")); err != nil {
			return nil, fmt.Errorf("%s.txt:%d: %w", file, i+1, err)
		}
	}
	return p.cases, nil
}

type parser struct {
	file     string
	variants []string
	titles   map[string]bool
	cases    []*scenario
	want     *wanted
}

func (p *parser) scenario() *scenario {
	if len(p.cases) == 0 {
		return nil
	}
	return p.cases[len(p.cases)-1]
}

func (p *parser) step() *step {
	c := p.scenario()
	if c == nil || len(c.steps) == 0 {
		return nil
	}
	return c.steps[len(c.steps)-1]
}

func (p *parser) take(number int, line string) error {
	word, rest, _ := strings.Cut(line, " ")
	rest = strings.TrimLeft(rest, " ")
	switch {
	case line == "" || line[0] == '#':
		return nil
	case word == "==":
		return p.begin(rest)
	case word == "variants":
		return p.setVariants(strings.Fields(rest))
	case p.scenario() == nil:
		return fmt.Errorf("%q before the first case", line)
	case line[0] == ' ' || line[0] == '\t':
		return p.header(strings.TrimSpace(line))
	case word == "~":
		return p.wantDifference(rest)
	case word == "-" || word == "+" || word == "*":
		if p.want == nil {
			return fmt.Errorf("%q follows no ~", line)
		}
		p.want.lines = append(p.want.lines, line)
		return nil
	}
	return p.begunStep(number, word, rest)
}

func (p *parser) begin(title string) error {
	if title == "" || p.titles[title] {
		return fmt.Errorf("the title %q is empty or that of another case", title)
	}
	p.titles[title], p.want = true, nil
	p.cases = append(p.cases, &scenario{file: p.file, title: title, variants: p.variants})
	return nil
}

func (p *parser) setVariants(patterns []string) error {
	for _, pattern := range patterns {
		if !known(pattern) {
			return fmt.Errorf("no variant is called %s", pattern)
		}
	}
	if c := p.scenario(); c != nil {
		c.variants = patterns
	} else {
		p.variants = patterns
	}
	return nil
}

func (p *parser) begunStep(number int, word, rest string) error {
	s := &step{line: number, verb: word, rest: rest}
	if name, named := strings.CutSuffix(word, ":"); named {
		s.browser = name
		s.verb, s.rest, _ = strings.Cut(rest, " ")
		s.rest = strings.TrimLeft(s.rest, " ")
	}
	if s.verb == "" || strings.ToUpper(s.verb) != s.verb && !slices.Contains(verbs, s.verb) {
		return fmt.Errorf("%q is no step", s.verb)
	}
	p.want = nil
	p.scenario().steps = append(p.scenario().steps, s)
	return nil
}

func (p *parser) header(line string) error {
	s := p.step()
	if s == nil || line[0] != '-' && !strings.Contains(line, ":") {
		return fmt.Errorf("%q is no header of a step", line)
	}
	s.headers = append(s.headers, line)
	return nil
}

func (p *parser) wantDifference(rest string) error {
	s := p.step()
	if s == nil {
		return fmt.Errorf("~ follows no step")
	}
	p.want = &wanted{row: rest}
	if after, limited := strings.CutPrefix(rest, "["); limited {
		variants, row, closed := strings.Cut(after, "] ")
		if !closed {
			return fmt.Errorf("~ %s: the bracket is open", rest)
		}
		p.want.variants, p.want.row = variants, row
	}
	s.wanted = append(s.wanted, p.want)
	return nil
}
