package scan

import (
	"context"
	"slices"
	"time"

	"github.com/tenurehq/tenure/assess"
	"github.com/tenurehq/tenure/connector"
	"github.com/tenurehq/tenure/hr"
	"github.com/tenurehq/tenure/ledger"
	"github.com/tenurehq/tenure/policy"
	"github.com/tenurehq/tenure/reconcile"
)

// compare judges all accounts, page by page, and ends the scan.
func (t *turn) compare(ctx context.Context) (Progress, error) {
	if t.scan.Place == "" {
		if err := t.identify(ctx); err != nil {
			return Progress{}, err
		}
	}
	accepted, err := t.accepted(ctx)
	if err != nil {
		return Progress{}, err
	}
	drifted := 0
	for {
		now := t.Clock.Now()
		page, err := t.Ledger.Sightings(ctx, t.scan.ID, t.scan.Place, now, pageSize)
		if err != nil {
			return Progress{}, err
		}
		compared := ledger.Compared{
			Scan: t.scan.ID, After: t.scan.Place, Flapping: t.app.Terms.Flapping, FlapsSince: now.Add(-t.Clock.Span(reconcile.FlapsWithin)),
		}
		for _, sighting := range page {
			verdict, err := t.judge(ctx, sighting, accepted)
			if err != nil {
				return Progress{}, err
			}
			compared.Verdicts = append(compared.Verdicts, verdict)
			t.alive()
		}
		compared.At = t.Clock.Now()
		due, err := t.Ledger.SaveVerdicts(ctx, compared)
		if err != nil {
			return Progress{}, err
		}
		if len(due) > 0 {
			t.told(due)
		}
		drifted += len(due)
		if len(page) < pageSize {
			p, err := t.end(ctx, t.scan, ledger.ScanDone, "")
			p.Drifted = drifted
			return p, err
		}
		t.scan.Place = page[len(page)-1].AccountID
	}
}

// identify records what people are called who were assessed last by a version that did not
// record it, so that their accounts do not count as nobody's.
func (t *turn) identify(ctx context.Context) error {
	for after := ""; ; {
		people, err := t.Ledger.Unidentified(ctx, after, pageSize)
		if err != nil {
			return err
		}
		var ids []ledger.Identifier
		for _, id := range people {
			person, err := t.Ledger.Person(ctx, id)
			if err != nil {
				return err
			}
			ids, after = append(ids, assess.Identifiers(assess.KeysOf(person, t.Policy, t.Clock.Now()))...), id
			t.alive()
		}
		if err := t.Ledger.NoteIdentifiers(ctx, t.Clock.Now(), ids); err != nil {
			return err
		}
		if len(people) < pageSize {
			return nil
		}
	}
}

// accepted returns by person the entitlements in the app that somebody decided to leave them.
func (t *turn) accepted(ctx context.Context) (map[string][]string, error) {
	all := map[string][]string{}
	now := t.Clock.Now()
	for after := int64(0); ; {
		some, err := t.Ledger.Exceptions(ctx, ledger.ExceptionFilter{Kind: string(policy.ExceptAccept)}, after, pageSize)
		if err != nil {
			return nil, err
		}
		for _, x := range some {
			if after = x.ID; x.App == t.scan.App && x.InForce(now) {
				all[x.PersonID] = append(all[x.PersonID], x.Entitlement)
			}
		}
		if len(some) < pageSize {
			return all, nil
		}
	}
}

