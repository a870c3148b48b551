package auth

import (
	"context"
	"errors"
	"slices"
)

// sessionStore is the one place where sessions are created, found, changed and
// ended: in the database, in the secondary storage or in both (contract section
// 13). The hooks run wherever they are kept.
type sessionStore struct {
	*entities[Session]
	services *services
	shared   *sharedSessions // nil without a secondary storage

	inDatabase bool
	preserve   bool // rows outlive their session
}

// fallsBack reports whether the database answers for what the secondary storage
// does not have.
func (st *sessionStore) fallsBack() bool { return st.inDatabase && !st.preserve }

// create shadows that of entities.
func (st *sessionStore) create(ctx context.Context, session *Session) error {
	return st.createBy(ctx, session, st.keep)
}

func (st *sessionStore) keep(ctx context.Context, session *Session) error {
	if !st.inDatabase {
		st.adopt(session)
		setDefault(&session.ID, newID()) // nothing counts here
	} else if err := st.insert(ctx, session); err != nil {
		return err
	}
	switch {
	case st.shared == nil:
		return nil
	case st.fallsBack():
		return st.services.writeAfterCommit(ctx, func(ctx context.Context) error {
			if err := st.share(ctx, session); err != nil {
				st.services.log.ErrorContext(ctx, "session is in the database only", "error", err)
			}
			return nil
		})
	}
	st.services.afterRollback(ctx, func(ctx context.Context) {
		if err := st.shared.forget(ctx, session.UserID, []string{session.Token}); err != nil {
			st.services.log.ErrorContext(ctx, "session of a failed transaction stays in the secondary storage", "error", err)
		}
	})
	return st.share(ctx, session)
}

// share puts a session into the secondary storage. It is in the user's list
// before the user is read, so that a change of the user after that reaches it.
func (st *sessionStore) share(ctx context.Context, session *Session) error {
	if err := st.shared.enlist(ctx, session); err != nil {
		return err
	}
	user, err := st.services.users.first(ctx, Where("id", session.UserID))
	if err == nil && user == nil {
		err = errors.New("auth: the user of a new session does not exist")
	}
	if err != nil {
		return err
	}
	return st.shared.put(ctx, &SessionData{Session: session, User: user})
}

// byToken returns a session and its user, nil if either is missing. The session
// may have expired. In a database this is one round trip.
func (st *sessionStore) byToken(ctx context.Context, token string) (*SessionData, error) {
	data, err := st.stored(ctx, token)
	if data != nil {
		st.services.session.limit(data.Session)
	}
	return data, err
}

// stored is byToken without MaxLifetime.
func (st *sessionStore) stored(ctx context.Context, token string) (*SessionData, error) {
	if st.shared != nil {
		data, found, err := st.shared.live(ctx, token)
		if err != nil || found || !st.fallsBack() {
			return data, err
		}
	}
	session, user, err := firstJoined(ctx, st.records, st.services.users.records, "userId", Where("token", token))
	if err != nil || session == nil {
		return nil, err
	}
	return &SessionData{Session: session, User: user}, nil
}

// active returns the sessions of a user that have not expired.
func (st *sessionStore) active(ctx context.Context, userID string) ([]*Session, error) {
	found, err := st.unexpired(ctx, userID)
	return slices.DeleteFunc(found, func(session *Session) bool {
		st.services.session.limit(session)
		return !session.ExpiresAt.After(now())
	}), err
}

// unexpired is active without MaxLifetime.
func (st *sessionStore) unexpired(ctx context.Context, userID string) ([]*Session, error) {
	if st.shared != nil && !st.fallsBack() {
		return st.shared.list(ctx, userID)
	}
	return st.find(ctx, Query{Where: []Condition{
		Where("userId", userID), {Column: "expiresAt", Op: ">", Value: now()},
	}})
}

// change shadows that of entities: it changes the session with a token and
// reports whether there is one.
func (st *sessionStore) change(ctx context.Context, token string, changes map[string]any) (bool, error) {
	if !st.inDatabase {
		return st.changeShared(ctx, token, changes)
	}
	n, err := st.entities.change(ctx, changes, Where("token", token))
	if err != nil || n == 0 || st.shared == nil {
		return n > 0, err
	}
	return true, st.services.writeAfterCommit(ctx, func(ctx context.Context) error {
		row, err := st.first(ctx, Where("token", token))
		if err != nil || row == nil {
			return err
		}
		_, err = st.shared.rewrite(ctx, token, func(session *Session) error {
			*session = *row
			return nil
		})
		return err
	})
}

