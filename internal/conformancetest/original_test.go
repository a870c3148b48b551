package conformancetest

import (
	"database/sql"
	"embed"
	"flag"
	"fmt"
	"os"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/seed3b05b409/auth/internal/testleak"
	"github.com/seed3b05b409/auth/internal/testnode"
)

//go:embed *.mjs
var scripts embed.FS

// running is the process in which the npm package runs. It serves every case of
// every variant.
var running struct {
	sync.Mutex
	process *testnode.Process
}

func TestMain(m *testing.M) {
	os.Setenv("NODE_ENV", "production") // as where it is deployed
	flag.Parse()
	_ = flag.Set("test.parallel", "8") // cases wait for the other process, and some of its answers take half a second
	testleak.Main(m, func() {
		if running.process != nil {
			running.process.Stop()
		}
	})
}

// theOriginal returns the process, which the first test starts.
func theOriginal(t testing.TB) *testnode.Process {
	t.Helper()
	running.Lock()
	defer running.Unlock()
	if running.process == nil {
		running.process = testnode.Start(t, testnode.InstallSQLite(t, scripts), "original.mjs", nil)
	}
	return running.process
}

// original is an instance of the npm package.
type original struct {
	process *testnode.Process
	name    string
	db      *sql.DB
	at      string
}

var lastSite atomic.Int64

// serveOriginal starts one on a copy of the variant's empty database.
func serveOriginal(t testing.TB, v *variant, p *provider) *original {
	t.Helper()
	o := &original{process: theOriginal(t), name: fmt.Sprint(lastSite.Add(1))}
	parameters := map[string]any{"name": o.name, "options": v.originalOptions(), "provider": p.url()}
	if !v.stateless {
		path := v.newDatabase(t)
		o.db, parameters["path"] = openDatabase(t, path), path
	}
	var served struct{ Origin string }
	o.process.Ask(t, "serve", parameters, &served)
	o.at = served.Origin
	t.Cleanup(func() { o.process.Ask(t, "stop", map[string]any{"name": o.name}, nil) })
	return o
}

func (o *original) origin() string    { return o.at }
func (o *original) database() *sql.DB { return o.db }

func (o *original) call(t testing.TB, endpoint string, input callInput) (result outcome) {
	t.Helper()
	o.process.Ask(t, "call", map[string]any{"name": o.name, "endpoint": endpoint, "input": input}, &result)
	return result
}

func (o *original) settle(t testing.TB) (s settled) {
	t.Helper()
	o.process.Ask(t, "settle", map[string]any{"name": o.name}, &s)
	return s
}
