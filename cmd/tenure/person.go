package main

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/tenurehq/tenure/config"
	"github.com/tenurehq/tenure/hr"
	"github.com/tenurehq/tenure/ledger"
)

func (c *cli) personCommand() *cobra.Command {
	return noun("person", "Show people: who they are to HR, and what they have", c.personListCommand(), c.personShowCommand(), c.personTimelineCommand())
}

// personView is a person in a list.
type personView struct {
	ID         string    `json:"id"`
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
		ID: s.PersonID, Username: s.Username, GivenName: s.GivenName, FamilyName: s.FamilyName, Status: s.Status,
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
	return v.DueWhat + " " + instant(v.DueAt)
}

func (c *cli) personListCommand() *cobra.Command {
	var status string
	cmd := &cobra.Command{
		Use:   "list",
		Short: "List everybody in the ledger",
		Example: `  tenure person list
  tenure person list --status on_leave
  tenure person list -o json | jq -r '.[] | select(.department == "Sales") | .id'`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return c.withLedger(cmd.Context(), func(_ *config.Config, l ledger.Ledger) error {
				people := []personView{}
				err := eachPerson(cmd.Context(), l, func(s ledger.Summary) error {
					if status == "" || string(s.Status) == status {
						people = append(people, viewPerson(s))
					}
					return nil
				})
				if err != nil {
					return err
				}
				return c.print(people, func(p *page) { drawPeople(p, people) })
			})
		},
	}
	cmd.Flags().StringVar(&status, "status", "", "only people of this `status`: upcoming, active, on_leave, suspended, ended, unknown")
	return c.reads(cmd)
}

func drawPeople(p *page, people []personView) {
	p.table("", "person,name,username,status,department,title,due", rowsOf(people, func(v personView) []string {
		return []string{v.ID, v.name(), v.Username, string(v.Status), v.Department, v.JobTitle, v.due()}
	}))
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

// findPerson reads one person, and says in words that there is none.
func findPerson(ctx context.Context, l ledger.Ledger, id string) (ledger.Person, error) {
	person, err := l.Person(ctx, id)
	if !errors.Is(err, ledger.ErrNotFound) {
		return person, err
	}
	letters, err := l.DeadLetters(ctx, ledger.LetterFilter{PersonID: id}, 0, 1)
	if err == nil && len(letters) > 0 {
		return person, fmt.Errorf("the ledger knows no person %q, but there are dead letters about them: see tenure dlq list --person %s --state all", id, id)
	}
	return person, errors.Join(fmt.Errorf("the ledger knows no person %q", id), err)
}

type linkView struct {
	App          string           `json:"app"`
	State        ledger.LinkState `json:"state"`
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

func (c *cli) personShowCommand() *cobra.Command {
	return c.reads(&cobra.Command{
		Use:   "show PERSON",
		Short: "Show a person: their status, accounts, and what is still to be done",
		Long: `Show a person: their status, accounts, and what is still to be done.
Exits with 3 if something of theirs needs attention.`,
		Example: `  tenure person show 10004
  tenure person show 10004 -o json | jq '.accounts[] | {app, state}'`,
		Args: exactly("PERSON"),
		RunE: func(cmd *cobra.Command, args []string) error {
			return c.withLedger(cmd.Context(), func(_ *config.Config, l ledger.Ledger) error {
				person, err := findPerson(cmd.Context(), l, args[0])
				if err != nil {
					return err
				}
				if err := c.showPerson(person); err != nil {
					return err
				}
				if slices.ContainsFunc(person.Steps, func(s ledger.Step) bool { return s.State == ledger.StepAttention }) {
					return errAttention
				}
				return nil
			})
		},
	})
}

func (c *cli) showPerson(person ledger.Person) error {
	v := struct {
		personView
		Accounts []linkView `json:"accounts"`
		Steps    []stepView `json:"steps"`
		Waived   []string   `json:"waived,omitempty"`
		// Letters are records about the person that could not be read: what they
		// would have changed is not known.
		Letters []letterView `json:"deadLetters,omitempty"`
	}{personView: viewPerson(person.Summary), Accounts: []linkView{}, Steps: []stepView{}, Waived: person.Waivers}
	for _, l := range person.Links {
		v.Accounts = append(v.Accounts, viewLink(l))
	}
	for _, s := range person.Steps {
		v.Steps = append(v.Steps, viewStep(s))
	}
	for _, l := range person.Letters {
		v.Letters = append(v.Letters, viewLetter(l))
	}
	return c.print(v, func(p *page) {
		p.fields(field{"person", v.ID}, field{"name", v.name()}, field{"username", v.Username},
			field{"status", string(v.Status)}, field{"title", v.JobTitle}, field{"department", v.Department},
			field{"manager", v.ManagerID}, field{"due", v.due()}, field{"assessed", instant(v.AssessedAt)},
			field{"waived", strings.Join(v.Waived, ", ")})
		p.table("Accounts", "app,state,username,account,entitlements,since", rowsOf(v.Accounts, func(a linkView) []string {
			return []string{a.App, string(a.State), a.Username, a.AccountID, strings.Join(a.Entitlements, " "), instant(a.since())}
		}))
		p.table("Not done", "app,step,state,attempts,what,key", rowsOf(v.Steps, func(s stepView) []string {
			return []string{s.App, s.Kind, string(s.State), strconv.Itoa(s.Attempts), s.what(), s.Key}
		}))
		p.table("Said by HR, but could not be read (tenure dlq show ID)", "id,received,state,urgency,reason,type,what is wrong", rowsOf(v.Letters, func(l letterView) []string {
			return []string{l.id(), instant(l.ReceivedAt), string(l.State), l.urgency(), l.Reason, l.Type, l.what()}
		}))
	})
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
