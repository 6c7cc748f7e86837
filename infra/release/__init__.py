"""From a merged release to signed requests: run by .github/workflows/release-trigger.yml, with Python alone."""
