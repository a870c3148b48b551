//go:build race

package interoptest

// With the race detector, which makes all of this slow, SQLite stands for the other
// databases: storetest looks for races in what differs between them.
const underRace = true
