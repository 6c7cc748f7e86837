"""Builds' logs read in a real back room, from the Jenkins that is watched there."""

from __future__ import annotations

import threading

from console.demo import demo_jenkins, demo_sources
from console.feeds.log_feed import LogFeed, Phase
from console.feeds.watch import Watch
from console.logs.target import build_target
from console.model.build import BuildRef
from console.model.source import SourceState, SourceStatus
from console.text import clean
from tests.support.waiting import until_sync

RUNNING = build_target(BuildRef(clean("train"), 130), "train #130")


def texts(feed: LogFeed) -> list[str]:
    return [row.text.decode() for row in feed.store.rows(feed.store.first, feed.store.end)]


def test_the_log_of_a_build_is_read_from_the_jenkins_that_is_watched() -> None:
    changed = threading.Event()
    watch = Watch(demo_sources, host=clean("demo-01"), demo=True, make_jenkins=demo_jenkins)
    watch.start()
    try:
        until_sync(lambda: watch.jenkins is not None)
        feed = LogFeed([RUNNING], changed.set)
        feed.open(watch)
        until_sync(lambda: feed.phase is Phase.FOLLOWING)
        assert changed.is_set()
        assert feed.whole
        assert feed.sources == ("train #130",)
        assert "is locked by train #128, waiting..." in "\n".join(texts(feed))
        feed.close()
    finally:
        assert watch.stop()
    assert watch.failure is None


def test_why_there_is_no_jenkins_is_told_in_its_own_words() -> None:
    reason = clean("There is no token for https://ci. Run: mlops-console login")
    watch = Watch(
        demo_sources,
        host=clean("demo-01"),
        demo=True,
        make_jenkins=lambda: SourceStatus(SourceState.DENIED, reason),
    )
    watch.start()
    try:
        until_sync(lambda: watch.jenkins is not None)
        feed = LogFeed([RUNNING], lambda: None)
        feed.open(watch)
        until_sync(lambda: feed.phase is Phase.FAILED)
        assert feed.failure is not None
        assert feed.failure.reason == reason
        feed.close()
    finally:
        assert watch.stop()
    assert watch.failure is None
