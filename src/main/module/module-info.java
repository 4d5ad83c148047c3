/**
 * Response theory of transformers. The rooms that users need are exported. Engine, backends, the loader of JCuda and the
 * command line are not: they change without notice.
 *
 * <p>EJML and JTokkit have no module names of their own, only those that Java makes of their file names, which a later
 * version may change. So one of them is named, the one that is always there; a module that reads one automatic module reads all.
 */
@SuppressWarnings({"requires-automatic", "requires-transitive-automatic"})
module dev.greenfield {
    requires java.management;
    requires java.net.http;
    requires jdk.management;
    requires com.fasterxml.jackson.core;
    requires com.fasterxml.jackson.databind;
    requires ejml.core;
    requires org.apache.commons.rng.api;
    requires org.apache.commons.rng.core;
    requires org.apache.commons.rng.sampling;
    requires org.apache.commons.statistics.descriptive;
    requires org.apache.commons.statistics.distribution;
    requires org.apache.commons.statistics.ranking;
    requires org.bytedeco.javacpp;
    requires org.bytedeco.openblas;

    // What a program may do without: dev.greenfield.model.OptionalLibrary says what each is for.
    requires static ai.djl.tokenizers;
    requires static dev.greenfield.jcuda;

    exports dev.greenfield;
    exports dev.greenfield.failure;
    exports dev.greenfield.green;
    exports dev.greenfield.hub;
    exports dev.greenfield.inverse;
    exports dev.greenfield.lattice;
    exports dev.greenfield.lens;
    exports dev.greenfield.map;
    exports dev.greenfield.model;
    exports dev.greenfield.prediction;
    // its LibUtilsCuda has JCuda's native halves loaded
    exports dev.greenfield.natives to
            dev.greenfield.jcuda;
    exports dev.greenfield.propagation;
    exports dev.greenfield.regime;
    exports dev.greenfield.report;
    exports dev.greenfield.response;
    exports dev.greenfield.safetensors;
    exports dev.greenfield.statistics;
    exports dev.greenfield.study;
    exports dev.greenfield.transfer;
}
