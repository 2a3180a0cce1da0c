package ingest

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"testing"
	"time"

	"github.com/segmentio/kafka-go"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.temporal.io/api/serviceerror"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"github.com/tenurehq/tenure/hr"
	"github.com/tenurehq/tenure/hr/source"
	"github.com/tenurehq/tenure/ingest/broker"
	"github.com/tenurehq/tenure/internal/remote"
	"github.com/tenurehq/tenure/ledger"
	"github.com/tenurehq/tenure/workflows"
)

func TestWhoseAnErrorIs(t *testing.T) {
	for want, errs := range map[whose][]error{
		theRecords: {
			&source.Error{Reason: source.ReasonSchema}, &source.ThinError{},
			ledger.ErrRefused,
			serviceerror.NewInvalidArgument("WorkflowId length exceeds limit"),
			status.Error(codes.InvalidArgument, "bad"),
			status.Error(codes.Internal, `header key "workflow-id" contains value with non-printable ASCII characters`),
			kafka.MessageSizeTooLarge, kafka.InvalidRecord, kafka.WriteErrors{kafka.MessageSizeTooLarge},
			&remote.Error{Kind: remote.Invalid},
		},
		theInfrastructures: {
			context.DeadlineExceeded, errElsewhere, ledger.ErrUnreachable,
			serviceerror.NewUnavailable("no"), serviceerror.NewPermissionDenied("no", ""), serviceerror.NewNamespaceNotFound("default"),
			serviceerror.NewInvalidArgument("Namespace default has no mapping defined for search attribute TenureUrgency"),
			serviceerror.NewInvalidArgument("search attribute TenureUrgency is not defined"),
			status.Error(codes.Unavailable, "no"), status.Error(codes.ResourceExhausted, "no"),
			kafka.LeaderNotAvailable, kafka.TopicAuthorizationFailed, kafka.WriteErrors{kafka.NotEnoughReplicas},
			&remote.Error{Kind: remote.Unauthorized}, &remote.Error{Kind: remote.Unavailable},
		},
		nobodyKnows: {errors.New("what?"), io.ErrUnexpectedEOF, &net.OpError{Op: "dial", Err: errors.New("refused")}, serviceerror.NewInternal("shard")},
	} {
		for _, err := range errs {
			assert.Equal(t, want, blame(fmt.Errorf("wrapped: %w", err)), "%T: %v", err, err)
		}
	}
}

func TestASuspectIsOneThatFailsWhileOthersPass(t *testing.T) {
	at := func(s int) time.Time { return time.Unix(int64(s), 0) }
	for name, c := range map[string]struct {
		passes []uint64 // how many other records have passed by each attempt; attempts are 10 s apart
		want   int      // the attempt at which the record is given up; -1: it is not given up
	}{
		"nobody passes":              {[]uint64{5, 5, 5, 5, 5, 5, 5, 5, 5, 5, 5, 5}, -1},
		"all others do":              {[]uint64{0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11}, 6},
		"an outage begins with it":   {[]uint64{0, 9, 9, 9, 9, 9, 9, 9, 9, 9, 9, 9}, -1},
		"an outage ends":             {[]uint64{0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 9, 9}, -1},
		"after the outage all do":    {[]uint64{0, 0, 0, 0, 0, 0, 0, 0, 1, 2, 3, 4}, 10},
		"now and then another does":  {[]uint64{0, 1, 1, 1, 2, 2, 2, 2, 2, 3, 3, 3}, 9},
		"nobody has since the last":  {[]uint64{0, 1, 2, 3, 3, 3, 3, 3, 3, 3, 3, 3}, -1},
		"it comes and goes, for all": {[]uint64{0, 1, 1, 1, 1, 1, 1, 2, 2, 2, 2, 2}, -1},
	} {
		s, got := suspicion{after: time.Minute}, -1
		for i, passes := range c.passes {
			if s.failed(at(10*i), passes) {
				got = i
				break
			}
		}
		assert.Equal(t, c.want, got, name)
	}
}

func refusing(person string, err error) func(context.Context, workflows.Nudge) error {
	return func(_ context.Context, n workflows.Nudge) error {
		if n.PersonID == person {
			return err
		}
		return nil
	}
}

