import java.util.regex.Matcher
import java.util.regex.Pattern
import org.jenkinsci.plugins.scriptsecurity.sandbox.RejectedAccessException
import org.kohsuke.groovy.sandbox.GroovyInterceptor

/** What every Jenkinsfile is compiled to: names that it does not know itself are steps and values of the engine. */
abstract class PipelineScript extends Script {
    private Engine engine

    void attach(Engine engine) {
        this.engine = engine
    }

    @Override
    Object invokeMethod(String name, Object args) {
        return engine.dispatch(name, args as Object[])
    }

    @Override
    Object getProperty(String name) {
        return engine.lookup(name)
    }

    @Override
    void setProperty(String name, Object value) {
        engine.assign(name, value)
    }
}

/**
 * Lets pass what script-security lets pass and a Jenkinsfile has reason to use, refuses everything else by its name.
 * The list is shorter than that of the plugin: what is missing here is either refused there too or was never seen to work.
 */
class Sandbox extends GroovyInterceptor {
    private static final Set<String> ANY = ['equals', 'hashCode', 'toString', 'compareTo', 'is', 'asBoolean', 'with'] as Set
    private static final Set<String> EACH = ['any', 'collect', 'collectEntries', 'collectMany', 'each', 'eachWithIndex', 'every',
        'find', 'findAll', 'groupBy', 'inject', 'sort', 'sum', 'max', 'min', 'count', 'iterator', 'join', 'size', 'isEmpty'] as Set
    private static final Map<Class, Set<String>> METHODS = [
        (CharSequence): ['capitalize', 'charAt', 'concat', 'contains', 'count', 'drop', 'endsWith', 'equalsIgnoreCase', 'find', 'getAt',
            'indexOf', 'isDouble', 'isEmpty', 'isInteger', 'isLong', 'lastIndexOf', 'length', 'matches', 'minus', 'multiply', 'padLeft',
            'padRight', 'plus', 'readLines', 'replace', 'replaceAll', 'replaceFirst', 'reverse', 'size', 'split', 'startsWith',
            'stripIndent', 'stripMargin', 'substring', 'take', 'toBoolean', 'toDouble', 'toInteger', 'toList', 'toLong', 'toLowerCase',
            'toUpperCase', 'tokenize', 'trim'] as Set,
        (Number): ['abs', 'and', 'div', 'doubleValue', 'intdiv', 'intValue', 'leftShift', 'longValue', 'minus', 'mod', 'multiply',
            'next', 'or', 'plus', 'power', 'previous', 'rightShift', 'times', 'toInteger', 'unaryMinus', 'negative'] as Set,
        (Boolean): ['and', 'booleanValue', 'or', 'xor'] as Set,
        (Collection): EACH + (['add', 'addAll', 'clear', 'collate', 'contains', 'containsAll', 'first', 'flatten', 'get', 'getAt',
            'indexOf', 'intersect', 'last', 'leftShift', 'minus', 'plus', 'pop', 'push', 'putAt', 'remove', 'removeAll', 'retainAll',
            'reverse', 'reverseEach', 'subList', 'tail', 'take', 'takeRight', 'toList', 'toSet', 'toSorted', 'unique'] as Set),
        (Map): EACH + (['clear', 'containsKey', 'containsValue', 'entrySet', 'get', 'getAt', 'getOrDefault', 'keySet', 'leftShift',
            'minus', 'plus', 'put', 'putAll', 'putAt', 'putIfAbsent', 'remove', 'subMap', 'toSorted', 'values'] as Set),
        (Map.Entry): ['getKey', 'getValue'] as Set,
        (Iterator): ['hasNext', 'next'] as Set,
        (Closure): ['call', 'curry', 'doCall'] as Set,
        (Matcher): ['end', 'find', 'getAt', 'group', 'groupCount', 'lookingAt', 'matches', 'start'] as Set,
        (Pattern): ['matcher', 'pattern', 'split'] as Set,
        (StringBuilder): ['append', 'insert', 'length', 'reverse'] as Set,
        (Throwable): ['getCause', 'getCauses', 'getMessage', 'getResult'] as Set,
        (Build): ['getBuildCauses', 'resultIsBetterOrEqualTo', 'resultIsWorseOrEqualTo'] as Set,
        (Env): ['getEnvironment'] as Set,
    ]
    private static final Map<Class, Set<String>> STATIC = [
        (Integer): ['parseInt', 'toString', 'valueOf'] as Set,
        (Boolean): ['parseBoolean', 'valueOf'] as Set,
        (Math): ['abs', 'ceil', 'floor', 'max', 'min', 'pow', 'round', 'sqrt', 'random'] as Set,
        (String): ['format', 'join', 'valueOf'] as Set,
        (System): ['currentTimeMillis'] as Set,
        (Pattern): ['compile', 'matches', 'quote'] as Set,
        (Matcher): ['quoteReplacement'] as Set,
        (URLEncoder): ['encode'] as Set,
        (URLDecoder): ['decode'] as Set,
        (org.codehaus.groovy.runtime.ScriptBytecodeAdapter): ['compareEqual', 'compareGreaterThan', 'compareGreaterThanEqual',
            'compareIdentical', 'compareLessThan', 'compareLessThanEqual', 'compareNotEqual', 'compareNotIdentical', 'compareTo',
            'findRegex', 'isCase', 'matchRegex', 'asType'] as Set,
    ]
    private static final Set<Class> NEW = [ArrayList, Date, Exception, HashMap, HashSet, LinkedHashMap, LinkedHashSet, String,
        StringBuilder, TreeMap, TreeSet, hudson.AbortException] as Set
    private final Engine engine

