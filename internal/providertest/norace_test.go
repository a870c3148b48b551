//go:build !race

package providertest

const underRace = false
