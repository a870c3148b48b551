// Package soaktest lets hundreds of simulated people use a server in every order
// for a while, and foretells each of its answers with a model:
//
//	go test -run TestSoak -soak 5m ./internal/soaktest
//
// Without -soak each store has a few seconds. The server is another process, with
// its users in memory, in SQLite, in PostgreSQL or in MariaDB, and is treated badly
// meanwhile: killed and restarted, its connections cut, its database locked, full,
// read-only or crashed. A request that a fault interrupts may have been done as a whole or not at
// all; what was answered must be done, what is ended must be dead, and nothing but a
// fault excuses a 5xx. TestClock plays the same people on a clock that leaps by
// hours and days, TestClockBack on one that steps back.
//
// A failure tells the seed and what the person did before. With -seed the people
// do the same again; when faults come differs from run to run.
package soaktest
