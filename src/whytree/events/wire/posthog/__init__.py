"""PostHog's capture API, as its libraries speak it: v0 (`/batch/`, `/e/` and their older names) and v1."""
