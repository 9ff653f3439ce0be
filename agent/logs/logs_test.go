package logs_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/signalboxhq/signalbox/agent/logs"
)

var (
	key   = logs.Key{Run: "run_01kb5z6w3dfqmrr8nwv1c3yh2k", Task: "fold[3]/train", Attempt: 1}
	start = time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
)

type testBundle struct {
	dir   string
	store *logs.Store
}

func setup(t *testing.T, limit int64) *testBundle {
	t.Helper()
	b := &testBundle{dir: filepath.Join(t.TempDir(), "logs")}
	b.reopen(t, limit)
	return b
}

func (b *testBundle) reopen(t *testing.T, limit int64) {
	t.Helper()
	var err error
	b.store, err = logs.Open(b.dir, logs.Options{Limit: limit, Now: func() time.Time { return start }})
	require.NoError(t, err)
}

func (b *testBundle) create(t *testing.T, key logs.Key) *logs.Log {
	t.Helper()
	log, err := b.store.Create(key)
	require.NoError(t, err)
	t.Cleanup(func() { _ = log.Close() })
	return log
}

func write(t require.TestingT, w io.Writer, text string) {
	n, err := io.WriteString(w, text)
	require.NoError(t, err)
	require.Equal(t, len(text), n)
}

// all reads a log from an offset to its present end.
func (b *testBundle) all(t require.TestingT, key logs.Key, offset int64) []logs.Record {
	reader, err := b.store.Read(key, offset)
	require.NoError(t, err)
	var records []logs.Record
	for {
		more, err := reader.Next(context.Background(), false)
		if errors.Is(err, io.EOF) {
			return records
		}
		require.NoError(t, err)
		records = append(records, more...)
	}
}

func text(records []logs.Record) string {
	var text strings.Builder
	for _, r := range records {
		text.WriteString(r.Text)
	}
	return text.String()
}

func TestRecords(t *testing.T) {
	t.Parallel()
	b := setup(t, 0)
	log := b.create(t, key)
	write(t, log.Writer(logs.Stdout), "one\ntwo")
	write(t, log.Writer(logs.Stderr), "oops\n")
	log.Note("the run limit of 2s is up")
	require.EqualValues(t, len("one\ntwooops\nthe run limit of 2s is up\n"), log.Bytes())
	require.NoError(t, log.Attach("summary.md", "# done"))
	require.NoError(t, log.Close())

	b.reopen(t, 0) // as after a restart of the agent
	records := b.all(t, key, 0)
	require.Len(t, records, 3)
	require.Equal(t, logs.Record{Offset: 0, Next: records[1].Offset, Time: start, Stream: logs.Stdout, Text: "one\ntwo"}, records[0])
	require.Equal(t, logs.Stderr, records[1].Stream)
	require.Equal(t, logs.Agent, records[2].Stream)
	require.Equal(t, records[1:], b.all(t, key, records[1].Offset))
	require.Empty(t, b.all(t, key, records[2].Next))
	require.Empty(t, b.all(t, key, 1<<40))
	last, err := b.store.LastAttempt(key.Run, key.Task)
	require.NoError(t, err)
	require.EqualValues(t, 1, last)
}

func TestGone(t *testing.T) {
	t.Parallel()
	b := setup(t, 0)
	_, err := b.store.Read(key, 0)
	require.ErrorIs(t, err, logs.ErrGone)
	_, err = b.store.LastAttempt(key.Run, key.Task)
	require.ErrorIs(t, err, logs.ErrGone)
}

func TestNilLog(t *testing.T) {
	t.Parallel()
	var log *logs.Log
	write(t, log.Writer(logs.Stdout), "x")
	log.Note("x")
	require.Zero(t, log.Bytes())
	require.NoError(t, log.Attach("x", "x"))
	require.NoError(t, log.Close())
}

func TestEachAttemptHasItsOwnLog(t *testing.T) {
	t.Parallel()
	b := setup(t, 0)
	b.create(t, key)
	_, err := b.store.Create(key)
	require.ErrorIs(t, err, os.ErrExist)
	for _, task := range []string{"..", "a/../../b", "a%2F"} {
		log := b.create(t, logs.Key{Run: "..", Task: task, Attempt: 2})
		write(t, log.Writer(logs.Stdout), task)
		require.Equal(t, task, text(b.all(t, logs.Key{Run: "..", Task: task, Attempt: 2}, 0)))
	}
	entries, err := os.ReadDir(filepath.Dir(b.dir))
	require.NoError(t, err)
	require.Len(t, entries, 1, "nothing was written outside of the folder")
}

func TestFollow(t *testing.T) {
	t.Parallel()
	b := setup(t, 0)
	log := b.create(t, key)
	reader, err := b.store.Read(key, 0)
	require.NoError(t, err)
	got := make(chan string)
	go func() {
		defer close(got)
		for {
			records, err := reader.Next(t.Context(), true)
			if err != nil {
				got <- err.Error()
				return
			}
			got <- text(records)
		}
	}()
	w := log.Writer(logs.Stdout)
	for i := range 3 {
		write(t, w, fmt.Sprintf("line %d\n", i))
		require.Equal(t, fmt.Sprintf("line %d\n", i), <-got)
	}
	require.NoError(t, log.Close())
	require.Equal(t, "EOF", <-got)
}

func TestFollowEndsWithItsContext(t *testing.T) {
	t.Parallel()
	b := setup(t, 0)
	b.create(t, key)
	reader, err := b.store.Read(key, 0)
	require.NoError(t, err)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	_, err = reader.Next(ctx, true)
	require.ErrorIs(t, err, context.Canceled)
}

