/**
 * What the harness knows by name: steps, options, conditions, with every parameter that each of them takes.
 * A name that is not here, or a parameter that is not, is refused: Jenkins itself would only find out in the middle of a build.
 */
class Steps {
    /** `main` is the parameter that may stand without its name; `block` steps take a closure; `node` steps need one around. */
    static final Map<String, Map> STEPS = [
        ansiColor: [params: ['colorMapName'], main: 'colorMapName', block: true],
        archiveArtifacts: [params: ['artifacts', 'allowEmptyArchive', 'caseSensitive', 'defaultExcludes', 'excludes',
                                    'fingerprint', 'followSymlinks', 'onlyIfSuccessful'], main: 'artifacts', node: true],
        catchError: [params: ['buildResult', 'stageResult', 'message', 'catchInterruptions'], main: 'message', block: true],
        checkout: [params: ['scm', 'changelog', 'poll'], main: 'scm', node: true],
        deleteDir: [params: [], node: true],
        dir: [params: ['path'], main: 'path', block: true, node: true],
        echo: [params: ['message'], main: 'message'],
        error: [params: ['message'], main: 'message'],
        fileExists: [params: ['file'], main: 'file', node: true],
        input: [params: ['message', 'id', 'ok', 'submitter', 'submitterParameter', 'parameters'], main: 'message'],
        isUnix: [params: [], node: true],
        lock: [params: ['resource', 'label', 'quantity', 'variable', 'inversePrecedence', 'skipIfLocked', 'extra',
                        'priority', 'resourceSelectStrategy', 'reason'], main: 'resource', block: true],
        milestone: [params: ['ordinal', 'label', 'unsafe'], main: 'ordinal'],
        node: [params: ['label'], main: 'label', block: true],
        pwd: [params: ['tmp'], main: 'tmp', node: true],
        readFile: [params: ['file', 'encoding'], main: 'file', node: true],
        retry: [params: ['count', 'conditions'], main: 'count', block: true],
        script: [params: [], block: true],
        sh: [params: ['script', 'encoding', 'label', 'returnStatus', 'returnStdout'], main: 'script', node: true],
        sleep: [params: ['time', 'unit'], main: 'time'],
        stage: [params: ['name', 'concurrency'], main: 'name', block: true],
        timeout: [params: ['time', 'unit', 'activity'], main: 'time', block: true],
        timestamps: [params: [], block: true],
        unstable: [params: ['message'], main: 'message'],
        warnError: [params: ['message', 'catchInterruptions'], main: 'message', block: true],
        withCredentials: [params: ['bindings'], main: 'bindings', block: true],
        withEnv: [params: ['overrides'], main: 'overrides', block: true],
        writeFile: [params: ['file', 'text', 'encoding'], main: 'file', node: true],
    ]

    /** Real steps of Jenkins that the harness does not play: they are refused with another sentence. */
    static final Set<String> NOT_PLAYED = ['bat', 'build', 'cleanWs', 'emailext', 'fingerprint', 'git', 'junit', 'library', 'load',
        'mail', 'parallel', 'powershell', 'properties', 'publishHTML', 'pwsh', 'stash', 'tool', 'unstash', 'waitUntil', 'wrap',
        'ws'] as Set

    /** Names that make a value for a step's parameter, as `string(credentialsId: ...)` does. */
    static final Map<String, Map> VALUES = [
        booleanParam: [params: ['name', 'defaultValue', 'description'], main: 'name'],
        choice: [params: ['name', 'choices', 'description'], main: 'name'],
        credentials: [params: ['id'], main: 'id'],
        file: [params: ['credentialsId', 'variable'], main: 'credentialsId'],
        logRotator: [params: ['daysToKeepStr', 'numToKeepStr', 'artifactDaysToKeepStr', 'artifactNumToKeepStr',
                              'removeLastBuild'], main: 'numToKeepStr'],
        string: [params: ['credentialsId', 'variable', 'name', 'defaultValue', 'description', 'trim'], main: 'name'],
        text: [params: ['name', 'defaultValue', 'description'], main: 'name'],
        usernamePassword: [params: ['credentialsId', 'usernameVariable', 'passwordVariable'], main: 'credentialsId'],
    ]

