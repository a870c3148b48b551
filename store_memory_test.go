package auth

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"
)

// The contract that all stores share is tested in internal/storetest; here is
// what the memory store promises beyond it.

// testSessionTable has the columns of the core's session table (contract
// section 12.1), testSession rows of the usual size.
var testSessionTable = &Table{Name: "session", Expires: "expiresAt", Columns: []Column{
	{Name: "expiresAt", Type: TypeDate},
	{Name: "token", Type: TypeString, Unique: true},
	{Name: "createdAt", Type: TypeDate},
	{Name: "updatedAt", Type: TypeDate},
	{Name: "ipAddress", Type: TypeString, Nullable: true},
	{Name: "userAgent", Type: TypeString, Nullable: true},
	{Name: "userId", Type: TypeString, References: "user", Index: true},
}}

var testUserTable = &Table{Name: "user", Columns: []Column{{Name: "name", Type: TypeString}}}

func testSession(i int, expires time.Time) Row {
	return Row{expires, testToken(i), now(), now(), fmt.Sprintf("198.51.100.%d", i%256),
		strings.Clone("Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/140.0.0.0 Safari/537.36"),
		fmt.Sprintf("%032d", i), fmt.Sprintf("%032d", i)}
}

func testToken(i int) string { return fmt.Sprintf("token-%026d", i) }

func fillSessions(tb testing.TB, s Store, n int) {
	tb.Helper()
	for i := range n {
		if err := s.Insert(tb.Context(), testSessionTable, testSession(i, now().Add(time.Hour))); err != nil {
			tb.Fatal(err)
		}
	}
}

func storeIDs(t *testing.T, s Store, table *Table, where ...Condition) (ids []string) {
	t.Helper()
	rows, err := s.Select(t.Context(), Query{Table: table, Where: where})
	if err != nil {
		t.Fatal(err)
	}
	for _, row := range rows {
		ids = append(ids, row.id())
	}
	return ids
}

// Without an order rows come as they were inserted, however they were found and
// whatever was updated since: tests and pages of users rely on it.
func TestMemoryStoreOrder(t *testing.T) {
	s := NewMemoryStore()
	for _, id := range []string{"d", "a", "c", "b"} {
		row := testSession(0, now().Add(time.Hour))
		row[1], row[7] = id, id
		if err := s.Insert(t.Context(), testSessionTable, row); err != nil {
			t.Fatal(err)
		}
	}
	move := func(ctx context.Context, id, user string) {
		if n, err := s.Update(ctx, testSessionTable, map[string]any{"userId": user}, Where("id", id)); n != 1 || err != nil {
			t.Fatalf("update: %d, %v", n, err)
		}
	}
	for _, id := range []string{"d", "a", "c", "b"} {
		move(t.Context(), id, "u1")
	}
	move(t.Context(), "d", "u2")
	move(t.Context(), "d", "u1") // now the last of its index
	want := []string{"d", "a", "c", "b"}
	if got := storeIDs(t, s, testSessionTable); !slices.Equal(got, want) {
		t.Errorf("a scan found %q, want %q", got, want)
	}
	if got := storeIDs(t, s, testSessionTable, Where("userId", "u1")); !slices.Equal(got, want) {
		t.Errorf("an index found %q, want %q", got, want)
	}
	if row, err := s.Consume(t.Context(), testSessionTable, Where("userId", "u1")); err != nil || row.id() != "d" {
		t.Errorf("consumed %v, %v, want the oldest", row, err)
	}
	err := s.Transaction(t.Context(), func(ctx context.Context) error {
		move(ctx, "a", "u3")
		move(ctx, "a", "u1")
		row, err := s.Increment(ctx, testSessionTable, nil, map[string]any{"ipAddress": "::1"}, Where("ipAddress", "198.51.100.0"))
		if err == nil && row.id() != "a" {
			t.Errorf("changed %q, want the oldest", row.id())
		}
		return err
	})
	if err != nil {
		t.Error(err)
	}
}

