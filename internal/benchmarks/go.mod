module github.com/seed3b05b409/auth/internal/benchmarks

go 1.26

replace github.com/seed3b05b409/auth => ../..
