package bench

import (
	"bufio"
	"bytes"
	"database/sql"
	"embed"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"runtime"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/seed3b05b409/auth"
	"github.com/seed3b05b409/auth/internal/testdb"
	"github.com/seed3b05b409/auth/internal/testnode"
)

//go:embed original.mjs
var scripts embed.FS

// BenchmarkOriginal is get-session over loopback HTTP, by this library and by the
// npm package. Each server has one core, eight clients keep their connections.
// The budgets: 30 times the requests per second of the original in memory, 15
// times on SQLite, where both work on one file. That of a fast server is limited
// by its clients, so what counts is the processor time that a request takes the
// server, which wants a second or more: -benchtime 3s.
func BenchmarkOriginal(b *testing.B) {
	for _, in := range []string{"memory", "SQLite"} {
		b.Run(in, func(b *testing.B) {
			var file testdb.Database
			if in == "SQLite" {
				file = migratedFile(b)
			}
			b.Run("auth", func(b *testing.B) { measureServer(b, ownCommand(b, file.Source)) })
			b.Run("better-auth", func(b *testing.B) { measureServer(b, originalCommand(b, file.URL)) })
		})
	}
}

// migratedFile returns a database with the tables.
func migratedFile(b *testing.B) testdb.Database {
	file := testdb.SQLite.New(b).With(sqliteCommits)
	newAuth(b, auth.NewSQLStore(file.Open(b), auth.SQLite), auth.Passwords{}, auth.SessionOptions{})
	return file
}

// serveVariable makes this program a server instead of a test. Its value is the
// source of the database, or "memory".
const serveVariable = "AUTH_BENCH_SERVE"

func TestMain(m *testing.M) {
	where := os.Getenv(serveVariable)
	if where == "" {
		os.Exit(m.Run())
	}
	if err := serve(where); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

// serve does what original.mjs does.
func serve(where string) error {
	store := auth.Store(auth.NewMemoryStore())
	if where != "memory" {
		db, err := sql.Open(testdb.SQLite.Driver, where)
		if err != nil {
			return err
		}
		store = auth.NewSQLStore(db, auth.SQLite)
	}
	a, err := auth.New(newConfig(store, auth.Passwords{}, auth.SessionOptions{}))
	if err != nil {
		return err
	}
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return err
	}
	fmt.Println(listener.Addr())
	go func() {
		_, _ = io.Copy(io.Discard, os.Stdin)
		os.Exit(0)
	}()
	return http.Serve(listener, a)
}

// onOneCore returns a command that has one core to itself: clients have others.
func onOneCore(b *testing.B, name string, args ...string) *exec.Cmd {
	if _, err := exec.LookPath("taskset"); err != nil {
		testnode.Missing(b, "taskset is missing", "install util-linux, on Linux")
	}
	core := strconv.Itoa(runtime.NumCPU() - 1)
	return exec.CommandContext(b.Context(), "taskset", append([]string{"--cpu-list", core, name}, args...)...)
}

func ownCommand(b *testing.B, source string) *exec.Cmd {
	self, err := os.Executable()
	if err != nil {
		b.Fatal(err)
	}
	if source == "" {
		source = "memory"
	}
	command := onOneCore(b, self)
	command.Env = append(os.Environ(), "GOMAXPROCS=1", serveVariable+"="+source)
	return command
}

func originalCommand(b *testing.B, path string) *exec.Cmd {
	command := onOneCore(b, "node", "original.mjs", origin, secret, path)
	command.Dir = testnode.InstallSQLite(b, scripts)
	command.Env = append(os.Environ(), "NODE_ENV=production")
	return command
}

// measureServer starts a server, signs somebody up and reads the session.
func measureServer(b *testing.B, command *exec.Cmd) {
	address := start(b, command)
	request := signUpOver(b, address)
	before := processorTime(command.Process.Pid)
	b.SetParallelism(max(1, 8/runtime.GOMAXPROCS(0)))
	b.ResetTimer()
	b.RunParallel(func(pb *testing.PB) {
		connection, err := net.Dial("tcp", address)
		if err != nil {
			b.Error(err)
			return
		}
		defer connection.Close()
		answers := bufio.NewReader(connection)
		for pb.Next() {
			if err := ask(connection, answers, request); err != nil {
				b.Error(err)
				return
			}
		}
	})
	b.StopTimer()
	spent := processorTime(command.Process.Pid) - before
	b.ReportMetric(float64(spent.Nanoseconds())/float64(b.N), "server-ns/op")
}

// start runs a server until the benchmark ends and returns its address, which it
// prints.
func start(b *testing.B, command *exec.Cmd) string {
	b.Helper()
	var complaints bytes.Buffer
	command.Stderr = &complaints
	command.WaitDelay = 5 * time.Second
	hold, err := command.StdinPipe()
	if err != nil {
		b.Fatal(err)
	}
	out, err := command.StdoutPipe()
	if err != nil {
		b.Fatal(err)
	}
	if err := command.Start(); err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() {
		_ = hold.Close()
		_ = command.Wait()
	})
	line, err := bufio.NewReader(out).ReadString('\n')
	if err != nil {
		_ = hold.Close()
		b.Fatalf("%v: %v\n%s", command.Args, err, complaints.String())
	}
	return strings.TrimSpace(line)
}

// signUpOver signs somebody up and returns the bytes of a get-session request.
func signUpOver(b *testing.B, address string) []byte {
	b.Helper()
	content := fmt.Sprintf(`{"name":"Ada Lovelace","email":"ada-%d@example.com","password":"correct horse battery"}`, time.Now().UnixNano())
	r, err := http.NewRequestWithContext(b.Context(), "POST", "http://"+address+"/api/auth/sign-up/email", strings.NewReader(content))
	if err != nil {
		b.Fatal(err)
	}
	r.Header.Set("Content-Type", "application/json")
	r.Header.Set("Origin", origin)
	resp, err := http.DefaultClient.Do(r)
	if err != nil {
		b.Fatal(err)
	}
	defer resp.Body.Close()
	cookies := resp.Cookies()
	if resp.StatusCode != http.StatusOK || len(cookies) == 0 || cookies[0].Name != cookieName {
		answer, _ := io.ReadAll(resp.Body)
		b.Fatalf("%s %s", resp.Status, answer)
	}
	return fmt.Appendf(nil, "GET /api/auth/get-session HTTP/1.1\r\nHost: localhost\r\nCookie: %s=%s\r\n\r\n", cookieName, cookies[0].Value)
}

// ask sends a request and reads the answer, which has to be a session.
func ask(connection net.Conn, answers *bufio.Reader, request []byte) error {
	if _, err := connection.Write(request); err != nil {
		return err
	}
	resp, err := http.ReadResponse(answers, nil)
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	size, err := io.Copy(io.Discard, resp.Body)
	if err == nil && (resp.StatusCode != http.StatusOK || size < 100) {
		err = fmt.Errorf("%s with %d bytes", resp.Status, size)
	}
	return err
}

// processorTime is what a process has used so far, on Linux.
func processorTime(pid int) time.Duration {
	stat, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	if err != nil {
		return 0
	}
	_, after, _ := strings.Cut(string(stat), ") ")
	fields := strings.Fields(after)
	if len(fields) < 13 {
		return 0
	}
	user, _ := strconv.ParseInt(fields[11], 10, 64)
	system, _ := strconv.ParseInt(fields[12], 10, 64)
	return time.Duration(user+system) * (time.Second / 100) // ticks, 100 in a second
}
