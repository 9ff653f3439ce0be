package pg

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
)

const sqlSetOrganization = `
	SELECT set_config('app.org_id', @org_id, true)`

// InTenant runs fn in a transaction that sees and writes the rows of one
// organization only: row-level security compares every row's org_id with org.
// It is committed when fn returns nil and rolled back otherwise, a panic
// included. Opening it costs one round trip. fn's error is returned as it is;
// what fails around it says so. pool must be DB.API for that binding to hold.
func InTenant(ctx context.Context, pool *pgxpool.Pool, org uuid.UUID, fn func(tx pgx.Tx) error) error {
	return inTenant(ctx, pool, org, pgx.TxOptions{}, fn)
}

// InTenantRead is InTenant for reading: the database refuses every write, and
// all statements of fn see one snapshot.
func InTenantRead(ctx context.Context, pool *pgxpool.Pool, org uuid.UUID, fn func(tx pgx.Tx) error) error {
	return inTenant(ctx, pool, org, pgx.TxOptions{AccessMode: pgx.ReadOnly, IsoLevel: pgx.RepeatableRead}, fn)
}

// InSystem runs fn in a READ COMMITTED transaction that no organization binds.
// It is for system work as sb_engine and for the login path as sb_auth; each of
// its statements must itself say whose rows it means.
func InSystem(ctx context.Context, pool *pgxpool.Pool, fn func(tx pgx.Tx) error) error {
	tx, err := pool.Begin(ctx)
	if err != nil {
		return fmt.Errorf("begin: %w", err)
	}
	return finish(ctx, tx, fn)
}

func inTenant(ctx context.Context, pool *pgxpool.Pool, org uuid.UUID, o pgx.TxOptions, fn func(tx pgx.Tx) error) error {
	var batch pgx.Batch
	batch.BeginTx(o)
	batch.Queue(sqlSetOrganization, pgx.StrictNamedArgs{"org_id": org.String()})
	results := pool.SendBatch(ctx, &batch)
	tx := results.Tx()
	if err := results.Close(); err != nil {
		rollback(ctx, tx)
		return fmt.Errorf("begin for organization: %w", err)
	}
	return finish(ctx, tx, fn)
}

func finish(ctx context.Context, tx pgx.Tx, fn func(tx pgx.Tx) error) error {
	// After a commit this does nothing; it is here for errors and panics.
	defer rollback(ctx, tx)
	if err := fn(tx); err != nil {
		return err
	}
	if err := tx.Commit(ctx); err != nil {
		return fmt.Errorf("commit: %w", err)
	}
	return nil
}

// rollback must also work for a caller who has gone away: without it the pool
// would have to close a healthy connection. A connection that does not answer
// within the time is closed by the pool.
func rollback(ctx context.Context, tx pgx.Tx) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), 2*time.Second)
	defer cancel()
	_ = tx.Rollback(ctx)
}

// Retry runs fn until it does not fail with a serialization failure or a
// deadlock, at most three times. fn is one whole transaction: only the service
// method that owns the transaction may call it.
func Retry(ctx context.Context, fn func() error) error {
	var err error
	for range 3 {
		if err = fn(); err == nil || !Retryable(err) {
			return err
		}
		if ctx.Err() != nil {
			return errors.Join(err, ctx.Err())
		}
	}
	return err
}
