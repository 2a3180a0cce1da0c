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
	// Wrong is told of a fact that did not come true in time.
	Wrong(b Beat, f Fact, is string)
}

// Play plays the story to its end. It returns an error if the story could not be
// played; what did not come true is told to the observer (nil: nobody is asked,
// as when processes are killed meanwhile).
func Play(ctx context.Context, s *Stage, o Observer) error {
	wrong := make(chan func(), 100)
	checks := 0
	for _, b := range Script() {
		if err := sleepUntil(ctx, s.Clock, b.Day); err != nil {
			return err
		}
		if o != nil {
			o.Beat(b)
		}
		if b.Do != nil {
			if err := b.Do(ctx, s); err != nil {
				return err
			}
		}
		if err := s.publish(ctx, b.Events); err != nil {
			return err
		}
		if o == nil {
			continue
		}
		for _, f := range b.Holds {
			checks++
			go func() {
				is := s.await(ctx, f, b.Day+patience)
				wrong <- func() {
					if is != f.Is {
						o.Wrong(b, f, is)
					}
				}
			}()
		}
	}
	for range checks {
		(<-wrong)()
	}
	return sleepUntil(ctx, s.Clock, Days)
}

// patience is how many days of the story a fact may take to come true.
const patience = 3.5

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

// await asks an app again and again until a fact is true, or its time is over,
// and returns how the account stands.
func (s *Stage) await(ctx context.Context, f Fact, until float64) string {
	deadline := at(until)
	for {
		is := s.is(ctx, f)
		if is == f.Is || s.Clock.Now().After(deadline) || ctx.Err() != nil {
			return is
		}
		select {
		case <-ctx.Done():
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
