import hudson.AbortException
import org.jenkinsci.plugins.workflow.steps.FlowInterruptedException

/** Plays the steps: keeps the environment, the nodes and the stages, and has the test's process do what touches the machine. */
class Engine {
    final Wire wire
    final Env env = new Env()
    final Map params
    final Build build
    final boolean scm
    final List<Map> stages = []
    PipelineScript script
    private final Map variables = [:]
    private final LinkedList<Map> contexts = new LinkedList<Map>()
    private final LinkedList<Map> nodes = new LinkedList<Map>()
    private final LinkedList<Map> open = new LinkedList<Map>()
    private final Declarative declarative = new Declarative(this)
    private Set<String> own = [] as Set

    Engine(Wire wire, Map start) {
        this.wire = wire
        this.scm = start.scm
        this.params = Collections.unmodifiableMap(start.params as Map)
        env.@base.putAll(start.env as Map)
        this.build = new Build(start.build as Map, { String name, Object value -> wire.ask(op: 'build', name: name, value: value) })
        chain(build, start.history as List, 'previous')
        chain(build, start.newer as List, 'next')
        contexts.addFirst([call: this.&outside, get: this.&value, set: this.&keep])
    }

    private static void chain(Build from, List<Map> facts, String direction) {
        Build last = from
        facts.each { one ->
            Build other = new Build(one)
            if (direction == 'previous') {
                last.@previous = other
                other.@next = last
            } else {
                last.@next = other
                other.@previous = last
            }
            last = other
        }
    }

    void own(PipelineScript script) {
        this.script = script
        this.own = script.getClass().declaredMethods*.name.findAll { !it.contains('$') && !(it in ['run', 'main']) } as Set
    }

    boolean ownMethod(String name) {
        return name in own
    }

    Object dispatch(String name, Object[] args) {
        if (variables[name] instanceof Closure) {
            return ((Closure) variables[name]).call(*args)
        }
        return contexts.peek().call.call(name, args ?: new Object[0])
    }

    Object lookup(String name) {
        return contexts.peek().get.call(name)
    }

    void assign(String name, Object value) {
        contexts.peek().set.call(name, value)
    }

    /** Runs `body` where names mean what `context` says; what it leaves out is as in steps. */
    Object within(Map context, Closure body) {
        contexts.addFirst([call: context.call ?: this.&step, get: context.get ?: this.&value, set: context.set ?: this.&keep])
        try {
            return body.call()
        } finally {
            contexts.removeFirst()
        }
    }

    Object value(String name) {
        switch (name) {
            case 'env': return env
            case 'params': return params
            case 'currentBuild': return build
            case 'scm': return [scm: true]
        }
        if (variables.containsKey(name)) {
            return variables[name]
        }
        Object found = env.all()[name]
        if (found == null) {
            throw new MissingPropertyException(name, script.getClass())
        }
        return found
    }

    void keep(String name, Object value) {
        variables[name] = value
    }

    private Object outside(String name, Object[] args) {
        return name == 'pipeline' ? declarative.run((Closure) args[-1]) : step(name, args)
    }

    void console(Object line) {
        wire.ask(op: 'console', line: line.toString(), stamp: true)
    }

    void pipeline(String line) {
        wire.ask(op: 'console', line: "[Pipeline] ${line}".toString(), stamp: false)
    }

    Object step(String name, Object[] args) {
        if (name in Steps.VALUES) {
            return [value: name] + Steps.parameters('The value', name, Steps.VALUES[name], args)
        }
        if (name in ['print', 'println']) {
            return step('echo', [args ? "${args[0]}" : ''] as Object[])
        }
        Map spec = Steps.STEPS[name]
        if (spec == null) {
            // The error that Jenkins makes: it is no Exception, so a catch for those does not hide it.
            throw new NoSuchMethodError(name in Steps.NOT_PLAYED ? "The harness does not play the step ${name}." :
                "No such DSL method '${name}' found among steps ${Steps.STEPS.keySet()}")
        }
        Map found = Steps.parameters('The step', name, spec, args)
        Closure body = args && args[-1] instanceof Closure ? (Closure) args[-1] : null
        if (spec.block && body == null) {
            throw new IllegalStateException("There is no body to invoke: the step ${name} needs one")
        }
        pipeline(name)
        if (spec.node && nodes.isEmpty()) {
            throw new AbortException("Attempted to execute a step that requires a node context while ‘agent none’ was specified. " +
                'Be sure to specify your own ‘node { ... }’ blocks when using ‘agent none’.')
        }
        return body == null ? plain(name, found) : around(name, found, body)
    }

