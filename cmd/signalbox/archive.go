package main

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"os"
	"time"

	"github.com/spf13/cobra"

	"github.com/signalboxhq/signalbox/cmd/signalbox/cli/exit"
	"github.com/signalboxhq/signalbox/controlplane/archive"
	"github.com/signalboxhq/signalbox/proto/id"
)

func archiveCommand() *cobra.Command {
	var dir string
	var months int
	var drop bool
	c := &cobra.Command{
		Use:   "archive --to FOLDER",
		Short: "Write old journals to a folder, so that the database may let go of them",
		Long: `Write the journals of the months whose last run ended long ago to a folder: compressed
JSON lines, an index, and a manifest with digests. Each journal is replayed first; a month
with a run that is not what its journal says is not archived, and the command exits 1.

Servers drop what is archived, each hour, when its last run ended SIGNALBOX_RETENTION_MONTHS
ago; --drop does it now. It may be repeated: what is in the folder already is left out.
Keep the folder: ` + "`signalbox server restore`" + ` brings journals back from it.`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return withArchive(cmd, func(ctx context.Context, a *archive.Archive, config Config) error {
				if !cmd.Flags().Changed("months") && config.RetentionMonths > 0 {
					months = config.RetentionMonths
				}
				return writeArchive(ctx, a, dir, archive.Cutoff(time.Now(), months), drop, cmd.OutOrStdout())
			})
		},
	}
	c.Flags().StringVar(&dir, "to", "", "the `FOLDER` of the archive; it must be there")
	c.Flags().IntVar(&months, "months", 13, "archive what ended so many `MONTHS` ago; SIGNALBOX_RETENTION_MONTHS unless given")
	c.Flags().BoolVar(&drop, "drop", false, "drop from the database what is archived")
	_ = c.MarkFlagRequired("to")
	return c
}

// withArchive opens the archive of the environment's database.
func withArchive(cmd *cobra.Command, do func(ctx context.Context, a *archive.Archive, config Config) error) error {
	ctx := cmd.Context()
	config, err := loadConfig(ctx)
	if err != nil {
		return err
	}
	if err := config.Validate(); err != nil {
		return err
	}
	db, err := openMigrated(ctx, string(config.DatabaseURL))
	if err != nil {
		return err
	}
	defer db.Close()
	return do(ctx, archive.New(db, slog.New(slog.DiscardHandler)), config)
}

func writeArchive(ctx context.Context, a *archive.Archive, dir string, cutoff time.Time, drop bool, out io.Writer) error {
	if _, err := os.ReadDir(dir); err != nil {
		return fmt.Errorf("look into the folder of the archive: %w", err)
	}
	due, err := a.Due(ctx, cutoff)
	if err != nil {
		return err
	}
	say := func(format string, args ...any) { _, _ = fmt.Fprintf(out, format+"\n", args...) }
	differences := 0
	for _, p := range due {
		w, err := a.Write(ctx, dir, p)
		if err != nil {
			return err
		}
		for _, d := range w.Differences {
			say("%s: %s", p.Name, d)
		}
		differences += len(w.Differences)
		if w.Folder != "" {
			say("%s: %d runs, %d entries in %s", p.Name, w.Runs, w.Entries, w.Folder)
		}
		if !drop {
			continue
		}
		if gone, err := a.Drop(ctx, p, cutoff); err != nil {
			return err
		} else if gone {
			say("%s: dropped", p.Name)
		}
	}
	if differences > 0 {
		return &exit.QuietError{Code: exit.Failed}
	}
	return nil
}

func restoreCommand() *cobra.Command {
	var dir string
	c := &cobra.Command{
		Use:   "restore RUN… --from FOLDER",
		Short: "Bring the journals of archived runs back",
		Long: `Bring the journals of runs back from the folder that ` + "`signalbox server archive`" + ` wrote.
Each must be what was written, to the bit, and fold to the state that was noted when it was
archived. It stays for 30 days at least; then it is dropped with its month again.`,
		Args: cobra.MinimumNArgs(1),
		RunE: func(cmd *cobra.Command, runs []string) error {
			return withArchive(cmd, func(ctx context.Context, a *archive.Archive, _ Config) error {
				return restoreRuns(ctx, a, dir, runs, cmd.OutOrStdout())
			})
		},
	}
	c.Flags().StringVar(&dir, "from", "", "the `FOLDER` of the archive")
	_ = c.MarkFlagRequired("from")
	return c
}

func restoreRuns(ctx context.Context, a *archive.Archive, dir string, runs []string, out io.Writer) error {
	for _, text := range runs {
		run, err := id.Parse(id.Run, text)
		if err != nil {
			return exit.Usagef("%s", err.Error())
		}
		r, err := a.Restore(ctx, dir, run)
		if err != nil {
			return err
		}
		what := "restored"
		if r.There {
			what = "was there"
		}
		if _, err := fmt.Fprintf(out, "%s %s: %d entries, state %s\n", text, what, r.Entries, r.Digest); err != nil {
			return err
		}
	}
	return nil
}
