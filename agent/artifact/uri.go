package artifact

import (
	"errors"
	"fmt"
	"net/url"
	"path/filepath"
	"strconv"
	"strings"
)

// ErrElsewhere means that an artifact lies on the disk of another agent.
var ErrElsewhere = errors.New("the artifact lies on another agent's disk")

// Key names an artifact.
type Key struct {
	Run     string // as a text id
	Task    string // the task's path
	Attempt uint32
	Name    string
}

func (k Key) parts() []string {
	return []string{escape(k.Run), escape(k.Task), strconv.FormatUint(uint64(k.Attempt), 10), escape(k.Name)}
}

// escape makes one folder name of any text, so that `fold[3]/train` is no path
// and `..` leads nowhere.
func escape(text string) string {
	return strings.ReplaceAll(url.PathEscape(text), ".", "%2E")
}

// URI is where the store keeps the artifact, as told to other tasks.
func (s *Store) URI(key Key) string {
	if s.shared {
		return (&url.URL{Scheme: "file", Path: filepath.ToSlash(s.path(key))}).String()
	}
	parts := []string{url.PathEscape(key.Run), url.PathEscape(key.Task), strconv.FormatUint(uint64(key.Attempt), 10), url.PathEscape(key.Name)}
	return "agent://" + s.agent + "/" + strings.Join(parts, "/")
}

// Locate returns the path on this machine that a URI means. It returns
// ErrElsewhere for one on another agent's disk.
func (s *Store) Locate(uri string) (string, error) {
	u, err := url.Parse(uri)
	if err != nil {
		return "", fmt.Errorf("locate an artifact: %w", err)
	}
	switch u.Scheme {
	case "agent":
		key, err := parseKey(u.EscapedPath())
		if err != nil {
			return "", err
		}
		if u.Host != s.agent {
			return "", fmt.Errorf("locate an artifact on %s: %w", u.Host, ErrElsewhere)
		}
		return s.path(key), nil
	case "file":
		path := filepath.FromSlash(u.Path)
		// Only artifacts: a URI comes from outside and must not name /etc/shadow.
		inside, err := filepath.Rel(s.dir, path)
		if err != nil || !filepath.IsLocal(inside) {
			return "", fmt.Errorf("locate an artifact: %s is not in the artifacts' folder: %w", path, ErrElsewhere)
		}
		return path, nil
	}
	return "", fmt.Errorf("locate an artifact: this agent knows no %s:// URIs", u.Scheme)
}

func parseKey(path string) (Key, error) {
	parts := strings.Split(strings.TrimPrefix(path, "/"), "/")
	if len(parts) != 4 {
		return Key{}, fmt.Errorf("locate an artifact: %q names none", path)
	}
	for i, part := range parts {
		plain, err := url.PathUnescape(part)
		if err != nil {
			return Key{}, fmt.Errorf("locate an artifact: %w", err)
		}
		parts[i] = plain
	}
	attempt, err := strconv.ParseUint(parts[2], 10, 32)
	if err != nil {
		return Key{}, fmt.Errorf("locate an artifact: %w", err)
	}
	return Key{Run: parts[0], Task: parts[1], Attempt: uint32(attempt), Name: parts[3]}, nil
}
