package evidence

import (
	"encoding/json"
	"slices"
	"strings"
	"time"

	"github.com/tenurehq/tenure/ledger"
	"github.com/tenurehq/tenure/policy"
	"github.com/tenurehq/tenure/review"
)

// overlaps reports whether something that began and ended is of the scope's time. A zero end is
// that of what has not ended.
func (s Scope) overlaps(began, ended time.Time) bool {
	return (s.Until.IsZero() || began.Before(s.Until)) && (ended.IsZero() || !ended.Before(s.From))
}

// Letter is a record that could not be read.
type Letter struct {
	Letter    int64              `json:"letter"`
	Topic     string             `json:"topic"`
	Partition int                `json:"partition"`
	Offset    int64              `json:"offset"`
	Received  time.Time          `json:"received"`
	Person    string             `json:"person,omitempty"`
	Reason    string             `json:"reason"`
	Field     string             `json:"field,omitempty"`
	Urgent    bool               `json:"urgent,omitempty"`
	State     ledger.LetterState `json:"state"`
	By        string             `json:"by,omitempty"`
	Why       string             `json:"why,omitempty"`
	EndedAt   time.Time          `json:"endedAt,omitzero"`
}

// readIntake writes down the records that could not be read.
func (k *maker) readIntake() error {
	if k.Review != "" {
		return nil
	}
	if _, err := k.listing("letters.jsonl"); err != nil {
		return err
	}
	if k.everybody() {
		for r, err := range ledger.AllRepetitions(k.ctx, k.Ledger, k.From, k.Until) {
			if err != nil {
				return err
			}
			k.offset(r.At, r.Received, repeated)
		}
	}
	for l, err := range ledger.AllDeadLetters(k.ctx, k.Ledger, ledger.LetterFilter{PersonID: k.Person, From: k.From, Until: k.Until}, 0) {
		if err != nil {
			return err
		}
		k.offset(l.Origin, l.ReceivedAt, refused)
		if l.Pending() {
			k.tally.letters++
		}
		if err := k.emit("letters.jsonl", Letter{
			Letter: l.ID, Topic: l.Origin.Topic, Partition: l.Origin.Partition, Offset: l.Origin.Offset, Received: l.ReceivedAt, Person: l.PersonID,
			Reason: l.Reason, Field: l.Field, Urgent: l.Urgent, State: l.State, By: l.Operator, Why: l.Why, EndedAt: l.EndedAt,
		}); err != nil {
			return err
		}
	}
	return nil
}

// Task is what a human was asked to do in an app.
type Task struct {
	Task         string           `json:"task"`
	Person       string           `json:"person"`
	App          string           `json:"app"`
	Kind         string           `json:"kind"`
	Assignee     string           `json:"assignee"`
	SecondPerson bool             `json:"secondPerson,omitempty"`
	State        ledger.TaskState `json:"state"`
	OpenedAt     time.Time        `json:"openedAt"`
	DueAt        time.Time        `json:"dueAt"`
	DoneBy       string           `json:"doneBy,omitempty"`
	DoneLogin    string           `json:"doneLogin,omitempty"`
	DoneAt       time.Time        `json:"doneAt,omitzero"`
	Proof        string           `json:"proof,omitempty"`
	EndedBy      string           `json:"endedBy,omitempty"`
	EndedLogin   string           `json:"endedLogin,omitempty"`
	EndedAt      time.Time        `json:"endedAt,omitzero"`
	Why          string           `json:"why,omitempty"`
}

// Request is a request for access, with who was asked.
type Request struct {
	Request    string              `json:"request"`
	Person     string              `json:"person"`
	Role       string              `json:"role,omitempty"`
	Duty       string              `json:"duty,omitempty"`
	Control    string              `json:"control,omitempty"`
	ForSeconds int64               `json:"forSeconds"`
	Reason     string              `json:"reason"`
	Ticket     string              `json:"ticket,omitempty"`
	AskedBy    string              `json:"askedBy"`
	AskedAt    time.Time           `json:"askedAt"`
	Operator   string              `json:"operator"`
	Login      string              `json:"login,omitempty"`
	Emergency  bool                `json:"emergency,omitempty"`
	State      ledger.RequestState `json:"state"`
	DecidedAt  time.Time           `json:"decidedAt,omitzero"`
	Why        string              `json:"why,omitempty"`
	Exception  string              `json:"exception,omitempty"`
	ProvenAt   time.Time           `json:"provenAt,omitzero"` // when the apps showed the access
	Votes      []Vote              `json:"votes"`
}

