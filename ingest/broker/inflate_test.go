package broker

import (
	"bytes"
	"encoding/binary"
	"errors"
	"io"
	"runtime"
	"testing"

	"github.com/klauspost/compress/zstd"
	"github.com/segmentio/kafka-go/compress"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// However large a batch is or claims to be, it costs no more memory than the bound.
func TestDecompressingIsBounded(t *testing.T) {
	const gigabyte = 1 << 30
	var huge bytes.Buffer
	e, err := zstd.NewWriter(&huge, zstd.WithEncoderConcurrency(1))
	require.NoError(t, err)
	chunk := make([]byte, 1<<20)
	for range gigabyte / len(chunk) {
		_, err := e.Write(chunk)
		require.NoError(t, err)
	}
	require.NoError(t, e.Close())
	claim := func(n uint64) []byte { return append(binary.AppendUvarint(nil, n), 0, 'x') } // snappy: a length, and a literal
	framed := func(block []byte, length uint32) []byte {
		out := append(append([]byte{}, xerial...), 0, 0, 0, 1, 0, 0, 0, 1)
		return append(binary.BigEndian.AppendUint32(out, length), block...)
	}
	for name, c := range map[string]struct {
		codec  int
		packed []byte
	}{
		"zstd: a gigabyte":                 {int(compress.Zstd), huge.Bytes()},
		"zstd: a window of two gigabytes":  {int(compress.Zstd), []byte{0x28, 0xb5, 0x2f, 0xfd, 0x00, 0xa8, 0x01, 0x00, 0x00}},
		"snappy: a block claims to be big": {int(compress.Snappy), claim(1<<32 - 1)},
		"snappy: the same, framed":         {int(compress.Snappy), framed(claim(1<<32-1), 7)},
		"snappy: a frame claims to be big": {int(compress.Snappy), framed(claim(3), 1<<32-1)},
	} {
		t.Run(name, func(t *testing.T) {
			var before, after runtime.MemStats
			runtime.ReadMemStats(&before)
			r := compress.Codecs[c.codec].NewReader(bytes.NewReader(c.packed))
			n, err := io.Copy(io.Discard, r)
			require.NoError(t, r.Close())
			runtime.ReadMemStats(&after)
			var bad *UnreadableError
			require.ErrorAs(t, err, &bad)
			assert.ErrorIs(t, bad.cause, errInflated)
			assert.LessOrEqual(t, n, int64(maxInflated))
			assert.Less(t, after.TotalAlloc-before.TotalAlloc, uint64(3*maxInflated))
		})
	}
}

// A connection that breaks off within a batch does not make the batch unreadable.
func TestABatchThatBreaksOffIsNotUnreadable(t *testing.T) {
	for _, codec := range compress.Codecs[1:] {
		r := codec.NewReader(&io.LimitedReader{R: bytes.NewReader([]byte("half")), N: 8})
		_, err := io.ReadAll(r)
		require.ErrorIs(t, err, io.ErrUnexpectedEOF, codec.Name())
		var bad *UnreadableError
		assert.False(t, errors.As(err, &bad))
	}
}
