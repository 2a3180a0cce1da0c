package snapshot

import (
	"bufio"
	"bytes"
	"errors"
	"io"
	"slices"

	"golang.org/x/text/encoding/unicode"
	"golang.org/x/text/transform"
)

// decoded returns a file's text as UTF-8 without its byte order mark. It converts a file that
// begins with the mark of UTF-16, which spreadsheets call Unicode text.
func decoded(r io.Reader) (*bufio.Reader, error) {
	text := bufio.NewReaderSize(r, 64<<10)
	begin, err := text.Peek(4)
	if err != nil && !errors.Is(err, io.EOF) {
		return nil, err
	}
	refuse := func(why string) (*bufio.Reader, error) {
		return nil, &Error{Line: 1, Column: 1, Fatal: true, Text: "the file is " + why}
	}
	switch {
	case bytes.Equal(begin, []byte("\xff\xfe\x00\x00")) || bytes.Equal(begin, []byte("\x00\x00\xfe\xff")):
		return refuse("UTF-32: export it as UTF-8, or convert it (iconv -f UTF-32 -t UTF-8)")
	case bytes.HasPrefix(begin, []byte("\xff\xfe")) || bytes.HasPrefix(begin, []byte("\xfe\xff")):
		utf16 := unicode.UTF16(unicode.LittleEndian, unicode.ExpectBOM).NewDecoder()
		return bufio.NewReaderSize(&undamaged{from: transform.NewReader(text, utf16)}, 64<<10), nil
	case len(begin) == 4 && begin[1] == 0 && begin[3] == 0:
		return refuse("UTF-16 without a byte order mark: export it as UTF-8, or convert it (iconv -f UTF-16LE -t UTF-8)")
	case len(begin) == 4 && begin[0] == 0 && begin[2] == 0:
		return refuse("UTF-16 without a byte order mark: export it as UTF-8, or convert it (iconv -f UTF-16BE -t UTF-8)")
	case bytes.HasPrefix(begin, []byte("\xef\xbb\xbf")):
		_, _ = text.Discard(3)
	}
	return text, nil
}

// undamaged reads text that was converted from UTF-16. It fails at a replacement character,
// which stands for damaged input whose meaning is lost.
type undamaged struct {
	from io.Reader
	last []byte // the end of what was read before, since the character may be split
	line int
	err  error // the error, once there is one
}

var replacement = []byte("\ufffd")

func (u *undamaged) Read(p []byte) (int, error) {
	if u.err != nil {
		return 0, u.err
	}
	n, err := u.from.Read(p)
	seen := slices.Concat(u.last, p[:n])
	if at := bytes.Index(seen, replacement); at >= 0 {
		line := u.line + bytes.Count(seen[:at], []byte("\n")) + 1
		u.err = &Error{Line: line, Fatal: true, Text: "is not whole UTF-16: the file was broken off, or something wrote into it. Export it again"}
		return 0, u.err
	}
	kept := seen[max(0, len(seen)-len(replacement)+1):]
	u.line += bytes.Count(seen[:len(seen)-len(kept)], []byte("\n"))
	u.last = bytes.Clone(kept)
	return n, err
}
