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
	var sessions, verifications error
	if s.sessions.inDatabase && !s.sessions.preserve {
		_, sessions = s.sessions.entities.remove(ctx, expired)
	}
	if s.verifications.inDatabase {
		_, verifications = s.verifications.remove(ctx, expired)
	}
	return errors.Join(sessions, verifications)
}
