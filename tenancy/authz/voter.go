package authz

import (
	"strings"

	"github.com/signalboxhq/signalbox/proto/id"
)

// ranks order what one can be in a workspace: whoever is more may also vote
// where the lesser is asked.
var ranks = map[string]int{
	string(WorkspaceViewer): 1, string(WorkspaceOperator): 2, string(WorkspaceDeveloper): 3, string(WorkspaceAdmin): 4, string(OrgOwner): 5,
}

// rank is the most that the principal is in the workspace of the request: an
// owner or admin of the organization is admin of all its workspaces.
func (p Principal) rank() int {
	most := ranks[string(p.WorkspaceRole)]
	switch p.OrgRole {
	case OrgOwner:
		return ranks[string(OrgOwner)]
	case OrgAdmin:
		return max(most, ranks[string(WorkspaceAdmin)])
	case OrgBilling, OrgMember:
	}
	return most
}

// AmongVoters reports whether the principal is one of those whom an approval
// names: `role:admin` (or more), `user:ann@example.org`, `user:usr_…`. Nobody
// named means everybody. Only people are voters.
func (p Principal) AmongVoters(names []string) bool {
	if p.Kind != KindUser || p.UserID == id.Nil {
		return false
	}
	if len(names) == 0 {
		return true
	}
	for _, name := range names {
		role, isRole := strings.CutPrefix(name, "role:")
		if rank := ranks[role]; isRole && rank > 0 && p.rank() >= rank {
			return true
		}
		user, isUser := strings.CutPrefix(name, "user:")
		if isUser && (strings.EqualFold(user, p.Email) || user == id.Format(id.User, p.UserID)) {
			return true
		}
	}
	return false
}
