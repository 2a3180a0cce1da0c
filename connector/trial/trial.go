// Package trial tries an app's connector from end to end: as whom it signs in and
// what it may do, and, with an account of its own that it deletes in the end,
// whether creating, granting, disabling, enabling and deleting really have the
// effect that they should. It imports the connector contract only.
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
	Note string        // what was seen; may be empty
	Err  error         // nil: it did what it should
	Took time.Duration // of the app's calls
}

// Trial is a connector being tried. Say is told of each step when it is over.
type Trial struct {
	Connector connector.Connector
	Say       func(Step)
	// Waiting is told what is waited for, when that begins and now and then; may be nil.
	Waiting func(what string)
	// Patience is how long is waited for what an app shows late; zero: 30 seconds.
	Patience time.Duration
	// Ignore names attributes that the app is known not to keep.
	Ignore []string

	doing  string // the step that is tried
	failed bool
}

// ErrFailed says that a step failed; Say was told which and why.
var ErrFailed = errors.New("the app did not do what it should")

// do tries one step and says how it went.
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

// Look makes calls that change nothing: it signs in, looks whether the rights are
// there that the connector needs, and looks for an account that nobody has.
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
