package faulttest

import (
	"flag"
	"os"
	"testing"

	"github.com/seed3b05b409/auth/internal/testleak"
)

// TestMain runs the tests, or one of the servers that they start.
func TestMain(m *testing.M) {
	switch {
	case os.Getenv(servedProduct) != "":
		serve()
		return
	case os.Getenv(servedRaces) != "":
		serveRace()
		return
	}
	flag.Parse()
	if err := flag.Set("test.parallel", "9"); err != nil { // they wait for databases, not for processors
		panic(err)
	}
	testleak.Main(m)
}
