// Package benchmarks measures this library beside what it stands on or competes
// with, in one run and on one machine, so that the ratios mean something:
//
//	go test -bench . -count 6 ./internal/benchmarks
//
// The budgets that the ratios are held against are in docs/design.md.
package benchmarks
