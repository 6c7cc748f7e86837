import org.jenkinsci.plugins.workflow.steps.FlowInterruptedException

/** The order of things in `pipeline { }`: which block goes around which, what runs after a failure, which conditions hold. */
class Declarative {
    private final Engine engine
    private boolean skipCheckout = false

    Declarative(Engine engine) {
        this.engine = engine
    }

    static String resultOf(Throwable error) {
        return error instanceof FlowInterruptedException ? error.result : 'FAILURE'
    }

    static String statusOf(Throwable error) {
        return error instanceof FlowInterruptedException ? 'ABORTED' : 'FAILED'
    }

    Object run(Closure body) {
        Map root = section(body)
        skipCheckout = skips(root)
        Throwable first = null
        boolean after = false
        try {
            inAgent(root, true) {
                inEnvironment(root.environment) {
                    inOptions(root.options) {
                        first = sequence(root.stages, null)
                        after = true
                        first = afterwards(root, first)
                    }
                }
            }
        } catch (Throwable error) {
            engine.build.result = resultOf(error)
            first = first ?: error
        }
        if (!after) { first = afterwards(root, first) }
        if (first != null) { throw first }
        return null
    }

    /** What stands in a section: closures that are run later, when what they mention is known. */
    private Map section(Closure body) {
        Map found = [:]
        engine.within([call: { String name, Object[] args -> found[name] = args; null },
                       get: { String name -> name in ['any', 'none'] ? name : engine.value(name) }], body)
        found.each { name, args -> found[name] = ((Object[]) args).length ? ((Object[]) args)[-1] : null }
        if (found.stages) {
            List<Map> stages = []
            engine.within([call: { String name, Object[] args ->
                stages << ([name: args[0].toString()] + section((Closure) args[-1]))
                null
            }], (Closure) found.stages)
            found.stages = stages
        }
        if (found.post) {
            Map conditions = [:]
            engine.within([call: { String name, Object[] args -> conditions[name] = args[-1]; null }], (Closure) found.post)
            found.post = conditions
        }
        return found
    }

    private Throwable sequence(List<Map> stages, Throwable first) {
        for (Map one : stages) {
            try {
                evaluate(one, first)
            } catch (Throwable error) {
                engine.build.result = resultOf(error)
                first = first ?: error
            }
        }
        return first
    }

    private void evaluate(Map stage, Throwable first) {
        engine.pipeline('stage')
        engine.stage(stage.name) {
            if (first != null) {
                skip(stage, "Stage \"${stage.name}\" skipped due to earlier failure(s)", statusOf(first))
                return
            }
            if (engine.build.@facts.result == 'UNSTABLE' && skipUnstable) {
                skip(stage, "Stage \"${stage.name}\" skipped due to earlier stage(s) marking the build as unstable", 'NOT_EXECUTED')
                return
            }
            Throwable failed = null
            try {
                guarded(stage)
            } catch (Throwable error) {
                engine.build.result = resultOf(error)
                engine.mark(statusOf(error))
                failed = error
            }
            // A stage of stages has its post outside of its own agent; that of a stage with steps has run inside.
            if (stage.stages && !stage.skipped) { failed = post(stage.post, failed, 'Post stage') }
            if (failed != null) { throw failed }
        }
    }

    private boolean skipUnstable = false

    private void guarded(Map stage) {
        Map when = stage.when ? conditions((Closure) stage.when) : [:]
        Closure refused = { String place ->
            if (!stage.when || place != (when.beforeOptions ? 'options' : when.beforeInput ? 'input' :
                when.beforeAgent ? 'agent' : 'last')) { return false }
            if (conditions((Closure) stage.when).tests.every { it.call() }) { return false }
            stage.skipped = true
            skip(stage, "Stage \"${stage.name}\" skipped due to when conditional", 'NOT_EXECUTED')
            return true
        }
        if (refused('options')) { return }
        inOptions(stage.options) {
            if (refused('input')) { return }
            approved(stage.input) {
                if (refused('agent')) { return }
                inAgent(stage, false) {
                    inEnvironment(stage.environment) {
                        if (refused('last')) { return }
                        if (stage.stages) {
                            Throwable nested = sequence((List) stage.stages, null)
                            if (nested != null) { throw nested }
                        } else {
                            single(stage)
                        }
                    }
                }
            }
        }
    }

