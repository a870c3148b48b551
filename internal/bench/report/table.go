package main

import (
	"math"
	"slices"
	"strings"
)

// A table has a row for each benchmark.
type table struct {
	name    string   // of its marks
	head    []string // of the columns that say what a row is
	rows    []row
	columns []column
}

type row struct {
	labels    []string
	benchmark string
}

type column struct {
	head string
	cell func(r *results, benchmark string) string // empty if it was not measured
}

// markdown writes the table. Rows that were not measured and columns that are empty
// are left out.
func (t table) markdown(r *results) string {
	var lines [][]string
	for _, row := range t.rows {
		if !r.has(row.benchmark) {
			continue
		}
		line := slices.Clone(row.labels)
		for _, c := range t.columns {
			line = append(line, c.cell(r, row.benchmark))
		}
		lines = append(lines, line)
	}
	head := slices.Clone(t.head)
	for _, c := range t.columns {
		head = append(head, c.head)
	}
	return markdown(head, len(t.head), lines)
}

// markdown writes a table whose first columns are text and whose others are numbers.
func markdown(head []string, texts int, lines [][]string) string {
	if len(lines) == 0 {
		return ""
	}
	var b strings.Builder
	write := func(cells []string) {
		for i, cell := range cells {
			if i < texts || filled(lines, i) {
				b.WriteString("| " + cell + " ")
			}
		}
		b.WriteString("|\n")
	}
	rule := make([]string, len(head))
	for i := range rule {
		rule[i] = "---"
		if i >= texts {
			rule[i] = "--:"
		}
	}
	write(head)
	write(rule)
	for _, line := range lines {
		write(line)
	}
	return b.String()
}

func filled(lines [][]string, column int) bool {
	return slices.ContainsFunc(lines, func(line []string) bool { return line[column] != "" })
}

// measured is a column of a unit.
func measured(head, unit string, write format) column {
	return column{head, func(r *results, benchmark string) string {
		value, ok := r.median(benchmark, unit)
		if !ok {
			return ""
		}
		return write(value)
	}}
}

// ranged is one that says how sure the median is, if there are runs enough to tell.
func ranged(head, unit string, write format) column {
	return column{head, func(r *results, benchmark string) string {
		s, ok := r.summary(benchmark, unit)
		switch {
		case !ok:
			return ""
		case math.IsInf(s.Lo, 0) || math.IsInf(s.Hi, 0):
			return write(s.Center)
		}
		return write(s.Center) + " ± " + strings.TrimPrefix(s.PctRangeString(), "±")
	}}
}

// times is how many times what the peer of the name takes, or gets done.
func times(head, unit, peer string) column {
	return column{head, func(r *results, benchmark string) string {
		value, ok := over(of(benchmark, unit), of(sibling(benchmark, peer), unit))(r)
		if !ok {
			return ""
		}
		return number(value)
	}}
}

// also is a column of another benchmark, whose name has more at its end.
func also(c column, more string) column {
	return column{c.head, func(r *results, benchmark string) string { return c.cell(r, benchmark+more) }}
}

// each returns a row for every name below a benchmark.
func each(benchmark string, names ...string) (rows []row) {
	for _, name := range names {
		rows = append(rows, row{[]string{name}, benchmark + "/" + name})
	}
	return rows
}

// pairs returns a row for every two names below a benchmark.
func pairs(benchmark string, outer, inner []string) (rows []row) {
	for _, o := range outer {
		for _, i := range inner {
			rows = append(rows, row{[]string{o, i}, benchmark + "/" + o + "/" + i})
		}
	}
	return rows
}

// A measure is a number made of what was measured.
type measure func(r *results) (value float64, ok bool)

func of(benchmark, unit string) measure {
	return func(r *results) (float64, bool) {
		value, ok := r.median(benchmark, unit)
		if !ok && r.has(benchmark) {
			r.miss(benchmark + " (" + unit + ")")
		}
		return value, ok
	}
}

func over(a, b measure) measure {
	return both(a, b, func(x, y float64) float64 { return x / y })
}

func minus(a, b measure) measure {
	return both(a, b, func(x, y float64) float64 { return x - y })
}

func both(a, b measure, join func(x, y float64) float64) measure {
	return func(r *results) (float64, bool) {
		x, okX := a(r)
		y, okY := b(r)
		return join(x, y), okX && okY
	}
}

// largest is that of several measures; all have to be there.
func largest(all ...measure) measure {
	return func(r *results) (value float64, ok bool) {
		ok = true
		for _, m := range all {
			x, measured := m(r)
			value, ok = max(value, x), ok && measured
		}
		return value, ok
	}
}
