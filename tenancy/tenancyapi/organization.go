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

// FreezeOrganization keeps agents from getting anything new.
func (s organizations) FreezeOrganization(ctx context.Context, req *tenancyv1.FreezeOrganizationRequest) (*tenancyv1.FreezeOrganizationResponse, error) {
	org, err := s.Store.Freeze(ctx, caller.From(ctx), req.GetNote())
	if err != nil {
		return nil, err
	}
	return &tenancyv1.FreezeOrganizationResponse{Organization: toOrganization(org)}, nil
}

// UnfreezeOrganization lets work go on.
func (s organizations) UnfreezeOrganization(ctx context.Context, _ *tenancyv1.UnfreezeOrganizationRequest) (*tenancyv1.UnfreezeOrganizationResponse, error) {
	org, err := s.Store.Unfreeze(ctx, caller.From(ctx))
	if err != nil {
		return nil, err
	}
	return &tenancyv1.UnfreezeOrganizationResponse{Organization: toOrganization(org)}, nil
}

// CreateWorkspace makes a workspace of the organization.
func (s organizations) CreateWorkspace(ctx context.Context, req *tenancyv1.CreateWorkspaceRequest) (*tenancyv1.CreateWorkspaceResponse, error) {
	workspace, err := s.Store.CreateWorkspace(ctx, caller.From(ctx), req.GetName(), req.GetSlug())
	if err != nil {
		return nil, err
	}
	return &tenancyv1.CreateWorkspaceResponse{Workspace: toWorkspace(workspace)}, nil
}
