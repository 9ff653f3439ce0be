// Package tree copies, links, protects and removes files and folders of steps,
// in the ways in which the standard library does not.
package tree

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
)

// linkFrom is the size from which a staged file is a hard link of the kept one
// where the filesystem cannot clone. Below it a copy costs less than the worry:
// a step that writes into a link in place would change the artifact. Kept files
// are read-only, which stops everybody but root.
const linkFrom = 16 << 20

// Copy copies a file or folder. Links within a folder stay links; a link at
// the top is followed.
func Copy(target, source string) error { return walk(target, source, copyFile) }

// Link is Copy with the cheapest means there is, for what is only read.
func Link(target, source string) error {
	return walk(target, source, func(target, source string, info fs.FileInfo) error {
		if info.Size() >= linkFrom && os.Link(source, target) == nil {
			return nil
		}
		return copyFile(target, source, info)
	})
}

func walk(target, source string, file func(target, source string, info fs.FileInfo) error) error {
	info, err := os.Stat(source)
	if err != nil {
		return err
	}
	if !info.IsDir() {
		return file(target, source, info)
	}
	root, err := filepath.EvalSymlinks(source)
	if err != nil {
		return err
	}
	return filepath.WalkDir(root, func(path string, entry fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		name, err := filepath.Rel(root, path)
		if err != nil {
			return err
		}
		to := filepath.Join(target, name)
		switch {
		case entry.IsDir():
			return os.MkdirAll(to, 0o700)
		case entry.Type()&fs.ModeSymlink != 0:
			link, err := os.Readlink(path)
			if err != nil {
				return err
			}
			return os.Symlink(link, to) //nolint:gosec // G122: nothing of the step is left that could race
		}
		info, err := entry.Info()
		if err != nil {
			return err
		}
		return file(to, path, info)
	})
}

// copyFile copies with the permission to execute and no other. io.Copy between
// files uses copy_file_range, which clones where the filesystem can.
func copyFile(target, source string, info fs.FileInfo) (err error) {
	if !info.Mode().IsRegular() {
		return fmt.Errorf("%s is no file, folder or link", source)
	}
	from, err := os.Open(source)
	if err != nil {
		return err
	}
	defer from.Close() //nolint:errcheck // only read from
	to, err := os.OpenFile(target, os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o600|info.Mode()&0o100)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, to.Close()) }()
	_, err = io.Copy(to, from)
	return err
}

// Protect takes away the permission to write files. Folders keep it, so that
// they can be removed.
func Protect(path string) error {
	return filepath.WalkDir(path, func(path string, entry fs.DirEntry, err error) error {
		if err != nil || !entry.Type().IsRegular() {
			return err
		}
		info, err := entry.Info()
		if err != nil {
			return err
		}
		return os.Chmod(path, info.Mode().Perm()&^0o222|0o400) //nolint:gosec // G122: nothing of the step is left that could race
	})
}

// Remove is os.RemoveAll for folders that a step made unwritable.
func Remove(path string) error {
	if os.RemoveAll(path) == nil {
		return nil
	}
	_ = filepath.WalkDir(path, func(path string, entry fs.DirEntry, err error) error {
		if err == nil && entry.IsDir() {
			_ = os.Chmod(path, 0o700) //nolint:gosec // a folder needs its x
		}
		return nil
	})
	return os.RemoveAll(path)
}

// QuoteGlob makes a pattern for filepath.Glob that matches the path itself.
func QuoteGlob(path string) string {
	return strings.NewReplacer(`\`, `\\`, `*`, `\*`, `?`, `\?`, `[`, `\[`).Replace(path)
}