// Vote is somebody who was asked.
type Vote struct {
	Stage     int             `json:"stage"`
	Voter     string          `json:"voter"`
	Authority string          `json:"authority"`
	AskedAt   time.Time       `json:"askedAt"`
	Vote      ledger.VoteKind `json:"vote,omitempty"`
	At        time.Time       `json:"at,omitzero"`
	Operator  string          `json:"operator,omitempty"`
	Login     string          `json:"login,omitempty"`
	Reason    string          `json:"reason,omitempty"`
	Shown     string          `json:"shown,omitempty"` // digest of what they were shown
}

// Exception is a decision by which access differs from the rules.
type Exception struct {
	Exception   string    `json:"exception"`
	Kind        string    `json:"kind"`
	Person      string    `json:"person"`
	Role        string    `json:"role,omitempty"`
	App         string    `json:"app,omitempty"`
	Entitlement string    `json:"entitlement,omitempty"`
	Duty        string    `json:"duty,omitempty"`
	Control     string    `json:"control,omitempty"`
	StartsAt    time.Time `json:"startsAt"`
	EndsAt      time.Time `json:"endsAt,omitzero"`
	Origin      string    `json:"origin"`
	Emergency   bool      `json:"emergency,omitempty"`
	DecidedAt   time.Time `json:"decidedAt"`
	DecidedBy   string    `json:"decidedBy"`
	Login       string    `json:"login,omitempty"`
	Reason      string    `json:"reason"`
	EndedAt     time.Time `json:"endedAt,omitzero"`
	EndedBy     string    `json:"endedBy,omitempty"`
	EndReason   string    `json:"endReason,omitempty"`
}

// Duty is a rule of separation of duties.
type Duty struct {
	Duty      string          `json:"duty"`
	About     string          `json:"about,omitempty"`
	Mode      policy.DutyMode `json:"mode"`
	One       []string        `json:"one"`
	Other     []string        `json:"other"`
	Owner     []string        `json:"owner"`
	Waivable  bool            `json:"waivable"`
	Conflicts int             `json:"conflicts"` // that scans have found, and that have not ended
	Waivers   int             `json:"waivers"`   // in the scope's time
}

// Finding is what a scan found to differ from the record.
type Finding struct {
	Finding string               `json:"finding"`
	App     string               `json:"app"`
	Account string               `json:"account"`
	Kind    ledger.FindingKind   `json:"kind"`
	What    string               `json:"what,omitempty"`
	Person  string               `json:"person,omitempty"`
	Enabled bool                 `json:"enabled"`
	State   ledger.FindingStatus `json:"state"`
	FoundAt time.Time            `json:"foundAt"`
	By      string               `json:"by,omitempty"` // who decided
	Reason  string               `json:"reason,omitempty"`
	EndedAt time.Time            `json:"endedAt,omitzero"`
}

// readGovernance writes down what people decided.
func (k *maker) readGovernance() error {
	if k.Review != "" {
		return nil
	}
	for _, read := range []func() error{k.readTasks, k.readRequests, k.readExceptions, k.readFindings, k.readDuties} {
		if err := read(); err != nil {
			return err
		}
	}
	return nil
}

func (k *maker) readTasks() error {
	if _, err := k.listing("tasks.jsonl"); err != nil {
		return err
	}
	for t, err := range ledger.AllTasks(k.ctx, k.Ledger, ledger.TaskFilter{PersonID: k.Person, App: k.App}) {
		if err != nil {
			return err
		}
		if !k.overlaps(t.OpenedAt, t.EndedAt) {
			continue
		}
		if err := k.emit("tasks.jsonl", Task{
			Task: t.Name(), Person: t.PersonID, App: t.App, Kind: t.Kind, Assignee: t.Assignee, SecondPerson: t.SecondPerson, State: t.State,
			OpenedAt: t.OpenedAt, DueAt: t.DueAt, DoneBy: t.DoneBy, DoneLogin: t.DoneLogin, DoneAt: t.DoneAt, Proof: t.Proof,
			EndedBy: t.EndedBy, EndedLogin: t.EndedLogin, EndedAt: t.EndedAt, Why: t.Why,
		}); err != nil {
			return err
		}
	}
	return nil
}

// gives reports whether a role gives something in the scope's app.
func (k *maker) gives(role string) bool {
	return k.App == "" || role == "" || slices.ContainsFunc(k.Policy.RoleGrants(role), func(g policy.Grant) bool { return g.App == k.App })
}

