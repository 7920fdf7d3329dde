"""What went out and what broke: deployments, the commits each brought, incidents, DORA's five metrics."""
