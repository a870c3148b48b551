// Package testleak lets the tests of a package fail when something that they began
// is still there after the last of them: a goroutine, an open file descriptor or a
// child process.
//
//	func TestMain(m *testing.M) { testleak.Main(m) }
//
// What was there before the tests is left out. So are goroutines of the runtime and
// of os/signal, which start once and stay, and the idle connections of
// http.DefaultTransport: they are a cache of the whole program, which is emptied
// first. What is about to end has [grace] for it.
//
// Descriptors and processes are those of /proc, so they are seen on Linux. A file
// that nobody closed and nobody uses is not seen if the garbage collector has closed
// it in the meantime.
package testleak

import (
	"fmt"
	"io"
	"maps"
	"net/http"
	"os"
	"slices"
	"strings"
	"testing"
	"time"
)

// grace is how long after the tests something may take to end. What was told to end
// often does so a moment later: connections that were closed, killed processes.
const grace = 5 * time.Second

// Main runs the tests of a package and ends the program, as testing does without a
// TestMain. Tests that passed count as failed if they left something behind, which
// is written to the standard error then. What all tests share, such as a process
// that the first one starts, ends gives back.
//
// Of tests that failed nothing is said: their failure is the news, and tests that
// break off leave things behind.
func Main(m *testing.M, ends ...func()) {
	before := look()
	code := m.Run()
	for _, end := range ends {
		end()
	}
	if code == 0 && complain(os.Stderr, before.left(grace)) {
		code = 1
	}
	os.Exit(code)
}

// A sight is everything that can be left behind: what it is, such as "goroutine 12",
// and more about it.
type sight map[string]string

// look returns what there is.
func look() sight {
	seen := make(sight)
	openPoller()
	seen.addGoroutines()
	seen.addDescriptors()
	seen.addChildren()
	return seen
}

// left returns what there is now, was not there before and does not end in time.
func (before sight) left(grace time.Duration) sight {
	if transport, ok := http.DefaultTransport.(*http.Transport); ok {
		transport.CloseIdleConnections()
	}
	for deadline, pause := time.Now().Add(grace), time.Millisecond; ; pause = min(2*pause, grace/10) {
		now := look()
		maps.DeleteFunc(now, func(thing, _ string) bool { _, there := before[thing]; return there })
		if len(now) == 0 || time.Now().After(deadline) {
			return now
		}
		time.Sleep(pause)
	}
}

// complain writes what was left behind and reports whether there is any.
func complain(w io.Writer, left sight) bool {
	for _, thing := range slices.Sorted(maps.Keys(left)) {
		fmt.Fprintf(w, "testleak: the tests left behind %s\n%s", thing, indent(left[thing]))
	}
	return len(left) > 0
}

func indent(text string) string {
	var indented strings.Builder
	for line := range strings.Lines(text) {
		indented.WriteString("\t" + strings.TrimRight(line, "\n") + "\n")
	}
	return indented.String()
}
