module github.com/seed3b05b409/auth/internal/providertest

go 1.26.0

require (
	github.com/seed3b05b409/auth v0.0.0
	github.com/seed3b05b409/auth/internal/testnode v0.0.0
)

require (
	golang.org/x/crypto v0.58.0 // indirect
	golang.org/x/sys v0.49.0 // indirect
)

replace (
	github.com/seed3b05b409/auth => ../..
	github.com/seed3b05b409/auth/internal/testnode => ../testnode
)
