package tenancyapi

import (
	"context"

	tenancyv1 "github.com/signalboxhq/signalbox/proto/gen/signalbox/tenancy/v1"
	"github.com/signalboxhq/signalbox/tenancy/caller"
)

// organizations serves OrganizationService.
type organizations struct{ Config }

// GetOrganization returns the organization of the request.
func (s organizations) GetOrganization(ctx context.Context, _ *tenancyv1.GetOrganizationRequest) (*tenancyv1.GetOrganizationResponse, error) {
	org, err := s.Store.GetOrganization(ctx, caller.From(ctx))
	if err != nil {
		return nil, err
	}
	return &tenancyv1.GetOrganizationResponse{Organization: toOrganization(org)}, nil
}

// ListWorkspaces lists the workspaces that the caller may know of.
func (s organizations) ListWorkspaces(ctx context.Context, _ *tenancyv1.ListWorkspacesRequest) (*tenancyv1.ListWorkspacesResponse, error) {
	list, err := s.Store.ListWorkspaces(ctx, caller.From(ctx))
	if err != nil {
		return nil, err
	}
	return &tenancyv1.ListWorkspacesResponse{Workspaces: convert(list, toWorkspace)}, nil
}

// CreateWorkspace makes a workspace of the organization.
func (s organizations) CreateWorkspace(ctx context.Context, req *tenancyv1.CreateWorkspaceRequest) (*tenancyv1.CreateWorkspaceResponse, error) {
	workspace, err := s.Store.CreateWorkspace(ctx, caller.From(ctx), req.GetName(), req.GetSlug())
	if err != nil {
		return nil, err
	}
	return &tenancyv1.CreateWorkspaceResponse{Workspace: toWorkspace(workspace)}, nil
}