    Sandbox(Engine engine) {
        this.engine = engine
    }

    @Override
    Object onMethodCall(GroovyInterceptor.Invoker invoker, Object receiver, String method, Object... args) throws Throwable {
        if (receiver instanceof PipelineScript) {
            if (method == 'invokeMethod') {
                return engine.dispatch(args[0] as String, args[1] as Object[])
            }
            return engine.ownMethod(method) ? super.onMethodCall(invoker, receiver, method, args) : engine.dispatch(method, args)
        }
        if (receiver instanceof Closure && !(method in METHODS[Closure])) {
            return engine.dispatch(method, args)
        }
        if (receiver != null && !permitted(receiver, method, args)) {
            throw new RejectedAccessException("method ${signature(receiver.class, method, args)}".toString())
        }
        return super.onMethodCall(invoker, receiver, method, args)
    }

    @Override
    Object onStaticCall(GroovyInterceptor.Invoker invoker, Class receiver, String method, Object... args) throws Throwable {
        if (!(method in (STATIC[receiver] ?: []))) {
            if (PipelineScript.isAssignableFrom(receiver)) {
                return engine.dispatch(method, args)
            }
            throw new RejectedAccessException("staticMethod ${signature(receiver, method, args)}".toString())
        }
        return super.onStaticCall(invoker, receiver, method, args)
    }

    @Override
    Object onNewInstance(GroovyInterceptor.Invoker invoker, Class receiver, Object... args) throws Throwable {
        if (!(receiver in NEW) && !PipelineScript.isAssignableFrom(receiver)) {
            throw new RejectedAccessException("new ${signature(receiver, '', args)}".toString())
        }
        return super.onNewInstance(invoker, receiver, args)
    }

    @Override
    Object onGetProperty(GroovyInterceptor.Invoker invoker, Object receiver, String property) throws Throwable {
        if (receiver instanceof PipelineScript || receiver instanceof Closure) {
            return engine.lookup(property)
        }
        boolean good = receiver == null || receiver instanceof Env || receiver instanceof Map || receiver instanceof Collection ||
            (receiver instanceof Build && property in Build.READABLE) ||
            (receiver instanceof Map.Entry && property in ['key', 'value']) ||
            (receiver instanceof Throwable && property in ['message', 'cause', 'causes', 'result']) ||
            (receiver == Integer && property == 'MAX_VALUE')
        if (!good) {
            throw new RejectedAccessException("field ${receiver.class.name} ${property}".toString())
        }
        return super.onGetProperty(invoker, receiver, property)
    }

    @Override
    Object onSetProperty(GroovyInterceptor.Invoker invoker, Object receiver, String property, Object value) throws Throwable {
        if (receiver instanceof PipelineScript || receiver instanceof Closure) {
            engine.assign(property, value)
            return value
        }
        if (receiver != null && !(receiver instanceof Env || receiver instanceof Map || receiver instanceof Build)) {
            throw new RejectedAccessException("field ${receiver.class.name} ${property}".toString())
        }
        return super.onSetProperty(invoker, receiver, property, value)
    }

    @Override
    Object onGetAttribute(GroovyInterceptor.Invoker invoker, Object receiver, String attribute) throws Throwable {
        throw new RejectedAccessException("field ${receiver?.class?.name} ${attribute}".toString())
    }

    @Override
    Object onSetAttribute(GroovyInterceptor.Invoker invoker, Object receiver, String attribute, Object value) throws Throwable {
        throw new RejectedAccessException("field ${receiver?.class?.name} ${attribute}".toString())
    }

    private static boolean permitted(Object receiver, String method, Object[] args) {
        boolean closure = args && args[-1] instanceof Closure
        if (receiver instanceof CharSequence && method == 'findAll') {
            // The plugin's own list has the form with a closure only.
            return closure
        }
        return method in ANY || METHODS.any { kind, names -> kind.isInstance(receiver) && method in names }
    }

    private static String signature(Class kind, String method, Object[] args) {
        List<String> types = args.collect { it == null ? 'null' : it.class.name }
        return ([kind.name] + (method ? [method] : []) + types).join(' ')
    }
}
