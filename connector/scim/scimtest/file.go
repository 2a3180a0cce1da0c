package scimtest

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"sync"
	"time"
)

// saved is the state as Options.File holds it.
type saved struct {
	Users  []savedRecord `json:"users"`
	Groups []savedRecord `json:"groups"`
}

type savedRecord struct {
	ID         string         `json:"id"`
	Attributes map[string]any `json:"attributes"`
	Members    []string       `json:"members,omitempty"`
	Created    time.Time      `json:"created"`
	Modified   time.Time      `json:"modified"`
	Version    int            `json:"version"`
}

// snapshot copies the state, so that it can be written with no lock held.
// Attributes are shared, since they are never changed in place.
func (s *Service) snapshot() saved {
	s.mu.RLock()
	defer s.mu.RUnlock()
	return saved{Users: s.store.users.snapshot(), Groups: s.store.groups.snapshot()}
}

func (c *collection) snapshot() []savedRecord {
	records := make([]savedRecord, 0, len(c.order))
	for _, id := range c.order {
		r := c.byID[id]
		records = append(records, savedRecord{
			ID: r.id, Attributes: r.attrs, Members: r.membersInOrder(),
			Created: r.created, Modified: r.modified, Version: r.version,
		})
	}
	return records
}

// load fills an empty store from a file. It is no error if the file does not exist.
func load(file string, into *store) error {
	raw, err := os.ReadFile(file)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	var state saved
	if err := json.Unmarshal(raw, &state); err != nil {
		return fmt.Errorf("%s: %w", file, err)
	}
	for _, r := range state.Users {
		into.place(into.users, r.record())
	}
	for _, r := range state.Groups {
		into.place(into.groups, r.record())
	}
	return nil
}

func (r savedRecord) record() *record {
	restored := &record{
		id: r.ID, attrs: r.Attributes, members: map[string]int{},
		created: r.Created, modified: r.Modified, version: r.Version,
	}
	for _, user := range r.Members {
		restored.added++
		restored.members[user] = restored.added
	}
	return restored
}

// saver writes the state to a file after changes.
type saver struct {
	file     string
	snapshot func() saved
	dirty    chan struct{} // holds one element if there are unwritten changes
	stop     chan struct{}
	stopped  chan struct{}

	once sync.Once
	err  error // of the last write; valid once stopped is closed
}

func startSaver(file string, snapshot func() saved) *saver {
	s := &saver{
		file: file, snapshot: snapshot,
		dirty: make(chan struct{}, 1), stop: make(chan struct{}), stopped: make(chan struct{}),
	}
	go s.run()
	return s
}

func (s *saver) changed() {
	select {
	case s.dirty <- struct{}{}:
	default: // a write is due already
	}
}

// run writes the state after changes. After each write it pauses ten times as long as
// the write took, up to a second, so that a large state is not written all the time.
func (s *saver) run() {
	defer close(s.stopped)
	for {
		select {
		case <-s.stop:
			s.flush()
			return
		case <-s.dirty:
		}
		began := time.Now()
		s.err = s.write()
		pause := time.NewTimer(min(max(20*time.Millisecond, 10*time.Since(began)), time.Second))
		select {
		case <-s.stop:
			pause.Stop()
			s.flush()
			return
		case <-pause.C:
		}
	}
}

// flush writes the state if there are unwritten changes or the last write failed.
func (s *saver) flush() {
	select {
	case <-s.dirty:
	default:
		if s.err == nil {
			return
		}
	}
	s.err = s.write()
}

func (s *saver) close() error {
	s.once.Do(func() { close(s.stop) })
	<-s.stopped
	return s.err
}

// write replaces the file as a whole: a reader finds the old state or the new one.
func (s *saver) write() (err error) {
	raw, err := json.Marshal(s.snapshot())
	if err != nil {
		return err
	}
	temp, err := os.CreateTemp(filepath.Dir(s.file), filepath.Base(s.file)+".*")
	if err != nil {
		return err
	}
	defer func() {
		if err != nil {
			err = errors.Join(err, os.Remove(temp.Name()))
		}
	}()
	_, err = temp.Write(raw)
	if err == nil {
		err = temp.Sync()
	}
	if err = errors.Join(err, temp.Close()); err != nil {
		return err
	}
	return os.Rename(temp.Name(), s.file)
}
