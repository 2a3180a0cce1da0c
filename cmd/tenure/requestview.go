package main

import (
	"cmp"
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/tenurehq/tenure/internal/words"
	"github.com/tenurehq/tenure/ledger"
	"github.com/tenurehq/tenure/operator"
	"github.com/tenurehq/tenure/operator/report"
	"github.com/tenurehq/tenure/policy"
)

// requestView describes a request.
type requestView struct {
	Request   string    `json:"request,omitempty"` // empty if it was not made
	Person    string    `json:"person"`
	Name      string    `json:"name,omitempty"`
	Role      string    `json:"role,omitempty"`
	Duty      string    `json:"duty,omitempty"` // the rule that is to be waived, if it is not a role
	Control   string    `json:"control,omitempty"`
	State     string    `json:"state"`
	Late      bool      `json:"late,omitempty"` // an emergency that nobody has confirmed or disputed in time
	For       string    `json:"for"`
	From      time.Time `json:"from,omitzero"` // the later date that was asked for
	Reason    string    `json:"reason"`
	Ticket    string    `json:"ticket,omitempty"`
	AskedBy   string    `json:"askedBy"`
	Operator  string    `json:"operator"`
	Login     string    `json:"login,omitempty"`
	AskedAt   time.Time `json:"askedAt"`
	Emergency bool      `json:"emergency,omitempty"`
	Extends   string    `json:"extends,omitempty"`
	Stage     int       `json:"stage"` // from 1
	Until     time.Time `json:"until,omitzero"`
	Exception string    `json:"exception,omitempty"`
	DecidedAt time.Time `json:"decidedAt,omitzero"`
	Why       string    `json:"why,omitempty"`
	ProvenAt  time.Time `json:"provenAt,omitzero"`
}

func viewRequest(r ledger.Request, name string, now time.Time) requestView {
	v := requestView{
		Person: r.PersonID, Name: name, Role: r.Role, Duty: r.Duty, Control: r.Control, State: string(r.State), For: r.For.String(), From: r.StartsAt, Reason: r.Reason, Ticket: r.Ticket,
		AskedBy: r.AskedBy, Operator: r.Operator, Login: r.Login, AskedAt: r.AskedAt, Emergency: r.Emergency, Stage: r.Stage + 1,
		DecidedAt: r.DecidedAt, Why: r.Why, ProvenAt: r.ProvenAt,
	}
	if r.ID != 0 {
		v.Request = r.Name()
	}
	if r.Extends != 0 {
		v.Extends = ledger.ExceptionName(r.Extends)
	}
	if r.Exception != 0 {
		v.Exception = ledger.ExceptionName(r.Exception)
	}
	if r.Undecided() {
		v.Until = r.ExpiresAt
		v.Late = r.State == ledger.RequestConfirming && !r.ExpiresAt.After(now)
	}
	return v
}

// lasts says for how long it is asked for, as people write it.
func (v requestView) lasts() string { return spanOf(v.For) }

// spanOf writes a length of time, as Go writes it, for people.
func spanOf(text string) string {
	d, err := time.ParseDuration(text)
	if err != nil {
		return text
	}
	return words.Span(d)
}

// what names what is asked for.
func (v requestView) what() string {
	if v.Duty != "" {
		return "waiver of " + v.Duty
	}
	return "role " + v.Role
}

// keptApartView describes what would be brought together although a rule keeps it apart.
type keptApartView struct {
	Duty    string          `json:"duty"`
	Mode    policy.DutyMode `json:"mode"`
	One     string          `json:"one"`
	Other   string          `json:"other"`
	Waiver  string          `json:"waiver,omitempty"`
	Forbids bool            `json:"forbids,omitempty"` // it cannot be approved because of it
}

func viewKeptApart(k operator.KeptApart, x ledger.Exception) keptApartView {
	v := keptApartView{Duty: k.Duty, Mode: k.Mode, One: policy.Things(k.One), Other: policy.Reasons(k.Other), Waiver: k.Waiver, Forbids: k.Forbids}
	if v.Waiver == x.Name() && x.ID == 0 {
		v.Waiver = "this one"
	}
	return v
}

// is says what a rule does about what it keeps apart.
func (v keptApartView) is() string {
	switch {
	case v.Forbids:
		return "forbidden"
	case v.Waiver != "":
		return "waived by " + v.Waiver
	}
	return "shown only"
}

// deciderView is somebody who decides, or was asked.
type deciderView struct {
	Person    string    `json:"person"`
	Name      string    `json:"name,omitempty"`
	Stage     int       `json:"stage"` // from 1
	Authority string    `json:"authority"`
	AskedAt   time.Time `json:"askedAt,omitzero"`
	Reminders int       `json:"reminders,omitempty"`
	MootAt    time.Time `json:"mootAt,omitzero"` // since when they are asked no longer
	Vote      string    `json:"vote,omitempty"`
	Operator  string    `json:"operator,omitempty"`
	Login     string    `json:"login,omitempty"`
	Shown     string    `json:"shown,omitempty"`
	Reason    string    `json:"reason,omitempty"`
	At        time.Time `json:"at,omitzero"`
}

