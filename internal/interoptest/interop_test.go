package interoptest

import "testing"

// The promise: rows, cookies and hashes that either side writes are good on the
// other, whoever made the tables.
func TestInterop(t *testing.T) {
	onEngines(t, func(t *testing.T, e *engine) {
		for _, migrator := range []string{"npm", "go"} {
			t.Run("tables by "+migrator, func(t *testing.T) {
				w := newWorld(t, e, extended, migrator)
				w.bothWays(t, essential)
				w.from(migrator).run(t, further)
			})
		}
	})
}

// Other kinds of ids and other names change nothing.
func TestInteropVariants(t *testing.T) {
	onEngines(t, func(t *testing.T, e *engine) {
		for _, v := range []*variant{uuids, serials, renamed, snake} {
			t.Run(v.name, func(t *testing.T) { newWorld(t, e, v, "go").bothWays(t, basic) })
		}
	})
}

func TestInteropCookieCache(t *testing.T) {
	flows := []flow{
		{"copy of the session", flowCache},
		{"large copy of the session", flowLargeCache},
		{"prolongation", flowRefresh},
	}
	onEngines(t, func(t *testing.T, e *engine) { newWorld(t, e, caching, "npm").bothWays(t, flows) })
}
