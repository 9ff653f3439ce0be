package spool

import (
	"cmp"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
)

const (
	suffix    = ".outcome"
	temporary = ".tmp"
)

// Entry is one outcome that was not acknowledged yet.
type Entry struct {
	Lease   int64
	Outcome []byte
}

// Spool is a folder of outcomes. Its methods may be called concurrently for
// different leases.
type Spool struct {
	dir string
}

// Open uses dir, which it makes if there is none. What a crash left half
// written is removed: it was never sent.
func Open(dir string) (*Spool, error) {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, fmt.Errorf("make the folder of the outcomes: %w", err)
	}
	half, err := filepath.Glob(filepath.Join(dir, "*"+temporary))
	if err != nil {
		return nil, fmt.Errorf("open the outcomes: %w", err)
	}
	for _, path := range half {
		if err := os.Remove(path); err != nil {
			return nil, fmt.Errorf("remove half an outcome: %w", err)
		}
	}
	return &Spool{dir: dir}, nil
}

// Put makes an outcome durable. A second outcome for a lease is refused with
// os.ErrExist: the first one may be on its way.
func (s *Spool) Put(lease int64, outcome []byte) error {
	path := s.path(lease)
	if _, err := os.Lstat(path); err == nil {
		return fmt.Errorf("keep the outcome of lease %d: %w", lease, os.ErrExist)
	}
	if err := writeSynced(path+temporary, outcome); err != nil {
		return fmt.Errorf("keep the outcome of lease %d: %w", lease, err)
	}
	// The rename is what makes it an outcome: whole or not at all.
	if err := os.Rename(path+temporary, path); err != nil {
		return fmt.Errorf("keep the outcome of lease %d: %w", lease, err)
	}
	if err := syncDir(s.dir); err != nil {
		return fmt.Errorf("keep the outcome of lease %d: %w", lease, err)
	}
	return nil
}

// Pending returns all outcomes in the order of their leases, which is the order
// in which they were granted.
func (s *Spool) Pending() ([]Entry, error) {
	files, err := os.ReadDir(s.dir)
	if err != nil {
		return nil, fmt.Errorf("list the outcomes: %w", err)
	}
	var pending []Entry
	for _, file := range files {
		name, ok := strings.CutSuffix(file.Name(), suffix)
		if !ok {
			continue
		}
		lease, err := strconv.ParseInt(name, 10, 64)
		if err != nil {
			continue
		}
		outcome, err := os.ReadFile(s.path(lease))
		if errors.Is(err, os.ErrNotExist) {
			continue // acknowledged meanwhile
		}
		if err != nil {
			return nil, fmt.Errorf("read an outcome: %w", err)
		}
		pending = append(pending, Entry{Lease: lease, Outcome: outcome})
	}
	slices.SortFunc(pending, func(a, b Entry) int { return cmp.Compare(a.Lease, b.Lease) })
	return pending, nil
}

// Done forgets an outcome that the control plane acknowledged or refused for
// good. It is not synced: an outcome that comes back after a crash is sent
// again, and the control plane gives the same answer again.
func (s *Spool) Done(lease int64) error {
	if err := os.Remove(s.path(lease)); err != nil && !errors.Is(err, os.ErrNotExist) {
		return fmt.Errorf("forget the outcome of lease %d: %w", lease, err)
	}
	return nil
}

func (s *Spool) path(lease int64) string {
	return filepath.Join(s.dir, strconv.FormatInt(lease, 10)+suffix)
}

func writeSynced(path string, content []byte) (err error) {
	file, err := os.OpenFile(path, os.O_CREATE|os.O_TRUNC|os.O_WRONLY, 0o600)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, file.Close()) }()
	if _, err := file.Write(content); err != nil {
		return err
	}
	return file.Sync()
}

// syncDir makes a rename durable.
func syncDir(path string) (err error) {
	dir, err := os.Open(path)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, dir.Close()) }()
	return dir.Sync()
}
