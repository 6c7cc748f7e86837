"""What the recorded schema leaves open, and where it was seen instead.

* `file`: the configuration that the recorded controller has started with;
* `export`: what it gave back (tests/infra/recordings/casc-export.txt);
* `trial`: a second controller with the same plugins, on which this was loaded and exported again: the webhook's whitelist, GPU
  locks, discarders, durability, an agent over SSH with a pinned key and its private key as credential;
* `class`: the constructor of the Java class itself, which is what configuration as code reads.
"""

from __future__ import annotations

from collections.abc import Mapping

from tests.support.casc.shapes import BOOLEAN, STRING, Choice, Items, Named, Ref, Scalar, Shape

# Roots that are no mapping of attributes.
ROOTS: Mapping[str, Shape] = {
    # file
    "jobs": Items(Ref(".scriptSource")),
}

# The attributes of a root whose bag does not tell them from what stands deeper.
ATTRIBUTES: Mapping[str, tuple[str, ...]] = {
    # file
    "credentials": ("system",),
    # export
    "security": (
        *("apiToken", "copyartifact", "gitHooks", "gitHostKeyVerificationConfiguration", "sSHD"),
        "globalJobDslSecurityConfiguration",
    ),
    # export; globalDefaultFlowDurabilityLevel and lockableResourcesManager: trial
    "unclassified": (
        *("buildDiscarders", "fingerprints", "globalDefaultFlowDurabilityLevel", "location", "lockableResourcesManager"),
        *("mailer", "pollSCM", "scmGit", "themeManager", "timestamper", "whitelist"),
    ),
}

# Attributes that the schema names without saying what they are.
OPEN: Mapping[tuple[str, str], Shape] = {
    # file
    ("jenkins", "nodes"): Items(Ref(".node")),
    # The bag's nodeProperty says which there are; that they stand here: class hudson.slaves.DumbSlave.
    ("permanent", "nodeProperties"): Items(Ref(".nodeProperty")),
    # file
    ("domainCredentials", "credentials"): Items(Ref(".credentials")),
}

CLASSES: Mapping[str, Shape] = {
    # file; the bag's `standard` is one of three others
    "hudson.security.csrf.DefaultCrumbIssuer": Named({"excludeClientIPFromCrumb": BOOLEAN}),
    # file, export
    "hudson.security.GlobalMatrixAuthorizationStrategy": Named(
        {"entries": Items(Choice({"user": Named({"name": STRING, "permissions": Items(STRING)})}))}
    ),
    # class; the bag's `entry` says what is in one
    "hudson.slaves.EnvironmentVariablesNodeProperty": Named({"env": Items(Ref(".entry"))}),
    # file
    "com.cloudbees.plugins.credentials.SystemCredentialsProvider": Named(
        {"domainCredentials": Items(Ref(".domainCredentials"))}
    ),
    # file
    "hudson.util.Secret": STRING,
    # class: base64 in text
    "com.cloudbees.plugins.credentials.SecretBytes": STRING,
    # file
    "javaposse.jobdsl.plugin.casc.InlineGroovyScriptSource": STRING,
    # export
    "jenkins.model.GlobalBuildDiscarderConfiguration": Named(
        {"configuredBuildDiscarders": Items(Ref(".globalBuildDiscarderStrategy"))}
    ),
    # trial; the other two words: class
    "org.jenkinsci.plugins.workflow.flow.GlobalDefaultFlowDurabilityLevel$DescriptorImpl": Named(
        {"durabilityHint": Scalar("string", ("MAX_SURVIVABILITY", "SURVIVABLE_NONATOMIC", "PERFORMANCE_OPTIMIZED"))}
    ),
    # trial
    "org.jenkins.plugins.lockableresources.LockableResourcesManager": Named(
        {"declaredResources": Items(Named({"name": STRING, "labels": STRING, "description": STRING}))}
    ),
}

# Attributes of a class beside those that the schema has.
_DESCRIPTION: Mapping[str, Shape] = {"description": STRING}
MORE: Mapping[str, Mapping[str, Shape]] = {
    # file
    "com.cloudbees.plugins.credentials.impl.UsernamePasswordCredentialsImpl": _DESCRIPTION,
    "org.jenkinsci.plugins.plaincredentials.impl.StringCredentialsImpl": _DESCRIPTION,
    # class: both, like the two above, hand it on to BaseStandardCredentials
    "com.cloudbees.jenkins.plugins.sshcredentials.impl.BasicSSHUserPrivateKey": _DESCRIPTION,
    "org.jenkinsci.plugins.plaincredentials.impl.FileCredentialsImpl": _DESCRIPTION,
}
