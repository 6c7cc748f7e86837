import org.codehaus.groovy.ast.ASTNode
import org.codehaus.groovy.ast.CodeVisitorSupport
import org.codehaus.groovy.ast.ModuleNode
import org.codehaus.groovy.ast.expr.*
import org.codehaus.groovy.ast.stmt.*
import org.codehaus.groovy.control.CompilationUnit
import org.codehaus.groovy.control.MultipleCompilationErrorsException
import org.codehaus.groovy.control.Phases
import org.codehaus.groovy.control.messages.SyntaxErrorMessage

/**
 * Reads a Jenkinsfile without running it. `errors` are what Jenkins' own linter refuses, in its words where recordings have
 * them; `more` are what it lets pass although the build would fail at that place.
 */
class Lint {
    final List<String> errors = []
    final List<String> more = []
    private final Set<String> locals = [] as Set
    /** Where the finding belongs to code in `script { }`, which Jenkins' linter does not read. */
    private boolean inScript = false

    Lint(String text) {
        ModuleNode module
        try {
            CompilationUnit unit = new CompilationUnit()
            unit.addSource('WorkflowScript', text)
            unit.compile(Phases.CONVERSION)
            module = unit.AST.modules[0]
        } catch (MultipleCompilationErrorsException e) {
            e.errorCollector.errors.each { error ->
                errors << (error instanceof SyntaxErrorMessage ?
                    "WorkflowScript: ${error.cause.line}: ${error.cause.message}" : error.toString()).toString()
            }
            return
        }
        List<Statement> statements = module.statementBlock.statements
        module.methods.each { method ->
            locals << method.name
            method.parameters.each { locals << it.name }
        }
        module.statementBlock.visit(new Names(locals))
        module.methods.each { method -> method.code?.visit(new Names(locals)) }
        MethodCallExpression pipeline = statements.collect { callIn(it) }.find { it?.methodAsString == 'pipeline' }
        if (pipeline == null) {
            errors << "Jenkinsfile content '${text}' did not contain the 'pipeline' step".toString()
            return
        }
        sections(pipeline, closure(pipeline))
        module.methods.each { method -> if (method.code != null) { code(method.code) } }
    }

    private void sections(MethodCallExpression pipeline, ClosureExpression body) {
        Map<String, MethodCallExpression> found = [:]
        List<MethodCallExpression> calls = calls(body, 'Not a valid section definition')
        for (MethodCallExpression one : calls) {
            String name = one.methodAsString
            if (!(name in Steps.PIPELINE)) {
                error(one, "Undefined section \"${name}\"")
            } else {
                played(one, name)
                found[name] = one
            }
        }
        ['agent', 'stages'].each { if (!found[it]) { error(pipeline, "Missing required section \"${it}\"") } }
        found.each { name, one -> section(name, one, false) }
    }

    private void section(String name, MethodCallExpression one, boolean ofStage) {
        switch (name) {
            case 'agent': agent(one); break
            case 'options': options(one, ofStage); break
            case 'environment': environment(one); break
            case 'when': conditions(one); break
            case 'post': post(one); break
            case 'input': input(one); break
            case 'steps': steps(one); break
            case 'stages':
                List<MethodCallExpression> stages = calls(closure(one), 'Expected a stage')
                if (!stages) { error(one, 'No stages specified') }
                Set<String> names = [] as Set
                stages.each {
                    if (it.methodAsString != 'stage') {
                        error(it, 'Expected a stage')
                    } else {
                        stage(it)
                    }
                }
        }
    }

    private void stage(MethodCallExpression one) {
        List<Expression> args = arguments(one)
        String title = args && args[0] instanceof ConstantExpression ? args[0].value : null
        if (title == null) {
            error(one, 'Expected string literal')
            return
        }
        Map<String, MethodCallExpression> found = [:]
        for (MethodCallExpression part : calls(closure(one), 'Expected a symbol')) {
            String name = part.methodAsString
            if (!(name in Steps.STAGE)) {
                error(part, "Unknown stage section \"${name}\". Starting with version 0.5, steps in a stage must be in a " +
                    '‘steps’ block.')
            } else {
                played(part, name)
                found[name] = part
            }
        }
        if (['steps', 'stages', 'parallel', 'matrix'].count { found[it] } != 1) {
            error(one, "Expected one of \"steps\", \"stages\", or \"parallel\" for stage \"${title}\"")
        }
        found.each { name, part -> section(name, part, true) }
    }

