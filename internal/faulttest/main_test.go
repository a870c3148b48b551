package faulttest

import (
	"flag"
	"os"
	"testing"
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
	os.Exit(m.Run())
}
