package dev.greenfield.backend.cuda;

import dev.greenfield.backend.Buffer;
import dev.greenfield.backend.Matrix;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.LongBuffer;
import java.util.Arrays;
import jcuda.driver.CUfunction;
import jcuda.driver.CUstream;
import jcuda.driver.JCudaDriver;

/**
 * Launches kernels on one stream. When a launch's turn comes its arguments are written into a fixed block of native memory, beside the
 * table of their addresses that the driver takes; it copies them at each launch. Pointers of Java's side, one per argument, would have to
 * be followed at each launch, which takes longer than small kernels run. Not safe for several threads: the backend's lock guards it.
 *
 * <p>Use: {@code launcher.kernel("add_bias").matrix(x).buffer(bias).size(x).launchElements(x)}.
 */
final class Launcher {
    private static final int MOST_ARGUMENTS = 24;
    private static final int SLOT = 8;

    /** Dynamic shared memory that a kernel may have without being asked for. */
    private static final int FREE_SHARED_BYTES = 48 * 1024;

    /** From so many rows on, a block takes several, to have more loads on their way. */
    private static final int MANY_ROWS = 8192;

    private static final int ROWS_A_BLOCK = 4;

    /** Columns of a row that a warp holds in its registers; the kernels have the same number. */
    private static final int WIDEST_OF_WARP = 1024;

    /** Warps of a block where each takes rows of its own. */
    private static final int WARPS = 8;

    private final CudaBackend owner;
    private final CudaDevice device;
    private final CUstream stream;
    private final WorkQueue queue;
    private final DebugMode debug;
    private final HostBlock block; // the addresses of the slots, then the slots
    private final LongBuffer slots;
    private final long[] arguments =
            new long[MOST_ARGUMENTS]; // of the launch that is being written, each from the low end
    private String kernel;
    private int count;
    private KernelProfile profile; // null unless launches are measured
    private double bytes; // of the launch that is being written, for the profile; 0 where nobody said
    private double flops;

    /**
     * @param owner whose buffers the kernels work on
     */
    Launcher(CudaBackend owner, CudaDevice device, CUstream stream, WorkQueue queue) {
        this.queue = queue;
        this.owner = owner;
        this.device = device;
        this.stream = stream;
        this.debug = new DebugMode(stream);
        int bytes = MOST_ARGUMENTS * SLOT;
        block = new HostBlock(2L * bytes, "kernel arguments");
        ByteBuffer memory = block.bytes();
        for (int i = 0; i < MOST_ARGUMENTS; i++) {
            memory.putLong(i * SLOT, block.address() + bytes + (long) i * SLOT);
        }
        slots = memory.position(bytes).slice().order(ByteOrder.nativeOrder()).asLongBuffer();
    }

    /** Begins a launch. */
    Launcher kernel(String name) {
        kernel = name;
        count = 0;
        bytes = 0;
        flops = 0;
        return this;
    }

    /** A device address, 0 for null. */
    Launcher address(long address) {
        arguments[count++] = address;
        return this;
    }

    Launcher number(int value) {
        arguments[count++] = Integer.toUnsignedLong(value);
        return this;
    }

    Launcher number(float value) {
        return number(Float.floatToRawIntBits(value));
    }

    /** Another value for the last argument, a number, so that the launch can be made again. */
    void last(int value) {
        arguments[count - 1] = Integer.toUnsignedLong(value);
    }

    /** A matrix: the address of its first element and its stride; null as address 0 and stride 0. */
    Launcher matrix(Matrix m) {
        return address(m == null ? 0 : CudaBuffer.address(m, owner)).number(m == null ? 0 : m.stride());
    }

    /** Whose kernels these are. */
    CudaBackend owner() {
        return owner;
    }

    /** The first element of a buffer, or null. */
    Launcher buffer(Buffer b) {
        return address(b == null ? 0 : CudaBuffer.of(b, owner).address());
    }

    /** Whether a matrix's rows begin at multiples of 16 bytes, so that four elements can be loaded at a time. */
    boolean aligned(Matrix m) {
        return CudaBuffer.address(m, owner) % 16 == 0 && m.stride() % 4 == 0;
    }

    /** The numbers of rows and columns of a matrix. */
    Launcher size(Matrix m) {
        return number(m.rows()).number(m.columns());
    }

    /** From now on every launch is measured; null for none. */
    void profile(KernelProfile to) {
        profile = to;
    }

    /** Whether launches are measured, so that it is worth while to count their work. */
    boolean profiled() {
        return profile != null;
    }

    /** The least bytes and flops of this launch, for the profile. */
    Launcher work(double leastBytes, double leastFlops) {
        bytes = leastBytes;
        flops = leastFlops;
        return this;
    }

