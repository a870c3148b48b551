package testleak

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
)

// openPoller makes the runtime open the descriptors that it waits with for all
// others: it does so once, for the first pipe or connection, and keeps them.
func openPoller() {
	if reader, writer, err := os.Pipe(); err == nil {
		_, _ = reader.Close(), writer.Close()
	}
}

// addDescriptors adds the open file descriptors, each with what it is open for: a
// number is used again.
func (s sight) addDescriptors() {
	entries, err := os.ReadDir("/proc/self/fd")
	if err != nil {
		return // not Linux
	}
	for _, entry := range entries {
		if target, err := os.Readlink("/proc/self/fd/" + entry.Name()); err == nil { // that of ReadDir itself is closed
			s["descriptor "+entry.Name()+", "+target] = ""
		}
	}
}

// addChildren adds the processes that this one started and that run, or that ended
// while nobody waited for them.
func (s sight) addChildren() {
	processes, _ := filepath.Glob("/proc/[0-9]*/stat") // the pattern is a good one
	for _, file := range processes {
		stat, err := os.ReadFile(file)
		if err != nil {
			continue // it has ended
		}
		// proc(5): 1234 (name) state parent …; the name may have parentheses
		i := bytes.LastIndexByte(stat, ')')
		fields := strings.Fields(string(stat[i+1:]))
		if len(fields) > 1 && fields[1] == strconv.Itoa(os.Getpid()) {
			command, _ := os.ReadFile(filepath.Join(filepath.Dir(file), "cmdline"))
			s["process "+string(stat[:i+1])] = fmt.Sprintf("state %s, %q", fields[0], bytes.Split(bytes.Trim(command, "\x00"), []byte{0}))
		}
	}
}
