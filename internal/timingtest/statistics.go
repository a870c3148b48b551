package main

import (
	"fmt"
	"math"
	"slices"

	"github.com/aclements/go-moremath/stats"
)

// significance is how improbable a difference has to be, were there none, to count. A
// run makes some dozens of comparisons, so that one in a hundred would find one.
const significance = 1e-5

// visible is the difference, in microseconds, that somebody on the Internet can measure
// with very many requests (Crosby, Wallach, Riedi 2009).
const visible = 20

// A verdict is what two samples of the same length say.
type verdict struct {
	first, second float64 // medians in microseconds
	p             float64 // probability of such samples if both come from one distribution
}

func (v verdict) difference() float64 { return v.second - v.first }

func (v verdict) differs() bool { return v.p < significance }

// tells reports whether somebody outside can see the difference.
func (v verdict) tells() bool { return v.differs() && math.Abs(v.difference()) >= visible }

func (v verdict) String() string {
	found := "no difference found"
	switch {
	case v.tells():
		found = "DIFFERENT"
	case v.differs():
		found = fmt.Sprintf("different by less than %d µs", visible)
	}
	return fmt.Sprintf("%12.2f %12.2f %+10.2f %10.2g  %s", v.first, v.second, v.difference(), v.p, found)
}

// compare asks whether two samples of times, in microseconds, come from one
// distribution (Mann-Whitney U test). The slowest tenth of each is left out, as in
// dudect (Reparaz, Balasch, Verbauwhede 2017): it tells of the machine, not of the
// code.
func compare(first, second []float64) (verdict, error) {
	first, second = crop(first), crop(second)
	test, err := stats.MannWhitneyUTest(first, second, stats.LocationDiffers)
	if err == stats.ErrSamplesEqual {
		return verdict{first: median(first), second: median(second), p: 1}, nil
	}
	if err != nil {
		return verdict{}, err
	}
	return verdict{first: median(first), second: median(second), p: test.P}, nil
}

// crop returns the fastest nine tenths, sorted.
func crop(sample []float64) []float64 {
	sorted := slices.Sorted(slices.Values(sample))
	return sorted[:len(sorted)-len(sorted)/10]
}

// median of a sorted sample.
func median(sorted []float64) float64 {
	if len(sorted) == 0 {
		return 0
	}
	return sorted[len(sorted)/2]
}
