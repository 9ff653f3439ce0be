package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"slices"
	"time"

	"connectrpc.com/connect"
	"github.com/spf13/cobra"

	"github.com/signalboxhq/signalbox/controlplane/migrations"
	"github.com/signalboxhq/signalbox/internal/pg"
	"github.com/signalboxhq/signalbox/internal/rpc"
)

func serverCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "server",
		Short: "Run a replica of the control plane on a PostgreSQL database",
		Long: `Run a replica of the control plane. Everything is told by the environment:

  DATABASE_URL                 the database; its user may create roles, or be a member of the sb_ roles
  SIGNALBOX_DATABASE_WAIT      how long a start waits for a database that does not answer (1m)
  SIGNALBOX_ADDRESS            where to listen (127.0.0.1:7070)
  SIGNALBOX_PUBLIC_URL         what links and install commands name
  SIGNALBOX_INTERNAL_ADDRESS   where other replicas pass frames on (127.0.0.1:0)
  SIGNALBOX_PROXIES            how many proxies of yours append to X-Forwarded-For (1 behind https, else 0)
  SIGNALBOX_MAIL               "terminal", "file:<folder>" or smtp://user:password@host:port
  SIGNALBOX_LOG_LEVEL          debug, info, warn or error
  SIGNALBOX_RETENTION_MONTHS   how long archived journals stay in the database (13; 0: for ever)
  SIGNALBOX_PROFILE_ADDRESS    where Go's profiles are served to this machine alone (nowhere)

Any number of replicas may run on one database.`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			config, err := loadConfig(cmd.Context())
			if err != nil {
				return err
			}
			return serve(cmd.Context(), config, cmd.ErrOrStderr(), nil)
		},
	}
	cmd.AddCommand(doctorCommand(), archiveCommand(), restoreCommand())
	return cmd
}

// service is a part with a life of its own.
type service interface {
	Start(ctx context.Context) error
	Stop()
}

// server is one replica: what its parts share while they are wired.
type server struct {
	config Config
	log    *slog.Logger
	db     *pg.DB
	mux    *http.ServeMux
	// services are started in this order and stopped in reverse.
	services []service
}

// serve runs a replica until ctx ends. ready is called with the address once
// requests are answered.
func serve(ctx context.Context, config Config, logs io.Writer, ready func(address string)) error {
	if err := config.Validate(); err != nil {
		return err
	}
	log := slog.New(slog.NewJSONHandler(logs, &slog.HandlerOptions{Level: config.level()}))
	log.LogAttrs(ctx, slog.LevelInfo, "starting", slog.String("version", version), slog.Any("config", config))
	for _, text := range config.warnings() {
		log.LogAttrs(ctx, slog.LevelWarn, "not fit for production", slog.String("why", text))
	}
	if err := pg.Await(ctx, string(config.DatabaseURL), config.DatabaseWait, log); err != nil {
		return err
	}
	if err := migrations.Up(ctx, string(config.DatabaseURL)); err != nil {
		return fmt.Errorf("migrate the database: %w", err)
	}
	db, err := pg.Open(ctx, pg.Config{URL: string(config.DatabaseURL)})
	if err != nil {
		return err
	}
	defer db.Close()
	s := &server{config: config, log: log, db: db, mux: http.NewServeMux()}
	if err := s.wire(ctx); err != nil {
		return err
	}
	for i, part := range s.services {
		if err := part.Start(ctx); err != nil {
			s.stop(s.services[:i])
			return err
		}
	}
	defer s.stop(s.services)
	return s.listen(ctx, ready)
}

func (s *server) stop(parts []service) {
	for _, part := range slices.Backward(parts) {
		part.Stop()
	}
}

func (s *server) listen(ctx context.Context, ready func(address string)) error {
	var lc net.ListenConfig
	l, err := lc.Listen(ctx, "tcp", s.config.Address)
	if err != nil {
		return fmt.Errorf("listen on %s: %w", s.config.Address, err)
	}
	hs := &http.Server{
		Handler:           rpc.RequestIDs(s.mux),
		ReadHeaderTimeout: 10 * time.Second,
		IdleTimeout:       2 * time.Minute,
		MaxHeaderBytes:    64 << 10, // before anybody is known; the default is a megabyte
		ErrorLog:          slog.NewLogLogger(s.log.Handler(), slog.LevelDebug),
	}
	failed := make(chan error, 1)
	go func() { failed <- hs.Serve(l) }()
	s.log.LogAttrs(ctx, slog.LevelInfo, "serving", slog.String("address", l.Addr().String()))
	if ready != nil {
		ready(l.Addr().String())
	}
	select {
	case err := <-failed:
		return fmt.Errorf("serve: %w", err)
	case <-ctx.Done():
	}
	// Long polls and streams end when their parts stop; the rest gets a moment.
	stopping, cancel := context.WithTimeout(context.WithoutCancel(ctx), 5*time.Second)
	defer cancel()
	done := make(chan error, 1)
	go func() { done <- hs.Shutdown(stopping) }()
	s.stop(s.services)
	if err := <-done; err != nil && !errors.Is(err, context.DeadlineExceeded) {
		return fmt.Errorf("shut down: %w", err)
	}
	_ = hs.Close()
	return nil
}

// handle mounts a Connect handler.
func (s *server) handle(path string, h http.Handler, around func(http.Handler) http.Handler) {
	s.mux.Handle(path, around(h))
}

// limits bound what one request may bring, and keep small answers as they are:
// packing one costs more than all else that is done for it.
func limits() connect.HandlerOption {
	return connect.WithHandlerOptions(connect.WithReadMaxBytes(4<<20), connect.WithCompressMinBytes(4<<10))
}
