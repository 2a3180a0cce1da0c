package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"regexp"
	"time"

	"github.com/spf13/cobra"

	"github.com/tenurehq/tenure/config"
	"github.com/tenurehq/tenure/operator"
	"github.com/tenurehq/tenure/service"
)

const (
	// roleSessions is how long a role session of somebody who was cut off may live: 12 hours by
	// its permission set, and an hour for what a portal session that is open still starts.
	roleSessions = 13 * time.Hour
	// maxPolicy is how many characters a service control policy may have ("Quotas for AWS
	// Organizations").
	maxPolicy = 5120
	// nobody stands in a policy that denies nobody: AWS refuses an empty list.
	nobody = "nobody"
)

// userIDForm is the form of a user's ID in an identity store (DescribeUser in its reference).
// Anything else could be read as a policy variable, and deny somebody else.
var userIDForm = regexp.MustCompile(`^([0-9a-f]{10}-)?[A-Fa-f0-9]{8}-[A-Fa-f0-9]{4}-[A-Fa-f0-9]{4}-[A-Fa-f0-9]{4}-[A-Fa-f0-9]{12}$`)

// denyPolicy is a policy of AWS's that denies everything to users.
type denyPolicy struct {
	Version   string          `json:"Version"`
	Statement []denyStatement `json:"Statement"`
}

type denyStatement struct {
	Sid       string                         `json:"Sid"`
	Effect    string                         `json:"Effect"`
	Action    string                         `json:"Action"`
	Resource  string                         `json:"Resource"`
	Condition map[string]map[string][]string `json:"Condition"`
}

// newDenyPolicy returns the policy that denies everything to users by their IDs ("Use a Deny
// policy to revoke active user permissions" in the IAM Identity Center user guide), indented
// if that fits.
func newDenyPolicy(ids []string) ([]byte, error) {
	for _, id := range ids {
		if !userIDForm.MatchString(id) {
			return nil, fmt.Errorf("an account ID in the ledger is no user ID of an identity store, so that no policy is printed: find out which with tenure app accounts")
		}
	}
	if len(ids) == 0 {
		ids = []string{nobody}
	}
	policy := denyPolicy{Version: "2012-10-17", Statement: []denyStatement{{
		Sid: "TenureLeavers", Effect: "Deny", Action: "*", Resource: "*",
		Condition: map[string]map[string][]string{"StringEquals": {"identitystore:userId": ids}},
	}}}
	text, err := json.Marshal(policy)
	if err != nil {
		return nil, err
	}
	if len(text) > maxPolicy {
		return nil, fmt.Errorf("%d users make a policy of %d characters, and AWS takes %d: shorten --within, or deny the permission sets themselves", len(ids), len(text), maxPolicy)
	}
	var indented bytes.Buffer
	if err := json.Indent(&indented, text, "", "  "); err == nil && indented.Len() <= maxPolicy {
		text = indented.Bytes()
	}
	return append(text, '\n'), nil
}

func (c *cli) appDenyCommand() *cobra.Command {
	within := roleSessions
	cmd := &cobra.Command{
		Use:   "deny APP [PERSON...]",
		Short: "Print the policy that ends role sessions of leavers in AWS",
		Long: `Print a service control policy that denies everything to the users of AWS IAM
Identity Center who were cut off in the last 13 hours, by their user IDs: role
sessions that are open live for up to 12 hours after the user is disabled, and
nothing but such a policy ends them. PERSON adds people whatever their state is.

The policy replaces the one that was printed before: who was cut off earlier has
no session left. If nobody was cut off, it denies nobody. Tenure does not call
AWS: put the policy into an SCP that is attached to the organisation, by hand or
by a pipeline with rights of its own (docs/apps/aws-identity-center.md).

The app has to be one of the kind scim with the profile aws-identity-center.`,
		Example: `  tenure app deny aws
  tenure app deny aws 10002
  tenure app deny aws > deny.json && aws organizations update-policy --policy-id p-examplepolicy --content file://deny.json`,
		Args: cobra.MinimumNArgs(1),
		ValidArgsFunction: func(cmd *cobra.Command, args []string, typed string) ([]string, cobra.ShellCompDirective) {
			if len(args) == 0 {
				return c.completeApps(cmd, args, typed)
			}
			return c.completePeople(cmd, args, typed)
		},
		RunE: func(cmd *cobra.Command, args []string) error {
			return c.view(cmd.Context(), func(cfg *config.Config, v *operator.Viewer) error {
				if app, known := cfg.Apps[args[0]]; known && (app.Connector != "scim" || app.Settings["profile"] != "aws-identity-center") {
					return service.UsageErrorf("the app %q is not AWS IAM Identity Center: it has to be of the kind scim with the profile aws-identity-center", args[0])
				}
				ids, err := v.CutOff(cmd.Context(), args[0], v.Clock.Now().Add(-within), args[1:])
				if err != nil {
					return err
				}
				text, err := newDenyPolicy(ids)
				if err != nil {
					return err
				}
				if c.output == formatYAML {
					return writeYAML(c.out, text)
				}
				_, err = c.out.Write(text)
				return err
			})
		},
	}
	cmd.Flags().VarP(&writtenFormat{&c.output}, "output", "o", "output `format`: json or yaml")
	complete(cmd, "output", []string{"json", "yaml"})
	cmd.Flags().DurationVar(&within, "within", within, "how long ago people may have been cut off: the longest session `duration` of the permission sets, and an hour")
	return cmd
}
