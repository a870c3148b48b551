package auth

import (
	"context"
	"errors"
	"time"
)

func expiredBefore(t time.Time) Condition {
	return Condition{Column: "expiresAt", Op: "<", Value: t}
}

// removeExpired removes rows that are of no use to anybody. What a secondary
// storage holds expires there, and rows that are to outlive their session stay.
func (s *services) removeExpired(ctx context.Context) error {
	expired := expiredBefore(now())
	var errs [2]error
	if s.sessions.inDatabase && !s.sessions.preserve {
		_, errs[0] = s.sessions.entities.remove(ctx, expired)
	}
	if s.verifications.inDatabase {
		_, errs[1] = s.verifications.remove(ctx, expired)
	}
	return errors.Join(append(errs[:], s.removeExpiredOfPlugins(ctx))...)
}

func (s *services) removeExpiredOfPlugins(ctx context.Context) (err error) {
	for _, added := range s.pluginTables {
		if t := added.table(); t.Expires != "" {
			_, deleteErr := s.store.Delete(ctx, t, Condition{Column: t.Expires, Op: "<", Value: now()})
			err = errors.Join(err, deleteErr)
		}
	}
	return err
}
