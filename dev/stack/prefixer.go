package stack

import (
	"bytes"
	"io"
)

// prefixer writes whole lines with a name before each. Lines of several prefixers
// that share a writer which is safe for concurrent use are not mixed.
type prefixer struct {
	w      io.Writer
	prefix string
	part   []byte // the beginning of a line whose end is still missing
}

func newPrefixer(w io.Writer, name string) *prefixer {
	return &prefixer{w: w, prefix: name + " | "}
}

func (p *prefixer) Write(b []byte) (int, error) {
	p.part = append(p.part, b...)
	for {
		end := bytes.IndexByte(p.part, '\n')
		if end < 0 {
			return len(b), nil
		}
		line := append([]byte(p.prefix), p.part[:end+1]...)
		p.part = p.part[end+1:]
		if _, err := p.w.Write(line); err != nil {
			return 0, err
		}
	}
}
