"""Where facts come from: one class for each system, each behind a small Protocol."""
