package auth

import (
	"context"
	"time"
)

// rateSecondary counts in a secondary storage. Its windows are fixed: they begin
// with the first request and denied ones count too (contract section 10).
type rateSecondary struct{ counter SecondaryCounter }

// Consume implements [RateLimitStorage].
func (r rateSecondary) Consume(ctx context.Context, key string, rule RateRule) (time.Duration, bool, error) {
	n, err := r.counter.Increment(ctx, key, rule.Window)
	return 0, err == nil && n <= int64(rule.Max), err
}
