package auth

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"reflect"
	"slices"
	"strconv"
	"time"
)

// The keys of the secondary storage (contract section 13). That of a session is
// its token as it is.
const (
	keyActiveSessions = "active-sessions-"         // + user id
	keyRevokedBefore  = "revoked-sessions-before-" // + user id
)

// sharedSessions are the sessions in the secondary storage, each with a copy of
// its user, hidden columns included.
//
// What is read, changed and written again is guarded by a lock of this process.
// Between processes the storage has nothing for it: a change of a session there
// can bring back one that ends at the same moment, unless all of the user's do,
// which leaves a mark that outlives them.
type sharedSessions struct {
	storage  SecondaryStorage
	sessions *records[Session]
	users    *records[User]
	locks    *lockStripes

	sessionPlan *entityPlan // without hidden columns
	userPlan    *entityPlan
	order       []entityField // of a session without a row; nil: that of the row

	markLifetime time.Duration // longer than that of any session
}

// orphanOrder is the order in which the original writes a session that has no
// row. Additional columns follow.
var orphanOrder = []string{"id", "ipAddress", "userAgent", "expiresAt", "userId", "token", "createdAt", "updatedAt"}

func newSharedSessions(storage SecondaryStorage, sessions *records[Session], users *records[User], lifetime time.Duration, rows bool) *sharedSessions {
	k := &sharedSessions{
		storage: storage, sessions: sessions, users: users, locks: newLockStripes(),
		sessionPlan: sessions.plan.revealed(), userPlan: users.plan.revealed(),
		markLifetime: max(lifetime, forgottenSessionTime),
	}
	if rows {
		return k
	}
	for _, name := range orphanOrder {
		k.order = append(k.order, k.sessionPlan.fields[k.sessionPlan.position(name)])
	}
	for _, f := range k.sessionPlan.fields {
		if f.field < 0 {
			k.order = append(k.order, f)
		}
	}
	return k
}

// A sharedEntry is the value under a session's token.
type sharedEntry struct {
	Session json.RawMessage `json:"session"`
	User    json.RawMessage `json:"user"`
}

// errDamagedSession is what the secondary storage holds and nobody can read. It
// is no missing session: that is told to its user.
var errDamagedSession = errors.New("auth: session in the secondary storage cannot be read")

// entry returns the value under a token, nil if there is none.
func (k *sharedSessions) entry(ctx context.Context, token string) (*sharedEntry, *Session, error) {
	text, found, err := k.storage.Get(ctx, token)
	if err != nil || !found {
		return nil, nil, err
	}
	entry := &sharedEntry{}
	if err := json.Unmarshal([]byte(text), entry); err != nil {
		return nil, nil, fmt.Errorf("%w: %w", errDamagedSession, err)
	}
	session, err := k.sessions.decode(entry.Session)
	if err == nil && session.Token != token {
		err = errors.New("it has another token")
	}
	if err != nil {
		return nil, nil, fmt.Errorf("%w: %w", errDamagedSession, err)
	}
	return entry, session, nil
}

// live returns a session and its user; found without data means that it is
// revoked. It may have expired.
func (k *sharedSessions) live(ctx context.Context, token string) (data *SessionData, found bool, err error) {
	entry, session, err := k.entry(ctx, token)
	if err != nil || entry == nil {
		return nil, false, err
	}
	before, err := k.revokedBefore(ctx, session.UserID)
	if err != nil || session.CreatedAt.UnixMilli() < before {
		return nil, true, err
	}
	user, err := k.users.decode(entry.User)
	if err == nil && (user.ID == "" || user.ID != session.UserID) {
		err = errors.New("it has another user")
	}
	if err != nil {
		return nil, true, fmt.Errorf("%w: %w", errDamagedSession, err)
	}
	k.dropUnknown(session, user)
	return &SessionData{Session: session, User: user}, true, nil
}

// dropUnknown hides columns that another server has and this one does not know:
// they may be secret.
func (k *sharedSessions) dropUnknown(session *Session, user *User) {
	maps.DeleteFunc(session.Fields, func(name string, _ any) bool { return k.sessionPlan.position(name) < 0 })
	maps.DeleteFunc(user.Fields, func(name string, _ any) bool { return k.userPlan.position(name) < 0 })
}

// put stores a session until it expires.
func (k *sharedSessions) put(ctx context.Context, data *SessionData) error {
	session, err := k.encodeSession(data.Session)
	if err != nil {
		return err
	}
	user, err := k.userPlan.marshal(data.User)
	if err != nil {
		return err
	}
	return k.write(ctx, data.Session, &sharedEntry{session, user})
}

