package auth

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"sync"
)

// A txState is what transactions of every store have in common: whether they
// are over, and whether they may still be committed.
type txState struct {
	mu     sync.Mutex // held while the transaction works, against goroutines that fn started
	over   bool       // committed or rolled back
	failed error      // of a transaction that joined
}

// do runs one operation of the transaction.
func (tx *txState) do(work func() error) error {
	tx.mu.Lock()
	defer tx.mu.Unlock()
	if tx.over {
		return errTransactionOver
	}
	return work()
}

// join runs a transaction inside this one.
func (tx *txState) join(ctx context.Context, fn func(context.Context) error) error {
	if err := tx.do(ctx.Err); err != nil {
		return err
	}
	err := errors.New("panic")
	defer func() { tx.fail(err) }()
	err = cmp.Or(fn(ctx), ctx.Err())
	return err
}

// fail keeps the transaction from being committed.
func (tx *txState) fail(err error) {
	tx.mu.Lock()
	defer tx.mu.Unlock()
	if err != nil && tx.failed == nil {
		tx.failed = fmt.Errorf("auth: a transaction inside this one failed: %w", err)
	}
}

// end makes the transaction unusable.
func (tx *txState) end() {
	tx.mu.Lock()
	defer tx.mu.Unlock()
	tx.over = true
}

// commit runs keep unless something forbids it.
func (tx *txState) commit(ctx context.Context, keep func() error) error {
	tx.mu.Lock()
	defer tx.mu.Unlock()
	if err := cmp.Or(tx.failed, ctx.Err()); err != nil {
		return err
	}
	return keep()
}
