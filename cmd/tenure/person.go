package main

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/tenurehq/tenure/config"
	"github.com/tenurehq/tenure/hr"
	"github.com/tenurehq/tenure/ledger"
)

func (c *cli) personCommand() *cobra.Command {
	return noun("person", "Show people: who they are to HR, and what they have; cut them off now",
		c.personListCommand(), c.personShowCommand(), c.personTimelineCommand(), c.personWhyCommand(), c.personEvidenceCommand(), c.personSuspendCommand(), c.personReinstateCommand(),
		c.personRenameCommand(), c.personLinkCommand(), c.personUnlinkCommand())
}

// personView is a person in a list.
type personView struct {
	Person     string    `json:"person"`
	ID         string    `json:"id"` // the same, as it was named before
	Username   string    `json:"username,omitempty"`
	GivenName  string    `json:"givenName,omitempty"`
	FamilyName string    `json:"familyName,omitempty"`
	Status     hr.Status `json:"status,omitempty"`
	Department string    `json:"department,omitempty"`
	JobTitle   string    `json:"jobTitle,omitempty"`
	ManagerID  string    `json:"managerId,omitempty"`
	DueAt      time.Time `json:"dueAt,omitzero"`
	DueWhat    string    `json:"dueWhat,omitempty"`
	AssessedAt time.Time `json:"assessedAt,omitzero"`
}

func viewPerson(s ledger.Summary) personView {
	return personView{
		Person: s.PersonID, ID: s.PersonID, Username: s.Username, GivenName: s.GivenName, FamilyName: s.FamilyName, Status: s.Status,
		Department: s.Department, JobTitle: s.JobTitle, ManagerID: s.ManagerID,
		DueAt: s.DueAt, DueWhat: s.DueWhat, AssessedAt: s.AssessedAt,
	}
}

func (v personView) name() string { return strings.TrimSpace(v.GivenName + " " + v.FamilyName) }

func (v personView) due() string {
	if v.DueAt.IsZero() {
		return ""
	}
	if v.DueWhat == ledger.DueWorking {
		return "now: see its steps" // the instant is only when the sweeper would look
	}
	if v.DueWhat == ledger.DueBreaker {
		return "now: in a mass change (tenure breaker list)" // likewise
	}
	return v.DueWhat + " " + instant(v.DueAt)
}

func (c *cli) personListCommand() *cobra.Command {
	var f peopleFilter
	cmd := &cobra.Command{
		Use:   "list",
		Short: "List the people in the ledger",
		Long: `List the people in the ledger, by ID. All conditions that are given have to hold.
With --limit, the rest is listed by --after and the last ID of the page.`,
		Example: `  tenure person list
  tenure person list --status on_leave --department Sales
  tenure person list --role engineering --app wiki -o csv
  tenure person list --limit 100 --after 10100`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return c.withLedger(cmd.Context(), func(cfg *config.Config, l ledger.Ledger) error {
				people, more, err := f.find(cmd.Context(), cfg, l)
				if err != nil {
					return err
				}
				if more {
					defer func() { c.tell("there are more: --after %s\n", quoted(people[len(people)-1].ID)) }()
				}
				return c.printList(people, peopleHeader, rowsOf(people, personView.row), func(p *page) { drawPeople(p, people) })
			})
		},
	}
	f.flags(c, cmd)
	return c.lists(cmd)
}

const peopleHeader = "person,name,username,status,department,title,due"

func (v personView) row() []string {
	return []string{v.ID, v.name(), v.Username, string(v.Status), v.Department, v.JobTitle, v.due()}
}

func drawPeople(p *page, people []personView) {
	p.table("", peopleHeader, rowsOf(people, personView.row))
	if len(people) == 0 {
		p.note("nobody")
	}
}

// pageSize is how many people are asked for at once.
const pageSize = 500

// eachPerson calls f for everybody in the ledger, by ID.
func eachPerson(ctx context.Context, l ledger.Ledger, f func(ledger.Summary) error) error {
	after := ""
	for {
		people, err := l.People(ctx, after, pageSize)
		if err != nil {
			return err
		}
		for _, s := range people {
			if err := f(s); err != nil {
				return err
			}
			after = s.PersonID
		}
		if len(people) < pageSize {
			return nil
		}
	}
}

type linkView struct {
	App          string           `json:"app"`
	State        ledger.LinkState `json:"state"`
	Protected    bool             `json:"protected,omitempty"` // no automation touches it
	AccountID    string           `json:"accountId,omitempty"`
	Username     string           `json:"username,omitempty"`
	Adopted      bool             `json:"adopted,omitempty"`
	Entitlements []string         `json:"entitlements,omitempty"`
	CreatedAt    time.Time        `json:"createdAt,omitzero"`
	DisabledAt   time.Time        `json:"disabledAt,omitzero"`
	StrippedAt   time.Time        `json:"strippedAt,omitzero"`
	HandedOverAt time.Time        `json:"handedOverAt,omitzero"`
	DeletedAt    time.Time        `json:"deletedAt,omitzero"`
	ProvenAt     time.Time        `json:"provenAt,omitzero"`
}

func viewLink(l ledger.Link) linkView {
	return linkView{
		App: l.App, State: l.State, AccountID: l.AccountID, Username: l.Username, Adopted: l.Adopted,
		Entitlements: l.Entitlements, CreatedAt: l.CreatedAt, DisabledAt: l.DisabledAt, StrippedAt: l.StrippedAt,
		HandedOverAt: l.HandedOverAt, DeletedAt: l.DeletedAt, ProvenAt: l.ProvenAt,
	}
}

// state is the state, and whether the account is protected.
func (v linkView) state() string {
	if v.Protected {
		return string(v.State) + ", protected"
	}
	return string(v.State)
}

// since is when the link's state was proven first.
func (v linkView) since() time.Time {
	switch v.State {
	case ledger.LinkDisabled:
		return v.DisabledAt
	case ledger.LinkDeleted:
		return v.DeletedAt
	}
	return v.CreatedAt
}

type stepView struct {
	Person        string           `json:"person"`
	App           string           `json:"app,omitempty"`
	Kind          string           `json:"kind"`
	Key           string           `json:"key"`
	State         ledger.StepState `json:"state"`
	Attempts      int              `json:"attempts,omitempty"`
	Code          string           `json:"code,omitempty"`
	Message       string           `json:"message,omitempty"`
	Reason        string           `json:"reason,omitempty"`
	PlannedAt     time.Time        `json:"plannedAt,omitzero"`
	LastAttemptAt time.Time        `json:"lastAttemptAt,omitzero"`
}

func viewStep(s ledger.Step) stepView {
	return stepView{
		Person: s.PersonID, App: s.App, Kind: s.Kind, Key: s.Key, State: s.State, Attempts: s.Attempts,
		Code: s.Code, Message: s.Message, Reason: s.Reason, PlannedAt: s.PlannedAt, LastAttemptAt: s.LastAttemptAt,
	}
}

// what is the step for people: what went wrong, or why it was skipped.
func (v stepView) what() string {
	if v.State == ledger.StepSkipped && v.Reason != "" {
		return v.Reason
	}
	return strings.Trim(v.Code+": "+v.Message, ": ")
}

// exactly wants these arguments, by name.
func exactly(names ...string) cobra.PositionalArgs {
	return func(cmd *cobra.Command, args []string) error {
		if len(args) != len(names) {
			return fmt.Errorf("%s wants %s, and was given %d arguments; see %s --help",
				cmd.CommandPath(), strings.Join(names, " "), len(args), cmd.CommandPath())
		}
		return nil
	}
}