func (k *sharedSessions) write(ctx context.Context, session *Session, entry *sharedEntry) error {
	ttl := wholeSeconds(session.ExpiresAt)
	if ttl == 0 {
		return nil
	}
	value := slices.Concat([]byte(`{"session":`), entry.Session, []byte(`,"user":`), entry.User, []byte("}"))
	return k.storage.Set(ctx, session.Token, string(value), ttl)
}

// wholeSeconds is the time until then, never negative: the storage need not know
// fractions.
func wholeSeconds(then time.Time) time.Duration {
	return max(then.Sub(now()).Truncate(time.Second), 0)
}

// encodeSession writes a session without a row as the original does: in its
// order, without columns that have no value.
func (k *sharedSessions) encodeSession(session *Session) (_ []byte, err error) {
	if k.order == nil {
		return k.sessionPlan.marshal(session)
	}
	fields := maps.Clone(session.Fields)
	maps.DeleteFunc(fields, func(_ string, value any) bool { return value == nil })
	dst, entity := []byte("{"), reflect.ValueOf(session).Elem()
	for i := range k.order {
		if dst, err = k.order[i].append(dst, entity, fields); err != nil {
			return nil, err
		}
	}
	if dst, err = k.sessionPlan.appendUnknown(dst, fields); err != nil {
		return nil, err
	}
	return append(dst, '}'), nil
}

// rewrite changes a session and returns it, nil if there is none or it is
// revoked.
func (k *sharedSessions) rewrite(ctx context.Context, token string, edit func(*Session) error) (changed *Session, err error) {
	err = k.exclusively(ctx, token, func(entry *sharedEntry, session *Session) error {
		before, err := k.revokedBefore(ctx, session.UserID)
		if err != nil || session.CreatedAt.UnixMilli() < before {
			return err
		}
		if err = edit(session); err != nil {
			return err
		}
		if entry.Session, err = k.encodeSession(session); err != nil {
			return err
		}
		changed = session
		return k.write(ctx, session, entry)
	})
	if err != nil || changed == nil {
		return nil, err
	}
	return changed, k.enlist(ctx, changed)
}

// rewriteUser replaces the copies of a user, except newer ones.
func (k *sharedSessions) rewriteUser(ctx context.Context, user *User) error {
	list, err := k.references(ctx, user.ID)
	if err != nil {
		return err
	}
	encoded, err := k.userPlan.marshal(user)
	if err != nil {
		return err
	}
	var errs []error
	for _, r := range list {
		errs = append(errs, k.exclusively(ctx, r.Token, func(entry *sharedEntry, session *Session) error {
			copied, err := k.users.decode(entry.User)
			if err == nil && copied.UpdatedAt.After(user.UpdatedAt) {
				return nil
			}
			entry.User = encoded
			return k.write(ctx, session, entry)
		}))
	}
	return errors.Join(errs...)
}

// exclusively calls edit with a session while no other goroutine changes one of
// that user, if there is such a session.
func (k *sharedSessions) exclusively(ctx context.Context, token string, edit func(*sharedEntry, *Session) error) error {
	_, session, err := k.entry(ctx, token)
	if err != nil || session == nil {
		return err
	}
	return k.locks.hold(ctx, session.UserID, func() error {
		entry, session, err := k.entry(ctx, token)
		if err != nil || session == nil {
			return err
		}
		return edit(entry, session)
	})
}

// matching returns the tokens of a scope, and those of the sessions that can be
// read.
func (k *sharedSessions) matching(ctx context.Context, which sessionScope) (tokens []string, found []*Session, err error) {
	candidates := []string{which.token}
	if which.many {
		if candidates, err = k.tokens(ctx, which.userID); err != nil {
			return nil, nil, err
		}
	}
	for _, token := range candidates {
		_, session, err := k.entry(ctx, token)
		switch {
		case err != nil && !errors.Is(err, errDamagedSession):
			return nil, nil, err
		case which.many && token == which.except:
		case !which.many && which.userID != "" && (session == nil || session.UserID != which.userID): // not the user's to end
		default:
			tokens = append(tokens, token)
			if session != nil {
				found = append(found, session)
			}
		}
	}
	return tokens, found, nil
}

