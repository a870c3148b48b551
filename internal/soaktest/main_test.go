package soaktest

import (
	"flag"
	"fmt"
	"math/rand/v2"
	"os"
	"testing"
	"time"

	"github.com/seed3b05b409/auth/internal/testleak"
)

var (
	soakTime = flag.Duration("soak", 5*time.Second, "how long each store is soaked, at most 50m")
	soakSeed = flag.Uint64("seed", 0, "what the people do; 0: anything")
	people   = flag.Int("people", 200, "how many there are")
)

func chooseSeed() uint64 {
	if *soakSeed != 0 {
		return *soakSeed
	}
	return rand.Uint64()
}

// TestMain runs the tests, or the server that they need.
func TestMain(m *testing.M) {
	if os.Getenv(serveDriver) == "" {
		testleak.Main(m)
	}
	if err := serve(); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}
