package storetest

import (
	"testing"

	"github.com/seed3b05b409/auth"
)

func TestMemoryStore(t *testing.T) {
	Run(t, func(*testing.T) auth.Store { return auth.NewMemoryStore() })
}

func TestMemorySecondaryStorage(t *testing.T) {
	RunSecondary(t, func(*testing.T) Secondary { return auth.NewMemorySecondaryStorage() })
}
