package evidence

import (
	"encoding/json"
	"time"

	"github.com/tenurehq/tenure/ledger"
	"github.com/tenurehq/tenure/review"
)

// Review is a review of access.
type Review struct {
	Review    string              `json:"review"`
	Name      string              `json:"name"`
	Person    string              `json:"person,omitempty"`
	StartedBy string              `json:"startedBy"`
	StartedAt time.Time           `json:"startedAt"`
	Reason    string              `json:"reason,omitempty"`
	State     ledger.ReviewState  `json:"state"`
	OpenedAt  time.Time           `json:"openedAt,omitzero"`
	EndsAt    time.Time           `json:"endsAt"`
	ClosedAt  time.Time           `json:"closedAt,omitzero"`
	DoneAt    time.Time           `json:"doneAt,omitzero"`
	Items     int                 `json:"items"`
	Accesses  int                 `json:"accesses"`
	Digest    string              `json:"digest"` // of the population that was frozen
	Scans     []ledger.ReviewScan `json:"scans"`
	Summary   review.Summary      `json:"summary"`
	Terms     json.RawMessage     `json:"terms"`
}

// Item is one question of a review.
type Item struct {
	Item        string             `json:"item"`
	Kind        string             `json:"kind"`
	Person      string             `json:"person,omitempty"`
	App         string             `json:"app,omitempty"`
	Account     string             `json:"account,omitempty"`
	Entitlement string             `json:"entitlement,omitempty"`
	Role        string             `json:"role,omitempty"`
	Duty        string             `json:"duty,omitempty"`
	Because     string             `json:"because"`
	Facts       json.RawMessage    `json:"facts,omitempty"` // what reviewers were shown
	People      int                `json:"people"`
	Accesses    int                `json:"accesses"`
	Reviewer    string             `json:"reviewer,omitempty"`
	Authority   string             `json:"authority,omitempty"`
	AssignedAt  time.Time          `json:"assignedAt,omitzero"`
	Decision    ledger.ItemVerdict `json:"decision,omitempty"`
	DecidedBy   string             `json:"decidedBy,omitempty"` // a person, or "nobody" if silence decided
	DecidedAs   string             `json:"decidedAs,omitempty"`
	DecidedAt   time.Time          `json:"decidedAt,omitzero"`
	Operator    string             `json:"operator,omitempty"`
	Login       string             `json:"login,omitempty"`
	TookSeconds int64              `json:"tookSeconds,omitempty"`
	Reason      string             `json:"reason,omitempty"`
	EffectAt    time.Time          `json:"effectAt,omitzero"`
	ProvenAt    time.Time          `json:"provenAt,omitzero"`
}

// ItemAccess is an account or an entitlement that an item is about.
type ItemAccess struct {
	Item        string    `json:"item"`
	Person      string    `json:"person,omitempty"`
	App         string    `json:"app"`
	Account     string    `json:"account,omitempty"`
	Entitlement string    `json:"entitlement,omitempty"` // empty: the account
	Effect      string    `json:"effect,omitempty"`
	EffectAt    time.Time `json:"effectAt,omitzero"`
	ProvenAt    time.Time `json:"provenAt,omitzero"`
	Needs       string    `json:"needs,omitempty"`
}

// readReviews writes down reviews.
func (k *maker) readReviews() error {
	filter := ledger.ReviewFilter{}
	if k.Review != "" {
		filter.ID, _ = ledger.ReviewID(k.Review)
	}
	for _, f := range []string{"reviews.jsonl", "review-items.jsonl", "review-accesses.jsonl"} {
		if _, err := k.listing(f); err != nil {
			return err
		}
	}
	for r, err := range ledger.AllReviews(k.ctx, k.Ledger, filter, 0) {
		if err != nil {
			return err
		}
		if !k.overlaps(r.StartedAt, r.ClosedAt) {
			continue
		}
		if err := k.review(r); err != nil {
			return err
		}
	}
	return nil
}

func (k *maker) review(r ledger.Review) error {
	items, accesses := 0, 0
	for i, err := range ledger.AllReviewItems(k.ctx, k.Ledger, ledger.ItemFilter{Review: r.ID, PersonID: k.Person}) {
		if err != nil {
			return err
		}
		if !k.of(i.App) {
			continue
		}
		items++
		line := Item{
			Item: i.Name(), Kind: i.Kind, Person: i.PersonID, App: i.App, Account: i.AccountID, Entitlement: i.Entitlement, Role: i.Role, Duty: i.Duty, Because: i.Because,
			Facts: i.Facts, People: i.People, Accesses: i.Accesses, Reviewer: i.Reviewer, Authority: i.Authority, AssignedAt: i.AssignedAt, Decision: i.Decision,
			DecidedBy: i.DecidedBy, DecidedAs: i.DecidedAs, DecidedAt: i.DecidedAt, Operator: i.Operator, Login: i.Login, TookSeconds: seconds(i.Took), Reason: i.Reason,
			EffectAt: i.EffectAt, ProvenAt: i.ProvenAt,
		}
		if err := k.emit("review-items.jsonl", line); err != nil {
			return err
		}
	}
	for a, err := range ledger.AllReviewAccesses(k.ctx, k.Ledger, ledger.AccessFilter{Review: r.ID, PersonID: k.Person}) {
		if err != nil {
			return err
		}
		if !k.of(a.App) {
			continue
		}
		accesses++
		if err := k.emit("review-accesses.jsonl", ItemAccess{
			Item: ledger.ItemOrigin(a.Review, a.Item), Person: a.PersonID, App: a.App, Account: a.AccountID, Entitlement: a.Entitlement,
			Effect: a.Effect, EffectAt: a.EffectAt, ProvenAt: a.ProvenAt, Needs: a.Needs,
		}); err != nil {
			return err
		}
	}
	if k.Person != "" && items+accesses == 0 {
		return nil
	}
	counts, err := k.Ledger.CountItems(k.ctx, r.ID)
	if err != nil {
		return err
	}
	summary := review.Outcome(counts)
	if k.Person == "" && k.App == "" {
		k.reviewTies(r, summary, items, accesses)
	}
	return k.emit("reviews.jsonl", Review{
		Review: r.Ref(), Name: r.Name, Person: r.PersonID, StartedBy: r.StartedBy, StartedAt: r.StartedAt, Reason: r.Reason, State: r.State, OpenedAt: r.OpenedAt,
		EndsAt: r.EndsAt, ClosedAt: r.ClosedAt, DoneAt: r.DoneAt, Items: r.Items, Accesses: r.Accesses, Digest: r.Digest, Scans: r.Scans,
		Summary: summary, Terms: termsOf(r),
	})
}

// termsOf returns how a review is held; none if it does not say.
func termsOf(r ledger.Review) json.RawMessage {
	if r.Terms == "" {
		return nil
	}
	return json.RawMessage(r.Terms)
}
