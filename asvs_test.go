package auth_test

import (
	"context"
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/seed3b05b409/auth"
)

// asvsRequirements is how many requirements each section of a chapter of OWASP ASVS
// 5.0.0 has, as far as docs/asvs.md covers it. All are numbered from one.
var asvsRequirements = map[int][]int{
	1:  {2, 10, 12, 3, 3},
	2:  {3, 3, 5, 2},
	3:  {1, 3, 5, 8, 8, 1, 5},
	4:  {5, 5, 2, 4},
	6:  {3, 12, 8, 6, 8, 4, 2, 4},
	7:  {3, 4, 2, 5, 3, 2},
	8:  {4, 4, 3, 2},
	9:  {3, 4},
	10: {2, 3, 5, 16, 5, 2, 3},
	11: {4, 5, 5, 4, 2, 2, 2},
	12: {5, 2, 5},
	13: {4, 6, 4, 7},
	14: {2, 8, 3},
	16: {1, 5, 4, 3, 4},
}

// asvsVerdicts are the words that a row may have.
var asvsVerdicts = []string{"met by default", "met in strict mode", "the application's part", "not met", "not this library"}

// An asvsRow is a row of docs/asvs.md.
type asvsRow struct {
	id, verdict, how string
	tests            []string
}

func asvsRows(t *testing.T) []asvsRow {
	t.Helper()
	var rows []asvsRow
	for _, cells := range regexp.MustCompile(`(?m)^\| (\d+\.\d+\.\d+) \| ([123]) \| ([^|]+) \| ([^|]+) \|([^|]*)\|([^|]*)\|$`).FindAllStringSubmatch(readText(t, "docs/asvs.md"), -1) {
		rows = append(rows, asvsRow{cells[1], cells[4], cells[5], asvsTest.FindAllString(cells[5]+cells[6], -1)})
	}
	return rows
}

var asvsTest = regexp.MustCompile(`(?:[a-z]+\.)?Test[A-Z]\w*`)

// TestASVSRowsAreComplete: each requirement of the chapters is there once, in the order
// of the standard, with one of five verdicts.
func TestASVSRowsAreComplete(t *testing.T) {
	var want, got []string
	for _, chapter := range slices.Sorted(maps.Keys(asvsRequirements)) {
		for section, count := range asvsRequirements[chapter] {
			for n := range count {
				want = append(want, fmt.Sprintf("%d.%d.%d", chapter, section+1, n+1))
			}
		}
	}
	for _, row := range asvsRows(t) {
		got = append(got, row.id)
		if !slices.Contains(asvsVerdicts, row.verdict) {
			t.Errorf("%s is %q", row.id, row.verdict)
		}
	}
	for i := range max(len(want), len(got)) {
		switch {
		case i >= len(got):
			t.Fatalf("%s is missing", want[i])
		case i >= len(want), got[i] != want[i]:
			t.Fatalf("%s is not the requirement that comes next: %v", got[i], want[min(i, len(want)):])
		}
	}
}

// TestASVSTestsExist: what is met has a test that says so, and every test that the page
// names is there, in the root or in the module that it names.
func TestASVSTestsExist(t *testing.T) {
	written := map[string][]string{"": testNames(t, ".", "Test"), "example": testNames(t, "example", "Test")}
	for _, row := range asvsRows(t) {
		if strings.HasPrefix(row.verdict, "met") && len(row.tests) == 0 {
			t.Errorf("%s is %s, and no test shows it", row.id, row.verdict)
		}
	}
	named := asvsTest.FindAllString(readText(t, "docs/asvs.md"), -1)
	for _, name := range named {
		module, test, nested := strings.Cut(name, ".")
		if !nested {
			module, test = "", name
		}
		if written[module] == nil {
			written[module] = testNames(t, "internal/"+module, "Test")
		}
		if !slices.Contains(written[module], test) && test != "TestASVS" && test != "TestStrict" { // the last two are a pattern
			t.Errorf("docs/asvs.md names %s, which does not exist", name)
		}
	}
	if len(named) < 300 {
		t.Errorf("the page names %d tests", len(named))
	}
}

// TestASVSRowsSayHow: whoever reads that something is met in strict mode reads by which
// option or which code; what is not met has a reason.
func TestASVSRowsSayHow(t *testing.T) {
	for _, row := range asvsRows(t) {
		switch {
		case row.verdict == "met in strict mode" && !strings.Contains(row.how, "`"):
			t.Errorf("%s names no option", row.id)
		case row.verdict != "met by default" && strings.TrimSpace(row.how) == "":
			t.Errorf("%s is %s and does not say why", row.id, row.verdict)
		}
	}
}

// TestWaysToSignIn: docs/asvs.md lists every endpoint of the core and of all plugins
// that begins a session, or leads to one.
func TestWaysToSignIn(t *testing.T) {
	a, err := auth.New(auth.Config{
		BaseURL: "https://example.com", Secret: strings.Repeat("s", 32), Store: auth.NewMemoryStore(),
		Plugins: []auth.Plugin{
			&auth.TwoFactor{}, &auth.Username{}, &auth.Bearer{}, &auth.JWT{}, &auth.MultiSession{}, &auth.OneTimeToken{}, &auth.EmailOTP{},
			&auth.MagicLink{Send: func(context.Context, auth.MagicLinkMail) error { return nil }},
		},
	})
	if err != nil {
		t.Fatal(err)
	}
	_, section, _ := strings.Cut(readText(t, "docs/asvs.md"), "\n## Ways to sign in\n")
	section, _, _ = strings.Cut(section, "\n## ")
	var listed, there []string
	for _, row := range regexp.MustCompile(`(?m)^\| ([^|]+) \|`).FindAllStringSubmatch(section, -1) {
		for _, path := range regexp.MustCompile("`(/[^`]+)`").FindAllStringSubmatch(row[1], -1) {
			listed = append(listed, path[1])
		}
	}
	begins := regexp.MustCompile(`^/(sign-in|sign-up|callback|magic-link|one-time-token|multi-session/set-active|two-factor/verify|verify-email|email-otp/verify-email)`)
	for _, op := range a.API.Operations() {
		if begins.MatchString(op.Path()) {
			there = append(there, op.Path())
		}
	}
	slices.Sort(listed)
	slices.Sort(there)
	if !slices.Equal(listed, there) {
		t.Errorf("the page lists\n%v\nthere are\n%v", listed, there)
	}
}
