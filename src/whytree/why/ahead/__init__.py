"""Look forward: what is known of a place that somebody may improve."""
