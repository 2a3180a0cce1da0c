package scim

import (
	"errors"
	"net/http"
	"sync/atomic"

	"github.com/tenurehq/tenure/connector"
)

// learned is what a service turned out not to do as RFC 7644 has it. Each is found
// out by an answer that says so, and remembered as long as the process runs.
type learned struct {
	noExternalID atomic.Bool // cannot filter by externalId
	noExclusions atomic.Bool // refuses excludedAttributes
	noGroups     atomic.Bool // has no /Groups
	noNameFilter atomic.Bool // cannot filter groups by displayName
	plainJSON    atomic.Bool // takes application/json only
}

// refusedFilter reports whether an answer to a look-up says that the app cannot look
// up like that.
func refusedFilter(err error) bool {
	a := answerOf(err)
	return a != nil && (a.status == http.StatusBadRequest || a.status == http.StatusNotImplemented)
}

// advised adds to the error of a look-up the setting by which to do without it. A
// service that fails at what it cannot look up by does not say so.
func advised(err error, setting string) error {
	var failed *connector.Error
	a := answerOf(err)
	if a == nil || a.throttled || a.status != http.StatusForbidden && a.status < 500 || !errors.As(err, &failed) {
		return err
	}
	with := *failed
	with.Message += "; if it always fails at this look-up, say " + setting
	return &with
}

// deviations are what was learned, as `tenure app test` shows it.
func (l *learned) deviations() (findings []connector.Finding) {
	for _, d := range []struct {
		seen *atomic.Bool
		what string
	}{
		{&l.noExternalID, "cannot filter by externalId: accounts are found by userName"},
		{&l.noExclusions, "refuses excludedAttributes: groups come with all their members"},
		{&l.noNameFilter, "cannot filter groups by displayName: all are read"},
		{&l.plainJSON, "takes application/json only"},
	} {
		if d.seen.Load() {
			findings = append(findings, connector.Finding{What: d.what})
		}
	}
	return findings
}
