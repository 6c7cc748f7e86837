#!/bin/sh
# `exec`: the training takes this process's place, and with it the signals that ask it to stop.
exec python -m src.train
