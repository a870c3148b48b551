package soaktest

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"
)

// A tally counts what happened, by its name.
type tally struct {
	mu     sync.Mutex
	counts map[string]int
}

func newTally() *tally { return &tally{counts: make(map[string]int)} }

func (t *tally) add(name string) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.counts[name]++
}

// outcome counts the answer to a request.
func (t *tally) outcome(r *request, a *answer) {
	path, _, _ := strings.Cut(r.path, "?")
	if a == nil {
		t.add(path + " lost")
		return
	}
	t.add(strings.TrimSpace(fmt.Sprintf("%s %d %s", path, a.status, a.code())))
}

// String has a line for each name.
func (t *tally) String() string {
	t.mu.Lock()
	defer t.mu.Unlock()
	var text strings.Builder
	for _, name := range slices.Sorted(maps.Keys(t.counts)) {
		fmt.Fprintf(&text, "%7d %s\n", t.counts[name], name)
	}
	return text.String()
}
