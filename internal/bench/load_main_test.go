package bench

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"testing"
	"time"

	"github.com/seed3b05b409/auth"
	"github.com/seed3b05b409/auth/redisstorage"
)

func TestMain(m *testing.M) {
	text := os.Getenv(settingVariable)
	if text == "" {
		os.Exit(m.Run())
	}
	if err := serve(text); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

// handlers make the peers that are written in Go.
var handlers = map[string]func(setting) (http.Handler, error){
	"auth": authHandler,
	"bare": bareHandler,
	"scs":  scsHandler,
}

// serve does what original.mjs does: it serves on a free port, prints it and ends
// with stdin.
func serve(text string) error {
	var s setting
	if err := json.Unmarshal([]byte(text), &s); err != nil {
		return err
	}
	handler, err := handlers[s.Peer](s)
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
	if s.Guarded {
		return recommended(handler).Serve(listener)
	}
	return http.Serve(listener, handler)
}

// authHandler is this library.
func authHandler(s setting) (http.Handler, error) {
	store := auth.Store(auth.NewMemoryStore())
	if s.Dialect != "" {
		db, err := s.openDatabase()
		if err != nil {
			return nil, err
		}
		store = auth.NewSQLStore(db, s.Dialect)
	}
	passwords := auth.Passwords{}
	if s.Plain {
		passwords.Hasher = plain{}
	}
	config := newConfig(store, passwords, auth.SessionOptions{
		CookieCache: auth.CookieCache{Enabled: s.CookieCache, MaxAge: time.Hour},
	})
	if s.Redis != "" {
		config.SecondaryStorage = redisstorage.New(s.openRedis(), redisstorage.Options{Prefix: s.Prefix})
	}
	a, err := auth.New(config)
	if err != nil || s.Dialect == "" {
		return a, err
	}
	return a, a.Migrate(context.Background())
}