    /** Options that are no steps. `stage` is true for those that a stage may have too. */
    static final Map<String, Map> OPTIONS = [
        buildDiscarder: [params: ['strategy'], main: 'strategy'],
        checkoutToSubdirectory: [params: ['location'], main: 'location'],
        disableConcurrentBuilds: [params: ['abortPrevious'], main: 'abortPrevious'],
        disableRestartFromStage: [params: []],
        disableResume: [params: ['resume'], main: 'resume'],
        durabilityHint: [params: ['hint'], main: 'hint'],
        overrideIndexTriggers: [params: ['enableTriggers'], main: 'enableTriggers'],
        parallelsAlwaysFailFast: [params: []],
        preserveStashes: [params: ['buildCount'], main: 'buildCount'],
        quietPeriod: [params: ['quietPeriod'], main: 'quietPeriod'],
        rateLimitBuilds: [params: ['throttle'], main: 'throttle'],
        skipDefaultCheckout: [params: ['skipDefaultCheckout'], main: 'skipDefaultCheckout', stage: true],
        skipStagesAfterUnstable: [params: ['skipStagesAfterUnstable'], main: 'skipStagesAfterUnstable'],
    ]

    /** Steps that may stand in options: they go around the whole. */
    static final Set<String> WRAPPERS = ['ansiColor', 'catchError', 'lock', 'retry', 'timeout', 'timestamps', 'warnError',
        'withCredentials', 'withEnv'] as Set

    static final Map<String, Map> CONDITIONS = [
        allOf: [params: [], block: true],
        anyOf: [params: [], block: true],
        beforeAgent: [params: ['value'], main: 'value'],
        beforeInput: [params: ['value'], main: 'value'],
        beforeOptions: [params: ['value'], main: 'value'],
        branch: [params: ['pattern', 'comparator'], main: 'pattern'],
        environment: [params: ['name', 'value', 'ignoreCase']],
        equals: [params: ['actual', 'expected']],
        expression: [params: [], block: true],
        not: [params: [], block: true],
    ]

    static final Set<String> CONDITIONS_NOT_PLAYED = ['buildingTag', 'changeRequest', 'changelog', 'changeset', 'isRestartedRun',
        'tag', 'triggeredBy'] as Set

    /** In the order in which Jenkins looks at them. */
    static final List<String> POST = ['always', 'changed', 'fixed', 'regression', 'aborted', 'failure', 'success', 'unstable',
        'unsuccessful', 'notBuilt', 'cleanup']

    static final Set<String> PIPELINE = ['agent', 'environment', 'libraries', 'options', 'parameters', 'post', 'stages', 'tools',
        'triggers'] as Set
    static final Set<String> STAGE = ['agent', 'environment', 'failFast', 'input', 'matrix', 'options', 'parallel', 'post',
        'stages', 'steps', 'tools', 'when'] as Set
    /** Sections that Jenkins knows and the harness does not play. */
    static final Set<String> SECTIONS_NOT_PLAYED = ['failFast', 'libraries', 'matrix', 'parallel', 'parameters', 'tools',
        'triggers'] as Set
    static final Set<String> INPUT = ['message', 'id', 'ok', 'submitter', 'submitterParameter', 'parameters'] as Set

    /** The parameters of a call by their names; a sentence in IllegalArgumentException where they are not what it takes. */
    static Map<String, Object> parameters(String kind, String name, Map spec, Object[] args) {
        Map<String, Object> found = [:]
        List<Object> rest = (args as List).findAll { !(it instanceof Closure) }
        if (rest && rest[0] instanceof Map && !(spec.main && rest[0].keySet().any { !(it in spec.params) } && rest.size() > 1)) {
            ((Map) rest.remove(0)).each { key, value -> found[key as String] = value }
        }
        if (rest) {
            if (rest.size() > 1 || !spec.main || found.containsKey(spec.main)) {
                throw new IllegalArgumentException("${kind} ${name} takes no value without a name here: ${rest}".toString())
            }
            found[spec.main as String] = rest[0]
        }
        List<String> unknown = (found.keySet() - (spec.params as Set)) as List<String>
        if (unknown) {
            throw new IllegalArgumentException("${kind} ${name} has no parameter ${unknown.join(', ')}".toString())
        }
        return found
    }
}
