package scim

import (
	"context"
	"errors"
	"net/http"
	"time"

	"github.com/tenurehq/tenure/connector"
)

// nobody is the ID of an account that no app has, since it is no random UUID.
const nobody = "00000000-0000-0000-0000-000000000000"

// Probe implements connector.Connector. To find out whether it may change accounts, it
// changes one that does not exist: with the right, the answer is that it is not there.
func (c *client) Probe(ctx context.Context) []connector.Finding {
	looks := []struct {
		what string
		do   func() error
	}{
		{"may read users", func() error { return c.service.probe(ctx, connector.OpProbe, users) }},
		{"may read groups", func() error { return c.service.probe(ctx, connector.OpProbe, groups) }},
		{"may change users", func() error { return c.mayChange(ctx) }},
	}
	var findings []connector.Finding
	for _, look := range looks {
		if look.what == "may read groups" && c.traits.noGroups {
			continue
		}
		finding := connector.Finding{What: look.what}
		err := patiently(ctx, look.do)
		if look.what == "may read groups" {
			var lacks bool
			if lacks, err = c.lacksGroups(ctx, connector.OpProbe, err); lacks {
				finding.Problem = "the app has no /Groups: say groups: false"
			}
		}
		if err != nil {
			finding.Problem = err.Error()
		}
		findings = append(findings, finding)
	}
	return append(findings, c.service.learned.deviations(c.now())...)
}

// longestProbeWait is how long a probe waits when the app asks it to.
const longestProbeWait = 15 * time.Second

// patiently repeats a request that a quota has refused, if the app says when to.
func patiently(ctx context.Context, do func() error) error {
	err := do()
	var e *connector.Error
	if !errors.As(err, &e) || e.Kind != connector.KindRateLimited || e.RetryAfter <= 0 || e.RetryAfter > longestProbeWait {
		return err
	}
	timer := time.NewTimer(e.RetryAfter)
	defer timer.Stop()
	select {
	case <-timer.C:
		return do()
	case <-ctx.Done():
		return err
	}
}

func (c *client) mayChange(ctx context.Context) error {
	r := request{op: connector.OpProbe, method: http.MethodPatch, collection: users, id: nobody}
	change := []edit{{core("active"), true}}
	how := c.how(ctx)
	r.body = patch(how.form.operations(change)...)
	if how.form == byPut {
		r.method, r.body = http.MethodPut, resource{"schemas": []string{userSchema}, "userName": nobody, "active": true}
	}
	_, err := c.service.do(ctx, r, nil)
	if refusedMethod(err) && how.form != byPut {
		r.method, r.body = http.MethodPut, resource{"schemas": []string{userSchema}, "userName": nobody, "active": true}
		if _, err = c.service.do(ctx, r, nil); connector.Is(err, connector.KindNotFound, connector.KindInvalid) {
			c.service.learned.noPatch.met(c.now())
		}
	}
	if connector.Is(err, connector.KindNotFound, connector.KindInvalid) {
		return nil
	}
	return err
}
