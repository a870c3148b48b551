package main

import (
	"testing"

	"github.com/seed3b05b409/auth/internal/testleak"
)

func TestMain(m *testing.M) { testleak.Main(m) }
