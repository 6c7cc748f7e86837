"""One Jenkins, watched and acted on: see `sources.protocols` for what each method gives."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Mapping, Sequence
from datetime import timedelta
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from console.model.build import Build, BuildRef, FailedTest, FilePart, LogPart, Stages, as_people_write
from console.model.jenkins import (
    Controller,
    JenkinsError,
    Job,
    LeftItem,
    Monitors,
    Queued,
    QueueItem,
    Trouble,
    Work,
)
from console.sources._blocking import Pool
from console.sources.jenkins import answers, trees
from console.sources.jenkins.address import build_path, job_path, node_path
from console.sources.jenkins.client import Access, Client
from console.sources.jenkins.lately import Lately
from console.sources.jenkins.parse import Parser, monitors
from console.text import Clean, clean

if TYPE_CHECKING:
    from console.model.asking import Definition, Needs, Question, Stop

LARGE_LIST = 256 * 1024
"""Bytes of a list of jobs that is read beside the loop: 2,000 jobs are 660 kB, and take 40 ms of one core."""

PIPELINE_BUILD = "org.jenkinsci.plugins.workflow.job.WorkflowRun"
PARSE_SECONDS = 30.0
LOG_LIMIT = 8 * 1024 * 1024
"""Bytes of a node's log page at most; it begins anew with each try to connect."""


