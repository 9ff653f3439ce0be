package archive

import (
	"bufio"
	"bytes"
	"compress/gzip"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"hash"
	"io"
	"os"
	"path/filepath"

	"github.com/signalboxhq/signalbox/proto/id"
)

// The files of a folder.
const (
	fileManifest = "manifest.json"
	fileIndex    = "index.jsonl"
	fileData     = "data.jsonl.gz"
)

// format is the only one that is written and read.
const format = "signalbox.archive/v1"

// Manifest is what a folder says of itself.
type Manifest struct {
	Format      string `json:"format"`
	Partition   string `json:"partition"`
	Runs        int    `json:"runs"`
	Entries     int64  `json:"entries"`
	IndexSHA256 string `json:"index_sha256"`
	DataSHA256  string `json:"data_sha256"`
	DataBytes   int64  `json:"data_bytes"`
}

// Line is a run in the index.
type Line struct {
	Org           string `json:"org"`
	Run           string `json:"run"`
	Seq           int64  `json:"seq"`
	Entries       int64  `json:"entries"`
	Digest        string `json:"state_digest"`
	DigestVersion int32  `json:"digest_version"`
	Offset        int64  `json:"offset"`
	Length        int64  `json:"length"`
	SHA256        string `json:"sha256"` // of the compressed bytes
}

// file is one that is being written, with its digest and length.
type file struct {
	*os.File

	sum  hash.Hash
	size int64
}

func create(path string) (*file, error) {
	f, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return nil, fmt.Errorf("create a file of the archive: %w", err)
	}
	return &file{File: f, sum: sha256.New()}, nil
}

// Write writes and counts.
func (f *file) Write(b []byte) (int, error) {
	n, err := f.File.Write(b)
	f.sum.Write(b[:n])
	f.size += int64(n)
	return n, err
}

// finish syncs and closes, and returns the digest.
func (f *file) finish() (string, error) {
	return hex.EncodeToString(f.sum.Sum(nil)), errors.Join(f.Sync(), f.Close())
}

// folder is one that is being written.
type folder struct {
	dir, temp   string
	name        string
	data, index *file
	manifest    Manifest
}

// newFolder begins the next folder of a partition.
func newFolder(dir, part string) (*folder, error) {
	f := &folder{dir: dir, manifest: Manifest{Format: format, Partition: part}}
	for n := 1; ; n++ {
		f.name = fmt.Sprintf("%s.%d", part, n)
		if _, err := os.Stat(filepath.Join(dir, f.name)); errors.Is(err, os.ErrNotExist) {
			break
		} else if err != nil {
			return nil, fmt.Errorf("look into the archive: %w", err)
		}
	}
	var err error
	if f.temp, err = os.MkdirTemp(dir, "."+f.name+"-*"); err != nil {
		return nil, fmt.Errorf("create a folder of the archive: %w", err)
	}
	if f.data, err = create(filepath.Join(f.temp, fileData)); err != nil {
		return nil, err
	}
	f.index, err = create(filepath.Join(f.temp, fileIndex))
	return f, err
}

// add writes a run's rows as a member of its own.
func (f *folder) add(line Line, rows [][]byte) error {
	var member bytes.Buffer
	z := gzip.NewWriter(&member)
	for _, row := range rows {
		if _, err := z.Write(append(row, '\n')); err != nil {
			return fmt.Errorf("compress a journal: %w", err)
		}
	}
	if err := z.Close(); err != nil {
		return fmt.Errorf("compress a journal: %w", err)
	}
	sum := sha256.Sum256(member.Bytes())
	line.Offset, line.Length, line.SHA256 = f.data.size, int64(member.Len()), hex.EncodeToString(sum[:])
	text, err := json.Marshal(line)
	if err != nil {
		return fmt.Errorf("write the index: %w", err)
	}
	f.manifest.Runs++
	f.manifest.Entries += line.Entries
	_, err = f.data.Write(member.Bytes())
	_, err2 := f.index.Write(append(text, '\n'))
	return errors.Join(err, err2)
}

// finish writes the manifest and gives the folder its name.
func (f *folder) finish() error {
	var err error
	f.manifest.DataBytes = f.data.size
	if f.manifest.DataSHA256, err = f.data.finish(); err != nil {
		return fmt.Errorf("write the data: %w", err)
	}
	if f.manifest.IndexSHA256, err = f.index.finish(); err != nil {
		return fmt.Errorf("write the index: %w", err)
	}
	text, err := json.MarshalIndent(f.manifest, "", "  ")
	if err != nil {
		return fmt.Errorf("write the manifest: %w", err)
	}
	m, err := create(filepath.Join(f.temp, fileManifest))
	if err != nil {
		return err
	}
	if _, err := m.Write(append(text, '\n')); err != nil {
		return fmt.Errorf("write the manifest: %w", err)
	}
	if _, err := m.finish(); err != nil {
		return fmt.Errorf("write the manifest: %w", err)
	}
	if err := os.Rename(f.temp, filepath.Join(f.dir, f.name)); err != nil {
		return fmt.Errorf("name the folder: %w", err)
	}
	return syncDir(f.dir)
}

// abandon takes away what was begun; after finish it does nothing.
func (f *folder) abandon() {
	_ = f.data.Close()
	if f.index != nil {
		_ = f.index.Close()
	}
	_ = os.RemoveAll(f.temp)
}

func syncDir(dir string) error {
	d, err := os.Open(dir)
	if err != nil {
		return fmt.Errorf("sync the archive: %w", err)
	}
	return errors.Join(d.Sync(), d.Close())
}

// readRun returns a run's rows from a folder, checked against the index.
func readRun(dir, name string, org, run id.UUID, seq int64) (Line, [][]byte, error) {
	line, err := findLine(filepath.Join(dir, name, fileIndex), id.Format(id.Org, org), id.Format(id.Run, run), seq)
	if err != nil {
		return line, nil, err
	}
	data, err := os.Open(filepath.Join(dir, name, fileData))
	if err != nil {
		return line, nil, fmt.Errorf("read the archive: %w", err)
	}
	defer func() { _ = data.Close() }()
	member := make([]byte, line.Length)
	if _, err := data.ReadAt(member, line.Offset); err != nil {
		return line, nil, fmt.Errorf("read the archive: %w", err)
	}
	if sum := sha256.Sum256(member); hex.EncodeToString(sum[:]) != line.SHA256 {
		return line, nil, fmt.Errorf("the journal of %s in %s is not what was written", line.Run, name)
	}
	z, err := gzip.NewReader(bytes.NewReader(member))
	if err != nil {
		return line, nil, fmt.Errorf("read the archive: %w", err)
	}
	text, err := io.ReadAll(z)
	if err != nil {
		return line, nil, fmt.Errorf("read the archive: %w", err)
	}
	return line, bytes.Split(bytes.TrimSuffix(text, []byte("\n")), []byte("\n")), nil
}

func findLine(path, org, run string, seq int64) (Line, error) {
	index, err := os.Open(path)
	if err != nil {
		return Line{}, fmt.Errorf("read the index: %w", err)
	}
	defer func() { _ = index.Close() }()
	lines := bufio.NewScanner(index)
	for lines.Scan() {
		var line Line
		if err := json.Unmarshal(lines.Bytes(), &line); err != nil {
			return line, fmt.Errorf("read the index: %w", err)
		}
		if line.Org == org && line.Run == run && line.Seq == seq {
			return line, nil
		}
	}
	if err := lines.Err(); err != nil {
		return Line{}, fmt.Errorf("read the index: %w", err)
	}
	return Line{}, fmt.Errorf("%s is not in %s", run, path)
}
