package cli

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/tenurehq/tenure/dev/bench/provisioning"
)

// provisioningFlags are the flags of bench-provision that are not the measurement's own options.
type provisioningFlags struct {
	size           provisioning.Size
	file, out, bin string
	tokenFile      string
	passwordFile   string
	leavers        string
	reset, check   bool
	write          bool
	count          string
	settings       map[string]string
}

func benchProvisionCommand() *cobra.Command {
	opts := provisioning.Options{}
	f := provisioningFlags{size: provisioning.Size{People: 100, Moves: 30, Leavers: 20, Seed: 1}}
	command := &cobra.Command{
		Use:   "bench-provision",
		Short: "Measure hires, moves and leavers in a server that is running",
		Long: `Hire, move and dismiss people in one SCIM service or LDAP directory that is running
already, and measure: the time from the first record published to the last account
proven, the processors and the memory of each process, and the requests to the
server, by kind. In the end every account is read from the server and compared with
the file: the command fails if anything differs.

The people are made up. The same flags make the same people, in these files:

  FILE.jsonl          HR's events, as Tenure gets them
  FILE.csv            the same, a line for each change, with all that is true from then on
  FILE.1-hire.csv     everybody after all hires; FILE.2-move.csv after all moves too;
  FILE.3-leave.csv    after all departures too, for the import of another product

To run another product over the same people, let it import those files one after the
other, through the address that --count prints; then compare with --check, and begin
anew with --reset. These three run nothing of Tenure.

Kafka and Temporal run in this process, with their data on disk: they are shown apart,
because they are not Tenure's own. The people, the moves and the leavers are told one
after the other, each when all before it is proven.`,
		Example: `  dev bench-provision --target http://127.0.0.1:9000/scim --token-file token --people 1000 --moves 300 --leavers 200
  dev bench-provision --target ldaps://ldap.example.com --ca ca.pem --user cn=tenure,dc=example --password-file password \
      --people-dn ou=people,dc=example --groups-dn ou=groups,dc=example --leavers-are deleted
  dev bench-provision --write                                         # only the files
  dev bench-provision --target http://127.0.0.1:9000/scim --token-file token --count 127.0.0.1:9100
  dev bench-provision --target http://127.0.0.1:9000/scim --token-file token --check
  dev bench-provision --target http://127.0.0.1:9000/scim --token-file token --reset`,
		Args: cobra.NoArgs,
		RunE: func(command *cobra.Command, _ []string) (err error) {
			opts.Progress = command.ErrOrStderr()
			if err := f.read(command, &opts); err != nil {
				return err
			}
			return f.run(command, opts)
		},
	}
	set := command.Flags()
	set.StringVar(&opts.Target.URL, "target", "", "`URL` of the server: a SCIM service (http, https) or a directory (ldap, ldaps)")
	set.StringVar(&f.tokenFile, "token-file", "", "`FILE` with the bearer token of the SCIM service")
	set.StringVar(&opts.Target.User, "user", "", "`NAME` for Basic authentication, or the DN to bind as")
	set.StringVar(&f.passwordFile, "password-file", "", "`FILE` with its password")
	set.StringVar(&opts.Target.CA, "ca", "", "`FILE` of the authorities of the server's certificate (default: the system's)")
	set.StringVar(&opts.Target.People, "people-dn", "", "`DN` below which people are, in a directory")
	set.StringVar(&opts.Target.Groups, "groups-dn", "", "`DN` below which groups are, in a directory; empty uses no groups")
	set.StringToStringVar(&f.settings, "setting", nil, "further `NAME=VALUE` of Tenure's connector, such as disableAttribute=nsAccountLock,disabledValue=true")
	set.StringSliceVar(&opts.Target.LeaveOut, "leave-out", nil, "`COLUMNS` that are neither sent nor compared: givenName, familyName, displayName, email, title, department")
	set.IntVar(&f.size.People, "people", f.size.People, "how many people are hired")
	set.IntVar(&f.size.Moves, "moves", f.size.Moves, "how many of them move to another department")
	set.IntVar(&f.size.Leavers, "leavers", f.size.Leavers, "how many of them leave")
	set.Uint64Var(&f.size.Seed, "seed", f.size.Seed, "what the people depend on")
	set.StringVar(&f.leavers, "leavers-are", "disabled", "what becomes of a leaver's account: disabled or deleted")
	set.BoolVar(&opts.AnyGroups, "any-groups", false, "let accounts that are off be in any groups: Tenure takes them out, and not every product does")
	set.IntVar(&opts.AtOnce, "at-once", 0, "how many calls to the server are under way at once (default: the connector's own number)")
	set.StringVar(&f.file, "file", "bench-provision", "`FILE` to write, without an ending; --check and --reset read it")
	set.StringVar(&f.out, "out", "bench-provision.json", "write the report to this `FILE`; empty writes none")
	set.StringVar(&f.bin, "bin", "bin", "the `DIR` with worker and starter")
	set.StringVar(&opts.State, "state", "", "empty `DIR` for the ledger, Kafka, Temporal and the logs (default: one that is removed afterwards)")
	set.DurationVar(&opts.Stall, "stall", 2*time.Minute, "give up when nothing has happened for this time")
	set.BoolVar(&f.write, "write", false, "only write the files")
	set.BoolVar(&f.check, "check", false, "only compare the server with the file")
	set.BoolVar(&f.reset, "reset", false, "only delete the accounts that the file makes, and no others")
	set.StringVar(&f.count, "count", "", "only pass requests through from this `HOST:PORT` to the server, and count them, for another product")
	command.MarkFlagsMutuallyExclusive("write", "check", "reset", "count")
	return command
}

