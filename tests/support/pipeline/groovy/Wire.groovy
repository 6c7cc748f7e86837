import groovy.json.JsonOutput
import groovy.json.JsonSlurperClassic

/** Asks the test's process: one line of JSON there, one line of JSON back. */
class Wire {
    private final BufferedReader answers
    private final PrintStream questions

    Wire(InputStream answers, PrintStream questions) {
        this.answers = new BufferedReader(new InputStreamReader(answers, 'UTF-8'))
        this.questions = questions
    }

    Map first() {
        return new JsonSlurperClassic().parseText(answers.readLine()) as Map
    }

    /** The answer's value; an answer that is an error is thrown as what Jenkins would throw. */
    Object ask(Map<String, Object> question) {
        tell(question)
        String line = answers.readLine()
        if (line == null) {
            // The test is over: nobody wants to know how this ends.
            Runtime.runtime.halt(3)
        }
        Map answer = new JsonSlurperClassic().parseText(line) as Map
        if (answer.error == null) {
            return answer.value
        }
        switch (answer.error) {
            case 'interrupted':
                throw new org.jenkinsci.plugins.workflow.steps.FlowInterruptedException(
                    answer.message as String, answer.block as String)
            case 'offline':
                throw new org.jenkinsci.plugins.workflow.support.steps.AgentOfflineException(answer.message as String)
            case 'argument':
                throw new IllegalArgumentException(answer.message as String)
            default:
                throw new hudson.AbortException(answer.message as String)
        }
    }

    void tell(Map<String, Object> message) {
        questions.println(JsonOutput.toJson(message))
        questions.flush()
    }
}
