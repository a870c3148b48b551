package storetest

import (
	"testing"

	"github.com/seed3b05b409/auth"
)

func TestMemoryStore(t *testing.T) {
	Run(t, func(*testing.T) auth.Store { return auth.NewMemoryStore() })
}
