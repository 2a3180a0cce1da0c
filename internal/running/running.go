// Package running tells the command line with which configuration the embedded stack of a
// directory runs (make dev). It imports the standard library only.
package running

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
)

// mark is the file that a stack locks while it runs. It holds the path of the stack's
// configuration. The lock always ends with the process, also after a crash.
const mark = "running"

// Announce records that a stack runs with a configuration, until the result is closed.
func Announce(dir, configuration string) (*os.File, error) {
	f, err := os.OpenFile(filepath.Join(dir, mark), os.O_CREATE|os.O_RDWR, 0o600)
	if err != nil {
		return nil, err
	}
	if err = lock(f); err == nil {
		if err = f.Truncate(0); err == nil {
			_, err = f.WriteString(configuration + "\n")
		}
	}
	if err != nil {
		_ = f.Close()
		return nil, fmt.Errorf("mark %s as in use: %w", dir, err)
	}
	return f, nil
}

// Configuration returns the path of the configuration of the stack that runs on a
// directory, or "" if none does.
func Configuration(dir string) string {
	f, err := os.Open(filepath.Join(dir, mark))
	if err != nil {
		return ""
	}
	defer func() { _ = f.Close() }() // it was only read
	if !locked(f) {
		return ""
	}
	text, err := os.ReadFile(f.Name())
	if err != nil {
		return ""
	}
	return strings.TrimSpace(string(text))
}
