package conformancetest

import (
	"encoding/json"
	"fmt"
	"reflect"
	"regexp"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
)

// compare runs a case on both sites and returns the differences that nothing
// explains, and the explanations that explain nothing.
func (s *scenario) compare(t testing.TB, v *variant, broken *sabotage) (findings []string) {
	t.Helper()
	client := newAddress()
	atTheirs, atOurs := v.newProvider(t), v.newProvider(t)
	theirs := newRun(t, v, serveOriginal(t, v, atTheirs), atTheirs, client)
	library := serveOurs(t, v, atOurs, broken)
	ours := newRun(t, v, library, atOurs, client)
	for _, step := range s.steps {
		a, b := theirs.do(step), ours.do(step)
		difference := v.withoutStanding(step, diff(a, b))
		if wanted := step.wantedIn(v); !explained(difference, wanted) {
			findings = append(findings, report(step, difference, wanted))
		}
		for _, finding := range library.takeFindings() {
			findings = append(findings, fmt.Sprintf("%v: the document: %s", step, finding))
		}
		if testing.Verbose() && *showFlag {
			t.Logf("%v\n    %s", step, strings.Join(a, "\n    "))
		}
	}
	return findings
}

var lastAddress atomic.Int32

// newAddress is that of a client who has not been here yet: the original counts
// requests by address, for all instances of a process together. None is the
// beginning of another.
func newAddress() string {
	n := lastAddress.Add(1)
	return fmt.Sprintf("100.64.%d.%d", 100+n/100, 100+n%100)
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
		if !stands(wanted[i], line) {
			return false
		}
	}
	return true
}

// stands reports whether a wanted line stands for another, … being any text.
func stands(wanted, line string) bool {
	pattern := strings.ReplaceAll(regexp.QuoteMeta(wanted), "…", ".*")
	matched, err := regexp.MatchString("^(?s:"+pattern+")$", line)
	return matched && err == nil
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

// reordered replaces pairs of lines that say the same in JSON: in a run of lines
// of one side and then of the other, the first with the first and so on.
func reordered(lines []string) (shorter []string) {
	for len(lines) > 0 {
		removed := prefixed(lines, '-')
		added := prefixed(lines[len(removed):], '+')
		if len(removed)+len(added) == 0 {
			return append(shorter, lines...)
		}
		lines = lines[len(removed)+len(added):]
		pairs := min(len(removed), len(added))
		var left, right []string
		for i := range pairs {
			if how := sameJSON(removed[i][2:], added[i][2:]); how != "" {
				kind, _, _ := strings.Cut(removed[i][2:], " ")
				shorter = append(shorter, "* "+kind+" "+how)
			} else {
				left, right = append(left, removed[i]), append(right, added[i])
			}
		}
		shorter = slices.Concat(shorter, left, removed[pairs:], right, added[pairs:])
	}
	return shorter
}

// prefixed are the first lines that begin with a sign.
func prefixed(lines []string, sign byte) []string {
	n := 0
	for n < len(lines) && lines[n][0] == sign {
		n++
	}
	return lines[:n]
}

// sameJSON says how the JSON in two lines differs that says the same, or "".
func sameJSON(a, b string) (how string) {
	if a == b {
		return "in another place"
	}
	left, leftRest, leftOK := cutJSON(a)
	right, rightRest, rightOK := cutJSON(b)
	switch {
	case !leftOK || !rightOK || leftRest != rightRest:
		return ""
	case reflect.DeepEqual(left, right):
		return "in another order"
	case reflect.DeepEqual(withoutNull(left), withoutNull(right)):
		return "with other members that are null"
	}
	return ""
}

// cutJSON splits a line into its JSON and the rest.
func cutJSON(line string) (value any, rest string, ok bool) {
	start, end := strings.IndexAny(line, "{["), strings.LastIndexAny(line, "}]")
	if start < 0 || end < start || json.Unmarshal([]byte(line[start:end+1]), &value) != nil {
		return nil, "", false
	}
	return value, line[:start] + line[end+1:], true
}

func withoutNull(value any) any {
	switch v := value.(type) {
	case map[string]any:
		rest := make(map[string]any)
		for key, member := range v {
			if member != nil {
				rest[key] = withoutNull(member)
			}
		}
		return rest
	case []any:
		rest := make([]any, len(v))
		for i, element := range v {
			rest[i] = withoutNull(element)
		}
		return rest
	}
	return value
}
