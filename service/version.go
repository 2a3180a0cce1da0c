package service

import (
	"runtime/debug"
	"strings"
)

// version is set by the release build:
// -ldflags "-X github.com/tenurehq/tenure/service.version=v1.2.3".
var version string

// Version returns the version of this build: the release's, or the module's, or "devel"
// with the commit that it was built from.
func Version() string {
	if version != "" {
		return version
	}
	info, ok := debug.ReadBuildInfo()
	if !ok {
		return "devel"
	}
	return versionOf(info)
}

func versionOf(info *debug.BuildInfo) string {
	if v := info.Main.Version; v != "" && v != "(devel)" {
		return v
	}
	var revision, modified string
	for _, s := range info.Settings {
		switch s.Key {
		case "vcs.revision":
			revision = s.Value[:min(len(s.Value), 12)]
		case "vcs.modified":
			if s.Value == "true" {
				modified = "dirty"
			}
		}
	}
	return strings.Trim(strings.Join([]string{"devel", revision, modified}, "-"), "-")
}
