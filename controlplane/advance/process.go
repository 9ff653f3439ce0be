package advance

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"runtime/debug"

	"github.com/jackc/pgx/v5"

	"github.com/signalboxhq/signalbox/internal/pg"
)

// maxTries bounds how often a request rides in a batch that is lost with its
// connection before anything of it was written.
const maxTries = 3

// errBehind says that a locked run is so far ahead of the cache that it is
// better folded without its lock, or that not all was locked that it needs.
var errBehind = errors.New("a run is far behind")

// manner is how a batch is tried.
type manner struct {
	patient bool // whatever may be needed is locked, what is missing read under the locks
	lone    bool // nobody who waits is asked: the guilty one may be among them
}

// process runs requests as one batch; if the database refuses it, in halves,
// until the guilty one stands alone, without anybody who waits. It answers all but those that it returns:
// their batch was lost before it wrote anything, and they may run again.
func (a *Advancer) process(ctx context.Context, conn *pgx.Conn, reqs []*request, how manner) []*request {
	if len(reqs) == 0 {
		return nil
	}
	b, err := a.attempt(ctx, conn, reqs, how)
	if errors.Is(err, errBehind) {
		b.abandon()
		if rollback(ctx, conn) {
			b, err = a.attempt(ctx, conn, reqs, manner{patient: true, lone: how.lone})
		}
	}
	if err == nil {
		a.settle(ctx, b)
		return nil
	}
	b.abandon()
	lost := !rollback(ctx, conn)
	switch {
	case lost && !b.writing:
		return a.again(ctx, reqs, err)
	case lost:
		a.log.LogAttrs(ctx, slog.LevelError, "a batch was lost with its connection", slog.Int("requests", len(reqs)), slog.Any("error", err))
		refuse(reqs, errUnavailable(err))
	case len(reqs) == 1 && how.lone:
		a.refuseOne(ctx, reqs[0], err)
	default:
		how.lone = true
		half := len(reqs) / 2
		left := a.process(ctx, conn, reqs[:half], how)
		if conn.IsClosed() {
			return append(left, a.again(ctx, reqs[half:], err)...)
		}
		return append(left, a.process(ctx, conn, reqs[half:], how)...)
	}
	return nil
}

// rollback reports whether the connection lives and is free of a transaction.
func rollback(ctx context.Context, conn *pgx.Conn) bool {
	if conn.IsClosed() {
		return false
	}
	if _, err := conn.Exec(ctx, "ROLLBACK"); err != nil {
		_ = conn.Close(ctx)
		return false
	}
	return true
}

// again returns the requests that may run once more, and refuses the others.
func (a *Advancer) again(ctx context.Context, reqs []*request, err error) []*request {
	a.log.LogAttrs(ctx, slog.LevelWarn, "a batch lost its connection before it wrote", slog.Int("requests", len(reqs)), slog.Any("error", err))
	left := make([]*request, 0, len(reqs))
	for _, r := range reqs {
		if r.tries++; r.tries < maxTries {
			left = append(left, r)
		} else {
			r.answer(nil, errUnavailable(err))
		}
	}
	return left
}

// refuseOne answers the guilty request. What another transaction caused may
// simply be repeated.
func (a *Advancer) refuseOne(ctx context.Context, r *request, err error) {
	level := slog.LevelError
	if pg.Retryable(err) || pg.LockTimeout(err) || pg.Canceled(err) || pg.Unreachable(err) {
		level, err = slog.LevelInfo, errUnavailable(err)
	}
	a.log.LogAttrs(ctx, level, "a command failed", slog.String("command", fmt.Sprintf("%T", r.cmd)), slog.Any("error", err))
	r.answer(nil, err)
}

// attempt is one try at a batch: trip one, the rules, trip two. A panic is an
// error as any other: the halves find whose it is.
func (a *Advancer) attempt(ctx context.Context, conn *pgx.Conn, reqs []*request, how manner) (b *batch, err error) {
	b = newBatch(a, reqs)
	b.how = how
	defer func() {
		if p := recover(); p != nil {
			err = fmt.Errorf("panic in a batch: %v\n%s", p, debug.Stack())
		}
	}()
	a.park.begin(reqs)
	b.remember(ctx)
	if err := b.gatherTakers(ctx, conn); err != nil {
		return b, err
	}
	if err := b.lock(ctx, conn); err != nil {
		return b, err
	}
	if err := b.freshen(ctx, conn); err != nil {
		return b, err
	}
	b.endByForce()
	if b.decide(); b.short {
		return b, errBehind
	}
	b.serveLines()
	b.heartbeats()
	if err := b.handOver(ctx, conn); err != nil {
		return b, err
	}
	return b, b.write(ctx, conn)
}

// abandon gives back what a failed batch had taken, and forgets the states that
// its rules have advanced.
func (b *batch) abandon() {
	for _, w := range b.borrowed {
		b.a.park.restore(w, false)
	}
	for key := range b.runs {
		b.a.runs.drop(key)
	}
	b.a.park.end()
}
