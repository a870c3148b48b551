//go:build !race

package faulttest

const underRace = false
