module github.com/seed3b05b409/auth/internal/testnode

go 1.26.0
