// Package username adds numbers to usernames that several people would get, within a maximum
// length.
package username

import (
	"strconv"
	"strings"
	"unicode/utf8"
)

// separators are the characters that a username does not end with.
const separators = "._-"

// Numbered returns the n-th username made of base, from 1: base, base2, base3, ... It cuts the
// base so that the username, with its number, has at most longest bytes. Zero means no limit.
func Numbered(base string, n, longest int) string {
	number := ""
	if n > 1 {
		number = strconv.Itoa(n)
	}
	return cut(base, longest-len(number), longest > 0) + number
}

// cut keeps the first bytes of base, but no part of a letter.
func cut(base string, bytes int, limited bool) string {
	if !limited || len(base) <= bytes {
		return base
	}
	bytes = max(bytes, 0)
	for bytes > 0 && !utf8.RuneStart(base[bytes]) {
		bytes--
	}
	return strings.TrimRight(base[:bytes], separators)
}

// MadeOf reports whether Numbered can return a username for base. Case makes no difference.
func MadeOf(name, base string, longest int) bool {
	if strings.EqualFold(name, Numbered(base, 1, longest)) {
		return true
	}
	for at := len(name) - 1; at >= 0 && name[at] >= '0' && name[at] <= '9'; at-- {
		n, err := strconv.Atoi(name[at:])
		if err != nil {
			return false // more digits than anybody has namesakes
		}
		if n > 1 && name[at] != '0' && strings.EqualFold(name, Numbered(base, n, longest)) {
			return true
		}
	}
	return false
}
