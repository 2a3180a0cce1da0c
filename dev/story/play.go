package story

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/tenurehq/tenure/clock"
	"github.com/tenurehq/tenure/hr"
	"github.com/tenurehq/tenure/hr/source/cloudevents"
	"github.com/tenurehq/tenure/ingest/broker"
)

// Observer is told what happens. Its methods are called one at a time.
type Observer interface {
	Beat(b Beat)
	// Wrong is told of a fact that did not come true.
	Wrong(b Beat, f Fact, is string)
}

const (
	// limit is how long (real time) the story stands still in all for facts that do not come
	// true, and for each thing that somebody does.
	limit = 5 * time.Minute
	// long is how long (real time) the story waits without a word, and at least waits for a
	// fact when the limit is used up.
	long = 5 * time.Second
)

// Play plays the story to its end. It returns an error if the story could not be
// played; what did not come true is told to the observer (nil: nobody is asked,
// as when processes are killed meanwhile).
//
// A beat is played when its day has come and all facts of the beats before it have come true.
// On a busy machine that is some days after the script's, and the rest of the story moves by
// as many.
func Play(ctx context.Context, s *Stage, o Observer) error {
	behind, spare := 0, limit
	for _, b := range Script() {
		today := int(s.Clock.Now().Sub(Start) / (24 * time.Hour))
		behind = max(behind, today-int(b.Day))
		b = b.later(behind)
		if err := sleepUntil(ctx, s.Clock, b.Day); err != nil {
			return err
		}
		if o != nil {
			o.Beat(b)
		}
		if err := s.do(ctx, b); err != nil {
			return err
		}
		if err := s.publish(ctx, b.Events); err != nil {
			return err
		}
		if o == nil {
			continue
		}
		began := time.Now()
		for _, w := range s.await(ctx, b, long+spare) {
			o.Wrong(b, w.Fact, w.is)
		}
		spare -= max(0, min(spare, time.Since(began)-long))
	}
	return sleepUntil(ctx, s.Clock, Days+float64(behind))
}

// do does what a beat changes outside Tenure.
func (s *Stage) do(ctx context.Context, b Beat) error {
	if b.Do == nil {
		return nil
	}
	ctx, cancel := context.WithTimeout(ctx, limit)
	defer cancel()
	defer time.AfterFunc(2*long, func() { s.busy("%s", b.Text) }).Stop()
	if err := b.Do(ctx, s); err != nil {
		return fmt.Errorf("day %d, %s: %w", int(b.Day), b.Text, err)
	}
	return nil
}

// busy tells that the story waits for something.
func (s *Stage) busy(format string, what ...any) {
	if s.Tell != nil {
		s.Tell("this machine is busy, and the story waits for it: " + fmt.Sprintf(format, what...))
	}
}

// publish sends events as an HR system does.
func (s *Stage) publish(ctx context.Context, events []hr.Event) error {
	var messages []broker.Message
	now := s.Clock.Now()
	for i, e := range events {
		e.Recorded = now.Add(time.Duration(ordinal(e)) * time.Millisecond)
		value, err := cloudevents.Encode(e)
		if err != nil {
			return fmt.Errorf("event %d, %s: %w", i, e.ID, err)
		}
		messages = append(messages, broker.Message{
			Key: e.PersonID, Value: value,
			Headers: map[string]string{"content-type": "application/cloudevents+json"},
		})
	}
	if len(messages) == 0 {
		return nil
	}
	return s.Publisher.Publish(ctx, "hr.events", messages)
}

// ordinal is the number at the end of an event's ID: HR recorded them in that
// order, whatever order they arrive in.
func ordinal(e hr.Event) int {
	_, digits, _ := strings.Cut(e.ID, "-")
	n := 0
	_, _ = fmt.Sscan(digits, &n)
	return n
}

// wrong is a fact that is not true, and what is.
type wrong struct {
	Fact
	is string
}

// await asks the apps again and again until all facts of a beat are true, or its time (real time)
// is over, and returns those which are not. Each has to be true once, not all at the same time.
func (s *Stage) await(ctx context.Context, b Beat, most time.Duration) (left []wrong) {
	ctx, cancel := context.WithTimeout(ctx, most)
	defer cancel()
	for _, f := range b.Holds {
		left = append(left, wrong{Fact: f})
	}
	told, tell := false, time.Now().Add(long)
	for {
		left = slices.DeleteFunc(left, func(w wrong) bool { return s.is(ctx, w.Fact) == w.Is })
		if len(left) == 0 {
			return nil
		}
		if !told && time.Now().After(tell) {
			told = true
			s.busy("%s in %s is to be %q", Name(left[0].Person), left[0].App, left[0].Is)
		}
		select {
		case <-ctx.Done():
			for i := range left {
				left[i].is = s.is(context.WithoutCancel(ctx), left[i].Fact)
			}
			return slices.DeleteFunc(left, func(w wrong) bool { return w.is == w.Is })
		case <-time.After(50 * time.Millisecond):
		}
	}
}

// is says what a fact is about.
func (s *Stage) is(ctx context.Context, f Fact) string {
	if look, ok := lists[f.App]; ok {
		return look(s, ctx, f.Person)
	}
	return s.state(f.Person, f.App)
}

func (s *Stage) state(person, app string) string {
	// Straight from the app's memory: some facts have to hold while it is down.
	for _, u := range s.App(app).Users() {
		if u.ExternalID != person {
			continue
		}
		state := "off"
		if u.Active {
			state = "on"
		}
		if len(u.Groups) > 0 {
			state += ": " + strings.Join(u.Groups, ", ")
		}
		return state
	}
	return "none"
}

// Difference is an account that is not as it should be.
type Difference struct {
	Person, App, Want, Is string
}

// Check asks every app for everybody's accounts and returns what is not as
// expected, more than one account of a person included.
func Check(ctx context.Context, s *Stage) ([]Difference, error) {
	var all []Difference
	for _, app := range s.Stack.Apps() {
		accounts, err := s.Accounts(ctx, app.Name)
		if err != nil {
			return nil, err
		}
		for person, apps := range Expected() {
			want := apps[app.Name]
			if want == "" {
				want = "none"
			}
			is := "none"
			switch mine := accounts[person]; len(mine) {
			case 0:
			case 1:
				is = State(mine[0])
			default:
				is = fmt.Sprintf("%d accounts", len(mine))
			}
			if is != want {
				all = append(all, Difference{person, app.Name, want, is})
			}
		}
	}
	slices.SortFunc(all, func(a, b Difference) int { return strings.Compare(a.Person+a.App, b.Person+b.App) })
	return all, nil
}

// Settle waits until everything is as expected, at most so long (real time), and
// returns what is not.
func Settle(ctx context.Context, s *Stage, patience time.Duration) ([]Difference, error) {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	defer time.AfterFunc(2*long, func() { s.busy("every account is to be as policy says") }).Stop()
	var left []Difference
	for {
		now, err := Check(ctx, s)
		if err == nil {
			left = now
		} else if ctx.Err() == nil {
			return nil, err
		}
		if len(left) == 0 && err == nil {
			return nil, nil
		}
		select {
		case <-ctx.Done():
			return left, nil
		case <-time.After(100 * time.Millisecond):
		}
	}
}

func at(days float64) time.Time { return Start.Add(time.Duration(days * 24 * float64(time.Hour))) }

func sleepUntil(ctx context.Context, c clock.Clock, days float64) error {
	timer := time.NewTimer(c.Wait(at(days).Sub(c.Now())))
	defer timer.Stop()
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-timer.C:
		return nil
	}
}