// An event that Temporal refuses because of its person becomes a dead letter at once,
// urgent if it ends their access. The event stays in the ledger for the sweeper.
func TestWhatTemporalRefusesIsADeadLetter(t *testing.T) {
	r := newRig(t, 1)
	r.nudger.gate = refusing("bad", serviceerror.NewInvalidArgument("no such workflow ID"))
	r.publish(note{ID: "t-1", Person: "bad", Type: hr.EventTerminated}.message(), note{ID: "t-2", Person: "good", Type: hr.EventTerminated}.message())
	r.run()
	r.awaitCommitted(0, 2)
	require.Len(t, r.nudger.nudges("good"), 1)
	assert.Len(t, r.intake.ids("bad"), 1)
	letters := r.intake.indexed()
	require.Len(t, letters, 1)
	assert.Equal(t, source.ReasonRefused, letters[0].Reason)
	assert.Equal(t, "bad", letters[0].PersonID)
	assert.True(t, letters[0].Urgent)
	assert.Equal(t, 1, r.logged("an event cannot pass while others do"))
}

// A record that fails for an unknown reason is tried again and holds up nobody. After a
// while it is given up, which an operator is told.
func TestWhatFailsAloneIsGivenUp(t *testing.T) {
	r := newRig(t, 1)
	r.nudger.gate = refusing("bad", errors.New("what is this?"))
	r.publish(note{ID: "t-1", Person: "bad", Type: hr.EventTerminated}.message())
	r.publish(notes(5, "good")...)
	r.run(func(o *Options) { o.Tuning.GiveUp = 50 * time.Millisecond; o.Tuning.Window = 2 })
	next := 5
	r.eventually(func() bool { // other records prove something only as long as they keep coming
		r.publish(notesFrom(next, 1, "good")...)
		next++
		return r.committed(0) >= 6
	}, "it is given up")
	letters := r.intake.indexed()
	require.Len(t, letters, 1)
	assert.Equal(t, source.ReasonGivenUp, letters[0].Reason)
	assert.True(t, letters[0].Urgent)
	assert.Contains(t, letters[0].Text, "did not pass Temporal for 50ms while others did")
	assert.NotContains(t, letters[0].Text, "what is this?")
}

// Even before it is given up, the records behind it are read: more of them than may be in
// flight at once.
func TestWhatFailsAloneHoldsUpNobody(t *testing.T) {
	r := newRig(t, 1)
	r.nudger.gate = refusing("bad", errors.New("what is this?"))
	r.publish(note{ID: "t-1", Person: "bad", Type: hr.EventTerminated}.message())
	r.publish(notes(60, "a", "b", "c")...)
	r.publish(note{ID: "t-2", Person: "victim", Type: hr.EventTerminated}.message())
	r.run(func(o *Options) { o.Tuning.GiveUp = time.Hour; o.Tuning.Window = 8 })
	r.eventually(func() bool { return len(r.nudger.nudges("victim")) == 1 }, "the termination behind it is delivered")
	assert.Empty(t, r.intake.indexed())
	assert.LessOrEqual(t, r.committed(0), int64(0), "and the record itself is not lost")
}

func TestTheSpanIsBounded(t *testing.T) {
	r := newRig(t, 1)
	r.nudger.gate = refusing("bad", errors.New("what is this?"))
	r.publish(note{ID: "t-1", Person: "bad", Type: hr.EventTerminated}.message())
	r.publish(notes(60, "a")...)
	r.run(func(o *Options) { o.Tuning.GiveUp = time.Hour; o.Tuning.Window = 4; o.Tuning.Span = 20 })
	r.eventually(func() bool { return len(r.nudger.nudges("a")) == 19 }, "what is in the span is delivered")
	never(t, func() bool { return len(r.nudger.nudges("a")) > 19 })
}

// A record that fails for a reason of its own is given up although the span behind it is full, so
// that no other passes any more by itself. Errors that count as the infrastructure's are no exception.
func TestAFullSpanGivesUpWhatHoldsIt(t *testing.T) {
	for name, err := range map[string]error{
		"nobody knows why":  errors.New("what is this?"),
		"unknown attribute": serviceerror.NewInvalidArgument("Namespace default has no mapping defined for search attribute TenureUrgency"),
	} {
		t.Run(name, func(t *testing.T) {
			r := newRig(t, 1)
			r.nudger.gate = refusing("bad", err)
			r.publish(note{ID: "t-1", Person: "bad", Type: hr.EventTerminated}.message())
			r.publish(notes(200, "a")...)
			r.run(func(o *Options) {
				o.Tuning.GiveUp, o.Tuning.Window, o.Tuning.Span, o.Tuning.Spare = 300*time.Millisecond, 10, 20, 100*time.Millisecond
			})
			r.awaitCommitted(0, 201)
			letters := r.intake.indexed()
			require.Len(t, letters, 1)
			assert.Equal(t, source.ReasonGivenUp, letters[0].Reason)
			assert.Equal(t, "bad", letters[0].PersonID)
		})
	}
}

