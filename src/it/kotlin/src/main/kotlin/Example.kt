import dev.greenfield.Greenfield
import dev.greenfield.lattice.Observable
import org.slf4j.LoggerFactory

fun main() {
    Greenfield.demo().use { model ->
        val run = model.run("<|endoftext|> The capital of Korea is")
        val field = run.sensitivity(Observable.logitDifference("Seoul", "Oslo"))
        LoggerFactory.getLogger("example").info("sensitivity of the answer at {} depths", field.field().depths())
        println("logit difference " + field.value())
    }
    notebook()
}
