// What Java's regular expressions say: args[0] is a file with {"pattern", "texts"}; prints for each text whether the pattern is
// found in it and whether it is the whole of it.
import groovy.json.JsonOutput
import groovy.json.JsonSlurper

def asked = new JsonSlurper().parse(new File(args[0]))
def pattern = java.util.regex.Pattern.compile(asked.pattern)
println JsonOutput.toJson(asked.texts.collect { [found: pattern.matcher(it).find(), whole: pattern.matcher(it).matches()] })
