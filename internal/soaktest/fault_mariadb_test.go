package soaktest

import (
	"database/sql"
	"errors"
	"fmt"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/go-sql-driver/mysql"
)

// A ward is a MariaDB server that is treated badly.
type ward struct {
	*soak
	db   *sql.DB // root's, past the proxy
	back *proxy  // between the server and the database
}

// A thread of MariaDB is one of others.
const others = "FROM information_schema.processlist p LEFT JOIN information_schema.innodb_trx t ON t.trx_mysql_thread_id = p.id WHERE p.user = '" + mariaDBUser + "'"

func newWard(t *testing.T, c *cluster) ward {
	t.Helper()
	config, err := mysql.ParseDSN(c.Source)
	if err != nil {
		t.Fatal(err)
	}
	config.ParseTime, config.Params = true, map[string]string{"time_zone": "'+00:00'"}
	h := ward{db: c.open(config), back: newProxy(t)}
	h.soak = &soak{t: t}
	for _, query := range []string{
		"CREATE DATABASE soak",
		"CREATE USER " + mariaDBUser + " IDENTIFIED BY ''",
		"GRANT ALL ON soak.* TO " + mariaDBUser,
	} {
		h.exec(query)
	}
	h.back.lead(config.Addr)
	served := mysql.NewConfig()
	served.Net, served.Addr, served.User, served.DBName = "tcp", h.back.address(), mariaDBUser, "soak"
	h.soak = newSoak(t, c.Driver, served.FormatDSN())
	h.read = readDatabase(h.db, "soak.`%s`")
	return h
}

func (c *cluster) open(config *mysql.Config) *sql.DB {
	connector, err := mysql.NewConnector(config)
	if err != nil {
		c.tb.Fatal(err)
	}
	db := sql.OpenDB(connector)
	c.tb.Cleanup(func() { _ = db.Close() })
	return db
}

func (h ward) exec(query string) {
	if _, err := h.db.Exec(query); err != nil {
		h.t.Errorf("%s: %v", query, err)
	}
}

// threads returns those of the server that are as a condition says.
func (h ward) threads(condition string, args ...any) (ids []int64) {
	rows, err := h.db.Query("SELECT p.id "+others+condition, args...)
	if err != nil {
		h.t.Error(err)
		return nil
	}
	defer func() { _ = rows.Close() }()
	for rows.Next() {
		var id int64
		if err := rows.Scan(&id); err != nil {
			h.t.Error(err)
		}
		ids = append(ids, id)
	}
	if err := rows.Err(); err != nil {
		h.t.Error(err)
	}
	return ids
}

// describe says what threads do.
func (h ward) describe(threads []int64) (text string) {
	for _, id := range threads {
		var line sql.NullString
		err := h.db.QueryRow("SELECT CONCAT_WS(' ', NOW(6), p.id, p.command, p.time_ms, p.state, p.info, t.trx_started, t.trx_state, t.trx_query, t.trx_rows_modified) "+
			others+" AND p.id = ?", id).Scan(&line)
		text += fmt.Sprintln(line.String, err)
	}
	return text
}

// snapshotAge is how long nobody may look at innodb_trx before InnoDB shows it anew.
const snapshotAge = 110 * time.Millisecond

// vanish waits until the threads that there are now are gone, of a server that is dead.
func (h ward) vanish() {
	const none = 0
	last := int64(none)
	for _, id := range h.threads("") {
		last = max(last, id)
	}
	for len(h.threads(" AND p.id <= ?", last)) > 0 {
		time.Sleep(snapshotAge)
	}
}