func (k *maker) readRequests() error {
	if _, err := k.listing("requests.jsonl"); err != nil {
		return err
	}
	for r, err := range ledger.AllRequests(k.ctx, k.Ledger, ledger.RequestFilter{PersonID: k.Person}, 0) {
		if err != nil {
			return err
		}
		if !k.overlaps(r.AskedAt, r.DecidedAt) || !k.gives(r.Role) {
			continue
		}
		votes, err := k.Ledger.Votes(k.ctx, r.ID)
		if err != nil {
			return err
		}
		line := Request{
			Request: r.Name(), Person: r.PersonID, Role: r.Role, Duty: r.Duty, Control: r.Control, ForSeconds: int64(r.For.Seconds()), Reason: r.Reason, Ticket: r.Ticket,
			AskedBy: r.AskedBy, AskedAt: r.AskedAt, Operator: r.Operator, Login: r.Login, Emergency: r.Emergency, State: r.State, DecidedAt: r.DecidedAt, Why: r.Why,
			ProvenAt: r.ProvenAt, Votes: []Vote{},
		}
		if r.Exception != 0 {
			line.Exception = ledger.ExceptionName(r.Exception)
		}
		for _, v := range votes {
			line.Votes = append(line.Votes, Vote{
				Stage: v.Stage, Voter: v.Voter, Authority: v.Authority, AskedAt: v.AskedAt, Vote: v.Vote, At: v.At, Operator: v.Operator, Login: v.Login,
				Reason: v.Reason, Shown: v.Shown,
			})
		}
		if err := k.emit("requests.jsonl", line); err != nil {
			return err
		}
	}
	return nil
}

func (k *maker) readExceptions() error {
	if _, err := k.listing("exceptions.jsonl"); err != nil {
		return err
	}
	k.tally.waivers = map[string]int{}
	for x, err := range ledger.AllExceptions(k.ctx, k.Ledger, ledger.ExceptionFilter{PersonID: k.Person}, 0) {
		if err != nil {
			return err
		}
		ended := x.EndedAt
		if ended.IsZero() || !x.EndsAt.IsZero() && x.EndsAt.Before(ended) {
			ended = x.EndsAt
		}
		if !k.overlaps(x.StartsAt, ended) && !k.holds(x.DecidedAt) || !k.of(x.App) || !k.gives(x.Role) {
			continue
		}
		if x.Duty != "" {
			k.tally.waivers[x.Duty]++
		}
		if err := k.emit("exceptions.jsonl", Exception{
			Exception: x.Name(), Kind: x.Kind, Person: x.PersonID, Role: x.Role, App: x.App, Entitlement: x.Entitlement, Duty: x.Duty, Control: x.Control,
			StartsAt: x.StartsAt, EndsAt: x.EndsAt, Origin: x.Origin, Emergency: x.Emergency, DecidedAt: x.DecidedAt, DecidedBy: x.DecidedBy, Login: x.Login,
			Reason: x.Reason, EndedAt: x.EndedAt, EndedBy: x.EndedBy, EndReason: x.EndReason,
		}); err != nil {
			return err
		}
	}
	return nil
}

func (k *maker) readFindings() error {
	if _, err := k.listing("findings.jsonl"); err != nil {
		return err
	}
	k.tally.conflicts = map[string]int{}
	for f, err := range ledger.AllFindings(k.ctx, k.Ledger, ledger.FindingFilter{App: k.App, PersonID: k.Person, Ended: true}) {
		if err != nil {
			return err
		}
		if f.EndedAt.IsZero() && f.Kind == ledger.FindingDuty {
			k.tally.conflicts[f.What]++
		}
		if !k.overlaps(f.FoundAt, f.EndedAt) {
			continue
		}
		if err := k.emit("findings.jsonl", Finding{
			Finding: ledger.FindingName(f.ID), App: f.App, Account: f.AccountID, Kind: f.Kind, What: f.What, Person: f.PersonID, Enabled: f.Enabled, State: f.State,
			FoundAt: f.FoundAt, By: f.DecidedBy, Reason: f.Reason, EndedAt: f.EndedAt,
		}); err != nil {
			return err
		}
	}
	return nil
}

func (k *maker) readDuties() error {
	if _, err := k.listing("duties.jsonl"); err != nil {
		return err
	}
	for _, d := range k.Policy.Duties() {
		if !slices.ContainsFunc(slices.Concat(d.One, d.Other), func(g policy.Grant) bool { return k.of(g.App) }) {
			continue
		}
		if err := k.emit("duties.jsonl", Duty{
			Duty: d.Name, About: d.About, Mode: d.Mode, One: grants(d.One), Other: grants(d.Other), Owner: k.Policy.DutyOwner(d.Name), Waivable: d.Waive != nil,
			Conflicts: k.tally.conflicts[d.Name], Waivers: k.tally.waivers[d.Name],
		}); err != nil {
			return err
		}
	}
	return nil
}