    private Object plain(String name, Map found) {
        switch (name) {
            case 'echo': return console(found.message)
            case 'error': throw new AbortException("${found.message ?: ''}".toString())
            case 'sh': return sh(found)
            case 'sleep': return ask('sleep', [seconds: seconds(found.time, found.unit ?: 'SECONDS')])
            case 'fileExists': return ask('exists', [file: text(found.file)])
            case 'readFile': return ask('read', [file: text(found.file)])
            case 'writeFile': return ask('write', [file: text(found.file), text: text(found.text)])
            case 'deleteDir': return ask('delete', [:])
            case 'pwd': return nodes.peek().folder
            case 'isUnix': return true
            case 'checkout': return ask('checkout', [:])
            case 'archiveArtifacts': return archive(found)
            case 'input': return input(found)
            case 'milestone': return null
            case 'unstable':
                console("WARNING: ${found.message}")
                build.result = 'UNSTABLE'
                mark('UNSTABLE')
                return null
        }
        throw new IllegalStateException("The step ${name} is listed and not played")
    }

    private Object around(String name, Map found, Closure body) {
        switch (name) {
            case 'script': case 'ansiColor': return block(name, body)
            case 'stage': return stage(text(found.name)) { within([:], body) }
            case 'node': return node(found.label == null ? null : text(found.label)) { within([:], body) }
            case 'dir': return dir(text(found.path), body)
            case 'withEnv':
                Map layer = [:]
                found.overrides.each { String[] parts = text(it).split('=', 2); layer[parts[0]] = parts.length > 1 ? parts[1] : '' }
                return layered(layer) { block(name, body) }
            case 'withCredentials': return credentials(found.bindings as List) { block(name, body) }
            case 'lock': return lock(found, body)
            case 'timeout': return timeout(found, body)
            case 'retry': return retry(found.count as int, body)
            case 'catchError': return caught(name, found + [stageResult: found.stageResult ?: 'FAILURE',
                                                            buildResult: found.buildResult ?: 'FAILURE'], body)
            case 'warnError': return caught(name, found + [stageResult: 'UNSTABLE', buildResult: 'UNSTABLE'], body)
            case 'timestamps':
                wire.ask(op: 'timestamps', on: true)
                try {
                    return block(name, body)
                } finally {
                    wire.ask(op: 'timestamps', on: false)
                }
        }
        throw new IllegalStateException("The step ${name} is listed and not played")
    }

    Object ask(String op, Map more) {
        Map node = nodes.peek()
        return wire.ask([op: op, node: node?.name, folder: node?.folder, env: env.all()] + more)
    }

    private static String text(Object value) {
        return value == null ? null : value.toString()
    }

    Object block(String name, Closure body, Closure leave = null) {
        pipeline('{')
        try {
            return within([:], body)
        } finally {
            pipeline('}')
            if (leave != null) { leave.call() }
            pipeline("// ${name}")
        }
    }

    Object layered(Map layer, Closure body) {
        env.@layers << layer
        try {
            return body.call()
        } finally {
            env.@layers.remove(env.@layers.size() - 1)
        }
    }

    private Object sh(Map found) {
        if (found.script == null) {
            throw new IllegalArgumentException('The step sh needs script')
        }
        Map ended = ask('sh', [script: text(found.script), label: text(found.label), stdout: found.returnStdout == true]) as Map
        int code = ended.code as int
        if (found.returnStatus) {
            return code
        }
        if (code != 0) {
            throw new AbortException("script returned exit code ${code}".toString())
        }
        return found.returnStdout ? ended.stdout : null
    }

    Object node(String label, Closure body) {
        Map given = null
        try {
            given = wire.ask(op: 'node', label: label) as Map
        } finally {
            if (given == null) { pipeline('// node') }
        }
        nodes.addFirst([name: given.name, folder: given.folder])
        try {
            return layered(given.env as Map) {
                block('node', body, { wire.ask(op: 'release', node: given.name, folder: given.folder) })
            }
        } finally {
            nodes.removeFirst()
        }
    }

    private Object dir(String path, Closure body) {
        Map here = nodes.peek()
        String folder = new File(path).absolute ? path : "${here.folder}/${path}"
        console("Running in ${folder}")
        nodes.addFirst([name: here.name, folder: folder])
        try {
            return block('dir', body)
        } finally {
            nodes.removeFirst()
        }
    }

    Object credentials(List<Map> bindings, Closure body) {
        Map given = wire.ask(op: 'bind', bindings: bindings, folder: nodes.peek()?.folder) as Map
        try {
            return layered(given.env as Map, body)
        } finally {
            wire.ask(op: 'unbind', id: given.id)
        }
    }

