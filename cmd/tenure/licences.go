package main

import (
	"errors"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/tenurehq/tenure/config"
	"github.com/tenurehq/tenure/internal/words"
	"github.com/tenurehq/tenure/operator"
)

// licenceView describes the seats of a licence.
type licenceView struct {
	App     string        `json:"app"`
	Licence string        `json:"licence"`
	Seats   int           `json:"seats,omitempty"` // not there if the app does not say
	Used    int           `json:"used"`
	Holders []string      `json:"holders"` // people to whom Tenure has given it
	Freed   int           `json:"freedThisMonth"`
	Awaited []awaitedView `json:"awaited"`
	Short   int           `json:"short"` // people for whom no seat will be left
	Free    int           `json:"free"`  // seats that nobody has
	Soon    int           `json:"soon"`  // people of those awaited who need one within licences.ahead
	Low     bool          `json:"low"`   // more seats should be got: see licences.warnBelow
}

// awaitedView describes somebody who is to get a licence.
type awaitedView struct {
	Person string    `json:"person"`
	From   time.Time `json:"from"`
	Short  bool      `json:"short"`
}

func viewLicence(l operator.Licence) licenceView {
	v := licenceView{
		App: l.App, Licence: l.Name, Seats: l.Seats.Total, Used: max(l.Seats.Used, 0), Holders: append([]string{}, l.Holders...),
		Freed: l.Freed, Awaited: []awaitedView{}, Short: l.Short(), Free: l.Counted().Free(), Soon: l.Soon, Low: l.Low,
	}
	for _, a := range l.Awaited {
		v.Awaited = append(v.Awaited, awaitedView{Person: a.PersonID, From: a.From, Short: a.Short})
	}
	return v
}

const licenceHeader = "app,licence,seats,used,given by tenure,freed this month,awaited,without a seat,free"

func (v licenceView) row() []string {
	seats, used, free := "unknown", "unknown", "unknown"
	if v.Seats > 0 {
		seats, free = strconv.Itoa(v.Seats), strconv.Itoa(v.Free)
	}
	if v.Low {
		free += " (low)"
	}
	if v.Seats > 0 || v.Used > 0 {
		used = strconv.Itoa(v.Used)
	}
	var short []string
	for _, a := range v.Awaited {
		if a.Short {
			short = append(short, a.Person)
		}
	}
	return []string{
		v.App, v.Licence, seats, used, strconv.Itoa(len(v.Holders)), strconv.Itoa(v.Freed), strconv.Itoa(len(v.Awaited)), strings.Join(short, " "), free,
	}
}

func (c *cli) appLicencesCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "licences [APP]",
		Short: "List licences: their seats, who has them, and who will not get one",
		Long: `List the licences of an app, or of all apps: how many seats the app has and uses, to
how many people Tenure has given one, how many seats it has freed since the month
began, and who is to get one now or from their first day. Those for whom no seat will
be left are named. With an APP, everybody who has a seat or awaits one is listed too.

Apps that list their entitlements are asked for the seats, the others show "unknown".
Seats are low if fewer are free than apps.NAME.licences.warnBelow, or than people are
to get within apps.NAME.licences.ahead. Exits with 3 if seats are low, or somebody will
not get a licence.`,
		Example: `  tenure app licences
  tenure app licences office
  tenure app licences -o json | jq '.[] | select(.short > 0)'`,
		Args:              cobra.MaximumNArgs(1),
		ValidArgsFunction: c.completeApps,
		RunE: func(cmd *cobra.Command, args []string) error {
			app := ""
			if len(args) > 0 {
				app = args[0]
			}
			return c.operate(cmd.Context(), func(_ *config.Config, o *operator.Operator) error {
				licences, err := o.Licences(cmd.Context(), app)
				if err != nil {
					return err
				}
				views := []licenceView{}
				for _, l := range licences {
					views = append(views, viewLicence(l))
				}
				return c.listLicences(views, app != "")
			})
		},
	}
	return c.lists(cmd)
}

func (c *cli) listLicences(all []licenceView, people bool) error {
	shown := limited(c, all)
	rows := rowsOf(shown, licenceView.row)
	err := c.printList(shown, licenceHeader, rows, func(p *page) {
		p.table("", licenceHeader, rows)
		if len(rows) == 0 {
			p.note("no app lists a licence, and policy gives none")
		}
		if people {
			p.table("People", "licence,person,from,seat", seatRows(shown))
		}
	})
	if slices.ContainsFunc(all, func(v licenceView) bool { return v.Short > 0 || v.Low }) {
		return errors.Join(err, errAttention)
	}
	return err
}

// seatRows lists who has a seat of each licence, and who is to get one.
func seatRows(licences []licenceView) (rows [][]string) {
	for _, l := range licences {
		for _, person := range l.Holders {
			rows = append(rows, []string{l.Licence, person, "", "has it"})
		}
		for _, a := range l.Awaited {
			seat := "will get it"
			switch {
			case a.Short:
				seat = "none is left"
			case l.Seats == 0:
				seat = "unknown"
			}
			rows = append(rows, []string{l.Licence, a.Person, words.Instant(a.From), seat})
		}
	}
	return rows
}
