package cli_test

import (
	"context"
	"encoding/json"
	"strings"
	"time"

	"connectrpc.com/connect"

	faultv1 "github.com/signalboxhq/signalbox/proto/gen/signalbox/fault/v1"
	pipelinev1 "github.com/signalboxhq/signalbox/proto/gen/signalbox/pipeline/v1"
	poolv1 "github.com/signalboxhq/signalbox/proto/gen/signalbox/pool/v1"
	"github.com/signalboxhq/signalbox/proto/id"
	"github.com/signalboxhq/signalbox/proto/plan"
)

const sourceText = "signalbox: v1\nname: train\n"

// fakePlan is the pipeline of the world: one open param, one sealed, one required.
func fakePlan() (encoded []byte, digest string) {
	p := &plan.Plan{
		Format: plan.Format, Name: "train", Pool: "default",
		Params: []plan.Param{
			{Name: "epochs", Type: plan.TypeInt, Default: json.RawMessage("10"), Min: json.RawMessage("1"), Open: true, Description: "passes over the data"},
			{Name: "lr", Type: plan.TypeFloat, Default: json.RawMessage("0.1")},
			{Name: "dataset", Type: plan.TypeURI, Required: true},
		},
		Tasks: []plan.Task{{Name: "prepare", Run: "true", Pool: "default"}},
	}
	encoded, err := p.Encode()
	if err != nil {
		panic(err)
	}
	return encoded, plan.DigestOf(encoded).String()
}

func (f *fake) pipeline() *pipelinev1.Pipeline {
	_, digest := fakePlan()
	return &pipelinev1.Pipeline{
		Id: fakeID(id.Pipeline, 1), Name: "train", DeployedVersion: digest, Versions: 3,
		CreatedAt: before(40 * time.Hour), UpdatedAt: before(90 * time.Minute),
	}
}

func (f *fake) version() *pipelinev1.Version {
	_, digest := fakePlan()
	return &pipelinev1.Version{
		Digest: digest, CreatedAt: before(90 * time.Minute), CreatedBy: "ada@example.com", Filename: "pipeline.yaml", Deployed: true,
	}
}

func (f *fake) violation() *faultv1.Violation {
	return &faultv1.Violation{
		Path: "tasks.train.retry.user", Want: "int", Got: "two", Text: `want int, got "two"`, Line: 7, Column: 12,
		Excerpt: "   7 |     user: two\n     |           ^",
	}
}

func (f *fake) ApplyPipeline(_ context.Context, req *pipelinev1.ApplyPipelineRequest) (*pipelinev1.ApplyPipelineResponse, error) {
	if f.others && strings.HasPrefix(string(req.GetSource()), "name: ") {
		name := strings.TrimSpace(strings.TrimPrefix(string(req.GetSource()), "name: "))
		if name == "locked" {
			return nil, refusal(connect.CodePermissionDenied, faultv1.Reason_REASON_PERMISSION_DENIED, "you may not")
		}
		p, v := f.pipeline(), f.version()
		p.Name, v.Deployed = name, !req.GetNoDeploy()
		return &pipelinev1.ApplyPipelineResponse{Pipeline: p, Version: v, Created: true}, nil
	}
	if string(req.GetSource()) != sourceText {
		return nil, refusal(connect.CodeInvalidArgument, faultv1.Reason_REASON_PIPELINE_INVALID, "the pipeline has 1 error", f.violation())
	}
	v := f.version()
	v.Deployed = !req.GetNoDeploy()
	return &pipelinev1.ApplyPipelineResponse{
		Pipeline: f.pipeline(), Version: v, Created: true, Warnings: []string{"tasks.train.env.TOKEN looks like a secret"},
	}, nil
}

func (f *fake) ValidatePipeline(_ context.Context, req *pipelinev1.ValidatePipelineRequest) (*pipelinev1.ValidatePipelineResponse, error) {
	_, digest := fakePlan()
	res := &pipelinev1.ValidatePipelineResponse{Name: "train", Digest: digest}
	if name, other := strings.CutPrefix(string(req.GetSource()), "name: "); other && f.others {
		res.Name = strings.TrimSpace(name)
		return res, nil
	}
	if string(req.GetSource()) != sourceText {
		res = &pipelinev1.ValidatePipelineResponse{Violations: []*faultv1.Violation{f.violation()}}
	}
	return res, nil
}

func (f *fake) ListPipelines(context.Context, *pipelinev1.ListPipelinesRequest) (*pipelinev1.ListPipelinesResponse, error) {
	paused := &pipelinev1.Pipeline{Id: fakeID(id.Pipeline, 2), Name: "serving/deploy", Paused: true, Versions: 1, UpdatedAt: before(72 * time.Hour)}
	return &pipelinev1.ListPipelinesResponse{Pipelines: []*pipelinev1.Pipeline{f.pipeline(), paused}}, nil
}

func (f *fake) GetPipeline(_ context.Context, req *pipelinev1.GetPipelineRequest) (*pipelinev1.GetPipelineResponse, error) {
	if req.GetName() != "train" {
		return nil, missing("pipeline", req.GetName())
	}
	return &pipelinev1.GetPipelineResponse{Pipeline: f.pipeline()}, nil
}

