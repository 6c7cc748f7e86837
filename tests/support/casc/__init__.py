"""Jenkins' configuration as code without a Jenkins: how its files become one, and what a real schema says of it."""
