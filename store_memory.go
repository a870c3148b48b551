package auth

import (
	"context"
	"slices"
	"sync"
)

// A MemoryStore is a [Store] that keeps its rows in the memory of the process
// and loses them with it: for tests, for first steps and for programs that run
// once. It needs no set-up and must be made by [NewMemoryStore]. Tables come
// into being with their first row.
//
// Rows are found by id, by unique and by indexed columns in constant time, by
// other columns with a scan, and come in the order in which they were inserted
// unless the query asks for another one. Writes happen one after the other;
// reads never wait for a write or a transaction that is under way, they see
// what was last committed. A write that waits for its turn gives up when its
// context is canceled.
//
// In tables with [Table.Expires], rows that expired more than an hour ago are
// removed, a few with each write to their table. A reference to a row
// that does not exist is not refused.
type MemoryStore struct {
	writer chan struct{} // holds a token while a write or a transaction runs

	mu     sync.RWMutex // guards what follows; only the holder of the token changes it
	tables map[string]*memoryTable
	seq    uint64 // of the latest insertion

	committed *memoryTx // reads outside of transactions
}

// NewMemoryStore returns an empty store.
func NewMemoryStore() *MemoryStore {
	s := &MemoryStore{writer: make(chan struct{}, 1), tables: make(map[string]*memoryTable)}
	s.committed = &memoryTx{store: s}
	return s
}

// Insert implements [Store].
func (s *MemoryStore) Insert(ctx context.Context, t *Table, row Row) error {
	return s.write(ctx, func(tx *memoryTx) error { return tx.insert(t, row) })
}

// Select implements [Store].
func (s *MemoryStore) Select(ctx context.Context, q Query) ([]Row, error) {
	var hits []memoryHit
	err := s.read(ctx, func(tx *memoryTx) (err error) {
		hits, err = tx.query(&q)
		return err
	})
	if err != nil || len(hits) == 0 {
		return nil, err
	}
	rows := make([]Row, len(hits))
	for i := range hits {
		rows[i] = hits[i].copy()
	}
	return rows, nil
}

// Count implements [Store].
func (s *MemoryStore) Count(ctx context.Context, t *Table, where ...Condition) (n int64, err error) {
	err = s.read(ctx, func(tx *memoryTx) (err error) {
		n, err = tx.count(t, where)
		return err
	})
	return n, err
}

// Update implements [Store].
func (s *MemoryStore) Update(ctx context.Context, t *Table, set map[string]any, where ...Condition) (n int64, err error) {
	err = s.write(ctx, func(tx *memoryTx) (err error) {
		n, err = tx.update(t, set, where)
		return err
	})
	return written(n, err)
}

// Delete implements [Store].
func (s *MemoryStore) Delete(ctx context.Context, t *Table, where ...Condition) (n int64, err error) {
	err = s.write(ctx, func(tx *memoryTx) error {
		rows, err := tx.delete(t, where, 0)
		n = int64(len(rows))
		return err
	})
	return written(n, err)
}

// Consume implements [Store].
func (s *MemoryStore) Consume(ctx context.Context, t *Table, where ...Condition) (row Row, err error) {
	err = s.write(ctx, func(tx *memoryTx) error {
		rows, err := tx.delete(t, where, 1)
		if len(rows) > 0 {
			row = rows[0].values
		}
		return err
	})
	return written(memoryHit{row: row}.copy(), err)
}

// Increment implements [Store].
func (s *MemoryStore) Increment(ctx context.Context, t *Table, add map[string]int64, set map[string]any, where ...Condition) (row Row, err error) {
	err = s.write(ctx, func(tx *memoryTx) (err error) {
		row, err = tx.increment(t, add, set, where)
		return err
	})
	return written(memoryHit{row: row}.copy(), err)
}

// Transaction implements [Store].
func (s *MemoryStore) Transaction(ctx context.Context, fn func(ctx context.Context) error) error {
	if tx := s.transaction(ctx); tx != nil {
		return tx.join(ctx, fn)
	}
	return s.exclusive(ctx, func(tx *memoryTx) error {
		return fn(context.WithValue(ctx, memoryTxKey{s}, tx))
	})
}

// memoryTxKey is the context key of a store's transaction.
type memoryTxKey struct{ store *MemoryStore }

func (s *MemoryStore) transaction(ctx context.Context) *memoryTx {
	tx, _ := ctx.Value(memoryTxKey{s}).(*memoryTx)
	return tx
}

// read runs fn on what the context may see.
func (s *MemoryStore) read(ctx context.Context, fn func(*memoryTx) error) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	if tx := s.transaction(ctx); tx != nil {
		return tx.do(func() error { return fn(tx) })
	}
	s.mu.RLock()
	defer s.mu.RUnlock()
	return fn(s.committed)
}

// write runs fn in the transaction of the context, or in one of its own.
func (s *MemoryStore) write(ctx context.Context, fn func(*memoryTx) error) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	if tx := s.transaction(ctx); tx != nil {
		return tx.do(func() error { return fn(tx) })
	}
	return s.exclusive(ctx, fn)
}

// written returns what a write found, nothing if it failed in the end.
func written[T any](result T, err error) (T, error) {
	if err != nil {
		var none T
		return none, err
	}
	return result, nil
}

// exclusive waits until no other write is under way, runs fn and commits what
// it did.
func (s *MemoryStore) exclusive(ctx context.Context, fn func(*memoryTx) error) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	select {
	case s.writer <- struct{}{}:
	case <-ctx.Done():
		return ctx.Err()
	}
	defer func() { <-s.writer }()
	tx := &memoryTx{store: s}
	defer tx.end()
	if err := fn(tx); err != nil {
		return err
	}
	return tx.commit(ctx)
}

// table returns the store's side of a table, which comes into being with this.
// The caller holds the writer's token.
func (s *MemoryStore) table(t *Table) (*memoryTable, error) {
	if m := s.tables[t.Name]; m != nil {
		return m, m.accept(t)
	}
	if err := t.check(); err != nil {
		return nil, err
	}
	m := newMemoryTable(t)
	s.mu.Lock()
	defer s.mu.Unlock()
	s.tables[t.Name] = m
	return m, nil
}

// A memoryHit is a row that a query found, with its partner if it asked for
// one. Its rows are the store's own.
type memoryHit struct{ row, partner Row }

// copy returns what the caller of the store may keep.
func (h memoryHit) copy() Row {
	if h.row == nil {
		return nil
	}
	row := slices.Grow(Row(nil), len(h.row)+len(h.partner))
	for _, values := range [...]Row{h.row, h.partner} {
		for _, value := range values {
			row = append(row, copyStored(value))
		}
	}
	return row
}
