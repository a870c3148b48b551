package interoptest

import (
	"slices"
	"testing"

	"github.com/seed3b05b409/auth/internal/testdb"
)

// The promise: rows, cookies and hashes that either side writes are good on the
// other, whoever made the tables.
func TestInterop(t *testing.T) {
	onEngines(t, func(t *testing.T, s testdb.Server) {
		for _, migrator := range []string{"npm", "go"} {
			t.Run("tables by "+migrator, func(t *testing.T) {
				w := newWorld(t, s, extended, migrator)
				w.bothWays(t, essential)
				w.from(migrator).run(t, further)
			})
		}
	})
}

// Other kinds of ids and other names change nothing.
func TestInteropVariants(t *testing.T) {
	onEngines(t, func(t *testing.T, s testdb.Server) {
		for _, v := range []*variant{uuids, serials, renamed, snake} {
			t.Run(v.name, func(t *testing.T) { newWorld(t, s, v, "go").bothWays(t, basic) })
		}
	})
}

// What plugins begin at one ends at the other.
func TestInteropPlugins(t *testing.T) {
	onEngines(t, func(t *testing.T, s testdb.Server) {
		newWorld(t, s, plugged, "npm").bothWays(t, slices.Concat(pluginFlows, twoFactorFlows))
	})
}

// Other kinds of ids and other names change nothing of that.
func TestInteropPluginVariants(t *testing.T) {
	flows := []flow{{"username", flowUsername}, {"keys", flowKeys}, {"backup codes", flowBackupCodes}, {"guesses of the second factor", flowFactorGuesses}}
	onEngines(t, func(t *testing.T, s testdb.Server) {
		for _, v := range []*variant{pluggedUUIDs, pluggedSerials, pluggedRenamed} {
			t.Run(v.name, func(t *testing.T) { newWorld(t, s, v, "go").from("go").run(t, flows) })
		}
	})
}

// Each reads the copy of a session in a cookie that the other has signed with a
// key of the table.
func TestInteropSignedCopies(t *testing.T) {
	flows := []flow{{"copy of the session", flowCache}, {"large copy of the session", flowLargeCache}}
	newWorld(t, testdb.SQLite, signedCopies, "npm").bothWays(t, flows)
}

func TestInteropCookieCache(t *testing.T) {
	flows := []flow{
		{"copy of the session", flowCache},
		{"large copy of the session", flowLargeCache},
		{"prolongation", flowRefresh},
	}
	onEngines(t, func(t *testing.T, s testdb.Server) { newWorld(t, s, caching, "npm").bothWays(t, flows) })
}

// The original writes a string into a JSON column as it is, which only SQLite
// takes, and cannot read it. That must not lock its user out.
func TestInteropTextForJSON(t *testing.T) {
	w := newWorld(t, testdb.SQLite, extended, "npm")
	b, _ := w.from("npm").join(t, w.npm)
	b.post(w.npm, "/update-session", map[string]any{"place": "Rome"}).is(200)
	var got struct{ Session struct{ Place any } }
	b.get(w.ours, "/get-session").decode(&got)
	if got.Session.Place != "Rome" {
		t.Errorf("place: %v", got.Session.Place)
	}
}

// Both count in one table, each what the other has counted.
func TestInteropRateLimit(t *testing.T) {
	onEngines(t, func(t *testing.T, s testdb.Server) {
		w := newWorld(t, s, counting, "npm")
		b := newBrowser(t)
		for i, at := range []*site{w.ours, w.npm, w.npm, w.ours, w.npm, w.ours} {
			want := 200
			if i >= 4 {
				want = 429
			}
			b.get(at, "/ok").is(want)
		}
	})
}
