package place

import (
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"golang.org/x/mod/sumdb/tlog"

	"github.com/tenurehq/tenure/audit"
	"github.com/tenurehq/tenure/audit/sequencer"
	"github.com/tenurehq/tenure/ingest/broker"
)

// tree is a log of so many leaves.
type tree struct {
	edge   audit.Edge
	tiles  map[[2]int64][]byte
	hashes []audit.Hash // roots, by size
}

func newTree(n int, salt string) *tree {
	l := &tree{tiles: map[[2]int64][]byte{}}
	l.hashes = append(l.hashes, l.edge.Root())
	for i := range n {
		l.edge.Add(tlog.RecordHash(fmt.Append(nil, salt, i)), func(t audit.Tile) { l.tiles[[2]int64{int64(t.Level), t.N}] = t.Data })
		l.hashes = append(l.hashes, l.edge.Root())
	}
	for _, t := range l.edge.Partial() {
		l.tiles[[2]int64{int64(t.Level), t.N}] = t.Data
	}
	return l
}

func (l *tree) head() sequencer.Head {
	c := audit.Checkpoint{Origin: "example.com/tenure", Size: l.edge.Size(), Root: l.edge.Root(), At: time.UnixMicro(1).UTC()}
	note, _ := c.Sign()
	return sequencer.Head{Checkpoint: c, Note: note, Consistency: func(_ context.Context, old int64) (tlog.TreeProof, error) {
		return tlog.ProveTree(c.Size, old, audit.Hashes(c.Size, func(level int, n int64) ([]byte, error) { return l.tiles[[2]int64{int64(level), n}], nil }))
	}}
}

func TestAFileGetsEachCheckpointOnce(t *testing.T) {
	f := File{Path: filepath.Join(t.TempDir(), "checkpoints")}
	newest, err := f.Newest(t.Context())
	require.NoError(t, err)
	assert.Empty(t, newest)
	var notes []string
	for n := 1; n < 400; n += 7 {
		h := newTree(n, "a").head()
		notes = append(notes, h.Note)
		for range 2 {
			_, err := f.Publish(t.Context(), h)
			require.NoError(t, err)
		}
		newest, err := f.Newest(t.Context())
		require.NoError(t, err)
		require.Equal(t, h.Note, newest)
	}
	text, err := os.ReadFile(f.Path)
	require.NoError(t, err)
	assert.Equal(t, notes, audit.Split(text))

	// The machine stopped in the middle of one.
	require.NoError(t, os.WriteFile(f.Path, append(text, "\nexample.com/tenure\n40"...), 0o600))
	newest, err = f.Newest(t.Context())
	require.NoError(t, err)
	assert.Equal(t, notes[len(notes)-1], newest)
	h := newTree(401, "a").head()
	_, err = f.Publish(t.Context(), h)
	require.NoError(t, err)
	text, err = os.ReadFile(f.Path)
	require.NoError(t, err)
	assert.Equal(t, append(notes, "example.com/tenure\n40\n\n", h.Note), audit.Split(text), "what was cut is not a part of the next one")
	_, err = File{Path: filepath.Join(t.TempDir(), "none", "checkpoints")}.Publish(t.Context(), newTree(1, "a").head())
	require.ErrorIs(t, err, os.ErrNotExist)
}

func TestAnEndpointKeepsCheckpoints(t *testing.T) {
	status, got := http.StatusCreated, ""
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		got = r.Method + " " + string(body)
		w.WriteHeader(status)
		_, _ = w.Write([]byte("receipt 7\n"))
	}))
	defer server.Close()
	h := newTree(3, "a").head()
	p := HTTP{URL: server.URL, Client: server.Client()}
	receipt, err := p.Publish(t.Context(), h)
	require.NoError(t, err)
	assert.Equal(t, "receipt 7", receipt)
	assert.Equal(t, "POST "+h.Note, got)
	status = http.StatusInsufficientStorage
	_, err = p.Publish(t.Context(), h)
	require.ErrorContains(t, err, "it answered 507")
	server.Close()
	_, err = p.Publish(t.Context(), h)
	require.Error(t, err)
}

// witness is a witness of C2SP tlog-witness, for one log.
type witness struct {
	size int64
	root audit.Hash
}

func (w *witness) ServeHTTP(out http.ResponseWriter, r *http.Request) {
	body, _ := io.ReadAll(r.Body)
	head, text, _ := strings.Cut(string(body), "\n\n")
	lines := strings.Split(head, "\n")
	var old int64
	_, _ = fmt.Sscanf(lines[0], "old %d", &old)
	c, _, err := audit.Open(text, nil)
	var proof tlog.TreeProof
	for _, line := range lines[1:] {
		raw, _ := base64.StdEncoding.DecodeString(line)
		proof = append(proof, audit.Hash(raw))
	}
	switch {
	case err != nil || r.URL.Path != "/w/add-checkpoint":
		out.WriteHeader(http.StatusBadRequest)
	case old != w.size:
		out.WriteHeader(http.StatusConflict)
		_, _ = fmt.Fprintln(out, w.size)
	case old > 0 && tlog.CheckTree(proof, c.Size, c.Root, old, w.root) != nil:
		out.WriteHeader(http.StatusUnprocessableEntity)
	default:
		w.size, w.root = c.Size, c.Root
		_, _ = fmt.Fprintln(out, "\u2014 witness.example.com AAAA")
	}
}

func TestAWitnessSignsWhatGoesOn(t *testing.T) {
	w := &witness{}
	server := httptest.NewServer(w)
	defer server.Close()
	p := Witness{URL: server.URL + "/w/", Client: server.Client()}
	for _, n := range []int{5, 300, 300, 700} {
		receipt, err := p.Publish(t.Context(), newTree(n, "a").head())
		require.NoError(t, err, n)
		assert.Equal(t, "\u2014 witness.example.com AAAA", receipt)
		assert.EqualValues(t, n, w.size)
	}
	for name, n := range map[string]int{"rolled back": 600, "rolled back by far": 0} {
		_, err := p.Publish(t.Context(), newTree(n, "a").head())
		require.ErrorIs(t, err, sequencer.ErrAhead, name)
	}
	_, err := p.Publish(t.Context(), newTree(900, "b").head())
	require.ErrorIs(t, err, sequencer.ErrAhead, "made anew")
	_, err = Witness{URL: server.URL, Client: server.Client()}.Publish(t.Context(), newTree(900, "a").head())
	require.ErrorContains(t, err, "it answered 400")
	assert.EqualValues(t, 700, w.size)
}

type topic struct {
	got []broker.Message
	err error
}

func (p *topic) Publish(_ context.Context, name string, messages []broker.Message) error {
	if name != "tenure.checkpoints" {
		return errors.New("another topic")
	}
	p.got = append(p.got, messages...)
	return p.err
}

func TestATopicGetsCheckpoints(t *testing.T) {
	to := &topic{}
	h := newTree(3, "a").head()
	_, err := Kafka{Topic: "tenure.checkpoints", Publisher: to}.Publish(t.Context(), h)
	require.NoError(t, err)
	assert.Equal(t, []broker.Message{{Key: "example.com/tenure", Value: []byte(h.Note)}}, to.got)
	to.err = errors.New("away")
	_, err = Kafka{Topic: "tenure.checkpoints", Publisher: to}.Publish(t.Context(), h)
	require.ErrorIs(t, err, to.err)
}
