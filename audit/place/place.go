// Package place publishes checkpoints of the audit record's log where those who run Tenure
// cannot take them back: in a file, at an HTTP endpoint or a witness, in a Kafka topic.
package place

import (
	"bytes"
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"slices"
	"strconv"
	"strings"

	"github.com/tenurehq/tenure/audit"
	"github.com/tenurehq/tenure/audit/sequencer"
	"github.com/tenurehq/tenure/ingest/broker"
	"github.com/tenurehq/tenure/internal/durable"
)

// File adds checkpoints to a file, one after the other.
type File struct{ Path string }

var _ sequencer.Remembers = File{}

// Name implements sequencer.Place.
func (f File) Name() string { return "file " + f.Path }

// tail is how much of the end of a file is read: more than two checkpoints need.
const tail = 64 << 10

// Newest implements sequencer.Remembers.
func (f File) Newest(context.Context) (string, error) {
	file, err := os.Open(f.Path)
	if errors.Is(err, os.ErrNotExist) {
		return "", nil
	}
	if err != nil {
		return "", err
	}
	defer func() { _ = file.Close() }() // it was read
	end, err := file.Seek(0, io.SeekEnd)
	if err == nil {
		_, err = file.Seek(max(0, end-tail), io.SeekStart)
	}
	if err != nil {
		return "", err
	}
	text, err := io.ReadAll(file)
	if err != nil {
		return "", err
	}
	for _, note := range slices.Backward(audit.Split(text)) {
		if _, _, err := audit.Open(note, nil); err == nil { // else it was cut
			return note, nil
		}
	}
	return "", nil
}

// Publish implements sequencer.Place. The checkpoint is on the disk when it returns. The file may
// be one to which can only be added.
func (f File) Publish(ctx context.Context, h sequencer.Head) (receipt string, err error) {
	newest, err := f.Newest(ctx)
	if err != nil {
		return "", err
	}
	if newest == h.Note {
		return "", nil
	}
	// An empty line ends a note that was cut when the machine stopped, wherever it was.
	return "", durable.Append(f.Path, 0o644, []byte("\n"+h.Note))
}

// HTTP posts checkpoints to a URL, which takes or keeps them with any status of 2xx.
type HTTP struct {
	URL    string
	Client *http.Client
}

// Name implements sequencer.Place.
func (p HTTP) Name() string { return "http " + p.URL }

// Publish implements sequencer.Place.
func (p HTTP) Publish(ctx context.Context, h sequencer.Head) (receipt string, err error) {
	status, body, err := post(ctx, p.Client, p.URL, h.Note)
	if err == nil && status/100 != 2 {
		err = fmt.Errorf("it answered %d %s", status, http.StatusText(status))
	}
	return strings.TrimSpace(body), err
}

// Witness hands checkpoints to a witness of C2SP tlog-witness, which signs only what is
// consistent with what it has signed before.
type Witness struct {
	URL    string // without /add-checkpoint
	Client *http.Client
}

// Name implements sequencer.Place.
func (w Witness) Name() string { return "witness " + w.URL }

// Publish implements sequencer.Place. The receipt is the witness's signature.
func (w Witness) Publish(ctx context.Context, h sequencer.Head) (receipt string, err error) {
	var old int64
	for range 2 { // the first answer says what the witness knows
		body := fmt.Sprintf("old %d\n", old)
		if old > 0 && old <= h.Size {
			proof, err := h.Consistency(ctx, old)
			if err != nil {
				return "", err
			}
			for _, hash := range proof {
				body += base64.StdEncoding.EncodeToString(hash[:]) + "\n"
			}
		}
		status, answer, err := post(ctx, w.Client, strings.TrimSuffix(w.URL, "/")+"/add-checkpoint", body+"\n"+h.Note)
		if err != nil {
			return "", err
		}
		known, noSize := strconv.ParseInt(strings.TrimSpace(answer), 10, 64)
		switch {
		case status == http.StatusOK:
			return strings.TrimSpace(answer), nil
		case status == http.StatusConflict && noSize == nil && known > h.Size:
			return "", fmt.Errorf("it has signed size %d, and the log has %d leaves: %w", known, h.Size, sequencer.ErrAhead)
		case status == http.StatusConflict && noSize == nil && known != old:
			old = known
		case status == http.StatusUnprocessableEntity, status == http.StatusConflict:
			return "", fmt.Errorf("what it has signed is not the beginning of the log: %w", sequencer.ErrAhead)
		default:
			return "", fmt.Errorf("it answered %d %s", status, http.StatusText(status))
		}
	}
	return "", errors.New("it did not say which size it knows")
}

// longestAnswer bounds what is kept of an answer.
const longestAnswer = 4 << 10

func post(ctx context.Context, client *http.Client, url, body string) (status int, answer string, err error) {
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, url, bytes.NewReader([]byte(body)))
	if err != nil {
		return 0, "", err
	}
	request.Header.Set("Content-Type", "text/plain; charset=utf-8")
	response, err := client.Do(request)
	if err != nil {
		return 0, "", err
	}
	defer func() { _ = response.Body.Close() }() // it was read
	text, err := io.ReadAll(io.LimitReader(response.Body, longestAnswer))
	return response.StatusCode, string(text), err
}

// Kafka writes checkpoints to a topic, keyed by the name of the log.
type Kafka struct {
	Topic     string
	Publisher interface {
		Publish(ctx context.Context, topic string, messages []broker.Message) error
	}
}

// Name implements sequencer.Place.
func (k Kafka) Name() string { return "kafka " + k.Topic }

// Publish implements sequencer.Place.
func (k Kafka) Publish(ctx context.Context, h sequencer.Head) (receipt string, err error) {
	return "", k.Publisher.Publish(ctx, k.Topic, []broker.Message{{Key: h.Origin, Value: []byte(h.Note)}})
}
