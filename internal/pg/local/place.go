package local

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"time"
)

// place is the folder of one server: data, log and lock; its socket lies apart
// because a socket's path may have no more than 107 bytes.
type place struct {
	root      string
	socket    string
	relocated bool
	lock      *os.File
}

// InUseError says that a living process runs PostgreSQL on the same folder.
type InUseError struct {
	Dir string
	PID string
}

// Error names the process and the folder.
func (e *InUseError) Error() string {
	return fmt.Sprintf("process %s already runs PostgreSQL on %s: stop it first, or give another folder", e.PID, e.Dir)
}

const throwAwayPrefix = "/tmp/sb-pg-"

func (p place) data() string     { return filepath.Join(p.root, "data") }
func (p place) log() string      { return filepath.Join(p.root, "log") }
func (p place) lockFile() string { return filepath.Join(p.root, "lock") }

// major is the version that made the data, 0 if there is none yet.
func (p place) major() int {
	b, err := os.ReadFile(filepath.Join(p.data(), "PG_VERSION"))
	if err != nil {
		return 0
	}
	n, _ := strconv.Atoi(strings.TrimSpace(string(b)))
	return n
}

// choosePlace makes and locks the folder. The lock is held by an open file and
// so ends with this process, however it ends.
func choosePlace(ctx context.Context, acc account, dir string) (place, error) {
	p, err := makePlace(ctx, acc, dir)
	if err != nil {
		return place{}, fmt.Errorf("make a folder for PostgreSQL: %w", err)
	}
	f, err := os.OpenFile(p.lockFile(), os.O_CREATE|os.O_RDWR, 0o600)
	if err != nil {
		return place{}, fmt.Errorf("open the lock: %w", err)
	}
	if err := syscall.Flock(int(f.Fd()), syscall.LOCK_EX|syscall.LOCK_NB); err != nil {
		pid, _ := os.ReadFile(p.lockFile())
		_ = f.Close()
		return place{}, &InUseError{Dir: p.root, PID: strings.TrimSpace(string(pid))}
	}
	p.lock = f
	if err := errors.Join(f.Truncate(0), writeAt(f, strconv.Itoa(os.Getpid()))); err != nil {
		p.release(false)
		return place{}, fmt.Errorf("write the lock: %w", err)
	}
	return p, nil
}

func makePlace(ctx context.Context, acc account, dir string) (place, error) {
	if dir == "" {
		sweep(acc)
		root, err := os.MkdirTemp(filepath.Dir(throwAwayPrefix), filepath.Base(throwAwayPrefix)+"*")
		if err != nil {
			return place{}, err
		}
		return place{root: root, socket: filepath.Join(root, "s")}, acc.own(root)
	}
	abs, err := filepath.Abs(dir)
	if err != nil {
		return place{}, err
	}
	if err := os.MkdirAll(filepath.Dir(abs), 0o755); err != nil { //nolint:gosec // The unprivileged user passes through.
		return place{}, err
	}
	sum := sha256.Sum256([]byte(abs))
	hash := hex.EncodeToString(sum[:5])
	p := place{root: abs, socket: "/tmp/sb-" + hash}
	if !acc.reaches(ctx, filepath.Dir(abs)) {
		p.root, p.relocated = "/var/tmp/signalbox-"+hash, true
	}
	return p, acc.own(p.root)
}

// release gives the folder free and removes it when it was a throw-away.
func (p place) release(remove bool) {
	_ = os.RemoveAll(p.socket)
	if remove {
		_ = os.RemoveAll(p.root)
	}
	if p.lock != nil {
		_ = p.lock.Close()
	}
}

// sweep removes throw-away folders whose launcher was killed.
func sweep(acc account) {
	dirs, _ := filepath.Glob(throwAwayPrefix + "*")
	for _, dir := range dirs {
		info, err := os.Stat(dir)
		// A fresh folder may be about to be locked.
		if err != nil || time.Since(info.ModTime()) < time.Minute || owned(dir, acc.uid) != nil {
			continue
		}
		f, err := os.OpenFile(filepath.Join(dir, "lock"), os.O_CREATE|os.O_RDWR, 0o600)
		if err != nil {
			continue
		}
		if syscall.Flock(int(f.Fd()), syscall.LOCK_EX|syscall.LOCK_NB) == nil {
			_ = os.RemoveAll(dir)
		}
		_ = f.Close()
	}
}

func writeAt(f *os.File, s string) error {
	_, err := f.WriteAt([]byte(s), 0)
	return err
}
