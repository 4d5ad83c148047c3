package dev.greenfield.backend.cuda;

import static dev.greenfield.testing.Vectors.normal;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import dev.greenfield.Greenfield;
import dev.greenfield.Model;
import dev.greenfield.Options;
import dev.greenfield.Run;
import dev.greenfield.backend.Backend;
import dev.greenfield.backend.Backends;
import dev.greenfield.backend.Buffer;
import dev.greenfield.backend.Matrix;
import dev.greenfield.failure.DeviceMemoryException;
import dev.greenfield.lattice.Observable;
import dev.greenfield.model.Precision;
import dev.greenfield.testing.Errors;
import dev.greenfield.testing.LeakCheck;
import java.io.IOException;
import java.util.List;
import jcuda.driver.JCudaDriver;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;

/** What only a GPU's backend has: shared devices, memory of its own, two precisions. */
class CudaBackendTest {
    private static final String MODEL = "random:2,2,32,40,32";

    @RegisterExtension
    final LeakCheck leaks = new LeakCheck();

    private CudaBackend open() {
        return (CudaBackend) Backends.CUDA.open();
    }

    private static Model model(Precision precision) throws IOException {
        Backends.CUDA.open().close();
        return Greenfield.load(MODEL, Options.defaults().backend("cuda").precision(precision));
    }

    @Test
    void closingGivesTheDeviceAllMemoryBack() throws IOException {
        assumeTrue(ChildJvm.onStandIn(), "others may use this GPU's memory meanwhile");
        try (CudaBackend keepsTheContextOpen = open()) {
            assertThat(keepsTheContextOpen.name()).isEqualTo("cuda");
            long free = DeviceMemory.freeBytes();
            for (int i = 0; i < 3; i++) {
                try (Model model = model(Precision.FP32);
                        Run run = model.run(3, 1, 4, 1, 5)) {
                    assertThat(run.sensitivity(Observable.logitDifference(3, 1)).value())
                            .isFinite();
                    assertThat(DeviceMemory.freeBytes()).isLessThan(free);
                }
                assertThat(DeviceMemory.freeBytes()).isEqualTo(free);
            }
        }
    }

    @Test
    void theContextStaysWhenTheLastBackendCloses() {
        open().close();
        CudaDevice device = CudaDevice.shared();
        int[] flags = {0};
        int[] active = {0};
        JCudaDriver.cuDevicePrimaryCtxGetState(device.handle(), flags, active);
        assertThat(active[0]).isEqualTo(1);
        try (CudaBackend next = open()) {
            assertThat(CudaDevice.shared()).isSameAs(device);
            assertThat(next.name()).isEqualTo("cuda");
        }
    }

    @Test
    void modelsShareADevice() throws IOException {
        try (Model one = model(Precision.FP32);
                Model two = model(Precision.TF32)) {
            double[] first = one.run(1, 2, 3).field().toArray();
            double[] second = two.run(1, 2, 3).field().toArray();
            one.close();
            double[] again = two.run(1, 2, 3).field().toArray();
            assertThat(again).isEqualTo(second);
            assertThat(Errors.relative(second, first)).isLessThan(5e-3);
        }
    }

    @Test
    void tf32RoundsOperandsAndNothingElse() throws IOException {
        double[] fine;
        double[] coarse;
        double[] exact;
        try (Model fp32 = model(Precision.FP32);
                Model tf32 = model(Precision.TF32);
                Model reference = Greenfield.load(MODEL, Options.defaults().backend("reference"))) {
            fine = fp32.run(7, 8, 9, 10).logits();
            coarse = tf32.run(7, 8, 9, 10).logits();
            exact = reference.run(7, 8, 9, 10).logits();
        }
        assertThat(Errors.relative(fine, exact)).isLessThan(5e-6);
        // Ten bits of mantissa: 2^-11 an operand, averaged over sums.
        assertThat(Errors.relative(coarse, exact)).isBetween(1e-6, 5e-3);
    }

    @Test
    void keptBlocksAreUsedAgainWithinTheBudget() {
        CudaBackend backend = leaks.closing(open());
        // Of the device's free memory nothing follows: drivers take it in pieces of their own, and others use it
        // meanwhile.
        DeviceMemory memory = backend.internals().memory();
        Buffer first = backend.allocate("first", 10 << 20);
        long address = CudaBuffer.of(first, backend).address();
        first.close();
        long held = memory.heldBytes();
        try (Buffer again = backend.allocate("second", (10 << 20) - 100)) {
            assertThat(CudaBuffer.of(again, backend).address()).isEqualTo(address);
            assertThat(memory.heldBytes()).isEqualTo(held);
            assertThat(again.length()).isEqualTo((10 << 20) - 100);
        }
        // What the backend itself needs is beside the budget, and leaves no room for 40 MiB.
        backend.keepWithin(100);
        assertThat(memory.heldBytes()).isEqualTo(held - (40 << 20));
    }

    @Test
    void aDeviceWithoutEnoughMemoryIsNamedWithWhatToDo() {
        CudaBackend backend = leaks.closing(open());
        long more = 2 * DeviceMemory.freeBytes() / Float.BYTES;
        assertThatThrownBy(() -> backend.allocate("everything", more))
                .isInstanceOf(DeviceMemoryException.class)
                .hasMessageContaining("the GPU has no")
                .hasMessageContaining("'everything'")
                .hasMessageContaining("are free")
                .hasMessageContaining("close other programs");
        assertThat(backend.ledger().openCount()).isZero();
    }

    @Test
    void uploadsLargerThanTheStagingMemoryArriveWhole() {
        CudaBackend backend = leaks.closing(open());
        double[] values = normal(5, 5_000_011);
        float[] floats = new float[values.length];
        for (int i = 0; i < floats.length; i++) {
            floats[i] = (float) values[values.length - 1 - i];
        }
        double[] back = new double[values.length];
        try (Buffer buffer = backend.allocate("large", values.length)) {
            backend.upload(values, 0, buffer, 0, values.length);
            backend.download(buffer, 0, back, 0, back.length);
            for (int i = 0; i < back.length; i++) {
                assertThat((float) values[i] == back[i]).as("element " + i).isTrue();
            }
            backend.upload(floats, 0, buffer, 0, floats.length);
            backend.download(buffer, 0, back, 0, back.length);
            for (int i = 0; i < back.length; i++) {
                assertThat(floats[i] == back[i]).as("element " + i).isTrue();
            }
        }
    }

    @Test
    void aBufferOfAnotherBackendIsRefused() {
        CudaBackend backend = leaks.closing(open());
        for (Backend stranger : List.of(leaks.closing(Backends.REFERENCE.open()), leaks.closing(open()))) {
            try (Buffer mine = backend.allocate("mine", 4);
                    Buffer other = stranger.allocate("other", 4)) {
                assertThatThrownBy(() -> backend.addBias(Matrix.of(other, 1, 4), mine))
                        .isInstanceOf(IllegalArgumentException.class)
                        .hasMessage("buffer 'other' belongs to another backend");
            }
        }
    }
}