    private void single(Map stage) {
        Throwable failed = null
        try {
            engine.within([:], (Closure) stage.steps)
        } catch (Throwable error) {
            engine.build.result = resultOf(error)
            engine.mark(statusOf(error))
            failed = error
        }
        failed = post(stage.post, failed, 'Post stage')
        if (failed != null) { throw failed }
    }

    /** Stages below a skipped one are listed too, with the sentence of the one above. */
    private void skip(Map stage, String sentence, String status) {
        engine.wire.ask(op: 'console', line: sentence, stamp: false)
        engine.mark(status)
        stage.stages.each { below ->
            engine.pipeline('stage')
            engine.stage(below.name) { skip(below, sentence, status) }
        }
    }

    private Map conditions(Closure body) {
        Map found = [tests: []]
        engine.within([call: { String name, Object[] args ->
            Map given = name in Steps.CONDITIONS ? Steps.parameters('The condition', name, Steps.CONDITIONS[name], args) : [:]
            Closure nested = args && args[-1] instanceof Closure ? (Closure) args[-1] : null
            switch (name) {
                case 'beforeAgent': case 'beforeInput': case 'beforeOptions': found[name] = given.value == true; break
                case 'expression': found.tests << { engine.within([:], nested) as boolean }; break
                case 'not': found.tests << { !conditions(nested).tests.every { it.call() } }; break
                case 'allOf': found.tests << { conditions(nested).tests.every { it.call() } }; break
                case 'anyOf': found.tests << { conditions(nested).tests.any { it.call() } }; break
                case 'equals': found.tests << { given.expected == given.actual }; break
                case 'environment': found.tests << {
                    String value = engine.env.all()[given.name.toString()]
                    given.ignoreCase ? given.value?.toString()?.equalsIgnoreCase(value) : given.value?.toString() == value
                }; break
                case 'branch': found.tests << { branch(given) }; break
                default: throw new NoSuchMethodError("The harness does not play the condition ${name}.")
            }
            null
        }], body)
        return found
    }

    private boolean branch(Map given) {
        String name = engine.env.all().BRANCH_NAME
        String pattern = given.pattern
        switch (given.comparator ?: 'GLOB') {
            case 'EQUALS': return name == pattern
            case 'REGEXP': return name != null && name ==~ pattern
        }
        // As in Ant: one star stays between slashes, two do not.
        String regex = pattern.split(/\*\*/, -1).collect { part ->
            part.split(/\*/, -1).collect { java.util.regex.Pattern.quote(it) }.join('[^/]*')
        }.join('.*')
        return name != null && name ==~ regex
    }

    private Object inAgent(Map holder, boolean root, Closure body) {
        Object agent = holder.agent
        if (agent == null || agent == 'none') {
            return body.call()
        }
        String label = agent instanceof Closure ? labelOf((Closure) agent) : null
        engine.pipeline('node')
        return engine.node(label) {
            if (!engine.scm || skipCheckout || skips(holder)) {
                return body.call()
            }
            Map given = null
            Closure checkout = {
                engine.pipeline('checkout')
                given = engine.ask('checkout', [:]) as Map
            }
            if (root) {
                engine.pipeline('stage')
                engine.stage('Declarative: Checkout SCM', checkout)
            } else {
                checkout.call()
            }
            engine.pipeline('withEnv')
            engine.layered(given) { engine.block('withEnv', body) }
        }
    }

    private String labelOf(Closure agent) {
        String label = null
        engine.within([call: { String name, Object[] args ->
            label = args[-1] instanceof Closure ? labelOf((Closure) args[-1]) : args[0].toString()
            null
        }], agent)
        return label
    }

    private Object inEnvironment(Object section, Closure body) {
        if (section == null) {
            return body.call()
        }
        Map layer = [:]
        List<Map> secrets = []
        engine.env.@layers << layer
        try {
            engine.within([set: { String name, Object value ->
                if (value instanceof Map && value.value == 'credentials') {
                    secrets << [value: 'any', credentialsId: value.id.toString(), variable: name]
                } else {
                    layer[name] = value.toString()
                }
            }], (Closure) section)
        } finally {
            engine.env.@layers.remove(engine.env.@layers.size() - 1)
        }
        Closure inside = body
        if (layer) {
            inside = {
                engine.pipeline('withEnv')
                engine.layered(layer) { engine.block('withEnv', body) }
            }
        }
        if (!secrets) {
            return inside.call()
        }
        engine.pipeline('withCredentials')
        return engine.credentials(secrets) { engine.block('withCredentials', inside) }
    }