// judge judges one account. It asks the app for a linked account that the list does not
// have, since the lists of some apps are incomplete.
func (t *turn) judge(ctx context.Context, in ledger.Sighting, accepted map[string][]string) (ledger.Verdict, error) {
	v := ledger.Verdict{AccountID: in.AccountID}
	s := reconcile.Sighting{
		Present:   in.Observed != nil && in.Observed.Scan == t.scan.ID,
		Protected: t.protects(in),
		Settled:   !in.Working && !in.Busy, AssessedAt: in.AssessedAt,
	}
	for _, l := range in.Links {
		s.Links = append(s.Links, t.link(l, in.Busy, accepted[l.PersonID]))
		s.ProvenAt = l.ProvenAt
	}
	if !s.Present && len(in.Links) == 1 && in.Links[0].State.HasAccount() && !s.Protected && !s.Links[0].Unsure {
		read, err := t.read(ctx, in)
		switch {
		case connector.Is(err, connector.KindNotFound):
			s.Gone = true
		case refused(err):
			// Nothing is known about it.
		case err != nil:
			return v, err
		default:
			s.Present, v.Read, in.Observed = true, read, read
		}
	}
	if o := in.Observed; o != nil {
		s.Account = &reconcile.Account{
			At: o.At, Active: o.Active, Entitlements: o.Entitlements, Seen: o.Seen, Baseline: o.Baseline, BaselineAt: o.BaselineAt,
		}
	}
	for _, c := range in.Candidates {
		m, err := t.match(ctx, c, in)
		if err != nil {
			return v, err
		}
		s.Matches = append(s.Matches, m)
	}
	for _, f := range in.Findings {
		s.Known = append(s.Known, reconcile.Known{
			ID: f.ID, Kind: reconcile.Kind(f.Kind), What: f.What, Repairing: f.State == ledger.FindingRepairing, DecidedAt: f.DecidedAt, Scans: f.Scans,
		})
	}
	duties, err := t.duties(ctx, in)
	if err != nil {
		return v, err
	}
	s.Duties = duties
	j := reconcile.Judge(s, t.app.Terms)
	v.Unjudged, v.Baseline, v.Proven, v.Keep = j.Unjudged, j.Baseline, j.Proven, j.Keep
	for _, f := range j.Findings {
		found := ledger.Finding{
			Kind: ledger.FindingKind(f.Kind), What: f.What, PersonID: f.PersonID, Candidates: f.People, Enabled: f.Enabled, State: ledger.FindingStatus(f.Status),
		}
		if len(in.Candidates) > 0 {
			found.By = string(in.Candidates[0].By)
		}
		v.Findings = append(v.Findings, found)
	}
	return v, nil
}

// duties returns the names of the rules of separation of duties with which what the linked person
// really has conflicts because of this account, although what Tenure gave them does not, and no
// waiver is in force. What a repair is about to take does not count.
func (t *turn) duties(ctx context.Context, in ledger.Sighting) ([]string, error) {
	if !t.Policy.KeepsApart() || in.Observed == nil || len(in.Links) != 1 || in.Observed.Scan != t.scan.ID {
		return nil, nil
	}
	link := in.Links[0]
	has := assess.HeldBy(t.scan.App, in.Observed.Active, t.stays(link, in.Observed.Entitlements))
	if link.State != ledger.LinkActive && t.app.Terms.Reaction(reconcile.State) == reconcile.Repair {
		has = nil
	}
	given := assess.Linked(in.Links)
	if !slices.ContainsFunc(has, func(h policy.Held) bool { return !among(given, h) }) {
		return nil, nil
	}
	person, err := t.Ledger.Person(ctx, link.PersonID)
	if err != nil {
		return nil, err
	}
	others := slices.DeleteFunc(slices.Clone(person.Links), func(l ledger.Link) bool { return l.App == t.scan.App })
	really, err := assess.Shown(ctx, t.Ledger, others)
	if err != nil {
		return nil, err
	}
	now := t.Clock.Now()
	exceptions := assess.Exceptions(person, assess.TimelineOf(person), now)
	known := t.Policy.Conflicts(append(assess.Linked(others), given...), now, exceptions...)
	var names []string
	for _, c := range t.Policy.Conflicts(append(really, has...), now, exceptions...) {
		here := slices.ContainsFunc(slices.Concat(c.One, c.Other), func(h policy.Held) bool { return h.App == t.scan.App && !among(given, h) })
		same := slices.ContainsFunc(known, func(k policy.Conflict) bool { return k.Duty == c.Duty })
		if here && !same && c.Waiver == "" {
			names = append(names, c.Duty)
		}
	}
	return names, nil
}

