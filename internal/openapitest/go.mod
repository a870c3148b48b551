module github.com/seed3b05b409/auth/internal/openapitest

go 1.26.0

require (
	github.com/pb33f/libopenapi v0.42.5
	github.com/seed3b05b409/auth v0.0.0
	github.com/seed3b05b409/auth/internal/testnode v0.0.0-00010101000000-000000000000
)

require (
	github.com/bahlo/generic-list-go v0.2.0 // indirect
	github.com/buger/jsonparser v1.1.2 // indirect
	github.com/pb33f/go-yaml v0.1.1 // indirect
	github.com/pb33f/jsonpath v0.8.5 // indirect
	github.com/pb33f/ordered-map/v2 v2.3.2 // indirect
	golang.org/x/crypto v0.58.0 // indirect
	golang.org/x/sync v0.25.0 // indirect
	golang.org/x/sys v0.49.0 // indirect
)

replace (
	github.com/seed3b05b409/auth => ../..
	github.com/seed3b05b409/auth/internal/testnode => ../testnode
)
