package auth

import (
	"container/heap"
	"context"
	"errors"
	"strconv"
	"sync"
	"time"
)

// A SecondaryStorage keeps short-lived values by key, for instance in Redis:
// sessions, verifications and the counts of the rate limit (contract section
// 13). docs/secondary-storage.md lists the keys. All servers that share it, the
// TypeScript ones too, see the same sessions.
//
// Every method is safe for concurrent use. An error means that the storage
// failed and fails the request: it never stands for "no session".
type SecondaryStorage interface {
	// Get returns the value of a key; found is false if there is none or its
	// time is over.
	Get(ctx context.Context, key string) (value string, found bool, err error)

	// Set stores a value, in the place of the one that is there, for the time
	// ttl. Zero stands for ever.
	Set(ctx context.Context, key, value string, ttl time.Duration) error

	// Delete removes a key; one that does not exist is no error.
	Delete(ctx context.Context, key string) error
}

// A SecondaryTaker is a [SecondaryStorage] that redeems values. It is needed
// where verifications are kept in it alone.
type SecondaryTaker interface {
	// Take removes a key and returns the value that it had, in one atomic step:
	// of any number of callers exactly one finds it.
	Take(ctx context.Context, key string) (value string, found bool, err error)
}

// A SecondaryCounter is a [SecondaryStorage] that counts, which makes it the
// default of RateLimit.Storage.
type SecondaryCounter interface {
	// Increment adds one to the number under a key and returns the sum, in one
	// atomic step. A key that does not exist counts as zero and exists for ttl,
	// which is positive, from then on; later calls do not prolong it.
	Increment(ctx context.Context, key string, ttl time.Duration) (int64, error)
}

// MemorySecondaryStorage is a [SecondaryStorage] in the memory of this process,
// for tests and for a single server. It holds what it is told to hold and drops
// what has expired. Use [NewMemorySecondaryStorage].
type MemorySecondaryStorage struct {
	mu      sync.Mutex
	entries map[string]*secondaryEntry
	expiry  expiryQueue // of the entries that expire
}

type secondaryEntry struct {
	key, value string
	expires    time.Time
	position   int // in the queue; forever: not in it
}

const forever = -1

// NewMemorySecondaryStorage returns an empty storage.
func NewMemorySecondaryStorage() *MemorySecondaryStorage {
	return &MemorySecondaryStorage{entries: make(map[string]*secondaryEntry)}
}

// Get implements [SecondaryStorage].
func (m *MemorySecondaryStorage) Get(ctx context.Context, key string) (value string, found bool, err error) {
	err = m.locked(ctx, func() {
		if e := m.entries[key]; e != nil {
			value, found = e.value, true
		}
	})
	return value, found, err
}

// Set implements [SecondaryStorage].
func (m *MemorySecondaryStorage) Set(ctx context.Context, key, value string, ttl time.Duration) error {
	return m.locked(ctx, func() {
		m.remove(m.entries[key])
		m.add(key, value, ttl)
	})
}

// Delete implements [SecondaryStorage].
func (m *MemorySecondaryStorage) Delete(ctx context.Context, key string) error {
	return m.locked(ctx, func() { m.remove(m.entries[key]) })
}

// Take implements [SecondaryTaker].
func (m *MemorySecondaryStorage) Take(ctx context.Context, key string) (value string, found bool, err error) {
	err = m.locked(ctx, func() {
		if e := m.entries[key]; e != nil {
			value, found = e.value, true
			m.remove(e)
		}
	})
	return value, found, err
}

// Increment implements [SecondaryCounter]. A value that is no number is an
// error.
func (m *MemorySecondaryStorage) Increment(ctx context.Context, key string, ttl time.Duration) (n int64, err error) {
	lockErr := m.locked(ctx, func() {
		e := m.entries[key]
		if e == nil {
			e = m.add(key, "0", ttl)
		}
		if n, err = strconv.ParseInt(e.value, 10, 64); err == nil {
			n++
			e.value = strconv.FormatInt(n, 10)
		}
	})
	return n, errors.Join(lockErr, err)
}

// locked runs fn when what has expired is gone. Each entry is dropped once, so
// that this costs no more than storing it did.
func (m *MemorySecondaryStorage) locked(ctx context.Context, fn func()) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	for now := time.Now(); len(m.expiry) > 0 && !now.Before(m.expiry[0].expires); {
		m.remove(m.expiry[0])
	}
	fn()
	return nil
}

func (m *MemorySecondaryStorage) add(key, value string, ttl time.Duration) *secondaryEntry {
	e := &secondaryEntry{key: key, value: value, position: forever}
	m.entries[key] = e
	if ttl > 0 {
		e.expires = time.Now().Add(ttl)
		heap.Push(&m.expiry, e)
	}
	return e
}

func (m *MemorySecondaryStorage) remove(e *secondaryEntry) {
	if e == nil {
		return
	}
	delete(m.entries, e.key)
	if e.position != forever {
		heap.Remove(&m.expiry, e.position)
	}
}

// expiryQueue is a heap with the entry that expires next at the top.
type expiryQueue []*secondaryEntry

func (q expiryQueue) Len() int           { return len(q) }
func (q expiryQueue) Less(i, j int) bool { return q[i].expires.Before(q[j].expires) }

func (q expiryQueue) Swap(i, j int) {
	q[i], q[j] = q[j], q[i]
	q[i].position, q[j].position = i, j
}

// Push is for container/heap.
func (q *expiryQueue) Push(entry any) {
	e := entry.(*secondaryEntry)
	e.position = len(*q)
	*q = append(*q, e)
}

// Pop is for container/heap.
func (q *expiryQueue) Pop() any {
	last := len(*q) - 1
	e := (*q)[last]
	(*q)[last] = nil
	*q = (*q)[:last]
	return e
}
