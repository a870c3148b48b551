package main

import "strings"

// A budget is a limit that docs/performance.md promises.
type budget struct {
	what    string
	limit   limit
	measure measure
	with    string // the pattern that runs its benchmarks
}

type limit struct {
	most  bool // at most; otherwise at least
	value float64
	write format
}

func atMost(value float64, write format) limit  { return limit{true, value, write} }
func atLeast(value float64, write format) limit { return limit{false, value, write} }

func (l limit) holds(value float64) bool {
	if l.most {
		return value <= l.value
	}
	return value >= l.value
}

func (l limit) String() string {
	if l.most {
		return "at most " + l.write(l.value)
	}
	return "at least " + l.write(l.value)
}

// fold is a format: how many times something else.
func fold(value float64) string { return number(value) + "×" }

// budgets are those of the design, in its order, with those of attacks and of the
// verifier. Requests a second
// are compared, so that a bare handler in half the time is 0.5 times.
var budgets = []budget{
	{"`Call` of an endpoint, time over its function", atMost(100, nanoseconds),
		minus(of("Call/Call", "ns/op"), of("Call/function", "ns/op")), "Call$"},
	{"… allocations over its function", atMost(2, count),
		minus(of("Call/Call", "allocs/op"), of("Call/function", "allocs/op")), "Call$"},
	{"an endpoint as a handler, time over one by hand", atMost(1.15, fold),
		over(of("Handler/auth", "ns/op"), of("Handler/by hand", "ns/op")), "Handler"},
	{"… allocations over one by hand", atMost(4, count),
		minus(of("Handler/auth", "allocs/op"), of("Handler/by hand", "allocs/op")), "Handler"},
	{"… time over huma", atMost(1, fold),
		over(of("Handler/auth behind ServeMux", "ns/op"), of("Handler/huma behind ServeMux", "ns/op")), "Handler"},
	{"… time over connect", atMost(1, fold),
		over(of("Handler/auth behind ServeMux", "ns/op"), of("Handler/connect behind ServeMux", "ns/op")), "Handler"},
	{"get-session in memory, requests a second over bare", atLeast(0.75, fold), requestsOverBare("memory"), "GetSession$/memory"},
	{"… over HTTP, each core", atLeast(0.75, fold), perCoreOver("memory", "bare"), "Server/get-session"},
	{"get-session in SQLite, requests a second over bare", atLeast(0.8, fold), requestsOverBare("SQLite"), "GetSession$/SQLite"},
	{"… in PostgreSQL", atLeast(0.8, fold), requestsOverBare("PostgreSQL"), "GetSession$/PostgreSQL"},
	{"… in MariaDB", atLeast(0.8, fold), requestsOverBare("MariaDB"), "GetSession$/MariaDB"},
	{"get-session in memory over the npm package, each core", atLeast(30, fold), perCoreOver("memory", "better-auth"), "Server/get-session"},
	{"… in SQLite", atLeast(15, fold), perCoreOver("SQLite", "better-auth"), "Server/get-session"},
	{"get-session while people sign in, 99 of 100 within", atMost(50, milliseconds), largest(
		of("Server/under sign-ins/64/auth", "p99-ms"), of("Server/under sign-ins/512/auth", "p99-ms")), "Server/under"},
	{"peak memory with 64 sign-ins at once", atMost(150, megabytes), of("Server/sign-in/64/auth", "rss-MB"), "Server/sign-in"},
	{"… with 10,000", atMost(150, megabytes), of("Burst/10000/auth", "rss-MB"), "Burst"},
	{"… of whom get no answer", atMost(0, count), of("Burst/10000/auth", "lost/op"), "Burst"},
	{"get-session under attack, 99 of 100 within", atMost(50e3, microseconds), largest(
		of("Hostile/slow clients", "p99-us"), of("Hostile/huge headers", "p99-us"),
		of("Hostile/huge bodies", "p99-us"), of("Hostile/idle connections", "p99-us")), "Hostile"},
	{"`GetSession.Call` in memory, time over bare", atMost(2, fold),
		over(of("GetSessionCall/GetSession.Call", "ns/op"), of("GetSessionCall/bare", "ns/op")), "GetSessionCall"},
	{"look-up among a million in memory, time over a thousand", atMost(2, fold),
		over(of("Growth/memory/1000000/look-up", "ns/op"), of("Growth/memory/1000/look-up", "ns/op")), "Growth/memory"},
	{"memory of a session among a million", atMost(1024, byteCount), of("Growth/memory/1000000/look-up", "bytes/session"), "Growth/memory"},
	{"one more endpoint in a program", atMost(4096, byteCount), of("Binary/auth", "bytes/endpoint"), "Binary"},
	{"a `Verifier` that reads a copy, time over bare", atMost(1.5, fold), verifierOverBare("compact"), "Verifier"},
	{"… in the signed form", atMost(3, fold), verifierOverBare("jwt"), "Verifier"},
	{"… in the encrypted form", atMost(3, fold), verifierOverBare("jwe"), "Verifier"},
}

func requestsOverBare(store string) measure {
	return over(of("GetSession/"+store+"/bare", "ns/op"), of("GetSession/"+store+"/auth", "ns/op"))
}

func perCoreOver(store, peer string) measure {
	in := "Server/get-session/" + store + "/"
	return over(of(in+"auth", "req/s/core"), of(in+peer, "req/s/core"))
}

func verifierOverBare(form string) measure {
	return over(of("Verifier/"+form, "ns/op"), of("Verifier/bare", "ns/op"))
}

// budgetTable says of each budget whether it was held.
func budgetTable(r *results, budgets []budget) string {
	var lines [][]string
	for _, b := range budgets {
		measured, held := "", "not measured"
		if value, ok := b.measure(r); ok {
			measured, held = b.limit.write(value), "**no**"
			if b.limit.holds(value) {
				held = "yes"
			}
		}
		lines = append(lines, []string{b.what, b.limit.String(), measured, held, "`" + strings.ReplaceAll(b.with, "|", `\|`) + "`"})
	}
	return markdown([]string{"what", "budget", "measured", "held", "`-bench`"}, 5, lines)
}
