package main

import (
	"fmt"
	"io"
	"os"
	"os/exec"
	"runtime"
	"strings"
	"time"
)

// part ends the name of a raw file until the benchmarks have passed.
const part = ".part"

// measure runs the benchmarks and keeps what they print. If they fail, what they had
// printed stays beside the file.
func (c *command) measure(stderr io.Writer) error {
	file, err := os.Create(c.raw + part)
	if err != nil {
		return err
	}
	defer file.Close()
	if _, err := io.WriteString(file, machine()); err != nil {
		return err
	}
	run := exec.Command("go", "test", "-run", "^$", "-timeout", "0",
		"-bench", c.bench, "-benchtime", c.time, "-count", fmt.Sprint(c.count), "./internal/bench")
	run.Env = append(os.Environ(), "AUTH_BENCH_LARGE=1")
	run.Stdout, run.Stderr = io.MultiWriter(file, stderr), stderr
	if err := run.Run(); err != nil {
		return fmt.Errorf("%v: %w (what there is of it: %s)", run.Args, err, file.Name())
	}
	if err := file.Close(); err != nil {
		return err
	}
	return os.Rename(file.Name(), c.raw)
}

// machine says where it was measured, in the form of the benchmarks' own lines.
func machine() string {
	lines := fmt.Sprintf("go: %s\ncores: %d\ndate: %s\n", runtime.Version(), runtime.NumCPU(), time.Now().UTC().Format(time.DateOnly))
	if node, err := exec.Command("node", "--version").Output(); err == nil {
		lines += "node: " + strings.TrimSpace(string(node)) + "\n"
	}
	return lines
}
