package main

import (
	"context"
	"net/http"
	"strings"
	"time"

	"github.com/signalboxhq/signalbox/controlplane/advance"
	"github.com/signalboxhq/signalbox/controlplane/firing"
	"github.com/signalboxhq/signalbox/controlplane/reaper"
	"github.com/signalboxhq/signalbox/controlplane/relay"
	"github.com/signalboxhq/signalbox/controlplane/replica"
	"github.com/signalboxhq/signalbox/controlplane/runapi"
	"github.com/signalboxhq/signalbox/controlplane/serverkey"
	"github.com/signalboxhq/signalbox/controlplane/timer"
	"github.com/signalboxhq/signalbox/controlplane/watch"
	"github.com/signalboxhq/signalbox/frontend"
)

// wire makes all parts and mounts them. The order is the order in which they
// start: what others use comes first.
func (s *server) wire(ctx context.Context) error {
	grantKey, err := serverkey.Ensure(ctx, s.db.Engine, serverkey.Grant)
	if err != nil {
		return err
	}
	self := replica.New(replica.Config{Engine: s.db.Engine, Listen: s.config.InternalAddress, Log: s.log})
	streams := relay.New(relay.Config{DB: s.db, Replica: self, GrantKey: grantKey, Log: s.log})
	advancer := advance.New(s.db, s.log, self.Peers)
	advancer.As(self.ID())
	watcher := watch.New(s.db.Engine, s.log)
	runs := runapi.New(s.db, advancer, watcher)
	advancer.Nest(runs.Nester())
	s.services = []service{
		&memory{},
		self, streams, advancer, watcher,
		timer.New(s.db.Engine, advancer, s.log, firing.New(s.db.Engine, runs, advancer, s.log)),
		reaper.New(s.db.Engine, advancer, s.log),
		newJanitor(s.db, s.config.RetentionMonths, s.log),
	}
	if s.config.ProfileAddress != "" {
		s.services = append(s.services, newProfiles(s.config.ProfileAddress, s.log))
	}
	if err := s.wireAgents(ctx, advancer, streams, self, grantKey); err != nil {
		return err
	}
	people, err := s.wirePeople(ctx, advancer, runs, streams)
	if err != nil {
		return err
	}
	s.mux.HandleFunc("GET /healthz", s.healthz)
	web := frontend.Handler()
	s.mux.HandleFunc("/", func(w http.ResponseWriter, r *http.Request) {
		if strings.HasPrefix(r.URL.Path, "/signalbox.") {
			people.ServeHTTP(w, r)
			return
		}
		web.ServeHTTP(w, r)
	})
	return nil
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
