package auth

import (
	"context"
	"hash/maphash"
)

// lockStripes are locks for any number of keys, some of which share one.
type lockStripes struct {
	seed  maphash.Seed
	locks [64]chan struct{}
}

func newLockStripes() *lockStripes {
	l := &lockStripes{seed: maphash.MakeSeed()}
	for i := range l.locks {
		l.locks[i] = make(chan struct{}, 1)
	}
	return l
}

// hold runs fn with the lock of a key. It does not wait longer than ctx lives,
// and is not to be called within itself.
func (l *lockStripes) hold(ctx context.Context, key string, fn func() error) error {
	lock := l.locks[maphash.String(l.seed, key)%uint64(len(l.locks))]
	select {
	case lock <- struct{}{}:
	case <-ctx.Done():
		return ctx.Err()
	}
	defer func() { <-lock }()
	return fn()
}
