"""Groovy as Jenkins carries it, for the scripts that only Jenkins runs."""
