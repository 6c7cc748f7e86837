"""Which recording was made at which moment of its controller: patterns of names by the method of a scene."""

from __future__ import annotations

import re
from collections.abc import Mapping

MAIN: dict[str, str] = {
    "queue": (
        "queue-waiting queue-tree queue-cancel queue-cancel-no-permission queue-item-cancelQueue "
        "queue-cancel-get trigger-same-params-again trigger-unknown-param trigger-json-body"
    ),
    "cancelled": "queue-item-cancelled queue-cancel-again",
    "expired": "queue-item-left-expired",
    "blocked": "queue-blocked-and-buildable job-serial-in-queue computer-busy",
    "train_runs": "build-running wfapi-describe-running job-train-while-running",
    "train_before_node": "log-running-no-start log-start-beyond-size-running",
    "after_4": (
        "build-success build-success-tree build-success-depth-1 wfapi-.* log-finished-.* log-console-text "
        "log-gzip log-head log-range build-artifact.* tests-report-absent build-set-description "
        "build-config-submit rebuild-plugin-absent replay-.*"
    ),
    "after_5": "build-failure log-failure-tail wfapi-describe-failure build-toggle-keep",
    "after_6": "build-unstable",
    "after_7": (
        "build-aborted log-aborted wfapi-describe-aborted stop-finished stop-get kill-finished term-finished "
        "job-train.* job-pretty job-python-api job-tree-.* wfapi-runs wfapi-runs-since wfapi-runs-fullstages "
        "wfapi-job build-delete"
    ),
    "stopping": "build-just-after-stop",
    "running_seven": "stop-running stop-no-permission",
    "kept_five": "build-delete-kept",
    "deleted_six": "build-deleted-get",
    "freestyle_stopped": "build-freestyle term-freestyle wfapi-on-freestyle quietdown-trigger",
    "freestyle_runs": "stop-freestyle",
    "waiting_for_node": "job-needs-gpu-running stop-pipeline-waiting-for-node",
    "stopped_waiting": "build-aborted-pipeline",
    "asking": (
        "input-pending input-next-pending input-build-api input-build-tree input-wfapi-describe input-submit "
        "input-submit-no-permission input-wrong-id input-api input-lowercase-id"
    ),
    "asking_second": "input-abort",
    "asking_third": "input-proceed-empty",
    "asking_fourth": "input-submit-bad-choice input-after-bad-choice input-proceed-classic",
    "asking_plain": "input-pending-no-parameters input-proceed-no-parameters input-script-case wfapi-node-log-escaping",
    "approved": "input-next-pending-none input-pending-none input-submit-again input-build-after input-log-after",
    "rejected": "input-aborted-build",
    "parallel_runs": "parallel-build-running parallel-describe-running",
    "parallel_done": "parallel-describe parallel-log",
    "tested": "tests-.*",
    "unicode": "log-start-mid-character",
    "indexed": "multibranch-branch-never-built-last-build multibranch-branch-build",
    "feature_broken": "multibranch-broken-.*",
    "feature_fixed": (
        "multibranch-api multibranch-branch-after-first multibranch-branch-.*-encoded multibranch-main-build "
        "multibranch-tree multibranch-branch-build-params multibranch-branch-raw multibranch-config-xml "
        "multibranch-indexing-api multibranch-branch-disable"
    ),
    "feature_third": (
        "multibranch-queue-item multibranch-branch-build-json multibranch-branch-log multibranch-wfapi-runs multibranch-scan.*"
    ),
    "scanned": "multibranch-indexing-.* queue-after-scan",
    "feature_waits": "multibranch-queue-item-waiting",
    "new_branch": "multibranch-new-branch",
    "dead_branch": "multibranch-dead-.*",
    "fresh_branch": "multibranch-branch-build-params-too-early multibranch-branch-too-early-queue",
    "fresh_branch_built": "multibranch-branch-build-params-later",
    "quiet": "quietdown-api quietdown-queue quietdown-cancel",
    "busy": "computer-all-busy queue-all-executors-busy",
    "several_kinds": "computer-executors-several-kinds",
    "restarted": "restart-build-json restart-build-log",
    "downstream": "upstream-.* downstream-build",
    "retried": "build-sh-exit-code wfapi-sh-exit-code",
    "copied": "job-nested-space",
    "made": "item-config-update item-delete item-disable item-enable",
    "toggled": "computer-after-toggle",
    "late": "root-.*",
}

