// Package actor names who acted: as a text that runs and versions keep, and as a
// name that people read.
//
// What is kept is an id, never a name or an address: a person who leaves can be
// forgotten without touching the rows that they made. The package decides
// nothing about what an actor may do.
package actor

import (
	"context"
	"fmt"

	"github.com/jackc/pgx/v5"

	"github.com/signalboxhq/signalbox/proto/id"
	"github.com/signalboxhq/signalbox/tenancy/authz"
	"github.com/signalboxhq/signalbox/tenancy/caller"
)

// Text is the caller as rows keep it: usr_…, key_…, or "system".
func Text(by caller.Caller) string {
	switch by.Kind {
	case authz.KindUser:
		return id.Format(id.User, by.UserID)
	case authz.KindServiceAccount:
		return id.Format(id.Key, by.KeyID)
	case authz.KindAgent:
		return id.Format(id.Agent, by.AgentID)
	}
	return "system"
}

// Cause is what started a run that the caller starts: a person's token is its
// person.
func Cause(by caller.Caller) string {
	if by.Kind == authz.KindServiceAccount {
		return "key"
	}
	return "user"
}

const sqlActorNames = `
	SELECT 'user' AS kind, u.id, coalesce(nullif(u.name, ''), u.email) AS name
	FROM users u
	WHERE u.id = ANY(@users)
	UNION ALL
	SELECT 'key', k.id, k.name
	FROM api_key k
	WHERE k.org_id = @org_id
		AND k.id = ANY(@keys)
	UNION ALL
	SELECT 'schedule', s.id, s.name
	FROM schedule s
	WHERE s.org_id = @org_id
		AND s.id = ANY(@schedules)`

// kinds are those of the statement.
var kinds = map[string]id.Kind{"user": id.User, "key": id.Key, "schedule": id.Schedule}

// Names returns the names behind texts, as the organization of tx sees them. A
// text that is no actor's, or whose person has left, is missing from the map.
func Names(ctx context.Context, tx pgx.Tx, org id.UUID, texts []string) (map[string]string, error) {
	users, keys, schedules := []id.UUID{}, []id.UUID{}, []id.UUID{}
	for _, text := range texts {
		if u, err := id.Parse(id.User, text); err == nil {
			users = append(users, u)
		} else if k, err := id.Parse(id.Key, text); err == nil {
			keys = append(keys, k)
		} else if s, err := id.Parse(id.Schedule, text); err == nil {
			schedules = append(schedules, s)
		}
	}
	names := map[string]string{}
	if len(users)+len(keys)+len(schedules) == 0 {
		return names, nil
	}
	rows, err := tx.Query(ctx, sqlActorNames, pgx.StrictNamedArgs{"org_id": org, "users": users, "keys": keys, "schedules": schedules})
	if err != nil {
		return nil, fmt.Errorf("read the names of actors: %w", err)
	}
	var kind, name string
	var u id.UUID
	_, err = pgx.ForEachRow(rows, []any{&kind, &u, &name}, func() error {
		names[id.Format(kinds[kind], u)] = name
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("read the names of actors: %w", err)
	}
	return names, nil
}

// Name is the name of a text, or the text itself.
func Name(names map[string]string, text string) string {
	if name, ok := names[text]; ok {
		return name
	}
	return text
}
