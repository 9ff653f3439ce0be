package runapi

import (
	"context"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"unicode"
	"unicode/utf8"

	"google.golang.org/protobuf/proto"

	"github.com/signalboxhq/signalbox/controlplane/actor"
	"github.com/signalboxhq/signalbox/controlplane/advance"
	"github.com/signalboxhq/signalbox/controlplane/concurrency"
	"github.com/signalboxhq/signalbox/controlplane/engine"
	"github.com/signalboxhq/signalbox/controlplane/rundb"
	"github.com/signalboxhq/signalbox/internal/fault"
	runv1 "github.com/signalboxhq/signalbox/proto/gen/signalbox/run/v1"
	"github.com/signalboxhq/signalbox/proto/id"
	"github.com/signalboxhq/signalbox/tenancy/caller"
)

// start judges a start and hands it to the group commit.
func (h *Handler) start(ctx context.Context, by caller.Caller, req *runv1.StartRunRequest) (advance.Started, error) {
	return h.startFrom(ctx, by, req, nil)
}

// startFrom starts a run that takes over what sow says, once its version is
// known.
func (h *Handler) startFrom(ctx context.Context, by caller.Caller, req *runv1.StartRunRequest,
	sow func(*rundb.Target) (*engine.Seed, error),
) (advance.Started, error) {
	if !by.OrgState.StartsRuns() {
		return advance.Started{}, errRestricted
	}
	if err := checkKey(req.GetIdempotencyKey()); err != nil {
		return advance.Started{}, err
	}
	if err := checkKnown(req); err != nil {
		return advance.Started{}, err
	}
	if sow == nil && req.GetVersion() == "" && req.GetIdempotencyKey() == "" {
		if target, ok := h.store.RecallTarget(by, req.GetPipeline()); ok {
			c, err := h.judge(ctx, by, req, &target, nil)
			if err == nil {
				c.Deployed = true
				started, err := h.advancer.StartRun(ctx, c)
				if !errors.Is(err, advance.ErrMoved) {
					return started, err
				}
			}
			// Whatever is wrong is said of what is deployed now.
		}
	}
	target, err := h.store.FindTarget(ctx, by, rundb.Start{
		Pipeline: req.GetPipeline(), Version: req.GetVersion(), Key: req.GetIdempotencyKey(),
		Anew: req.GetIfRunning() != "" || req.GetIfDone() != "",
	})
	if err != nil {
		return advance.Started{}, err
	}
	asks, err := fingerprint(target.Pipeline, req)
	if err != nil {
		return advance.Started{}, err
	}
	if target.Before != id.Nil {
		if subtle.ConstantTimeCompare(target.Fingerprint, asks[:]) != 1 {
			return advance.Started{}, errMismatch(req.GetIdempotencyKey())
		}
		return advance.Started{Run: target.Before}, nil
	}
	c, err := h.judge(ctx, by, req, &target, sow)
	if err != nil {
		return advance.Started{}, err
	}
	return h.advancer.StartRun(ctx, c)
}

// judge makes of what was asked the command that starts it.
func (h *Handler) judge(ctx context.Context, by caller.Caller, req *runv1.StartRunRequest, target *rundb.Target,
	sow func(*rundb.Target) (*engine.Seed, error),
) (c advance.StartRun, err error) {
	asks, err := fingerprint(target.Pipeline, req)
	if err != nil {
		return c, err
	}
	if p := req.GetPriority(); p < -maxPriority || p > maxPriority {
		return c, fault.Invalid(rundb.ReasonInvalid, "priority must lie between -%d and %[1]d", maxPriority)
	}
	var seed *engine.Seed
	if sow != nil {
		if seed, err = sow(target); err != nil {
			return c, err
		}
	}
	params, err := checkParams(target.Graph.Plan.Params, target.SealingKID, req.GetParams())
	if err != nil {
		return c, err
	}
	line, err := concurrency.Key(target.Graph.Plan, params)
	if err != nil {
		return c, err
	}
	labels, err := mergeLabels(target.Graph.Plan.Labels, req.GetLabels())
	if err != nil {
		return c, err
	}
	set, err := h.store.InternLabels(ctx, by, labels)
	if err != nil {
		return c, err
	}
	encoded, err := proto.MarshalOptions{Deterministic: true}.Marshal(&runv1.Params{Values: params})
	if err != nil {
		return c, fmt.Errorf("encode params: %w", err)
	}
	return advance.StartRun{
		Org: by.OrgID, Workspace: by.WorkspaceID, Pipeline: target.Pipeline, Digest: target.Digest,
		Key: req.GetIdempotencyKey(), Fingerprint: asks, Params: encoded, LabelSet: set, Labels: labels,
		Priority: req.GetPriority(), Cause: actor.Cause(by), Actor: actor.Text(by), Seed: seed,
		Line: line, At: startAt(req), IfRunning: advance.IfRunning(req.GetIfRunning()), IfDone: advance.IfDone(req.GetIfDone()),
	}, nil
}

const (
	maxKey = 200
	// maxPriority is the compiler's limit for tasks as well: the two are added.
	maxPriority = 1000
)

func checkKey(key string) error {
	if len(key) > maxKey || !utf8.ValidString(key) || strings.ContainsFunc(key, unicode.IsControl) {
		return fault.Invalid(rundb.ReasonInvalid, "the idempotency key must be one line of at most %d bytes", maxKey)
	}
	return nil
}

// asked is what a start asks for, as its fingerprint covers it.
type asked struct {
	Pipeline id.UUID           `json:"pipeline"`
	Version  string            `json:"version"`
	Params   map[string]string `json:"params"`
	Labels   map[string]string `json:"labels"`
	Priority int32             `json:"priority"`
}

// fingerprint is the sha256 of what was asked, without the key: the same key
// with other content is refused. Of a sealed param it covers the name only.
// Sealing is randomised, so a client that repeats its call may send another
// envelope of the same value, and nobody here can tell.
func fingerprint(pipeline id.UUID, req *runv1.StartRunRequest) ([sha256.Size]byte, error) {
	a := asked{
		Pipeline: pipeline, Version: req.GetVersion(), Labels: req.GetLabels(), Priority: req.GetPriority(),
		Params: make(map[string]string, len(req.GetParams())),
	}
	for _, v := range req.GetParams() {
		a.Params[v.GetName()] = "sealed"
		if open, ok := v.GetContent().(*runv1.Value_OpenJson); ok {
			a.Params[v.GetName()] = "open:" + string(open.OpenJson)
		}
	}
	text, err := json.Marshal(a) // with sorted keys
	if err != nil {
		return [sha256.Size]byte{}, fmt.Errorf("fingerprint a start: %w", err)
	}
	return sha256.Sum256(text), nil
}
