package cli

import (
	"fmt"
	"strings"

	"github.com/spf13/cobra"

	"github.com/signalboxhq/signalbox/cmd/signalbox/cli/exit"
)

func exitCodesTopic() *cobra.Command {
	var b strings.Builder
	b.WriteString("Exit codes:\n\n")
	for _, m := range exit.Meanings() {
		fmt.Fprintf(&b, "  %3d  %s\n", m.Code, m.Text)
	}
	b.WriteString(`
With --json, errors are one JSON object on standard error:
{"code", "reason", "message", "violations": [{"path", "want", "got", "text",
"line", "column", "excerpt"}]}. Programs should look at the exit code and the
reason, never at the message.`)
	return &cobra.Command{Use: "exit-codes", Short: "The exit codes and what they mean", Long: b.String()}
}

func outputTopic() *cobra.Command {
	return &cobra.Command{Use: "output", Short: "The forms of output", Long: `Forms of output (-o, --output):

  table  for people, the default; wide has more columns
  json   the API's answer; --json is short for it
  jsonl  lists as one JSON object a line
  yaml   the API's answer as YAML
  name   ids or names alone, one a line, for other commands

Fields have the names of the API's JSON. Ids are strings, times RFC 3339 in UTC,
durations and sizes numbers in the unit that the name says (billedMs). Beside
each amount of money stands the same as a decimal string in US dollars
(amountUsd beside amountNanoUsd). --jq PROGRAM sends JSON through jq; strings
come out without quotes.

Answers go to standard output, everything else to standard error. Colour is left
out where NO_COLOR is set or nobody looks; CLICOLOR_FORCE=1 keeps it.`}
}
