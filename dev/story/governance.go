package story

import (
	"context"
	"encoding/json"
	"fmt"
	"time"
)

// Governance is what the configuration of the story has beyond that of the stack: a role
// that is given only to who asks for it. It follows the roles.
const Governance = `  - name: wiki-admin
    when: "person.department == 'Development'"
    grants: [{app: wiki, entitlements: [administrators]}]
    request: {most: 7d}
governance: {fallback: ["` + katherine + `"]}
`

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
	s.list(ctx, &list, "request", "list", "--all", "--person", person)
	return list
}

// list reads a list that the command line prints. It is empty if it could not be read.
func (s *Stage) list(ctx context.Context, into any, args ...string) {
	out, _ := s.tenure(ctx, append(args, "-o", "json")...) // it fails while the list wants attention
	_ = json.Unmarshal([]byte(out), into)
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
		select {
		case <-ctx.Done():
			return fmt.Errorf("%v: %w: %s", args[:2], err, out)
		case <-time.After(500 * time.Millisecond):
		}
	}
}
