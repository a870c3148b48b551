//go:build !race

package interoptest

const underRace = false
