package auth

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

func TestCleanup(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var ended []string
		w := newWorld(t, func(c *Config) {
			c.Session.ExpiresIn = time.Minute // within the time for which the memory store keeps expired rows
			c.EmailPassword.ResetPasswordExpiresIn = time.Minute
			c.DatabaseHooks.Session.AfterDelete = func(_ context.Context, s *Session) { ended = append(ended, s.UserID) }
		})
		ann := w.as("ann")
		w.browser().post("/request-password-reset", `{"email":"ann@example.com"}`).ok(t)
		time.Sleep(2 * time.Minute)
		w.signIn("ann")
		if sessions, tokens := count(t, w, w.core.sessions.table), count(t, w, w.core.verifications.table); sessions != 2 || tokens != 1 {
			t.Fatalf("%d sessions, %d verifications before", sessions, tokens)
		}
		if err := w.Cleanup(t.Context()); err != nil {
			t.Fatal(err)
		}
		if sessions, tokens := count(t, w, w.core.sessions.table), count(t, w, w.core.verifications.table); sessions != 1 || tokens != 0 || len(ended) != 1 {
			t.Errorf("%d sessions, %d verifications, hooks for %q", sessions, tokens, ended)
		}
		if ann.signedIn() {
			t.Error("a session that expired is good")
		}
	})
}

// tabled is a memory store that passes for a database, and writes down how many rows
// each deletion meant.
type tabled struct {
	*MemoryStore
	deleted []int64
}

func (*tabled) OpenTables([]*Table) error                   { return nil }
func (*tabled) Schema([]*Table) (string, error)             { return "", nil }
func (*tabled) Migrate(context.Context, []*Table) error     { return nil }
func (*tabled) CheckSchema(context.Context, []*Table) error { return nil }
func (s *tabled) Delete(ctx context.Context, t *Table, where ...Condition) (int64, error) {
	n, err := s.MemoryStore.Delete(ctx, t, where...)
	s.deleted = append(s.deleted, n)
	return n, err
}

// expiredVerifications stores as many that expired a minute ago.
func (w *world) expiredVerifications(n int) {
	w.t.Helper()
	for i := range n {
		err := w.core.verifications.create(w.t.Context(), &Verification{
			Identifier: fmt.Sprint("old", i), Value: "x", ExpiresAt: now().Add(-time.Minute), CreatedAt: now(), UpdatedAt: now(),
		})
		if err != nil {
			w.t.Fatal(err)
		}
	}
}

// TestCleanupInBatches: a database removes a thousand rows at a time, whatever hooks
// keep, and the log says how many.
func TestCleanupInBatches(t *testing.T) {
	var store *tabled
	keeping := 0
	w := newWorld(t, func(c *Config) {
		store = &tabled{MemoryStore: NewMemoryStore()}
		c.Store = store
	})
	w.expiredVerifications(2*cleanupBatch + 5)
	store.deleted = nil
	if err := w.Cleanup(t.Context()); err != nil {
		t.Fatal(err)
	}
	if !slices.Equal(store.deleted, []int64{cleanupBatch, cleanupBatch, 5}) {
		t.Errorf("deleted %v", store.deleted)
	}
	if log := w.log.String(); !strings.Contains(log, `level=INFO msg="expired rows removed" table=verification rows=2005`) || strings.Contains(log, "table=session") {
		t.Errorf("log %s", log)
	}

	w = newWorld(t, func(c *Config) {
		c.Store = &tabled{MemoryStore: NewMemoryStore()}
		c.DatabaseHooks.Verification.BeforeDelete = func(_ context.Context, v *Verification) error {
			if keeping++; strings.HasSuffix(v.Identifier, "7") {
				return ErrAborted
			}
			return nil
		}
	})
	w.expiredVerifications(cleanupLook + 5)
	if err := w.Cleanup(t.Context()); err != nil {
		t.Fatal(err)
	}
	if left, err := w.core.store.Count(t.Context(), w.core.verifications.table); err != nil || left != cleanupLook/10 || keeping != cleanupLook+5 {
		t.Errorf("%d are left, the hook was asked %d times, %v", left, keeping, err)
	}
}

// TestCleanupStops: an error ends the work on a table, and not that on the others.
func TestCleanupStops(t *testing.T) {
	w := newWorld(t, func(c *Config) {
		c.Store = &tabled{MemoryStore: NewMemoryStore()}
		c.DatabaseHooks.Verification.BeforeDelete = func(context.Context, *Verification) error { return errSecret }
	})
	w.expiredVerifications(3)
	w.as("ann")
	sessions, err := w.core.sessions.find(t.Context(), Query{})
	if err != nil || len(sessions) != 1 {
		t.Fatal(sessions, err)
	}
	if _, err := w.core.sessions.update(t.Context(), map[string]any{"expiresAt": now().Add(-time.Minute)}, Where("id", sessions[0].ID)); err != nil {
		t.Fatal(err)
	}
	if err := w.Cleanup(t.Context()); !errors.Is(err, errSecret) {
		t.Error(err)
	}
	if left, err := w.core.store.Count(t.Context(), w.core.sessions.table); err != nil || left != 0 {
		t.Errorf("%d sessions are left, %v", left, err)
	}
}
