/**
 * Evaluates a Job DSL script and tells which calls it makes, nested as they stand. What may be called where is SCHEMA: null is a
 * method with values, a map is one with a block. Anything else is refused, as the plugin would in the middle of a start.
 */
class JobDsl {
    private static final Map REMOTE = [url: null, credentials: null, name: null, refspec: null]
    private static final Map SCM = [git: [remote: REMOTE, branch: null, branches: null, extensions: [cleanBeforeCheckout: null,
        cleanAfterCheckout: null, localBranch: null, cloneOptions: [shallow: null, depth: null, noTags: null, honorRefspec: null]]]]
    private static final Map VARIABLE = [key: null, value: null, expressionType: null, regexpFilter: null, defaultValue: null]
    private static final Map GENERIC = [genericVariables: [genericVariable: VARIABLE], token: null, tokenCredentialId: null,
        causeString: null, regexpFilterText: null, regexpFilterExpression: null, printContributedVariables: null,
        printPostContent: null, silentResponse: null, overrideQuietPeriod: null,
        genericHeaderVariables: [genericHeaderVariable: [key: null, regexpFilter: null]],
        genericRequestVariables: [genericRequestVariable: [key: null, regexpFilter: null]]]
    private static final Map PARAMETERS = [stringParam: null, booleanParam: null, choiceParam: null, textParam: null,
        nonStoredPasswordParam: null]
    private static final Map ROTATOR = [numToKeep: null, daysToKeep: null, artifactNumToKeep: null, artifactDaysToKeep: null]
    private static final Map JOB = [displayName: null, description: null, disabled: null, quietPeriod: null, parameters: PARAMETERS,
        logRotator: ROTATOR, triggers: [genericTrigger: GENERIC, cron: null]]
    private static final Map TRAITS = [gitBranchDiscovery: null, headWildcardFilter: [includes: null, excludes: null],
        headRegexFilter: [regex: null]]
    private static final Map SCHEMA = [
        folder: [displayName: null, description: null],
        freeStyleJob: JOB + [label: null, concurrentBuild: null, steps: [shell: null], scm: SCM],
        pipelineJob: JOB + [
            properties: [pipelineTriggers: [triggers: [genericTrigger: GENERIC]], disableConcurrentBuilds: [abortPrevious: null],
                         disableResume: null],
            definition: [cps: [script: null, sandbox: null], cpsScm: [scm: SCM, scriptPath: null, lightweight: null]]],
        multibranchPipelineJob: [
            displayName: null, description: null,
            branchSources: [
                git: [id: null, remote: null, credentialsId: null, includes: null, excludes: null],
                branchSource: [
                    source: [git: [id: null, remote: null, credentialsId: null, traits: TRAITS]],
                    strategy: [allBranchesSame: [props: [suppressAutomaticTriggering: null]]]]],
            factory: [workflowBranchProjectFactory: [scriptPath: null]],
            triggers: [periodicFolderTrigger: [interval: null]],
            orphanedItemStrategy: [discardOldItems: [numToKeep: null, daysToKeep: null]]],
    ]
    private final Wire wire
    private final String text

    JobDsl(Wire wire, Map start) {
        this.wire = wire
        this.text = start.text
    }

    void run() {
        Recorder top = new Recorder('', SCHEMA)
        try {
            org.codehaus.groovy.control.CompilerConfiguration configuration = new org.codehaus.groovy.control.CompilerConfiguration()
            configuration.scriptBaseClass = DelegatingScript.name
            DelegatingScript script = (DelegatingScript) new GroovyShell(new Binding(), configuration).parse(text, 'JobDsl.groovy')
            script.setDelegate(top)
            script.run()
            wire.tell(op: 'done', calls: top.@calls)
        } catch (Throwable error) {
            wire.tell(op: 'done', error: error instanceof Refused ? error.message : error.toString())
        }
    }

    private static class Refused extends RuntimeException {
        Refused(String message) {
            super(message)
        }
    }

    private static class Recorder extends GroovyObjectSupport {
        private final String where
        private final Map known
        private final List<Map> calls = []

        Recorder(String where, Map known) {
            this.where = where
            this.known = known
        }

        @Override
        Object invokeMethod(String name, Object arguments) {
            Object[] args = arguments as Object[]
            String path = where ? "${where}.${name}" : name
            if (!known.containsKey(name)) {
                throw new Refused("Job DSL has no ${path}: ${where ? 'in ' + where + ' there is' : 'there is'} " +
                    known.keySet().sort().join(', '))
            }
            Closure block = args && args[-1] instanceof Closure ? (Closure) args[-1] : null
            Map below = (Map) known[name]
            if (block != null && below == null) {
                throw new Refused("Job DSL: ${path} takes values and no block")
            }
            Recorder inside = new Recorder(path, below ?: [:])
            List values = (args as List).findAll { !(it instanceof Closure) }.collect { it instanceof GString ? it.toString() : it }
            calls.add([name: name, args: values, calls: inside.@calls])
            if (block != null) {
                Closure copy = (Closure) block.clone()
                copy.delegate = inside
                copy.resolveStrategy = Closure.DELEGATE_FIRST
                copy.call()
            }
            return null
        }

        @Override
        Object getProperty(String name) {
            throw new MissingPropertyException(name, Recorder)
        }
    }
}
