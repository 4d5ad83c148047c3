String log = new File(basedir, 'build.log').text.replaceAll('\u001b\\[[0-9;]*m', '')
def want = { String line -> assert log.readLines().any { it.matches(line) } : "found no line '${line}' in build.log" }
want('prompt 1 source [0-9], [0-9]: [0-9.]+')
want('prompt 3 source [0-9], [0-9]: [0-9.]+')
want('a site passes on to itself 11\\.314')
