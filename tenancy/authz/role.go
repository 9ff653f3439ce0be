package authz

// OrgRole is what a member is in an organization. Exactly one per membership.
type OrgRole string

// The roles in an organization. Every organization has an owner.
const (
	OrgOwner   OrgRole = "owner"
	OrgAdmin   OrgRole = "admin"
	OrgBilling OrgRole = "billing"
	OrgMember  OrgRole = "member"
)

// OrgRoles lists every organization role, strongest first.
func OrgRoles() []OrgRole { return []OrgRole{OrgOwner, OrgAdmin, OrgBilling, OrgMember} }

// Known reports whether r is one of the organization roles.
func (r OrgRole) Known() bool { _, ok := orgRoles[r]; return ok }

// WorkspaceRole is what a member, or a key, is in one workspace.
type WorkspaceRole string

// The roles in a workspace.
const (
	WorkspaceAdmin     WorkspaceRole = "admin"
	WorkspaceDeveloper WorkspaceRole = "developer"
	WorkspaceOperator  WorkspaceRole = "operator"
	WorkspaceViewer    WorkspaceRole = "viewer"
)

// WorkspaceRoles lists every workspace role, strongest first.
func WorkspaceRoles() []WorkspaceRole {
	return []WorkspaceRole{WorkspaceAdmin, WorkspaceDeveloper, WorkspaceOperator, WorkspaceViewer}
}

// Known reports whether r is one of the workspace roles.
func (r WorkspaceRole) Known() bool { _, ok := workspaceRoles[r]; return ok }

// rights are the permissions that something holds in each of the two rooms.
type rights struct {
	organization Set
	workspace    Set // in every workspace, or in that of the grant
}

var everyWorkspaceRight = SetOf(
	PermMembersAdmin, PermBillingRead, PermBillingWrite, PermAuditRead, PermWorkspaceAdmin, PermPoolsAdmin, PermPipelinesWrite, PermSchedulesWrite,
	PermRunsWrite, PermApprovalsDecide, PermRunsRead, PermDataRead, PermSecretsWrite, PermKeysAdmin,
)

// orgRoles is the left half of the matrix. data.read stands here for workspaces
// that are not restricted; Principal takes it away in those that are.
var orgRoles = map[OrgRole]rights{
	OrgOwner: {
		organization: everyWorkspaceRight | SetOf(PermOrgRead, PermOrgAdmin, PermOrgOwn),
		workspace:    everyWorkspaceRight,
	},
	// An admin runs the organization but does not spend its money, so neither
	// the role of billing nor that of an owner is an admin's to give. A
	// workspace's budget lies below the organization's: that is an admin's too,
	// else they could not make anybody admin of a workspace.
	OrgAdmin: {
		organization: everyWorkspaceRight&^SetOf(PermBillingWrite) | SetOf(PermOrgRead, PermOrgAdmin),
		workspace:    everyWorkspaceRight,
	},
	// Billing reads the entries of the audit log that are about money:
	// AuditPrefix narrows what the permission opens.
	OrgBilling: {
		organization: SetOf(PermOrgRead, PermBillingRead, PermBillingWrite, PermAuditRead),
		workspace:    SetOf(PermBillingRead, PermBillingWrite, PermAuditRead),
	},
	OrgMember: {
		organization: SetOf(PermOrgRead),
	},
}

// workspaceRoles is the right half of the matrix.
var workspaceRoles = map[WorkspaceRole]Set{
	WorkspaceAdmin: everyWorkspaceRight,
	WorkspaceDeveloper: SetOf(PermBillingRead, PermPipelinesWrite, PermSchedulesWrite, PermRunsWrite, PermApprovalsDecide, PermRunsRead, PermDataRead,
		PermSecretsWrite),
	WorkspaceOperator: SetOf(PermBillingRead, PermRunsWrite, PermApprovalsDecide, PermRunsRead, PermDataRead),
	// A viewer opens data only where the grant says so.
	WorkspaceViewer: SetOf(PermBillingRead, PermRunsRead),
}

// ServiceAccountMax is what a key of a service account may hold at most. What
// is missing needs a person: deciding, giving rights, spending, writing secrets.
var ServiceAccountMax = SetOf(
	PermBillingRead, PermAuditRead, PermPoolsAdmin, PermPipelinesWrite, PermSchedulesWrite, PermRunsWrite, PermRunsRead, PermDataRead,
)

// tokenNever is what a personal token does not hold though its person does: a
// leaked token must not take the organization away from its owners.
var tokenNever = SetOf(PermOrgOwn)
