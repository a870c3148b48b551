package auth

import (
	"context"
	"fmt"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
)

// A mail function that panics changes no answer and ends no process.
func TestBackgroundPanics(t *testing.T) {
	var tasks []func()
	w := newWorld(t, func(c *Config) {
		c.Background = func(task func()) { tasks = append(tasks, task) }
		c.EmailPassword.SendResetPassword = func(context.Context, Mail) error { panic("smtp library") }
	})
	w.as("ann")
	w.browser().post("/request-password-reset", map[string]any{"email": "ann@example.com"}).ok(t)
	tasks[0]()
	if !strings.Contains(w.log.String(), "smtp library") {
		t.Errorf("log %s", w.log.String())
	}
}

// A task that runs beside its request shares nothing with it that changes.
func TestBackgroundTasksShareNothing(t *testing.T) {
	var wg sync.WaitGroup
	var seen atomic.Int64
	w := newWorld(t, func(c *Config) {
		c.Background = wg.Go
		c.EmailVerification.SendOnSignUp = true
		c.EmailVerification.Send = func(ctx context.Context, m Mail) error {
			x := ExchangeFrom(ctx)
			x.Header().Set("X-Lost", "yes")
			if SessionFromContext(ctx) == nil && x.Request() != nil && x.ClientAddress() != "" {
				seen.Add(int64(len(m.User.Name)))
			}
			return ctx.Err()
		}
	})
	w.API.SignUpEmail.After(func(_ context.Context, _ *SignUpEmailRequest, out **SignUpEmailResponse) error {
		(*out).User.Name = "changed"
		return nil
	})
	for i := range 10 {
		w.as(fmt.Sprint("u", i))
	}
	wg.Wait()
	if seen.Load() != 20 || strings.Contains(w.log.String(), "level=ERROR") {
		t.Errorf("%d letters of names; log %s", seen.Load(), w.log.String())
	}
}
