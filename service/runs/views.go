package runs

import (
	"errors"
	"net/url"
	"strings"
)

// View is a list of runs that is worth keeping in the Temporal UI.
type View struct {
	Name  string `json:"name"`
	Query string `json:"query"`
	Link  string `json:"link"`
}

// views lists the views, the best to begin with first.
var views = []View{
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

// Views returns the views with links to the Temporal UI at an address, which must be an http
// or https URL.
func Views(address, namespace string) ([]View, error) {
	base, err := url.Parse(address)
	if err != nil || base.Host == "" || base.Scheme != "http" && base.Scheme != "https" {
		return nil, errors.New("want the Temporal UI's URL, such as https://temporal.example.com")
	}
	linked := make([]View, len(views))
	for i, v := range views {
		link := base.JoinPath("namespaces", namespace, "workflows")
		// A space is written as %20: the links are pasted into chats and pages too.
		link.RawQuery = strings.ReplaceAll(url.Values{"query": {v.Query}, "savedQuery": {v.Name}}.Encode(), "+", "%20")
		v.Link = link.String()
		linked[i] = v
	}
	return linked, nil
}