    private void agent(MethodCallExpression one) {
        List<Expression> args = arguments(one)
        if (args.size() == 1 && args[0] instanceof VariableExpression && args[0].name in ['any', 'none']) {
            return
        }
        if (args.size() != 1 || !(args[0] instanceof ClosureExpression)) {
            error(one, 'No agent type specified. Must be one of [any, none, label, node]')
            return
        }
        calls((ClosureExpression) args[0], 'Expected an agent').each {
            if (!(it.methodAsString in ['label', 'node'])) {
                error(it, "Invalid agent type \"${it.methodAsString}\" specified. Must be one of [any, label, none, node]")
            } else if (it.methodAsString == 'node') {
                calls(closure(it), 'Expected an agent').each { part ->
                    if (part.methodAsString != 'label') { also(part, "The harness does not play ${part.methodAsString} in agent.") }
                }
            }
        }
    }

    private void options(MethodCallExpression one, boolean ofStage) {
        List<String> valid = (Steps.OPTIONS.findAll { !ofStage || it.value.stage }.keySet() + Steps.WRAPPERS).sort()
        calls(closure(one), 'Expected an option').each {
            Map spec = Steps.OPTIONS[it.methodAsString] ?: Steps.STEPS[it.methodAsString]
            if (!(it.methodAsString in valid)) {
                error(it, "Invalid option type \"${it.methodAsString}\". Valid option types: ${valid}")
            } else {
                named(it, spec)
                arguments(it).each { argument -> code(argument) }
            }
        }
    }

    private void environment(MethodCallExpression one) {
        statements(closure(one)).each { statement ->
            Expression it = statement instanceof ExpressionStatement ? statement.expression : null
            if (!(it instanceof BinaryExpression) || it.operation.text != '=' || !(it.leftExpression instanceof VariableExpression)) {
                error(statement, 'Expected name=value pairs')
            } else if (!(it.rightExpression instanceof GStringExpression || it.rightExpression instanceof MethodCallExpression ||
                    it.rightExpression instanceof BinaryExpression ||
                    (it.rightExpression instanceof ConstantExpression && it.rightExpression.value instanceof String))) {
                error(statement, 'Environment variable values must either be single quoted, double quoted, or function calls.')
            } else {
                code(it.rightExpression)
            }
        }
    }

    private void conditions(MethodCallExpression one) {
        List<MethodCallExpression> found = calls(closure(one), 'Expected a when condition')
        if (!found) { error(one, 'Empty when closure, remove the property or add some content.') }
        found.each {
            String name = it.methodAsString
            Map spec = Steps.CONDITIONS[name]
            if (name in Steps.CONDITIONS_NOT_PLAYED) {
                also(it, "The harness does not play the condition ${name}.")
            } else if (spec == null) {
                error(it, "Unknown conditional ${name}. Valid conditionals are: ${Steps.CONDITIONS.keySet().join(', ')}")
            } else if (name in ['allOf', 'anyOf', 'not']) {
                conditions(it)
            } else if (name == 'expression') {
                code(closure(it)?.code)
            } else {
                named(it, spec)
                arguments(it).each { argument -> code(argument) }
            }
        }
    }

    private void post(MethodCallExpression one) {
        List<MethodCallExpression> found = calls(closure(one), 'Expected a post condition')
        if (!found) { error(one, 'post can not be empty') }
        found.each {
            if (!(it.methodAsString in Steps.POST)) {
                error(it, "Invalid condition \"${it.methodAsString}\" - valid conditions are ${Steps.POST.sort(false)}")
            } else {
                steps(it)
            }
        }
    }

    private void input(MethodCallExpression one) {
        List<MethodCallExpression> found = calls(closure(one), 'Expected an input parameter')
        found.each {
            if (!(it.methodAsString in Steps.INPUT)) {
                error(it, "Invalid parameter \"${it.methodAsString}\", did you mean \"${nearest(it.methodAsString, Steps.INPUT)}\"?")
            }
        }
        if (!found.any { it.methodAsString == 'message' }) { error(one, 'Missing required parameter: "message"') }
    }

    /** The steps of `steps { }` and of a condition of `post`. */
    private void steps(MethodCallExpression one) {
        List<MethodCallExpression> found = calls(closure(one), 'Expected a step')
        if (!found) { error(one, "No steps specified for branch") }
        found.each { step(it) }
    }

    private void step(MethodCallExpression one) {
        String name = one.methodAsString
        Map spec = Steps.STEPS[name]
        List<Expression> args = arguments(one)
        Expression last = args ? args.last() : null
        known(one)
        if (spec != null) { named(one, spec) }
        args.findAll { !(it instanceof ClosureExpression) }.each { code(it) }
        if (last instanceof ClosureExpression) {
            if (name == 'script') {
                code(last.code)
            } else {
                calls(last, 'Expected a step').each { step(it) }
            }
        }
    }

