package scim

import (
	"context"
	"fmt"
	"net/http"
	"strings"

	"github.com/tenurehq/tenure/connector"
)

// hasNoGroups reports whether the service is known to have no /Groups.
func (c *client) hasNoGroups() bool {
	l := &c.service.learned
	return !l.hasGroups.Load() && l.noGroups.held(c.now(), groupless, apart)
}

// lacksGroups reports whether a request of /Groups failed since the service has none, and
// else why it failed. A 404 may be a proxy's: it is believed if the service's ResourceTypes
// have no groups, or if there is another one some time later and /Groups never answered.
func (c *client) lacksGroups(ctx context.Context, op string, err error) (bool, error) {
	a := answerOf(err)
	if a == nil || a.status != http.StatusNotFound && a.status != http.StatusNotImplemented {
		return false, err
	}
	switch probe := c.service.probe(ctx, op, users); {
	case connector.Retryable(probe):
		return false, probe
	case probe != nil:
		return false, err // nothing is there at all
	}
	l := &c.service.learned
	if !l.hasGroups.Load() {
		switch listed, told := c.listsGroupType(ctx, op); {
		case told && !listed:
			l.noGroups.confirmed(c.now(), apart)
		case !told:
			l.noGroups.met(c.now())
		}
	}
	if c.hasNoGroups() {
		return true, nil
	}
	return false, &connector.Error{
		Kind: connector.KindUnavailable, Op: op, Cause: errUncertain, RetryAfter: apart,
		Message: fmt.Sprintf("the app answered %d for /Groups, which may pass: it is asked again. If the app has no groups, say groups: false", a.status),
	}
}

// listsGroupType reports whether the service lists groups among its resource types (RFC
// 7644 section 4), and whether it tells: a list without users is of no use.
func (c *client) listsGroupType(ctx context.Context, op string) (listed, told bool) {
	var types struct{ Resources []resource }
	if _, err := c.service.do(ctx, request{op: op, method: http.MethodGet, collection: "ResourceTypes", whole: true}, &types); err != nil {
		return false, false
	}
	for _, kind := range types.Resources {
		endpoint := strings.Trim(kind.text("endpoint"), "/")
		told = told || strings.EqualFold(endpoint, users)
		listed = listed || strings.EqualFold(endpoint, groups)
	}
	return listed, told
}
