"""What went out for whom: deployments with their commits, the solutions these are for, and what broke after."""
