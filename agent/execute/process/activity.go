package process

import (
	"os"
	"sync/atomic"
	"time"
)

// activity remembers when the step last showed that it lives.
type activity struct {
	origin time.Time
	last   atomic.Int64 // nanoseconds since origin
	file   string       // $SB_PROGRESS
	seen   os.FileInfo  // as of the last look
}

func newActivity(file string) *activity {
	a := &activity{origin: time.Now(), file: file}
	a.seen = a.look()
	return a
}

// note marks the present moment. It is called for every piece of output.
func (a *activity) note() { a.last.Store(int64(time.Since(a.origin))) }

func (a *activity) look() os.FileInfo {
	if a.file == "" {
		return nil
	}
	info, err := os.Stat(a.file)
	if err != nil {
		return nil
	}
	return info
}

// idle returns for how long nothing happened. The progress file is looked at
// only here, once per limit and not on a tick: if it changed since the last
// look, the age of its last change counts.
func (a *activity) idle(now time.Time) time.Duration {
	idle := now.Sub(a.origin) - time.Duration(a.last.Load())
	info := a.look()
	if info == nil {
		return idle
	}
	changed := a.seen == nil || !info.ModTime().Equal(a.seen.ModTime()) || info.Size() != a.seen.Size()
	a.seen = info
	if !changed {
		return idle
	}
	// A file's time is by the wall clock and may lie in the future.
	age := max(0, now.Sub(info.ModTime()))
	if age < idle {
		a.last.Store(int64(now.Sub(a.origin) - age))
		return age
	}
	return idle
}
