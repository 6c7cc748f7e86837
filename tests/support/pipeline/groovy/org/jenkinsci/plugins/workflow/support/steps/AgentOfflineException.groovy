package org.jenkinsci.plugins.workflow.support.steps

/** A step that needs a file system was begun on a node that is gone. */
class AgentOfflineException extends IOException {
    AgentOfflineException(String message) {
        super(message)
    }
}
