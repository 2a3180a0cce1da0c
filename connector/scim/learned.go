package scim

import (
	"errors"
	"net/http"
	"sync"
	"sync/atomic"
	"time"

	"github.com/tenurehq/tenure/connector"
)

// learned holds how a service deviates from RFC 7644, as far as this process has found out:
// see deviation.
type learned struct {
	noExternalID   deviation // cannot filter by externalId
	noEmails       deviation // cannot filter by emails
	noExclusions   deviation // refuses excludedAttributes
	noGroups       deviation // has no /Groups
	noNameFilter   deviation // cannot filter groups by displayName
	plainJSON      deviation // takes application/json only
	noMemberFilter deviation // cannot filter groups by their members
	noPatch        deviation // answers PATCH of users with 405 or 501
	noRemove       deviation // a PATCH of a user knows no "remove"
	capitalOps     deviation // takes the operations of a PATCH as "Add", "Replace" and "Remove" only
	fromZero       deviation // indexes of lists count from 0
	lowerIDs       deviation // UUIDs are shown in upper case and referred to in lower case
	// membersOnRequest: lists of groups come with members only if these are asked for.
	// membersAlone: lists of groups never come with members.
	membersOnRequest, membersAlone deviation

	// totalsOfAll, fromOne and removes are not deviations, but Tenure believes them in the
	// same way: totals count all resources, not those of the page; indexes count from 1;
	// removed members are gone.
	totalsOfAll, fromOne, removes deviation
	// hasGroups: /Groups has answered. Tenure believes that for good, so that a later 404
	// does not count as "no memberships". If the groups really go, a setting says so.
	hasGroups atomic.Bool
	activity  activity
}

// refusedFilter reports whether the app answered a look-up by saying that it does not
// support the filter.
func refusedFilter(err error) bool {
	a := answerOf(err)
	return a != nil && (a.status == http.StatusBadRequest || a.status == http.StatusNotImplemented)
}

// refusedLookUp reports whether the app refused a look-up for good, whatever the status.
func refusedLookUp(err error) bool {
	a := answerOf(err)
	return a != nil && a.status >= 400 && (a.status < 500 || a.status == http.StatusNotImplemented) && !a.throttled && !connector.Retryable(err)
}

// refusedMethod reports whether the app answered that it does not support the method.
func refusedMethod(err error) bool {
	a := answerOf(err)
	return a != nil && (a.status == http.StatusMethodNotAllowed || a.status == http.StatusNotImplemented)
}

// advised adds to the error of a failed look-up the setting that avoids it. A service that
// fails at a filter does not say that it does not support it.
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

// Learned implements connector.Connector.
func (c *client) Learned() (deviations []string) {
	for _, finding := range c.service.learned.deviations(c.now()) {
		deviations = append(deviations, finding.What)
	}
	return deviations
}

// deviations lists what was learned, as `tenure app test` shows it.
func (l *learned) deviations(now time.Time) (findings []connector.Finding) {
	for _, d := range []struct {
		*deviation
		what string
	}{
		{&l.noExternalID, "cannot filter by externalId: accounts are found by userName"},
		{&l.noEmails, "cannot filter by emails: no account is found by an address (filterEmails: false)"},
		{&l.noExclusions, "refuses excludedAttributes: groups come with all their members"},
		{&l.noNameFilter, "cannot filter groups by displayName: all are read"},
		{&l.plainJSON, "takes application/json only"},
		{&l.noMemberFilter, "cannot filter groups by members: all are read (filterMembers: false)"},
		{&l.noPatch, "has no PATCH of users: they are changed by PUT (changeUsers: put)"},
		{&l.noRemove, `has no "remove" for attributes of users: they are replaced by null`},
		{&l.capitalOps, `takes the operations of a PATCH as "Add", "Replace" and "Remove" only`},
		{&l.fromZero, "counts the indexes of lists from 0"},
		{&l.lowerIDs, "shows IDs in upper case and refers to them in lower case"},
		{&l.membersOnRequest, "shows the members of groups only when it is asked for them: lists ask"},
		{&l.membersAlone, "shows the members of groups one by one only: each is read for a list of accounts"},
		{&l.noGroups, "has no /Groups: say groups: false"},
	} {
		if d.seen() {
			findings = append(findings, connector.Finding{What: d.what})
		}
	}
	if l.activity.omits(now) {
		findings = append(findings, connector.Finding{What: `leaves out "active" where it is false: say showsInactive: false, so that Tenure knows from the start`})
	}
	return findings
}

const (
	// trust is how long Tenure believes a deviation before it tries RFC 7644 again. If it
	// then meets the deviation again, it goes on believing it.
	trust = time.Hour
	// groupless is how long Tenure believes that a service has no /Groups. It is short,
	// since nobody has entitlements then.
	groupless = 10 * time.Minute
	// apart is how long after the first answer the second one has to come for Tenure to
	// believe that there is no /Groups: a proxy may answer 404 for a moment.
	apart = time.Minute
)

// deviation is one way in which a service deviates from RFC 7644, as its answers show. One
// answer proves nothing, since it may come from a proxy. Tenure believes a deviation once it
// has met it twice with no answer to the contrary in between, until there is such an answer
// or trust has passed. The zero value is a deviation that was never met.
type deviation struct {
	mu          sync.Mutex
	times       int
	first, last time.Time // of the answers that showed it, since the last one to the contrary
}

// met notes an answer that shows the deviation.
func (d *deviation) met(now time.Time) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.times == 0 {
		d.first = now
	}
	d.times++
	d.last = now
}

// refuted notes an answer to the contrary.
func (d *deviation) refuted() {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.times = 0
}

// settle notes an answer: one that shows the deviation if shown, else one to the contrary.
func (d *deviation) settle(now time.Time, shown bool) {
	if shown {
		d.met(now)
		return
	}
	d.refuted()
}

// holds reports whether Tenure believes the deviation now.
func (d *deviation) holds(now time.Time) bool { return d.held(now, trust, 0) }

// held reports whether the deviation was met at least twice, the last time within the given
// time, and the first time at least apart before that.
func (d *deviation) held(now time.Time, within, apart time.Duration) bool {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.times > 1 && now.Sub(d.last) < within && d.last.Sub(d.first) >= apart
}

// seen reports whether the deviation was met, with no answer to the contrary since.
func (d *deviation) seen() bool {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.times > 0
}

// confirmed notes that the service itself announces the deviation. That counts as two
// answers, the first of them apart before now.
func (d *deviation) confirmed(now time.Time, apart time.Duration) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.times, d.first, d.last = 2, now.Add(-apart), now
}
