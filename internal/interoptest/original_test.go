package interoptest

import (
	"bufio"
	"embed"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"os"
	"os/exec"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/seed3b05b409/auth/internal/testnode"
)

//go:embed original.mjs
var scripts embed.FS

// An original is the process in which the npm package runs. It serves every
// instance that the tests need, each on a port of its own.
type original struct {
	process    *exec.Cmd
	stdin      io.WriteCloser
	complaints *tail

	mu      sync.Mutex
	last    int
	pending map[int]chan answer // nil when the process has ended
	boxes   map[string]*outbox  // by site
}

type answer struct {
	ID     int             `json:"id"`
	Result json.RawMessage `json:"result"`
	Error  string          `json:"error"`
	Mail   *mail           `json:"mail"`
}

var running struct {
	sync.Mutex
	original *original
}

func TestMain(m *testing.M) {
	code := m.Run()
	if o := running.original; o != nil {
		o.stdin.Close()
		_ = o.process.Wait()
	}
	os.Exit(code)
}

// theOriginal returns the process, which the first test starts.
func theOriginal(t *testing.T) *original {
	t.Helper()
	running.Lock()
	defer running.Unlock()
	if running.original == nil {
		running.original = startOriginal(t)
	}
	return running.original
}

func startOriginal(t *testing.T) *original {
	t.Helper()
	o := &original{
		process:    exec.Command("node", "original.mjs"),
		complaints: &tail{},
		pending:    make(map[int]chan answer),
		boxes:      make(map[string]*outbox),
	}
	o.process.Dir = testnode.InstallSQLite(t, scripts)
	o.process.Stderr = o.complaints
	o.process.WaitDelay = 10 * time.Second
	stdin, stdinErr := o.process.StdinPipe()
	stdout, stdoutErr := o.process.StdoutPipe()
	if err := errors.Join(stdinErr, stdoutErr); err != nil {
		t.Fatal(err)
	}
	if err := o.process.Start(); err != nil {
		t.Fatal(err)
	}
	o.stdin = stdin
	go o.listen(stdout)
	return o
}

// listen hands answers and mails to those who wait for them.
func (o *original) listen(stdout io.Reader) {
	lines := bufio.NewScanner(stdout)
	lines.Buffer(nil, 1<<20)
	for lines.Scan() {
		var a answer
		if err := json.Unmarshal(lines.Bytes(), &a); err != nil {
			fmt.Fprintf(o.complaints, "original.mjs printed %q: %v\n", lines.Text(), err)
			continue
		}
		o.mu.Lock()
		if a.Mail != nil {
			o.boxes[a.Mail.Site].add(*a.Mail)
		} else {
			o.pending[a.ID] <- a
			delete(o.pending, a.ID)
		}
		o.mu.Unlock()
	}
	o.mu.Lock()
	defer o.mu.Unlock()
	for _, waiting := range o.pending {
		close(waiting)
	}
	o.pending = nil
}

// ask sends a command and decodes its result.
func (o *original) ask(t *testing.T, command string, parameters map[string]any, result any) {
	t.Helper()
	waiting := make(chan answer, 1)
	o.mu.Lock()
	if o.pending == nil {
		o.mu.Unlock()
		t.Fatalf("the original has ended: %s", o.complaints)
	}
	o.last++
	message := maps.Clone(parameters)
	message["id"], message["do"] = o.last, command
	line, err := json.Marshal(message)
	if err == nil {
		o.pending[o.last] = waiting
		_, err = o.stdin.Write(append(line, '\n'))
	}
	o.mu.Unlock()
	if err != nil {
		t.Fatal(err)
	}
	a, ok := <-waiting
	if !ok || a.Error != "" {
		t.Fatalf("the original, asked to %s: %s\n%s", command, a.Error, o.complaints)
	}
	if result != nil {
		if err := json.Unmarshal(a.Result, result); err != nil {
			t.Fatal(err)
		}
	}
}

// serve starts an instance and returns where it is reached.
func (o *original) serve(t *testing.T, d *database, options map[string]any) *site {
	t.Helper()
	s := &site{name: "npm", mails: &outbox{}}
	o.mu.Lock()
	id := fmt.Sprint(len(o.boxes))
	o.boxes[id] = s.mails
	o.mu.Unlock()
	var served struct{ Origin string }
	o.ask(t, "serve", d.command(map[string]any{"site": id, "options": options}), &served)
	s.origin = served.Origin
	t.Cleanup(func() { o.ask(t, "stop", map[string]any{"site": id}, nil) })
	return s
}

// A plan is what the original's migration does or would do.
type plan struct {
	Created    []string // "table.column"
	Added      []string
	Indexes    []string // only those that name several columns
	Problems   []string
	Complaints []string // of its log
}

func (p plan) String() string {
	text, _ := json.Marshal(p)
	return string(text)
}

func (o *original) migrate(t *testing.T, d *database, options map[string]any) (p plan) {
	t.Helper()
	o.ask(t, "migrate", d.command(map[string]any{"options": options}), &p)
	return p
}

// plan returns what a migration would do.
func (o *original) plan(t *testing.T, d *database, options map[string]any) (p plan) {
	t.Helper()
	o.ask(t, "migrate", d.command(map[string]any{"options": options, "dry": true}), &p)
	return p
}

// A tail keeps the end of what a process complains about.
type tail struct {
	mu   sync.Mutex
	text string
}

func (t *tail) Write(p []byte) (int, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.text += string(p); len(t.text) > 8192 {
		t.text = t.text[len(t.text)-8192:]
	}
	return len(p), nil
}

func (t *tail) String() string {
	t.mu.Lock()
	defer t.mu.Unlock()
	return strings.TrimSpace(t.text)
}
