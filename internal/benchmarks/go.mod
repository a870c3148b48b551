module github.com/seed3b05b409/auth/internal/benchmarks

go 1.26.0

replace github.com/seed3b05b409/auth => ../..

require (
	github.com/danielgtaylor/huma/v2 v2.37.2
	github.com/seed3b05b409/auth v0.0.0
)

require (
	golang.org/x/crypto v0.58.0 // indirect
	golang.org/x/sys v0.49.0 // indirect
)
