package main

import (
	"fmt"
	"os"
	"path/filepath"
	"syscall"
)

// lockFolder makes sure that one agent uses its folder at a time: two would be
// one identity with two sessions that end each other. The kernel frees the lock
// however the agent dies.
func lockFolder(dir string) (release func(), err error) {
	path := filepath.Join(dir, "lock")
	file, err := os.OpenFile(path, os.O_CREATE|os.O_RDWR, 0o600)
	if err != nil {
		return nil, fmt.Errorf("lock the agent's folder: %w", err)
	}
	if err := syscall.Flock(int(file.Fd()), syscall.LOCK_EX|syscall.LOCK_NB); err != nil {
		_ = file.Close()
		return nil, fmt.Errorf("another agent is running with the folder %s; give this one its own with --dir", dir)
	}
	return func() { _ = file.Close() }, nil
}
