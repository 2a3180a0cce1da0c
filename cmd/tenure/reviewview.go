package main

import (
	"cmp"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/tenurehq/tenure/internal/words"
	"github.com/tenurehq/tenure/ledger"
	"github.com/tenurehq/tenure/review"
)

// reviewView describes a review.
type reviewView struct {
	Review    string              `json:"review,omitempty"` // empty if it was not started
	Name      string              `json:"name"`
	Person    string              `json:"person,omitempty"` // the only one whom it is about
	State     string              `json:"state"`
	StartedBy string              `json:"startedBy,omitempty"`
	Login     string              `json:"login,omitempty"`
	Reason    string              `json:"reason,omitempty"`
	StartedAt time.Time           `json:"startedAt,omitzero"`
	OpenedAt  time.Time           `json:"openedAt,omitzero"`
	EndsAt    time.Time           `json:"endsAt"`
	ClosedAt  time.Time           `json:"closedAt,omitzero"`
	DoneAt    time.Time           `json:"doneAt,omitzero"` // when nothing was left to be proven
	Accesses  int                 `json:"accesses"`
	Digest    string              `json:"digest,omitempty"`
	Scans     []ledger.ReviewScan `json:"scans,omitempty"`
	Summary   review.Summary      `json:"summary"`
}

func viewReview(r ledger.Review, s review.Summary) reviewView {
	v := reviewView{
		Name: r.Name, Person: r.PersonID, State: string(r.State), StartedBy: r.StartedBy, Login: r.Login, Reason: r.Reason, StartedAt: r.StartedAt,
		OpenedAt: r.OpenedAt, EndsAt: r.EndsAt, ClosedAt: r.ClosedAt, DoneAt: r.DoneAt, Accesses: r.Accesses, Digest: r.Digest, Scans: r.Scans, Summary: s,
	}
	if r.ID != 0 {
		v.Review = r.Ref()
	}
	return v
}

const reviewHeader = "review,name,person,state,started,ends,items,open,by people,by silence,moot,revoked,proven"

func (v reviewView) row() []string {
	s := v.Summary
	state := v.State
	if state == string(ledger.ReviewClosed) && v.DoneAt.IsZero() {
		state += ", to be proven"
	}
	return []string{
		v.Review, v.Name, v.Person, state, words.Instant(v.StartedAt), words.Instant(v.EndsAt), strconv.Itoa(s.Items), strconv.Itoa(s.Open),
		strconv.Itoa(s.Human), strconv.Itoa(s.Silence), strconv.Itoa(s.Moot), strconv.Itoa(s.Revoked), strconv.Itoa(s.Proven),
	}
}

// startedReviewView describes a review that was, or would be, started.
type startedReviewView struct {
	reviewView
	Forecast *review.Forecast `json:"forecast,omitempty"`
	Applied  bool             `json:"applied"`
}

// itemView describes an item of a review.
type itemView struct {
	Item        int64        `json:"item"`
	Kind        string       `json:"kind"`
	About       string       `json:"about"`
	Because     string       `json:"because"`
	Person      string       `json:"person,omitempty"`
	Name        string       `json:"name,omitempty"`
	App         string       `json:"app,omitempty"`
	Account     string       `json:"account,omitempty"`
	Entitlement string       `json:"entitlement,omitempty"`
	Role        string       `json:"role,omitempty"`
	Duty        string       `json:"duty,omitempty"`
	People      int          `json:"people"`
	Accesses    int          `json:"accesses"`
	Facts       review.Facts `json:"facts"`
	Reviewer    string       `json:"reviewer,omitempty"` // empty: nobody can be asked
	Also        string       `json:"also,omitempty"`
	Authority   string       `json:"authority,omitempty"`
	AssignedAt  time.Time    `json:"assignedAt,omitzero"`
	AssignedWhy string       `json:"assignedWhy,omitempty"`
	Decision    string       `json:"decision,omitempty"`
	DecidedBy   string       `json:"decidedBy,omitempty"`
	DecidedAs   string       `json:"decidedAs,omitempty"`
	DecidedAt   time.Time    `json:"decidedAt,omitzero"`
	Operator    string       `json:"operator,omitempty"`
	Login       string       `json:"login,omitempty"`
	Reason      string       `json:"reason,omitempty"`
	EffectAt    time.Time    `json:"effectAt,omitzero"`
	ProvenAt    time.Time    `json:"provenAt,omitzero"`
}

