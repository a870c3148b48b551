package conformancetest

import (
	"fmt"
	"slices"
	"strconv"
)

// transportHeaders are the business of HTTP servers.
var transportHeaders = []string{"date", "connection", "keep-alive", "content-length", "transfer-encoding"}

// describe writes a response down.
func (r *run) describe(a *response) []string {
	body := "no body"
	if a.Body != "" {
		body = "body " + r.words.text(a.Body) // first, for its ids: those of a copy may come in another order
	}
	lines := append([]string{fmt.Sprint(a.Status)}, r.headers(a.Headers)...)
	return append(lines, body)
}

func (r *run) headers(headers [][2]string) (lines []string) {
	var cookies []string
	for _, header := range headers {
		switch {
		case header[0] == "set-cookie":
			cookies = append(cookies, header[1])
		case header[0] == "x-retry-after":
			lines = append(lines, header[0]+": "+fiveSeconds(header[1]))
		case !slices.Contains(transportHeaders, header[0]):
			lines = append(lines, header[0]+": "+r.words.text(header[1]))
		}
	}
	return append(lines, r.words.cookies(cookies)...)
}

// fiveSeconds rounds a number of seconds up: what a case takes is no difference.
func fiveSeconds(text string) string {
	seconds, err := strconv.Atoi(text)
	if err != nil {
		return text
	}
	return fmt.Sprintf("<at most %d>", (seconds+4)/5*5)
}
