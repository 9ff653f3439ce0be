package cli

import (
	"context"
	"io"
	"net/http"
	"time"

	"github.com/spf13/cobra"

	"github.com/signalboxhq/signalbox/cmd/signalbox/cli/exit"
)

// Options are what the commands take from their surroundings; the zero value is
// the real world.
type Options struct {
	// Version is this program's release; empty means "dev".
	Version string
	// Getenv reads the environment: os.Getenv.
	Getenv func(string) string
	// Dir is the folder in which the command runs: the working one.
	Dir string
	// Now is the clock: time.Now.
	Now func() time.Time
	// Transport makes the calls: http.DefaultTransport.
	Transport http.RoundTripper
	// Terminal is what is known of the terminal; nil means to look at stdin and
	// stdout.
	Terminal *Terminal
	// Browse opens a URL for the person: the desktop's browser.
	Browse func(url string) error
	// RetryDelay is how long to wait before a lost stream is opened again for
	// the attempt-th time in a row, from 1.
	RetryDelay func(attempt int) time.Duration
	// Random is where key pairs and content keys come from: crypto/rand.
	Random io.Reader
	// Local starts what a local run needs; nil where this program has none.
	Local func(ctx context.Context, l Local) (*LocalRun, error)
}

// New makes the command `signalbox` with all of its commands. Errors are
// returned by its Execute methods and printed by [Report].
func New(stdout, stderr io.Writer, stdin io.Reader, opts Options) *cobra.Command {
	a := newApp(stdout, stderr, stdin, opts)
	root := &cobra.Command{
		Use:   "signalbox",
		Short: "Run ML pipelines on your own machines, from a control plane that never sees your data",
		Example: `  signalbox login
  signalbox apply pipeline.yaml
  signalbox run start fraud-train -p epochs=20 --watch
  signalbox logs @failed`,
		Version:       a.opts.Version,
		SilenceErrors: true,
		SilenceUsage:  true,
		Args:          cobra.ArbitraryArgs,
		RunE:          runGroup,
	}
	root.SetIn(stdin)
	root.SetOut(stdout)
	root.SetErr(stderr)
	root.SetFlagErrorFunc(func(cmd *cobra.Command, err error) error {
		return exit.Usagef("%s", err.Error()).Advise("`%s --help` lists the flags", cmd.CommandPath()).Because(err)
	})
	a.flags.register(root.PersistentFlags())
	a.completeFlags(root)
	root.AddGroup(
		&cobra.Group{ID: groupDaily, Title: "Every day:"},
		&cobra.Group{ID: groupWork, Title: "Pipelines and runs:"},
		&cobra.Group{ID: groupTeam, Title: "Organization and money:"},
		&cobra.Group{ID: groupSelf, Title: "This program:"},
	)
	a.addCommands(root)
	return root
}

// The groups of the help page.
const (
	groupDaily = "daily"
	groupWork  = "work"
	groupTeam  = "team"
	groupSelf  = "self"
)

func (a *app) addCommands(root *cobra.Command) {
	add := func(group string, commands ...*cobra.Command) {
		for _, c := range commands {
			c.GroupID = group
			root.AddCommand(c)
		}
	}
	add(groupDaily, a.loginCommand(), a.applyCommand(), a.validateCommand(), a.statusCommand(),
		a.watchCommand(), a.logsCommand(), a.retryCommand(), a.cancelCommand(), a.approveCommand(), a.openCommand())
	add(groupWork, a.pipelineCommand(), a.runCommand(), a.taskCommand(), a.approvalCommand(), a.alertCommand(), a.scheduleCommand(), a.sealCommand(), a.poolCommand(), a.limitCommand(), a.agentCommand())
	add(groupTeam, a.orgCommand(), a.workspaceCommand(), a.memberCommand(), a.keyCommand(),
		a.usageCommand(), a.invoiceCommand(), a.auditCommand())
	add(groupSelf, a.whoamiCommand(), a.logoutCommand(), a.configCommand())
	root.SetHelpCommandGroupID(groupSelf)
	root.SetCompletionCommandGroupID(groupSelf)
	root.AddCommand(exitCodesTopic(), outputTopic())
}

// ExitCode is the process's exit code for what Execute returned.
func ExitCode(err error) int { return int(exit.CodeOf(err)) }

// Report tells the error that Execute returned, on the command's standard error:
// as JSON where the command was asked for JSON.
func Report(root *cobra.Command, err error) {
	asJSON := false
	if f, flagErr := root.PersistentFlags().GetBool("json"); flagErr == nil {
		asJSON = f
	}
	if o, flagErr := root.PersistentFlags().GetString("output"); flagErr == nil && (o == "json" || o == "jsonl") {
		asJSON = true
	}
	exit.Report(root.ErrOrStderr(), err, asJSON)
}
