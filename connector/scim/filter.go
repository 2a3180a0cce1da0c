package scim

import (
	"bytes"
	"encoding/json"
)

// equals is the filter for one attribute's value (RFC 7644 section 3.4.2.2).
func equals(attr, value string) string { return attr + " eq " + quote(value) }

// quote makes a filter's string, which is a JSON string. Angle brackets and the
// ampersand are left as they are: not every service knows \u escapes.
func quote(value string) string {
	var buf bytes.Buffer
	encoder := json.NewEncoder(&buf)
	encoder.SetEscapeHTML(false)
	_ = encoder.Encode(value) // a string into memory: cannot fail
	return string(bytes.TrimSuffix(buf.Bytes(), []byte("\n")))
}
