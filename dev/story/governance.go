package story

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/tenurehq/tenure/connector/scim/scimtest"
)

// Governance is what the configuration of the story has beyond that of the stack: a role
// that is given only to who asks for it, and a review. It follows the roles. Whoever decides has
// more days than the story: on a busy machine each beat comes some days later.
const Governance = `  - name: wiki-admin
    when: "person.department == 'Development'"
    grants: [{app: wiki, entitlements: [administrators]}]
    request: {most: 14d, answer: 90d}
governance: {fallback: ["` + katherine + `"]}
reviews:
  - name: customers # who is in the crm, and what no role gives anywhere
    covers: "item.app == 'crm' || item.because == 'stray'"
    settle: 0s
    days: 90
    escalate: 80d
`

// Owners says who answers for an app, by its name. Reviews ask them.
var Owners = map[string]string{"crm": grace, "wiki": ada}

// Reviews and Findings stand for an app in a Fact: what the command line says of a review,
// by its name, or of what the scans have found of an external ID.
const (
	Reviews  = "reviews"
	Findings = "findings"
)

// lists says how to look for a Fact that is not about an account.
var lists = map[string]func(s *Stage, ctx context.Context, of string) string{
	Reviews:  (*Stage).review,
	Findings: (*Stage).finding,
}

// ask has somebody ask for a role for a time.
func (s *Stage) ask(ctx context.Context, person, role, length, reason string) error {
	return s.command(ctx, func(ctx context.Context) bool { return len(s.requests(ctx, person)) > 0 },
		"request", "new", person, role, "--for", length, "--reason", reason, "--apply")
}

// approve has somebody approve what a person has asked for.
func (s *Stage) approve(ctx context.Context, person, decider, reason string) error {
	made := s.requests(ctx, person)
	if len(made) != 1 {
		return fmt.Errorf("person %s has made %d requests", person, len(made))
	}
	return s.command(ctx, func(ctx context.Context) bool {
		now := s.requests(ctx, person)
		return len(now) == 1 && now[0].State != "asked"
	}, "request", "approve", made[0].Request, "--as", decider, "--reason", reason, "--apply")
}

// asked is what the story reads of a request.
type asked struct{ Request, State string }

func (s *Stage) requests(ctx context.Context, person string) (list []asked) {
	s.read(ctx, &list, "request", "list", "--all", "--person", person)
	return list
}

// bypass does two things past Tenure, as administrators of the apps do: it makes an account
// for nobody whom HR knows, and puts somebody into a group of the wiki, once what Tenure does
// about their account is done.
func (s *Stage) bypass(ctx context.Context, person, group string) error {
	s.App("crm").AddUser(scimtest.User{UserName: "temp", ExternalID: temp, Active: true})
	for s.shown(ctx, person).state("wiki") != "active" {
		if err := pause(ctx); err != nil {
			return fmt.Errorf("the account of %s in the wiki is not active: %w", person, err)
		}
	}
	wiki := s.App("wiki")
	for _, u := range wiki.Users() {
		if u.ExternalID == person {
			wiki.AddMember(group, u.ID)
		}
	}
	return nil
}

// scan has apps scanned, waits for that, and tells what was found.
func (s *Stage) scan(ctx context.Context, apps ...string) error {
	var all errgroup.Group
	for _, app := range apps {
		all.Go(func() error {
			return s.command(ctx, func(context.Context) bool { return false }, "app", "scan", app, "--wait")
		})
	}
	if err := all.Wait(); err != nil || s.Tell == nil {
		return err
	}
	var list []found
	s.read(ctx, &list, "finding", "list", "--open")
	for _, f := range list {
		s.Tell(fmt.Sprintf("%s  %s: %s, account %s", f.Finding, f.App, strings.TrimSpace(f.Kind+" "+f.What), f.Username))
	}
	return nil
}

// found is what the story reads of a finding.
type found struct{ Finding, App, Account, Username, Kind, What, State string }

// findings lists what the scans have found about the accounts with an external ID.
func (s *Stage) findings(ctx context.Context, id string) (about []found) {
	var all []found
	s.read(ctx, &all, "finding", "list", "--all")
	for _, f := range all {
		if slices.ContainsFunc(s.App(f.App).Users(), func(u scimtest.User) bool { return u.ID == f.Account && u.ExternalID == id }) {
			about = append(about, f)
		}
	}
	return about
}

