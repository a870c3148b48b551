package conformancetest

import (
	"flag"
	"hash/crc32"
	"math/rand/v2"
	"os"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/seed3b05b409/auth"
)

// showFlag prints what the sites say, for those who write cases.
var showFlag = flag.Bool("show", false, "print what the original says in each step (with -v)")

// variantsFlag keeps a run short: three hundred cases have five to thirty-five variants,
// and take longer than the thirteen hundred others.
var variantsFlag = flag.Int("variants", 1, "in how many of the variants with many cases a case runs; 0: in all")

// manyCases is how many a variant has that need not run all of them.
const manyCases = 20

// The promise: who knows the original cannot tell it from this library, but for
// what docs/differences.md names.
func TestConformance(t *testing.T) {
	cases := scenarios(t)
	t.Run("variants", func(t *testing.T) {
		for _, v := range variants {
			t.Run(v.name, func(t *testing.T) {
				t.Parallel()
				for _, s := range cases {
					if s.runsIn(v) {
						t.Run(s.String(), func(t *testing.T) {
							t.Parallel()
							for _, finding := range s.compare(t, v, nil) {
								t.Error(finding)
							}
						})
					}
				}
			})
		}
	})
	if flag.Lookup("test.run").Value.String() != "" || underRace {
		return // some cases have not run
	}
	for _, d := range standings {
		if !d.used.Load() {
			t.Errorf("nothing shows the standing difference %q", d.row)
		}
	}
	for _, l := range leniencies {
		if !l.used.Load() {
			t.Errorf("nothing shows that %s", l.reason)
		}
	}
}

// racing are the files that go through everything once.
var racing = []string{"endpoints", "session", "options", "hook_order", "revoke", "oauth_calls"}

func (s *scenario) runsIn(v *variant) bool {
	if underRace {
		return slices.Contains(racing, s.file) && len(s.runs) > 0 && s.runs[0] == v
	}
	return slices.Contains(s.runs, v)
}

// choose gives every case the variants that it runs in: those with few cases, and some of
// the others, which are not the same for all cases.
func choose(cases []*scenario) {
	counts := make(map[*variant]int)
	for _, s := range cases {
		s.runs = slices.DeleteFunc(slices.Clone(variants), func(v *variant) bool { return !v.matches(s.variants) })
		for _, v := range s.runs {
			counts[v]++
		}
	}
	if *variantsFlag <= 0 {
		return
	}
	for _, s := range cases {
		random := rand.New(rand.NewPCG(uint64(crc32.ChecksumIEEE([]byte(s.String()))), 1))
		random.Shuffle(len(s.runs), func(i, j int) { s.runs[i], s.runs[j] = s.runs[j], s.runs[i] })
		left := *variantsFlag
		s.runs = slices.DeleteFunc(s.runs, func(v *variant) bool {
			if counts[v] < manyCases {
				return false
			}
			left--
			return left < 0
		})
	}
}

// Every endpoint of the core has cases, over HTTP and called directly.
func TestEveryEndpointHasCases(t *testing.T) {
	counts, runs := make(map[string]*count), 0
	for _, operation := range operations() {
		counts[operation.Name()] = &count{}
	}
	cases := scenarios(t)
	for _, s := range cases {
		n := s.times()
		runs += n
		counted := make(map[string]bool)
		for _, step := range s.steps {
			c := counts[step.endpoint()]
			if c == nil {
				continue
			}
			if !counted[step.endpoint()] {
				counted[step.endpoint()] = true
				c.cases++
			}
			if step.verb == "call" {
				c.calls += n
			} else {
				c.requests += n
			}
		}
	}
	t.Logf("%d cases, run %d times in %d variants", len(cases), runs, len(variants))
	for _, operation := range operations() {
		c := counts[operation.Name()]
		t.Logf("%-28s %4d cases %5d requests %5d direct calls", operation.Name(), c.cases, c.requests, c.calls)
		if c.calls == 0 || c.requests == 0 && operation.Path() != "" {
			t.Errorf("%s: %d requests and %d direct calls", operation.Name(), c.requests, c.calls)
		}
	}
	for _, v := range variants {
		if !slices.ContainsFunc(cases, func(s *scenario) bool { return slices.Contains(s.runs, v) }) {
			t.Errorf("the variant %s has no cases", v.name)
		}
	}
}

// count is of the cases that concern an endpoint, and of its requests and direct
// calls in all variants.
type count struct{ cases, requests, calls int }

// times is the number of variants that a case runs in.
func (s *scenario) times() int { return len(s.runs) }

// What differs stands in the documentation.
func TestDifferencesAreDocumented(t *testing.T) {
	text, err := os.ReadFile("../../docs/differences.md")
	if err != nil {
		t.Fatal(err)
	}
	documented := func(row string) bool { return strings.Contains(string(text), "\n| "+row+" |") }
	for _, s := range scenarios(t) {
		for _, step := range s.steps {
			for _, w := range step.wanted {
				if !documented(w.row) {
					t.Errorf("%v: %v: differences.md has no row %q", s, step, w.row)
				}
				if len(w.lines) == 0 {
					t.Errorf("%v: %v: no line follows ~ %s", s, step, w.row)
				}
			}
		}
	}
	for _, d := range standings {
		if !documented(d.row) {
			t.Errorf("differences.md has no row %q", d.row)
		}
	}
}

// operations are those of the core and of all plugins.
var operations = sync.OnceValue(func() (all []auth.Operation) {
	seen := make(map[string]bool)
	for _, v := range append([]*variant{{name: "core"}}, pluginVariants...) {
		for _, operation := range v.operations() {
			if !seen[operation.Name()] {
				seen[operation.Name()] = true
				all = append(all, operation)
			}
		}
	}
	return all
})

// endpoint is the name of the operation that a step is about, or "".
func (s *step) endpoint() string {
	switch s.verb {
	case "join":
		return "signUpEmail"
	case "flow":
		return "signInSocial"
	case "link":
		return "linkSocialAccount"
	case "call":
		name, _, _ := strings.Cut(s.rest, " ")
		return name
	}
	path, _, _ := strings.Cut(s.rest, " ")
	path, _, _ = strings.Cut(path, "?")
	for _, r := range routes() {
		if r.method == s.verb && r.path.MatchString(path) {
			return r.name
		}
	}
	return ""
}

// A route is where an operation is.
type route struct {
	method string
	path   *regexp.Regexp
	name   string
}

var parameter = regexp.MustCompile(`:\w+`)

// routes are those of the core and of all plugins, paths without parameters first.
var routes = sync.OnceValue(func() (static []route) {
	var patterns []route
	seen := make(map[string]bool)
	for _, v := range append([]*variant{{name: "core"}}, pluginVariants...) {
		for _, operation := range v.operations() {
			for _, method := range operation.Methods() {
				where := method + " " + operation.Path()
				if operation.Path() == "" || seen[where] {
					continue
				}
				seen[where] = true
				expr := parameter.ReplaceAllString(operation.Path(), `[^/]+`)
				r := route{method, regexp.MustCompile(`^` + expr + `$`), operation.Name()}
				if expr == operation.Path() {
					static = append(static, r)
				} else {
					patterns = append(patterns, r)
				}
			}
		}
	}
	return append(static, patterns...)
})

// operations are those of a variant.
func (v *variant) operations() []auth.Operation {
	config := v.configuration(&ours{storage: &storage{}})
	config.Store, config.Providers = auth.NewMemoryStore(), nil // there are no servers yet
	a, err := auth.New(config)
	if err != nil {
		panic(err)
	}
	return a.API.Operations()
}
