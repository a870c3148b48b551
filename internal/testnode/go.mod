module github.com/seed3b05b409/auth/internal/testnode

go 1.26.0

require github.com/seed3b05b409/auth v0.0.0

replace github.com/seed3b05b409/auth => ../..