func viewItem(i ledger.ReviewItem, name string) itemView {
	return itemView{
		Item: i.Item, Kind: i.Kind, About: review.Title(i), Because: i.Because, Person: i.PersonID, Name: name, App: i.App, Account: i.AccountID,
		Entitlement: i.Entitlement, Role: i.Role, Duty: i.Duty, People: i.People, Accesses: i.Accesses, Facts: review.FactsOf(i), Reviewer: i.Reviewer,
		Also: i.Also, Authority: i.Authority, AssignedAt: i.AssignedAt, AssignedWhy: i.AssignedWhy, Decision: string(i.Decision),
		DecidedBy: i.DecidedBy, DecidedAs: i.DecidedAs, DecidedAt: i.DecidedAt, Operator: i.Operator, Login: i.Login, Reason: i.Reason,
		EffectAt: i.EffectAt, ProvenAt: i.ProvenAt,
	}
}

const itemHeader = "item,about,name,because,people,changes,flags,last used,reviewer,decision,by,effect,proven"

func (v itemView) row() []string {
	flags := make([]string, len(v.Facts.Flags))
	for i, f := range v.Facts.Flags {
		flags[i] = string(f)
	}
	by := v.DecidedBy
	if v.Decision == "" && v.Reviewer == "" {
		by = "nobody can be asked"
	}
	used := words.Instant(v.Facts.LastUsed)
	if used == "" && v.Kind != string(review.ByRole) {
		used = "the app does not say"
	}
	return []string{
		strconv.FormatInt(v.Item, 10), v.About, v.Name, v.Because, strconv.Itoa(v.People), membersText(v.Facts.Members), strings.Join(flags, " "), used,
		strings.TrimSpace(v.Reviewer + " " + v.Also),
		v.Decision, by, words.Instant(v.EffectAt), words.Instant(v.ProvenAt),
	}
}

// reviewerView counts what a reviewer was asked about, and what is left.
type reviewerView struct {
	Person string `json:"person"` // empty: nobody can be asked
	Name   string `json:"name,omitempty"`
	Items  int    `json:"items"`
	Open   int    `json:"open"`
}

// shownReviewView describes a review as it stands.
type shownReviewView struct {
	reviewView
	Reviewers []reviewerView   `json:"reviewers"`
	Quality   qualityView      `json:"quality"`
	Silence   *review.Silenced `json:"silence,omitempty"`
	List      []itemView       `json:"list"`
}

// review adds the facts of a review.
func (p *page) review(v shownReviewView) {
	s := v.Summary
	p.fields(append([]field{
		{"review", v.Review}, {"name", v.Name}, {"person", v.Person}, {"state", v.row()[3]}, {"reason", v.Reason},
		{"started", words.Instant(v.StartedAt) + " by " + operatorFrom(v.StartedBy, v.Login)}, {"ends", words.Instant(v.EndsAt)},
		{"closed", words.Instant(v.ClosedAt)}, {"all proven", words.Instant(v.DoneAt)},
		{"population", fmt.Sprintf("%d accounts and entitlements, digest %s", v.Accesses, v.Digest)},
		{"items", fmt.Sprintf("%d: %d decided by people, %d by silence, %d moot, %d open", s.Items, s.Human, s.Silence, s.Moot, s.Open)},
		{"completion", fmt.Sprintf("%.0f%%", 100*s.Completion)},
		{"revoked", fmt.Sprintf("%d, of which %d are proven to be gone", s.Revoked, s.Proven)},
	}, v.Quality.fields()...)...)
	for _, scan := range v.Scans {
		switch {
		case scan.Scan == 0:
			p.note("%s was never scanned: what others gave there is not in this review", scan.App)
		case scan.Stale:
			p.note("the last complete scan of %s is old: %s", scan.App, words.Instant(scan.At))
		}
	}
	p.table("Asked", "person,name,items,open", rowsOf(v.Reviewers, func(r reviewerView) []string {
		return []string{cmp.Or(r.Person, "nobody can be asked"), r.Name, strconv.Itoa(r.Items), strconv.Itoa(r.Open)}
	}))
}

// silenceText says what silence would do.
func silenceText(s review.Silenced) string {
	text := fmt.Sprintf("if nobody decides anything more: %d items are revoked (%d accounts and entitlements of %d people), and %d kept", s.Items, s.Accesses, s.People, s.Kept)
	if s.Holds() {
		text += fmt.Sprintf("; the breaker holds it, since %d people may lose something at once", s.Allowed)
	}
	return text
}

// decidedView describes items about which something was, or would be, decided.
type decidedView struct {
	Review   string     `json:"review"`
	Decision string     `json:"decision"`
	Items    []itemView `json:"items"`
	Steps    []string   `json:"steps"` // what has to be done if it takes effect now
	More     int        `json:"more,omitempty"`
	Applied  bool       `json:"applied"`
}

// movedView describes items that somebody else is, or would be, asked about.
type movedView struct {
	Review  string     `json:"review"`
	To      string     `json:"to"`
	Items   []itemView `json:"items"`
	Applied bool       `json:"applied"`
}
