//go:build race

package faulttest

// With the race detector, which makes all of this slow, requests that fail one at a
// time do so on SQLite only and in one way. Those that are made at once are on every
// database.
const underRace = true
