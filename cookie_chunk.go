package auth

import (
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"strings"
)

// Limits of a cookie that is split (contract section 7.5): bytes of one
// Set-Cookie line, below the least that a browser grants, and lines.
const (
	maxCookieLine   = 4050
	maxCookieChunks = 100
)

// chunkCookie returns the cookies that carry c: c itself if its line is short
// enough, else <name>.0, <name>.1 and so on, each with all attributes, else
// none if there would be too many. The value is one that needs no encoding.
func chunkCookie(c cookie) []cookie {
	size := chunkSize(c)
	switch {
	case size <= 0 || len(c.value) > size*maxCookieChunks:
		return nil
	case len(c.value) <= size:
		return []cookie{c}
	}
	var chunks []cookie
	for value := c.value; value != ""; {
		chunk := c
		chunk.name = c.name + "." + strconv.Itoa(len(chunks))
		chunk.value = value[:min(size, len(value))]
		value = value[len(chunk.value):]
		chunks = append(chunks, chunk)
	}
	return chunks
}

// chunkSize returns how much of a value fits into a line with the longest name
// that a chunk can have.
func chunkSize(c cookie) int {
	c.name, c.value = fmt.Sprintf("%s.%d", c.name, maxCookieChunks-1), ""
	return maxCookieLine - len(c.append(nil))
}

// joinChunks returns the decoded value of a cookie that may have come in chunks,
// empty if it is not there. The unsplit cookie goes before chunks.
func joinChunks(h http.Header, name string) string {
	if raw, _ := cookieValue(h, name); raw != "" {
		return decodeURIComponent(raw)
	}
	var chunks []string
	for n, raw := range requestCookies(h) {
		if i, ok := chunkIndex(n, name); ok {
			if chunks == nil {
				chunks = make([]string, maxCookieChunks)
			}
			chunks[i] = decodeURIComponent(raw)
		}
	}
	return strings.Join(chunks, "")
}

// chunkNames returns the names under which a request carries the cookie, whole
// or in chunks, each once: those to expire.
func chunkNames(h http.Header, name string) []string {
	var names []string
	for n := range requestCookies(h) {
		_, isChunk := chunkIndex(n, name)
		if (isChunk || n == name) && !slices.Contains(names, n) {
			names = append(names, n)
		}
	}
	return names
}

// chunkIndex returns i if chunk is <name>.<i> in canonical decimal.
func chunkIndex(chunk, name string) (i int, ok bool) {
	suffix, ok := strings.CutPrefix(chunk, name)
	if !ok || !strings.HasPrefix(suffix, ".") {
		return 0, false
	}
	i, err := strconv.Atoi(suffix[1:])
	ok = err == nil && 0 <= i && i < maxCookieChunks && strconv.Itoa(i) == suffix[1:]
	return i, ok
}