// never fails if the condition holds within a few ticks.
func never(t *testing.T, cond func() bool) {
	t.Helper()
	assert.Never(t, cond, 10*tick, tick)
}

// Records wait for the end of an outage, however long it is.
func TestAnOutageMakesNoDeadLetters(t *testing.T) {
	r := newRig(t, 1)
	down := make(chan struct{})
	r.nudger.gate = func(context.Context, workflows.Nudge) error {
		select {
		case <-down:
			return nil
		default:
			return errors.New("down")
		}
	}
	r.publish(notes(10, "a", "b", "c")...)
	r.run(func(o *Options) { o.Tuning.GiveUp = 10 * time.Millisecond })
	r.eventually(func() bool { return len(r.intake.ids("")) >= 3 }, "events are recorded")
	never(t, func() bool { return len(r.intake.indexed()) > 0 })
	close(down)
	r.awaitCommitted(0, 30)
	assert.Empty(t, r.intake.indexed())
}

func TestWhatTheLedgerRefusesIsADeadLetter(t *testing.T) {
	r := newRig(t, 1)
	r.intake.poison, r.intake.refuses = "t-1", true
	r.publish(note{ID: "t-1", Person: "bad", Type: hr.EventTerminated}.message(), note{ID: "u-1", Person: "good", Type: hr.EventUpdated}.message())
	r.run()
	r.awaitCommitted(0, 2)
	letters := r.intake.indexed()
	require.Len(t, letters, 1)
	assert.Equal(t, source.ReasonRefused, letters[0].Reason)
	assert.True(t, letters[0].Urgent)
	require.Len(t, r.nudger.nudges("good"), 1)
}

// A second event with the ID of another one does not disappear: it becomes a dead letter,
// urgent if it ends access. A repetition of the same event becomes none.
func TestAnIDThatIsUsedTwice(t *testing.T) {
	r := newRig(t, 1)
	r.intake.known["victim"] = true
	r.run()
	r.publish(note{ID: "term-7", Person: "other", Type: hr.EventUpdated}.message())
	r.awaitCommitted(0, 1)
	r.publish(
		note{ID: "term-7", Person: "victim", Type: hr.EventTerminated}.message(),
		note{ID: "term-7", Person: "other", Type: hr.EventUpdated}.message(),
		note{ID: "u-1", Person: "victim", Type: hr.EventUpdated}.message(),
		note{ID: "u-1", Person: "victim", Type: hr.EventTransferred}.message(),
	)
	r.awaitCommitted(0, 5)
	letters := map[int64]ledger.DeadLetter{}
	for _, l := range r.intake.indexed() {
		letters[l.Origin.Offset] = l
	}
	require.Len(t, letters, 2)
	for offset, urgent := range map[int64]bool{1: true, 4: false} {
		assert.Equal(t, source.ReasonReusedID, letters[offset].Reason)
		assert.Equal(t, "victim", letters[offset].PersonID)
		assert.Equal(t, urgent, letters[offset].Urgent)
		assert.Contains(t, letters[offset].Text, "event number")
	}
	nudges := r.nudger.nudges("victim")
	require.Len(t, nudges, 2, "of u-1, and of the urgent letter")
	assert.Len(t, r.nudger.nudges("other"), 1)
}

// The good events of a record pass, even if another event of the same record cannot.
func TestOneEventOfARecordThatCannotPass(t *testing.T) {
	r := newRig(t, 1)
	r.intake.poison, r.intake.refuses = "two", true
	r.publish(broker.Message{Key: "k", Value: []byte("{}")})
	r.run(func(o *Options) {
		o.Topics[0].Identify = nil
		o.Topics[0].Decode = func(source.Record) ([]hr.Event, []source.Warning, error) {
			var events []hr.Event
			for _, id := range []string{"one", "two", "three"} {
				events = append(events, hr.Event{EventKey: hr.EventKey{Source: "x", ID: id}, PersonID: "p-" + id, Type: hr.EventTerminated})
			}
			return events, nil, nil
		}
	})
	r.awaitCommitted(0, 1)
	assert.Len(t, r.nudger.nudges("p-one"), 1)
	assert.Len(t, r.nudger.nudges("p-three"), 1)
	letters := r.intake.indexed()
	require.Len(t, letters, 1)
	assert.Equal(t, "p-two", letters[0].PersonID)
}
