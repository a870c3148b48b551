package faulttest

import (
	"flag"
	"os"
	"testing"

	"github.com/seed3b05b409/auth/internal/testleak"
)

// TestMain runs the tests, or the server that TestKilledServer kills.
func TestMain(m *testing.M) {
	if os.Getenv(servedProduct) != "" {
		serve()
		return
	}
	flag.Parse()
	if err := flag.Set("test.parallel", "9"); err != nil { // they wait for databases, not for processors
		panic(err)
	}
	testleak.Main(m)
}
