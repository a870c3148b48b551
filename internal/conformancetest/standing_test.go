package conformancetest

import (
	"slices"
	"strings"
	"sync/atomic"
)

// A standing difference is one of docs/differences.md that shows in every step of
// a kind.
type standing struct {
	row      string
	variants []string
	concerns func(s *step) bool
	lines    []string
	used     atomic.Bool
}

var standings = []*standing{
	{
		row: "`get-session` answered from the cookie cache", variants: []string{"cache-*"},
		concerns: func(s *step) bool { return s.endpoint() == "getSession" },
		lines:    []string{"* body in another order", "* value in another order"},
	},
	{
		row: "status of a direct call", variants: []string{"*"},
		concerns: func(s *step) bool { return s.verb == "call" && strings.Contains(s.rest, "returnStatus") },
		lines:    []string{"+ status 200"},
	},
}

// withoutStanding takes the standing differences away.
func (v *variant) withoutStanding(s *step, difference []string) []string {
	for _, d := range standings {
		if !v.matches(d.variants) || !d.concerns(s) {
			continue
		}
		before := len(difference)
		difference = slices.DeleteFunc(difference, func(line string) bool { return slices.Contains(d.lines, line) })
		if len(difference) < before {
			d.used.Store(true)
		}
	}
	return difference
}
