package story

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"os/exec"
	"slices"
	"strings"
	"time"

	"github.com/tenurehq/tenure/clock"
	"github.com/tenurehq/tenure/connector/scim/scimtest"
	"github.com/tenurehq/tenure/dev/stack"
	"github.com/tenurehq/tenure/ingest/broker"
)

// Stage is the stack on which the story is played.
type Stage struct {
	Stack     *stack.Stack
	Clock     clock.Clock
	Publisher *broker.Publisher
	// TenureBinary is the operator's command line.
	TenureBinary string
	// Tell is told in one line what a command has found out that nothing else shows. It may be nil.
	Tell func(line string)
}

// App is a demo app's service.
func (s *Stage) App(name string) *scimtest.Service { return s.Stack.App(name).Service }

// Repair waits until something of a person in an app needs attention, and then
// runs the operator's command line. If it was repaired meanwhile by itself, that
// is as good.
func (s *Stage) Repair(ctx context.Context, person, app string, args ...string) error {
	for {
		out, err := s.tenure(ctx, args...)
		if err == nil || ctx.Err() != nil {
			return err
		}
		if s.repaired(ctx, person, app) {
			return nil
		}
		select {
		case <-ctx.Done():
			shown, _ := s.tenure(context.WithoutCancel(ctx), "person", "show", person)
			return fmt.Errorf("repairing %s of %s: %w: %s; person show says:\n%s", app, person, err, out, shown)
		case <-time.After(500 * time.Millisecond):
		}
	}
}

// repaired reports whether nothing of a person in an app is left to repair: it was
// done in the end, or skipped.
func (s *Stage) repaired(ctx context.Context, person, app string) bool {
	shown := s.shown(ctx, person)
	for _, step := range shown.Steps {
		if step.App == app {
			return step.State == "skipped"
		}
	}
	return shown.state(app) == "active"
}

// shown is what the story reads of a person.
type shown struct {
	Accounts []struct{ App, State string }
	Steps    []struct{ App, State string }
}

func (s *Stage) shown(ctx context.Context, person string) (p shown) {
	s.read(ctx, &p, "person", "show", person)
	return p
}

// state returns the state of the person's account in an app, as Tenure knows it; empty if there
// is none.
func (p shown) state(app string) string {
	for _, account := range p.Accounts {
		if account.App == app {
			return account.State
		}
	}
	return ""
}

func (s *Stage) tenure(ctx context.Context, args ...string) (string, error) {
	out, err := s.program(ctx, args...).CombinedOutput()
	return string(bytes.TrimSpace(out)), err
}

// program returns a call of the operator's command line.
func (s *Stage) program(ctx context.Context, args ...string) *exec.Cmd {
	cmd := exec.CommandContext(ctx, s.TenureBinary, append(args, "--config", s.Stack.ConfigFile())...)
	cmd.Env = s.Stack.Env()
	return cmd
}

// State is how one account stands, in one line: "none", or "on" or "off" and the
// groups.
func State(u User) string {
	state := "off"
	if u.Active {
		state = "on"
	}
	var groups []string
	for _, g := range u.Groups {
		groups = append(groups, g.Display)
	}
	if len(groups) == 0 {
		return state
	}
	slices.Sort(groups)
	return state + ": " + strings.Join(groups, ", ")
}

// User holds the attributes of an app's account that the story compares, as in SCIM.
type User struct {
	ID          string `json:"id"`
	ExternalID  string `json:"externalId"`
	UserName    string `json:"userName"`
	DisplayName string `json:"displayName"`
	Title       string `json:"title"`
	Active      bool   `json:"active"`
	Groups      []struct {
		Display string `json:"display"`
	} `json:"groups"`
	Enterprise struct {
		Manager struct {
			Value string `json:"value"`
		} `json:"manager"`
	} `json:"urn:ietf:params:scim:schemas:extension:enterprise:2.0:User"`
}

// Accounts asks an app for the accounts of the people of the story, by person ID.
// It asks over HTTP, as anybody would, with no code of the product's in between.
func (s *Stage) Accounts(ctx context.Context, app string) (map[string][]User, error) {
	accounts := map[string][]User{}
	for start := 1; ; {
		query := url.Values{"startIndex": {fmt.Sprint(start)}, "count": {"200"}}
		req, err := http.NewRequestWithContext(ctx, http.MethodGet, s.Stack.App(app).SCIMURL()+"/Users?"+query.Encode(), nil)
		if err != nil {
			return nil, err
		}
		req.Header.Set("Authorization", "Bearer "+stack.Token)
		var page struct {
			TotalResults int    `json:"totalResults"`
			Resources    []User `json:"Resources"`
		}
		if err := fetch(req, &page); err != nil {
			return nil, fmt.Errorf("asking %s: %w", app, err)
		}
		for _, u := range page.Resources {
			accounts[u.ExternalID] = append(accounts[u.ExternalID], u)
		}
		start += len(page.Resources)
		if len(page.Resources) == 0 || start > page.TotalResults {
			return accounts, nil
		}
	}
}

func fetch(req *http.Request, into any) error {
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return err
	}
	defer func() { _ = resp.Body.Close() }()
	if resp.StatusCode != http.StatusOK {
		return errors.New(resp.Status)
	}
	return json.NewDecoder(resp.Body).Decode(into)
}
