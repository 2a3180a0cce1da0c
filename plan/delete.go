package plan

import "time"

// delete plans the deletion of a withdrawn account. It reports whether the account is to be
// deleted now. Retention counts from the latest of three instants: access ended, the account
// was proven disabled, the account was proven stripped.
func (m *maker) delete(link Link, traits App) bool {
	if !traits.Leaver.Delete || !traits.Delete {
		return false
	}
	step := m.ending(Delete, link.App)
	if link.State == LinkActive || m.has(link.App, Strip) {
		// The end of retention is known only once the account is disabled and stripped.
		now := m.deadline(link, traits, time.Time{})
		return !now.After(m.Now) && m.stands(link.App, traits, now).Waits == "" && m.add(step)
	}
	deadline := m.deadline(link, traits, latest(m.accessEnded(), link.DisabledAt, link.StrippedAt))
	deadline = latest(deadline, link.DoubtUntil) // a deleted account cannot be verified any more
	return m.mayDelete(link.App, traits, deadline) && m.add(step)
}

// deadline returns when a retention that counts from an instant (zero: from now) ends.
func (m *maker) deadline(link Link, traits App, from time.Time) time.Time {
	if from.IsZero() {
		from = m.Now
	}
	for _, app := range []string{link.App, ""} {
		switch said, ok := m.Retentions[app]; {
		case !ok || m.outlived(said, link):
		case said.Until.IsZero():
			return from.Add(said.For)
		default:
			return said.Until
		}
	}
	return from.Add(traits.Leaver.Retain)
}

// outlived reports whether an operator's date was set, and had passed, before access ended. So
// an account that is disabled long after that date is not deleted at once.
func (m *maker) outlived(said Retention, link Link) bool {
	off := latest(m.accessEnded(), m.EndHeard)
	if m.accessEnded().IsZero() { // the employment goes on, or never was
		if off = link.DisabledAt; off.IsZero() {
			off = m.Now
		}
	}
	return !said.Until.IsZero() && said.Until.Before(off) && said.SetAt.Before(off)
}

// mayDelete reports whether an account may be deleted now. If not, it notes what the deletion
// waits for. No account of a person under a legal hold is deleted.
func (m *maker) mayDelete(app string, traits App, retained time.Time) bool {
	if m.isSkipped(m.ending(Delete, app).Key) {
		return false
	}
	d := m.stands(app, traits, retained)
	due := Due{At: d.Until, App: app}
	switch d.Waits {
	case WaitHold:
		due.What, due.App = DueHold, "" // a hold is on the person as a whole
	case WaitRetention:
		due.What = DueDelete
	case WaitApproval:
		due.What = DueApproval
	default:
		return true
	}
	m.deletions, m.dues = append(m.deletions, d), append(m.dues, due)
	return false
}

// stands returns the future deletion of an account whose retention ends at retained, with what
// it waits for.
func (m *maker) stands(app string, traits App, retained time.Time) Deletion {
	step := m.ending(Delete, app)
	known := m.Approvals[step.Key]
	d := Deletion{App: app, Key: step.Key, At: retained, Why: step.Why}
	// Nobody is asked to approve a deletion that Tenure does not do.
	d.Approval = traits.Leaver.Approval && !known.Given && !m.Protected[app]
	switch {
	case m.held() && m.HeldUntil.After(retained):
		d.Waits, d.Until = WaitHold, m.HeldUntil
	case retained.After(m.Now):
		d.Waits, d.Until = WaitRetention, retained
	case d.Approval:
		d.Waits, d.Until = WaitApproval, known.LookAt
		if !d.Until.After(m.Now) {
			d.Until = m.Now.Add(max(traits.Leaver.Remind, minRemind))
		}
	}
	return d
}

// minRemind is the shortest time between two reminders.
const minRemind = time.Minute

// held reports whether nothing of the person may be deleted now.
func (m *maker) held() bool { return m.HeldUntil.After(m.Now) }
