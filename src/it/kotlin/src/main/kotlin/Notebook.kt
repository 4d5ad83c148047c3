import dev.greenfield.Greenfield
import dev.greenfield.green.LinearOperator
import dev.greenfield.green.LowRank
import dev.greenfield.lattice.Observable
import dev.greenfield.lattice.Site
import dev.greenfield.map.ResponseMap
import dev.greenfield.response.SensitivityField

// The cells of docs/examples/response_maps_kotlin.ipynb, with stand-ins for what the kernel has: a test compares both.

class Shown(val html: String)

fun HTML(text: String) = Shown(text)

class Renderers {
    val seen = mutableListOf<(Any) -> Shown?>()

    inline fun <reified T> render(crossinline how: (T) -> Shown) {
        seen.add { if (it is T) how(it) else null }
    }
}

val renderers = Renderers()

fun USE(register: Renderers.() -> Unit) = renderers.register()

fun notebook() {
USE {
    render<SensitivityField> { HTML(it.toHtml()) }
    render<ResponseMap> { HTML(it.toHtml()) }
    render<LinearOperator> { HTML(it.toHtml()) }
    render<LowRank> { HTML(it.toHtml()) }
}

val model = Greenfield.demo()
val run = model.run("<|endoftext|> The capital of Korea is")
val seoul = Observable.logitDifference("Seoul", "Oslo")
run.tokenText()

val sensitivity = run.sensitivity(seoul)
sensitivity

val map = run.responseMap().probes(16).compute()
println(map.frobenius(Site.of(0, 4), Site.of(4, 5)))
HTML(map.toHtml(run.tokenText()))

val green = run.green(Site.of(1, 4)).to(4)
green

val leading = green.svd(8)
leading

model.close()

    val tables = listOf(sensitivity, map, green, leading).map { result -> renderers.seen.firstNotNullOf { it(result) } }
    println("notebook of " + tables.count { it.html.contains("<table") } + " tables")
}
