String log = new File(basedir, 'build.log').text.replaceAll('\u001b\\[[0-9;]*m', '')
def want = { String line -> assert log.readLines().any { it.matches(line) } : "found no line '${line}' in build.log" }
want('logback INFO .*sensitivity of the answer.*')
want('logit difference 1[0-9]\\.[0-9]+')
want('notebook of 4 tables')
