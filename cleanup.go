package auth

import (
	"context"
	"errors"
	"log/slog"
	"slices"
	"time"
)

func expiredBefore(t time.Time) Condition {
	return Condition{Column: "expiresAt", Op: "<", Value: t}
}

// cleanupBatch is how many rows go at a time: a statement that removes a million of
// them keeps others waiting. cleanupLook is how many are found at a time: without an index
// each look passes the live rows again.
const (
	cleanupBatch = 1000
	cleanupLook  = 10 * cleanupBatch
)

// removeExpired removes rows that are of no use to anybody. What a secondary
// storage holds expires there, and rows that are to outlive their session stay.
func (s *services) removeExpired(ctx context.Context) error {
	var errs []error
	if s.sessions.inDatabase && !s.sessions.preserve {
		errs = append(errs, s.sweep(ctx, s.sessions.table, "expiresAt", s.sessions.entities.remove))
	}
	if s.verifications.inDatabase {
		errs = append(errs, s.sweep(ctx, s.verifications.table, "expiresAt", s.verifications.remove))
	}
	for _, added := range s.pluginTables {
		if t := added.table(); t.Expires != "" {
			errs = append(errs, s.sweep(ctx, t, t.Expires, func(ctx context.Context, where ...Condition) (int64, error) {
				return s.store.Delete(ctx, t, where...)
			}))
		}
	}
	return errors.Join(errs...)
}

// A remover deletes the rows of a table that meet conditions, except those that a hook
// keeps, and returns how many.
type remover func(ctx context.Context, where ...Condition) (int64, error)

// sweep removes what has expired by now from a table, and tells how much.
func (s *services) sweep(ctx context.Context, t *Table, column string, remove remover) error {
	begun := time.Now()
	n, err := s.removeInBatches(ctx, t, Condition{Column: column, Op: "<", Value: now()}, remove)
	level := slog.LevelInfo
	if n == 0 {
		level = slog.LevelDebug
	}
	s.log.Log(ctx, level, "expired rows removed", "table", t.Name, "rows", n, "duration", time.Since(begun))
	return err
}

// removeInBatches removes the expired rows of a table. A database does it in short
// transactions, of which those before an error stay done. Rows that others prolong or
// remove meanwhile are left to them.
func (s *services) removeInBatches(ctx context.Context, t *Table, expired Condition, remove remover) (removed int64, err error) {
	if _, waits := s.store.(SchemaStore); !waits {
		return remove(ctx, expired)
	}
	for kept := 0; ; {
		rows, err := s.store.Select(ctx, Query{Table: t, Where: []Condition{expired}, Limit: cleanupLook, Offset: kept})
		if err != nil {
			return removed, err
		}
		for batch := range slices.Chunk(rows, cleanupBatch) {
			n, left, err := s.removeBatch(ctx, t, batch, expired, remove)
			removed += n
			kept += left
			if err != nil {
				return removed, err
			}
		}
		if len(rows) < cleanupLook {
			return removed, nil
		}
	}
}

// removeBatch removes those of some rows that are still expired, and returns how many went
// and how many a hook keeps: the next look begins behind them.
func (s *services) removeBatch(ctx context.Context, t *Table, rows []Row, expired Condition, remove remover) (removed int64, kept int, err error) {
	ids := make([]string, len(rows))
	for i, row := range rows {
		ids[i] = row.id()
	}
	these := []Condition{{Column: idColumn.Name, Op: "in", Value: ids}, expired}
	removed, err = remove(ctx, these...)
	if err != nil || removed == int64(len(rows)) {
		return removed, 0, err
	}
	left, err := s.store.Count(ctx, t, these...)
	return removed, int(left), err
}
