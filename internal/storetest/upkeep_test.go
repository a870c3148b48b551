package storetest

import (
	"bytes"
	"context"
	"fmt"
	"log/slog"
	"strings"
	"testing"
	"time"

	"github.com/seed3b05b409/auth"
)

// TestUpkeepTells: Migrate tells what it makes and Cleanup what it removes, a thousand
// rows at a time, on every database.
func TestUpkeepTells(t *testing.T) {
	onEach(t, func(t *testing.T, d database) {
		db := d.open(t)
		var log bytes.Buffer
		hooked := 0
		open := func(edit func(*auth.Config)) *auth.Auth {
			config := auth.Config{
				BaseURL: "http://localhost", Secret: strings.Repeat("s", 32), Store: auth.NewSQLStore(db, d.dialect),
				Logger: slog.New(slog.NewTextHandler(&log, &slog.HandlerOptions{Level: slog.LevelDebug})),
			}
			edit(&config)
			a, err := auth.New(config)
			if err != nil {
				t.Fatal(err)
			}
			return a
		}
		migrate := func(a *auth.Auth, wants ...string) {
			t.Helper()
			log.Reset()
			if err := a.Migrate(t.Context()); err != nil {
				t.Fatal(err)
			}
			for _, want := range wants {
				if !strings.Contains(log.String(), want) {
					t.Errorf("the log has no %s:\n%s", want, log.String())
				}
			}
		}
		plain := open(func(*auth.Config) {})
		migrate(plain, `level=INFO msg="database: table made" table=user duration=`, `level=INFO msg="database: index made" table=session column=userId`,
			`level=INFO msg="database: what was missing is there" steps=`)
		migrate(plain, `level=DEBUG msg="database: nothing is missing"`)
		more := open(func(c *auth.Config) {
			c.User.Fields = []auth.Column{{Name: "nickname", Type: auth.TypeString, Nullable: true, Optional: true}}
		})
		migrate(more, `level=INFO msg="database: column made" table=user column=nickname`, `steps=1`)

		store := auth.NewSQLStore(db, d.dialect)
		table := expiring()
		if err := store.OpenTables([]*auth.Table{table}); err != nil {
			t.Fatal(err)
		}
		at := time.Now().Add(-time.Hour)
		err := store.Transaction(t.Context(), func(ctx context.Context) error {
			for i := range 1203 {
				row := auth.Row{fmt.Sprint("old", i), "value", at, at, at, fmt.Sprint("id", i)}
				if err := store.Insert(ctx, table, row); err != nil {
					return err
				}
			}
			return store.Insert(ctx, table, auth.Row{"new", "value", time.Now().Add(time.Hour), at, at, "new"})
		})
		if err != nil {
			t.Fatal(err)
		}
		log.Reset()
		hooks := open(func(c *auth.Config) {
			c.DatabaseHooks.Verification.AfterDelete = func(context.Context, *auth.Verification) { hooked++ }
		})
		if err := hooks.Cleanup(t.Context()); err != nil {
			t.Fatal(err)
		}
		left, err := store.Count(t.Context(), table)
		if err != nil || left != 1 || hooked != 1203 || !strings.Contains(log.String(), `level=INFO msg="expired rows removed" table=verification rows=1203`) {
			t.Errorf("%d rows are left, %v, %d hooks ran:\n%s", left, err, hooked, log.String())
		}
	})
}

// expiring is the core's table of verifications.
func expiring() *auth.Table {
	return &auth.Table{Name: "verification", Columns: []auth.Column{
		{Name: "identifier", Type: auth.TypeString, Index: true},
		{Name: "value", Type: auth.TypeString},
		{Name: "expiresAt", Type: auth.TypeDate},
		{Name: "createdAt", Type: auth.TypeDate},
		{Name: "updatedAt", Type: auth.TypeDate},
	}}
}

// TestCleanupByIDs: batches follow each other whatever the ids are.
func TestCleanupByIDs(t *testing.T) {
	ids := map[auth.IDType]func(i int) string{
		auth.IDText:   func(i int) string { return fmt.Sprintf("%c%d", "aBZz"[i%4], i) },
		auth.IDSerial: func(int) string { return "" }, // the store counts
		auth.IDUUID:   func(i int) string { return fmt.Sprintf("%08x-0000-4000-8000-%012d", i*2654435761%(1<<32), i) },
	}
	onEach(t, func(t *testing.T, d database) {
		for kind, id := range ids {
			t.Run(string(kind), func(t *testing.T) {
				store := auth.NewSQLStore(d.open(t), d.dialect)
				a, err := auth.New(auth.Config{
					BaseURL: "http://localhost", Secret: strings.Repeat("s", 32), Store: store, IDs: kind, Logger: slog.New(slog.DiscardHandler),
				})
				if err != nil {
					t.Fatal(err)
				}
				if err := a.Migrate(t.Context()); err != nil {
					t.Fatal(err)
				}
				table := expiring()
				table.IDs = kind
				if err := store.OpenTables([]*auth.Table{table}); err != nil {
					t.Fatal(err)
				}
				at := time.Now().Add(-time.Hour)
				err = store.Transaction(t.Context(), func(ctx context.Context) error {
					for i := range 2203 {
						if err := store.Insert(ctx, table, auth.Row{fmt.Sprint("old", i), "value", at, at, at, id(i)}); err != nil {
							return err
						}
					}
					return nil
				})
				if err != nil {
					t.Fatal(err)
				}
				if err := a.Cleanup(t.Context()); err != nil {
					t.Fatal(err)
				}
				if left, err := store.Count(t.Context(), table); err != nil || left != 0 {
					t.Errorf("%d rows are left, %v", left, err)
				}
			})
		}
	})
}
