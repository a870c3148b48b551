package providertest

import (
	"strings"
	"testing"
)

// Every provider as it should be, with one thing in the profile or in the tokens
// that is not, and with options.
func TestProviders(t *testing.T) {
	meant, n := newExplained(), 0
	for i := range specs {
		s := &specs[i]
		flows := append([]flow{s.flow()}, s.variants()...)
		if s.name == "" {
			flows = append(flows, s.tokenVariants()...)
		}
		for j := range options {
			if options[j].has(s.id) && s.name == "" {
				flows = append(flows, s.with(&options[j]))
			}
		}
		for j := range flows {
			flows[j].compare(t, meant)
		}
		n += len(flows)
	}
	meant.check(t)
	t.Logf("%d flows", n)
}

func (f *flow) compare(t *testing.T, meant *explained) {
	t.Helper()
	ours := f.runOurs(t)
	theirs := f.runTheirs(t, &ours)
	for _, difference := range f.differences(&ours, &theirs) {
		if meant.explain(f.name, difference) == "" {
			t.Errorf("%s: %s", f.name, strings.ReplaceAll(difference, "\n", "\n  "))
		}
	}
}

// The specs name every provider.
func TestSpecs(t *testing.T) {
	seen := make(map[string]bool)
	for i := range specs {
		seen[specs[i].id] = true
	}
	for id := range tokenURLs {
		if !seen[id] {
			t.Errorf("there is no spec of %s", id)
		}
	}
}
