package main

import (
	"cmp"
	"context"
	"database/sql"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"time"

	_ "github.com/jackc/pgx/v5/stdlib"
	_ "modernc.org/sqlite"

	"github.com/seed3b05b409/auth"
)

// A database is where users and sessions are kept.
type database struct {
	source
	store auth.Store
	pool  *sql.DB // nil in memory
}

// connectTimeout is how long a server may take to answer at the start.
const connectTimeout = 10 * time.Second

// openDatabase opens what the flag -db names and makes sure that it is there.
func openDatabase(ctx context.Context, flag string) (*database, error) {
	from, err := parseSource(flag)
	if err != nil {
		return nil, err
	}
	if from.dialect == "" {
		return &database{source: from, store: auth.NewMemoryStore()}, nil
	}
	if from.file != "" {
		if err := touch(from.file); err != nil {
			return nil, err
		}
	}
	pool, err := sql.Open(from.driver, from.dsn)
	if err != nil {
		return nil, fmt.Errorf("database %s: %w", from.shown, err)
	}
	limit(pool)
	ctx, cancel := context.WithTimeout(ctx, connectTimeout)
	defer cancel()
	if err := pool.PingContext(ctx); err != nil {
		return nil, errors.Join(fmt.Errorf("database %s: %w", from.shown, err), pool.Close())
	}
	return &database{source: from, store: auth.NewSQLStore(pool, from.dialect), pool: pool}, nil
}

// touch makes a file that only its owner can read, as it will hold the hashes
// of passwords. SQLite gives the files beside it the same mode.
func touch(name string) error {
	file, err := os.OpenFile(name, os.O_RDWR|os.O_CREATE, 0o600)
	if errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("database %s: its directory does not exist", name)
	}
	if err != nil {
		return fmt.Errorf("database: %w", err)
	}
	return file.Close()
}

// limit keeps a burst of requests from opening more connections than a server
// allows, and keeps those that are open for the next one. None gets so old that
// a server or a firewall may have closed it.
func limit(pool *sql.DB) {
	pool.SetMaxOpenConns(16)
	pool.SetMaxIdleConns(16)
	pool.SetConnMaxIdleTime(3 * time.Minute)
}

// prepare makes the tables that are missing and looks whether those that were
// there can hold what the program stores.
func (d *database) prepare(ctx context.Context, a *auth.Auth) error {
	if err := a.Migrate(ctx); err != nil {
		return fmt.Errorf("database %s: the tables cannot be made: %w", d.shown, err)
	}
	if err := a.CheckSchema(ctx); err != nil {
		return fmt.Errorf("database %s: the tables do not fit:\n%w", d.shown, err)
	}
	return nil
}

// close closes the database when its last user has ended. It returns the error
// of that one, or its own.
func (d *database) close(err error) error {
	if d.pool == nil {
		return err
	}
	return cmp.Or(err, d.pool.Close())
}
