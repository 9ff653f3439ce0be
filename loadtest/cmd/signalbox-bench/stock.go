package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"os"
	"path/filepath"
	"time"

	"github.com/signalboxhq/signalbox/loadtest/driver/signalbox"
	"github.com/signalboxhq/signalbox/loadtest/scenario"
	"github.com/signalboxhq/signalbox/loadtest/stack"
	"github.com/signalboxhq/signalbox/loadtest/workload"
)

// stock is databases that are not empty: filling one takes minutes, so each is
// filled once, and every scenario of its shape measures a copy.
type stock struct {
	options options
	log     *slog.Logger
	dir     string
	pg      *stack.Postgres
	// accounts are those of the tenants in each filled database.
	accounts map[scenario.Shape]signalbox.Accounts
}

// postgres is the one that a scenario runs on: its own in dir, or, where the
// database is not empty, that of the stock. leave gives it back.
func (k *stock) postgres(ctx context.Context, s scenario.Scenario, dir string) (pg *stack.Postgres, leave func() error, err error) {
	settings := s.Postgres
	if k.options.profile {
		settings = withStatements(settings)
	}
	if !s.Shape.Filled() {
		pg, err = stack.StartPostgres(ctx, filepath.Join(dir, "pg"), settings)
		if err != nil {
			return nil, nil, err
		}
		return pg, pg.Stop, nil
	}
	if k.pg == nil {
		if k.dir, err = folder(k.options.dir); err == nil {
			k.pg, err = stack.StartPostgres(ctx, filepath.Join(k.dir, "pg"), settings)
		}
	}
	return k.pg, func() error { return k.pg.DropDatabase(context.WithoutCancel(ctx), measuredDatabase) }, err
}

// database is what a scenario measures: an empty one, or a copy of a filled one,
// with the accounts that it has.
func (k *stock) database(ctx context.Context, pg *stack.Postgres, s scenario.Scenario) (string, signalbox.Accounts, error) {
	if !s.Shape.Filled() {
		url, err := pg.CreateDatabase(ctx, measuredDatabase)
		return url, signalbox.Accounts{}, err
	}
	shape := s.Shape
	shape.IdleAgents = 0
	name := fmt.Sprintf("filled_%d_%d_%d", shape.Queued, shape.Finished, shape.Tenants)
	if k.accounts[shape] == nil {
		accounts, err := k.fill(ctx, s, name)
		if err != nil {
			return "", nil, fmt.Errorf("fill a database: %w", err)
		}
		k.accounts[shape] = accounts
	}
	begin := time.Now()
	url, err := pg.CopyDatabase(ctx, measuredDatabase, name)
	k.log.LogAttrs(ctx, slog.LevelInfo, "copied", slog.String("database", name), slog.Duration("took", time.Since(begin)))
	return url, maps.Clone(k.accounts[shape]), errors.Join(err, pg.Checkpoint(ctx))
}

// fill makes a database of the scenario's shape, with a server that ends then.
func (k *stock) fill(ctx context.Context, s scenario.Scenario, name string) (accounts signalbox.Accounts, err error) {
	begin := time.Now()
	url, err := k.pg.CreateDatabase(ctx, name)
	if err != nil {
		return nil, err
	}
	server, err := stack.StartServer(ctx, stack.ServerOptions{Program: k.options.program, Dir: filepath.Join(k.dir, name), Database: url})
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, server.Stop()) }()
	accounts = signalbox.Accounts{}
	bench := workload.Bench{Scenario: s, Driver: signalbox.New(server, url, agentsProcess, accounts), Log: k.log}
	if err := bench.Fill(ctx); err != nil {
		return nil, err
	}
	k.log.LogAttrs(ctx, slog.LevelInfo, "filled", slog.String("database", name), slog.Duration("took", time.Since(begin)))
	return accounts, nil
}

// close ends the stock and removes it.
func (k *stock) close() error {
	if k.dir == "" {
		return nil
	}
	defer func() { _ = os.RemoveAll(k.dir) }()
	if k.pg == nil {
		return nil
	}
	return k.pg.Stop()
}
