// Report runs the benchmarks and writes what they measured into docs/performance.md:
// tables between the page's marks, and plots beside it. From the root of the
// repository:
//
//	go run ./internal/bench/report
//
// What the benchmarks print is kept in docs/performance.txt, and the page is a
// function of it: -input docs/performance.txt makes the same page without measuring
// again. Parts that were measured apart may be put together with cat. A benchmark
// that is not in it leaves its row out, which standard error says.
package main

import (
	"flag"
	"fmt"
	"io"
	"os"
	"path/filepath"
)

func main() {
	var c command
	flag.StringVar(&c.bench, "bench", ".", "run the benchmarks that match `pattern`")
	flag.StringVar(&c.time, "benchtime", "1s", "run each for `time`, or so often (100x)")
	flag.IntVar(&c.count, "count", 6, "run each `n` times; ranges need six")
	flag.StringVar(&c.raw, "raw", filepath.Join("docs", "performance.txt"), "keep what the benchmarks print in `file`")
	flag.StringVar(&c.input, "input", "", "take what they printed from `file` instead of running them")
	flag.StringVar(&c.docs, "docs", "docs", "the `directory` of performance.md")
	flag.Parse()
	if err := c.run(os.Stderr); err != nil {
		fmt.Fprintln(os.Stderr, "report:", err)
		os.Exit(1)
	}
}

// A command is what the flags say.
type command struct {
	bench, time string
	count       int
	raw, input  string
	docs        string
}

// run says on stderr what is missing.
func (c *command) run(stderr io.Writer) error {
	input := c.input
	if input == "" {
		if err := c.measure(stderr); err != nil {
			return err
		}
		input = c.raw
	}
	file, err := os.Open(input)
	if err != nil {
		return err
	}
	defer file.Close()
	r, err := read(file, input)
	if err != nil {
		return err
	}
	page, err := os.ReadFile(filepath.Join(c.docs, pageName))
	if err != nil {
		return err
	}
	files, err := render(r, string(page))
	for _, name := range r.missing {
		fmt.Fprintln(stderr, "not measured:", name)
	}
	if err != nil {
		return err
	}
	return files.write(c.docs)
}
