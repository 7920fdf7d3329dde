"""What clients of flags speak: OFREP, flagd's file, PostHog's endpoints."""
