package archive_test

import (
	"bytes"
	"compress/gzip"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"io"
	"os"
	"path/filepath"
	"regexp"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/stretchr/testify/require"

	"github.com/signalboxhq/signalbox/controlplane/advance"
	"github.com/signalboxhq/signalbox/controlplane/archive"
	"github.com/signalboxhq/signalbox/controlplane/engine"
	"github.com/signalboxhq/signalbox/internal/fault"
	"github.com/signalboxhq/signalbox/proto/id"
)

const months = 13

// TestAJournalComesBackAsItWas archives a month, drops it and brings a journal of
// it back: the state folds to the same digest, the bill stays what it was, and
// doctor has nothing to say at any step.
func TestAJournalComesBackAsItWas(t *testing.T) {
	t.Parallel()
	b := setup(t)
	ctx := t.Context()
	b.run(engine.OutcomeSucceeded, engine.OutcomeSucceeded)
	b.run(engine.OutcomeFailed)
	b.old()
	b.run(engine.OutcomeSucceeded) // of today, and open
	b.clean()

	cutoff := archive.Cutoff(time.Now(), months)
	due, err := b.archive.Due(ctx, cutoff)
	require.NoError(t, err)
	var written []archive.Written
	for _, p := range due {
		w, err := b.archive.Write(ctx, b.dir, p)
		require.NoError(t, err)
		require.Empty(t, w.Differences)
		if w.Folder != "" {
			written = append(written, w)
		}
	}
	require.Len(t, written, 1)
	require.Equal(t, 2, written[0].Runs)
	b.clean() // archived, and still there
	before := queryOne[string](b, journalText)
	run := queryOne[id.UUID](b, `SELECT run_id FROM archived_run ORDER BY seq DESC LIMIT 1`)
	folder := filepath.Join(b.dir, written[0].Folder)
	b.wholeFolder(folder, written[0])
	again, err := b.archive.Write(ctx, b.dir, written[0].Partition)
	require.NoError(t, err)
	require.Empty(t, again.Folder, "it is there")

	dropped, err := b.archive.DropDue(ctx, cutoff)
	require.NoError(t, err)
	require.Contains(t, dropped, written[0].Partition.Name)
	require.Zero(t, queryOne[int](b, `SELECT count(*) FROM journal WHERE at < now() - interval '1 year'`))
	b.clean()
	err = b.a.RetryRun(ctx, advance.RetryRun{RunKey: advance.RunKey{Org: b.org, Run: run}, Actor: "test"})
	require.EqualValues(t, "JOURNAL_ARCHIVED", fault.ReasonOf(err), "%v", err)

	restored, err := b.archive.Restore(ctx, b.dir, run)
	require.NoError(t, err)
	require.False(t, restored.There)
	require.Equal(t, queryOne[[]byte](b, `SELECT digest FROM archived_run WHERE restored_at IS NOT NULL`), restored.Digest[:])
	b.clean()
	require.Contains(t, before, queryOne[string](b, journalText), "every column came back")
	restored, err = b.archive.Restore(ctx, b.dir, run)
	require.NoError(t, err)
	require.True(t, restored.There, "and it is brought back once")

	dropped, err = b.archive.DropDue(ctx, cutoff)
	require.NoError(t, err)
	require.Empty(t, dropped, "what came back stays for a while")
	b.exec(`UPDATE archived_run SET restored_at = restored_at - interval '31 days'`, nil)
	dropped, err = b.archive.DropDue(ctx, cutoff)
	require.NoError(t, err)
	require.NotEmpty(t, dropped)
	b.clean()

	_, err = b.archive.Restore(ctx, b.dir, id.New())
	require.Equal(t, fault.KindNotFound, fault.KindOf(err))
}

// A journal that was archived before its entries said what they are billed for of
// GPU time comes back without.
func TestAJournalOfAnOlderReleaseComesBack(t *testing.T) {
	t.Parallel()
	b := setup(t)
	ctx := t.Context()
	b.run(engine.OutcomeSucceeded, engine.OutcomeSucceeded)
	b.old()
	b.archiveDue()
	b.withoutColumn(`,"billed_gpu_ms":[0-9]+`)
	restored, err := b.archive.Restore(ctx, b.dir, queryOne[id.UUID](b, `SELECT id FROM run`))
	require.NoError(t, err)
	require.Equal(t, restored.Entries, queryOne[int](b, `SELECT count(*) FROM journal WHERE billed_gpu_ms IS NULL`))
	b.clean()
}

