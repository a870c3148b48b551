package main

import (
	"regexp"
	"strings"
	"testing"
)

// TestRun: every comparison runs, and its answers tell nothing.
func TestRun(t *testing.T) {
	var table strings.Builder
	if _, err := run(&table, 4, regexp.MustCompile("")); err != nil {
		t.Fatalf("%v\n%s", err, table.String())
	}
	if lines := strings.Count(table.String(), "\n"); lines < 25 {
		t.Errorf("%d lines:\n%s", lines, table.String())
	}
}
