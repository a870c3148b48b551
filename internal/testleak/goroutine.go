package testleak

import (
	"runtime"
	"strings"
)

// addGoroutines adds all but those that stay for good reason. The number of a
// goroutine is never used again.
func (s sight) addGoroutines() {
	for stack := range strings.SplitSeq(stacks(), "\n\n") {
		name, _, _ := strings.Cut(stack, " [") // "goroutine 12 [select]:"
		if !stays(stack) {
			s[name] = stack
		}
	}
}

// stays reports whether it is a goroutine that starts once in a program and stays.
func stays(stack string) bool {
	_, creator, _ := strings.Cut(stack, "\ncreated by ")
	return strings.HasPrefix(creator, "runtime.") || strings.HasPrefix(creator, "os/signal.")
}

// stacks returns those of all goroutines, an empty line between two.
func stacks() string {
	for size := 1 << 16; ; size *= 2 {
		text := make([]byte, size)
		if n := runtime.Stack(text, true); n < size {
			return strings.TrimSpace(string(text[:n]))
		}
	}
}
