package scim

import (
	"errors"
	"net/http"
	"sync"
	"sync/atomic"

	"github.com/tenurehq/tenure/connector"
)

// learned is what a service turned out not to do as RFC 7644 has it. Each is found
// out by an answer that says so, and remembered as long as the process runs.
type learned struct {
	noExternalID atomic.Bool // cannot filter by externalId
	noEmails     atomic.Bool // cannot filter by emails
	noExclusions atomic.Bool // refuses excludedAttributes
	noGroups     atomic.Bool // has no /Groups
	noNameFilter atomic.Bool // cannot filter groups by displayName
	plainJSON    atomic.Bool // takes application/json only
	// noMemberFilter: cannot filter groups by their members.
	noMemberFilter atomic.Bool
	// noPatch and noGroupPatch: answer PATCH of users, and of groups, with 405 or 501.
	noPatch, noGroupPatch atomic.Bool
	// noRemove: a PATCH of a user knows no "remove".
	noRemove atomic.Bool
	// capitalOps: takes the operations of a PATCH as "Add", "Replace" and "Remove" only.
	capitalOps atomic.Bool
	// fromZero: indexes of lists count from 0.
	fromZero atomic.Bool
	// totals: see endsAtTotal.
	totals atomic.Int32
	// members is how groups have to be asked for, so that they show theirs: see showing.
	members atomic.Int32
	// removes: members that were removed have been seen to be gone.
	removes atomic.Bool
	// lowerIDs: UUIDs are shown in upper case and referred to in lower case.
	lowerIDs atomic.Bool
	// showsFalse: "active": false has been seen. omitsFalse: an account that showed true
	// showed nothing after it was disabled.
	showsFalse, omitsFalse atomic.Bool
	// disabled are the IDs of accounts that were disabled and not enabled since, where
	// omitsFalse.
	disabled sync.Map
}

// refusedFilter reports whether an answer to a look-up says that the app cannot look
// up like that.
func refusedFilter(err error) bool {
	a := answerOf(err)
	return a != nil && (a.status == http.StatusBadRequest || a.status == http.StatusNotImplemented)
}

// refusedMethod reports whether an answer says that there is no such method.
func refusedMethod(err error) bool {
	a := answerOf(err)
	return a != nil && (a.status == http.StatusMethodNotAllowed || a.status == http.StatusNotImplemented)
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

// Learned implements connector.Learner.
func (c *client) Learned() (deviations []string) {
	for _, finding := range c.service.learned.deviations() {
		deviations = append(deviations, finding.What)
	}
	return deviations
}

// deviations are what was learned, as `tenure app test` shows it.
func (l *learned) deviations() (findings []connector.Finding) {
	for _, d := range []struct {
		seen *atomic.Bool
		what string
	}{
		{&l.noExternalID, "cannot filter by externalId: accounts are found by userName"},
		{&l.noEmails, "cannot filter by emails: no account is found by an address (filterEmails: false)"},
		{&l.noExclusions, "refuses excludedAttributes: groups come with all their members"},
		{&l.noNameFilter, "cannot filter groups by displayName: all are read"},
		{&l.plainJSON, "takes application/json only"},
		{&l.noMemberFilter, "cannot filter groups by members: all are read (filterMembers: false)"},
		{&l.noPatch, "has no PATCH of users: they are changed by PUT (changeUsers: put)"},
		{&l.noGroupPatch, "has no PATCH of groups: they are changed by PUT (changeGroups: put)"},
		{&l.noRemove, `has no "remove" for attributes of users: they are replaced by null`},
		{&l.capitalOps, `takes the operations of a PATCH as "Add", "Replace" and "Remove" only`},
		{&l.fromZero, "counts the indexes of lists from 0"},
		{&l.lowerIDs, "shows IDs in upper case and refers to them in lower case"},
		{&l.omitsFalse, `leaves out "active" where it is false: say showsInactive: false, so that Tenure knows from the start`},
	} {
		if d.seen.Load() {
			findings = append(findings, connector.Finding{What: d.what})
		}
	}
	switch showing(l.members.Load()) {
	case onRequest:
		findings = append(findings, connector.Finding{What: "shows the members of groups only when it is asked for them: lists ask"})
	case alone:
		findings = append(findings, connector.Finding{What: "shows the members of groups one by one only: each is read for a list of accounts"})
	}
	return findings
}
