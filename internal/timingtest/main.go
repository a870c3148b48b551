// Timingtest measures whether the time of an answer tells what the answer hides: who
// has an account, or how much of a secret was right.
//
//	go run ./internal/timingtest [-n 4000] [-run regexp]
//
// It serves requests in its own process, where differences are seen that no network
// lets through, by the statistics of compare. It needs a quiet machine and minutes, so
// it is no part of the tests; they check its statistics and that it runs.
package main

import (
	"flag"
	"fmt"
	"io"
	"log"
	"os"
	"regexp"
)

func main() {
	n := flag.Int("n", 4000, "requests of each kind")
	pattern := flag.String("run", "", "only comparisons whose name this regexp matches")
	flag.Parse()
	only, err := regexp.Compile(*pattern)
	if err != nil {
		log.Fatal(err)
	}
	different, err := run(os.Stdout, *n, only)
	if err != nil {
		log.Fatal(err)
	}
	if different > 0 {
		os.Exit(1)
	}
}

// run makes the comparisons, writes a line for each and returns how many found a
// difference that can be seen and is not documented.
func run(w io.Writer, n int, only *regexp.Regexp) (different int, err error) {
	dir, err := os.MkdirTemp("", "timingtest")
	if err != nil {
		return 0, err
	}
	defer os.RemoveAll(dir)
	all, end, err := comparisons(dir)
	defer end()
	if err != nil {
		return 0, err
	}
	fmt.Fprintf(w, "%-46s %-32s %12s %12s %10s %10s\n", "", "", "median µs", "other", "difference", "p")
	for _, c := range all {
		if !only.MatchString(c.name) {
			continue
		}
		times, err := c.measure(max(n/max(c.share, 1), 4))
		if err != nil {
			return different, err
		}
		for i := 1; i < len(times); i++ {
			v, err := compare(times[0], times[i])
			if err != nil {
				return different, err
			}
			fmt.Fprintf(w, "%-46s %-32s %v", c.name, c.classes[0].name+" / "+c.classes[i].name, v)
			switch {
			case v.tells() && c.tells != "":
				fmt.Fprintf(w, ", as documented: %s", c.tells)
			case v.tells():
				different++
			}
			fmt.Fprintln(w)
		}
	}
	return different, nil
}
