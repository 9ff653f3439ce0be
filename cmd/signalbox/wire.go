package main

import (
	"context"
	"net/http"
	"time"

	"github.com/signalboxhq/signalbox/controlplane/advance"
	"github.com/signalboxhq/signalbox/controlplane/reaper"
	"github.com/signalboxhq/signalbox/controlplane/timer"
)

// wire makes all parts and mounts them. The order is the order in which they
// start: what others use comes first.
func (s *server) wire(ctx context.Context) error {
	s.mux.HandleFunc("GET /healthz", s.healthz)
	advancer := advance.New(s.db, s.log, nil)
	s.services = append(s.services, advancer,
		timer.New(s.db.Engine, advancer, s.log), reaper.New(s.db.Engine, advancer, s.log))
	return s.wireAgents(ctx, advancer)
}

// healthz answers 200 when the database does.
func (s *server) healthz(w http.ResponseWriter, r *http.Request) {
	ctx, cancel := context.WithTimeout(r.Context(), 2*time.Second)
	defer cancel()
	if err := s.db.Engine.Ping(ctx); err != nil {
		http.Error(w, "the database does not answer", http.StatusServiceUnavailable)
		return
	}
	_, _ = w.Write([]byte("ok\n"))
}
