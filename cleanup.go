package auth

import (
	"context"
	"errors"
	"time"
)

func expiredBefore(t time.Time) Condition {
	return Condition{Column: "expiresAt", Op: "<", Value: t}
}

// removeExpired removes what is of no use to anybody.
func (s *services) removeExpired(ctx context.Context) error {
	expired := expiredBefore(now())
	_, sessions := s.sessions.remove(ctx, expired)
	_, verifications := s.verifications.remove(ctx, expired)
	return errors.Join(sessions, verifications)
}
