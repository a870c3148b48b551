//go:build race

package providertest

// With the race detector, which makes all of this slow, answers that are as they
// should be stand for the others: none of them runs anything else beside itself.
const underRace = true
