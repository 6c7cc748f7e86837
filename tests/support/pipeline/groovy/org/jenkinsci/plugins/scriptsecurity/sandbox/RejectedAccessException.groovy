package org.jenkinsci.plugins.scriptsecurity.sandbox

/** The script used what the sandbox does not permit. */
class RejectedAccessException extends SecurityException {
    RejectedAccessException(String what) {
        super("Scripts not permitted to use ${what}".toString())
    }
}
