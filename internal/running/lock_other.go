//go:build !unix

package running

import "os"

// The embedded stack needs flock.
func lock(*os.File) error { return nil }

func locked(*os.File) bool { return false }
