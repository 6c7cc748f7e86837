package hudson

/** What `error` and a failed `sh` throw: Jenkins shows its message without a trace. */
class AbortException extends IOException {
    AbortException(String message) {
        super(message)
    }
}
