package main

import "slices"

// What the second and the last part of names are.
var (
	databases = []string{"memory", "SQLite", "PostgreSQL", "MariaDB"}
	growing   = []string{"memory", "SQLite", "PostgreSQL"}
	crowds    = []string{"1", "8", "64", "512"}
	readers   = []string{"64", "512"} // crowds that sign in while others read
	sizes     = []string{"1000", "100000", "1000000"}
	signers   = []string{"auth", "better-auth"}
)

var (
	timeEach    = ranged("time", "ns/op", nanoseconds)
	bytesEach   = measured("memory", "B/op", byteCount)
	allocations = measured("allocations", "allocs/op", count)
	peak        = measured("peak memory", "rss-MB", megabytes)
)

// tables are all of the page.
var tables = []table{
	{
		name:    "call",
		head:    []string{"a call"},
		rows:    each("Call", "function", "Call", "WithHeaders", "WithRequest", "ReturnHeaders", "ReturnStatus", "ForwardHeaders", "AsResponse"),
		columns: []column{timeEach, bytesEach, allocations},
	},
	{
		name:    "handler",
		head:    []string{"a POST with a JSON body"},
		rows:    each("Handler", "by hand", "auth", "auth behind ServeMux", "huma behind ServeMux", "connect behind ServeMux"),
		columns: []column{timeEach, times("times by hand", "ns/op", "by hand"), bytesEach, allocations},
	},
	{
		name:    "binary",
		head:    []string{"one more endpoint"},
		rows:    each("Binary", "by hand", "auth", "huma"),
		columns: []column{measured("in a program", "bytes/endpoint", byteCount)},
	},
	{
		name: "get-session",
		head: []string{"sessions in", "by"},
		rows: slices.Concat(
			pairs("GetSession", growing, []string{"bare", "auth", "scs"}),
			pairs("GetSession", []string{"MariaDB", "Redis", "cookie cache"}, []string{"bare", "auth"}),
		),
		columns: []column{
			timeEach, times("times bare", "ns/op", "bare"),
			also(measured("several at once", "ns/op", nanoseconds), " at once"), bytesEach, allocations,
		},
	},
	{
		name: "server",
		head: []string{"sessions in", "by"},
		rows: serverRows(),
		columns: []column{
			ranged("requests/s and core", "req/s/core", number), times("times bare", "req/s/core", "bare"),
			measured("p50", "p50-us", microseconds), measured("p99", "p99-us", microseconds),
			measured("p99.9", "p99.9-us", microseconds), peak,
		},
	},
	{
		name:    "call-session",
		head:    []string{"from Go"},
		rows:    each("GetSessionCall", "bare", "GetSession.Call", "Auth.Session"),
		columns: []column{timeEach, times("times bare", "ns/op", "bare"), bytesEach, allocations},
	},
	{
		name:    "verifier",
		head:    []string{"a copy read by a `Verifier`"},
		rows:    each("Verifier", "bare", "compact", "jwt", "jwe"),
		columns: []column{timeEach, times("times bare", "ns/op", "bare"), bytesEach, allocations},
	},
	{
		name:    "refresh",
		head:    []string{"a session prolonged in"},
		rows:    each("SessionRefresh", databases...),
		columns: []column{timeEach, bytesEach, allocations},
	},
	{
		name:    "plugins",
		head:    []string{"request", "plugins"},
		rows:    pairs("Plugins", []string{"sign-in", "get-session"}, []string{"none", "eight", "eight and a token"}),
		columns: []column{timeEach, times("times none", "ns/op", "none"), bytesEach, allocations},
	},
	{name: "sign-in", head: []string{"at once", "by"}, rows: pairs("Server/sign-in", crowds, signers), columns: crowdColumns},
	{name: "sign-up", head: []string{"at once", "by"}, rows: pairs("Server/sign-up", crowds, signers), columns: crowdColumns},
	{
		name: "under-sign-ins",
		head: []string{"people who sign in", "by"},
		rows: pairs("Server/under sign-ins", readers, signers),
		columns: []column{
			measured("p50", "p50-ms", milliseconds), measured("p99", "p99-ms", milliseconds),
			measured("p99.9", "p99.9-ms", milliseconds), measured("sign-ins/s", "sign-ins/s", number), peak,
		},
	},
	{
		name: "burst",
		head: []string{"sign-ins at once", "by"},
		rows: pairs("Burst", []string{"10000"}, append([]string{"bare"}, signers...)),
		columns: []column{
			measured("accepted", "accepted/op", count), measured("refused (503)", "refused/op", count),
			measured("lost", "lost/op", count), peak,
		},
	},
	{
		name: "hostile",
		head: []string{"get-session beside"},
		rows: each("Hostile", "quiet", "slow clients", "huge headers", "huge bodies", "idle connections"),
		columns: []column{
			measured("p50", "p50-us", microseconds), measured("p99", "p99-us", microseconds),
			times("times quiet", "p99-us", "quiet"), peak,
		},
	},
	{
		name: "growth",
		head: []string{"sessions in", "how many"},
		rows: labelled(pairs("Growth", growing, sizes), "/look-up"),
		columns: []column{
			measured("look-up", "ns/op", nanoseconds), beside("bare look-up", "bare look-up", "ns/op"),
			beside("list", "list", "ns/op"), beside("revoke-others", "revoke-others", "ns/op"),
			beside("clean-up", "clean-up", "ns/op"), beside("… of one", "clean-up", "ns/row"),
		},
	},
	{
		name: "memory",
		head: []string{"sessions in a `MemoryStore`"},
		rows: labelled(each("Growth/memory", sizes...), "/look-up"),
		columns: []column{
			measured("memory of one", "bytes/session", byteCount), measured("pause of the collector", "gc-pause-us", microseconds),
			measured("the collector's part of the processor", "gc-cpu-%", percent),
		},
	},
}

var crowdColumns = []column{
	ranged("a second", "req/s", number), measured("p50", "p50-ms", milliseconds), measured("p99", "p99-ms", milliseconds),
	measured("refused", "refused/op", func(part float64) string { return percent(100 * part) }), peak,
}

// serverRows are all peers on all stores, but scs with a copy in a cookie, which it
// does not have.
func serverRows() []row {
	peers := []string{"bare", "auth", "scs", "better-auth"}
	return slices.Concat(
		pairs("Server/get-session", append(slices.Clone(databases), "Redis"), peers),
		pairs("Server/get-session", []string{"cookie cache"}, []string{"bare", "auth", "better-auth"}),
	)
}

// labelled are rows whose benchmarks have more at the end of their names.
func labelled(rows []row, more string) []row {
	for i := range rows {
		rows[i].benchmark += more
	}
	return rows
}

// beside is a column of the time of the benchmark's sibling of a name.
func beside(head, name, unit string) column {
	c := measured(head, unit, nanoseconds)
	return column{head, func(r *results, benchmark string) string { return c.cell(r, sibling(benchmark, name)) }}
}
