package main

import (
	"context"
	"log/slog"
	"time"

	"github.com/seed3b05b409/auth"
)

const cleanupInterval = 24 * time.Hour

// cleanUp removes what has expired, now and once a day, until ctx ends. It does
// not matter if several servers do.
func cleanUp(ctx context.Context, a *auth.Auth) {
	day := time.NewTicker(cleanupInterval)
	defer day.Stop()
	for {
		if err := a.Cleanup(ctx); err != nil && ctx.Err() == nil {
			slog.ErrorContext(ctx, "cleanup failed", "error", err)
		}
		select {
		case <-ctx.Done():
			return
		case <-day.C:
		}
	}
}
