package main

import (
	"math/rand/v2"
	"testing"

	"github.com/seed3b05b409/auth/internal/testleak"
)

func TestMain(m *testing.M) { testleak.Main(m) }

// times are n made up ones around a median, with the long tail that measured ones have.
func times(r *rand.Rand, n int, median float64) []float64 {
	sample := make([]float64, n)
	for i := range sample {
		sample[i] = median + r.NormFloat64()*10
		if r.IntN(20) == 0 {
			sample[i] += r.ExpFloat64() * 1000
		}
	}
	return sample
}

// TestCompare: a planted difference is found, and none where there is none.
func TestCompare(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	for _, tt := range []struct {
		n              int
		difference     float64
		differs, tells bool
	}{
		{2000, 0, false, false}, {200, 0, false, false},
		{2000, 3, true, false}, {2000, -3, true, false}, {200, 10, true, false},
		{200, 40, true, true}, {200, -40, true, true},
	} {
		for range 50 {
			v, err := compare(times(r, tt.n, 100), times(r, tt.n, 100+tt.difference))
			if err != nil || v.differs() != tt.differs || v.tells() != tt.tells {
				t.Errorf("%d times, %g µs between them: %v, %v", tt.n, tt.difference, v, err)
			}
			if off := v.difference() - tt.difference; off < -5 || off > 5 {
				t.Errorf("%g µs, measured as %g", tt.difference, v.difference())
			}
		}
	}
}

// TestCompare_same: times that are all the same do not differ.
func TestCompare_same(t *testing.T) {
	same := make([]float64, 100)
	if v, err := compare(same, same); err != nil || v.differs() {
		t.Errorf("%v, %v", v, err)
	}
	if _, err := compare(nil, nil); err == nil {
		t.Error("nothing was compared")
	}
}
