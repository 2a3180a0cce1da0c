package postgres

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/jackc/pgx/v5"

	"github.com/tenurehq/tenure/connector"
)

// Probe implements connector.Connector.
func (c *client) Probe(ctx context.Context) []connector.Finding {
	var may struct{ roles, signal, write, heir bool }
	var groups []string
	err := c.server.session(ctx, connector.OpProbe, "", func(ctx context.Context, conn *pgx.Conn) (err error) {
		err = conn.QueryRow(ctx, `
			SELECT rolcreaterole OR rolsuper, rolsuper OR pg_has_role('pg_signal_backend', 'USAGE'), NOT pg_is_in_recovery(),
				$1::text = '' OR EXISTS (SELECT FROM pg_roles WHERE rolname = $1::text)
			FROM pg_roles WHERE rolname = session_user`, c.heir).Scan(&may.roles, &may.signal, &may.write, &may.heir)
		if err == nil {
			groups, err = c.groups(ctx, conn)
		}
		return err
	})
	if err != nil {
		return []connector.Finding{{What: "may read the catalogs", Problem: err.Error()}}
	}
	findings := []connector.Finding{
		finding("may make and change roles", may.roles, "it lacks CREATEROLE: ALTER ROLE ... CREATEROLE"),
		finding("may end sessions", may.signal, "it lacks pg_signal_backend: GRANT pg_signal_backend TO ..."),
		finding("the server takes changes", may.write, "it is a standby: let the url name the primary"),
		finding("the heir is there", may.heir, "there is no role of the name that the setting heir has"),
	}
	for _, name := range c.grantable {
		there := slices.Contains(groups, name)
		if beginning, isPattern := strings.CutSuffix(name, "*"); isPattern {
			there = slices.ContainsFunc(groups, func(group string) bool { return strings.HasPrefix(group, beginning) })
		}
		findings = append(findings, finding(fmt.Sprintf("%q of the setting grantable is there", name), there,
			"there is no such group role, or it can log in, is a person's, or can become superuser"))
	}
	return findings
}

func finding(what string, well bool, problem string) connector.Finding {
	if well {
		problem = ""
	}
	return connector.Finding{What: what, Problem: problem}
}