func (f *fake) ListVersions(context.Context, *pipelinev1.ListVersionsRequest) (*pipelinev1.ListVersionsResponse, error) {
	old := &pipelinev1.Version{
		Digest:    "0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f",
		CreatedAt: before(20 * time.Hour), CreatedBy: "grace@example.com", Filename: "pipeline.yaml",
	}
	return &pipelinev1.ListVersionsResponse{Versions: []*pipelinev1.Version{f.version(), old}}, nil
}

func (f *fake) GetVersion(_ context.Context, req *pipelinev1.GetVersionRequest) (*pipelinev1.GetVersionResponse, error) {
	if req.GetPipeline() != "train" {
		return nil, missing("pipeline", req.GetPipeline())
	}
	encoded, _ := fakePlan()
	return &pipelinev1.GetVersionResponse{Version: f.version(), Source: []byte(sourceText), Plan: encoded}, nil
}

func (f *fake) DeployVersion(context.Context, *pipelinev1.DeployVersionRequest) (*pipelinev1.DeployVersionResponse, error) {
	return &pipelinev1.DeployVersionResponse{Pipeline: f.pipeline()}, nil
}

func missing(what, name string) error {
	return refusal(connect.CodeNotFound, faultv1.Reason_REASON_NOT_FOUND, "there is no "+what+` "`+name+`"`)
}

func (f *fake) pool() *poolv1.Pool {
	return &poolv1.Pool{
		Id: fakeID(id.Pool, 1), Name: "default", CreatedAt: before(45 * time.Hour), Ready: 2, Leased: 3, AgentsOnline: 1,
	}
}

func (f *fake) agents() []*poolv1.Agent {
	return []*poolv1.Agent{
		{
			Id: fakeID(id.Agent, 1), Name: "gpu-1", Pool: "default", State: "online", Version: "1.2.0", Slots: 4, Leases: 3, Gpus: 2,
			GpuType: "a100", GpusUsed: 1,
			Labels: map[string]string{"zone": "a", "arch": "amd64"}, CpuMillis: 7500, MemoryBytes: 64 << 30, SeenAt: before(2 * time.Second), HoldsSealingKey: true,
		},
		{Id: fakeID(id.Agent, 2), Name: "gpu-2", Pool: "default", State: "offline", SeenAt: before(26 * time.Hour)},
	}
}

func (f *fake) ListPools(context.Context, *poolv1.ListPoolsRequest) (*poolv1.ListPoolsResponse, error) {
	gpu := &poolv1.Pool{Id: fakeID(id.Pool, 2), Name: "gpu-eu", Slots: 8, Paused: true, PauseNote: "driver update", AgentsOnline: 2}
	idle := &poolv1.Pool{Id: fakeID(id.Pool, 3), Name: "spare"}
	return &poolv1.ListPoolsResponse{Pools: []*poolv1.Pool{f.pool(), gpu, idle}}, nil
}

func (f *fake) GetPool(_ context.Context, req *poolv1.GetPoolRequest) (*poolv1.GetPoolResponse, error) {
	if req.GetName() != "default" {
		return nil, missing("pool", req.GetName())
	}
	return &poolv1.GetPoolResponse{Pool: f.pool(), Agents: f.agents(), SealingKey: f.sealingKey()}, nil
}

func (f *fake) CreatePool(_ context.Context, req *poolv1.CreatePoolRequest) (*poolv1.CreatePoolResponse, error) {
	return &poolv1.CreatePoolResponse{Pool: &poolv1.Pool{Id: fakeID(id.Pool, 4), Name: req.GetName(), Slots: req.GetSlots()}}, nil
}

func (f *fake) UpdatePool(_ context.Context, req *poolv1.UpdatePoolRequest) (*poolv1.UpdatePoolResponse, error) {
	p := f.pool()
	if req.Slots != nil {
		p.Slots = req.GetSlots()
	}
	p.Paused, p.PauseNote = req.GetPaused(), req.GetPauseNote()
	p.Fairness, p.Weights, p.ReserveAfterMs = req.GetFairness(), req.GetWeights(), req.GetReserveAfterMs()
	return &poolv1.UpdatePoolResponse{Pool: p}, nil
}

func (f *fake) RevokeJoinTokens(context.Context, *poolv1.RevokeJoinTokensRequest) (*poolv1.RevokeJoinTokensResponse, error) {
	return &poolv1.RevokeJoinTokensResponse{Revoked: 2}, nil
}

func (f *fake) CreateJoinToken(context.Context, *poolv1.CreateJoinTokenRequest) (*poolv1.CreateJoinTokenResponse, error) {
	return &poolv1.CreateJoinTokenResponse{
		Token: "sbj_once", ExpiresAt: before(-24 * time.Hour), Command: "signalbox-agent start --server https://signalbox.example.com --token sbj_once",
	}, nil
}

func (f *fake) ListAgents(context.Context, *poolv1.ListAgentsRequest) (*poolv1.ListAgentsResponse, error) {
	return &poolv1.ListAgentsResponse{Agents: f.agents()}, nil
}

func (f *fake) RevokeAgent(context.Context, *poolv1.RevokeAgentRequest) (*poolv1.RevokeAgentResponse, error) {
	return &poolv1.RevokeAgentResponse{}, nil
}

func (f *fake) GetSealingKey(context.Context, *poolv1.GetSealingKeyRequest) (*poolv1.GetSealingKeyResponse, error) {
	return &poolv1.GetSealingKeyResponse{SealingKey: f.sealingKey()}, nil
}
