package githubtest

// simple returns a user as GitHub shows one in lists.
func simple(a *account) map[string]any {
	shown := map[string]any{"login": a.login, "id": a.id, "node_id": "U_1", "gravatar_id": "", "type": "User", "site_admin": false}
	for _, name := range []string{
		"avatar_url", "url", "html_url", "followers_url", "following_url", "gists_url", "starred_url", "subscriptions_url",
		"organizations_url", "repos_url", "events_url", "received_events_url",
	} {
		shown[name] = "https://api.github.com/users/x"
	}
	return shown
}

// full returns a user as GitHub shows one by itself.
func full(a *account) map[string]any {
	shown := simple(a)
	for _, name := range []string{"name", "company", "blog", "location", "email", "hireable", "bio"} {
		shown[name] = nil
	}
	for _, name := range []string{"public_repos", "public_gists", "followers", "following"} {
		shown[name] = 0
	}
	shown["created_at"], shown["updated_at"] = created, created
	return shown
}

// organisation returns the organisation as GitHub shows one in lists.
func organisation(name string) map[string]any {
	shown := map[string]any{"login": name, "id": 1, "node_id": "O_1", "description": nil}
	for _, name := range []string{"url", "repos_url", "events_url", "hooks_url", "issues_url", "members_url", "public_members_url", "avatar_url"} {
		shown[name] = "https://api.github.com/orgs/x"
	}
	return shown
}

// org returns the organisation as GitHub shows it to an owner.
func (g *GitHub) org() map[string]any {
	shown := organisation(g.options.Org)
	shown["html_url"], shown["type"] = "https://github.com/x", "Organization"
	shown["has_organization_projects"], shown["has_repository_projects"] = true, true
	for _, name := range []string{"public_repos", "public_gists", "followers", "following"} {
		shown[name] = 0
	}
	shown["created_at"], shown["updated_at"], shown["archived_at"] = created, created, nil
	shown["plan"] = map[string]any{"name": "enterprise", "space": 1, "private_repos": 1, "seats": 5000, "filled_seats": len(g.seats)}
	return shown
}

func team(slug string) map[string]any {
	return map[string]any{
		"id": 1, "node_id": "T_1", "name": slug, "slug": slug, "description": nil, "permission": "pull", "parent": nil, "type": "organization",
		"url": docs, "html_url": "https://github.com/x", "members_url": docs, "repositories_url": docs,
	}
}

func (g *GitHub) invitation(s *seat) map[string]any {
	role := map[string]string{"member": "direct_member"}[s.role]
	if role == "" {
		role = s.role
	}
	return map[string]any{
		"id": s.invitation, "login": s.user.login, "email": nil, "role": role, "created_at": created, "node_id": "I_1",
		"inviter": simple(g.users[0]), "team_count": len(g.teamsOf(s.user.id)), "invitation_teams_url": docs,
	}
}
