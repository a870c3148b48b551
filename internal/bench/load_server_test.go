package bench

import (
	"bufio"
	"bytes"
	"embed"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"runtime"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/seed3b05b409/auth/internal/testnode"
)

//go:embed original.mjs
var scripts embed.FS

// A server is a process that serves one peer on the loopback address.
type server struct {
	address string // host:port
	pid     int
	stop    func() // waits until it has ended; may be called again
}

// startServer runs a server on a list of processors until the test ends, unless stop
// ends it before.
func startServer(tb testing.TB, s setting, processors string) *server {
	tb.Helper()
	command := newCommand(tb, s, processors)
	var complaints bytes.Buffer
	command.Stderr = &complaints
	command.WaitDelay = 5 * time.Second
	hold, err := command.StdinPipe()
	if err != nil {
		tb.Fatal(err)
	}
	out, err := command.StdoutPipe()
	if err != nil {
		tb.Fatal(err)
	}
	if err := command.Start(); err != nil {
		tb.Fatal(err)
	}
	stop := sync.OnceFunc(func() {
		_ = hold.Close()
		_ = command.Wait()
		if complaints.Len() > 0 {
			tb.Logf("%s: %s", s.Peer, &complaints)
		}
	})
	tb.Cleanup(stop)
	line, err := bufio.NewReader(out).ReadString('\n')
	if err != nil {
		stop()
		tb.Fatalf("%s does not serve: %v", s.Peer, err)
	}
	return &server{address: strings.TrimSpace(line), pid: command.Process.Pid, stop: stop}
}

func newCommand(tb testing.TB, s setting, processors string) *exec.Cmd {
	tb.Helper()
	program, dir := []string{"node", "original.mjs"}, ""
	if s.Peer == "better-auth" {
		dir = testnode.InstallSQLite(tb, scripts)
	} else {
		self, err := os.Executable()
		if err != nil {
			tb.Fatal(err)
		}
		program = []string{self}
	}
	text, err := json.Marshal(s)
	if err != nil {
		tb.Fatal(err)
	}
	requireTaskset(tb)
	command := exec.CommandContext(tb.Context(), "taskset", append([]string{"--cpu-list", processors}, program...)...)
	command.Dir = dir
	command.Env = append(os.Environ(), "NODE_ENV=production", settingVariable+"="+string(text))
	return command
}

func requireTaskset(tb testing.TB) {
	tb.Helper()
	if _, err := exec.LookPath("taskset"); err != nil {
		testnode.Missing(tb, "taskset is missing", "install util-linux, on Linux")
	}
}

// The lists of processors that programs run on. On a machine with a single one they
// are the same.
var (
	everyProcessor  = fmt.Sprintf("0-%d", runtime.NumCPU()-1)
	serverProcessor = strconv.Itoa(runtime.NumCPU() - 1)
	otherProcessors = fmt.Sprintf("0-%d", max(0, runtime.NumCPU()-2))
)

// leaveServerProcessor moves this program, the clients, to the other processors until
// the benchmark ends.
func leaveServerProcessor(b *testing.B) {
	b.Helper()
	requireTaskset(b)
	move := func(processors string) {
		out, err := exec.Command("taskset", "--all-tasks", "--cpu-list", "--pid", processors, strconv.Itoa(os.Getpid())).CombinedOutput()
		if err != nil {
			b.Fatalf("taskset: %v: %s", err, out)
		}
	}
	move(otherProcessors)
	threads := runtime.GOMAXPROCS(max(1, runtime.NumCPU()-1))
	b.Cleanup(func() {
		move(everyProcessor)
		runtime.GOMAXPROCS(threads)
	})
}

// processorTime is what the threads of the process have used so far.
func (s *server) processorTime(tb testing.TB) (used time.Duration) {
	tb.Helper()
	threads, err := os.ReadDir(fmt.Sprintf("/proc/%d/task", s.pid))
	if err != nil {
		tb.Fatal(err)
	}
	for _, thread := range threads {
		first, _, _ := strings.Cut(s.proc(tb, "task/"+thread.Name()+"/schedstat"), " ")
		nanoseconds, err := strconv.ParseInt(first, 10, 64)
		if err != nil {
			tb.Fatal(err)
		}
		used += time.Duration(nanoseconds)
	}
	return used
}

// peakMemory is the most that the process has had resident so far, in MB.
func (s *server) peakMemory(tb testing.TB) float64 {
	tb.Helper()
	_, after, _ := strings.Cut(s.proc(tb, "status"), "VmHWM:")
	kibibytes, err := strconv.ParseInt(strings.Fields(after + " ?")[0], 10, 64)
	if err != nil {
		tb.Fatal(err)
	}
	return float64(kibibytes) * 1024 / 1e6
}

// proc reads what Linux says of the process.
func (s *server) proc(tb testing.TB, name string) string {
	tb.Helper()
	content, err := os.ReadFile(fmt.Sprintf("/proc/%d/%s", s.pid, name))
	if err != nil {
		tb.Fatal(err)
	}
	return string(content)
}
