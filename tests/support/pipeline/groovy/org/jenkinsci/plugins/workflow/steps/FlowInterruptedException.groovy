package org.jenkinsci.plugins.workflow.steps

/** A build that was stopped, a `timeout` that has passed (then `block` is its number), an input that was rejected. */
class FlowInterruptedException extends InterruptedException {
    final List<String> causes
    final String block

    FlowInterruptedException(String cause, String block) {
        super(null)
        this.causes = [cause]
        this.block = block
    }

    String getResult() {
        return 'ABORTED'
    }
}