PIPELINE: dict[str, str] = {
    "first": "train-build train-log train-wfapi train-artifacts train-metrics",
    "running": "train-running-progressive abort-by-operator",
    "operator_stopped": "abort-by-operator-log",
    "stopped": "abort-train-build abort-train-log",
    "abortable": (
        "abort-fg-1-stop abort-fg-40-stop abort-trap-1-stop abort-trap-40-stop abort-train-stop abort-twice-second-stop"
    ),
    "aborted": "abort-fg-1-log abort-fg-40-log abort-trap-1-log abort-trap-40-log",
    "processes_lost": "restart-process-lost-log",
    "processes_lost_and_noticed": "restart-process-lost-heartbeat-20-log",
    "asked_before_when": "input-stage-directive-ignores-when",
    "validated": "validate-branch-log validate-branch-called-train-wfapi",
    "fan_out_stopped": "fanout-build-step-stopped-log",
    "no_gpu": "train-gpu-log",
    "lock_corners": "lock-corners-log",
    "three_run": "fanout-hook-running",
    "just_restarted": "restart-process-kept-executors",
    "just_restarted_fifteen": "restart-process-lost-executors",
    "just_restarted_late": "restart-process-lost-heartbeat-20-executors",
    "timed_out": "abort-timeout-build abort-timeout-log",
    "replayed": "gwt-build gwt-replay-later-build gwt-replay-later-wfapi",
    "hook_waits": "gwt-queue",
    "failed": "train-fail-wfapi train-fail-log",
    "out_of_memory": "train-oom-build train-oom-log",
    "lock_waits": "lock-waiting-.*",
    "publishing": "input-publish-pending input-publish-wfapi input-publish-viewer",
    "alone": "input-publish-executors",
    "stopped_twice": "abort-twice-log",
    "restarted": "restart-process-kept-log",
    "publishing_ten": "input-publish-approve",
    "publishing_five": "operator-input-abort",
    "published": "input-publish-log",
    "release_bot": "release-bot-build",
    "release_bot_waits": "release-bot-cancel operator-cancel",
    "release_bot_runs": "release-bot-stop",
    "three_hooks": "fanout-hook-queue",
    "fan_out": "fanout-build-step-running-wfapi",
    "fan_out_done": "fanout-build-step-wait fanout-build-step-wait-wfapi",
    "fan_out_at_once": "fanout-build-step-nowait fanout-build-step-nowait-wfapi",
    "first_again": "operator-rebuild",
    "cancelling": "perm-operator-cancel-queue",
    "for_operator_with_next": "perm-operator-build",
    "for_viewer": "perm-viewer-nodes",
    "for_viewer_with_next": "perm-viewer-build",
    "for_release_bot": "perm-release-bot-nodes",
    "builder": "perm-builder-.*",
    "for_operator": "perm-.*",
}

AGENT: dict[str, str] = {
    "unnamed": "node-online",
    "host_key": "host-key-mismatch host-key-mismatch-log",
    "refused": "ssh-refused ssh-refused-log",
    "broken": "node-connection-broken node-log-after-cut",
    "bad_nodes_while_training": "nodes-connecting",
    "may_connect": "node-launch",
    "bad_nodes_later": (
        "node-no-java.* node-patient.* node-refused.* node-silent.* node-wrong-.* node-log-operator node-launch-operator"
    ),
    "waiting": "build-waiting-for-node-.* queue-node-offline",
    "stopped": "abort-log",
    "killed": "controller-killed-.*",
    "down_at_end": "controller-down-at-end-log",
    "cut": "build-connection-cut-10s-log",
    "cut_for_long": "build-connection-cut-90s-log",
    "replaced": "build-agent-replaced-log",
    "finished_outside": "build-stop-while-node-gone-outer-finish-.*",
    "stopped_while_gone": "build-stop-while-node-gone-log build-stop-while-node-gone-wfapi",
    "down_two_minutes": "controller-down-2min-log",
    "seen_before": "refused-replay refused-replay-wfapi",
    "refused_replay": "replay-refused-wfapi replay-refused-log",
    "refused_replay_and_one_more": "replay-refused-build",
    "rebuilt": "replay-rebuild-refused",
    "queue": "replay-queue",
}


def moment_of(moments: Mapping[str, str], name: str) -> str:
    """The moment that lists the recording, an exact name before a pattern; `fresh` for what none lists."""
    for moment, names in moments.items():
        if name in names.split():
            return moment
    for moment, names in moments.items():
        if any(re.fullmatch(pattern, name) for pattern in names.split()):
            return moment
    return "fresh"