// Unique values may wander from row to row within one transaction.
func TestMemoryStoreSwap(t *testing.T) {
	s := NewMemoryStore()
	fillSessions(t, s, 2)
	err := s.Transaction(t.Context(), func(ctx context.Context) error {
		for _, step := range [][2]string{{"0", "spare"}, {"1", testToken(0)}, {"0", testToken(1)}} {
			id := fmt.Sprintf("%032s", step[0])
			if _, err := s.Update(ctx, testSessionTable, map[string]any{"token": step[1]}, Where("id", id)); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	for i := range 2 {
		want := fmt.Sprintf("%032d", 1-i)
		if got := storeIDs(t, s, testSessionTable, Where("token", testToken(i))); !slices.Equal(got, []string{want}) {
			t.Errorf("token %d belongs to %q, want %q", i, got, want)
		}
	}
	if err := s.Insert(t.Context(), testSessionTable, testSession(0, now())); !errors.Is(err, ErrConflict) {
		t.Errorf("insert of a taken token: %v", err)
	}
}

// Two instances may share a store only if they agree about its tables.
func TestMemoryStoreOtherColumns(t *testing.T) {
	s := NewMemoryStore()
	fillSessions(t, s, 1)
	same := *testSessionTable
	if got := storeIDs(t, s, &same); len(got) != 1 {
		t.Errorf("an equal table found %q", got)
	}
	other := Table{Name: "session", Columns: testSessionTable.Columns[1:]}
	if _, err := s.Count(t.Context(), &other); err == nil {
		t.Error("another table of the same name is no error")
	}
	if err := s.Insert(t.Context(), &other, testSession(1, now())[1:]); err == nil {
		t.Error("a row of another table of the same name is no error")
	}
	if err := s.Insert(t.Context(), &Table{Name: "bad", Columns: []Column{{Name: "id"}}}, Row{"x", "x"}); err == nil {
		t.Error("a table with mistakes is no error")
	}
}

// Rows that reference each other in a circle, or themselves, all go.
func TestMemoryStoreCascadeCircle(t *testing.T) {
	s := NewMemoryStore()
	folder := &Table{Name: "folder", Columns: []Column{{Name: "parentId", Type: TypeString, References: "folder"}}}
	for id, parent := range map[string]string{"a": "c", "b": "a", "c": "b", "self": "self", "other": "none"} {
		if err := s.Insert(t.Context(), folder, Row{parent, id}); err != nil {
			t.Fatal(err)
		}
	}
	if n, err := s.Delete(t.Context(), folder, Condition{"id", "in", []string{"a", "b", "self"}}); n != 3 || err != nil {
		t.Errorf("delete: %d, %v, want 3", n, err)
	}
	if got := storeIDs(t, s, folder); !slices.Equal(got, []string{"other"}) {
		t.Errorf("left are %q", got)
	}
}

// Expired rows go, an hour late and a few at a time, as others are written; the
// rows that are valid stay.
func TestMemoryStoreExpiry(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := NewMemoryStore()
		const dead, alive = 100, 20
		for i := range dead + alive {
			expires := now().Add(time.Minute)
			if i >= dead {
				expires = now().Add(24 * time.Hour)
			}
			if err := s.Insert(t.Context(), testSessionTable, testSession(i, expires)); err != nil {
				t.Fatal(err)
			}
		}
		touch := func() int64 {
			if _, err := s.Update(t.Context(), testSessionTable, map[string]any{"ipAddress": "::1"}, Where("token", testToken(dead))); err != nil {
				t.Fatal(err)
			}
			n, _ := s.Count(t.Context(), testSessionTable)
			return n
		}
		time.Sleep(time.Hour)
		for range dead {
			if n := touch(); n != dead+alive {
				t.Fatalf("%d rows within the hour, want all %d", n, dead+alive)
			}
		}
		time.Sleep(2 * time.Minute)
		before := touch()
		for n := touch(); n > alive; n = touch() {
			if before-n > memorySweep || before == n && n < 2*memorySweep {
				t.Fatalf("%d rows after %d: one write has removed too many, or none", n, before)
			}
			before = n
		}
		if got := len(storeIDs(t, s, testSessionTable)); got != alive {
			t.Errorf("%d rows left, want %d", got, alive)
		}
	})
}

// A reader never waits for a transaction, not even while one writer after the
// other is waiting for it.
func TestMemoryStoreReadersDoNotWait(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := NewMemoryStore()
		fillSessions(t, s, 1)
		slow := make(chan struct{})
		go s.Transaction(t.Context(), func(ctx context.Context) error {
			_, err := s.Delete(ctx, testSessionTable)
			<-slow
			return err
		})
		synctest.Wait()
		for i := 1; i < 4; i++ {
			go s.Insert(t.Context(), testSessionTable, testSession(i, now()))
		}
		synctest.Wait()
		if got := storeIDs(t, s, testSessionTable); len(got) != 1 {
			t.Errorf("a reader found %q", got)
		}
		close(slow)
		synctest.Wait()
		if got := storeIDs(t, s, testSessionTable); len(got) != 3 {
			t.Errorf("in the end there are %q", got)
		}
	})
}

