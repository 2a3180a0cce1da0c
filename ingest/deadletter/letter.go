package deadletter

import (
	"crypto/sha256"
	"encoding/hex"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode"

	"github.com/segmentio/kafka-go"

	"github.com/tenurehq/tenure/hr/source"
	"github.com/tenurehq/tenure/ingest/broker"
	"github.com/tenurehq/tenure/ledger"
)

// Headers of a dead letter, added to the record's own.
const (
	HeaderReason    = deadLetterPrefix + "reason"    // source.Error's Reason
	HeaderField     = deadLetterPrefix + "field"     // the field at fault; absent if none
	HeaderText      = deadLetterPrefix + "text"      // what is wrong with the record, for people
	HeaderTopic     = deadLetterPrefix + "topic"     // the record's topic
	HeaderPartition = deadLetterPrefix + "partition" // its partition, decimal
	HeaderOffset    = deadLetterPrefix + "offset"    // its offset, decimal
	HeaderSource    = deadLetterPrefix + "source"    // the decoder's name
	HeaderAt        = deadLetterPrefix + "at"        // when the record became a letter, RFC 3339, UTC
	HeaderPerson    = deadLetterPrefix + "person"    // source.Error's Person; absent if the decoder does not know
	HeaderUrgent    = deadLetterPrefix + "urgent"    // "true" if the record may have been meant to end access; else absent

	// A letter that the dead-letter topic does not take whole has these headers instead
	// of the record's value. The record is still at HeaderTopic, and so on.
	HeaderSize   = deadLetterPrefix + "size"   // the value's size in bytes, decimal
	HeaderDigest = deadLetterPrefix + "digest" // the value's digest: see Digest

	deadLetterPrefix = "tenure-dlq-"
)

// Headers of a record that was sent again from a dead letter. If the record becomes a
// dead letter once more, the new letter has them too, and so names the old one.
const (
	HeaderRedriveOf     = redrivePrefix + "of"     // the dead letter: topic/partition/offset
	HeaderRedriveBy     = redrivePrefix + "by"     // the operator
	HeaderRedriveAt     = redrivePrefix + "at"     // RFC 3339, UTC
	HeaderRedriveReason = redrivePrefix + "reason" // the operator's reason
	HeaderRedriveDigest = redrivePrefix + "digest" // the digest of the value that was refused: see Digest

	redrivePrefix = "tenure-redrive-"
)

const (
	// ReasonInternal is the reason of a record that makes its decoder fail.
	ReasonInternal = "internal"
	// ReasonBatch is the reason of a letter that stands for a batch that cannot be read.
	ReasonBatch = "batch"
	// reasonUnknown is the reason of a letter that does not say why it is one.
	reasonUnknown = "unknown"
)

// Digest returns the digest of a record's value: "sha256:" and hexadecimal digits.
func Digest(value []byte) string {
	sum := sha256.Sum256(value)
	return "sha256:" + hex.EncodeToString(sum[:])
}

// New returns the letter of a record for the topic to: key and value byte for byte, and
// headers that say why the record was refused. Such headers of an earlier letter, from
// which the record was sent again, are replaced. Format is the decoder's name.
func New(m kafka.Message, to, format string, e *source.Error, at time.Time) kafka.Message {
	urgent := ""
	if e.Urgent {
		urgent = "true"
	}
	return kafka.Message{
		Topic: to, Key: m.Key, Value: m.Value,
		Headers: withHeaders(m.Headers, []string{deadLetterPrefix}, [][2]string{
			{HeaderReason, e.Reason},
			{HeaderField, e.Field},
			{HeaderText, e.Text},
			{HeaderTopic, m.Topic},
			{HeaderPartition, strconv.Itoa(m.Partition)},
			{HeaderOffset, strconv.FormatInt(m.Offset, 10)},
			{HeaderSource, format},
			{HeaderAt, at.UTC().Format(time.RFC3339Nano)},
			{HeaderPerson, e.Person},
			{HeaderUrgent, urgent},
		}),
	}
}

// largestKey and largestHeader bound the key and each header, in bytes, of a letter
// without its value.
const (
	largestKey    = 1 << 10
	largestHeader = 2 << 10
)

// redriveHeaders holds all headers of a redrive. A letter without its value keeps these,
// and no others with the prefix: anybody may have written those.
var redriveHeaders = map[string]bool{
	HeaderRedriveOf: true, HeaderRedriveBy: true, HeaderRedriveAt: true, HeaderRedriveReason: true, HeaderRedriveDigest: true,
}

// WithoutValue returns the letter for a topic that does not take it whole: it has what
// Tenure knows of the record, and where the record is.
func WithoutValue(letter kafka.Message) kafka.Message {
	entry := EntryOf(letter)
	small := letter
	small.Value, small.Headers = nil, nil
	if len(small.Key) > largestKey {
		small.Key = nil
	}
	seen := map[string]bool{}
	for _, h := range letter.Headers {
		if (strings.HasPrefix(h.Key, deadLetterPrefix) || redriveHeaders[h.Key]) && !seen[h.Key] {
			seen[h.Key] = true
			h.Value = h.Value[:min(len(h.Value), largestHeader)]
			small.Headers = append(small.Headers, h)
		}
	}
	urgent := ""
	if entry.Urgent {
		urgent = "true"
	}
	// Without the value, nobody can find out from the letter whom the record is about.
	small.Headers = withHeaders(small.Headers, []string{HeaderPerson, HeaderUrgent}, [][2]string{
		{HeaderPerson, entry.PersonID},
		{HeaderUrgent, urgent},
		{HeaderSize, strconv.Itoa(len(letter.Value))},
		{HeaderDigest, entry.Digest},
	})
	return small
}

