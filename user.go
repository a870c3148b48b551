package auth

import (
	"context"
	"maps"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"
)

// A User is a person who can sign in (table "user"). Its JSON form is that of
// the original: dates in UTC with milliseconds, Fields after the columns of the
// core, the id last.
type User struct {
	ID            string    `db:"id"`
	Name          string    `db:"name"`
	Email         string    `db:"email"` // in lower case
	EmailVerified bool      `db:"emailVerified"`
	Image         *string   `db:"image"` // URL of a picture, as the user gave it: check its scheme before showing it; nil if there is none
	CreatedAt     time.Time `db:"createdAt"`
	UpdatedAt     time.Time `db:"updatedAt"`

	// Fields are the values of additional columns (Config.User.Fields and those
	// of plugins) by name, nil if there are none. Hidden columns are in it in
	// hooks only.
	Fields map[string]any `db:",extra"`
	planned
}

// MarshalJSON writes the user as clients see it.
func (u *User) MarshalJSON() ([]byte, error) { return u.plan.marshal(u) }

func (u *User) appendJSON(dst []byte) ([]byte, error) {
	if u == nil {
		return append(dst, "null"...), nil
	}
	return u.plan.appendObject(dst, u)
}

// UnmarshalJSON reads what MarshalJSON or the original wrote.
func (u *User) UnmarshalJSON(data []byte) error { return unmarshalEntity(data, u) }

// clone returns a copy that shares nothing that a hook could change.
func (u *User) clone() *User {
	copied := *u
	copied.Fields = maps.Clone(u.Fields)
	return &copied
}

func userTable(fields []Column) *Table {
	return &Table{Name: "user", Columns: append([]Column{
		{Name: "name", Type: TypeString, Sortable: true},
		{Name: "email", Type: TypeString, Unique: true, Sortable: true},
		{Name: "emailVerified", Type: TypeBoolean},
		{Name: "image", Type: TypeString, Nullable: true},
		{Name: "createdAt", Type: TypeDate, Default: currentTime},
		{Name: "updatedAt", Type: TypeDate, Default: currentTime},
	}, fields...)}
}

// userStore are the users, whose copies elsewhere follow their changes.
type userStore struct {
	*entities[User]
	changed func(ctx context.Context, id string) error
}

// change shadows that of entities: it changes the user with an id if the other
// conditions hold, and returns 1 then.
func (u *userStore) change(ctx context.Context, id string, changes map[string]any, where ...Condition) (int64, error) {
	n, err := u.entities.change(ctx, changes, append([]Condition{Where("id", id)}, where...)...)
	if err == nil && n > 0 {
		err = u.changed(ctx, id)
	}
	return n, err
}

// userByEmail returns the user with an address, nil if there is none.
func (s *services) userByEmail(ctx context.Context, email string) (*User, error) {
	return s.users.first(ctx, Where("email", lowerEmail(email)))
}

// lowerEmail is an address as it is stored and looked up. No letter becomes an
// ASCII one that was none: with strings.ToLower whoever owns "\u0130da@example.com"
// or "bo\u212a@example.com" would own "ida@example.com" and "bok@example.com" too.
func lowerEmail(email string) string {
	return strings.Map(func(r rune) rune {
		if lower := unicode.ToLower(r); r < utf8.RuneSelf || lower >= utf8.RuneSelf {
			return lower
		}
		return r
	}, strings.ReplaceAll(email, "\u0130", "i\u0307")) // as the original does
}

// createUser stores a new user and gives it its dates.
func (s *services) createUser(ctx context.Context, user *User, source UserSource) error {
	user.CreatedAt = now()
	user.UpdatedAt = user.CreatedAt
	if err := s.validateUser(ctx, user, source); err != nil {
		return err
	}
	if err := s.users.create(ctx, user); err != nil {
		return err
	}
	s.event(ctx, Event{Name: EventSignUp, UserID: user.ID, Identifier: user.Email, Method: source.Method, Provider: source.ProviderID})
	return nil
}

// updateUser changes a user and returns it as it is then, nil if it is gone.
func (s *services) updateUser(ctx context.Context, id string, changes map[string]any) (*User, error) {
	if n, err := s.users.change(ctx, id, changes); err != nil || n == 0 {
		return nil, err
	}
	return s.users.first(ctx, Where("id", id))
}

// lockUser returns a user, nil if there is none, and lets nobody else work on
// the user's accounts and sessions as a whole before the transaction of ctx ends.
// Everybody locks the user before any row that belongs to it, so that no two
// transactions wait for each other.
func (s *services) lockUser(ctx context.Context, id string) (*User, error) {
	return s.users.lock(ctx, Where("id", id))
}

// deleteUser removes a user and all that belongs to it, all or nothing: if a
// hook keeps the user (ErrAborted), the rest stays too.
func (s *services) deleteUser(ctx context.Context, id string) error {
	return s.transact(ctx, func(ctx context.Context) error {
		if _, err := s.lockUser(ctx, id); err != nil {
			return err
		}
		if err := s.deleteSessionsOf(ctx, id); err != nil {
			return err
		}
		if _, err := s.accounts.remove(ctx, Where("userId", id)); err != nil {
			return err
		}
		n, err := s.users.remove(ctx, Where("id", id))
		if err == nil && n == 0 {
			err = ErrAborted
		}
		return err
	})
}

// visibleUser is the user without its hidden fields, as clients see it.
func (s *services) visibleUser(user *User) *User {
	if user == nil || len(s.hiddenUserFields) == 0 {
		return user
	}
	visible := *user
	visible.Fields = without(user.Fields, s.hiddenUserFields)
	return &visible
}
