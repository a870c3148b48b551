// Package faulttest tests what is left behind when the database fails, the
// connection breaks, the client goes away or the server is killed.
//
// A Wire sits between database/sql and a driver. It counts what passes and can
// make any single step fail: before the database has heard of it, after the
// database has done it, or while the answer is being read. The tests find out
// how many steps a request takes and repeat it with each of them failing.
//
// Others race: many requests want what only one can have, in one process or in two
// servers on one database, whose requests are held back but for their last bytes and
// hit at once. -race.for=10m lets TestRacesOfProcesses go on.
package faulttest