// finding says what the scans have found about the accounts with an external ID.
func (s *Stage) finding(ctx context.Context, id string) string {
	var all []string
	for _, f := range s.findings(ctx, id) {
		all = append(all, strings.Join(strings.Fields(f.Kind+" "+f.What+" in "+f.App+", "+f.State), " "))
	}
	return strings.Join(all, "; ")
}

// end has the account of nobody ended that a scan has found.
func (s *Stage) end(ctx context.Context, id, reason string) error {
	about := s.findings(ctx, id)
	if len(about) != 1 {
		return fmt.Errorf("%d findings are about %s", len(about), id)
	}
	return s.command(ctx, func(ctx context.Context) bool {
		now := s.findings(ctx, id)
		return len(now) == 0 || now[0].State != "open"
	}, "finding", "end", about[0].Finding, "--reason", reason, "--apply")
}

// started is what the story reads of a review.
type started struct {
	Review, State string
	DoneAt        time.Time
	Summary       struct{ Items, Human, Silence, Revoked, Proven int }
	List          []struct{ Item int64 }
}

// start has a review started.
func (s *Stage) start(ctx context.Context, name, reason string) error {
	return s.command(ctx, func(ctx context.Context) bool {
		var list []started
		s.read(ctx, &list, "review", "list", "--all")
		return len(list) > 0
	}, "review", "start", name, "--reason", reason, "--apply")
}

// decide has somebody decide about all that they are asked in a review.
func (s *Stage) decide(ctx context.Context, review, decision, person, reason string) error {
	args := []string{"review", "decide", review, decision}
	shown := s.reviewed(ctx, review, "--as", person, "--open")
	for shown.State != "open" { // its population is being frozen
		if err := pause(ctx); err != nil {
			return fmt.Errorf("%s is %s: %w", review, shown.State, err)
		}
		shown = s.reviewed(ctx, review, "--as", person, "--open")
	}
	for _, i := range shown.List {
		args = append(args, strconv.FormatInt(i.Item, 10))
	}
	return s.command(ctx, func(ctx context.Context) bool {
		now := s.reviewed(ctx, review, "--as", person, "--open")
		return now.State != "" && len(now.List) == 0
	}, append(args, "--as", person, "--reason", reason, "--apply")...)
}

// closes has a review closed before its end.
func (s *Stage) closes(ctx context.Context, review, reason string) error {
	return s.command(ctx, func(ctx context.Context) bool { return s.reviewed(ctx, review).State != "open" },
		"review", "close", review, "--reason", reason, "--apply")
}

// reviewed reads a review.
func (s *Stage) reviewed(ctx context.Context, review string, flags ...string) (shown started) {
	s.read(ctx, &shown, append([]string{"review", "show", review}, flags...)...)
	return shown
}

// review says how a review stands.
func (s *Stage) review(ctx context.Context, review string) string {
	v := s.reviewed(ctx, review)
	state := v.State
	if !v.DoneAt.IsZero() {
		state = "done"
	}
	n := v.Summary
	return fmt.Sprintf("%s: %d items, %d decided by people, %d by silence; %d of %d revoked is proven to be gone", state, n.Items, n.Human, n.Silence, n.Proven, n.Revoked)
}

// read reads what the command line prints as JSON. It stays as it is if that failed.
func (s *Stage) read(ctx context.Context, into any, args ...string) {
	out, _ := s.program(ctx, append(args, "-o", "json")...).Output() // it fails while something wants attention
	_ = json.Unmarshal(out, into)
}

// command runs the command line until it has done what it is to do. It is run again if it
// failed because a process that it needs was away.
func (s *Stage) command(ctx context.Context, done func(context.Context) bool, args ...string) error {
	for {
		out, err := s.tenure(ctx, args...)
		if err == nil || ctx.Err() != nil {
			return err
		}
		if done(ctx) {
			return nil
		}
		if pause(ctx) != nil {
			return fmt.Errorf("%v: %w: %s", args[:2], err, out)
		}
	}
}

// pause waits before something is tried again.
func pause(ctx context.Context) error {
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-time.After(500 * time.Millisecond):
		return nil
	}
}
