"""Who gets which variant, asked in memory; and exposures on their way into the store."""