// calm waits until nothing is under way any more that began before now: after that
// nothing is stored late. The begin of a transaction is known to the second.
func (h ward) calm() {
	var now time.Time
	if err := h.db.QueryRow("SELECT NOW(6)").Scan(&now); err != nil {
		h.t.Error(err)
		return
	}
	begun := time.Now()
	busy := " AND (t.trx_started <= ? OR p.command <> 'Sleep' AND p.time_ms >= ?)"
	for {
		threads := h.threads(busy, now, time.Since(begun).Milliseconds()+1)
		if len(threads) == 0 {
			return
		}
		if time.Since(begun) > 30*time.Second {
			h.t.Errorf("what has been under way for half a minute does not end: threads %v\n%s", threads, h.describe(threads))
			return
		}
		time.Sleep(snapshotAge)
	}
}

// outlive is calm for faults that break connections: the pool of the server learns
// that one is dead when it uses it, or lets it go.
func (h ward) outlive() {
	h.calm()
	time.Sleep(poolRest)
}

// terminate ends all connections of the server.
func (h ward) terminate() {
	for _, id := range h.threads("") {
		_, _ = h.db.Exec(fmt.Sprintf("KILL CONNECTION %d", id)) // or it is gone already
	}
}

// cutDatabase cuts the connections to the database, a few times.
func (h ward) cutDatabase() fault {
	return fault{name: "database cut off", fails: true, strike: func(r *rand.Rand) {
		for range 1 + r.IntN(4) {
			h.back.cut()
			time.Sleep(time.Duration(r.IntN(100)) * time.Millisecond)
		}
	}, heal: h.outlive}
}

// killConnections is what an administrator does.
func (h ward) killConnections() fault {
	return fault{name: "connections killed", fails: true, strike: func(*rand.Rand) { h.terminate() }, heal: h.outlive}
}

// killQueries ends what is being done and leaves the connections.
func (h ward) killQueries() fault {
	return fault{name: "queries killed", fails: true, strike: func(r *rand.Rand) {
		for range 1 + r.IntN(20) {
			for _, id := range h.threads(" AND p.command <> 'Sleep'") {
				_, _ = h.db.Exec(fmt.Sprintf("KILL QUERY %d", id))
			}
			time.Sleep(time.Duration(r.IntN(20)) * time.Millisecond)
		}
	}, heal: h.calm}
}

// forbidWrites makes the database read-only, as a replica is.
func (h ward) forbidWrites() fault {
	return fault{name: "database read-only", fails: true, strike: func(r *rand.Rand) {
		h.exec("SET GLOBAL read_only = 1")
		linger(r)
	}, heal: func() {
		h.exec("SET GLOBAL read_only = 0")
		h.calm()
	}}
}

// lockWaitTimeout is ER_LOCK_WAIT_TIMEOUT.
const lockWaitTimeout = 1205

// lockTables lets all writes wait, as a backup does. That is no excuse for anything. It
// gives up after a second: the lock waits for a statement that waits for a transaction
// that waits for the lock.
func (h ward) lockTables() fault {
	return fault{name: "tables locked", strike: func(r *rand.Rand) {
		conn, err := h.db.Conn(h.t.Context())
		if err != nil {
			h.t.Error(err)
			return
		}
		defer func() { _ = conn.Close() }()
		if _, err := conn.ExecContext(h.t.Context(), "SET STATEMENT lock_wait_timeout = 1 FOR FLUSH TABLES WITH READ LOCK"); err != nil {
			if refused, ok := errors.AsType[*mysql.MySQLError](err); !ok || refused.Number != lockWaitTimeout {
				h.t.Error(err)
			}
			return
		}
		linger(r)
		if _, err := conn.ExecContext(h.t.Context(), "UNLOCK TABLES"); err != nil {
			h.t.Error(err)
		}
	}}
}

// crashDatabase crashes the database and starts it again.
func (h ward) crashDatabase(c *cluster) fault { return c.crashing().andThen(h.outlive) }

// killServer waits for what the dead server had begun.
func (h ward) killServer() fault { return h.soak.killServer().butFirst(h.vanish) }

// cutClients waits for what the cut requests had begun.
func (h ward) cutClients() fault { return h.soak.cutClients().andThen(h.calm) }
