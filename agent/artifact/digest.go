package artifact

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
)

// Content is what an artifact is, wherever it lies.
type Content struct {
	Digest [sha256.Size]byte
	Size   int64 // bytes of all files
}

// Describe digests a file or a folder. The digest of a file is that of its
// bytes. That of a folder is of one line for each thing in it, folder by folder
// in the order of their names:
//
//	file 1b4f0e98… 0a.csv          dir sub
//	exec 60303ae2… bin/run         link ../elsewhere sub/link
//
// so it depends on names, contents and what is executable, and not on times,
// owners or the order of a directory. Links are not followed. What is no file,
// folder or link (a socket, a device) is an error.
func Describe(path string) (Content, error) {
	info, err := os.Stat(path)
	if err != nil {
		return Content{}, fmt.Errorf("digest an artifact: %w", err)
	}
	if !info.IsDir() {
		if !info.Mode().IsRegular() {
			return Content{}, fmt.Errorf("digest an artifact: %s is neither a file nor a folder", path)
		}
		digest, size, err := digestFile(path)
		return Content{Digest: digest, Size: size}, err
	}
	root, err := filepath.EvalSymlinks(path) // WalkDir does not enter a link
	if err != nil {
		return Content{}, fmt.Errorf("digest an artifact: %w", err)
	}
	lines := sha256.New()
	var content Content
	err = filepath.WalkDir(root, func(path string, entry fs.DirEntry, err error) error {
		if err != nil || path == root {
			return err
		}
		name, err := filepath.Rel(root, path)
		if err != nil {
			return err
		}
		line, size, err := describeEntry(path, entry)
		if err != nil {
			return err
		}
		content.Size += size
		// Names may hold newlines; NUL they may not.
		_, err = fmt.Fprintf(lines, "%s %s\x00", line, filepath.ToSlash(name))
		return err
	})
	if err != nil {
		return Content{}, fmt.Errorf("digest an artifact: %w", err)
	}
	lines.Sum(content.Digest[:0])
	return content, nil
}

func describeEntry(path string, entry fs.DirEntry) (line string, size int64, err error) {
	switch {
	case entry.IsDir():
		return "dir", 0, nil
	case entry.Type()&fs.ModeSymlink != 0:
		target, err := os.Readlink(path)
		return "link " + target, 0, err
	case !entry.Type().IsRegular():
		return "", 0, fmt.Errorf("%s is no file, folder or link", path)
	}
	info, err := entry.Info()
	if err != nil {
		return "", 0, err
	}
	digest, size, err := digestFile(path)
	if err != nil {
		return "", 0, err
	}
	kind := "file "
	if info.Mode()&0o111 != 0 {
		kind = "exec "
	}
	return kind + hex.EncodeToString(digest[:]), size, nil
}

func digestFile(path string) (digest [sha256.Size]byte, size int64, err error) {
	file, err := os.Open(path)
	if err != nil {
		return digest, 0, fmt.Errorf("digest an artifact: %w", err)
	}
	defer file.Close() //nolint:errcheck // only read from
	hash := sha256.New()
	size, err = io.Copy(hash, file)
	if err != nil {
		return digest, 0, fmt.Errorf("digest an artifact: %w", err)
	}
	hash.Sum(digest[:0])
	return digest, size, nil
}
