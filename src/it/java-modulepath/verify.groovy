String log = new File(basedir, 'build.log').text.replaceAll('\u001b\\[[0-9;]*m', '')
def want = { String line -> assert log.readLines().any { it.matches(line) } : "found no line '${line}' in build.log" }
want('logback INFO .*sensitivity of the answer.*')
want('logit difference 1[0-9]\\.[0-9]+')
want('in module dev\\.greenfield, not automatic')
want('loader of JCuda in module dev\\.greenfield\\.jcuda')
want('cpu: yes, float32, matrix products by OpenBLAS')
want('engine hidden')
assert !log.contains('are not here')
