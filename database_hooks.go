package auth

import (
	"context"
	"errors"
	"fmt"
)

// DatabaseHooks run around the creation, change and deletion of rows, whichever
// endpoint causes it.
type DatabaseHooks struct {
	User         EntityHooks[User]
	Session      EntityHooks[Session]
	Account      EntityHooks[Account]
	Verification EntityHooks[Verification]
}

// EntityHooks are the hooks of one table; all of them are optional. Hooks
// before an operation run inside the transaction of the endpoint, if it has
// one, and can change what is written; an error of theirs ends the operation
// and is the endpoint's outcome. ErrAborted ends it quietly, with the
// endpoint's own error. What they do to the store they do with their ctx: with
// another one a write would wait for the very transaction they run in. They run
// again when the database rolls that back in favour of another one. Hooks after an
// operation run when it is committed; they cannot undo it and so return nothing.
type EntityHooks[T any] struct {
	BeforeCreate func(ctx context.Context, entity *T) error
	AfterCreate  func(ctx context.Context, entity *T)

	// BeforeUpdate gets the changes by column name and may edit them.
	BeforeUpdate func(ctx context.Context, changes map[string]any) error
	AfterUpdate  func(ctx context.Context, entity *T)

	// BeforeDelete keeps the row by returning ErrAborted. A verification that it
	// keeps is not redeemed; it is not asked about those that are in the secondary
	// storage alone.
	BeforeDelete func(ctx context.Context, entity *T) error
	AfterDelete  func(ctx context.Context, entity *T)
}

// and returns the hooks of h and then those of next as one.
func (h EntityHooks[T]) and(next EntityHooks[T]) EntityHooks[T] {
	return EntityHooks[T]{
		BeforeCreate: inTurn(h.BeforeCreate, next.BeforeCreate),
		AfterCreate:  inTurnAfter(h.AfterCreate, next.AfterCreate),
		BeforeUpdate: inTurn(h.BeforeUpdate, next.BeforeUpdate),
		AfterUpdate:  inTurnAfter(h.AfterUpdate, next.AfterUpdate),
		BeforeDelete: inTurn(h.BeforeDelete, next.BeforeDelete),
		AfterDelete:  inTurnAfter(h.AfterDelete, next.AfterDelete),
	}
}

// inTurn runs the second function if the first has no objection.
func inTurn[V any](first, second func(ctx context.Context, v V) error) func(ctx context.Context, v V) error {
	switch {
	case first == nil:
		return second
	case second == nil:
		return first
	}
	return func(ctx context.Context, v V) error {
		if err := first(ctx, v); err != nil {
			return err
		}
		return second(ctx, v)
	}
}

func inTurnAfter[V any](first, second func(ctx context.Context, v V)) func(ctx context.Context, v V) {
	switch {
	case first == nil:
		return second
	case second == nil:
		return first
	}
	return func(ctx context.Context, v V) {
		first(ctx, v)
		second(ctx, v)
	}
}

func (h DatabaseHooks) and(next DatabaseHooks) DatabaseHooks {
	return DatabaseHooks{
		User:         h.User.and(next.User),
		Session:      h.Session.and(next.Session),
		Account:      h.Account.and(next.Account),
		Verification: h.Verification.and(next.Verification),
	}
}

// ErrAborted is returned by a database hook to refuse an operation without
// saying why.
var ErrAborted = errors.New("auth: aborted by a database hook")

// entities are the rows of one table with the hooks around them.
type entities[T any] struct {
	*records[T]
	hooks    EntityHooks[T]
	transact func(ctx context.Context, fn func(ctx context.Context) error) error

	afterCommit func(ctx context.Context, task func(ctx context.Context))
}

// open makes the entities of a table.
func open[T any](s *services, table *Table, hooks EntityHooks[T]) (*entities[T], error) {
	table.IDs = s.ids
	records, err := newRecords[T](s.store, table)
	if err != nil {
		return nil, fmt.Errorf("auth: table %s: %w", table.Name, err)
	}
	records.newID = idSource(s.ids, s.newID, table.Name)
	return &entities[T]{records: records, hooks: hooks, transact: s.transact, afterCommit: s.afterCommit}, nil
}

// adopt gives an entity that is never stored the form of one that is.
func (e *entities[T]) adopt(entity *T) {
	e.identify(entity)
	e.plan.complete(entity)
}

// create stores an entity, with a new id unless it has one. It fails with
// ErrConflict when a unique value is taken and with ErrAborted when a hook
// refuses.
func (e *entities[T]) create(ctx context.Context, entity *T) error {
	return e.createBy(ctx, entity, e.insert)
}

