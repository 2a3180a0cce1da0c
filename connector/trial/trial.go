// Package trial tries an app's connector from end to end. It shows as whom the connector
// signs in and what it may do. With an account of its own, which it deletes in the end, it
// checks that creating, granting, disabling, enabling and deleting have the effect that
// they should. It imports the connector contract, and no connector.
package trial

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/tenurehq/tenure/connector"
)

// Step is one thing that was tried.
type Step struct {
	What string        // "create the account"
	Note string        // what the trial saw; may be empty
	Err  error         // nil if the app did what it should
	Took time.Duration // the app's calls and the waiting between them
}

// Trial is a trial of one connector. It calls Say for each step when that is over.
type Trial struct {
	Connector connector.Connector
	Say       func(Step)
	// Waiting is called when the trial begins to wait, and from time to time while it
	// waits, with what it waits for; may be nil.
	Waiting func(what string)
	// Patience is how long the trial waits for what an app shows late; zero stands for
	// 30 seconds.
	Patience time.Duration
	// Ignore names attributes that the app is known not to keep.
	Ignore []string

	doing  string // the current step
	failed bool
}

// ErrFailed means that a step failed. Trial.Say was told which and why.
var ErrFailed = errors.New("the app did not do what it should")

// do tries one step, and tells Say how it went. It reports whether the step succeeded.
func (t *Trial) do(what string, try func() (note string, err error)) bool {
	began := time.Now()
	t.doing = what
	note, err := try()
	t.failed = t.failed || err != nil
	t.Say(Step{What: what, Note: note, Err: err, Took: time.Since(began)})
	return err == nil
}

func (t *Trial) result() error {
	if t.failed {
		return ErrFailed
	}
	return nil
}

// Look makes calls that change nothing: it signs in, checks the rights that the connector
// needs, looks for an account that does not exist, and begins to list accounts.
func (t *Trial) Look(ctx context.Context) error {
	signedIn := t.do("sign in", func() (string, error) {
		identity, err := t.Connector.Check(ctx)
		return "as " + identity, err
	})
	if !signedIn {
		return t.result()
	}
	if t.can().Probe {
		for _, finding := range t.Connector.Probe(ctx) {
			t.do(finding.What, func() (string, error) {
				if finding.Problem != "" {
					return "", errors.New(finding.Problem)
				}
				return "", nil
			})
		}
	}
	t.do("look for an account", func() (string, error) {
		matches, err := t.Connector.Find(ctx, connector.Keys{PersonID: "tenure-test-nobody", Username: "tenure-test-nobody"})
		if err == nil && len(matches) > 0 {
			err = fmt.Errorf("found %d accounts that match nobody: the app ignores what is asked for", len(matches))
		}
		return "none, as it should be", err
	})
	if t.can().List {
		t.do("list accounts", func() (string, error) {
			for _, err := range t.Connector.List(ctx) {
				return "the first came", err
			}
			return "there are none", nil
		})
	}
	return t.result()
}

func (t *Trial) can() connector.Capabilities { return t.Connector.Capabilities() }
