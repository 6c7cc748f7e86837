"""The way from a merged pull request to signed requests, on servers that speak TLS."""