// list returns the sessions of a user that have not expired.
func (k *sharedSessions) list(ctx context.Context, userID string) ([]*Session, error) {
	tokens, err := k.tokens(ctx, userID)
	if err != nil {
		return nil, err
	}
	var active []*Session
	for _, token := range tokens {
		data, _, err := k.live(ctx, token)
		if err != nil {
			return nil, err
		}
		if data != nil && data.Session.ExpiresAt.After(now()) {
			active = append(active, data.Session)
		}
	}
	return active, nil
}

// forget removes sessions of a user, who may be unknown.
func (k *sharedSessions) forget(ctx context.Context, userID string, tokens []string) error {
	if len(tokens) == 0 {
		return nil
	}
	return k.locks.hold(ctx, userID, func() error {
		for _, token := range tokens {
			if err := k.storage.Delete(ctx, token); err != nil {
				return err
			}
		}
		if userID == "" {
			return nil
		}
		list, err := k.references(ctx, userID)
		if err != nil {
			return err
		}
		return k.setReferences(ctx, userID, slices.DeleteFunc(list, func(r sessionReference) bool {
			return slices.Contains(tokens, r.Token)
		}))
	})
}

// revoke removes sessions of a user and leaves a mark that ends all that were
// created before.
func (k *sharedSessions) revoke(ctx context.Context, userID string, tokens []string, at time.Time) error {
	previous, err := k.revokedBefore(ctx, userID)
	if err != nil {
		return err
	}
	mark := strconv.FormatInt(max(at.UnixMilli(), previous), 10)
	if err := k.storage.Set(ctx, keyRevokedBefore+userID, mark, k.markLifetime); err != nil {
		return err
	}
	return k.forget(ctx, userID, tokens)
}

// revokedBefore returns the time, in Unix milliseconds, before which the sessions
// of a user were revoked.
func (k *sharedSessions) revokedBefore(ctx context.Context, userID string) (int64, error) {
	text, found, err := k.storage.Get(ctx, keyRevokedBefore+userID)
	if err != nil || !found {
		return 0, err
	}
	ms, err := strconv.ParseInt(text, 10, 64)
	if err != nil {
		return 0, fmt.Errorf("%w: mark %q", errDamagedSession, text)
	}
	return ms, nil
}

// A sessionReference is an element of a user's list of sessions.
type sessionReference struct {
	Token     string `json:"token"`
	ExpiresAt int64  `json:"expiresAt"` // Unix milliseconds
}

// references returns a user's list without what has expired.
func (k *sharedSessions) references(ctx context.Context, userID string) ([]sessionReference, error) {
	text, found, err := k.storage.Get(ctx, keyActiveSessions+userID)
	if err != nil || !found {
		return nil, err
	}
	var list []sessionReference
	if err := json.Unmarshal([]byte(text), &list); err != nil {
		return nil, fmt.Errorf("auth: list of sessions in the secondary storage: %w", err)
	}
	current := now().UnixMilli()
	return slices.DeleteFunc(list, func(r sessionReference) bool { return r.ExpiresAt <= current }), nil
}

// tokens is references without what stands between.
func (k *sharedSessions) tokens(ctx context.Context, userID string) ([]string, error) {
	list, err := k.references(ctx, userID)
	var tokens []string
	for _, r := range list {
		if !slices.Contains(tokens, r.Token) {
			tokens = append(tokens, r.Token)
		}
	}
	return tokens, err
}

// enlist puts a session into its user's list.
func (k *sharedSessions) enlist(ctx context.Context, session *Session) error {
	return k.locks.hold(ctx, session.UserID, func() error {
		list, err := k.references(ctx, session.UserID)
		if err != nil {
			return err
		}
		list = slices.DeleteFunc(list, func(r sessionReference) bool { return r.Token == session.Token })
		return k.setReferences(ctx, session.UserID, append(list, sessionReference{session.Token, session.ExpiresAt.UnixMilli()}))
	})
}

func (k *sharedSessions) setReferences(ctx context.Context, userID string, list []sessionReference) error {
	slices.SortStableFunc(list, func(a, b sessionReference) int { return cmp.Compare(a.ExpiresAt, b.ExpiresAt) })
	var ttl time.Duration
	if len(list) > 0 {
		ttl = wholeSeconds(time.UnixMilli(list[len(list)-1].ExpiresAt))
	}
	if ttl == 0 {
		return k.storage.Delete(ctx, keyActiveSessions+userID)
	}
	value, err := json.Marshal(list)
	if err != nil {
		return err
	}
	return k.storage.Set(ctx, keyActiveSessions+userID, string(value), ttl)
}
