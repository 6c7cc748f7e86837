"""The steps of a training: check, build, start, follow, finish, publish; reap, which cleans up after dead builds; and adopt,
which has it wait.

What a pipeline needs besides: request, which judges whether there is anything to do, fact and artifacts.

Each is a program in ../bin. They share a run folder and the Docker Engine and nothing else, so that every one of them may be
killed and called again. Python's standard library, PyYAML, jsonschema, git and the docker program are all they need.
"""
