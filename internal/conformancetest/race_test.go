//go:build race

package conformancetest

// With the race detector, which makes SQLite slow, the cases of some files run, in
// their first variant only: it is after races then, not after differences.
const underRace = true