// read reads what flags name.
func (f provisioningFlags) read(command *cobra.Command, o *provisioning.Options) (err error) {
	switch f.leavers {
	case "disabled", "deleted":
		o.Deleted = f.leavers == "deleted"
	default:
		return usageError{fmt.Errorf("--leavers-are: %q is neither disabled nor deleted", f.leavers)}
	}
	if o.Target.URL == "" && !f.write {
		return usageError{errors.New("--target is needed")}
	}
	secret := func(path string) (string, error) {
		if path == "" {
			return "", nil
		}
		text, err := os.ReadFile(path)
		return strings.TrimSpace(string(text)), err
	}
	if o.Target.Token, err = secret(f.tokenFile); err != nil {
		return err
	}
	if o.Target.Password, err = secret(f.passwordFile); err != nil {
		return err
	}
	o.Target.Settings = f.settings
	for path, to := range map[string]*string{"worker": &o.Worker, "starter": &o.Starter} {
		if *to, err = filepath.Abs(filepath.Join(f.bin, path)); err != nil {
			return err
		}
	}
	switch {
	case f.count != "":
		return nil
	case f.check || f.reset:
		o.File, err = provisioning.Read(f.file)
		return err
	}
	if o.File, err = provisioning.Make(f.size); err != nil {
		return usageError{err}
	}
	if err := o.File.Write(f.file); err != nil {
		return err
	}
	fmt.Fprintf(command.ErrOrStderr(), "wrote %s.jsonl and %s.csv\n", f.file, f.file)
	return nil
}

func (f provisioningFlags) run(command *cobra.Command, o provisioning.Options) error {
	ctx, out := command.Context(), command.OutOrStdout()
	wrong := func(wrong []string) error {
		if len(wrong) > 0 {
			return errors.New("the server is not as the file says")
		}
		return nil
	}
	switch {
	case f.write:
		return nil
	case f.reset:
		n, err := provisioning.Reset(ctx, o)
		if err == nil {
			fmt.Fprintf(out, "deleted %d accounts\n", n)
		}
		return err
	case f.check:
		differs, err := provisioning.Check(ctx, o)
		if err != nil {
			return err
		}
		provisioning.PrintWrong(out, differs)
		return wrong(differs)
	case f.count != "":
		return f.counts(ctx, command, o)
	}
	report, err := provisioning.Run(ctx, o)
	if err != nil {
		return err
	}
	report.Print(out)
	if err := writeReport(f.out, report); err != nil {
		return err
	}
	return wrong(report.Wrong)
}

// counts counts until somebody ends it.
func (f provisioningFlags) counts(ctx context.Context, command *cobra.Command, o provisioning.Options) error {
	requests, err := provisioning.Count(ctx, o, f.count)
	if err != nil {
		return err
	}
	provisioning.PrintRequests(command.OutOrStdout(), []provisioning.Phase{{Change: "requests", Requests: requests}})
	return nil
}
