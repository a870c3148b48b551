package auth

import "context"
import "time"

type remoteKeys struct{}

func newRemoteKeys(url string, fetch func(ctx context.Context, url string) ([]byte, error)) *remoteKeys {
	return nil
}

type idTokenRules struct {
	keys        *remoteKeys
	issuers     []string
	audiences   []string
	algs        []string
	maxAge      time.Duration
	hashedNonce bool
	check       func(claims map[string]any) bool
}

func (r *idTokenRules) verify(ctx context.Context, token, nonce string) (claims map[string]any, err error) {
	return nil, nil
}
func decodeIDToken(token string) (claims map[string]any, err error) { return nil, nil }
