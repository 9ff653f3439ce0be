package cli

import (
	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/signalboxhq/signalbox/cmd/signalbox/cli/exit"
	"github.com/signalboxhq/signalbox/cmd/signalbox/cli/output"
	"github.com/signalboxhq/signalbox/cmd/signalbox/cli/profile"
)

// globalFlags are the flags of every command.
type globalFlags struct {
	server    string
	org       string
	workspace string
	profile   string

	output    string
	json      bool
	jq        string
	noHeaders bool
	noInput   bool
	curl      bool
}

func (f *globalFlags) register(set *pflag.FlagSet) {
	set.StringVar(&f.server, "server", "", "the server's `URL` (SIGNALBOX_SERVER)")
	set.StringVar(&f.org, "org", "", "the organization's `NAME` or id (SIGNALBOX_ORG)")
	set.StringVarP(&f.workspace, "workspace", "w", "", "the workspace's `NAME` or id, or ORG/WORKSPACE (SIGNALBOX_WORKSPACE)")
	set.StringVar(&f.profile, "profile", "", "the `NAME` of a profile of config.toml (SIGNALBOX_PROFILE)")
	set.StringVarP(&f.output, "output", "o", string(output.Table), "`FORMAT`: table, wide, json, jsonl, yaml or name")
	set.BoolVar(&f.json, "json", false, "the same as -o json")
	set.StringVar(&f.jq, "jq", "", "send JSON through a jq `PROGRAM`")
	set.BoolVar(&f.noHeaders, "no-headers", false, "leave out the heads of tables")
	set.BoolVar(&f.noInput, "no-input", false, "never ask: what is missing is an error")
	set.BoolVar(&f.curl, "curl", false, "print the call as a curl command instead of making it")
}

func (f *globalFlags) place() profile.Flags {
	return profile.Flags{Server: f.server, Organization: f.org, Workspace: f.workspace, Profile: f.profile}
}

// format is the format asked for: --jq needs JSON, so it implies it.
func (f *globalFlags) format() (output.Format, error) {
	format, err := output.ParseFormat(f.output)
	if err != nil {
		return "", exit.Usagef("%s", err.Error())
	}
	switch {
	case f.json && format != output.Table && format != output.JSON:
		return "", exit.Usagef("--json and --output %s exclude each other", format)
	case f.json:
		return output.JSON, nil
	case f.jq != "" && format == output.Table:
		return output.JSON, nil
	case f.jq != "" && !format.Structured():
		return "", exit.Usagef("--jq needs a structured output, not %s", format)
	}
	return format, nil
}

// structured reports whether the answer is for a program; a wrong --output is
// found when the answer is printed.
func (f *globalFlags) structured() bool {
	format, err := f.format()
	return err == nil && format.Structured()
}

func (a *app) completeFlags(root *cobra.Command) {
	values := make([]cobra.Completion, 0, len(output.Formats()))
	for _, f := range output.Formats() {
		values = append(values, cobra.Completion(f))
	}
	// The only error is a flag that does not exist, which the first test shows.
	_ = root.RegisterFlagCompletionFunc("output", cobra.FixedCompletions(values, cobra.ShellCompDirectiveNoFileComp))
}
