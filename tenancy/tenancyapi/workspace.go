package tenancyapi

import (
	tenancyv1 "github.com/signalboxhq/signalbox/proto/gen/signalbox/tenancy/v1"
	"github.com/signalboxhq/signalbox/proto/id"
	"github.com/signalboxhq/signalbox/proto/seal"
	"github.com/signalboxhq/signalbox/tenancy/tenancydb"
)

func toWorkspace(w tenancydb.Workspace) *tenancyv1.Workspace {
	return &tenancyv1.Workspace{
		Id: id.Format(id.Workspace, w.ID), Slug: w.Slug, Name: w.Name, OrganizationId: id.Format(id.Org, w.OrgID),
		SealingKey: toSealingKey(w.SealingPublic), CreatedAt: timestamp(w.CreatedAt),
	}
}

// toSealingKey names the key by what its bytes say, not by what was stored beside
// them. There is none before the workspace's first agent made it, and none that
// anybody could seal to when the bytes are no key.
func toSealingKey(public []byte) *tenancyv1.SealingKey {
	key, err := seal.ParsePublicKey(public)
	if err != nil {
		return nil
	}
	return &tenancyv1.SealingKey{Kid: key.KID().String(), PublicKey: key.Bytes(), Fingerprint: key.Fingerprint()}
}
