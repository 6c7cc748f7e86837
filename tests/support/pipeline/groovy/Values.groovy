/** `env`: what a step's processes get. Assignments are kept for the whole build; `layers` are the blocks around the place. */
class Env extends GroovyObjectSupport {
    final Map<String, String> base = new LinkedHashMap<String, String>()
    final Map<String, String> assigned = new LinkedHashMap<String, String>()
    final List<Map<String, String>> layers = new ArrayList<Map<String, String>>()

    Map<String, String> all() {
        Map<String, String> found = new LinkedHashMap<String, String>(base)
        found.putAll(assigned)
        for (Map<String, String> layer : layers) {
            for (Map.Entry<String, String> entry : layer.entrySet()) {
                String name = entry.key
                if (name.contains('+')) {
                    name = name.substring(0, name.indexOf('+'))
                    found.put(name, found.containsKey(name) ? entry.value + ':' + found.get(name) : entry.value)
                } else {
                    found.put(name, entry.value)
                }
            }
        }
        return found
    }

    @Override
    Object getProperty(String name) {
        return name == 'environment' ? all() : all().get(name)
    }

    @Override
    void setProperty(String name, Object value) {
        assigned.put(name, value == null ? '' : value.toString())
    }
}

/** `currentBuild` and the builds before and after it, as the sandbox shows them. */
class Build extends GroovyObjectSupport {
    static final List<String> ORDER = ['SUCCESS', 'UNSTABLE', 'FAILURE', 'NOT_BUILT', 'ABORTED']
    static final Set<String> READABLE = ['absoluteUrl', 'buildCauses', 'buildVariables', 'currentResult', 'description', 'displayName',
        'duration', 'durationString', 'fullDisplayName', 'fullProjectName', 'id', 'keepLog', 'nextBuild', 'number', 'previousBuild',
        'projectName', 'result', 'startTimeInMillis', 'timeInMillis'] as Set
    static final Set<String> WRITABLE = ['description', 'displayName', 'keepLog', 'result'] as Set
    final Map facts
    private final Closure changed
    Build previous
    Build next

    Build(Map facts, Closure changed = null) {
        this.facts = facts
        this.changed = changed
    }

    @Override
    Object getProperty(String name) {
        switch (name) {
            case 'previousBuild': return previous
            case 'nextBuild': return next
            case 'currentResult': return facts.get('result') ?: 'SUCCESS'
            case 'buildCauses': return getBuildCauses()
            case 'id': return facts.get('number').toString()
            case 'startTimeInMillis': return facts.get('timeInMillis')
        }
        return facts.get(name)
    }

    @Override
    void setProperty(String name, Object value) {
        if (changed == null || !WRITABLE.contains(name)) {
            throw new org.jenkinsci.plugins.scriptsecurity.sandbox.RejectedAccessException("field of a build: ${name}")
        }
        if (name == 'result') {
            String result = value.toString()
            if (!ORDER.contains(result)) {
                throw new IllegalArgumentException("There is no result ${result}: one of ${ORDER}")
            }
            // A result only ever gets worse.
            if (facts.get('result') != null && ORDER.indexOf(result) <= ORDER.indexOf(facts.get('result'))) {
                return
            }
            facts.put('result', result)
        } else {
            facts.put(name, value == null ? null : value.toString())
        }
        changed.call(name, facts.get(name))
    }

    List getBuildCauses() {
        return (facts.get('causes') ?: []) as List
    }

    List getBuildCauses(String kind) {
        return getBuildCauses().findAll { it.get('_class') == kind }
    }

    boolean resultIsBetterOrEqualTo(String other) {
        return ORDER.indexOf(getProperty('currentResult')) <= ORDER.indexOf(other)
    }

    boolean resultIsWorseOrEqualTo(String other) {
        return ORDER.indexOf(getProperty('currentResult')) >= ORDER.indexOf(other)
    }
}
