package soaktest

import (
	"database/sql"
	"math/rand/v2"
	"net/url"
	"testing"
	"time"

	"github.com/seed3b05b409/auth/internal/testdb"
)

// A hospital is a PostgreSQL database that is treated badly.
type hospital struct {
	*soak
	db   *sql.DB // past the proxy
	back *proxy  // between the server and the database
}

// watcher are parameters for a connection that no fault concerns.
const watcher = "application_name=watcher&default_transaction_read_only=off"

func newHospital(t *testing.T, database testdb.Database) hospital {
	t.Helper()
	db, back := database.With(watcher).Open(t), newProxy(t)
	source, err := url.Parse(database.Source)
	if err != nil {
		t.Fatal(err)
	}
	back.lead(source.Host)
	source.Host = back.address()
	h := hospital{newSoak(t, database.Driver, source.String()), db, back}
	h.read = readDatabase(db, `"%s"`)
	return h
}

func (h hospital) exec(query string, args ...any) {
	if _, err := h.db.Exec(query, args...); err != nil {
		h.t.Errorf("%s: %v", query, err)
	}
}

// terminate ends all connections of the server, and waits for that.
func (h hospital) terminate() {
	h.exec("SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity WHERE datname = current_database() AND application_name <> 'watcher'")
}

// calm waits until nothing is under way any more that began before now: after
// that nothing is stored late.
func (h hospital) calm() {
	var now time.Time
	if err := h.db.QueryRow("SELECT clock_timestamp()").Scan(&now); err != nil {
		h.t.Error(err)
		return
	}
	for left := 1; left > 0; time.Sleep(5 * time.Millisecond) {
		err := h.db.QueryRow("SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND application_name <> 'watcher' AND xact_start < $1", now).Scan(&left)
		if err != nil {
			h.t.Error(err)
			return
		}
	}
}

// outlive is calm for faults that break connections. The pool of the server learns that
// one is dead when it uses it, and the driver reports that as a failure, or when it has
// been idle for so long that it goes anyway.
func (h hospital) outlive() {
	h.calm()
	time.Sleep(poolRest)
}

// cutDatabase cuts the connections to the database, a few times.
func (h hospital) cutDatabase() fault {
	return fault{name: "database cut off", fails: true, strike: func(r *rand.Rand) {
		for range 1 + r.IntN(4) {
			h.back.cut()
			time.Sleep(time.Duration(r.IntN(100)) * time.Millisecond)
		}
	}, heal: h.outlive}
}

// endBackends is what an administrator does.
func (h hospital) endBackends() fault {
	return fault{name: "backends terminated", fails: true, strike: func(*rand.Rand) { h.terminate() }, heal: h.outlive}
}

// forbidWrites makes the database read-only, as a replica is.
func (h hospital) forbidWrites() fault {
	set := func(value string) {
		h.exec(`DO $$ BEGIN EXECUTE format('ALTER DATABASE %I SET default_transaction_read_only = ` + value + `', current_database()); END $$`)
		h.terminate()
	}
	return fault{name: "database read-only", fails: true, strike: func(r *rand.Rand) {
		set("on")
		linger(r)
	}, heal: func() {
		set("off")
		h.outlive()
	}}
}

// crashDatabase crashes the database and starts it again.
func (h hospital) crashDatabase(c *cluster) fault { return c.crashing().andThen(h.outlive) }

// killServer waits for what the dead server had begun.
func (h hospital) killServer() fault { return h.soak.killServer().butFirst(h.calm) }

// cutClients waits for what the cut requests had begun.
func (h hospital) cutClients() fault { return h.soak.cutClients().andThen(h.calm) }
