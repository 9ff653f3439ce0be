package cli

import (
	"context"
	"time"

	"github.com/spf13/cobra"

	"github.com/signalboxhq/signalbox/cmd/signalbox/cli/client"
	poolv1 "github.com/signalboxhq/signalbox/proto/gen/signalbox/pool/v1"
)

// drainLook is how often a pool that drains is looked at.
const drainLook = time.Second

func (a *app) poolDrainCommand() *cobra.Command {
	note, noWait := "", false
	c := a.command("drain POOL", "Give out no more tasks, and wait until none runs", oneArg("POOL"), func(ctx context.Context, args []string) error {
		api, err := a.api()
		if err != nil {
			return err
		}
		res, err := api.Pool.UpdatePool(ctx, &poolv1.UpdatePoolRequest{Name: args[0], Paused: new(true), PauseNote: &note})
		if err != nil {
			return err
		}
		pool := res.GetPool()
		if !noWait {
			if pool, err = a.drained(ctx, api, pool); err != nil {
				return err
			}
		}
		return a.print(a.poolView(&poolv1.UpdatePoolResponse{Pool: pool}, pool))
	})
	c.Long = `Give out no more tasks of a pool, and wait until none runs: then its agents can be
stopped, and nothing is lost. New tasks wait until ` + "`signalbox pool resume`" + `.`
	c.Flags().StringVar(&note, "note", "draining", "`WHY`: shown wherever somebody asks why a task waits")
	c.Flags().BoolVar(&noWait, "no-wait", false, "do not wait for what runs")
	c.ValidArgsFunction = a.completePools
	return c
}

// drained waits until nothing of a paused pool runs, and says how it goes.
func (a *app) drained(ctx context.Context, api *client.Clients, pool *poolv1.Pool) (*poolv1.Pool, error) {
	tick := time.NewTicker(drainLook)
	defer tick.Stop()
	for left := uint32(0); pool.GetLeased() > 0; left = pool.GetLeased() {
		if pool.GetLeased() != left {
			a.note("Still running in pool %s: %d.", pool.GetName(), pool.GetLeased())
		}
		select {
		case <-ctx.Done():
			return nil, ctx.Err()
		case <-tick.C:
		}
		res, err := api.Pool.GetPool(ctx, &poolv1.GetPoolRequest{Name: pool.GetName()})
		if err != nil {
			return nil, err
		}
		pool = res.GetPool()
	}
	return pool, nil
}