// changeShared is change where there are no rows.
func (st *sessionStore) changeShared(ctx context.Context, token string, changes map[string]any) (bool, error) {
	if ok, err := st.mayChange(ctx, changes); err != nil || !ok {
		return false, err
	}
	var before Session
	changed, err := st.shared.rewrite(ctx, token, func(session *Session) error {
		before = *session
		return st.apply(session, changes)
	})
	if err != nil || changed == nil {
		return false, err
	}
	st.services.afterRollback(ctx, func(ctx context.Context) {
		_, err := st.shared.rewrite(ctx, token, func(session *Session) error {
			*session = before
			return nil
		})
		if err != nil {
			st.services.log.ErrorContext(ctx, "session keeps the change of a failed transaction", "error", err)
		}
	})
	if st.hooks.AfterUpdate != nil {
		st.afterCommit(ctx, func(ctx context.Context) { st.hooks.AfterUpdate(ctx, changed) })
	}
	return true, nil
}

// userChanged brings the copies of a user in the secondary storage up to date,
// when the change is stored. What is false about a user there, such as a role
// that was taken away, is believed: a failure is an error.
func (st *sessionStore) userChanged(ctx context.Context, id string) error {
	if st.shared == nil {
		return nil
	}
	return st.services.writeAfterCommit(ctx, func(ctx context.Context) error {
		user, err := st.services.users.first(ctx, Where("id", id))
		if err != nil || user == nil {
			return err
		}
		return st.shared.rewriteUser(ctx, user)
	})
}

// sessionScope says which sessions are meant: the one with a token, of any user
// or of one only, or many, which are those of a user but for an exception.
type sessionScope struct {
	many   bool
	token  string
	userID string
	except string // a token; empty: none
}

func (which sessionScope) where() []Condition {
	var where []Condition
	if !which.many {
		where = append(where, Where("token", which.token))
	}
	if which.userID != "" {
		where = append(where, Where("userId", which.userID))
	}
	if which.except != "" {
		where = append(where, Condition{Column: "token", Op: "!=", Value: which.except})
	}
	return where
}

// remove shadows that of entities: it ends sessions, except those that a hook
// keeps.
func (st *sessionStore) remove(ctx context.Context, which sessionScope) error {
	if st.shared == nil {
		_, err := st.entities.remove(ctx, which.where()...)
		return err
	}
	if !st.inDatabase && !st.watchesRemoval() {
		return st.removeShared(ctx, which)
	}
	return st.transact(ctx, func(ctx context.Context) error { return st.removeShared(ctx, which) })
}

// removeShared is remove where there is a secondary storage. What is there goes
// after the rows and when those are gone for good: in between, reads at worst
// find a session that is about to end.
func (st *sessionStore) removeShared(ctx context.Context, which sessionScope) error {
	tokens, copies, err := st.shared.matching(ctx, which)
	found := copies
	if err == nil && st.inDatabase {
		found, err = st.rowsOf(ctx, which)
	}
	if err != nil {
		return err
	}
	for _, session := range slices.Concat(found, copies) {
		setDefault(&which.userID, session.UserID)
	}
	for _, session := range found {
		tokens = slices.DeleteFunc(tokens, func(token string) bool { return token == session.Token })
	}
	kept := len(found)
	_, err = st.removeBy(ctx, found, func(ctx context.Context, session *Session) (bool, error) {
		kept--
		tokens = append(tokens, session.Token)
		return st.endRow(ctx, session)
	})
	if err != nil {
		return err
	}
	all, at := which.many && which.except == "" && kept == 0, now()
	return st.services.writeAfterCommit(ctx, func(ctx context.Context) error {
		if all {
			return st.shared.revoke(ctx, which.userID, tokens, at)
		}
		return st.shared.forget(ctx, which.userID, tokens)
	})
}

// rowsOf returns the rows that are to be ended. Preserved ones of sessions that
// ended before are not.
func (st *sessionStore) rowsOf(ctx context.Context, which sessionScope) ([]*Session, error) {
	where := which.where()
	if st.preserve {
		where = append(where, Condition{Column: "expiresAt", Op: ">", Value: now()})
	}
	return st.find(ctx, Query{Where: where})
}

func (st *sessionStore) endRow(ctx context.Context, session *Session) (bool, error) {
	switch {
	case !st.inDatabase:
		return true, nil
	case !st.preserve:
		return st.deleteOne(ctx, session)
	}
	ended := now()
	n, err := st.update(ctx, map[string]any{"expiresAt": ended, "updatedAt": ended}, Where("id", session.ID))
	return n > 0, err
}