// A function may share its transaction with goroutines of its own.
func TestMemoryStoreTransactionGoroutines(t *testing.T) {
	s := NewMemoryStore()
	err := s.Transaction(t.Context(), func(ctx context.Context) error {
		var all sync.WaitGroup
		for i := range 32 {
			all.Go(func() {
				if err := s.Insert(ctx, testSessionTable, testSession(i, now().Add(time.Hour))); err != nil {
					t.Error(err)
				}
				if _, err := s.Count(ctx, testSessionTable); err != nil {
					t.Error(err)
				}
			})
		}
		all.Wait()
		return nil
	})
	if got := storeIDs(t, s, testSessionTable); err != nil || len(got) != 32 {
		t.Errorf("%d rows, %v, want 32", len(got), err)
	}
}

// The project promises at most 1 KiB for a session.
func TestMemoryStoreSize(t *testing.T) {
	if testing.Short() {
		t.Skip("fills a large store")
	}
	const n = 50_000
	if size := sessionSize(t, n); size > 1024 {
		t.Errorf("a session takes %.0f bytes, want at most 1024", size)
	}
}

// sessionSize returns the heap that a session takes in a store of n, with its
// strings.
func sessionSize(tb testing.TB, n int) float64 {
	var before, after runtime.MemStats
	runtime.GC()
	runtime.ReadMemStats(&before)
	s := NewMemoryStore()
	fillSessions(tb, s, n)
	runtime.GC()
	runtime.ReadMemStats(&after)
	runtime.KeepAlive(s)
	return float64(after.HeapAlloc-before.HeapAlloc) / float64(n)
}

func BenchmarkMemoryStoreSize(b *testing.B) {
	for b.Loop() {
		b.ReportMetric(sessionSize(b, 1_000_000), "B/session")
	}
}

// The time of a lookup must not depend on the number of rows, but for the
// caches of the machine.
func BenchmarkMemoryStoreLookup(b *testing.B) {
	for _, n := range []int{1_000, 1_000_000} {
		s := NewMemoryStore()
		fillSessions(b, s, n)
		tokens := make([]string, 1024)
		for i := range tokens {
			tokens[i] = testToken(i * 7919 % n)
		}
		b.Run(fmt.Sprint(n), func(b *testing.B) {
			b.ReportAllocs()
			for i := 0; b.Loop(); i++ {
				rows, err := s.Select(b.Context(), Query{Table: testSessionTable, Where: []Condition{Where("token", tokens[i%len(tokens)])}})
				if err != nil || len(rows) != 1 {
					b.Fatal(rows, err)
				}
			}
		})
	}
}

func BenchmarkMemoryStoreJoin(b *testing.B) {
	s := NewMemoryStore()
	fillSessions(b, s, 1000)
	if err := s.Insert(b.Context(), testUserTable, Row{"Ann", fmt.Sprintf("%032d", 7)}); err != nil {
		b.Fatal(err)
	}
	q := Query{Table: testSessionTable, Limit: 1, Where: []Condition{Where("token", testToken(7))}, Join: &Join{testUserTable, "userId"}}
	b.ReportAllocs()
	for b.Loop() {
		if rows, err := s.Select(b.Context(), q); err != nil || len(rows) != 1 {
			b.Fatal(rows, err)
		}
	}
}

func BenchmarkMemoryStoreWrite(b *testing.B) {
	for _, n := range []int{1_000, 1_000_000} {
		s := NewMemoryStore()
		fillSessions(b, s, n)
		row := testSession(n, now().Add(time.Hour))
		b.Run(fmt.Sprint("insert and delete/", n), func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				if err := s.Insert(b.Context(), testSessionTable, row); err != nil {
					b.Fatal(err)
				}
				if _, err := s.Delete(b.Context(), testSessionTable, Where("token", row[1])); err != nil {
					b.Fatal(err)
				}
			}
		})
		b.Run(fmt.Sprint("update/", n), func(b *testing.B) {
			b.ReportAllocs()
			set := map[string]any{"expiresAt": now().Add(2 * time.Hour)}
			for i := 0; b.Loop(); i++ {
				if _, err := s.Update(b.Context(), testSessionTable, set, Where("token", testToken(i*7919%n))); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
