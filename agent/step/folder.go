package step

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"

	"github.com/signalboxhq/signalbox/agent/tree"
)

// Folder is the folder of one attempt.
type Folder struct {
	root string
	work string
}

var subfolders = []string{"work", "inputs", "outputs", "in", "out", "scratch"}

// SourceError says what is wrong with the folder of a pipeline's source.
type SourceError struct{ text string }

func (e *SourceError) Error() string { return "source: " + e.text }

// Create makes the folder of an attempt at root, where there must be none. The
// step starts in source if it is given, which must be an existing folder: that
// is the customer's own and is never changed or removed; a *SourceError says that
// it is not there.
func Create(root, source string) (*Folder, error) {
	f := &Folder{root: root, work: filepath.Join(root, "work")}
	if source != "" {
		info, err := os.Stat(source)
		switch {
		case errors.Is(err, os.ErrNotExist):
			return nil, &SourceError{fmt.Sprintf("this agent has no folder %s", source)}
		case err != nil:
			return nil, &SourceError{err.Error()}
		case !info.IsDir():
			return nil, &SourceError{source + " is no folder"}
		}
		f.work = source
	}
	if err := os.MkdirAll(filepath.Dir(root), 0o700); err != nil {
		return nil, fmt.Errorf("make the folder of an attempt: %w", err)
	}
	if err := os.Mkdir(root, 0o700); err != nil {
		return nil, fmt.Errorf("make the folder of an attempt: %w", err)
	}
	for _, name := range subfolders {
		if err := os.Mkdir(filepath.Join(root, name), 0o700); err != nil {
			return nil, fmt.Errorf("make the folder of an attempt: %w", err)
		}
	}
	return f, nil
}

// Work is where the step starts.
func (f *Folder) Work() string { return f.work }

// OwnsWork reports whether the step starts in the attempt's own folder.
func (f *Folder) OwnsWork() bool { return f.work == filepath.Join(f.root, "work") }

// Progress is the file whose change counts as progress.
func (f *Folder) Progress() string { return f.path("progress") }

// In is where an artifact of another task is staged: at $SB_IN/<name>, those that
// the children of a map left below it by their indexes.
func (f *Folder) In(name string, indexes ...uint32) (string, error) {
	parts := []string{"in", name}
	for _, index := range indexes {
		parts = append(parts, strconv.FormatUint(uint64(index), 10))
	}
	if len(indexes) > 0 {
		if err := os.MkdirAll(f.path(parts[:len(parts)-1]...), 0o700); err != nil {
			return "", fmt.Errorf("make the folder of artifacts: %w", err)
		}
	}
	return f.path(parts...), nil
}

// Out is where the step leaves an artifact: at a path below its working folder,
// or, if that is empty, at $SB_OUT/<name>.
func (f *Folder) Out(name, path string) (string, error) {
	if path == "" {
		return f.path("out", name), nil
	}
	if !filepath.IsLocal(path) {
		return "", fmt.Errorf("artifact %q: the path %q leaves the step's working folder", name, path)
	}
	return filepath.Join(f.work, path), nil
}

// Remove removes the attempt's folder, whatever the step did to it.
func (f *Folder) Remove() error {
	if err := tree.Remove(f.root); err != nil {
		return fmt.Errorf("remove the folder of an attempt: %w", err)
	}
	return nil
}

func (f *Folder) path(parts ...string) string {
	return filepath.Join(append([]string{f.root}, parts...)...)
}
