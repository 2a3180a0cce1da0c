package main

import (
	"net/url"
	"strings"

	"github.com/spf13/cobra"
	"go.uber.org/zap"

	"github.com/tenurehq/tenure/service"
)

// uiView is a list of runs that is worth keeping in the Temporal UI.
type uiView struct {
	Name  string `json:"name"`
	Query string `json:"query"`
	Link  string `json:"link"`
}

// uiViews are the views that "tenure ui" offers, the one to begin with first.
var uiViews = []uiView{
	{Name: "People", Query: "WorkflowId STARTS_WITH 'person:'"},
	{Name: "Needs attention", Query: "TenureStage = 'attention' AND ExecutionStatus = 'Running'"},
	{Name: "Waits for a human", Query: "TenureStage = 'waiting' AND ExecutionStatus = 'Running'"},
	{Name: "Held", Query: "TenureStage = 'held' AND ExecutionStatus = 'Running'"},
	{Name: "Urgent, not done", Query: "TenureUrgency = 'urgent' AND TenureStage != 'done' AND ExecutionStatus = 'Running'"},
	{Name: "Leaving now", Query: "WorkflowType = 'Leaver' AND ExecutionStatus = 'Running'"},
	{Name: "Will start", Query: "TenureNextAction = 'start' AND ExecutionStatus = 'Running'"},
	{Name: "Will be deleted", Query: "TenureNextAction STARTS_WITH 'delete' AND ExecutionStatus = 'Running'"},
	{Name: "Ended by hand", Query: "WorkflowId STARTS_WITH 'person:' AND ExecutionStatus IN ('Terminated', 'Canceled')"},
	{Name: "Sweeps", Query: "WorkflowType = 'Sweep'"},
}

func (c *cli) uiCommand() *cobra.Command {
	var address string
	cmd := &cobra.Command{
		Use:   "ui",
		Short: "List the views of people's runs for the Temporal UI",
		Long: `List views of people's runs as links to the Temporal UI: who needs attention, who is
leaving, what is held, and everybody without the sweeper's own runs.

Opening a link once keeps the view, under its name, in the browser: that is where the UI
has its views and columns. It has no interface to set columns from outside; those worth
adding are TenureStage, TenureAttention, TenureNextAction and TenureNextDue.`,
		Example: `  tenure ui
  tenure ui --address https://temporal.example.com
  tenure ui -o json | jq -r '.[].link'`,
		Args: cobra.NoArgs,
		RunE: func(*cobra.Command, []string) error {
			opts, err := service.TemporalOptions(zap.NewNop())
			if err != nil {
				return usagef("%w", err)
			}
			views, err := linkedViews(address, opts.Namespace)
			if err != nil {
				return err
			}
			return c.print(views, func(p *page) {
				for _, v := range views { // no table: a link that is broken cannot be opened
					p.note("%-18s %s", v.Name, v.Link)
				}
			})
		},
	}
	cmd.Flags().StringVar(&address, "address", "http://127.0.0.1:8233", "the Temporal UI's `URL`")
	return c.reads(cmd)
}

// linkedViews returns the views with links to the UI at an address.
func linkedViews(address string, namespace string) ([]uiView, error) {
	base, err := url.Parse(address)
	if err != nil || base.Host == "" || base.Scheme != "http" && base.Scheme != "https" {
		return nil, usagef("--address wants the Temporal UI's URL, such as https://temporal.example.com")
	}
	views := make([]uiView, len(uiViews))
	for i, v := range uiViews {
		link := base.JoinPath("namespaces", namespace, "workflows")
		// A space is written as %20: the links are pasted into chats and pages too.
		link.RawQuery = strings.ReplaceAll(url.Values{"query": {v.Query}, "savedQuery": {v.Name}}.Encode(), "+", "%20")
		v.Link = link.String()
		views[i] = v
	}
	return views, nil
}
