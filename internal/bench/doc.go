// Package bench measures this library beside what it stands on or competes
// with, in one run and on one machine, so that the ratios mean something:
//
//	go test -bench . -count 6 ./internal/bench
//
// go run ./internal/bench/report does that and writes docs/performance.md.
//
// Databases are those of the store's tests: AUTH_TEST_POSTGRESQL, AUTH_TEST_MYSQL and
// AUTH_TEST_REDIS name other servers than the local ones. With AUTH_BENCH_LARGE=1
// tables grow to a million sessions. The npm package needs node, npm and taskset;
// its first run installs it, which may take minutes.
//
// The budgets that the ratios are held against are in docs/performance.md.
package bench
