package secret

import (
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
)

// maxFile is the largest file that is taken for a secret. Linux admits 128 KiB
// in one environment variable, and nothing that large is a password.
const maxFile = 64 << 10

// ownPrefix begins the names of the agent's own settings, its token among them.
const ownPrefix = "SIGNALBOX_"

// Store resolves references. It caches nothing, so that a rotated secret is seen
// by the next attempt.
type Store struct {
	lookup func(string) (string, bool)
	own    string
}

// NewStore returns a store that reads variables with lookup (os.LookupEnv) and
// files of the disk, but never the agent's own folder.
func NewStore(lookup func(string) (string, bool), ownFolder string) *Store {
	return &Store{lookup: lookup, own: ownFolder}
}

// Resolve fetches a secret. A file's last newline is no part of it. Errors name
// the reference and are sentences for the pipeline's author.
func (s *Store) Resolve(ref Reference) (Value, error) {
	switch ref.Kind {
	case KindEnv:
		return s.variable(ref)
	case KindFile:
		return s.file(ref)
	}
	return Value{}, fmt.Errorf("secret %s is not supported yet", ref)
}

func (s *Store) variable(ref Reference) (Value, error) {
	if strings.HasPrefix(ref.Name, ownPrefix) {
		return Value{}, fmt.Errorf("secret %s: variables that begin with %s are the agent's own", ref, ownPrefix)
	}
	text, ok := s.lookup(ref.Name)
	if !ok {
		return Value{}, fmt.Errorf("secret %s: the agent's environment has no such variable", ref)
	}
	return usable(ref, text)
}

func (s *Store) file(ref Reference) (Value, error) {
	// Links are followed before the check: a link into the agent's folder must
	// not lead around it.
	path, err := filepath.EvalSymlinks(ref.Name)
	if err != nil {
		return Value{}, fmt.Errorf("secret %s: %w", ref, cause(err))
	}
	if s.owns(path) {
		return Value{}, fmt.Errorf("secret %s lies in the agent's own folder", ref)
	}
	file, err := os.Open(path)
	if err != nil {
		return Value{}, fmt.Errorf("secret %s: %w", ref, cause(err))
	}
	defer file.Close() //nolint:errcheck // only read from
	content, err := io.ReadAll(io.LimitReader(file, maxFile+1))
	if err != nil {
		return Value{}, fmt.Errorf("secret %s: %w", ref, cause(err))
	}
	if len(content) > maxFile {
		return Value{}, fmt.Errorf("secret %s: the file is larger than %d KiB", ref, maxFile>>10)
	}
	text := strings.TrimSuffix(string(content), "\n")
	return usable(ref, strings.TrimSuffix(text, "\r"))
}

func (s *Store) owns(path string) bool {
	own, err := filepath.EvalSymlinks(s.own)
	if err != nil {
		own = filepath.Clean(s.own)
	}
	relative, err := filepath.Rel(own, path)
	return s.own != "" && err == nil && relative != ".." && !strings.HasPrefix(relative, "../")
}

func usable(ref Reference, text string) (Value, error) {
	if text == "" {
		return Value{}, fmt.Errorf("secret %s is empty", ref)
	}
	if strings.ContainsRune(text, 0) {
		return Value{}, fmt.Errorf("secret %s holds a NUL byte, which no environment variable can", ref)
	}
	return NewValue(text), nil
}

// cause leaves out the path that a *PathError repeats.
func cause(err error) error {
	if path, ok := errors.AsType[*os.PathError](err); ok {
		return path.Err
	}
	return err
}
