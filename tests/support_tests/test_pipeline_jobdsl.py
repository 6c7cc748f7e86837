"""Job DSL without a Jenkins: what a script calls is data, what Job DSL does not have is refused."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.support.pipeline.jobdsl import JobDslError, evaluate, jobs, substitute
from tests.support.recorded import RECORDINGS


def test_the_jobs_of_the_recorded_controller_are_all_there() -> None:
    found = jobs((RECORDINGS / "casc.yaml").read_text(encoding="utf-8"), {})
    names = {call.args[0]: call for call in found}
    assert len(names) == len(found) == 16
    assert [call.args for call in names["train"].find("parameters", "stringParam")] == [("EPOCHS", "3", "Number of epochs")]
    assert names["hooked"].value("triggers", "genericTrigger", "causeString") == "hook for $REF"
    script = names["approve"].value("definition", "cps", "script")
    assert 'echo "approved: ${r}"' in script


def test_what_job_dsl_does_not_have_is_refused_with_its_place() -> None:
    with pytest.raises(JobDslError, match=r"Job DSL has no pipelineJob\.parameters\.strngParam: in pipelineJob\.parameters"):
        evaluate("pipelineJob('x') { parameters { strngParam('A', '', '') } }")
    with pytest.raises(JobDslError, match=r"Job DSL: pipelineJob\.description takes values and no block"):
        evaluate("pipelineJob('x') { description { } }")
    with pytest.raises(JobDslError, match="unexpected token"):
        evaluate("pipelineJob('x' {")


def test_a_secret_can_decide(tmp_path: Path) -> None:
    casc = """
jobs:
  - script: |
      pipelineJob('train') {
        if (new File('/run/secrets/git-token').text.trim() != 'none') { description('${git-token} of ${OWNER:-nobody}') }
      }
"""
    token = tmp_path / "git-token"
    token.write_text("none\n")
    (without,) = jobs(casc, {}, tmp_path)
    token.write_text("t0p\n")
    (given,) = jobs(casc, {}, tmp_path)
    assert without.calls == ()
    assert given.value("description") == "t0p of nobody"


def test_a_variable_that_nothing_sets_is_refused() -> None:
    assert substitute("^${A} $B '$.c' ${D}", {"D": "d"}) == "${A} $B '$.c' d"
    with pytest.raises(JobDslError, match=r"casc.yaml uses \$\{RELEASE_BRANCH\}, which nothing sets"):
        substitute("*/${RELEASE_BRANCH}", {})
