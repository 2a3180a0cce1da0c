package relational

import (
	"math"
	"time"

	"github.com/tenurehq/tenure/ledger"
)

// asked is what is known of the withdrawals that one request asks for, after they were stored. It
// takes three round trips with the commit, however many they are, and everybody who counts waits for
// whoever does.
type asked struct {
	withdrawals []ledger.Withdrawal // one for each Ask
	kinds       map[ledger.WithdrawalKind]*kindAsked
}

// kindAsked is what is known of a kind.
type kindAsked struct {
	open  bool // a cohort is
	flood flood
}

// askAll stores all withdrawals asked for, and counts each kind among them once: a person counts
// once, however many of a kind they ask for.
func (t *Tx) askAll(r ledger.AdmissionRequest) (*asked, error) {
	a := &asked{withdrawals: make([]ledger.Withdrawal, len(r.Asks)), kinds: map[ledger.WithdrawalKind]*kindAsked{}}
	for _, ask := range r.Asks {
		if err := t.putAsk(r, ask, r.At.Add(-r.Limits.WindowOf(ask.Kind))); err != nil {
			return nil, err
		}
	}
	var found bool
	for i, ask := range r.Asks {
		w := &a.withdrawals[i]
		err := t.later(withdrawalQuery, []any{r.PersonID, ask.Kind, ask.Key}, &found, withdrawalDest(w)...)
		if err != nil {
			return nil, err
		}
		if a.kinds[ask.Kind] != nil {
			continue
		}
		k := &kindAsked{flood: flood{kind: ask.Kind}}
		a.kinds[ask.Kind] = k
		if err := t.later(openCohortQuery, []any{ask.Kind}, &k.open, new(int64)); err != nil {
			return nil, err
		}
		if err := t.later(releasedQuery, []any{int64(math.MinInt64), ask.Kind}, &found, &k.flood.from); err != nil {
			return nil, err
		}
	}
	if err := t.flush(); err != nil {
		return nil, err
	}
	counted := map[ledger.WithdrawalKind]bool{}
	for _, ask := range r.Asks {
		k := a.kinds[ask.Kind]
		k.flood.from = max(k.flood.from, r.At.Add(-r.Limits.WindowOf(ask.Kind)).UnixMicro())
		if _, limited := r.Limits.Of[ask.Kind]; !limited || counted[ask.Kind] {
			continue
		}
		counted[ask.Kind] = true
		condition, args := k.flood.all()
		if err := t.later(countQuery+condition+` AND `+counts, args, &found, &k.flood.counted); err != nil {
			return nil, err
		}
	}
	return a, t.flush()
}

// allPass reports whether nothing is to be held, and nobody else is concerned: there is no open
// cohort, no kind has more people than are allowed whoever is employed, and nothing is announced.
// Suspensions are counted by source, which is not done here; together they are no fewer.
func (a *asked) allPass(r ledger.AdmissionRequest) bool {
	for i, ask := range r.Asks {
		switch a.withdrawals[i].State {
		case ledger.WithdrawalWaiting:
		case ledger.WithdrawalAnnounced:
			return false
		default:
			continue // it was decided before
		}
		k := a.kinds[ask.Kind]
		limit, limited := r.Limits.Of[ask.Kind]
		if k.open || limited && k.flood.counted > limit.Allowed(0) {
			return false
		}
	}
	return true
}

// passAll admits all that is asked for and has settled.
func (t *Tx) passAll(r ledger.AdmissionRequest, known *asked) (a ledger.Admission, err error) {
	for i, ask := range r.Asks {
		w, settles := known.withdrawals[i], time.Time{}
		if w.State == ledger.WithdrawalWaiting {
			if until := w.SaidAt.Add(settle(r, ask)); ask.Kind.Settles() && until.After(r.At) {
				settles = until
			} else {
				w.State = ledger.WithdrawalAdmitted
				if err := t.setWithdrawal(r.PersonID, w); err != nil {
					return a, err
				}
			}
		}
		a.Withdrawals, a.SettlesAt = append(a.Withdrawals, w), append(a.SettlesAt, settles)
	}
	return a, nil
}
