import dev.greenfield.Options
import dev.greenfield.spark.{ModelSpec, ResponseMaps, TensorReader}
import java.nio.file.Files
import org.apache.spark.sql.SparkSession
import org.apache.spark.sql.functions.col

/** The maps of a few prompts, by the largest response of the last depth. */
object Example {
  def main(arguments: Array[String]): Unit = {
    val spark = SparkSession.builder().master("local[2]").appName("maps").config("spark.ui.enabled", "false").getOrCreate()
    import spark.implicits._
    val prompts = Seq("Korea", "Norway", "Bulgaria").map(country => s"<|endoftext|> The capital of $country is").toDF("prompt")
    val model = new ModelSpec("demo", Options.defaults().backend("cpu"))
    val folder = Files.createTempDirectory("maps")
    val maps = ResponseMaps.over(prompts, model).exact().promptsAPart(2).write(folder.toString)
    maps.orderBy(col("largest").desc).collect().foreach { row =>
      println(f"prompt ${row.getAs[Int]("number")} source ${row.getAs[Int]("largest_level")}, ${row.getAs[Int]("largest_token")}: ${row.getAs[Double]("largest")}%.3f")
    }
    val one = maps.first()
    val reader = new TensorReader()
    val own = try reader.read(one.getAs("path"), one.getAs("dtype"), one.getAs("offset"), 0, 1)(0) finally reader.close()
    println(f"a site passes on to itself $own%.3f") // the square root of the width
    spark.stop()
  }
}
