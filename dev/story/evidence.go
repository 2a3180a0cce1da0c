package story

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"time"
)

// recordTime is how long (real time) the last rows of the record may take to be in a checkpoint.
const recordTime = 3 * time.Minute

// Evidence makes the pack of evidence of the whole story in a folder, which it empties first, and
// verifies it. It returns the page that a human can read.
func (s *Stage) Evidence(ctx context.Context, folder string) (page string, err error) {
	ctx, cancel := context.WithTimeout(ctx, recordTime)
	defer cancel()
	if err := os.RemoveAll(folder); err != nil {
		return "", err
	}
	// It asks for an operator (exit status 3) as long as something does not tie out, and that is
	// for a human to read.
	made := func(context.Context) bool { _, err := os.Stat(filepath.Join(folder, "manifest")); return err == nil }
	err = s.command(ctx, made, "audit", "pack", folder, "--from", Start.Format(time.DateOnly), "--operator", "auditor")
	if err != nil {
		return "", err
	}
	if out, err := s.tenure(ctx, "audit", "verify", folder); err != nil {
		return "", fmt.Errorf("the pack of evidence is not sound: %w: %s", err, out)
	}
	return filepath.Join(folder, "evidence.html"), nil
}