class JenkinsServer:
    """See `sources.protocols.Jenkins` and `JenkinsActs`."""

    def __init__(self, access: Access) -> None:
        self._access = access
        self._client = Client(access)
        self._lately = Lately(self._client, lambda: self._parser)
        self._quieting = False
        self._jobs_seen: tuple[tuple[bytes, timedelta], tuple[bool, tuple[Job, ...]]] | None = None
        self._beside = Pool("jenkins-lists", 1)

    @property
    def url(self) -> Clean:
        return self._access.address.shown

    @property
    def controller(self) -> Controller:
        client = self._client
        return Controller(
            version=clean(client.version) if client.version else None,
            session=clean(client.session) if client.session else None,
            ahead=client.ahead,
            quieting_down=self._quieting,
            user=clean(client.user),
        )

    @property
    def _parser(self) -> Parser:
        return Parser(self._access.address, self._client.ahead)

    async def who(self) -> Clean | None:
        """The user that the token belongs to; None when Jenkins takes us for nobody."""
        told = await self._client.json("whoAmI/api/json", what="whoAmI")
        if not isinstance(told, Mapping) or told.get("anonymous") is not False:
            return None
        return clean(told.get("name"))

    async def check_token(self) -> None:
        """Raises JenkinsError for a password: Jenkins takes one for reading, and refuses every act (crumb-post-without).

        Asking a page of data with POST changes nothing there (root-post-api).
        """
        await self._client.get("api/json", {"tree": "mode"}, what="Jenkins", method="POST")

    async def may_build(self, jobs: Sequence[Job]) -> bool | None:
        """See `probing.may_build`."""
        from console.sources.jenkins.probing import may_build

        return await may_build(self._client, jobs)

    async def work(self) -> Work:
        return await self._lately.read()

    async def jobs(self) -> tuple[Job, ...]:
        answer = await self._client.get("api/json", {"tree": trees.jobs()}, what="list of jobs")
        # The moments in it are told in our clock: what was read by another difference is another answer.
        seen = answer.body, self._client.ahead
        if self._jobs_seen is not None and self._jobs_seen[0] == seen:
            self._quieting, found = self._jobs_seen[1]
            return found
        parser = self._parser

        def read() -> tuple[bool, tuple[Job, ...]]:
            decoded = self._client.decode(answer, "list of jobs")
            return isinstance(decoded, Mapping) and decoded.get("quietingDown") is True, parser.jobs(decoded)

        if len(answer.body) < LARGE_LIST:
            told = read()
        else:
            try:
                told = await self._beside.run(read, PARSE_SECONDS)
            except TimeoutError:
                raise JenkinsError(Trouble.FAULT, "Jenkins' list of jobs is too long to be read.") from None
        self._jobs_seen = seen, told
        self._quieting, found = told
        return found

    async def builds(self, job: str, count: int) -> tuple[Build, ...]:
        told = await self._client.json(
            f"{job_path(job)}/api/json", {"tree": trees.builds(count)}, what=f"job {as_people_write(job)}"
        )
        return self._parser.builds(told, job)

    async def build(self, ref: BuildRef) -> Build:
        tree = f"{trees.BUILD},{trees.ARTIFACTS}"
        told = await self._client.json(f"{build_path(ref)}/api/json", {"tree": tree}, what=f"build {ref.shown}")
        found = self._parser.build(told, ref.job, detailed=True)
        if found is None:
            raise JenkinsError(Trouble.FAULT, f"Jenkins' answer about build {ref.shown} makes no sense.")
        return found

    async def stages(self, ref: BuildRef) -> Stages:
        try:
            told = await self._client.json(f"{build_path(ref)}/wfapi/describe", what=f"list of stages of {ref.shown}")
        except JenkinsError as error:
            if error.trouble is Trouble.NOT_FOUND and await self._is_pipeline(ref):
                raise answers.no_stage_view() from None
            raise
        return self._parser.stages(told, ref)

    async def _is_pipeline(self, ref: BuildRef) -> bool:
        """Whether there is such a build, and one that has stages: the stage view's own 404 tells neither."""
        try:
            told = await self._client.json(f"{build_path(ref)}/api/json", {"tree": trees.KIND}, what=f"build {ref.shown}")
        except JenkinsError:
            return False
        return isinstance(told, Mapping) and told.get("_class") == PIPELINE_BUILD

    async def stage_steps(self, ref: BuildRef, stage: str) -> tuple[tuple[Clean, Clean], ...]:
        path = f"{build_path(ref)}/execution/node/{quote(stage, safe='')}/wfapi/describe"
        told = await self._client.json(path, what=f"stage of {ref.shown}")
        nodes = told.get("stageFlowNodes") if isinstance(told, Mapping) else None
        found = [one for one in nodes if isinstance(one, Mapping)] if isinstance(nodes, list) else []
        return tuple((clean(one.get("id")), clean(one.get("name"))) for one in found)

    async def tests(self, ref: BuildRef) -> tuple[FailedTest, ...]:
        what = f"tests of {ref.shown}"
        told = await self._client.json(f"{build_path(ref)}/testReport/api/json", {"tree": trees.TESTS}, what=what)
        return self._parser.failed_tests(told)

    async def log_size(self, ref: BuildRef, step: str | None = None) -> int:
        answer = await self._client.get(_log(ref, step), {"start": "0"}, what=f"log of {ref.shown}", method="HEAD")
        return _size(answer.headers)

    async def log(self, ref: BuildRef, start: int, step: str | None = None) -> AsyncGenerator[LogPart]:
        client, what = self._client, f"log of {ref.shown}"
        async with client.stream(_log(ref, step), {"start": str(start)}, what=what) as response:
            end = _size(response.headers)
            more = response.headers.get("x-more-data") == "true"
            async for piece in response.aiter_bytes():
                yield LogPart(piece, end, more, whole=end < start)
            yield LogPart(b"", end, more, whole=end < start)

    async def node_log(self, node: str) -> Clean:
        path = f"{node_path(node)}/logText/progressiveText"
        answer = await self._client.get(path, {"start": "0"}, what=f"log of node {node}")
        return clean(answer.body[:LOG_LIMIT].decode("utf-8", "replace"), lines=True)

    async def monitors(self, node: str) -> Monitors | None:
        query = {"tree": trees.NODE, "depth": "1"}
        told = await self._client.json(f"{node_path(node)}/api/json", query, what=f"node {node}")
        return monitors(told)

    async def artifact(self, ref: BuildRef, path: str) -> AsyncGenerator[FilePart]:
        where = f"{build_path(ref)}/artifact/{quote(path, safe='/')}"
        # As it is: only so its length is told, and nothing is gained where models are packed already.
        plain = {"accept-encoding": "identity"}
        async with self._client.stream(where, what=f"file {path} of {ref.shown}", headers=plain) as response:
            headers = response.headers
            if _is_page_of_proxy(headers):
                raise answers.html_instead(headers, (await response.aread())[:20_000].decode("utf-8", "replace"))
            length = headers.get("content-length", "")
            known = length.isascii() and length.isdigit() and "content-encoding" not in headers
            size = int(length) if known else None
            async for piece in response.aiter_bytes():
                yield FilePart(piece, size)

    async def queue_item(self, item_id: int) -> QueueItem | LeftItem:
        what = f"item {item_id} of the queue"
        told = await self._client.json(f"queue/item/{item_id}/api/json", {"tree": trees.ITEM}, what=what)
        found = self._parser.queue_item(told)
        if found is None:
            raise JenkinsError(Trouble.FAULT, f"Jenkins' answer about {what} makes no sense.")
        return found

    async def parameters(self, job: str) -> tuple[Definition, ...]:
        from console.sources.jenkins.asking import parameters

        return await parameters(self._client, job)

    async def questions(self, ref: BuildRef) -> tuple[Question, ...]:
        from console.sources.jenkins.asking import questions

        return await questions(self._client, ref)

    # What changes something. None of it is needed to watch, and none of it is loaded for that.

    async def trigger(self, job: str, parameters: Mapping[str, str] | None, *, delay: int | None = None) -> Queued:
        """See `sources.protocols.JenkinsActs`."""
        from console.sources.jenkins.acts import trigger

        queued = await trigger(self._client, self._parser, job, parameters, delay)
        self._quieting = self._quieting or queued.held
        return queued

    async def stop(self, ref: BuildRef, how: Stop) -> None:
        from console.sources.jenkins.acting import stop

        await stop(self._client, ref, how)

    async def cancel(self, item_id: int) -> None:
        from console.sources.jenkins.acting import cancel

        await cancel(self._client, self._parser, item_id)

    async def answer(self, ref: BuildRef, question: str, values: Mapping[str, str]) -> None:
        from console.sources.jenkins.asking import answer

        await answer(self._client, ref, question, values)

    async def reject(self, ref: BuildRef, question: str) -> None:
        from console.sources.jenkins.asking import reject

        await reject(self._client, ref, question)

    async def scan(self, project: str) -> None:
        from console.sources.jenkins.acting import scan

        await scan(self._client, project)

    async def set_enabled(self, job: str, *, on: bool) -> None:
        from console.sources.jenkins.acting import set_enabled

        await set_enabled(self._client, job, on=on)

    async def set_kept(self, ref: BuildRef, *, on: bool) -> bool:
        from console.sources.jenkins.acting import set_kept

        return await set_kept(self._client, ref, on=on)

    async def set_offline(self, node: str, reason: str | None) -> bool:
        from console.sources.jenkins.acting import set_offline

        return await set_offline(self._client, node, reason)

    async def lacks(self, needs: Needs, job: str, ended: BuildRef | None = None) -> bool | None:
        from console.sources.jenkins.probing import lacks

        return await lacks(self._client, needs, job, ended)

    async def aclose(self) -> None:
        await self._client.aclose()
        self._beside.close()


def _is_page_of_proxy(headers: Mapping[str, str]) -> bool:
    """A page where a file should be. Jenkins tells of every file when it was last modified (recording build-artifact)."""
    page = headers.get("content-type", "").startswith("text/html")
    return page and not answers.is_jenkins(headers) and "last-modified" not in headers


def _log(ref: BuildRef, step: str | None) -> str:
    if step is None:
        return f"{build_path(ref)}/logText/progressiveText"
    return f"{build_path(ref)}/execution/node/{quote(step, safe='')}/log/logText/progressiveText"


def _size(headers: Mapping[str, Any]) -> int:
    text = str(headers.get("x-text-size", ""))
    if not (text.isascii() and text.isdigit()):
        raise JenkinsError(Trouble.FAULT, "Jenkins sent a log without saying how long it is.")
    return int(text)
