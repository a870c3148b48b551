package auth

import (
	"context"
	"errors"
	"log/slog"
	"sync/atomic"
	"time"
)

// A rateRow is a row of the table "rateLimit".
type rateRow struct {
	ID          string `db:"id"`
	Key         string `db:"key"`
	Count       int64  `db:"count"`
	LastRequest int64  `db:"lastRequest"` // the last allowed one, in Unix milliseconds
}

func rateLimitTable() *Table {
	return &Table{Name: "rateLimit", Columns: []Column{
		{Name: "key", Type: TypeString, Unique: true},
		{Name: "count", Type: TypeNumber},
		{Name: "lastRequest", Type: TypeNumber, BigInt: true},
	}}
}

// rateDatabase counts in a table that several processes share. Each decision is
// one conditional statement of the store: what was read before only says which
// one to try.
type rateDatabase struct {
	counts *entities[rateRow]
	log    *slog.Logger

	longest   atomic.Int64 // the longest window of any rule, in milliseconds
	lastPrune atomic.Int64 // in Unix milliseconds
}

// sharedRateStorage returns where requests are counted if other processes can
// count there too, nil if nothing says so.
func (s *services) sharedRateStorage(secondary SecondaryStorage) RateLimitStorage {
	counter, ok := secondary.(SecondaryCounter)
	switch {
	case s.rateCounts != nil:
		return &rateDatabase{counts: s.rateCounts, log: s.log}
	case ok:
		return rateSecondary{counter}
	}
	return nil
}

// errRateContention is a count that changed whenever it was looked at.
var errRateContention = errors.New("auth: too much contention on a rate limit")

// Consume implements [RateLimitStorage].
func (r *rateDatabase) Consume(ctx context.Context, key string, rule RateRule) (time.Duration, bool, error) {
	window := max(rule.Window.Milliseconds(), 1)
	if longest := r.longest.Load(); window > longest { // a rule of RuleFunc
		r.longest.CompareAndSwap(longest, window)
	}
	for range 100 { // another request decided in between, which happens once or twice
		retryAfter, allowed, decided, err := r.attempt(ctx, key, window, rule.Max)
		if err != nil || decided {
			return retryAfter, allowed && err == nil, err
		}
	}
	return 0, false, errRateContention
}

// attempt counts a request in a window that is open, opens one, or denies it.
func (r *rateDatabase) attempt(ctx context.Context, key string, window int64, most int) (retryAfter time.Duration, allowed, decided bool, err error) {
	current := time.Now().UnixMilli()
	counted, err := r.increment(ctx, map[string]int64{"count": 1}, current,
		Where("key", key), Condition{Column: "lastRequest", Op: ">", Value: current - window}, Condition{Column: "count", Op: "<", Value: most})
	if err != nil || counted {
		return 0, true, counted, err
	}
	count, err := r.counts.first(ctx, Where("key", key))
	switch {
	case err != nil:
		return 0, false, false, err
	case count == nil:
		err = r.counts.create(ctx, &rateRow{Key: key, Count: 1, LastRequest: current})
		if errors.Is(err, ErrConflict) { // another request was first
			return 0, false, false, nil
		}
		return 0, true, err == nil, err
	case current-count.LastRequest >= window:
		opened, err := r.open(ctx, count, current)
		return 0, true, opened, err
	case count.Count < int64(most): // counted down or opened meanwhile
		return 0, false, false, nil
	}
	return time.Duration(count.LastRequest+window-current) * time.Millisecond, false, true, nil
}

// open starts a window anew, unless another request did.
func (r *rateDatabase) open(ctx context.Context, count *rateRow, current int64) (bool, error) {
	row, err := r.counts.store.Increment(ctx, r.counts.table, nil, map[string]any{"count": 1, "lastRequest": current},
		Where("key", count.Key), Condition{Column: "lastRequest", Op: "<=", Value: count.LastRequest})
	if err != nil || row == nil {
		return false, err
	}
	r.prune(ctx, current)
	return true, nil
}

func (r *rateDatabase) increment(ctx context.Context, add map[string]int64, current int64, where ...Condition) (bool, error) {
	row, err := r.counts.store.Increment(ctx, r.counts.table, add, map[string]any{"lastRequest": current}, where...)
	return row != nil, err
}

// prune removes what no window needs any more, once a minute at most. The
// request was counted: a failure here is none of its own.
func (r *rateDatabase) prune(ctx context.Context, current int64) {
	last := r.lastPrune.Load()
	if current-last < cleanupInterval.Milliseconds() || !r.lastPrune.CompareAndSwap(last, current) {
		return
	}
	if _, err := r.counts.delete(ctx, Condition{Column: "lastRequest", Op: "<", Value: current - r.longest.Load()}); err != nil {
		r.log.ErrorContext(ctx, "expired rate-limit counts could not be removed", "error", err)
	}
}
