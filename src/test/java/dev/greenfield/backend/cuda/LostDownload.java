package dev.greenfield.backend.cuda;

import dev.greenfield.backend.Buffer;
import dev.greenfield.backend.Matrix;
import dev.greenfield.failure.BackendException;
import dev.greenfield.model.Precision;

/**
 * One user of a backend asks for a copy and waits for it later; in between another one breaks the device and is told so. Prints what
 * the first is told. A program of its own, since the device is of no more use afterwards; the stand-in is told to fail in
 * {@code add_bias}, and late.
 */
final class LostDownload {
    private LostDownload() {}

    public static void main(String[] args) {
        CudaBackend backend = CudaBackend.open(Precision.FP32);
        Buffer buffer = backend.allocate("numbers", 4);
        backend.upload(new double[] {7, 7, 7, 7}, 0, buffer, 0, 4);
        double[] first = new double[4];
        backend.downloadLater(buffer, 0, first, 0, 4);
        Matrix row = Matrix.of(buffer, 1, 4);
        try {
            backend.addBias(row, buffer);
            backend.download(buffer, 0, new double[4], 0, 4);
            System.out.println("the second was told nothing");
        } catch (BackendException e) {
            System.out.println("second: " + e.getMessage());
        }
        try {
            backend.await();
            System.out.println("first: got " + first[0]);
        } catch (BackendException e) {
            System.out.println("first: " + e.getMessage());
            System.exit(PlantedFault.REPORTED);
        }
    }
}