// withoutColumn writes the one run of the archive as if a column were not there
// yet.
func (b *bundle) withoutColumn(column string) {
	b.t.Helper()
	folders, err := filepath.Glob(filepath.Join(b.dir, "*"))
	require.NoError(b.t, err)
	require.Len(b.t, folders, 1)
	data, index := filepath.Join(folders[0], "data.jsonl.gz"), filepath.Join(folders[0], "index.jsonl")
	packed, err := os.ReadFile(data)
	require.NoError(b.t, err)
	unzip, err := gzip.NewReader(bytes.NewReader(packed))
	require.NoError(b.t, err)
	rows, err := io.ReadAll(unzip)
	require.NoError(b.t, err)
	shorter := regexp.MustCompile(column).ReplaceAll(rows, nil)
	require.Less(b.t, len(shorter), len(rows))
	var member bytes.Buffer
	zip := gzip.NewWriter(&member)
	_, err = zip.Write(shorter)
	require.NoError(b.t, err)
	require.NoError(b.t, zip.Close())
	require.NoError(b.t, os.WriteFile(data, member.Bytes(), 0o600))

	var line archive.Line
	text, err := os.ReadFile(index)
	require.NoError(b.t, err)
	require.NoError(b.t, json.Unmarshal(text, &line))
	sum := sha256.Sum256(member.Bytes())
	line.Length, line.SHA256 = int64(member.Len()), hex.EncodeToString(sum[:])
	text, err = json.Marshal(line)
	require.NoError(b.t, err)
	require.NoError(b.t, os.WriteFile(index, text, 0o600))
}

// journalText is the old part of the journal, all of it.
const journalText = `SELECT string_agg(j::text, chr(10) ORDER BY run_id, seq) FROM journal j WHERE at < now() - interval '1 year'`

// wholeFolder holds what a folder says of itself against what it has.
func (b *bundle) wholeFolder(dir string, w archive.Written) {
	b.t.Helper()
	var m archive.Manifest
	text, err := os.ReadFile(filepath.Join(dir, "manifest.json"))
	require.NoError(b.t, err)
	require.NoError(b.t, json.Unmarshal(text, &m))
	require.Equal(b.t, w.Partition.Name, m.Partition)
	require.Equal(b.t, w.Runs, m.Runs)
	require.Equal(b.t, w.Entries, m.Entries)
	for name, want := range map[string]string{"data.jsonl.gz": m.DataSHA256, "index.jsonl": m.IndexSHA256} {
		text, err := os.ReadFile(filepath.Join(dir, name))
		require.NoError(b.t, err)
		sum := sha256.Sum256(text)
		require.Equal(b.t, want, hex.EncodeToString(sum[:]), name)
	}
	entries, err := os.ReadDir(b.dir)
	require.NoError(b.t, err)
	require.Len(b.t, entries, 1, "nothing is left of what was begun")
}

