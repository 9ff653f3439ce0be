package cli

import (
	"context"
	"maps"
	"slices"
	"time"

	"github.com/spf13/cobra"

	"github.com/signalboxhq/signalbox/cmd/signalbox/cli/client"
	pipelinev1 "github.com/signalboxhq/signalbox/proto/gen/signalbox/pipeline/v1"
	poolv1 "github.com/signalboxhq/signalbox/proto/gen/signalbox/pool/v1"
	runv1 "github.com/signalboxhq/signalbox/proto/gen/signalbox/run/v1"
	schedulev1 "github.com/signalboxhq/signalbox/proto/gen/signalbox/schedule/v1"
	tenancyv1 "github.com/signalboxhq/signalbox/proto/gen/signalbox/tenancy/v1"
)

// completionTime is how long somebody who pressed Tab should wait at most.
const completionTime = 2 * time.Second

// completeFirst completes the first argument of a command. Completion never
// fails: what cannot be asked has no completions.
func (a *app) completeFirst(cmd *cobra.Command, args []string, names func(context.Context, *client.Clients) []string) ([]cobra.Completion, cobra.ShellCompDirective) {
	if len(args) > 0 {
		return nil, cobra.ShellCompDirectiveNoFileComp
	}
	api, err := a.api()
	if err != nil {
		return nil, cobra.ShellCompDirectiveNoFileComp
	}
	ctx, cancel := context.WithTimeout(cmd.Context(), completionTime)
	defer cancel()
	return names(ctx, api), cobra.ShellCompDirectiveNoFileComp
}

func (a *app) completePipelines(cmd *cobra.Command, args []string, _ string) ([]cobra.Completion, cobra.ShellCompDirective) {
	return a.completeFirst(cmd, args, func(ctx context.Context, api *client.Clients) []string {
		res, _ := api.Pipeline.ListPipelines(ctx, &pipelinev1.ListPipelinesRequest{})
		names := make([]string, 0, len(res.GetPipelines()))
		for _, p := range res.GetPipelines() {
			names = append(names, p.GetName())
		}
		return names
	})
}

func (a *app) completeRuns(cmd *cobra.Command, args []string, _ string) ([]cobra.Completion, cobra.ShellCompDirective) {
	return a.completeFirst(cmd, args, func(ctx context.Context, api *client.Clients) []string {
		res, _ := api.Run.ListRuns(ctx, &runv1.ListRunsRequest{PageSize: 20})
		names := []string{latest, "@failed"}
		for _, r := range res.GetRuns() {
			names = append(names, cobra.CompletionWithDesc(r.GetId(), runName(r)+" "+r.GetState()))
		}
		return names
	})
}

func (a *app) completeRunAndTask(cmd *cobra.Command, args []string, typed string) ([]cobra.Completion, cobra.ShellCompDirective) {
	if len(args) != 1 {
		return a.completeRuns(cmd, args, typed)
	}
	return a.completeFirst(cmd, nil, func(ctx context.Context, api *client.Clients) []string {
		res, _ := api.Run.GetRun(ctx, &runv1.GetRunRequest{Id: args[0]})
		names := make([]string, 0, len(res.GetTasks()))
		for _, t := range res.GetTasks() {
			names = append(names, t.GetName())
		}
		return names
	})
}

func (a *app) completePools(cmd *cobra.Command, args []string, _ string) ([]cobra.Completion, cobra.ShellCompDirective) {
	return a.completeFirst(cmd, args, func(ctx context.Context, api *client.Clients) []string {
		res, _ := api.Pool.ListPools(ctx, &poolv1.ListPoolsRequest{})
		names := make([]string, 0, len(res.GetPools()))
		for _, p := range res.GetPools() {
			names = append(names, p.GetName())
		}
		return names
	})
}

func (a *app) completeSchedules(cmd *cobra.Command, args []string, _ string) ([]cobra.Completion, cobra.ShellCompDirective) {
	return a.completeFirst(cmd, args, func(ctx context.Context, api *client.Clients) []string {
		res, _ := api.Schedule.ListSchedules(ctx, &schedulev1.ListSchedulesRequest{})
		names := make([]string, 0, len(res.GetSchedules()))
		for _, s := range res.GetSchedules() {
			names = append(names, s.GetName())
		}
		return names
	})
}

func (a *app) completeWorkspaces(cmd *cobra.Command, args []string, _ string) ([]cobra.Completion, cobra.ShellCompDirective) {
	return a.completeFirst(cmd, args, func(ctx context.Context, api *client.Clients) []string {
		who, _ := api.Account.WhoAmI(ctx, &tenancyv1.WhoAmIRequest{})
		var names []string
		for _, m := range who.GetMemberships() {
			for _, w := range m.GetWorkspaces() {
				names = append(names, m.GetOrganization().GetSlug()+"/"+w.GetWorkspace().GetSlug())
			}
		}
		return names
	})
}

func (a *app) completeProfiles(_ *cobra.Command, args []string, _ string) ([]cobra.Completion, cobra.ShellCompDirective) {
	config, _, err := a.config()
	if err != nil || len(args) > 0 {
		return nil, cobra.ShellCompDirectiveNoFileComp
	}
	return slices.Sorted(maps.Keys(config.Profiles)), cobra.ShellCompDirectiveNoFileComp
}

// completeFiles leaves the first argument to the shell: it is a file.
func completeFiles(_ *cobra.Command, args []string, _ string) ([]cobra.Completion, cobra.ShellCompDirective) {
	if len(args) > 0 {
		return nil, cobra.ShellCompDirectiveNoFileComp
	}
	return []cobra.Completion{"yaml", "yml"}, cobra.ShellCompDirectiveFilterFileExt
}