// missing reports whether the letter is without its record's value, and returns the
// value's digest.
func missing(letter kafka.Message) (digest string, is bool) {
	for _, h := range letter.Headers {
		if h.Key == HeaderDigest {
			return string(h.Value), true
		}
	}
	return "", false
}

// withHeaders returns the headers without those that begin with one of the prefixes,
// and with the added ones that are not empty.
func withHeaders(headers []kafka.Header, without []string, add [][2]string) []kafka.Header {
	var out []kafka.Header
next:
	for _, h := range headers {
		for _, prefix := range without {
			if strings.HasPrefix(h.Key, prefix) {
				continue next
			}
		}
		out = append(out, h)
	}
	for _, h := range add {
		if h[1] != "" {
			out = append(out, kafka.Header{Key: h[0], Value: []byte(h[1])})
		}
	}
	return out
}

// EntryOf returns the ledger's entry for a dead letter, from its headers and from what
// can be read of the record. A letter that Tenure did not write has less.
func EntryOf(letter kafka.Message) ledger.DeadLetter {
	headers := map[string]string{}
	for _, h := range letter.Headers {
		headers[h.Key] = tidy(string(h.Value))
	}
	clue := source.LookAt(broker.RecordOf(letter))
	l := ledger.DeadLetter{
		At:         ledger.Position{Topic: letter.Topic, Partition: letter.Partition, Offset: letter.Offset},
		Digest:     Digest(letter.Value),
		Format:     headers[HeaderSource],
		ReceivedAt: letter.Time,
		Reason:     headers[HeaderReason],
		Field:      headers[HeaderField],
		Text:       headers[HeaderText],
		PersonID:   headers[HeaderPerson],
		EventType:  clue.Type, EventSource: clue.Source, EventID: clue.ID,
		Urgent: clue.Urgent || headers[HeaderUrgent] == "true",
	}
	if digest, is := missing(letter); is && letter.Value == nil {
		l.Digest = digest
	}
	if of, ok := parsePosition(headers[HeaderRedriveOf]); ok {
		l.RedriveOf, l.RedriveDigest = of, RedriveDigest(letter)
	}
	var there bool
	l.Origin, there = parsePosition(headers[HeaderTopic] + "/" + headers[HeaderPartition] + "/" + headers[HeaderOffset])
	if !there {
		l.Origin = l.At
	}
	if at, err := time.Parse(time.RFC3339Nano, headers[HeaderAt]); err == nil {
		l.ReceivedAt = at
	}
	if l.PersonID == "" {
		l.PersonID = clue.Person
	}
	if l.Reason == "" {
		l.Reason = reasonUnknown
	}
	return l
}

// tidy makes a header fit for a terminal: anybody may have written it.
func tidy(s string) string {
	const most = 500
	s = strings.Map(func(r rune) rune {
		if !unicode.IsPrint(r) {
			return '?'
		}
		return r
	}, strings.ToValidUTF8(s, "?"))
	if runes := []rune(s); len(runes) > most {
		return string(runes[:most]) + "..."
	}
	return s
}

// RedriveOf returns the position of the dead letter that a record was sent again from;
// the zero position if it was not.
func RedriveOf(m kafka.Message) ledger.Position {
	for _, h := range m.Headers {
		if h.Key == HeaderRedriveOf {
			p, _ := parsePosition(string(h.Value))
			return p
		}
	}
	return ledger.Position{}
}

// RedriveDigest returns the digest of a record's key, value and headers, in any order.
// It leaves out Tenure's headers of letters and redrives. No key and an empty key give
// the same digest: readers cannot always tell them apart.
func RedriveDigest(m kafka.Message) string {
	var parts []string
	for _, h := range m.Headers {
		if !strings.HasPrefix(h.Key, deadLetterPrefix) && !strings.HasPrefix(h.Key, redrivePrefix) {
			parts = append(parts, source.Digest(h.Key, string(h.Value)))
		}
	}
	slices.Sort(parts)
	return "record:" + source.Digest(append(parts, string(m.Key), string(m.Value))...)
}

// parsePosition parses topic/partition/offset. Topics have no slash in them.
func parsePosition(s string) (ledger.Position, bool) {
	parts := strings.Split(s, "/")
	if len(parts) != 3 || parts[0] == "" {
		return ledger.Position{}, false
	}
	partition, err := strconv.ParseInt(parts[1], 10, 32)
	if err != nil || partition < 0 {
		return ledger.Position{}, false
	}
	offset, err := strconv.ParseInt(parts[2], 10, 64)
	if err != nil || offset < 0 {
		return ledger.Position{}, false
	}
	return ledger.Position{Topic: parts[0], Partition: int(partition), Offset: offset}, true
}
