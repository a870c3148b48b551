package testleak

import (
	"bufio"
	"bytes"
	"fmt"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"runtime"
	"strings"
	"testing"
	"time"
)

// plantVariable makes this program a suite that leaves something behind.
const plantVariable = "TESTLEAK_PLANT"

func TestMain(m *testing.M) { Main(m) }

// plants are what a test can leave behind, and what is said of it then.
var plants = map[string]struct {
	leave func(*testing.T)
	said  string // nothing if empty
}{
	"nothing":   {leave: func(*testing.T) {}},
	"goroutine": {leave: func(*testing.T) { go forever() }, said: "testleak.forever"},
	"late":      {leave: func(*testing.T) { go time.Sleep(grace / 10) }},
	"file": {said: "testleak.go\n", leave: func(t *testing.T) {
		file, err := os.Open("testleak.go")
		if err != nil {
			t.Fatal(err)
		}
		kept = file
	}},
	"listener": {said: "socket:[", leave: func(t *testing.T) {
		listener, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		kept = listener
	}},
	"process": {said: `"-test.run=^TestPlanted$"`, leave: func(t *testing.T) { startPlant(t, "child") }},
	"ended process": {said: "state Z", leave: func(t *testing.T) {
		child := startPlant(t, "child")
		if err := child.Process.Kill(); err != nil {
			t.Fatal(err)
		}
	}},
	"idle connection": {leave: func(t *testing.T) {
		server := httptest.NewServer(http.NotFoundHandler())
		resp, err := http.Get(server.URL)
		if err != nil {
			t.Fatal(err)
		}
		_ = resp.Body.Close()
		_ = server.Listener.Close() // Close would close the connection too
	}},
	"failure": {leave: func(t *testing.T) {
		go forever()
		t.Error("failed")
	}},
	"child": {leave: func(*testing.T) {
		fmt.Println("ready")
		_, _ = os.Stdin.Read(make([]byte, 1)) // ends with the parent
		os.Exit(0)
	}},
}

var kept any // out of the garbage collector's reach

func forever() { select {} }

// startPlant runs this program as a suite of one test.
func startPlant(t *testing.T, plant string) *exec.Cmd {
	t.Helper()
	command := plantCommand(plant)
	stdin, stdinErr := command.StdinPipe()
	stdout, stdoutErr := command.StdoutPipe()
	if stdinErr != nil || stdoutErr != nil {
		t.Fatal(stdinErr, stdoutErr)
	}
	if err := command.Start(); err != nil {
		t.Fatal(err)
	}
	kept = stdin
	if _, err := bufio.NewReader(stdout).ReadString('\n'); err != nil {
		t.Fatal(err)
	}
	return command
}

func plantCommand(plant string) *exec.Cmd {
	command := exec.Command(os.Args[0], "-test.run=^TestPlanted$")
	command.Env = append(os.Environ(), plantVariable+"="+plant)
	return command
}

// TestPlanted leaves behind what the environment asks for.
func TestPlanted(t *testing.T) {
	if plant, ok := plants[os.Getenv(plantVariable)]; ok {
		plant.leave(t)
	}
}

// TestFound: a suite fails for what it leaves behind, and says what that is.
func TestFound(t *testing.T) {
	if runtime.GOOS != "linux" {
		t.Skip("descriptors and processes are seen on Linux")
	}
	for plant, about := range plants {
		if plant == "child" {
			continue // it waits
		}
		t.Run(plant, func(t *testing.T) {
			t.Parallel()
			var complaint bytes.Buffer
			command := plantCommand(plant)
			command.Stderr = &complaint
			err := command.Run()
			passed := err == nil
			switch {
			case plant == "failure" && (passed || complaint.Len() > 0):
				t.Errorf("a failed test: passed %v, said %q", passed, complaint.String())
			case plant == "failure":
			case about.said == "" && !passed:
				t.Errorf("failed: %v\n%s", err, complaint.String())
			case about.said != "" && (passed || !strings.Contains(complaint.String(), about.said)):
				t.Errorf("passed %v, said %q, want %q", passed, complaint.String(), about.said)
			}
		})
	}
}
