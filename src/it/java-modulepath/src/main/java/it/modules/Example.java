package it.modules;

import dev.greenfield.BackendChoice;
import dev.greenfield.Greenfield;
import dev.greenfield.Model;
import dev.greenfield.Run;
import dev.greenfield.lattice.Observable;
import dev.greenfield.response.SensitivityField;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** The library as a named module, with JCuda in the one of its loader. */
public final class Example {
    private static final Logger LOG = LoggerFactory.getLogger(Example.class);

    private Example() {}

    public static void main(String[] args) throws Exception {
        try (Model model = Greenfield.demo()) {
            Run run = model.run("<|endoftext|> The capital of Korea is");
            SensitivityField field = run.sensitivity(Observable.logitDifference("Seoul", "Oslo"));
            LOG.info("sensitivity of the answer at {} depths", field.field().depths());
            System.out.println("logit difference " + field.value());
        }
        Module library = Greenfield.class.getModule();
        System.out.println(
                "in " + library + (library.getDescriptor().isAutomatic() ? ", automatic" : ", not automatic"));
        Class<?> loader = Class.forName("jcuda.LibUtilsCuda", false, Example.class.getClassLoader());
        System.out.println("loader of JCuda in " + loader.getModule());
        if (!library.isExported("dev.greenfield.engine", Example.class.getModule())) {
            System.out.println("engine hidden");
        }
        BackendChoice.survey().forEach(System.out::println);
    }
}