    /** Launches a kernel that treats every element of a matrix for itself: blocks share wide rows. */
    void launchElements(Matrix m) {
        if (bytes == 0) {
            work(LaunchWork.bytes(kernel, (double) m.rows() * m.columns()), 0);
        }
        int threads = rowThreads(m.columns());
        launch(rowBlocks(m), (m.columns() + 4 * threads - 1) / (4 * threads), 1, threads, 0);
    }

    /** Launches a kernel that sums over the rows of a matrix: a block takes whole rows. */
    void launchSums(Matrix m) {
        work(LaunchWork.bytes(kernel, (double) m.rows() * m.columns()), 0);
        launch(rowBlocks(m), m.columns() == 0 ? 0 : 1, 1, rowThreads(m.columns()), 0);
    }

    /** Launches a kernel that sums over rows, each in a warp where a warp's registers hold it; else as {@link #launchSums}. */
    void launchSumsByWarps(Matrix m) {
        if (m.columns() > WIDEST_OF_WARP) {
            launchSums(m);
            return;
        }
        work(LaunchWork.bytes(kernel, (double) m.rows() * m.columns()), 0);
        int rows = WARPS * (m.rows() > MANY_ROWS ? ROWS_A_BLOCK : 1); // of a block
        launch(m.columns() == 0 ? 0 : (m.rows() + rows - 1) / rows, 1, 1, 32 * WARPS, 0);
    }

    /** Launches a kernel that sums over each of a row's groups, alike wide: a warp takes a group, or a block where it is wider. */
    void launchGroups(Matrix m, int groups) {
        work(LaunchWork.bytes(kernel, (double) m.rows() * m.columns()), 0);
        int width = m.columns() / groups;
        long count = (long) m.rows() * groups;
        long teams = count > MANY_ROWS ? (count + ROWS_A_BLOCK - 1) / ROWS_A_BLOCK : count;
        boolean warps = width <= WIDEST_OF_WARP;
        long blocks = width == 0 ? 0 : warps ? (teams + WARPS - 1) / WARPS : teams;
        launch(Math.toIntExact(blocks), 1, 1, warps ? 32 * WARPS : rowThreads(width), 0);
    }

    /** A thread holds four neighbouring columns, so that a block spans rows up to 1024 wide. */
    private static int rowThreads(int width) {
        return 32 * Math.max(1, Math.min(8, (width + 127) / 128));
    }

    private static int rowBlocks(Matrix m) {
        return m.rows() > MANY_ROWS ? (m.rows() + ROWS_A_BLOCK - 1) / ROWS_A_BLOCK : m.rows();
    }

    /**
     * Launches.
     *
     * @param x blocks in x; nothing is launched when a direction has none
     * @param y blocks in y
     * @param z blocks in z
     * @param threads threads a block
     * @param sharedBytes dynamic shared memory a block
     */
    void launch(int x, int y, int z, int threads, int sharedBytes) {
        if (x == 0 || y == 0 || z == 0) {
            return;
        }
        CUfunction function = device.function(kernel);
        if (sharedBytes > FREE_SHARED_BYTES) {
            device.allowShared(kernel, sharedBytes);
        }
        queue.add(new Launch(function, x, y, z, threads, sharedBytes));
    }

    void close() {
        block.free();
    }

    /** The launch that was written, with its grid. */
    private final class Launch implements WorkQueue.Work {
        private final String name = kernel;
        private final CUfunction function;
        private final int x;
        private final int y;
        private final int z;
        private final int threads;
        private final int sharedBytes;
        private final long[] values = Arrays.copyOf(arguments, count);
        private final double leastBytes = bytes;
        private final double leastFlops = flops;

        Launch(CUfunction function, int x, int y, int z, int threads, int sharedBytes) {
            this.function = function;
            this.x = x;
            this.y = y;
            this.z = z;
            this.threads = threads;
            this.sharedBytes = sharedBytes;
        }

        @Override
        public void issue() {
            debug.begins(this);
            slots.put(0, values);
            if (profile != null) {
                profile.begin();
            }
            int result = JCudaDriver.cuLaunchKernel(function, x, y, z, threads, 1, 1, sharedBytes, stream, block, null);
            if (result != 0) {
                Cuda.check(result, toString());
            }
            if (profile != null) {
                profile.end(name, leastBytes, leastFlops);
            }
            debug.queued(this);
        }

        @Override
        public void identify(WorkWords words) {
            words.add(name.hashCode()).add(x).add(y).add(z).add(threads).add(sharedBytes);
            for (long value : values) {
                words.add(value);
            }
        }

        @Override
        public String toString() {
            return name + ", " + x + " x " + y + " x " + z + " blocks of " + threads + " threads with " + sharedBytes
                    + " bytes of shared memory";
        }
    }
}
