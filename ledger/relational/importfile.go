package relational

import (
	"bufio"
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"hash"
	"io"

	"github.com/tenurehq/tenure/ledger"
)

var errCut = errors.New("it ends before its last line: it is a part of an export")

// importer reads an export.
type importer struct {
	from    *bufio.Reader
	sum     hash.Hash
	header  header
	trailer trailer
	read    int64 // rows
}

func newImporter(r io.Reader) *importer {
	return &importer{from: bufio.NewReaderSize(r, 1<<20), sum: sha256.New()}
}

// line reads a line, of which the digest is taken afterwards unless it is the last.
func (in *importer) line() ([]byte, error) {
	line, err := in.from.ReadBytes('\n')
	if errors.Is(err, io.EOF) {
		return nil, errCut
	}
	return line, err
}

// export summarizes what was read.
func (in *importer) export() ledger.Export {
	return ledger.Export{Schema: in.header.Schema, Rows: in.header.rows(), SHA256: in.trailer.SHA256}
}

func (in *importer) readHeader() error {
	line, err := in.line()
	if err != nil && !errors.Is(err, errCut) {
		return err
	}
	if err != nil || json.Unmarshal(line, &in.header) != nil || in.header.Format != exportFormat {
		return errors.New("this is no export of a ledger: its first line is not that of one")
	}
	if in.header.Version != exportVersion {
		return fmt.Errorf("it has the format's version %d, and this Tenure reads %d: use the version that exported it", in.header.Version, exportVersion)
	}
	if !sameTables(in.header.Tables) {
		return fmt.Errorf("it has other tables or columns than this Tenure (its schema is %d): import it with the version that exported it, and upgrade then", in.header.Schema)
	}
	_, _ = in.sum.Write(line)
	return nil
}

// readRows reads the values of a table's next rows, one after the other.
func (in *importer) readRows(t table, n int) ([]any, error) {
	values := make([]any, 0, n*len(t.columns))
	for range n {
		line, err := in.line()
		if err != nil {
			return nil, err
		}
		var row []any
		decoder := json.NewDecoder(bytes.NewReader(line))
		decoder.UseNumber() // they do not all fit into a float
		in.read++
		if err := decoder.Decode(&row); err != nil || len(row) != 1+len(t.columns) || row[0] != t.name {
			return nil, fmt.Errorf("line %d is no row of table %s: it was changed or damaged", in.read+1, t.name)
		}
		for i, v := range row[1:] {
			switch v := v.(type) {
			case nil, string:
				values = append(values, v)
			case json.Number:
				whole, err := v.Int64()
				if err != nil {
					return nil, fmt.Errorf("line %d: column %s is no whole number", in.read+1, t.columns[i])
				}
				values = append(values, whole)
			default:
				return nil, fmt.Errorf("line %d: column %s is neither a text nor a number", in.read+1, t.columns[i])
			}
		}
		_, _ = in.sum.Write(line)
	}
	return values, nil
}

// readTrailer sees that all was read, and was read as it was written.
func (in *importer) readTrailer() error {
	line, err := in.line()
	if err != nil {
		return err
	}
	if err := json.Unmarshal(line, &in.trailer); err != nil || in.trailer.Rows != in.read {
		return fmt.Errorf("it does not end after the %d rows that its first line tells of: it was changed or damaged", in.read)
	}
	if in.trailer.SHA256 != hex.EncodeToString(in.sum.Sum(nil)) {
		return errors.New("its checksum is wrong: it was changed or damaged")
	}
	if _, err := in.from.ReadByte(); !errors.Is(err, io.EOF) {
		return errors.New("something comes after its last line: it was changed or damaged")
	}
	return nil
}
