package interoptest

import (
	"embed"
	"encoding/json"
	"fmt"
	"sync"
	"testing"

	"github.com/seed3b05b409/auth/internal/testleak"
	"github.com/seed3b05b409/auth/internal/testnode"
)

//go:embed original.mjs
var scripts embed.FS

// An original is the process in which the npm package runs. It serves every
// instance that the tests need, each on a port of its own.
type original struct {
	*testnode.Process

	mu    sync.Mutex
	boxes map[string]*outbox // by site
}

var running struct {
	sync.Mutex
	original *original
}

func TestMain(m *testing.M) {
	testleak.Main(m, func() {
		if o := running.original; o != nil {
			o.Stop()
		}
	})
}

// theOriginal returns the process, which the first test starts.
func theOriginal(t *testing.T) *original {
	t.Helper()
	running.Lock()
	defer running.Unlock()
	if running.original == nil {
		o := &original{boxes: make(map[string]*outbox)}
		o.Process = testnode.Start(t, testnode.InstallSQLite(t, scripts), "original.mjs", o.deliver)
		running.original = o
	}
	return running.original
}

// deliver puts a mail into the outbox of its site.
func (o *original) deliver(event json.RawMessage) {
	var m mail
	if err := json.Unmarshal(event, &m); err != nil {
		panic(err)
	}
	o.mu.Lock()
	defer o.mu.Unlock()
	o.boxes[m.Site].add(m)
}

// serve starts an instance and returns where it is reached.
func (o *original) serve(t *testing.T, d *database, options map[string]any) *site {
	t.Helper()
	s := &site{name: "npm", mails: &outbox{}}
	o.mu.Lock()
	id := fmt.Sprint(len(o.boxes))
	o.boxes[id] = s.mails
	o.mu.Unlock()
	s.call = func(t *testing.T, name string, body, into any) {
		t.Helper()
		o.Ask(t, "call", map[string]any{"site": id, "name": name, "body": body}, into)
	}
	var served struct{ Origin string }
	o.Ask(t, "serve", d.command(map[string]any{"site": id, "options": options}), &served)
	s.origin = served.Origin
	t.Cleanup(func() { o.Ask(t, "stop", map[string]any{"site": id}, nil) })
	return s
}

// A plan is what the original's migration does or would do.
type plan struct {
	Created    []string // "table.column"
	Added      []string
	Indexes    []string // only those that name several columns
	Problems   []string
	Complaints []string // of its log
}

func (p plan) String() string {
	text, _ := json.Marshal(p)
	return string(text)
}

func (o *original) migrate(t *testing.T, d *database, options map[string]any) (p plan) {
	t.Helper()
	o.Ask(t, "migrate", d.command(map[string]any{"options": options}), &p)
	return p
}

// plan returns what a migration would do.
func (o *original) plan(t *testing.T, d *database, options map[string]any) (p plan) {
	t.Helper()
	o.Ask(t, "migrate", d.command(map[string]any{"options": options, "dry": true}), &p)
	return p
}
