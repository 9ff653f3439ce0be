package poolapi

import (
	"fmt"

	"google.golang.org/protobuf/types/known/timestamppb"

	"github.com/signalboxhq/signalbox/controlplane/pooldb"
	poolv1 "github.com/signalboxhq/signalbox/proto/gen/signalbox/pool/v1"
	tenancyv1 "github.com/signalboxhq/signalbox/proto/gen/signalbox/tenancy/v1"
	"github.com/signalboxhq/signalbox/proto/id"
	"github.com/signalboxhq/signalbox/proto/seal"
)

func poolMessage(p pooldb.Pool) *poolv1.Pool {
	return &poolv1.Pool{
		Id: id.Format(id.Pool, p.ID), Name: p.Name, Slots: uint32(p.Slots), Paused: p.Paused, PauseNote: p.PauseNote,
		CreatedAt: timestamppb.New(p.CreatedAt), Ready: uint32(p.Ready), Leased: uint32(p.Leased), AgentsOnline: uint32(p.AgentsOnline),
		Fairness: p.Fairness, Weights: p.Weights, ReserveAfterMs: p.ReserveAfterMS,
	}
}

func agentMessages(list []pooldb.Agent) []*poolv1.Agent {
	out := make([]*poolv1.Agent, len(list))
	for i := range list {
		out[i] = agentMessage(&list[i])
	}
	return out
}

func agentMessage(a *pooldb.Agent) *poolv1.Agent {
	m := &poolv1.Agent{
		Id: id.Format(id.Agent, a.ID), Name: a.Name, Pool: a.Pool, State: a.State(), Version: a.Version, Labels: a.Labels,
		Slots: uint32(a.Slots), CpuMillis: a.CPUMillis, MemoryBytes: a.MemoryBytes, Gpus: uint32(a.GPUs), Leases: uint32(a.Leases),
		GpuType: a.GPUType, GpusUsed: uint32(a.GPUsUsed),
		CreatedAt: timestamppb.New(a.CreatedAt), HoldsSealingKey: a.HoldsSealingKey, Draining: a.Draining,
	}
	if a.SeenAt != nil {
		m.SeenAt = timestamppb.New(*a.SeenAt)
	}
	return m
}

// sealingKeyMessage is what clients seal to, and the fingerprint that people
// compare; nil where there is no key yet.
func sealingKeyMessage(public []byte) (*tenancyv1.SealingKey, error) {
	if public == nil {
		return nil, nil
	}
	key, err := seal.ParsePublicKey(public)
	if err != nil {
		return nil, fmt.Errorf("read the workspace's sealing key: %w", err)
	}
	return &tenancyv1.SealingKey{Kid: key.KID().String(), PublicKey: public, Fingerprint: key.Fingerprint()}, nil
}
