package main

import (
	"math"
	"strconv"
	"strings"
)

// A format writes a number for people, with three digits that count.
type format func(value float64) string

func nanoseconds(value float64) string {
	for _, unit := range []struct {
		size float64
		name string
	}{{1e9, " s"}, {1e6, " ms"}, {1e3, " µs"}} {
		if value >= unit.size {
			return number(value/unit.size) + unit.name
		}
	}
	return number(value) + " ns"
}

func microseconds(value float64) string { return nanoseconds(value * 1e3) }

func milliseconds(value float64) string { return nanoseconds(value * 1e6) }

func megabytes(value float64) string { return number(value) + " MB" }

// byteCount is exact.
func byteCount(value float64) string { return count(math.Round(value)) + " B" }

func percent(value float64) string { return number(value) + " %" }

// number has no more than three digits that count, and none that do not.
func number(value float64) string {
	if value == 0 || math.IsInf(value, 0) || math.IsNaN(value) {
		return strconv.FormatFloat(value, 'f', -1, 64)
	}
	decimals := 2 - int(math.Floor(math.Log10(math.Abs(value))))
	scale := math.Pow(10, float64(decimals))
	text := strconv.FormatFloat(math.Round(value*scale)/scale, 'f', max(0, min(decimals, 3)), 64)
	if strings.Contains(text, ".") {
		text = strings.TrimRight(strings.TrimRight(text, "0"), ".")
	}
	return thousands(text)
}

// count is exact.
func count(value float64) string {
	return thousands(strconv.FormatFloat(math.Round(value*100)/100, 'f', -1, 64))
}

// thousands sets commas.
func thousands(text string) string {
	whole, fraction, _ := strings.Cut(text, ".")
	for i := len(whole) - 3; i > 0 && whole[i-1] != '-'; i -= 3 {
		whole = whole[:i] + "," + whole[i:]
	}
	if fraction != "" {
		whole += "." + fraction
	}
	return whole
}