func TestLongLogLosesItsMiddle(t *testing.T) {
	t.Parallel()
	b := setup(t, 4000)
	log := b.create(t, key)
	w := log.Writer(logs.Stdout)
	for i := range 1000 {
		write(t, w, fmt.Sprintf("line %d\n", i))
	}
	records := b.all(t, key, 0)
	require.Equal(t, "line 0\n", records[0].Text)
	require.Equal(t, "line 999\n", records[len(records)-1].Text)
	gaps, at := 0, int64(0)
	for _, r := range records {
		require.Equal(t, at, r.Offset)
		at = r.Next
		if r.Stream == logs.Agent {
			gaps++
			require.Equal(t, fmt.Sprintf("… %d bytes left out: the log outgrew its limit …\n", r.Next-r.Offset), r.Text)
			// Whoever asks for what was dropped gets what is behind it.
			inside := b.all(t, key, r.Offset+10)
			require.Equal(t, r.Next, inside[0].Next)
			require.Equal(t, "line 999\n", inside[len(inside)-1].Text)
		}
	}
	require.Equal(t, 1, gaps)
	var disk int64
	files, err := filepath.Glob(filepath.Join(b.dir, "*", "*", "*", "*"))
	require.NoError(t, err)
	for _, file := range files {
		info, err := os.Stat(file)
		require.NoError(t, err)
		disk += info.Size()
	}
	require.LessOrEqual(t, disk, int64(4000+4*100))
}

func TestCharactersAreNotCut(t *testing.T) {
	t.Parallel()
	b := setup(t, 0)
	log := b.create(t, key)
	w := log.Writer(logs.Stdout)
	for _, c := range []byte("grün €😀") {
		write(t, w, string([]byte{c}))
	}
	write(t, w, "\xff\xe2\x82")
	require.NoError(t, w.Close())
	require.Equal(t, "grün €😀\uFFFD\uFFFD", text(b.all(t, key, 0)))
}

func TestLargeWritesBecomeSeveralRecords(t *testing.T) {
	t.Parallel()
	b := setup(t, 0)
	log := b.create(t, key)
	want := strings.Repeat("\x00€", 30_000)
	write(t, log.Writer(logs.Stdout), want)
	records := b.all(t, key, 0)
	require.Greater(t, len(records), 1)
	require.Equal(t, want, text(records))
}

func TestBrokenDiskDoesNotBreakTheWriter(t *testing.T) {
	t.Parallel()
	b := setup(t, 40)
	log := b.create(t, key)
	w := log.Writer(logs.Stdout)
	write(t, w, "the first segment is full now\n")
	require.NoError(t, os.RemoveAll(b.dir))
	write(t, w, "x")
	write(t, w, "y")
	require.Error(t, log.Close())
}

// TestEveryOffset holds that a reader may begin anywhere and gets exactly the
// records that begin there or later.
func TestEveryOffset(t *testing.T) {
	t.Parallel()
	b := setup(t, 1<<20)
	attempt := uint32(0)
	rapid.Check(t, func(rt *rapid.T) {
		attempt++
		key := logs.Key{Run: "run", Task: "t", Attempt: attempt}
		log, err := b.store.Create(key)
		require.NoError(rt, err)
		w := log.Writer(logs.Stdout)
		for _, piece := range rapid.SliceOfN(rapid.StringN(1, 20, -1), 1, 8).Draw(rt, "pieces") {
			write(rt, w, piece)
		}
		if rapid.Bool().Draw(rt, "closed") {
			require.NoError(rt, w.Close())
			require.NoError(rt, log.Close())
		}
		records := b.all(rt, key, 0)
		end := records[len(records)-1].Next
		offset := rapid.Int64Range(0, end+5).Draw(rt, "offset")
		var want []logs.Record
		for _, r := range records {
			if r.Offset >= offset {
				want = append(want, r)
			}
		}
		require.Equal(rt, want, b.all(rt, key, offset))
		_ = log.Close()
	})
}

func TestSweep(t *testing.T) {
	t.Parallel()
	b := setup(t, 0)
	write10 := func(run string) *logs.Log {
		log := b.create(t, logs.Key{Run: run, Task: "t", Attempt: 1})
		write(t, log.Writer(logs.Stdout), "0123456789")
		return log
	}
	age := func(run string, days int) {
		at := start.AddDate(0, 0, -days)
		for _, pattern := range []string{"t/1/*", "t/1"} {
			paths, err := filepath.Glob(filepath.Join(b.dir, run, pattern))
			require.NoError(t, err)
			for _, path := range paths {
				require.NoError(t, os.Chtimes(path, at, at))
			}
		}
	}
	for i, run := range []string{"live", "old", "older", "young", "new"} {
		log := write10(run)
		if run != "live" {
			require.NoError(t, log.Close())
		}
		age(run, []int{90, 40, 50, 10, 1}[i])
	}
	left := func() []string {
		entries, err := os.ReadDir(b.dir)
		require.NoError(t, err)
		var names []string
		for _, entry := range entries {
			names = append(names, entry.Name())
		}
		return names
	}
	removed, err := b.store.Sweep(logs.Retention{Age: 30 * 24 * time.Hour})
	require.NoError(t, err)
	require.Equal(t, 2, removed)
	require.ElementsMatch(t, []string{"live", "young", "new"}, left())

	removed, err = b.store.Sweep(logs.Retention{Total: 110})
	require.NoError(t, err)
	require.Equal(t, 1, removed)
	require.ElementsMatch(t, []string{"live", "new"}, left())

	removed, err = b.store.Sweep(logs.Retention{})
	require.NoError(t, err)
	require.Zero(t, removed)
}
