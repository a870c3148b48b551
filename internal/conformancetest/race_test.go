//go:build race

package conformancetest

// With the race detector, which is slow, a case runs in its first variant only:
// it is after races then, not after differences.
const underRace = true