// openRequestView describes a request with what would come of it.
type openRequestView struct {
	requestView
	Title    string        `json:"title"` // of the role
	About    string        `json:"about,omitempty"`
	Risk     string        `json:"risk,omitempty"`
	Deciders []deciderView `json:"deciders"`         // who decides now
	Asked    []deciderView `json:"asked,omitempty"`  // who was asked so far, and what they said
	At       time.Time     `json:"at,omitzero"`      // when what is to be done is due, if it is approved now
	Ends     time.Time     `json:"ends,omitzero"`    // when what was granted ends, or would
	EndedAt  time.Time     `json:"endedAt,omitzero"` // when it has ended
	Steps    []string      `json:"steps"`            // what is to be done then
	Digest   string        `json:"digest,omitempty"`
	Changed  bool          `json:"changed,omitempty"` // something else than when it was asked
	// Together lists what would be brought together although a rule of separation of duties keeps
	// it apart, and Cannot why it cannot be approved now.
	Together  []keptApartView `json:"together,omitempty"`
	Cannot    string          `json:"cannot,omitempty"`
	SameLogin bool            `json:"sameLogin,omitempty"` // an approval came from the login that asked
	Applied   bool            `json:"applied,omitempty"`
}

// openRequest returns a view of a request with what would come of it.
func (c *cli) openRequest(ctx context.Context, o *operator.Viewer, r operator.ChangedRequest) (openRequestView, error) {
	v := openRequestView{
		requestView: viewRequest(r.Request, report.SummaryOf(r.Person).Name(), o.Clock.Now()), Deciders: []deciderView{}, Steps: []string{},
		At: r.At, Ends: r.Exception.EndsAt, EndedAt: r.Exception.EndedAt, Digest: r.Digest, Changed: r.Changed, Cannot: r.Cannot, Applied: r.Applied,
	}
	v.Title, v.About, v.Risk = aboutRequest(o.Policy, r.Request)
	for _, k := range r.Together {
		v.Together = append(v.Together, viewKeptApart(k, r.Exception))
	}
	names := map[string]string{}
	for _, d := range r.Deciders {
		name, err := nameOf(ctx, o.Ledger, names, d.PersonID)
		if err != nil {
			return v, err
		}
		v.Deciders = append(v.Deciders, deciderView{Person: d.PersonID, Name: name, Stage: v.Stage, Authority: d.Authority})
	}
	for _, step := range r.Steps {
		v.Steps = append(v.Steps, operator.DescribeStep(step))
	}
	if r.Request.ID == 0 {
		return v, nil
	}
	votes, err := o.Ledger.Votes(ctx, r.Request.ID)
	for _, vote := range votes {
		name, err := nameOf(ctx, o.Ledger, names, vote.Voter)
		if err != nil {
			return v, err
		}
		v.Asked = append(v.Asked, deciderView{
			Person: vote.Voter, Name: name, Stage: vote.Stage + 1, Authority: vote.Authority, AskedAt: vote.AskedAt, Reminders: vote.Reminders,
			MootAt: vote.MootAt, Vote: string(vote.Vote), Operator: vote.Operator, Login: vote.Login, Shown: vote.Shown, Reason: vote.Reason, At: vote.At,
		})
		v.SameLogin = v.SameLogin || vote.Vote == ledger.VoteApprove && vote.Login != "" && vote.Login == r.Request.Login
	}
	return v, err
}

// aboutRequest says what people have to know of what is requested.
func aboutRequest(rules *policy.Policy, r ledger.Request) (title, about, risk string) {
	if r.Duty != "" {
		duty, _ := rules.Duty(r.Duty)
		return r.Duty, duty.About, ""
	}
	facts, _ := rules.Facts(r.Role)
	return cmp.Or(facts.Title, r.Role), facts.About, string(facts.Risk)
}

// sayDeciders says who decides now.
func (c *cli) sayDeciders(v openRequestView) {
	for _, d := range v.Deciders {
		c.say("  asked  %s  %s\n", strings.TrimSpace(d.Person+" "+d.Name), d.Authority)
	}
	if len(v.Deciders) == 0 && v.State == string(ledger.RequestAsked) {
		c.say("  nobody can decide at the moment: see governance.fallback\n")
	}
}

