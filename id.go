package auth

import "strconv"

// isUUID reports whether an id is a UUID in the form in which databases return
// them.
func isUUID(id string) bool {
	if len(id) != 36 {
		return false
	}
	for i := range len(id) {
		c := id[i]
		if i == 8 || i == 13 || i == 18 || i == 23 {
			if c != '-' {
				return false
			}
		} else if (c < '0' || c > '9') && (c < 'a' || c > 'f') {
			return false
		}
	}
	return true
}

// parseSerial returns the number that an id is, in the one spelling that a
// database returns.
func parseSerial(id string) (int64, bool) {
	number, err := strconv.ParseInt(id, 10, 64)
	return number, err == nil && strconv.FormatInt(number, 10) == id
}
