package pipelineapi

import (
	"encoding/hex"

	"google.golang.org/protobuf/types/known/timestamppb"

	"github.com/signalboxhq/signalbox/controlplane/pipelinedb"
	pipelinev1 "github.com/signalboxhq/signalbox/proto/gen/signalbox/pipeline/v1"
	"github.com/signalboxhq/signalbox/proto/id"
)

func pipelineMessage(p pipelinedb.Pipeline) *pipelinev1.Pipeline {
	return &pipelinev1.Pipeline{
		Id: id.Format(id.Pipeline, p.ID), Name: p.Name, DeployedVersion: hex.EncodeToString(p.Deployed), Paused: p.Paused,
		CreatedAt: timestamppb.New(p.CreatedAt), UpdatedAt: timestamppb.New(p.UpdatedAt), Versions: uint32(p.Versions),
	}
}

func versionMessage(v pipelinedb.Version) *pipelinev1.Version {
	return &pipelinev1.Version{
		Digest: hex.EncodeToString(v.Digest), CreatedAt: timestamppb.New(v.CreatedAt), CreatedBy: v.CreatedBy,
		Filename: v.Filename, Deployed: v.Deployed,
	}
}
