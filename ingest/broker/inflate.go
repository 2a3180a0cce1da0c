package broker

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"math"
	"strings"

	"github.com/google/uuid"
	"github.com/klauspost/compress/snappy"
	"github.com/klauspost/compress/zstd"
	"github.com/segmentio/kafka-go"
	"github.com/segmentio/kafka-go/compress"
)

// maxInflated bounds the records of one compressed batch, in bytes. A producer's batch
// has a megabyte or less; a malicious one can be small on the wire and take gigabytes.
// kafka-go decompresses a whole batch before it returns the first record, so that this
// bounds its memory for each partition.
const maxInflated = 32 << 20

// kafka-go finds its codecs in this table.
func init() {
	for i, codec := range compress.Codecs {
		if codec != nil {
			compress.Codecs[i] = boundedCodec{codec}
		}
	}
}

// UnreadableError is the error of a compressed batch that cannot be read, however often
// it is fetched. A kafka.Client gets this error. A kafka.Reader would not report it, and
// would begin anew without end: it gets a stand-in instead.
type UnreadableError struct{ cause error }

func (e *UnreadableError) Error() string { return "a batch cannot be decompressed: " + e.cause.Error() }

func (e *UnreadableError) Unwrap() error { return e.cause }

var errInflated = fmt.Errorf("it takes more than %d bytes", maxInflated)

// boundedCodec decompresses batches of maxInflated bytes at most.
type boundedCodec struct{ compress.Codec }

// NewReader returns a reader of the decompressed content of r.
func (c boundedCodec) NewReader(r io.Reader) io.ReadCloser {
	return &boundedReader{codec: c.Codec, from: r}
}

// boundedReader decompresses at the first read. It reads all of its input first, so that
// the connection's deadline does not pass while it works.
type boundedReader struct {
	codec compress.Codec
	from  io.Reader
	size  int64         // of the compressed batch for a kafka.Reader; 0 for a kafka.Client
	plain io.ReadCloser // nil before the first read
	err   error
}

func (b *boundedReader) Read(p []byte) (int, error) {
	if b.err != nil {
		return 0, b.err
	}
	if b.plain == nil {
		if b.err = b.open(); b.err != nil {
			return 0, b.err
		}
	}
	return b.plain.Read(p)
}

// open reads all of the input and decompresses it.
func (b *boundedReader) open() error {
	if limited, ok := b.from.(*io.LimitedReader); ok {
		b.size = limited.N
	}
	packed, err := io.ReadAll(b.from)
	if err != nil {
		return err
	}
	if b.size > int64(len(packed)) {
		return io.ErrUnexpectedEOF // the connection broke off
	}
	plain, err := b.inflate(packed)
	switch {
	case err == nil:
	case b.size > 0:
		plain = standIn(b.size, err)
	default:
		return &UnreadableError{err}
	}
	b.plain = io.NopCloser(bytes.NewReader(plain))
	return nil
}

// inflate decompresses a batch.
func (b *boundedReader) inflate(packed []byte) ([]byte, error) {
	var from io.ReadCloser
	switch b.codec.Code() {
	case int8(compress.Snappy):
		// kafka-go allocates as much as a block claims to hold.
		if snappyLength(packed) > maxInflated {
			return nil, errInflated
		}
		from = b.codec.NewReader(bytes.NewReader(packed))
	case int8(compress.Zstd):
		// kafka-go's own decoder allocates windows of half a gigabyte.
		decoder, err := zstd.NewReader(bytes.NewReader(packed), zstd.WithDecoderConcurrency(1),
			zstd.WithDecoderLowmem(true), zstd.WithDecoderMaxWindow(maxInflated), zstd.WithDecoderMaxMemory(maxInflated+1))
		if err != nil {
			return nil, err
		}
		from = decoder.IOReadCloser()
	default:
		from = b.codec.NewReader(bytes.NewReader(packed))
	}
	defer func() { _ = from.Close() }()
	plain, err := io.ReadAll(io.LimitReader(from, maxInflated+1))
	switch {
	case len(plain) > maxInflated, errors.Is(err, zstd.ErrDecoderSizeExceeded), errors.Is(err, zstd.ErrWindowSizeExceeded):
		return nil, errInflated
	case err != nil:
		return nil, err
	}
	return plain, nil
}

// Close ends decompressing.
func (b *boundedReader) Close() error {
	b.err, b.plain = io.ErrClosedPipe, nil
	return nil
}

// standInDelta is the distance of a stand-in from its batch's first offset. It is the
// largest that a batch can have, so that kafka-go passes the stand-in on even if an
// offset within the batch is wanted.
const standInDelta = math.MaxInt32

// standInHeader names the header of a stand-in. Its value begins with standInToken,
// which no producer can know.
const standInHeader = "tenure-unreadable"

var standInToken = uuid.NewString() + " "

// standIn returns the decompressed content that kafka-go gets in place of a batch of size
// bytes that cannot be decompressed: one record, with a header that says why. Kafka's
// record format is at https://kafka.apache.org/documentation/#record.
func standIn(size int64, cause error) []byte {
	body := []byte{0, 0} // attributes, and the difference of the timestamp
	body = binary.AppendVarint(body, standInDelta)
	body = binary.AppendVarint(body, -1) // no key
	body = binary.AppendVarint(body, -1) // no value
	body = binary.AppendVarint(body, 1)
	body = binary.AppendVarint(body, int64(len(standInHeader)))
	body = append(body, standInHeader...)
	why := standInToken + cause.Error()
	body = binary.AppendVarint(body, int64(len(why)))
	body = append(body, why...)
	// The record claims the size of the whole batch: only then does kafka-go know, at
	// the end of the record, that the batch has ended.
	length := binary.AppendVarint(nil, size)
	for length = binary.AppendVarint(nil, size-int64(len(length))); ; {
		again := binary.AppendVarint(nil, size-int64(len(length)))
		if len(again) == len(length) {
			return append(again, body...)
		}
		length = again
	}
}

// standsIn reports whether a message stands in for a batch that cannot be read, and
// returns the batch's first offset and why it cannot.
func standsIn(m kafka.Message) (first int64, why string, is bool) {
	if len(m.Headers) != 1 || m.Headers[0].Key != standInHeader {
		return 0, "", false
	}
	why, is = strings.CutPrefix(string(m.Headers[0].Value), standInToken)
	return m.Offset - standInDelta, why, is
}

// xerial begins the frames in which Java's producers pack snappy blocks. Two version
// numbers follow.
var xerial = []byte{130, 'S', 'N', 'A', 'P', 'P', 'Y', 0}

const xerialHeader = 16

// snappyLength returns how many bytes the blocks claim to hold. It leaves input that is
// not snappy to the decoder, which fails.
func snappyLength(packed []byte) (total int64) {
	if !bytes.HasPrefix(packed, xerial) || len(packed) < xerialHeader {
		n, err := snappy.DecodedLen(packed)
		if err != nil {
			return 0
		}
		return int64(n)
	}
	rest := packed[xerialHeader:]
	for len(rest) >= 4 {
		frame := int64(binary.BigEndian.Uint32(rest))
		rest = rest[4:]
		if frame > int64(len(rest)) {
			return maxInflated + 1 // it claims more than there is, and the decoder would allocate it
		}
		if n, err := snappy.DecodedLen(rest[:frame]); err == nil {
			total += int64(n)
		}
		rest = rest[frame:]
	}
	return total
}