// grants names what is given: "erp:ap-clerk,ap-approver".
func grants(all []policy.Grant) []string {
	out := []string{}
	for _, g := range all {
		out = append(out, strings.TrimSuffix(g.App+":"+strings.Join(g.Entitlements, ","), ":"))
	}
	return out
}

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

// Scan is the last complete scan of an app.
type Scan struct {
	App       string    `json:"app"`
	Scan      int64     `json:"scan,omitempty"` // 0: there was none
	StartedAt time.Time `json:"startedAt,omitzero"`
	ListedAt  time.Time `json:"listedAt,omitzero"`
	EndedAt   time.Time `json:"endedAt,omitzero"`
	Accounts  int       `json:"accounts"` // that the app showed
	Enabled   int       `json:"enabled"`
	Pages     int       `json:"pages"`
	Reported  *int      `json:"reported,omitempty"` // the number that the app itself gave, if it gave one
	Listed    int       `json:"listed"`             // in accounts.jsonl
	Linked    int       `json:"linked"`             // of these: somebody's, as the ledger has it
	Nobodys   int       `json:"nobodys"`            // of these: nobody's
	Stale     bool      `json:"stale,omitempty"`    // it is older than it may be
}

// Account is an account as the last complete scan saw it.
type Account struct {
	App          string           `json:"app"`
	Account      string           `json:"account"`
	Username     string           `json:"username,omitempty"`
	Enabled      bool             `json:"enabled"`
	Entitlements []string         `json:"entitlements"`
	LastUsedAt   time.Time        `json:"lastUsedAt,omitzero"` // zero: never, or the app does not say
	SeenAt       time.Time        `json:"seenAt"`
	Person       string           `json:"person,omitempty"` // whose it is; empty: nobody's
	State        ledger.LinkState `json:"state,omitempty"`  // as the ledger has it
}

// readScans writes down what apps showed.
func (k *maker) readScans() error {
	if k.Review != "" {
		return nil
	}
	for _, f := range []string{"scans.jsonl", "accounts.jsonl"} {
		if _, err := k.listing(f); err != nil {
			return err
		}
	}
	last, err := k.Ledger.LastScans(k.ctx)
	if err != nil {
		return err
	}
	apps := slices.Clone(k.Apps)
	for _, s := range last {
		apps = append(apps, s.App)
	}
	slices.Sort(apps)
	for _, app := range slices.Compact(apps) {
		if !k.of(app) {
			continue
		}
		i := slices.IndexFunc(last, func(s ledger.Scan) bool { return s.App == app })
		line := Scan{App: app}
		if i >= 0 {
			if line, err = k.scan(last[i]); err != nil {
				return err
			}
		}
		k.scanned = append(k.scanned, line)
		if err := k.emit("scans.jsonl", line); err != nil {
			return err
		}
	}
	return nil
}

// scan writes down the accounts that a scan saw.
func (k *maker) scan(s ledger.Scan) (Scan, error) {
	line := Scan{
		App: s.App, Scan: s.ID, StartedAt: s.StartedAt, ListedAt: s.ListedAt, EndedAt: s.EndedAt, Accounts: s.Accounts, Enabled: s.Enabled, Pages: s.Pages,
		Stale: k.Now.Sub(s.StartedAt) > k.Fresh,
	}
	if s.Reported >= 0 {
		line.Reported = &s.Reported
	}
	links, err := k.Ledger.Links(k.ctx, ledger.LinkFilter{App: s.App})
	if err != nil {
		return line, err
	}
	owners := make(map[string]ledger.Link, len(links))
	for _, l := range links {
		if l.AccountID != "" && l.State != ledger.LinkDeleted {
			owners[l.AccountID] = l
		}
	}
	for o, err := range ledger.AllListed(k.ctx, k.Ledger, s.App, s.ID) {
		if err != nil {
			return line, err
		}
		line.Listed++
		owner, linked := owners[o.AccountID]
		if linked && !ledger.IsOrphan(owner.PersonID) {
			line.Linked++
		} else {
			line.Nobodys++
		}
		if k.Person != "" && owner.PersonID != k.Person {
			continue
		}
		a := Account{
			App: o.App, Account: o.AccountID, Username: o.Username, Enabled: o.Active, Entitlements: o.Entitlements, LastUsedAt: o.LastUsedAt, SeenAt: o.At,
			Person: owner.PersonID, State: owner.State,
		}
		if a.Entitlements == nil {
			a.Entitlements = []string{}
		}
		if err := k.emit("accounts.jsonl", a); err != nil {
			return line, err
		}
	}
	return line, nil
}

// termsOf returns how a review is held; none if it does not say.
func termsOf(r ledger.Review) json.RawMessage {
	if r.Terms == "" {
		return nil
	}
	return json.RawMessage(r.Terms)
}
