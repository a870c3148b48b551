package main

import (
	"context"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/seed3b05b409/auth/internal/testleak"
)

func TestMain(m *testing.M) { testleak.Main(m) }

// The program says where it serves, serves there, and ends when it is told to.
func TestRun(t *testing.T) {
	url, stop := startProgram(t, options{addr: "localhost:0", database: "memory"})
	resp, err := http.Get(url)
	if err != nil {
		t.Fatal(err)
	}
	resp.Body.Close()
	if resp.StatusCode != http.StatusOK {
		t.Errorf("status %d", resp.StatusCode)
	}
	stop()
}

// startProgram runs the program until stop is called, which waits for its end.
func startProgram(t *testing.T, chosen options) (url string, stop func()) {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	out, in := io.Pipe()
	ended := make(chan error, 1)
	go func() {
		ended <- run(ctx, chosen, in)
		in.Close()
	}()
	announced := make(chan string, 1)
	go func() {
		_, _ = io.Copy(lineFinder{regexp.MustCompile(`pages +(\S+)`), announced}, out)
	}()
	select {
	case url = <-announced:
	case err := <-ended:
		t.Fatal(err)
	case <-time.After(20 * time.Second):
		t.Fatal("no address was announced")
	}
	return url, func() {
		t.Helper()
		cancel()
		select {
		case err := <-ended:
			if err != nil {
				t.Error(err)
			}
		case <-time.After(15 * time.Second):
			t.Fatal("the server did not end")
		}
	}
}

// A lineFinder sends what a pattern captures in one write.
type lineFinder struct {
	pattern *regexp.Regexp
	found   chan<- string
}

func (f lineFinder) Write(p []byte) (int, error) {
	if m := f.pattern.FindSubmatch(p); m != nil {
		f.found <- string(m[1])
	}
	return len(p), nil
}

func TestRunReportsMistakes(t *testing.T) {
	taken, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer taken.Close()
	dir := t.TempDir()
	notSQLite := filepath.Join(dir, "letter")
	if err := os.WriteFile(notSQLite, []byte(strings.Repeat("Dear Ada, ", 100)), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		why    string
		chosen options
		says   string
	}{
		{"a short secret", options{database: "memory", secret: "too short"}, "Secret has 9 bytes"},
		{"a port that is taken", options{addr: taken.Addr().String(), database: "memory"}, "address already in use"},
		{"a directory that is missing", options{database: filepath.Join(dir, "none", "a.db")}, "directory does not exist"},
		{"a directory instead of a file", options{database: dir}, "is a directory"},
		{"a file of another kind", options{database: notSQLite}, "not a database"},
		{"a server that does not answer", options{database: "postgres://ada:password@127.0.0.1:1/x"}, "refused"},
		{"another one", options{database: "mysql://ada:password@127.0.0.1:1/x"}, "refused"},
	} {
		if c.chosen.addr == "" {
			c.chosen.addr = "localhost:0"
		}
		err := run(t.Context(), c.chosen, io.Discard)
		if err == nil || !strings.Contains(err.Error(), c.says) || strings.Contains(err.Error(), "password") {
			t.Errorf("%s: %v, want %q in it", c.why, err, c.says)
		}
	}
}

func TestURLOf(t *testing.T) {
	for addr, want := range map[string]string{
		"localhost:0": "http://localhost:",
		"127.0.0.1:0": "http://127.0.0.1:",
		":0":          "http://localhost:",
		"0.0.0.0:0":   "http://localhost:",
	} {
		listener, err := net.Listen("tcp", addr)
		if err != nil {
			t.Fatal(err)
		}
		listener.Close()
		if got := urlOf(addr, listener); !strings.HasPrefix(got, want) || strings.HasSuffix(got, ":0") {
			t.Errorf("%s: %s, want %s…", addr, got, want)
		}
	}
}

// Whoever may be on the network does not get everybody's links to read.
func TestOutboxIsHidden(t *testing.T) {
	s := start(t)
	handler := newSite(s.auth, s.plugins, s.mails, false, nil)
	for path, status := range map[string]int{"/": http.StatusOK, "/outbox": http.StatusNotFound} {
		w := httptest.NewRecorder()
		handler.ServeHTTP(w, httptest.NewRequest("GET", path, nil))
		if w.Code != status || strings.Contains(w.Body.String(), `href="/outbox"`) {
			t.Errorf("%s: status %d, body:\n%s", path, w.Code, w.Body)
		}
	}
}

func TestOutboxIsBounded(t *testing.T) {
	o := newOutbox()
	for range outboxSize + 1 {
		_ = o.send(t.Context(), mail{Subject: "old"})
	}
	_ = o.send(t.Context(), mail{Subject: "new"})
	if mails := o.latest(); len(mails) != outboxSize || mails[0].Subject != "new" {
		t.Errorf("%d mails, the latest is %q", len(mails), mails[0].Subject)
	}
}

func TestIsLocalHost(t *testing.T) {
	for host, want := range map[string]bool{
		"localhost:3000": true, "localhost": true, "127.0.0.1:3000": true, "[::1]:3000": true,
		"evil.example:3000": false, "localhost.evil.example": false, "192.0.2.1:80": false, "": false,
	} {
		if got := isLocalHost(host); got != want {
			t.Errorf("%q: %v", host, got)
		}
	}
}
