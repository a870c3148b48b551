package testnode

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"os/exec"
	"strings"
	"sync"
	"testing"
	"time"
)

// A Process is a script that runs beside the tests and answers commands with the
// help of commands.mjs, which is in the directory of every script. Its methods
// are safe for concurrent use.
type Process struct {
	command    *exec.Cmd
	stdin      io.WriteCloser
	complaints tail
	onEvent    func(json.RawMessage)

	mu      sync.Mutex
	last    int
	pending map[int]chan answer // nil when the process has ended
}

type answer struct {
	ID     int             `json:"id"`
	Result json.RawMessage `json:"result"`
	Error  string          `json:"error"`
	Event  json.RawMessage `json:"event"`
}

// Start runs a script of a directory that Install or InstallSQLite made. What it
// tells without being asked goes to onEvent, one call at a time.
func Start(tb testing.TB, dir, script string, onEvent func(json.RawMessage)) *Process {
	tb.Helper()
	p := &Process{command: exec.Command("node", script), pending: make(map[int]chan answer), onEvent: onEvent}
	p.command.Dir, p.command.Stderr, p.command.WaitDelay = dir, &p.complaints, 10*time.Second
	stdin, stdinErr := p.command.StdinPipe()
	stdout, stdoutErr := p.command.StdoutPipe()
	if err := errors.Join(stdinErr, stdoutErr); err != nil {
		tb.Fatal(err)
	}
	if err := p.command.Start(); err != nil {
		tb.Fatal(err)
	}
	p.stdin = stdin
	go p.listen(stdout)
	return p
}

// Stop ends the process.
func (p *Process) Stop() {
	_ = p.stdin.Close()
	_ = p.command.Wait()
}

// listen hands answers and events to those who wait for them.
func (p *Process) listen(stdout io.Reader) {
	lines := bufio.NewScanner(stdout)
	lines.Buffer(nil, 64<<20)
	for lines.Scan() {
		var a answer
		if err := json.Unmarshal(lines.Bytes(), &a); err != nil {
			fmt.Fprintf(&p.complaints, "the script printed %q: %v\n", lines.Text(), err)
			continue
		}
		if a.Event != nil {
			p.onEvent(a.Event)
			continue
		}
		p.mu.Lock()
		p.pending[a.ID] <- a
		delete(p.pending, a.ID)
		p.mu.Unlock()
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, waiting := range p.pending {
		close(waiting)
	}
	p.pending = nil
}

// Ask sends a command and decodes its result, unless that is nil. A command that
// fails ends the test.
func (p *Process) Ask(tb testing.TB, command string, parameters map[string]any, result any) {
	tb.Helper()
	waiting, err := p.send(command, parameters)
	if err != nil {
		tb.Fatalf("%s: %v\n%s", command, err, &p.complaints)
	}
	a, ok := <-waiting
	if !ok || a.Error != "" {
		tb.Fatalf("%s: %s\n%s", command, a.Error, &p.complaints)
	}
	if result != nil {
		if err := json.Unmarshal(a.Result, result); err != nil {
			tb.Fatal(err)
		}
	}
}

func (p *Process) send(command string, parameters map[string]any) (<-chan answer, error) {
	waiting := make(chan answer, 1)
	message := make(map[string]any, len(parameters)+2)
	maps.Copy(message, parameters)
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.pending == nil {
		return nil, errors.New("the process has ended")
	}
	p.last++
	message["id"], message["do"] = p.last, command
	line, err := json.Marshal(message)
	if err != nil {
		return nil, err
	}
	p.pending[p.last] = waiting
	_, err = p.stdin.Write(append(line, '\n'))
	return waiting, err
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
