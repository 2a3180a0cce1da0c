package main

import (
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/tenurehq/tenure/config"
	"github.com/tenurehq/tenure/ledger"
	"github.com/tenurehq/tenure/service/apps"
)

func (c *cli) accessCommand() *cobra.Command {
	return noun("access", "Show who has access to what", c.accessWhoCommand())
}

// holderView is somebody who has access.
type holderView struct {
	Person       string           `json:"person"`
	Name         string           `json:"name,omitempty"`
	App          string           `json:"app"`
	Username     string           `json:"username,omitempty"`
	State        ledger.LinkState `json:"state"`
	Entitlements []string         `json:"entitlements,omitempty"`
	Roles        []string         `json:"roles"` // that grant it now; none if it is kept, or about to be taken
	ProvenAt     time.Time        `json:"provenAt,omitzero"`
}

func (v holderView) row() []string {
	return []string{v.Person, v.Name, v.Username, string(v.State), strings.Join(v.Entitlements, " "), strings.Join(v.Roles, " "), instant(v.ProvenAt)}
}

const holderHeader = "person,name,username,state,entitlements,roles,last proof"

func (c *cli) accessWhoCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "who APP [ENTITLEMENT]",
		Short: "List everybody who has access to an app, and by which role",
		Long: `List everybody who has an enabled account in an app, or one entitlement there, and
the roles that grant it now. No app is called: it is what Tenure has granted and the
app has confirmed (tenure app accounts APP reads the app). Access without a role is
kept by an overlap, a hold or an operator, or is about to be taken: tenure person why
says which.`,
		Example: `  tenure access who wiki
  tenure access who wiki editors -o csv`,
		Args: cobra.RangeArgs(1, 2),
		RunE: func(cmd *cobra.Command, args []string) error {
			entitlement := ""
			if len(args) == 2 {
				entitlement = args[1]
			}
			return c.withLedger(cmd.Context(), func(cfg *config.Config, l ledger.Ledger) error {
				if err := apps.Of(cfg, nil).Find(args[0]); err != nil {
					return err
				}
				links, err := l.Links(cmd.Context(), ledger.LinkFilter{App: args[0], State: ledger.LinkActive})
				if err != nil {
					return err
				}
				if err := checkEntitlement(cfg, args[0], entitlement, links); err != nil {
					return err
				}
				holders := []holderView{}
				for _, link := range links {
					if entitlement != "" && !slices.Contains(link.Entitlements, entitlement) {
						continue
					}
					person, err := l.Person(cmd.Context(), link.PersonID)
					if err != nil {
						return err
					}
					v := holderView{
						Person: link.PersonID, Name: viewPerson(person.Summary).name(), App: link.App, Username: link.Username,
						State: link.State, Entitlements: link.Entitlements, Roles: []string{}, ProvenAt: link.ProvenAt,
					}
					for _, answer := range explain(cfg, person) {
						if answer.Holds && grants(answer.RoleAnswer, link.App, entitlement) {
							v.Roles = append(v.Roles, answer.Role)
						}
					}
					holders = append(holders, v)
				}
				holders = limited(c, holders)
				rows := rowsOf(holders, holderView.row)
				return c.printList(holders, holderHeader, rows, func(p *page) {
					p.table("", holderHeader, rows)
					if len(rows) == 0 {
						p.note("nobody")
					}
				})
			})
		},
		ValidArgsFunction: c.completeApps,
	}
	return c.lists(cmd)
}