    private void known(MethodCallExpression one) {
        String name = one.methodAsString
        if (name in Steps.NOT_PLAYED) {
            also(one, "The harness does not play the step ${name}.")
        } else if (!(name in Steps.STEPS) && !(name in Steps.VALUES) && !(name in locals) && !(name in ['print', 'println'])) {
            also(one, "No such DSL method '${name}'")
        }
    }

    /** Code anywhere below `script { }`, in an expression, in a method of the file. */
    private void code(ASTNode node) {
        if (node == null) {
            return
        }
        boolean before = inScript
        inScript = true
        node.visit(new CodeVisitorSupport() {
            @Override
            void visitMethodCallExpression(MethodCallExpression one) {
                if (one.implicitThis && one.methodAsString != null) {
                    known(one)
                    Map spec = Steps.STEPS[one.methodAsString] ?: Steps.VALUES[one.methodAsString]
                    if (spec != null && !(one.methodAsString in locals)) { named(one, spec) }
                }
                super.visitMethodCallExpression(one)
            }
        })
        inScript = before
    }

    private void named(MethodCallExpression one, Map spec) {
        Expression tuple = one.arguments
        List<MapEntryExpression> entries = []
        (tuple instanceof TupleExpression ? tuple.expressions : []).each {
            if (it instanceof MapExpression) { entries.addAll(it.mapEntryExpressions) }
        }
        entries.each {
            String key = it.keyExpression instanceof ConstantExpression ? it.keyExpression.value : null
            if (key != null && !(key in spec.params)) {
                String nearest = nearest(key, spec.params)
                String text = "Invalid parameter \"${key}\"" + (nearest ? ", did you mean \"${nearest}\"?" : '')
                inScript ? also(it, text) : error(it, text)
            }
        }
    }

    private void played(MethodCallExpression one, String name) {
        if (name in Steps.SECTIONS_NOT_PLAYED) { also(one, "The harness does not play the section ${name}.") }
    }

    private List<MethodCallExpression> calls(ClosureExpression body, String otherwise) {
        List<MethodCallExpression> found = []
        statements(body).each { statement ->
            MethodCallExpression one = callIn(statement)
            if (one == null) {
                error(statement, otherwise)
            } else {
                found << one
            }
        }
        return found
    }

    private static List<Statement> statements(ClosureExpression body) {
        return body != null && body.code instanceof BlockStatement ? ((BlockStatement) body.code).statements : []
    }

    private static MethodCallExpression callIn(Statement statement) {
        Expression it = statement instanceof ExpressionStatement || statement instanceof ReturnStatement ? statement.expression : null
        return it instanceof MethodCallExpression && it.implicitThis && it.methodAsString != null ? it : null
    }

    private static List<Expression> arguments(MethodCallExpression one) {
        return one.arguments instanceof TupleExpression ? ((TupleExpression) one.arguments).expressions : [one.arguments]
    }

    private static ClosureExpression closure(MethodCallExpression one) {
        Expression last = arguments(one) ? arguments(one).last() : null
        return last instanceof ClosureExpression ? last : null
    }

    private void error(ASTNode at, String text) {
        errors << "WorkflowScript: ${at.lineNumber}: ${text} @ line ${at.lineNumber}, column ${at.columnNumber}.".toString()
    }

    private void also(ASTNode at, String text) {
        more << "WorkflowScript: ${at.lineNumber}: ${text} @ line ${at.lineNumber}, column ${at.columnNumber}.".toString()
    }

    private static String nearest(String word, Collection<String> words) {
        return words ? words.min { distance(word, it) } : null
    }

    private static int distance(String one, String other) {
        int[] row = (0..other.size()) as int[]
        for (int i = 1; i <= one.size(); i++) {
            int corner = row[0]
            row[0] = i
            for (int j = 1; j <= other.size(); j++) {
                int above = row[j]
                row[j] = Math.min(Math.min(above, row[j - 1]) + 1, corner + (one[i - 1] == other[j - 1] ? 0 : 1))
                corner = above
            }
        }
        return row[other.size()]
    }

    /** Every name that the file itself gives: variables and the parameters of closures. */
    private static class Names extends CodeVisitorSupport {
        private final Set<String> names

        Names(Set<String> names) {
            this.names = names
        }

        @Override
        void visitDeclarationExpression(DeclarationExpression one) {
            (one.leftExpression instanceof TupleExpression ? one.leftExpression.expressions : [one.leftExpression]).each {
                names << it.name
            }
            super.visitDeclarationExpression(one)
        }

        @Override
        void visitClosureExpression(ClosureExpression one) {
            one.parameters?.each { names << it.name }
            super.visitClosureExpression(one)
        }
    }
}