    private Object lock(Map found, Closure body) {
        Map held = null
        try {
            held = wire.ask(op: 'lock', resource: text(found.resource), label: text(found.label),
                            quantity: (found.quantity ?: 0) as int, skip: found.skipIfLocked == true) as Map
        } finally {
            if (!held?.names) { pipeline('// lock') }
        }
        if (!held.names) {
            return null
        }
        Map layer = found.variable ? [(text(found.variable)): held.names.join(',')] : [:]
        return layered(layer) { block('lock', body, { wire.ask(op: 'unlock', id: held.id) }) }
    }

    private Object timeout(Map found, Closure body) {
        Object id = wire.ask(op: 'timeout', seconds: seconds(found.time, found.unit ?: 'MINUTES'))
        return block('timeout', body, { wire.ask(op: 'timeout-end', id: id) })
    }

    private static long seconds(Object time, Object unit) {
        Map factors = [MILLISECONDS: 0.001, SECONDS: 1, MINUTES: 60, HOURS: 3600, DAYS: 86400]
        if (time == null || factors[text(unit)] == null) {
            throw new IllegalArgumentException("There is no time ${time} ${unit}: a number and one of ${factors.keySet()}".toString())
        }
        return Math.round((time as double) * factors[text(unit)])
    }

    private Object retry(int count, Closure body) {
        for (int tries = 1; ; tries++) {
            try {
                return block('retry', body)
            } catch (FlowInterruptedException e) {
                throw e
            } catch (Exception e) {
                if (tries >= count) { throw e }
                console("ERROR: ${e.message}")
                console('Retrying')
                pipeline('retry')
            }
        }
    }

    private Object caught(String name, Map found, Closure body) {
        try {
            return block(name, body)
        } catch (Exception e) {
            if (e instanceof FlowInterruptedException && found.catchInterruptions == false) { throw e }
            boolean interrupted = e instanceof FlowInterruptedException
            if (found.message) { console("ERROR: ${found.message}") }
            console("ERROR: ${e.message ?: e.class.name}")
            build.result = interrupted ? 'ABORTED' : found.buildResult
            mark(interrupted ? 'ABORTED' : found.stageResult == 'FAILURE' ? 'FAILED' : text(found.stageResult))
        }
        return null
    }

    private Object archive(Map found) {
        console('Archiving artifacts')
        int number = ask('archive', [artifacts: text(found.artifacts), excludes: text(found.excludes)]) as int
        if (number == 0 && !found.allowEmptyArchive) {
            throw new AbortException("No artifacts found that match the file pattern \"${found.artifacts}\". Configuration error?".toString())
        }
        if (number == 0) {
            console("No artifacts found that match the file pattern \"${found.artifacts}\". Configuration error?")
        }
        if (found.fingerprint) { console('Recording fingerprints') }
        return null
    }

    /** Null, one value, or a map: as Jenkins gives it back for none, one, or several parameters. */
    Object input(Map found) {
        if (!found.message) {
            throw new IllegalArgumentException('The step input needs message')
        }
        List asked = (found.parameters ?: []) as List
        String before = open ? open.peek().status : null
        if (open) { status(open.peek(), 'PAUSED_PENDING_INPUT') }
        Map given
        try {
            given = wire.ask(op: 'input', id: text(found.id), message: text(found.message), ok: text(found.ok),
                             submitter: text(found.submitter), parameters: asked) as Map
        } finally {
            if (open) { status(open.peek(), before) }
        }
        Map values = [:]
        asked.each { values[text(it.name)] = given.values.containsKey(it.name) ? given.values[it.name] : it.defaultValue }
        if (found.submitterParameter) { values[text(found.submitterParameter)] = given.by }
        return values.isEmpty() ? null : values.size() == 1 ? values.values().first() : values
    }

    /** A stage in the list that Jenkins shows; a stage that holds others is judged by what it did before the first of them. */
    Object stage(String name, Closure body) {
        if (open && open.peek().status == 'IN_PROGRESS') { status(open.peek(), 'SUCCESS') }
        if (open) { open.peek().closed = true }
        Map one = [index: stages.size(), name: name, status: null, closed: false]
        stages << one
        status(one, 'IN_PROGRESS')
        open.addFirst(one)
        pipeline("{ (${name})")
        try {
            return body.call()
        } catch (Throwable t) {
            mark(Declarative.statusOf(t))
            throw t
        } finally {
            open.removeFirst()
            if (one.status == 'IN_PROGRESS') { status(one, 'SUCCESS') }
            pipeline('}')
            pipeline('// stage')
        }
    }

    void mark(String status) {
        Map one = open.peek()
        List order = ['IN_PROGRESS', 'SUCCESS', 'NOT_EXECUTED', 'UNSTABLE', 'FAILED', 'ABORTED']
        if (one != null && !one.closed && order.indexOf(status) > order.indexOf(one.status)) { this.status(one, status) }
    }

    private void status(Map one, String status) {
        one.status = status
        wire.ask(op: 'stage', index: one.index, name: one.name, status: status)
    }
}
