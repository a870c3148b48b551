package conformancetest

import (
	"encoding/json"
	"fmt"
	"net/http"
	"reflect"
	"regexp"
	"strings"
	"testing"
)

// compare runs a case on both sites and returns the differences that nothing
// explains, and the explanations that explain nothing.
func (s *scenario) compare(t testing.TB, v *variant, sabotage func(http.Handler) http.Handler) (findings []string) {
	t.Helper()
	theirs, ours := newRun(t, v, serveOriginal(t, v)), newRun(t, v, serveOurs(t, v, sabotage))
	for _, step := range s.steps {
		a, b := theirs.do(step), ours.do(step)
		difference := v.withoutStanding(step, diff(a, b))
		if wanted := step.wantedIn(v); !explained(difference, wanted) {
			findings = append(findings, report(step, difference, wanted))
		}
		if testing.Verbose() && *showFlag {
			t.Logf("%v\n    %s", step, strings.Join(a, "\n    "))
		}
	}
	return findings
}

// wantedIn are the differences of a step that are wanted in a variant.
func (s *step) wantedIn(v *variant) (lines []string) {
	for _, w := range s.wanted {
		if w.applies(v) {
			lines = append(lines, w.lines...)
		}
	}
	return lines
}

func report(s *step, difference, wanted []string) string {
	text := fmt.Sprintf("%v: the original (-) and this library (+):\n  %s", s, strings.Join(difference, "\n  "))
	if len(difference) == 0 {
		text = fmt.Sprintf("%v: no difference", s)
	}
	if len(wanted) > 0 {
		text += "\nwanted:\n  " + strings.Join(wanted, "\n  ")
	}
	return text
}

// explained reports whether a difference is the wanted one, line by line.
func explained(difference, wanted []string) bool {
	if len(difference) != len(wanted) {
		return false
	}
	for i, line := range difference {
		pattern := strings.ReplaceAll(regexp.QuoteMeta(wanted[i]), "…", ".*")
		if matched, err := regexp.MatchString("^(?s:"+pattern+")$", line); !matched || err != nil {
			return false
		}
	}
	return true
}

// diff returns the lines that only one side has, in order. Two bodies that differ
// in the order of their members only are one line.
func diff(a, b []string) (lines []string) {
	common := longest(a, b)
	for len(a) > 0 || len(b) > 0 {
		switch {
		case len(common) > 0 && len(a) > 0 && a[0] != common[0]:
			lines, a = append(lines, "- "+a[0]), a[1:]
		case len(common) > 0 && len(b) > 0 && b[0] != common[0]:
			lines, b = append(lines, "+ "+b[0]), b[1:]
		case len(common) > 0:
			a, b, common = a[1:], b[1:], common[1:]
		case len(a) > 0:
			lines, a = append(lines, "- "+a[0]), a[1:]
		default:
			lines, b = append(lines, "+ "+b[0]), b[1:]
		}
	}
	return reordered(lines)
}

// longest is a longest common subsequence.
func longest(a, b []string) []string {
	lengths := make([][]int, len(a)+1)
	for i := range lengths {
		lengths[i] = make([]int, len(b)+1)
	}
	for i := len(a) - 1; i >= 0; i-- {
		for j := len(b) - 1; j >= 0; j-- {
			if a[i] == b[j] {
				lengths[i][j] = lengths[i+1][j+1] + 1
			} else {
				lengths[i][j] = max(lengths[i+1][j], lengths[i][j+1])
			}
		}
	}
	var common []string
	for i, j := 0, 0; i < len(a) && j < len(b); {
		switch {
		case a[i] == b[j]:
			common = append(common, a[i])
			i, j = i+1, j+1
		case lengths[i+1][j] >= lengths[i][j+1]:
			i++
		default:
			j++
		}
	}
	return common
}

// reordered replaces pairs of lines whose JSON is equal.
func reordered(lines []string) (shorter []string) {
	for i := 0; i < len(lines); i++ {
		if i+1 < len(lines) && strings.HasPrefix(lines[i], "- ") && strings.HasPrefix(lines[i+1], "+ ") && sameJSON(lines[i][2:], lines[i+1][2:]) {
			kind, _, _ := strings.Cut(lines[i][2:], " ")
			shorter = append(shorter, "* "+kind+" in another order")
			i++
			continue
		}
		shorter = append(shorter, lines[i])
	}
	return shorter
}

func sameJSON(a, b string) bool {
	kind, a, _ := strings.Cut(a, " ")
	other, b, _ := strings.Cut(b, " ")
	var left, right any
	return kind == other && json.Unmarshal([]byte(a), &left) == nil && json.Unmarshal([]byte(b), &right) == nil && reflect.DeepEqual(left, right)
}
