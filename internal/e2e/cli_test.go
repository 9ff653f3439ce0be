package e2e_test

import (
	"bytes"
	"context"
	"errors"
	"os"
	"os/exec"

	"github.com/stretchr/testify/require"
)

func runCLI(ctx context.Context, tn *tenant, args []string) (stdout string, code int) {
	cmd := exec.CommandContext(ctx, tn.programs.signalbox, args...)
	cmd.Dir = tn.dir
	cmd.Env = []string{
		"PATH=" + os.Getenv("PATH"), "HOME=" + tn.dir, "NO_COLOR=1", "SIGNALBOX_SERVER=" + tn.url,
		"SIGNALBOX_TOKEN=" + tn.token, "SIGNALBOX_ORG=" + tn.org, "SIGNALBOX_WORKSPACE=" + tn.workspace,
	}
	var out, errs bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &errs
	err := cmd.Run()
	if exit, ok := errors.AsType[*exec.ExitError](err); ok {
		tn.t.Logf("%v exited %d: %s", args, exit.ExitCode(), errs.String())
		return out.String(), exit.ExitCode()
	}
	require.NoError(tn.t, err)
	return out.String(), 0
}

// must runs the command line and expects it to succeed.
func (tn *tenant) must(args ...string) string {
	tn.t.Helper()
	out, code := tn.cli(args...)
	require.Zero(tn.t, code, "signalbox %v", args)
	return out
}
