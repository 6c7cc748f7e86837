// Runs scripts of Job DSL as they are, and prints which words they say: name, arguments and what stands inside, as JSON.
// What the words mean to Jenkins is not known here; which of them may be said is in the tests.
import groovy.json.JsonOutput
import org.codehaus.groovy.control.CompilerConfiguration

class Words {
  final List said = []

  // The way of Job DSL's own contexts: a block's words go to the block first.
  def invokeMethod(String name, Object given) {
    List arguments = (given as Object[]).toList()
    List inside = null
    if (arguments && arguments.last() instanceof Closure) {
      Closure block = arguments.pop()
      def words = new Words()
      block.delegate = words
      block.resolveStrategy = Closure.DELEGATE_FIRST
      block.call()
      inside = words.said
    }
    said << [name: name, arguments: arguments, inside: inside]
    return null
  }
}

abstract class Listening extends Script {
  final Words words = new Words()

  def methodMissing(String name, Object given) {
    words.invokeMethod(name, given)
  }
}

def settings = new CompilerConfiguration(scriptBaseClass: Listening.name)
def said = args.collect { file ->
  def script = new GroovyShell(this.class.classLoader, new Binding(), settings).parse(new File(file))
  script.run()
  script.words.said
}
println JsonOutput.toJson(said.flatten())
