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
	"sync"
	"syscall"

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
	a, err := newInstance(store, longCache, mailTo(os.Getenv(servePost)), slog.New(slog.NewTextHandler(os.Stderr, &slog.HandlerOptions{Level: slog.LevelError})))
	if err != nil {
		return err
	}
	if err := a.Migrate(context.Background()); err != nil {
		return err
	}
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return err
	}
	fmt.Println(listener.Addr())
	desk := newDesk(a)
	mux := http.NewServeMux()
	mux.Handle("/api/auth/", desk)
	mux.HandleFunc("/settle", desk.settle)
	mux.HandleFunc("/leaks", countLeaks)
	mux.Handle("/rows", rows{store})
	return http.Serve(listener, mux)
}

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

// A desk knows whose requests are being answered.
type desk struct {
	handler http.Handler
	mu      sync.Mutex
	done    sync.Cond
	open    map[string]int
}

func newDesk(h http.Handler) *desk {
	d := &desk{handler: h, open: make(map[string]int)}
	d.done.L = &d.mu
	return d
}

func (d *desk) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	person := r.Header.Get(personHeader)
	d.count(person, 1)
	defer d.count(person, -1)
	d.handler.ServeHTTP(w, r)
}

func (d *desk) count(person string, n int) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.open[person] += n
	d.done.Broadcast()
}

// settle answers when no request of a person is being answered.
func (d *desk) settle(_ http.ResponseWriter, r *http.Request) {
	d.mu.Lock()
	defer d.mu.Unlock()
	for d.open[r.URL.Query().Get("person")] > 0 {
		d.done.Wait()
	}
}

// leaks is what a server may leak.
type leaks struct{ Goroutines, Descriptors int }

func countLeaks(w http.ResponseWriter, _ *http.Request) {
	open, err := os.ReadDir("/proc/self/fd")
	if err != nil {
		http.Error(w, err.Error(), http.StatusInternalServerError)
		return
	}
	_ = json.NewEncoder(w).Encode(leaks{runtime.NumGoroutine(), len(open)})
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
	found := []map[string]any{}
	if s, ok := h.store.(*memoryStore); ok {
		found = s.dump(r.Context(), r.URL.Query().Get("table"))
	}
	_ = json.NewEncoder(w).Encode(found)
}

func (s *memoryStore) dump(ctx context.Context, table string) []map[string]any {
	found := []map[string]any{}
	t, known := s.tables.Load(table)
	if !known {
		return found
	}
	all, _ := s.Select(ctx, auth.Query{Table: t.(*auth.Table)})
	for _, row := range all {
		values := map[string]any{"id": row[len(row)-1]}
		for i, column := range t.(*auth.Table).Columns {
			values[column.Name] = row[i]
		}
		found = append(found, values)
	}
	return found
}
