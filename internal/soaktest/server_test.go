package soaktest

import (
	"bufio"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"os/exec"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"
)

// A server is this program in another process, behind a proxy that stays where it
// is when the server is started again.
type server struct {
	tb     testing.TB
	driver string
	source string
	front  *proxy
	mails  *httptest.Server
	log    lastWords

	mu      sync.Mutex
	command *exec.Cmd
	address string
}

func newServer(tb testing.TB, driver, source string, p *post) *server {
	tb.Helper()
	s := &server{tb: tb, driver: driver, source: source, front: newProxy(tb), mails: httptest.NewServer(p)}
	tb.Cleanup(s.mails.Close)
	tb.Cleanup(s.kill)
	s.start("")
	return s
}

// start starts it, with more parameters for the database perhaps.
func (s *server) start(parameters string) {
	self, err := os.Executable()
	if err != nil {
		s.tb.Fatal(err)
	}
	command := exec.Command(self)
	command.Env = append(os.Environ(), "GORACE=halt_on_error=1", serveDriver+"="+s.driver, serveSource+"="+s.source+parameters, servePost+"="+s.mails.URL)
	command.Stderr = &s.log
	if _, err = command.StdinPipe(); err != nil {
		s.tb.Fatal(err)
	}
	out, err := command.StdoutPipe()
	if err != nil {
		s.tb.Fatal(err)
	}
	if err := command.Start(); err != nil {
		s.tb.Fatal(err)
	}
	s.mu.Lock()
	s.command = command
	s.mu.Unlock()
	address, err := bufio.NewReader(out).ReadString('\n')
	if err != nil {
		s.tb.Errorf("the server did not start: %v", err)
		return
	}
	s.mu.Lock()
	s.address = strings.TrimSpace(address)
	s.mu.Unlock()
	s.front.lead(s.address)
}

// kill ends it by SIGKILL.
func (s *server) kill() {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.command == nil {
		return
	}
	_ = s.command.Process.Kill()
	_ = s.command.Wait()
	s.command = nil
	s.front.lead("")
	s.front.cut()
}

// ask reads JSON from the server, on no proxy.
func (s *server) ask(path string, into any) error {
	s.mu.Lock()
	address := s.address
	s.mu.Unlock()
	client := &http.Client{Timeout: patience, Transport: &http.Transport{DisableKeepAlives: true}}
	response, err := client.Get("http://" + address + path)
	if err != nil {
		return err
	}
	defer func() { _ = response.Body.Close() }()
	if response.StatusCode != http.StatusOK {
		return fmt.Errorf("status %d", response.StatusCode)
	}
	if into == nil {
		return nil
	}
	return json.NewDecoder(response.Body).Decode(into)
}

// settle waits until nothing is being done any more for connections that were cut.
func (s *server) settle(cut []string) {
	if err := s.ask("/settle?"+url.Values{"of": cut}.Encode(), nil); err != nil {
		s.tb.Error(err)
	}
}

// rest returns what the server holds when it has nothing to do.
func (s *server) rest() leaks {
	time.Sleep(poolRest)
	l, err := s.leaks()
	if err != nil {
		s.tb.Error(err)
	}
	return l
}

// expectNoLeaks waits until the server has no more goroutines and descriptors than
// before.
func (s *server) expectNoLeaks(before leaks) {
	s.tb.Helper()
	deadline := time.Now().Add(patience)
	for {
		now, err := s.leaks()
		switch {
		case err != nil:
			s.tb.Error(err)
			return
		case now.Goroutines <= before.Goroutines && now.Descriptors <= before.Descriptors:
			return
		case time.Now().After(deadline):
			s.tb.Errorf("the server leaks: %+v before, %+v now", before, now)
			return
		}
		time.Sleep(50 * time.Millisecond)
	}
}

func (s *server) leaks() (l leaks, err error) { return l, s.ask("/leaks", &l) }

// lastWords keeps the end of the server's log.
type lastWords struct {
	mu    sync.Mutex
	lines []string
}

func (l *lastWords) Write(text []byte) (int, error) {
	const most = 30
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.lines = append(l.lines, string(text)); len(l.lines) > most {
		l.lines = slices.Delete(l.lines, 0, 1)
	}
	return len(text), nil
}

func (l *lastWords) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return strings.Join(l.lines, "")
}