    private List<List> listed(Object section) {
        List<List> found = []
        if (section != null) {
            engine.within([call: { String name, Object[] args ->
                if (name in Steps.VALUES) { return engine.step(name, args) }
                found << [name, args]
                null
            }], (Closure) section)
        }
        return found
    }

    private boolean skips(Map holder) {
        boolean found = false
        listed(holder.options).each { one ->
            if (one[0] == 'skipDefaultCheckout') { found = !((Object[]) one[1]) || ((Object[]) one[1])[0] != false }
            if (one[0] == 'skipStagesAfterUnstable') { skipUnstable = true }
        }
        return found
    }

    private Object inOptions(Object section, Closure body) {
        List<List> wrappers = listed(section).findAll { it[0] in Steps.WRAPPERS }
        Closure whole = wrappers.reverse().inject(body) { Closure inside, List one ->
            return { engine.step((String) one[0], (((Object[]) one[1]) as List) + [inside] as Object[]) }
        }
        return whole.call()
    }

    private Object approved(Object section, Closure body) {
        if (section == null) {
            return body.call()
        }
        Map asked = [:]
        engine.within([call: { String name, Object[] args ->
            if (name == 'parameters') {
                List parameters = []
                engine.within([call: { String kind, Object[] given -> parameters << engine.step(kind, given); null }], (Closure) args[-1])
                asked.parameters = parameters
            } else {
                asked[name] = args[0]
            }
            null
        }], (Closure) section)
        engine.pipeline('input')
        Object given = engine.input(asked)
        Map layer = [:]
        if (given instanceof Map) {
            given.each { name, value -> layer[name] = "${value}".toString() }
        } else if (given != null) {
            layer[asked.submitterParameter ? asked.submitterParameter.toString() : asked.parameters[0].name.toString()] = "${given}".toString()
        }
        if (!layer) {
            return body.call()
        }
        engine.pipeline('withEnv')
        return engine.layered(layer) { engine.block('withEnv', body) }
    }

    private boolean holds(String condition, Throwable failed) {
        String now = engine.build.@facts.result
        if (failed != null && (now == null || Build.ORDER.indexOf(resultOf(failed)) > Build.ORDER.indexOf(now))) { now = resultOf(failed) }
        now = now ?: 'SUCCESS'
        String before = engine.build.@previous?.@facts?.result
        switch (condition) {
            case 'always': case 'cleanup': return true
            case 'changed': return before != now
            case 'fixed': return before in ['FAILURE', 'UNSTABLE'] && now == 'SUCCESS'
            case 'regression': return before != null && Build.ORDER.indexOf(now) > Build.ORDER.indexOf(before)
            case 'unsuccessful': return now != 'SUCCESS'
            case 'notBuilt': return now == 'NOT_BUILT'
        }
        return now == condition.toUpperCase()
    }

    private Throwable post(Map conditions, Throwable failed, String title) {
        if (!conditions || !conditions.keySet().any { holds(it, failed) }) {
            return failed
        }
        if (title) { engine.wire.ask(op: 'console', line: title, stamp: false) }
        Steps.POST.each { condition ->
            if (!conditions[condition] || !holds(condition, failed)) { return }
            try {
                engine.within([:], (Closure) conditions[condition])
            } catch (Throwable error) {
                engine.wire.ask(op: 'console', line: "Error when executing ${condition} post condition:".toString(), stamp: false)
                engine.wire.ask(op: 'console', line: error.toString(), stamp: false)
                engine.wire.ask(op: 'console', line: '', stamp: false)
                engine.build.result = resultOf(error)
                engine.mark(statusOf(error))
                failed = failed ?: error
            }
        }
        return failed
    }

    private Throwable afterwards(Map root, Throwable first) {
        if (!root.post || !root.post.keySet().any { holds(it, null) }) {
            return first
        }
        Throwable failed = null
        try {
            engine.pipeline('stage')
            engine.stage('Declarative: Post Actions') {
                failed = post(root.post, null, null)
                if (failed != null) { throw failed }
            }
        } catch (Throwable error) {
            failed = error
        }
        return first ?: failed
    }
}
