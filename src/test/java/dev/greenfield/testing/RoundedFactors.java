package dev.greenfield.testing;

import dev.greenfield.backend.Backend;
import dev.greenfield.backend.Buffer;
import dev.greenfield.backend.Matrix;
import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.Proxy;

/**
 * A backend whose matrix products have their factors rounded to bf16 first and are otherwise those of another: with the oracle's loops
 * behind it, what the error of a backend that multiplies so is measured against.
 */
public final class RoundedFactors {
    private RoundedFactors() {}

    /** The backend, with the factors of {@link Backend#multiply} rounded to bf16. */
    public static Backend bf16(Backend backend) {
        return (Backend) Proxy.newProxyInstance(
                RoundedFactors.class.getClassLoader(), new Class<?>[] {Backend.class}, (proxy, method, arguments) -> {
                    if (method.getName().equals("multiply")) {
                        multiply(backend, arguments);
                        return null;
                    }
                    try {
                        return method.invoke(backend, arguments);
                    } catch (InvocationTargetException e) {
                        throw e.getCause();
                    }
                });
    }

    private static void multiply(Backend backend, Object[] arguments) {
        Matrix a = (Matrix) arguments[1];
        Matrix b = (Matrix) arguments[3];
        try (Buffer left = rounded(backend, a);
                Buffer right = rounded(backend, b)) {
            backend.multiply(
                    (double) arguments[0],
                    Matrix.of(left, a.rows(), a.columns()),
                    (boolean) arguments[2],
                    Matrix.of(right, b.rows(), b.columns()),
                    (boolean) arguments[4],
                    (double) arguments[5],
                    (Matrix) arguments[6]);
        }
    }

    private static Buffer rounded(Backend backend, Matrix m) {
        double[] values = new double[m.rows() * m.columns()];
        for (int i = 0; i < m.rows(); i++) {
            backend.download(m.buffer(), m.at(i), values, i * m.columns(), m.columns());
        }
        for (int i = 0; i < values.length; i++) {
            values[i] = bf16((float) values[i]);
        }
        Buffer buffer = backend.allocate("a factor as bf16", values.length);
        backend.upload(values, 0, buffer, 0, values.length);
        return buffer;
    }

    /** To 8 bits of significand, to nearest, ties to even: by arithmetic, not by the bits. */
    static float bf16(float x) {
        if (x == 0 || !Float.isFinite(x)) {
            return x;
        }
        double unit = Math.scalb(1.0, Math.max(Math.getExponent(x), Float.MIN_EXPONENT) - 7);
        return (float) (Math.rint(x / unit) * unit);
    }
}
