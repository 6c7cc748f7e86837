"""The screens: main, detail, and the sheets that rise from the bottom."""