// sayConsequences says what would be done if the request is approved now.
func (c *cli) sayConsequences(v openRequestView, now time.Time) {
	if v.Digest == "" {
		return
	}
	due := "now"
	if v.At.After(now) {
		due = "at " + words.Instant(v.At)
	}
	nothing := "nothing has to be done for it " + due
	if v.State == string(ledger.RequestAsked) {
		due, nothing = "if approved, "+due, "if it is approved, "+nothing
	}
	for _, step := range v.Steps {
		c.say("  %s  %s\n", due, step)
	}
	if len(v.Steps) == 0 {
		c.say("  %s\n", nothing)
	}
	for _, k := range v.Together {
		c.say("  duty %s, %s: %s together with %s\n", k.Duty, k.is(), k.One, k.Other)
	}
	c.say("  digest %s\n", v.Digest)
	if v.Changed {
		c.say("  this is something else than when it was asked\n")
	}
}

const requestHeader = "request,person,name,role,state,stage,asked,by,for,until,grant,proven,reason"

func (v requestView) row() []string {
	state := v.State
	if v.Late {
		state += ", late"
	}
	if v.Emergency {
		state += " (emergency)"
	}
	return []string{
		v.Request, v.Person, v.Name, v.named(), state, fmt.Sprint(v.Stage), words.Instant(v.AskedAt), v.AskedBy, v.lasts(),
		words.Instant(v.Until), v.Exception, words.Instant(v.ProvenAt), v.Reason,
	}
}

// named names what is asked for, in a list of roles.
func (v requestView) named() string {
	if v.Duty != "" {
		return v.what()
	}
	return v.Role
}

// request adds the facts of one request.
func (p *page) request(v openRequestView) {
	role := v.Role
	if v.Title != v.Role && v.Role != "" {
		role += " (" + v.Title + ")"
	}
	lasts := v.lasts()
	if !v.From.IsZero() {
		lasts += " from " + words.Instant(v.From)
	}
	state := v.row()[4]
	if v.Why != "" {
		state += ": " + v.Why
	}
	p.fields(
		field{"request", v.Request}, field{"person", strings.TrimSpace(v.Person + " " + v.Name)}, field{"role", role}, field{"waives", v.Duty},
		field{"control", v.Control}, field{"about", v.About},
		field{"risk", v.Risk}, field{"state", state}, field{"for", lasts}, field{"prolongs", v.Extends}, field{"reason", v.Reason}, field{"ticket", v.Ticket},
		field{"asked", words.Instant(v.AskedAt) + " by " + v.AskedBy + ", written down by " + operatorFrom(v.Operator, v.Login)},
		field{"to be answered by", words.Instant(v.Until)}, field{"decided", words.Instant(v.DecidedAt)}, field{"grant", v.Exception},
		field{"ends", endsOf(v)}, field{"proven", words.Instant(v.ProvenAt)},
	)
	if v.SameLogin {
		p.note("approved from the login that asked: check that it was the person who is said to have approved")
	}
	p.table("Decides now", "person,name,authority", rowsOf(v.Deciders, func(d deciderView) []string { return []string{d.Person, d.Name, d.Authority} }))
	if v.State == string(ledger.RequestAsked) && len(v.Deciders) == 0 {
		p.note("nobody can decide at the moment: see governance.fallback")
	}
	if v.Cannot != "" {
		p.note("it cannot be approved now: %s", v.Cannot)
	}
	p.table("Asked", "stage,person,name,authority,asked,reminders,said,at,by,shown,reason", rowsOf(v.Asked, deciderView.row))
	if v.Digest == "" {
		return
	}
	p.table("If it is approved now", "at,what", rowsOf(v.Steps, func(step string) []string { return []string{words.Instant(v.At), step} }))
	p.table("What duties keep apart", "rule,mode,gives,together with,is", rowsOf(v.Together, func(k keptApartView) []string {
		return []string{k.Duty, string(k.Mode), k.One, k.Other, k.is()}
	}))
	if len(v.Steps) == 0 {
		p.note("nothing would have to be done if it were approved now")
	}
	p.note("digest of what would be done: %s", v.Digest)
	if v.Changed {
		p.note("this is something else than when it was asked")
	}
}

// endsOf returns when a grant that was made ends, or ended before its time.
func endsOf(v openRequestView) string {
	switch {
	case v.Exception == "":
		return ""
	case !v.EndedAt.IsZero():
		return "ended " + words.Instant(v.EndedAt)
	}
	return words.Instant(v.Ends)
}

func (v deciderView) row() []string {
	said := v.Vote
	if said == "" && !v.MootAt.IsZero() {
		said = "no longer asked"
	}
	return []string{
		fmt.Sprint(v.Stage), v.Person, v.Name, v.Authority, words.Instant(v.AskedAt), fmt.Sprint(v.Reminders), said, words.Instant(v.At),
		operatorFrom(v.Operator, v.Login), v.Shown, v.Reason,
	}
}
