package auth

import (
	"context"
	"log/slog"
	"maps"
	"runtime/debug"
	"sync"
	"sync/atomic"
)

// services are what endpoints work with: the rows of the core, cookies,
// passwords, mails and guards. There is one for each Auth.
type services struct {
	baseURL string // with the base path, as it stands in mails
	log     *slog.Logger
	store   Store

	ids   IDType
	newID func(table string) string // nil: random ones

	users         *entities[User]
	sessions      *entities[Session]
	accounts      *entities[Account]
	verifications *entities[Verification]

	userFields          []Column // additional ones
	hiddenUserFields    []string
	hiddenSessionFields []string

	session   SessionOptions
	cookies   *sessionCookies
	signer    *signer
	passwords *passwords
	trusted   *trustedOrigins
	origin    *originCheck

	background  func(task func())
	lastCleanup atomic.Int64 // of verifications, in Unix milliseconds
}

// commitQueue holds what waits for a transaction to be committed.
type commitQueue struct {
	mu    sync.Mutex // against goroutines that the transaction started
	tasks []func(ctx context.Context)
}

// commitQueueKey has the instance in it: a transaction of another one is none
// of this one's.
type commitQueueKey struct{ s *services }

// transact runs fn in a transaction, or in the one that ctx is already in,
// which then fails with fn. What fn and its callees hand to afterCommit runs
// when all of it is stored.
func (s *services) transact(ctx context.Context, fn func(ctx context.Context) error) error {
	if ctx.Value(commitQueueKey{s}) != nil {
		return s.store.Transaction(ctx, fn)
	}
	queue := &commitQueue{}
	if err := s.store.Transaction(context.WithValue(ctx, commitQueueKey{s}, queue), fn); err != nil {
		return err
	}
	queue.mu.Lock()
	tasks := queue.tasks
	queue.mu.Unlock()
	for _, task := range tasks {
		task(ctx)
	}
	return nil
}

// afterCommit runs task now, or after the transaction that ctx is in. The task
// gets a context that is outside of it.
func (s *services) afterCommit(ctx context.Context, task func(ctx context.Context)) {
	if queue, ok := ctx.Value(commitQueueKey{s}).(*commitQueue); ok {
		queue.mu.Lock()
		defer queue.mu.Unlock()
		queue.tasks = append(queue.tasks, task)
		return
	}
	task(ctx)
}

// inBackground runs a task such as sending a mail when the transaction of ctx
// is committed: at once, or on Config.Background. Its failure, a panic too, is
// logged and never changes the answer, which could tell a stranger who has an
// account.
func (s *services) inBackground(ctx context.Context, what string, task func(ctx context.Context) error) {
	s.afterCommit(ctx, func(ctx context.Context) {
		detached := detach(ctx)
		s.background(func() {
			defer func() {
				if v := recover(); v != nil {
					s.log.ErrorContext(detached, "panic in background task", "task", what, "panic", v, "stack", string(debug.Stack()))
				}
			}()
			if err := task(detached); err != nil {
				s.log.ErrorContext(detached, "background task failed", "task", what, "error", err)
			}
		})
	})
}

// detach returns a context that outlives the request. Its Exchange has the
// request and nothing that the run still changes.
func detach(ctx context.Context) context.Context {
	ctx = context.WithoutCancel(ctx)
	x := ExchangeFrom(ctx)
	if x == nil {
		return ctx
	}
	return &Exchange{Context: ctx, op: x.op, direct: true, request: x.request, headers: x.headers, address: x.ClientAddress()}
}

// event records what matters to security, for people and for counters. It never
// gets a secret.
func (s *services) event(ctx context.Context, name string, args ...any) {
	if x := ExchangeFrom(ctx); x != nil {
		args = append(args, "address", x.ClientAddress())
	}
	s.log.InfoContext(ctx, name, args...)
}

// without returns a copy of fields that lacks some names.
func without(fields map[string]any, names []string) map[string]any {
	visible := maps.Clone(fields)
	for _, name := range names {
		delete(visible, name)
	}
	return visible
}
