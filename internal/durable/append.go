// Package durable adds text to files so that it is there when the machine stops.
package durable

import (
	"errors"
	"io"
	"io/fs"
	"os"
	"path/filepath"
)

// Append adds text to a file, which it makes with the permissions if it is not there. It opens
// the file each time: whoever renames it, as logrotate does, gets a new one with the next text.
// The file may be one to which can only be added.
//
// A line that was cut when the machine stopped, or when the disk was full, is ended first, so
// that the text begins with a line of its own. What Append returns without an error is on the
// disk.
func Append(path string, permissions fs.FileMode, text []byte) error {
	file, err := os.OpenFile(path, os.O_APPEND|os.O_CREATE|os.O_RDWR, permissions)
	if err != nil {
		return err
	}
	if err := errors.Join(add(file, text), file.Close()); err != nil {
		return err
	}
	folder, err := os.Open(filepath.Dir(path)) // the name of a new file is on the disk with its folder
	if err != nil {
		return err
	}
	return errors.Join(folder.Sync(), folder.Close())
}

func add(file *os.File, text []byte) error {
	end, err := file.Seek(0, io.SeekEnd)
	if err != nil {
		return err
	}
	if end > 0 {
		last := make([]byte, 1)
		if _, err := file.ReadAt(last, end-1); err != nil {
			return err
		}
		if last[0] != '\n' {
			text = append([]byte{'\n'}, text...)
		}
	}
	if _, err := file.Write(text); err != nil {
		return err
	}
	return file.Sync()
}
