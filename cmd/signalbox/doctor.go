package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"

	"github.com/spf13/cobra"

	"github.com/signalboxhq/signalbox/cmd/signalbox/cli/exit"
	"github.com/signalboxhq/signalbox/controlplane/advance"
	"github.com/signalboxhq/signalbox/controlplane/doctor"
	"github.com/signalboxhq/signalbox/controlplane/migrations"
	"github.com/signalboxhq/signalbox/internal/pg"
	"github.com/signalboxhq/signalbox/proto/id"
)

func doctorCommand() *cobra.Command {
	var repair bool
	c := &cobra.Command{
		Use:   "doctor",
		Short: "Recount the database: journal against runs, queues, leases and the bill",
		Long: `Recount what the database of DATABASE_URL says twice. Every run's journal is folded
again and compared with what was derived from it: the rows of runs, the queue, leases and
timers, and the usage that is billed, to the unit. It also looks for rows that refer to
nothing, lints the schema and verifies the audit logs.

It reads one snapshot and changes nothing: servers may be at work meanwhile. Each
difference is one line. It exits 0 when there are none and 1 when there are any.

With --repair it writes the queue and the timers of runs anew, which follow from their
journals alone, each under its run's lock, and looks again: it then exits 1 if any
difference is left. It never touches a journal, a run, a lease or the bill.`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			config, err := loadConfig(cmd.Context())
			if err != nil {
				return err
			}
			if err := config.Validate(); err != nil {
				return err
			}
			if repair {
				return repairAll(cmd.Context(), string(config.DatabaseURL), cmd.OutOrStdout())
			}
			return examine(cmd.Context(), string(config.DatabaseURL), cmd.OutOrStdout())
		},
	}
	c.Flags().BoolVar(&repair, "repair", false, "write the queue and the timers of runs anew where they differ")
	return c
}

// repairAll repairs what can be, and tells what was found, done and left.
func repairAll(ctx context.Context, url string, out io.Writer) error {
	db, err := openMigrated(ctx, url)
	if err != nil {
		return err
	}
	defer db.Close()
	r, err := doctor.Repair(ctx, db, func(ctx context.Context, run doctor.Run) error {
		return advance.New(db, slog.New(slog.DiscardHandler), nil).Repair(ctx, advance.RunKey{Org: run.Org, Run: run.ID})
	})
	for _, d := range r.Found {
		_, _ = fmt.Fprintln(out, d)
	}
	for _, run := range r.Runs {
		_, _ = fmt.Fprintf(out, "repaired: the queue and the timers of %s were written anew\n", id.Format(id.Run, run.ID))
	}
	if err != nil {
		return err
	}
	if len(r.Found) > 0 {
		_, _ = fmt.Fprintln(out, "what is left:")
	}
	return tell(r.Left, out)
}

// examine writes what doctor finds, and a closing count.
func examine(ctx context.Context, url string, out io.Writer) error {
	db, err := openMigrated(ctx, url)
	if err != nil {
		return err
	}
	defer db.Close()
	found, err := doctor.Check(ctx, db)
	if err != nil {
		return err
	}
	return tell(found, out)
}

// openMigrated opens a database that this release has migrated, for commands
// that must not do it themselves.
func openMigrated(ctx context.Context, url string) (*pg.DB, error) {
	migrated, err := migrations.Migrated(ctx, url)
	if err != nil {
		return nil, err
	}
	if !migrated {
		return nil, errors.New("this database was not migrated; start a server on it first")
	}
	pending, err := migrations.Pending(ctx, url)
	if err != nil {
		return nil, fmt.Errorf("read which migrations the database has: %w", err)
	}
	if pending {
		return nil, errors.New("the database was not migrated to this release yet: start `signalbox server` once")
	}
	return pg.Open(ctx, pg.Config{URL: url})
}

// tell writes differences, and fails quietly if there are any.
func tell(found []doctor.Difference, out io.Writer) error {
	for _, d := range found {
		if _, err := fmt.Fprintln(out, d); err != nil {
			return err
		}
	}
	count := fmt.Sprintf("%d differences", len(found))
	if len(found) == 1 {
		count = "1 difference"
	}
	if _, err := fmt.Fprintln(out, count); err != nil || len(found) == 0 {
		return err
	}
	return &exit.QuietError{Code: exit.Failed}
}
