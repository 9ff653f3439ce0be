package artifact_test

import (
	"crypto/sha256"
	"encoding/hex"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/signalboxhq/signalbox/agent/artifact"
)

const me = "agt_01kb5z6w3dfqmrr8nwv1c3yh2k"

var key = artifact.Key{Run: "run_01kb5z6w3dfqmrr8nwv1c3yh2k", Task: "fold[3]/train", Attempt: 2, Name: "model"}

type testBundle struct {
	dir   string
	work  string
	store *artifact.Store
}

func setup(t *testing.T, shared bool) *testBundle {
	t.Helper()
	b := &testBundle{dir: filepath.Join(t.TempDir(), "artifacts"), work: t.TempDir()}
	var err error
	b.store, err = artifact.Open(b.dir, me, shared)
	require.NoError(t, err)
	return b
}

// write makes files below the work folder: name -> content; a name that ends in
// a slash is a folder, a content that begins with -> a link.
func (b *testBundle) write(t *testing.T, files map[string]string) {
	t.Helper()
	for name, content := range files {
		path := filepath.Join(b.work, name)
		require.NoError(t, os.MkdirAll(filepath.Dir(path), 0o700))
		target, link := strings.CutPrefix(content, "->")
		switch {
		case strings.HasSuffix(name, "/"):
			require.NoError(t, os.MkdirAll(path, 0o700))
		case link:
			require.NoError(t, os.Symlink(target, path))
		default:
			require.NoError(t, os.WriteFile(path, []byte(content), 0o600))
		}
	}
}

func (b *testBundle) describe(t *testing.T, name string) artifact.Content {
	t.Helper()
	content, err := artifact.Describe(filepath.Join(b.work, name))
	require.NoError(t, err)
	return content
}

func TestDigestOfAFileIsThatOfItsBytes(t *testing.T) {
	t.Parallel()
	b := setup(t, false)
	b.write(t, map[string]string{"f": "hello"})
	require.Equal(t, artifact.Content{Digest: sha256.Sum256([]byte("hello")), Size: 5}, b.describe(t, "f"))
}

func TestDigestOfAFolderIsCanonical(t *testing.T) {
	t.Parallel()
	b := setup(t, false)
	tree := map[string]string{"a": "1", "sub/b": "22", "sub/link": "->../a", "empty/": ""}
	for _, root := range []string{"one", "two"} {
		files := map[string]string{}
		for name, content := range tree {
			files[root+"/"+name] = content
		}
		b.write(t, files)
	}
	require.NoError(t, os.Chtimes(filepath.Join(b.work, "two/a"), time.Unix(1, 0), time.Unix(1, 0)))
	require.NoError(t, os.Chmod(filepath.Join(b.work, "two/a"), 0o644))
	one := b.describe(t, "one")
	require.Equal(t, one, b.describe(t, "two"))
	require.EqualValues(t, 3, one.Size)
	require.Equal(t, "fb595ac8", hex.EncodeToString(one.Digest[:4]), "the digest of a folder must not change between releases")

	for name, change := range map[string]func() error{
		"content":    func() error { return os.WriteFile(filepath.Join(b.work, "two/a"), []byte("2"), 0o600) },
		"executable": func() error { return os.Chmod(filepath.Join(b.work, "two/a"), 0o755) },
		"name":       func() error { return os.Rename(filepath.Join(b.work, "two/sub"), filepath.Join(b.work, "two/sup")) },
		"gone":       func() error { return os.Remove(filepath.Join(b.work, "two/empty")) },
	} {
		before := b.describe(t, "two")
		require.NoError(t, change())
		require.NotEqual(t, before.Digest, b.describe(t, "two").Digest, name)
	}
}

func TestSpecialFilesAreRefused(t *testing.T) {
	t.Parallel()
	b := setup(t, false)
	b.write(t, map[string]string{"d/f": "x"})
	require.NoError(t, syscall.Mkfifo(filepath.Join(b.work, "d/fifo"), 0o600))
	_, err := artifact.Describe(filepath.Join(b.work, "d"))
	require.ErrorContains(t, err, "is no file, folder or link")
	_, err = artifact.Describe(filepath.Join(b.work, "d/fifo"))
	require.ErrorContains(t, err, "neither a file nor a folder")
	_, err = b.store.Keep(key, filepath.Join(b.work, "d"), false)
	require.ErrorContains(t, err, "is no file, folder or link")
	_, err = os.Lstat(filepath.Join(b.dir, key.Run))
	require.NoError(t, err)
}

