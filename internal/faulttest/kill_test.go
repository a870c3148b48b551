package faulttest

import (
	"bufio"
	"bytes"
	"context"
	"database/sql"
	"encoding/json"
	"fmt"
	"log"
	"log/slog"
	"math/rand/v2"
	"net"
	"net/http"
	"os"
	"os/exec"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/seed3b05b409/auth"
)

const (
	killClients = 12
	killRounds  = 4
	killAfter   = 300 * time.Millisecond // at most
)

// The environment of the server that is to be killed.
const (
	servedProduct = "FAULTTEST_PRODUCT"
	servedSource  = "FAULTTEST_SOURCE"
)

// TestKilledServer kills a server in the middle of its work, several times.
// Every sign-up that it confirmed must be there, and of the others everything or
// nothing.
func TestKilledServer(t *testing.T) {
	onEach(t, func(t *testing.T, db *database) {
		var confirmed []signUp
		for round := range killRounds {
			server := startServer(t, db)
			confirmed = append(confirmed, server.signUpUntilKilled(t, round)...)
			state := db.snapshot(t)
			for _, s := range confirmed {
				s.expect(t, state)
			}
			expectWholeUsers(t, state)
		}
		if len(confirmed) == 0 {
			t.Fatal("no sign-up was confirmed")
		}
		server := startServer(t, db)
		for _, s := range confirmed {
			server.expectSession(t, s)
		}
		t.Logf("%d sign-ups, %d users", len(confirmed), len(db.snapshot(t)["user"]))
	})
}

// A signUp is what the server has confirmed.
type signUp struct{ id, email, cookie string }

func (s *signUp) expect(t *testing.T, state snapshot) {
	t.Helper()
	if state["user"][s.id]["email"] != s.email || !hasSession(state, bearer(s.cookie)) {
		t.Errorf("the confirmed sign-up of %s is lost", s.email)
	}
}

// expectWholeUsers: a user comes with a password and a session.
func expectWholeUsers(t *testing.T, state snapshot) {
	t.Helper()
	for _, table := range []string{"account", "session"} {
		var owners []string
		for _, row := range state[table] {
			owners = append(owners, row["userId"])
		}
		slices.Sort(owners)
		for id, user := range state["user"] {
			if _, ok := slices.BinarySearch(owners, id); !ok {
				t.Errorf("%s has no %s", user["email"], table)
			}
		}
		if len(owners) != len(state["user"]) {
			t.Errorf("%d users, %d times %s", len(state["user"]), len(owners), table)
		}
	}
}

// A server is this test's program in another process.
type server struct {
	url    string
	kill   func()
	client *http.Client
}

func startServer(t *testing.T, db *database) *server {
	t.Helper()
	address, kill := startSelf(t, servedProduct+"="+db.Driver, servedSource+"="+db.source)
	client := &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: killClients}, Timeout: patience}
	t.Cleanup(client.CloseIdleConnections)
	return &server{"http://" + address + "/api/auth", kill, client}
}

// startSelf runs this test's program with more environment, as a server that says where
// it listens. Its input ends with the test.
func startSelf(t *testing.T, environment ...string) (address string, kill func()) {
	t.Helper()
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	command := exec.Command(self)
	command.Env = append(os.Environ(), environment...)
	command.Stderr = os.Stderr
	in, err := command.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	out, err := command.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := command.Start(); err != nil {
		t.Fatal(err)
	}
	var once sync.Once
	kill = func() {
		once.Do(func() {
			_ = in.Close()
			_ = command.Process.Kill() // SIGKILL
			_ = command.Wait()
		})
	}
	t.Cleanup(kill)
	line, err := bufio.NewReader(out).ReadString('\n')
	if err != nil {
		t.Fatal(err)
	}
	return strings.TrimSpace(line), kill
}

// signUpUntilKilled lets clients sign up as fast as they can, kills the server a
// moment after the first of them succeeded and returns what it had confirmed until
// then.
func (s *server) signUpUntilKilled(t *testing.T, round int) (confirmed []signUp) {
	var mu sync.Mutex
	var clients sync.WaitGroup
	first := make(chan struct{}, 1)
	for client := range killClients {
		clients.Go(func() {
			for n := 0; ; n++ {
				done, err := s.signUp(fmt.Sprintf("r%d-c%d-n%d@example.com", round, client, n))
				if err != nil {
					return // killed
				}
				mu.Lock()
				confirmed = append(confirmed, done)
				mu.Unlock()
				select {
				case first <- struct{}{}:
				default:
				}
			}
		})
	}
	select {
	case <-first:
	case <-time.After(patience):
	}
	time.Sleep(rand.N(killAfter))
	s.kill()
	clients.Wait()
	return confirmed
}

func (s *server) signUp(email string) (signUp, error) {
	body := fmt.Sprintf(`{"name":"N","email":%q,"password":"a good password"}`, email)
	r, err := http.NewRequest(http.MethodPost, s.url+"/sign-up/email", strings.NewReader(body))
	if err != nil {
		return signUp{}, err
	}
	r.Header.Set("Content-Type", "application/json")
	response, err := s.client.Do(r)
	if err != nil {
		return signUp{}, err
	}
	defer func() { _ = response.Body.Close() }()
	var out struct{ User struct{ ID string } }
	if err := json.NewDecoder(response.Body).Decode(&out); err != nil || response.StatusCode != http.StatusOK {
		return signUp{}, fmt.Errorf("status %d: %w", response.StatusCode, err)
	}
	for _, c := range response.Cookies() {
		if c.Name == tokenCookie {
			return signUp{out.User.ID, email, c.Value}, nil
		}
	}
	return signUp{}, fmt.Errorf("no session for %s", email)
}

// expectSession: the cookie of a confirmed sign-up is good.
func (s *server) expectSession(t *testing.T, done signUp) {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, s.url+"/get-session", nil)
	if err != nil {
		t.Fatal(err)
	}
	r.Header.Set("Cookie", tokenCookie+"="+done.cookie)
	response, err := s.client.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = response.Body.Close() }()
	var body bytes.Buffer
	if _, err := body.ReadFrom(response.Body); err != nil || !strings.Contains(body.String(), `"email":"`+done.email+`"`) {
		t.Errorf("%s is not signed in: %d %s %v", done.email, response.StatusCode, &body, err)
	}
}

// serve is the main function of the server.
func serve() {
	i := slices.IndexFunc(products, func(p product) bool { return p.Driver == os.Getenv(servedProduct) })
	connector, err := products[i].connect(os.Getenv(servedSource), nil)
	if err != nil {
		log.Fatal(err)
	}
	a, err := auth.New(auth.Config{
		BaseURL:       "http://127.0.0.1",
		Secret:        strings.Repeat("secret of the server ", 2),
		Store:         auth.NewSQLStore(sql.OpenDB(connector), products[i].Dialect),
		EmailPassword: auth.EmailPassword{Enabled: true},
		Passwords:     auth.Passwords{Hasher: plainHasher{}},
		RateLimit:     auth.RateLimit{Disabled: true},
		Logger:        slog.New(slog.DiscardHandler),
	})
	if err != nil {
		log.Fatal(err)
	}
	if err := a.Migrate(context.Background()); err != nil {
		log.Fatal(err)
	}
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(listener.Addr())
	log.Fatal(http.Serve(listener, a))
}
