package main

import (
	"context"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"net/http/pprof"
	"time"
)

// profiles serves Go's profiles on an address of its own, apart from what people
// and agents reach.
type profiles struct {
	address string
	log     *slog.Logger
	server  *http.Server
}

func newProfiles(address string, log *slog.Logger) *profiles {
	mux := http.NewServeMux()
	mux.HandleFunc("/debug/pprof/", pprof.Index)
	mux.HandleFunc("/debug/pprof/profile", pprof.Profile)
	mux.HandleFunc("/debug/pprof/symbol", pprof.Symbol)
	mux.HandleFunc("/debug/pprof/trace", pprof.Trace)
	return &profiles{
		address: address, log: log.With(slog.String("component", "profiles")),
		server: &http.Server{Handler: mux, ReadHeaderTimeout: 10 * time.Second},
	}
}

// Start listens.
func (p *profiles) Start(ctx context.Context) error {
	var lc net.ListenConfig
	l, err := lc.Listen(ctx, "tcp", p.address)
	if err != nil {
		return fmt.Errorf("listen for profiles on %s: %w", p.address, err)
	}
	p.log.LogAttrs(ctx, slog.LevelInfo, "serving profiles", slog.String("address", l.Addr().String()))
	go func() { _ = p.server.Serve(l) }()
	return nil
}

// Stop ends all that is served.
func (p *profiles) Stop() { _ = p.server.Close() }