// createBy is create for entities that insert stores, wherever that is.
func (e *entities[T]) createBy(ctx context.Context, entity *T, insert func(ctx context.Context, entity *T) error) error {
	e.identify(entity)
	if e.hooks.BeforeCreate != nil {
		e.plan.makeRoom(entity)
		if err := e.hooks.BeforeCreate(ctx, entity); err != nil {
			return err
		}
	}
	if err := insert(ctx, entity); err != nil {
		return err
	}
	if e.hooks.AfterCreate != nil {
		e.afterCommit(ctx, func(ctx context.Context) { e.hooks.AfterCreate(ctx, entity) })
	}
	return nil
}

// change updates rows and returns how many there were. It sets updatedAt unless
// the changes do.
func (e *entities[T]) change(ctx context.Context, changes map[string]any, where ...Condition) (int64, error) {
	if ok, err := e.mayChange(ctx, changes); err != nil || !ok {
		return 0, err
	}
	if e.hooks.AfterUpdate == nil {
		return e.update(ctx, changes, where...)
	}
	var n int64
	err := e.transact(ctx, func(ctx context.Context) (err error) {
		n, err = e.updateAndTell(ctx, changes, where)
		return err
	})
	return n, err
}

// mayChange completes the changes and asks the hook before an update.
func (e *entities[T]) mayChange(ctx context.Context, changes map[string]any) (bool, error) {
	if _, ok := changes["updatedAt"]; !ok {
		changes["updatedAt"] = now()
	}
	if e.hooks.BeforeUpdate == nil {
		return true, nil
	}
	err := e.hooks.BeforeUpdate(ctx, changes)
	return err == nil, quiet(err)
}

// updateAndTell remembers the rows by id: the conditions may not hold any more
// when they are changed.
func (e *entities[T]) updateAndTell(ctx context.Context, changes map[string]any, where []Condition) (int64, error) {
	before, err := e.find(ctx, Query{Where: where})
	if err != nil || len(before) == 0 {
		return 0, err
	}
	ids := make([]string, len(before))
	for i, entity := range before {
		ids[i] = e.toRow(entity).id()
	}
	n, err := e.update(ctx, changes, append([]Condition{{Column: "id", Op: "in", Value: ids}}, where...)...)
	if err != nil || n == 0 {
		return n, err
	}
	changed, err := e.find(ctx, Query{Where: []Condition{{Column: "id", Op: "in", Value: ids}}})
	for _, entity := range changed {
		e.afterCommit(ctx, func(ctx context.Context) { e.hooks.AfterUpdate(ctx, entity) })
	}
	return n, err
}

// quiet turns a silent refusal into "nothing was changed".
func quiet(err error) error {
	if errors.Is(err, ErrAborted) {
		return nil
	}
	return err
}

// consume removes one row and returns it: of many callers one gets it.
func (e *entities[T]) consume(ctx context.Context, where ...Condition) (*T, error) {
	entity, err := e.records.consume(ctx, where...)
	if err == nil && entity != nil && e.hooks.AfterDelete != nil {
		e.afterCommit(ctx, func(ctx context.Context) { e.hooks.AfterDelete(ctx, entity) })
	}
	return entity, err
}

// remove deletes rows, except those that a hook keeps, and returns how many.
func (e *entities[T]) remove(ctx context.Context, where ...Condition) (int64, error) {
	if !e.watchesRemoval() {
		return e.delete(ctx, where...)
	}
	var removed []*T
	err := e.transact(ctx, func(ctx context.Context) error {
		found, err := e.find(ctx, Query{Where: where})
		if err == nil {
			removed, err = e.removeBy(ctx, found, e.deleteOne)
		}
		return err
	})
	return int64(len(removed)), err
}

func (e *entities[T]) watchesRemoval() bool {
	return e.hooks.BeforeDelete != nil || e.hooks.AfterDelete != nil
}

// removeBy removes entities that were found, except those that a hook keeps, by
// calling end for each, which reports whether it was still there. It returns
// the removed ones.
func (e *entities[T]) removeBy(ctx context.Context, found []*T, end func(ctx context.Context, entity *T) (bool, error)) (removed []*T, err error) {
	for _, entity := range found {
		if e.hooks.BeforeDelete != nil {
			if err := e.hooks.BeforeDelete(ctx, entity); err != nil {
				if quiet(err) != nil {
					return removed, err
				}
				continue
			}
		}
		ended, err := end(ctx, entity)
		if err != nil {
			return removed, err
		}
		if !ended {
			continue
		}
		removed = append(removed, entity)
		if e.hooks.AfterDelete != nil {
			e.afterCommit(ctx, func(ctx context.Context) { e.hooks.AfterDelete(ctx, entity) })
		}
	}
	return removed, nil
}

func (e *entities[T]) deleteOne(ctx context.Context, entity *T) (bool, error) {
	n, err := e.delete(ctx, Where("id", e.toRow(entity).id()))
	return n > 0, err
}
