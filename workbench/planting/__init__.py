"""Made-up rows: assumed for a plan, or with a signal planted in them."""
