// Gives each user the API token that is in its secret, so that console, release and reaper can be set up before the first start.
// Runs at every start, after configuration as code has made the users. A secret that was changed takes the place of the token before.
import hudson.model.User
import jenkins.security.ApiTokenProperty

final String NAME = 'platform'
final File SECRETS = new File(System.getenv('SECRETS') ?: '/run/secrets')

['admin', 'operator', 'viewer', 'release-bot'].each { id ->
  def user = User.getById(id, false)
  if (user == null) {
    println "tokens: there is no user ${id}: casc.yaml and tokens.groovy do not agree"
    return
  }
  def secret = new File(SECRETS, "jenkins-${id}-token")
  String value = secret.isFile() ? secret.text.trim() : ''
  if (!(value ==~ /11[0-9a-f]{32}/)) {
    println "tokens: secret jenkins-${id}-token is no API token: make secrets ROTATE=jenkins-${id}-token"
    return
  }
  def property = user.getProperty(ApiTokenProperty)
  if (property == null) {
    property = new ApiTokenProperty()
    user.addProperty(property)
  }
  def store = property.tokenStore
  if (store.findMatchingToken(value) != null) {
    return
  }
  store.tokenListSortedByName.findAll { it.name == NAME }.each { store.revokeToken(it.uuid) }
  // Controllers on which tokens can expire want a third argument: null is never.
  if (store.metaClass.respondsTo(store, 'addFixedNewToken').any { it.parameterTypes.size() == 3 }) {
    store.addFixedNewToken(NAME, value, null)
  } else {
    store.addFixedNewToken(NAME, value)
  }
  user.save()
  println "tokens: ${id} has the token of its secret"
}
