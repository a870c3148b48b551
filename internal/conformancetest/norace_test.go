//go:build !race

package conformancetest

const underRace = false
