package salesforce

import (
	"context"

	"github.com/tenurehq/tenure/connector"
	"github.com/tenurehq/tenure/connector/rest"
)

// Check implements connector.Connector. It returns the app and the name of the org.
func (c *client) Check(ctx context.Context) (string, error) {
	const op = connector.OpCheck
	found, err := c.all(ctx, op, "SELECT Name, IsSandbox FROM Organization LIMIT 1")
	if err != nil {
		return "", err
	}
	if len(found) != 1 {
		return "", rest.Contradictory(op, "Salesforce does not show its own org")
	}
	kind := "production"
	if found[0]["IsSandbox"] == true {
		kind = "sandbox"
	}
	return c.api.Credentials.Who() + " in the org " + found[0].Text("Name") + " (" + kind + ")", nil
}

// needs lists the rights that the user of the connection needs, by the names of the fields of
// UserPermissionAccess, and what fails without each.
var needs = []struct{ field, name, without string }{
	{"ManageUsers", "Manage Users", "nobody can be created, changed, frozen or deactivated"},
	{"ViewAllUsers", "View All Users", "Salesforce may hide people, and no step that finds nobody counts as done"},
	{"ViewSetup", "View Setup and Configuration", "profiles, roles and licences cannot be read"},
	{"AssignPermissionSets", "Assign Permission Sets", "permission sets and licences cannot be granted"},
}

// Probe implements connector.Connector.
func (c *client) Probe(ctx context.Context) []connector.Finding {
	const op = connector.OpProbe
	var fields []string
	for _, need := range needs {
		fields = append(fields, need.field)
	}
	granted, err := c.rights(ctx, op, fields...)
	if err != nil {
		return []connector.Finding{{What: "may read its own rights", Problem: err.Error()}}
	}
	var findings []connector.Finding
	for _, need := range needs {
		finding := connector.Finding{What: "has the right " + need.name}
		if !granted[need.field] {
			finding.Problem = "missing, so that " + need.without + ": give it by a permission set"
		}
		findings = append(findings, finding)
	}
	for _, look := range []struct{ what, soql string }{
		{"reads the fields of users", "SELECT " + c.selected() + " FROM User LIMIT 1"},
		{"reads who is frozen", "SELECT Id, UserId, IsFrozen FROM UserLogin LIMIT 1"},
		{"reads sessions", "SELECT Id FROM AuthSession LIMIT 1"},
		{"reads OAuth tokens", "SELECT Id, DeleteToken FROM OauthToken LIMIT 1"},
	} {
		finding := connector.Finding{What: look.what}
		if _, err := c.all(ctx, op, look.soql); err != nil {
			finding.Problem = err.Error()
		}
		findings = append(findings, finding)
	}
	if profile := c.defaults["Profile"]; profile != "" {
		finding := connector.Finding{What: "finds the profile of the setting"}
		switch id, err := c.lookUp(ctx, op, "Profile", "Name", profile); {
		case err != nil:
			finding.Problem = err.Error()
		case id == "":
			finding.Problem = "the org has no profile of the name in the setting profile"
		}
		findings = append(findings, finding)
	}
	return findings
}
