package main

import (
	"fmt"
	"io"
	"slices"
	"strings"

	"golang.org/x/perf/benchfmt"
	"golang.org/x/perf/benchmath"
)

// results are what benchmarks printed.
type results struct {
	config  map[string]string               // "cpu: …" and the like, as it was said first
	values  map[string]map[string][]float64 // of a benchmark and a unit, one of each run
	missing []string                        // benchmarks that were asked for in vain
}

// read reads the output of go test -bench. Lines that are no results do not count,
// except that a line which begins like one has to be whole.
func read(from io.Reader, name string) (*results, error) {
	r := &results{config: make(map[string]string), values: make(map[string]map[string][]float64)}
	for reader := benchfmt.NewReader(from, name); reader.Scan(); {
		switch record := reader.Result().(type) {
		case *benchfmt.SyntaxError:
			return nil, record
		case *benchfmt.Result:
			r.add(record)
		}
		if err := reader.Err(); err != nil {
			return nil, err
		}
	}
	if len(r.values) == 0 {
		return nil, fmt.Errorf("%s: there are no results in it", name)
	}
	return r, nil
}

func (r *results) add(record *benchfmt.Result) {
	for _, c := range record.Config {
		if _, ok := r.config[c.Key]; !ok {
			r.config[c.Key] = string(c.Value)
		}
	}
	name := plainName(record.Name)
	if r.values[name] == nil {
		r.values[name] = make(map[string][]float64)
	}
	for _, v := range record.Values {
		if v.OrigUnit != "" { // the benchmark's, without benchfmt's scale
			v.Value, v.Unit = v.OrigValue, v.OrigUnit
		}
		r.values[name][v.Unit] = append(r.values[name][v.Unit], v.Value)
	}
}

// plainName is the name as the benchmark gave it, without the number of processors.
func plainName(name benchfmt.Name) string {
	base, parts := name.Parts()
	text := string(base)
	for _, p := range parts {
		if p[0] == '/' {
			text += string(p)
		}
	}
	return strings.ReplaceAll(text, "_", " ")
}

// median returns the median of all runs.
func (r *results) median(benchmark, unit string) (float64, bool) {
	s, ok := r.summary(benchmark, unit)
	return s.Center, ok
}

// summary has the median and how sure it is.
func (r *results) summary(benchmark, unit string) (benchmath.Summary, bool) {
	values := r.values[benchmark][unit]
	if len(values) == 0 {
		return benchmath.Summary{}, false
	}
	sample := benchmath.NewSample(slices.Clone(values), &benchmath.DefaultThresholds)
	return benchmath.AssumeNothing.Summary(sample, 0.95), true
}

// has says whether there is a benchmark, and notes it if not.
func (r *results) has(benchmark string) bool {
	if len(r.values[benchmark]) == 0 {
		r.miss(benchmark)
		return false
	}
	return true
}

func (r *results) miss(name string) {
	if !slices.Contains(r.missing, name) {
		r.missing = append(r.missing, name)
	}
}

// runs is how often each benchmark ran, at most.
func (r *results) runs() (n int) {
	for _, units := range r.values {
		for _, values := range units {
			n = max(n, len(values))
		}
	}
	return n
}

// machine is one line about where and when.
func (r *results) machine() string {
	var parts []string
	for _, part := range []struct{ before, key, after string }{
		{"", "go", ""}, {"", "cpu", ""}, {"", "cores", " cores"}, {"node ", "node", ""}, {"", "date", ""},
	} {
		if value := r.config[part.key]; value != "" {
			parts = append(parts, part.before+value+part.after)
		}
	}
	if system := r.config["goos"]; system != "" {
		parts = slices.Insert(parts, min(1, len(parts)), system+"/"+r.config["goarch"])
	}
	runs := "medians of %d runs"
	if r.runs() == 1 {
		runs = "%d run"
	}
	return strings.Join(append(parts, fmt.Sprintf(runs, r.runs())), ", ") + "."
}

// sibling is the benchmark beside another one, by its last name.
func sibling(benchmark, name string) string {
	return benchmark[:strings.LastIndexByte(benchmark, '/')+1] + name
}
