package ingest

import (
	"context"
	"errors"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/tenurehq/tenure/hr"
	"github.com/tenurehq/tenure/hr/source"
	"github.com/tenurehq/tenure/ingest/deadletter"
	"github.com/tenurehq/tenure/internal/remote"
)

// decodeThin asks the HR system for the name of the note's person, and adds the answer to
// the event's ID. An unknown person is an error.
func decodeThin(r source.Record) ([]hr.Event, []source.Warning, error) {
	events, _, err := decodeNote(r)
	if err != nil {
		return nil, nil, err
	}
	answer, ok := r.Fetched[events[0].PersonID]
	switch {
	case !ok:
		return nil, nil, &source.ThinError{References: []string{events[0].PersonID}}
	case answer == nil:
		return nil, nil, &source.Error{Reason: source.ReasonNotFound, Text: "is about nobody"}
	}
	events[0].ID += "-" + string(answer)
	return events, nil, nil
}

// fakeAPI answers requests for a person: with their errors first, then with their name.
type fakeAPI struct {
	mu     sync.Mutex
	errs   map[string][]error
	called map[string]int
}

func (f *fakeAPI) fetch(_ context.Context, reference string) ([]byte, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.called[reference]++
	if errs := f.errs[reference]; len(errs) > 0 {
		f.errs[reference] = errs[1:]
		return nil, errs[0]
	}
	return []byte("full"), nil
}

func (f *fakeAPI) calls(reference string) int {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.called[reference]
}

func failure(kind remote.Kind) error {
	return &remote.Error{Kind: kind, Op: "fetch", Message: "because"}
}

func TestThinRecordsAreFetched(t *testing.T) {
	r := newRig(t, 1)
	api := &fakeAPI{called: map[string]int{}, errs: map[string][]error{
		"down":    {failure(remote.Unavailable), failure(remote.RateLimited), failure(remote.Unavailable)},
		"renewed": {failure(remote.Unauthorized), failure(remote.Unauthorized)},
		"gone":    {failure(remote.NotFound)},
		"secret":  {failure(remote.Forbidden)},
		"bug":     {errors.New("Georgi Facello")},
	}}
	people := []string{"well", "down", "renewed", "gone", "secret", "bug"}
	r.publish(notes(1, people...)...)
	r.run(func(o *Options) { o.Topics[0].Decode, o.Topics[0].Fetch = decodeThin, api.fetch })
	r.awaitAllCommitted()

	for person, calls := range map[string]int{"well": 1, "down": 4, "renewed": 3} {
		assert.Equal(t, []string{person + "-1-full"}, r.intake.ids(person), person)
		assert.Equal(t, calls, api.calls(person), person)
	}
	reasons := map[string]string{}
	for _, letter := range r.letters(3) {
		headers := headersOf(letter)
		reasons[string(letter.Key)] = headers[deadletter.HeaderReason]
		assert.NotContains(t, headers[deadletter.HeaderText], "Georgi")
	}
	assert.Equal(t, map[string]string{
		"gone": source.ReasonNotFound, "secret": source.ReasonFetchRefused, "bug": deadletter.ReasonInternal,
	}, reasons)
	assert.GreaterOrEqual(t, r.logged("the HR system of topic"), 1, "that it was waited for")
}

func TestThinRecordsOfTopicsThatFetchNothing(t *testing.T) {
	r := newRig(t, 1)
	r.publish(notes(1, "1")...)
	r.run(func(o *Options) { o.Topics[0].Decode = decodeThin })
	r.awaitCommitted(0, 1)
	assert.Equal(t, source.ReasonThin, headersOf(r.letters(1)[0])[deadletter.HeaderReason])
}

// A record that waits for the HR system holds up no other person's records.
func TestFetchingHoldsUpNobodyElse(t *testing.T) {
	r := newRig(t, 1)
	stuck := make(chan struct{})
	r.publish(notes(1, "1", "2")...)
	_, stop := r.run(func(o *Options) {
		o.Topics[0].Decode = decodeThin
		o.Topics[0].Fetch = func(ctx context.Context, reference string) ([]byte, error) {
			if reference == "1" {
				select {
				case <-stuck:
				case <-ctx.Done():
				}
			}
			return []byte("full"), ctx.Err()
		}
	})
	r.eventually(func() bool { return len(r.intake.ids("2")) == 1 }, "the other one's")
	assert.Empty(t, r.intake.ids("1"))
	close(stuck)
	r.awaitCommitted(0, 2)
	stop()
}

func TestDecodersThatAskForEver(t *testing.T) {
	refusal := refusalOf(&source.ThinError{References: []string{"1"}})
	assert.Equal(t, deadletter.ReasonInternal, refusal.Reason)
}

// A decoder gets the time at which the topic got the record: some HR systems send no
// other time.
func TestRecordsHaveTheTimeOfTheirTopic(t *testing.T) {
	r := newRig(t, 1)
	var mu sync.Mutex
	var times []time.Time
	r.publish(notes(1, "1")...)
	r.run(func(o *Options) {
		o.Topics[0].Decode = func(record source.Record) ([]hr.Event, []source.Warning, error) {
			mu.Lock()
			defer mu.Unlock()
			times = append(times, record.Time)
			return decodeNote(record)
		}
	})
	r.awaitCommitted(0, 1)
	mu.Lock()
	defer mu.Unlock()
	require.NotEmpty(t, times)
	assert.WithinDuration(t, time.Now(), times[0], time.Minute)
}

func TestWaitsAsLongAsItIsAskedTo(t *testing.T) {
	assert.Equal(t, time.Minute, retryAfter(&remote.Error{Kind: remote.RateLimited, RetryAfter: time.Minute}))
	assert.Zero(t, retryAfter(errors.New("anything")))
}
