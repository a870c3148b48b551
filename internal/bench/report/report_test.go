package main

import (
	"bytes"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// parse reads lines of benchmarks.
func parse(t *testing.T, lines string) *results {
	t.Helper()
	r, err := read(strings.NewReader(lines), "test")
	if err != nil {
		t.Fatal(err)
	}
	return r
}

const recorded = `go: go1.26.8
cores: 2
node: v20.20.2
date: 2026-11-27
goos: linux
goarch: amd64
cpu: AMD EPYC
BenchmarkThing/by_hand-2         	 100	     1000 ns/op	    64 B/op	 3 allocs/op
BenchmarkThing/by_hand-2         	 100	     3000 ns/op	    64 B/op	 3 allocs/op
some line of a server
BenchmarkThing/by_hand-2         	 100	     2000 ns/op	    64 B/op	 3 allocs/op
BenchmarkThing/auth-2            	 100	     1234567 ns/op	    1100 B/op	 7 allocs/op
BenchmarkThing/one_processor     	   3	     107.5 rss-MB	  2500 server-ns/op
PASS
ok  	github.com/seed3b05b409/auth/internal/bench	4.858s
`

func TestRead(t *testing.T) {
	r := parse(t, recorded)
	for _, test := range []struct {
		benchmark, unit string
		want            float64
	}{
		{"Thing/by hand", "ns/op", 2000},
		{"Thing/auth", "allocs/op", 7},
		{"Thing/one processor", "rss-MB", 107.5}, // not in bytes
		{"Thing/one processor", "server-ns/op", 2500},
	} {
		if got, ok := r.median(test.benchmark, test.unit); !ok || got != test.want {
			t.Errorf("%s: %v %s, %v, want %v", test.benchmark, got, test.unit, ok, test.want)
		}
	}
	if _, ok := r.median("Thing/auth", "rss-MB"); ok {
		t.Error("a unit that was not measured has a median")
	}
	if got, want := r.machine(), "go1.26.8, linux/amd64, AMD EPYC, 2 cores, node v20.20.2, 2026-11-27, medians of 3 runs."; got != want {
		t.Errorf("%q, want %q", got, want)
	}
	for _, text := range []string{"", "PASS\n", "BenchmarkThing 100 fast ns/op\n"} {
		if _, err := read(strings.NewReader(text), "test"); err == nil {
			t.Errorf("%q: no error", text)
		}
	}
}

func TestTable(t *testing.T) {
	thing := table{
		head:    []string{"a thing"},
		rows:    each("Thing", "by hand", "missing", "auth"),
		columns: []column{timeEach, times("times by hand", "ns/op", "by hand"), bytesEach, measured("empty", "MB/s", number)},
	}
	r := parse(t, recorded)
	want := `| a thing | time | times by hand | memory |
| --- | --: | --: | --: |
| by hand | 2 µs | 1 | 64 B |
| auth | 1.23 ms | 617 | 1,100 B |
`
	if got := thing.markdown(r); got != want {
		t.Errorf("%s\nwant\n%s", got, want)
	}
	if want := []string{"Thing/missing"}; !slices.Equal(r.missing, want) {
		t.Errorf("missing %q, want %q", r.missing, want)
	}
	thing.rows = each("Thing", "missing")
	if got := thing.markdown(r); got != "" {
		t.Errorf("a table without rows: %s", got)
	}
}

// TestRange: six runs are needed to say how sure a median is.
func TestRange(t *testing.T) {
	line, text := "BenchmarkThing/x 100 %d ns/op\n", ""
	for _, value := range []string{"100", "101", "102", "103", "104", "110"} {
		text += strings.ReplaceAll(line, "%d", value)
	}
	if got := timeEach.cell(parse(t, text), "Thing/x"); got != "103 ns ± 7%" {
		t.Error(got)
	}
	five := text[:strings.LastIndex(text, "BenchmarkThing")]
	if got := timeEach.cell(parse(t, five), "Thing/x"); got != "102 ns" {
		t.Error(got)
	}
}

func TestNumbers(t *testing.T) {
	for _, test := range []struct {
		write format
		value float64
		want  string
	}{
		{number, 0, "0"},
		{number, 0.012345, "0.012"},
		{number, 1.1499, "1.15"},
		{number, 99.96, "100"},
		{number, 1234567, "1,230,000"},
		{number, -7, "-7"},
		{count, 9999.5, "9,999.5"},
		{byteCount, 1024, "1,024 B"},
		{nanoseconds, 26.35, "26.4 ns"},
		{nanoseconds, 1234, "1.23 µs"},
		{microseconds, 1500, "1.5 ms"},
		{milliseconds, 2000, "2 s"},
		{fold, 0.75, "0.75×"},
		{percent, 12.34, "12.3 %"},
	} {
		if got := test.write(test.value); got != test.want {
			t.Errorf("%v: %q, want %q", test.value, got, test.want)
		}
	}
}

func TestBudgetTable(t *testing.T) {
	r := parse(t, recorded)
	got := budgetTable(r, []budget{
		{"held", atMost(2000, nanoseconds), of("Thing/by hand", "ns/op"), "Thing"},
		{"exceeded", atMost(1.5, fold), over(of("Thing/auth", "allocs/op"), of("Thing/by hand", "allocs/op")), "Thing"},
		{"enough", atLeast(4, count), minus(of("Thing/auth", "allocs/op"), of("Thing/by hand", "allocs/op")), "Thing"},
		{"too few", atLeast(4.5, count), minus(of("Thing/auth", "allocs/op"), of("Thing/by hand", "allocs/op")), "Thing"},
		{"unknown", atMost(1, count), largest(of("Thing/auth", "allocs/op"), of("Thing/missing", "allocs/op")), "Thing"},
	})
	want := "| what | budget | measured | held | `-bench` |\n" + `| --- | --- | --- | --- | --- |
| held | at most 2 µs | 2 µs | yes | ` + "`Thing`" + ` |
| exceeded | at most 1.5× | 2.33× | **no** | ` + "`Thing`" + ` |
| enough | at least 4 | 4 | yes | ` + "`Thing`" + ` |
| too few | at least 4.5 | 4 | **no** | ` + "`Thing`" + ` |
| unknown | at most 1 |  | not measured | ` + "`Thing`" + ` |
`
	if got != want {
		t.Errorf("%s\nwant\n%s", got, want)
	}
}

func TestFill(t *testing.T) {
	page := "a\n<!-- bench:begin x -->\nold\n<!-- bench:end x -->\nz\n"
	got, err := fill(page, map[string]string{"x": "new\n"})
	if want := "a\n<!-- bench:begin x -->\n\nnew\n\n<!-- bench:end x -->\nz\n"; err != nil || got != want {
		t.Errorf("%q, %v", got, err)
	}
	if again, err := fill(got, map[string]string{"x": "new\n"}); err != nil || again != got {
		t.Errorf("the second time: %q, %v", again, err)
	}
	for name, page := range map[string]string{
		"no marks":        "a\n",
		"no end":          "<!-- bench:begin x -->\n",
		"twice":           page + page,
		"another's marks": page + "<!-- bench:begin y -->\n<!-- bench:end y -->\n",
	} {
		if got, err := fill(page, map[string]string{"x": "new\n"}); err == nil {
			t.Errorf("%s: no error, %q", name, got)
		}
	}
}

// everything is an input with a value for every row.
const everything = "testdata/everything.txt"

// TestEverything: what the benchmarks print fills every part of the page, the same each
// time.
func TestEverything(t *testing.T) {
	c := command{input: everything, docs: copyOf(t, "../../../docs/"+pageName)}
	before := run(t, c)
	for name, content := range before {
		if len(content) > 100_000 {
			t.Errorf("%s has %d bytes", name, len(content))
		}
	}
	page := string(before[pageName])
	if i := strings.Index(page, "-->\n<!-- bench:end "); i >= 0 {
		t.Errorf("empty: %s", strings.TrimSpace(page[i:i+60]))
	}
	if strings.Contains(page, "not measured |") {
		t.Error("a budget was not measured")
	}
	for _, p := range plots {
		if svg := before[p.file()]; !bytes.Contains(svg, []byte("<svg")) || !bytes.Contains(svg, []byte(p.title)) {
			t.Errorf("%s: %.100q", p.file(), svg)
		}
	}
	if after := run(t, c); !maps.EqualFunc(before, after, bytes.Equal) {
		t.Error("the second time makes other files")
	}
}

// TestPage: docs/performance.md and its plots are what the report makes of
// docs/performance.txt, and nobody has changed a figure by hand.
func TestPage(t *testing.T) {
	docs := "../../../docs/"
	c := command{input: docs + "performance.txt", docs: copyOf(t, docs+pageName)}
	made := run(t, c)
	for name, content := range made {
		if there, err := os.ReadFile(docs + name); err != nil || !bytes.Equal(there, content) {
			t.Errorf("docs/%s is not what the report makes (%v): go run ./internal/bench/report -input docs/performance.txt", name, err)
		}
	}
	for _, p := range plots {
		if _, err := os.Stat(docs + p.file()); err == nil && made[p.file()] == nil {
			t.Errorf("docs/%s is of no use", p.file())
		}
	}
}

// TestNothingHalf: where a part of the page is missing, no file changes.
func TestNothingHalf(t *testing.T) {
	page, err := os.ReadFile("../../../docs/" + pageName)
	if err != nil {
		t.Fatal(err)
	}
	broken := filepath.Join(t.TempDir(), pageName)
	if err := os.WriteFile(broken, bytes.Replace(page, []byte("<!-- bench:end growth -->"), nil, 1), 0o600); err != nil {
		t.Fatal(err)
	}
	dir := copyOf(t, broken)
	before := contents(t, dir)
	c := command{input: everything, docs: dir}
	if err := c.run(t.Output()); err == nil || !strings.Contains(err.Error(), "growth") {
		t.Error(err)
	}
	if after := contents(t, dir); !maps.EqualFunc(before, after, bytes.Equal) {
		t.Errorf("files: %v", slices.Collect(maps.Keys(after)))
	}
}

// TestRemove: the plot of what was not measured any more is gone, and the page does
// not show it.
func TestRemove(t *testing.T) {
	dir := copyOf(t, "../../../docs/"+pageName)
	run(t, command{input: everything, docs: dir})
	less := filepath.Join(t.TempDir(), "less.txt")
	if err := os.WriteFile(less, []byte(recorded), 0o600); err != nil {
		t.Fatal(err)
	}
	made := run(t, command{input: less, docs: dir})
	if len(made) != 1 || bytes.Contains(made[pageName], []byte(".svg")) {
		t.Errorf("files: %v", slices.Collect(maps.Keys(made)))
	}
}

// run runs the command and returns the files that there then are.
func run(t *testing.T, c command) map[string][]byte {
	t.Helper()
	if err := c.run(t.Output()); err != nil {
		t.Fatal(err)
	}
	return contents(t, c.docs)
}

func copyOf(t *testing.T, page string) (dir string) {
	t.Helper()
	dir = t.TempDir()
	text, err := os.ReadFile(page)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(dir, pageName), text, 0o600); err != nil {
		t.Fatal(err)
	}
	return dir
}

func contents(t *testing.T, dir string) map[string][]byte {
	t.Helper()
	entries, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	all := make(map[string][]byte)
	for _, e := range entries {
		if all[e.Name()], err = os.ReadFile(filepath.Join(dir, e.Name())); err != nil {
			t.Fatal(err)
		}
	}
	return all
}
