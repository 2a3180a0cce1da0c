package main

import (
	"fmt"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
)

// applying is how a command is told to do what else it only shows: whatever is about
// more than the one thing that was named, or cannot be taken back.
type applying struct {
	apply bool
	// dryRun is from when some commands did it without being told. It goes before apply,
	// and showing is then all that was asked for.
	dryRun bool
}

func (a *applying) flags(cmd *cobra.Command) {
	cmd.Flags().BoolVar(&a.apply, "apply", false, "do it; without, only show what would be done")
}

// askedBefore are the flags of a command that asked before it did something.
func (a *applying) askedBefore(cmd *cobra.Command) {
	a.flags(cmd)
	formerly(cmd, "yes", "y", "apply")
}

// didBefore is the flag of a command that did something unless told to show it.
func (a *applying) didBefore(cmd *cobra.Command) {
	cmd.Flags().BoolVarP(&a.dryRun, "dry-run", "n", false, "only show what would be done")
	cmd.Flags().Lookup("dry-run").Hidden = true
}

func (a *applying) does() bool { return a.apply && !a.dryRun }

// onlyShown ends a command that has shown what it would do to what is named.
func (c *cli) onlyShown(a applying, format string, args ...any) error {
	c.tell("\n%s; nothing was done: --apply does it\n", fmt.Sprintf(format, shownArgs(args)...))
	if a.dryRun {
		return nil // as it always was
	}
	return errAttention
}

// nowNamed is the annotation of an old spelling of a flag: what it is named now.
const nowNamed = "tenure_now"

// formerly keeps an old spelling of a flag working. It is not shown.
func formerly(cmd *cobra.Command, old, shorthand, now string) {
	alias := *cmd.Flags().Lookup(now)
	alias.Name, alias.Shorthand, alias.Hidden = old, shorthand, true
	alias.Annotations = map[string][]string{nowNamed: {now}}
	cmd.Flags().AddFlag(&alias)
}

// tellFormer says how what was spelled the old way is spelled now.
func (c *cli) tellFormer(cmd *cobra.Command) {
	cmd.Flags().Visit(func(f *pflag.Flag) {
		if now := f.Annotations[nowNamed]; len(now) > 0 {
			c.tell("--%s is --%s now\n", f.Name, now[0])
		}
	})
}
