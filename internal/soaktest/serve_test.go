package soaktest

import (
	"bytes"
	"context"
	"database/sql"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"os"
	"os/signal"
	"runtime"
	"slices"
	"strconv"
	"sync"
	"syscall"
	"time"

	"github.com/seed3b05b409/auth"
	"github.com/seed3b05b409/auth/internal/testdb"
)

// The environment that makes this program the server instead of a test.
const (
	serveDriver = "AUTH_SOAK_DRIVER" // "memory", or that of a database
	serveSource = "AUTH_SOAK_SOURCE"
	servePost   = "AUTH_SOAK_POST" // where mails go
)

// serve is the main function of the server. It ends with the program that started it.
func serve() error {
	go func() {
		_, _ = io.Copy(io.Discard, os.Stdin)
		os.Exit(0)
	}()
	signal.Ignore(syscall.SIGXFSZ) // a full disk is an error of the write
	store, err := openStore(os.Getenv(serveDriver), os.Getenv(serveSource))
	if err != nil {
		return err
	}
	a, err := newInstance(store, options{cookieCache: longCache, deliver: mailTo(os.Getenv(servePost))}, slog.New(slog.NewTextHandler(os.Stderr, &slog.HandlerOptions{Level: slog.LevelError})))
	if err != nil {
		return err
	}
	if a.CheckSchema(context.Background()) != nil { // the database may be read-only later
		if err := a.Migrate(context.Background()); err != nil {
			return err
		}
	}
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return err
	}
	fmt.Println(listener.Addr())
	l, mux := newLobby(), http.NewServeMux()
	mux.Handle("/api/auth/", a)
	mux.HandleFunc("/settle", l.settle)
	mux.HandleFunc("/leaks", countLeaks)
	mux.HandleFunc("/limit", limitFiles)
	mux.Handle("/rows", rows{store})
	server := &http.Server{Handler: mux, ConnState: l.note}
	return server.Serve(listener)
}

// The pool closes what has been idle for poolIdle, but looks only once a second: in
// poolRest all that it does not need is gone.
const (
	poolIdle = time.Second / 2
	poolRest = 2 * time.Second
)

func openStore(driver, source string) (auth.Store, error) {
	i := slices.IndexFunc(testdb.Servers, func(s testdb.Server) bool { return s.Driver == driver })
	if i < 0 {
		return &memoryStore{MemoryStore: auth.NewMemoryStore()}, nil
	}
	db, err := sql.Open(driver, source)
	if err != nil {
		return nil, err
	}
	db.SetMaxOpenConns(16)
	db.SetMaxIdleConns(16)
	db.SetConnMaxIdleTime(poolIdle)
	return auth.NewSQLStore(db, testdb.Servers[i].Dialect), nil
}

// mailTo sends mails to a post in another process.
func mailTo(url string) func(m mail) {
	client := &http.Client{Transport: &http.Transport{DisableKeepAlives: true}}
	return func(m mail) {
		text, _ := json.Marshal(m)
		response, err := client.Post(url, "application/json", bytes.NewReader(text))
		if err != nil {
			panic(err)
		}
		_ = response.Body.Close()
	}
}

// A lobby knows which connections are open.
type lobby struct {
	mu   sync.Mutex
	left sync.Cond
	open map[string]bool // by the address of the client
}

func newLobby() *lobby {
	l := &lobby{open: make(map[string]bool)}
	l.left.L = &l.mu
	return l
}

// note is the ConnState of an http.Server. A connection is closed when its last
// request has been dealt with.
func (l *lobby) note(conn net.Conn, state http.ConnState) {
	l.mu.Lock()
	defer l.mu.Unlock()
	switch state {
	case http.StateNew:
		l.open[conn.RemoteAddr().String()] = true
	case http.StateClosed:
		delete(l.open, conn.RemoteAddr().String())
		l.left.Broadcast()
	}
}

// settle answers when none of some connections is open.
func (l *lobby) settle(_ http.ResponseWriter, r *http.Request) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for slices.ContainsFunc(r.URL.Query()["of"], func(address string) bool { return l.open[address] }) {
		l.left.Wait()
	}
}

// leaks is what a server may leak.
type leaks struct{ Goroutines, Descriptors int }

func countLeaks(w http.ResponseWriter, _ *http.Request) {
	open, err := os.ReadDir("/dev/fd")
	if err != nil {
		http.Error(w, err.Error(), http.StatusInternalServerError)
		return
	}
	_ = json.NewEncoder(w).Encode(leaks{runtime.NumGoroutine(), len(open)})
}

// limitFiles makes writes beyond a size fail as on a full disk.
func limitFiles(w http.ResponseWriter, r *http.Request) {
	var limit syscall.Rlimit
	bytes, err := strconv.ParseUint(r.URL.Query().Get("bytes"), 10, 64)
	if err == nil {
		err = syscall.Getrlimit(syscall.RLIMIT_FSIZE, &limit)
	}
	if err == nil {
		limit.Cur = bytes
		err = syscall.Setrlimit(syscall.RLIMIT_FSIZE, &limit)
	}
	if err != nil {
		http.Error(w, err.Error(), http.StatusInternalServerError)
	}
}

// A memoryStore knows the tables that it has been asked for.
type memoryStore struct {
	*auth.MemoryStore
	tables sync.Map
}

func (s *memoryStore) Insert(ctx context.Context, t *auth.Table, row auth.Row) error {
	s.tables.Store(t.Name, t)
	return s.MemoryStore.Insert(ctx, t, row)
}

// rows shows what a memoryStore holds, as maps from columns to values.
type rows struct{ store auth.Store }

func (h rows) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	found := []row{}
	if s, ok := h.store.(*memoryStore); ok {
		found = s.dump(r.Context(), r.URL.Query().Get("table"))
	}
	_ = json.NewEncoder(w).Encode(found)
}

func (s *memoryStore) dump(ctx context.Context, table string) []row {
	found := []row{}
	t, known := s.tables.Load(table)
	if !known {
		return found
	}
	all, _ := s.Select(ctx, auth.Query{Table: t.(*auth.Table)})
	for _, cells := range all {
		values := row{"id": cells[len(cells)-1]}
		for i, column := range t.(*auth.Table).Columns {
			values[column.Name] = cells[i]
		}
		found = append(found, values)
	}
	return found
}
