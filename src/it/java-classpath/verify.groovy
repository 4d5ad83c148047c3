String log = new File(basedir, 'build.log').text
def want = { String line -> assert log.readLines().any { it.matches(line) } : "found no line '${line}' in build.log" }
want('logback INFO .*sensitivity of the answer.*')
want('logit difference 1[0-9]\\.[0-9]+')
want('Jackson 2\\.18\\.2')
want('cuda: .*add dev\\.greenfield:greenfield:.* \\(classifier cuda\\) to the dependencies')
want('cpu: .*its native libraries are not here: add org\\.bytedeco:openblas:.* and org\\.bytedeco:javacpp:.* to the dependencies')
want('refused: .*add ai\\.djl\\.huggingface:tokenizers:.* to the dependencies.*')
want('greenfield: the command line needs picocli.*add info\\.picocli:picocli:.* to the dependencies.*')
assert !log.contains('NoClassDefFoundError')
