package tenancyapi

import (
	"context"

	tenancyv1 "github.com/signalboxhq/signalbox/proto/gen/signalbox/tenancy/v1"
	"github.com/signalboxhq/signalbox/proto/id"
	"github.com/signalboxhq/signalbox/tenancy/caller"
	"github.com/signalboxhq/signalbox/tenancy/tenancydb"
)

// keys serves KeyService.
type keys struct{ Config }

// CreateKey makes a service account's key and shows its secret, once.
func (s keys) CreateKey(ctx context.Context, req *tenancyv1.CreateKeyRequest) (*tenancyv1.CreateKeyResponse, error) {
	workspace, err := parseOptionalID(id.Workspace, "workspace_id", req.GetWorkspaceId())
	if err != nil {
		return nil, err
	}
	key, secret, err := s.Store.CreateKey(ctx, caller.From(ctx), tenancydb.NewKey{
		Name: req.GetName(), WorkspaceID: workspace, Role: req.GetRole(), Life: days(req.GetDays()),
	})
	if err != nil {
		return nil, err
	}
	return &tenancyv1.CreateKeyResponse{Key: toKey(key), Secret: secret.Secret()}, nil
}

// ListKeys lists the organization's keys without their secrets.
func (s keys) ListKeys(ctx context.Context, _ *tenancyv1.ListKeysRequest) (*tenancyv1.ListKeysResponse, error) {
	list, err := s.Store.ListKeys(ctx, caller.From(ctx))
	if err != nil {
		return nil, err
	}
	return &tenancyv1.ListKeysResponse{Keys: convert(list, toKey)}, nil
}

// RevokeKey ends a key at its next call.
func (s keys) RevokeKey(ctx context.Context, req *tenancyv1.RevokeKeyRequest) (*tenancyv1.RevokeKeyResponse, error) {
	key, err := parseID(id.Key, "id", req.GetId())
	if err != nil {
		return nil, err
	}
	if err := s.Store.RevokeKey(ctx, caller.From(ctx), key); err != nil {
		return nil, err
	}
	return &tenancyv1.RevokeKeyResponse{}, nil
}