// A partition stays that has a run which is open, young, not archived as it is
// now, or not what its journal says.
func TestWhatIsNeededStays(t *testing.T) {
	t.Parallel()
	b := setup(t)
	ctx := t.Context()
	failed := b.run(engine.OutcomeFailed)
	open := b.run()
	b.old()
	failed, open = b.shifted(failed), b.shifted(open)
	cutoff := archive.Cutoff(time.Now(), months)
	names := func() (out []string) {
		due, err := b.archive.Due(ctx, cutoff)
		require.NoError(t, err)
		for _, p := range due {
			if queryOne[int](b, `SELECT count(*) FROM journal j WHERE j.tableoid = 'sb.`+p.Name+`'::regclass`) > 0 {
				out = append(out, p.Name)
			}
		}
		return out
	}
	require.Empty(t, names(), "one is open")
	require.NoError(t, b.a.CancelRun(ctx, advance.CancelRun{RunKey: advance.RunKey{Org: b.org, Run: open}, Actor: "test"}))
	require.Empty(t, names(), "one ended today")
	b.exec(`UPDATE run SET finished_at = created_at + interval '1 hour'`, nil)
	require.Len(t, names(), 1)

	due, err := b.archive.Due(ctx, cutoff)
	require.NoError(t, err)
	p := due[0]
	for _, d := range due {
		if d.Name == names()[0] {
			p = d
		}
	}
	gone, err := b.archive.Drop(ctx, p, cutoff)
	require.NoError(t, err)
	require.False(t, gone, "it is not archived")
	w, err := b.archive.Write(ctx, b.dir, p)
	require.NoError(t, err)
	require.Len(t, w.Differences, 2, "finished_at of both is not what the journal says")
	require.Empty(t, w.Folder)
	gone, err = b.archive.Drop(ctx, p, cutoff)
	require.NoError(t, err)
	require.False(t, gone)

	// The journals are made to say so.
	b.exec(`UPDATE journal j SET at = least(j.at, r.finished_at) FROM run r WHERE r.id = j.run_id`, nil)
	b.exec(`UPDATE run r SET finished_at = (SELECT max(date_trunc('milliseconds', at)) FROM journal j WHERE j.run_id = r.id)`, nil)
	w, err = b.archive.Write(ctx, b.dir, p)
	require.NoError(t, err)
	require.Empty(t, w.Differences)
	require.Equal(t, 2, w.Runs)

	// A retry goes on with a run that is archived: it is archived again, whole.
	require.NoError(t, b.a.RetryRun(ctx, advance.RetryRun{RunKey: advance.RunKey{Org: b.org, Run: failed}, Actor: "test"}))
	gone, err = b.archive.Drop(ctx, p, cutoff)
	require.NoError(t, err)
	require.False(t, gone, "it is open again")
	require.Positive(t, queryOne[int](b, `SELECT count(*) FROM journal`))
}

// shifted is the id that old gave a run.
func (b *bundle) shifted(run id.UUID) id.UUID {
	b.t.Helper()
	var out id.UUID
	require.NoError(b.t, b.super.QueryRow(b.t.Context(), `SELECT id FROM run WHERE right(id::text, 22) = right($1::text, 22)`, run.String()).Scan(&out))
	return out
}

// archiveDue writes what is due, and drops it.
func (b *bundle) archiveDue() {
	b.t.Helper()
	ctx, cutoff := b.t.Context(), archive.Cutoff(time.Now(), months)
	due, err := b.archive.Due(ctx, cutoff)
	require.NoError(b.t, err)
	for _, p := range due {
		_, err := b.archive.Write(ctx, b.dir, p)
		require.NoError(b.t, err)
	}
	_, err = b.archive.DropDue(ctx, cutoff)
	require.NoError(b.t, err)
}

// What was changed in the archive does not come back.
func TestAForgedJournalIsRefused(t *testing.T) {
	t.Parallel()
	b := setup(t)
	ctx := t.Context()
	b.run(engine.OutcomeSucceeded, engine.OutcomeSucceeded)
	b.old()
	b.archiveDue()
	run := queryOne[id.UUID](b, `SELECT id FROM run`)
	data, err := filepath.Glob(filepath.Join(b.dir, "*", "data.jsonl.gz"))
	require.NoError(t, err)
	text, err := os.ReadFile(data[0])
	require.NoError(t, err)
	forged := bytes.Clone(text)
	forged[len(forged)/2] ^= 1
	require.NoError(t, os.WriteFile(data[0], forged, 0o600))
	_, err = b.archive.Restore(ctx, b.dir, run)
	require.ErrorContains(t, err, "is not what was written")

	require.NoError(t, os.WriteFile(data[0], text, 0o600))
	b.exec(`UPDATE archived_run SET digest = sha256('x')`, pgx.NamedArgs{})
	_, err = b.archive.Restore(ctx, b.dir, run)
	require.ErrorContains(t, err, "its journal is not what it was")
	require.Zero(t, queryOne[int](b, `SELECT count(*) FROM journal`))
}
