package main

import (
	"context"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/seed3b05b409/auth"
)

// Sessions that nobody uses are gone a day after they have expired.
func TestCleanUp(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var removed atomic.Int64
		var mailing sync.WaitGroup
		mails := newOutbox()
		config := newConfig("http://localhost", strings.Repeat("s", 32), auth.NewMemoryStore(), mails, newPlugins(mails), mailing.Go)
		config.DatabaseHooks.Session.AfterDelete = func(context.Context, *auth.Session) { removed.Add(1) }
		a, err := auth.New(config)
		if err != nil {
			t.Fatal(err)
		}
		_, err = a.API.SignUpEmail.Call(t.Context(), auth.SignUpEmailRequest{Name: "Ada", Email: "ada@example.com", Password: firstPassword})
		if err != nil {
			t.Fatal(err)
		}
		mailing.Wait()
		ctx, stop := context.WithCancel(t.Context())
		defer stop()
		go cleanUp(ctx, a)

		time.Sleep(7*24*time.Hour - time.Minute)
		synctest.Wait()
		if removed.Load() != 0 {
			t.Error("a session that was good is gone")
		}
		time.Sleep(24*time.Hour + time.Minute)
		synctest.Wait()
		if n := removed.Load(); n != 1 {
			t.Errorf("%d sessions are gone, want 1", n)
		}
	})
}
