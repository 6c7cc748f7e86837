"""Acts on Jenkins."""
