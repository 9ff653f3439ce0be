package cli

import (
	"context"
	"encoding/hex"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/signalboxhq/signalbox/cmd/signalbox/cli/exit"
	"github.com/signalboxhq/signalbox/cmd/signalbox/cli/output"
	tenancyv1 "github.com/signalboxhq/signalbox/proto/gen/signalbox/tenancy/v1"
	"github.com/signalboxhq/signalbox/proto/id"
)

func (a *app) auditCommand() *cobra.Command {
	return group("audit", "The audit log: what administrators did", a.auditListCommand(), a.auditVerifyCommand())
}

func (a *app) auditListCommand() *cobra.Command {
	req := &tenancyv1.ListAuditEntriesRequest{}
	c := a.command("list", "List the newest entries", noArgs, func(ctx context.Context, _ []string) error {
		api, err := a.api()
		if err != nil {
			return err
		}
		res, err := api.Audit.ListAuditEntries(ctx, req)
		if err != nil {
			return err
		}
		if res.GetNextBefore() != 0 && !a.flags.structured() {
			a.note("There is more: --before %d", res.GetNextBefore())
		}
		return a.print(output.View{
			Answer: res,
			Items:  output.Items(res.GetEntries()),
			Names: output.NamesOf(res.GetEntries(), func(e *tenancyv1.AuditEntry) string {
				return strconv.FormatInt(e.GetSeq(), 10)
			}),
			Blocks: []output.Block{auditGrid(res.GetEntries())},
		})
	})
	c.Flags().Int64Var(&req.Before, "before", 0, "entries older than the one of this `NUMBER`")
	c.Flags().Uint32Var(&req.Limit, "limit", 0, "at most so many, 200 at most (default 50)")
	return c
}

func auditGrid(entries []*tenancyv1.AuditEntry) *output.Grid {
	g := &output.Grid{
		Columns: []output.Column{
			{Head: "SEQ", Right: true},
			{Head: "AT"},
			{Head: "WHO"},
			{Head: "ACTION"},
			{Head: "RESOURCE"},
			{Head: "OUTCOME"},
			{Head: "FROM", Wide: true},
			{Head: "REQUEST", Wide: true},
			{Head: "DETAIL", Wide: true},
		},
		Empty: "No entries.",
	}
	for _, e := range entries {
		who := e.GetActorName()
		if who == "" {
			who = e.GetActorType() + " " + e.GetActorId()
		}
		g.Add(output.Number(e.GetSeq()), output.Text(e.GetAt().AsTime().UTC().Format(time.RFC3339)), output.Text(who),
			output.Text(e.GetAction()), output.Text(resource(e.GetResource())), output.Text(e.GetOutcome()),
			output.Text(e.GetIp()), output.Text(e.GetRequestId()), output.Text(e.GetDetail()))
	}
	return g
}

// resource is an id with the noun of its kind: "key key_…", "join token jt_…".
// What is no id stands as it is.
func resource(text string) string {
	kind, ok := id.KindOf(text)
	if !ok {
		return text
	}
	_, noun, _ := strings.Cut(kind.Noun(), " ") // without its article
	return noun + " " + text
}

func (a *app) auditVerifyCommand() *cobra.Command {
	return a.command("verify", "Recompute the chain of hashes; exit 1 where it is broken", noArgs, func(ctx context.Context, _ []string) error {
		api, err := a.api()
		if err != nil {
			return err
		}
		res, err := api.Audit.VerifyAudit(ctx, &tenancyv1.VerifyAuditRequest{})
		if err != nil {
			return err
		}
		if res.GetIntact() {
			return a.done(output.View{Answer: res}, "The chain of %d entries is intact. Its head is %s.",
				res.GetEntries(), hex.EncodeToString(res.GetHead()))
		}
		if a.flags.structured() {
			if err := a.print(output.View{Answer: res}); err != nil {
				return err
			}
			return &exit.QuietError{Code: exit.Failed}
		}
		return exit.New(exit.Failed, "the chain of %d entries is broken at entry %d", res.GetEntries(), res.GetBrokenAt())
	})
}
