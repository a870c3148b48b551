package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestChooseSecret(t *testing.T) {
	file := filepath.Join(t.TempDir(), "test.db")
	choose := func(chosen, file string) secret {
		t.Helper()
		s, err := chooseSecret(chosen, file)
		if err != nil || len(s.value) < 32 {
			t.Fatalf("%+v, %v", s, err)
		}
		return s
	}
	own := strings.Repeat("s", 32)
	if s := choose(own, file); s.value != own || s.origin != "from AUTH_SECRET" {
		t.Errorf("%+v, want that of the environment", s)
	}
	if _, err := os.Stat(file + ".secret"); err == nil {
		t.Error("a secret is kept though none is needed")
	}
	first := choose("", file)
	if again := choose("", file); again != first || !strings.Contains(first.origin, file+".secret") {
		t.Errorf("%+v, then %+v", first, again)
	}
	if one, two := choose("", ""), choose("", ""); one.value == two.value {
		t.Error("two runs without a file have one secret")
	}
	if _, err := chooseSecret("", filepath.Join(file, "no", "directory")); err == nil {
		t.Error("a secret that cannot be kept: no error")
	}
}