// stays returns the entitlements of an account less those that a repair is about to take.
func (t *turn) stays(link ledger.Link, entitlements []string) []string {
	if t.app.Terms.Reaction(reconcile.Stray) != reconcile.Repair {
		return entitlements
	}
	return slices.DeleteFunc(slices.Clone(entitlements), func(name string) bool { return !slices.Contains(link.Entitlements, name) })
}

// among reports whether a thing is held.
func among(held []policy.Held, h policy.Held) bool {
	return slices.ContainsFunc(held, func(other policy.Held) bool { return other.App == h.App && other.Entitlement == h.Entitlement })
}

// protects reports whether no automation touches the account, or any account of its owner.
func (t *turn) protects(in ledger.Sighting) bool {
	names, people := []string{in.AccountID}, []string{}
	if in.Observed != nil {
		names, people = append(names, in.Observed.Username), append(people, in.Observed.ExternalID)
	}
	for _, l := range in.Links {
		names, people = append(names, l.Username), append(people, l.PersonID)
	}
	for _, c := range in.Candidates {
		people = append(people, c.PersonID)
	}
	if slices.ContainsFunc(people, t.Policy.ProtectsPerson) {
		return true
	}
	return t.Policy.ProtectsAccount(t.scan.App, names...)
}

// link returns what judging needs of a link.
func (t *turn) link(l ledger.Link, busy bool, accepted []string) reconcile.Link {
	quiet := l.ProvenAt
	for _, changed := range []time.Time{l.ChangedAt, l.GaveAt} {
		if !changed.IsZero() {
			if changed = changed.Add(t.Clock.Span(t.app.Settling)); changed.After(quiet) {
				quiet = changed
			}
		}
	}
	return reconcile.Link{
		PersonID: l.PersonID, State: reconcile.LinkState(l.State), Entitlements: l.Entitlements, Quiet: quiet,
		Unsure:   busy || unsure(l),
		Accepted: accepted, Just: l.JustAdopted(), Stripped: !l.StrippedAt.IsZero(),
	}
}

// unsure reports whether it is not known what calls have done to an account.
func unsure(l ledger.Link) bool {
	return l.Unsure.State || len(l.Unsure.Entitlements) > 0 || !l.DoubtUntil.IsZero() || l.Creating.Pending()
}

// read asks the app for one account.
func (t *turn) read(ctx context.Context, in ledger.Sighting) (*ledger.Observed, error) {
	at := t.Clock.Now()
	account, err := t.conn.Read(ctx, in.AccountID)
	if err != nil {
		return nil, err
	}
	o := t.observed(account, at)
	if in.Observed != nil {
		o.Baseline, o.BaselineAt = in.Observed.Baseline, in.Observed.BaselineAt
	}
	return &o, nil
}

// match returns what judging needs of somebody whom an account matches.
func (t *turn) match(ctx context.Context, c ledger.Candidate, in ledger.Sighting) (reconcile.Match, error) {
	m := reconcile.Match{
		PersonID: c.PersonID, ByExternal: c.By == ledger.IdentifiesPerson, Left: c.Status == hr.StatusEnded,
		Linked: c.Link.State.HasAccount() || c.Link.AccountID != "",
	}
	quiet := t.link(c.Link, c.Busy, nil)
	m.Unsure = quiet.Unsure || in.Observed != nil && !in.Observed.At.After(quiet.Quiet)
	if !m.ByExternal || m.Left || m.Linked {
		return m, nil
	}
	person, err := t.Ledger.Person(ctx, c.PersonID)
	if err != nil {
		return m, err
	}
	now := t.Clock.Now()
	timeline := assess.TimelineOf(person)
	identity := policy.Identity{PersonID: person.PersonID, Username: person.Username, ManagerAccounts: person.ManagerAccounts}
	desired, err := t.Policy.Evaluate(timeline, now, identity, assess.Exceptions(person, timeline, now)...)
	if err != nil {
		return m, nil //nolint:nilerr // it is a question of theirs already
	}
	for _, account := range desired.Accounts {
		m.Wanted = m.Wanted || account.App == t.scan.App
	}
	return m, nil
}