func TestKeepAndStage(t *testing.T) {
	t.Parallel()
	for _, shared := range []bool{false, true} {
		b := setup(t, shared)
		b.write(t, map[string]string{"out/weights.bin": "weights", "out/cfg/x.json": "{}", "out/latest": "->weights.bin"})
		before := b.describe(t, "out")
		content, err := b.store.Keep(key, filepath.Join(b.work, "out"), true)
		require.NoError(t, err)
		require.Equal(t, before, content)
		require.NoDirExists(t, filepath.Join(b.work, "out"), "it was moved")

		uri := b.store.URI(key)
		if shared {
			require.True(t, strings.HasPrefix(uri, "file:///"), uri)
		} else {
			require.Equal(t, "agent://"+me+"/"+key.Run+"/fold%5B3%5D%2Ftrain/2/model", uri)
		}
		staged := filepath.Join(b.work, "in")
		require.NoError(t, b.store.Stage(uri, staged))
		require.Equal(t, before, b.describe(t, "in"))

		// What a step does to its copy is its own business.
		require.NoError(t, os.Chmod(filepath.Join(staged, "weights.bin"), 0o600))
		require.NoError(t, os.WriteFile(filepath.Join(staged, "weights.bin"), []byte("spoiled"), 0o600))
		again := filepath.Join(b.work, "again")
		require.NoError(t, b.store.Stage(uri, again))
		require.Equal(t, before, b.describe(t, "again"))

		_, err = b.store.Keep(key, again, true)
		require.ErrorIs(t, err, os.ErrExist)
	}
}

func TestKeepCopiesWhatIsNotTheAttempts(t *testing.T) {
	t.Parallel()
	b := setup(t, false)
	b.write(t, map[string]string{"data.csv": "1,2", "link": "->data.csv"})
	for i, name := range []string{"data.csv", "link"} {
		k := key
		k.Attempt = uint32(i)
		content, err := b.store.Keep(k, filepath.Join(b.work, name), name == "link")
		require.NoError(t, err)
		require.EqualValues(t, 3, content.Size)
		require.FileExists(t, filepath.Join(b.work, "data.csv"))
		path, err := b.store.Locate(b.store.URI(k))
		require.NoError(t, err)
		info, err := os.Lstat(path)
		require.NoError(t, err)
		require.True(t, info.Mode().IsRegular())
		require.Zero(t, info.Mode()&0o222)
	}
}

func TestLargeFilesAreLinked(t *testing.T) {
	t.Parallel()
	b := setup(t, false)
	file := filepath.Join(b.work, "large")
	require.NoError(t, os.WriteFile(file, nil, 0o600))
	require.NoError(t, os.Truncate(file, 17<<20))
	_, err := b.store.Keep(key, file, true)
	require.NoError(t, err)
	require.NoError(t, b.store.Stage(b.store.URI(key), file))
	info, err := os.Stat(file)
	require.NoError(t, err)
	stat, ok := info.Sys().(*syscall.Stat_t)
	require.True(t, ok)
	require.EqualValues(t, 2, stat.Nlink)
}

func TestLocateRefuses(t *testing.T) {
	t.Parallel()
	b := setup(t, true)
	for uri, want := range map[string]string{
		"agent://agt_other/run/t/1/model":  "another agent's disk",
		"agent://" + me + "/run/t/model":   "names none",
		"agent://" + me + "/run/t/x/model": "invalid syntax",
		"file:///etc/passwd":               "is not in the artifacts' folder",
		"file://" + b.dir + "/../secret":   "is not in the artifacts' folder",
		"s3://bucket/key":                  "knows no s3:// URIs",
		"%":                                "invalid URL escape",
	} {
		_, err := b.store.Locate(uri)
		require.ErrorContains(t, err, want, uri)
	}
	_, err := b.store.Locate("agent://agt_other/run/t/1/model")
	require.ErrorIs(t, err, artifact.ErrElsewhere)
	path, err := b.store.Locate("agent://" + me + "/%2E%2E/%2E%2E/1/%2E%2E")
	require.NoError(t, err)
	require.True(t, strings.HasPrefix(path, b.dir+"/"), path)
	require.ErrorIs(t, b.store.Stage(b.store.URI(key), filepath.Join(b.work, "x")), artifact.ErrGone)
}

func TestSweep(t *testing.T) {
	t.Parallel()
	b := setup(t, false)
	now := time.Now()
	for i, run := range []string{"old", "young"} {
		b.write(t, map[string]string{"d/f": "x"})
		_, err := b.store.Keep(artifact.Key{Run: run, Task: "t", Attempt: 1, Name: "a"}, filepath.Join(b.work, "d"), true)
		require.NoError(t, err)
		at := now.Add(-time.Duration(40-20*i) * 24 * time.Hour)
		for _, path := range []string{run + "/t/1", run + "/t", run} {
			require.NoError(t, os.Chtimes(filepath.Join(b.dir, path), at, at))
		}
	}
	removed, err := b.store.Sweep(now.AddDate(0, 0, -30))
	require.NoError(t, err)
	require.Equal(t, 1, removed)
	require.NoDirExists(t, filepath.Join(b.dir, "old"))
	require.DirExists(t, filepath.Join(b.dir, "young"))
}
