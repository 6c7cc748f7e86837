import org.codehaus.groovy.control.CompilerConfiguration
import org.jenkinsci.plugins.workflow.steps.FlowInterruptedException
import org.kohsuke.groovy.sandbox.SandboxTransformer

/** Reads one message that says what to do with which text, does it, ends. */
class Main {
    static void main(String[] args) {
        Wire wire = new Wire(System.in, System.out)
        // What anything else prints must not be taken for a question.
        System.out = System.err
        Map start = wire.first()
        switch (start.mode) {
            case 'lint':
                Lint lint = new Lint(start.text as String)
                wire.tell(op: 'done', errors: lint.errors, more: lint.more)
                break
            default:
                run(wire, start)
        }
    }

    private static void run(Wire wire, Map start) {
        Lint lint = new Lint(start.text as String)
        List<String> refused = lint.errors + lint.more
        if (refused) {
            wire.tell(op: 'done', refused: refused, error: "startup failed:\n${refused.join('\n')}".toString(), result: 'FAILURE')
            return
        }
        Engine engine = new Engine(wire, start)
        CompilerConfiguration configuration = new CompilerConfiguration()
        configuration.scriptBaseClass = 'PipelineScript'
        configuration.addCompilationCustomizers(new SandboxTransformer())
        Throwable failed = null
        Sandbox sandbox = new Sandbox(engine)
        try {
            GroovyShell shell = new GroovyShell(Main.classLoader, new Binding(), configuration)
            Class kind = shell.classLoader.parseClass(new GroovyCodeSource(start.text as String, 'WorkflowScript.groovy', '/groovy/script'))
            PipelineScript script = (PipelineScript) kind.newInstance()
            script.attach(engine)
            engine.own(script)
            engine.pipeline('Start of Pipeline')
            sandbox.register()
            script.run()
        } catch (Throwable error) {
            failed = error
            engine.build.result = Declarative.resultOf(error)
        } finally {
            sandbox.unregister()
        }
        engine.pipeline('End of Pipeline')
        wire.tell(op: 'done', result: engine.build.getProperty('currentResult'), error: failed == null ? null : told(failed))
    }

    private static String told(Throwable failed) {
        if (failed instanceof hudson.AbortException) {
            return "ERROR: ${failed.message}"
        }
        if (failed instanceof FlowInterruptedException) {
            return failed.causes[0].startsWith('Aborted by') ? '' : failed.causes[0]
        }
        StringWriter trace = new StringWriter()
        failed.printStackTrace(new PrintWriter(trace))
        // Only the places in the Jenkinsfile are of use to whoever reads it.
        List<String> lines = trace.toString().readLines()
        return ([failed.toString()] + lines.findAll { it.contains('(WorkflowScript') }.unique()).join('\n')
    }
}
