package dev.greenfield.backend.cuda;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.greenfield.Greenfield;
import dev.greenfield.Model;
import dev.greenfield.Options;
import dev.greenfield.Run;
import dev.greenfield.backend.Backends;
import dev.greenfield.failure.BackendException;
import dev.greenfield.failure.InputException;
import dev.greenfield.failure.Progress;
import dev.greenfield.green.AverageJacobian;
import dev.greenfield.lattice.Observable;
import dev.greenfield.map.ResponseMap;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import jcuda.Pointer;
import jcuda.driver.CUdeviceptr;
import jcuda.driver.CUresult;
import jcuda.driver.JCudaDriver;
import org.junit.jupiter.api.Assumptions;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** Models on several devices of one process. The stand-in offers two, whose memory and streams only their own context can use. */
class DevicesTest {
    private static final String MODEL = "random:2,2,32,30,16,seed=4";
    private static final int[] PROMPT = {3, 17, 9, 4, 11};

    private final Options options = Options.defaults().backend("cuda");

    @BeforeEach
    void requireTwo() {
        Backends.CUDA.open().close(); // skips where there is none
        Assumptions.assumeTrue(CudaDevice.count() > 1, "found one GPU, this takes two");
    }

    private static long free(int number) {
        CudaDevice.shared(number).enter();
        return DeviceMemory.freeBytes();
    }

    @Test
    void aModelIsOnTheDeviceOfItsOptions() throws IOException {
        try (Model warm = Greenfield.load(MODEL, options.devices(0, 1))) {
            assertThat(warm.onDevices()).hasSize(2);
        }
        long first = free(0);
        long second = free(1);
        try (Model model = Greenfield.load(MODEL, options.devices(1))) {
            assertThat(free(0)).isEqualTo(first);
            assertThat(free(1)).isLessThan(second);
            assertThat(model.run(PROMPT)
                            .sensitivity(Observable.logitDifference(3, 1))
                            .value())
                    .isFinite();
        }
        assertThat(free(1)).isEqualTo(second);
        try (Model model = Greenfield.load(MODEL, options)) {
            assertThat(free(0)).isLessThan(first);
            assertThat(free(1)).isEqualTo(second);
            assertThat(model.onDevices()).containsExactly(model);
        }
    }

    @Test
    void aMapOfTwoDevicesIsThatOfOneToTheBit() throws IOException {
        Options narrow = narrow(3);
        try (Model one = Greenfield.load(MODEL, narrow);
                Model two = Greenfield.load(MODEL, narrow.devices(1, 0));
                Run run = one.run(PROMPT);
                Run shared = two.run(PROMPT)) {
            ResponseMap expected = run.responseMap().probes(8).seed(2).compute();
            ResponseMap found = shared.responseMap().probes(8).seed(2).compute();
            assertThat(found.frobenius()).isEqualTo(expected.frobenius());
            assertThat(found.standardErrors()).isEqualTo(expected.standardErrors());
        }
    }

    @Test
    void anAverageOverPromptsOfTwoDevicesIsThatOfOneToTheBit() throws IOException {
        List<int[]> prompts = List.of(
                PROMPT, new int[] {5, 1, 8}, new int[] {2, 2, 7, 11, 29, 0, 6}, new int[] {4, 9, 1, 1}, new int[] {
                    8, 3, 28, 3, 9
                });
        try (Model one = Greenfield.load(MODEL, options);
                Model two = Greenfield.load(MODEL, options.devices(1, 0))) {
            AverageJacobian expected = one.averageJacobian(1);
            for (int[] prompt : prompts) {
                try (Run run = one.run(prompt)) {
                    run.addTo(expected);
                }
            }
            AverageJacobian found = two.averageJacobian(1);
            List<Double> fractions = new ArrayList<>();
            Progress.watched(progress -> fractions.add(progress.fraction()), () -> {
                two.addTo(found, prompts);
                return null;
            });
            assertThat(found.mean()).isEqualTo(expected.mean());
            assertThat(found.positions()).isEqualTo(expected.positions());
            assertThat(fractions).isSorted().last().isEqualTo(1.0);
        }
    }

    /** Options with so little memory that a map takes so many batches or more. */
    private Options narrow(int batches) throws IOException {
        for (long bytes = 1 << 20; ; bytes -= bytes / 16) {
            Options narrow = options.memory(bytes);
            try (Model model = Greenfield.load(MODEL, narrow);
                    Run run = model.run(PROMPT)) {
                if (run.responseMap().probes(8).seed(2).plan().sweeps() >= batches) {
                    return narrow;
                }
            }
        }
    }

    @Test
    void theSurveyListsThemByNumber() {
        assertThat(CudaSurvey.lines())
                .anyMatch(line -> line.startsWith("2 GPUs by number: 0 Host stand-in") && line.contains("; 1 Host"));
    }

    @Test
    void guestsAreOnAllDevices() throws IOException {
        long first = 0;
        try (Model model = Greenfield.load("random:2,2,16,30,12,seed=1", options.devices(0, 1));
                Model other = model.beside(MODEL)) {
            first = free(1);
            List<Model> places = other.onDevices();
            assertThat(places).hasSize(2);
            double[] here = places.get(0).run(PROMPT).field().toArray();
            double[] there = places.get(1).run(PROMPT).field().toArray();
            assertThat(there).isEqualTo(here);
        }
        assertThat(free(1)).isGreaterThan(first);
    }

    @Test
    void devicesThatAreNotThereAreNamed() {
        assertThatThrownBy(() -> Greenfield.load(MODEL, options.devices(0, 7)))
                .isInstanceOf(BackendException.class)
                .hasMessageContaining("found 2 GPUs, expected one with number 7")
                .hasMessageContaining("choose other devices");
        assertThatThrownBy(() -> Greenfield.load(MODEL, options.backend("auto").devices(7)))
                .isInstanceOf(BackendException.class);
        assertThatThrownBy(() -> Greenfield.load(MODEL, options.backend("cpu").devices(0)))
                .isInstanceOf(InputException.class)
                .hasMessageContaining("expected the cuda backend, no other has devices");
        assertThatThrownBy(() -> options.devices(1, 1)).hasMessageContaining("each once");
        assertThatThrownBy(() -> options.devices(-1)).hasMessageContaining("numbers of GPUs from 0");
    }

    /** What the other tests rest on: the stand-in tells of memory that is used in the wrong context. */
    @Test
    void whatIsOnOneDeviceIsRefusedInTheContextOfTheOther() {
        CUdeviceptr there = new CUdeviceptr();
        CudaDevice.shared(1).enter();
        assertThat(JCudaDriver.cuMemAlloc(there, 64)).isZero();
        try {
            CudaDevice.shared(0).enter();
            assertThat(JCudaDriver.cuMemcpyHtoD(there, Pointer.to(new float[16]), 64))
                    .isEqualTo(CUresult.CUDA_ERROR_INVALID_VALUE);
            CudaDevice.shared(1).enter();
            assertThat(JCudaDriver.cuMemcpyHtoD(there, Pointer.to(new float[16]), 64))
                    .isZero();
        } finally {
            CudaDevice.shared(1).enter();
            JCudaDriver.cuMemFree(there);
        }
    }
}
