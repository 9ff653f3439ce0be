package pg

import (
	"context"
	"fmt"
	"log/slog"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"
)

// How often a database that does not answer is asked again.
const (
	firstRetry = 100 * time.Millisecond
	mostRetry  = 5 * time.Second
)

// Await returns when the database answers: right after a start of the machine
// it may not yet. It asks again, and says so, for as long as within says, and
// then returns why. What waiting does not mend, such as a wrong password or a URL
// that is none, it returns at once.
func Await(ctx context.Context, url string, within time.Duration, log *slog.Logger) error {
	config, err := pgx.ParseConfig(url)
	if err != nil {
		return fmt.Errorf("parse the database URL: %w", err)
	}
	deadline := time.Now().Add(within)
	for pause := firstRetry; ; pause = min(2*pause, mostRetry) {
		err := answers(ctx, config)
		switch left := time.Until(deadline); {
		case err == nil:
			return nil
		case ctx.Err() != nil:
			return fmt.Errorf("wait for the database: %w", ctx.Err())
		case !mayCome(err):
			return fmt.Errorf("connect to the database: %w", err)
		case left <= 0:
			return fmt.Errorf("the database has not answered for %s: %w", within, err)
		default:
			pause = min(pause, left)
		}
		log.LogAttrs(ctx, slog.LevelWarn, "the database does not answer; it will be asked again", slog.Duration("in", pause),
			slog.Duration("for", within), slog.Any("error", err))
		timer := time.NewTimer(pause)
		select {
		case <-ctx.Done():
			timer.Stop()
		case <-timer.C:
		}
	}
}

func answers(ctx context.Context, config *pgx.ConnConfig) error {
	ctx, cancel := context.WithTimeout(ctx, mostRetry)
	defer cancel()
	conn, err := pgx.ConnectConfig(ctx, config)
	if err != nil {
		return err
	}
	return conn.Close(ctx)
}

// mayCome reports whether a database that refuses a connection now may accept
// the same one later.
func mayCome(err error) bool {
	if s := state(err); s != "" {
		return strings.HasPrefix(s, classConnection) || strings.HasPrefix(s, classResources) || strings.HasPrefix(s, classShutdown)
	}
	return Unreachable(err)
}
