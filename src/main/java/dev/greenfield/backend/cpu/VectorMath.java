package dev.greenfield.backend.cpu;

/**
 * Functions of whole arrays, written so that the compiler vectorizes them: no branches, no conversions between integers and
 * floats, no library calls.
 */
final class VectorMath {
    private static final float SQRT_2_OVER_PI = (float) Math.sqrt(2 / Math.PI);
    private static final float CUBIC = 0.044715f;
    private static final float INVERSE_SQRT_2 = (float) Math.sqrt(0.5);

    private VectorMath() {}

    /**
     * x[i] = exp(x[i]) for x at most 0: (p(x / 1024))^1024 with p the Taylor polynomial of degree 7. Ten squarings in double
     * precision keep the relative error below 3e-13 for x above -60, and what is smaller does not count in a softmax.
     */
    static void expOfNegative(double[] x, int from, int to) {
        for (int i = from; i < to; i++) {
            double t = Math.max(x[i], -700.0) * (1.0 / 1024);
            double p = 1
                    + t
                            * (1
                                    + t
                                            * (1.0 / 2
                                                    + t
                                                            * (1.0 / 6
                                                                    + t
                                                                            * (1.0 / 24
                                                                                    + t
                                                                                            * (1.0 / 120
                                                                                                    + t
                                                                                                            * (1.0 / 720
                                                                                                                    + t
                                                                                                                            * (1.0
                                                                                                                                    / 5040)))))));
            p *= p;
            p *= p;
            p *= p;
            p *= p;
            p *= p;
            p *= p;
            p *= p;
            p *= p;
            p *= p;
            p *= p;
            x[i] = p;
        }
    }

    /**
     * tanh(x) = x P(x^2) / Q(x^2) on [-9, 9], beyond which it is 1 to the last bit; P and Q of degree 4 fitted to least
     * largest relative error (2e-8), so that rounding dominates (5 units in the last place at most).
     */
    private static float tanh(float argument) {
        float x = Math.max(-9f, Math.min(9f, argument));
        float s = x * x;
        float p = 1.3354652e-08f;
        p = p * s + 2.0609074e-05f;
        p = p * s + 3.4955875e-03f;
        p = p * s + 1.3381025e-01f;
        p = p * s + 1.0e+00f;
        float q = 7.7765543e-07f;
        q = q * s + 3.285634e-04f;
        q = q * s + 2.587698e-02f;
        q = q * s + 4.6714342e-01f;
        q = q * s + 1f;
        return x * p / q;
    }

    /** erf(x) = x P(x^2) / Q(x^2) on [-3.92, 3.92], as tanh; degree 5, fit error 2e-8, 7 units in the last place at most. */
    private static float erf(float argument) {
        float x = Math.max(-3.92f, Math.min(3.92f, argument));
        float s = x * x;
        float p = 2.0500845e-06f;
        p = p * s + 2.8488378e-04f;
        p = p * s + 3.7656524e-03f;
        p = p * s + 5.2748833e-02f;
        p = p * s + 1.9040726e-01f;
        p = p * s + 1.1283791e+00f;
        float q = 3.809174e-05f;
        q = q * s + 1.1625446e-03f;
        q = q * s + 1.4969287e-02f;
        q = q * s + 1.1410944e-01f;
        q = q * s + 5.020768e-01f;
        q = q * s + 1f;
        return x * p / q;
    }

    /** u = gelu(u) in the tanh form. */
    static void geluNew(float[] u, int n) {
        for (int i = 0; i < n; i++) {
            float x = u[i];
            u[i] = 0.5f * x * (1 + tanh(SQRT_2_OVER_PI * (x + CUBIC * x * x * x)));
        }
    }

    /**
     * d = gelu'(u), then u = gelu(u) to the same bits as without d, in the tanh form. With e = exp(-2 |z|) the derivative of
     * tanh is 4 e / (1 + e)^2; taken as 1 - tanh^2 it would have lost digits where the tanh nears 1.
     */
    static void geluNew(float[] u, float[] d, double[] e, int n) {
        double scale = Math.sqrt(2 / Math.PI);
        for (int i = 0; i < n; i++) {
            double x = u[i];
            e[i] = -2 * Math.abs(scale * (x + 0.044715 * x * x * x));
        }
        expOfNegative(e, 0, n);
        for (int i = 0; i < n; i++) {
            double x = u[i];
            double sum = 1 + e[i];
            double tanh = Math.copySign((1 - e[i]) / sum, x);
            double slope = 4 * e[i] / (sum * sum) * scale * (1 + 3 * 0.044715 * x * x);
            d[i] = (float) (0.5 * (1 + tanh) + 0.5 * x * slope);
        }
        geluNew(u, n);
    }

    /** e = exp(-|u|). */
    static void expOfMinusMagnitude(float[] u, double[] e, int n) {
        for (int i = 0; i < n; i++) {
            e[i] = -Math.abs((double) u[i]);
        }
        expOfNegative(e, 0, n);
    }

    /** u = silu(u); d, where not null, receives the derivative s (1 + u (1 - s)) first, with s the sigmoid of u. */
    static void silu(float[] u, float[] d, double[] e, int n) {
        expOfMinusMagnitude(u, e, n);
        for (int i = 0; i < n; i++) {
            double x = u[i];
            double s = (x >= 0 ? 1 : e[i]) / (1 + e[i]);
            if (d != null) {
                d[i] = (float) (s + x * (e[i] / ((1 + e[i]) * (1 + e[i]))));
            }
            u[i] = (float) (x * s);
        }
    }

    /** u = max(u, 0). */
    static void relu(float[] u, int n) {
        for (int i = 0; i < n; i++) {
            u[i] = Math.max(u[i], 0f);
        }
    }

    /** d = 1 where u is positive and 0 elsewhere, then u = max(u, 0). */
    static void relu(float[] u, float[] d, int n) {
        for (int i = 0; i < n; i++) {
            d[i] = u[i] > 0 ? 1 : 0;
            u[i] = Math.max(u[i], 0f);
        }
    }

    /** a *= b. */
    static void multiply(float[] a, float[] b, int n) {
        for (int i = 0; i < n; i++) {
            a[i] *= b[i];
        }
    }

    /** a += b. */
    static void add(float[] a, float[] b, int n) {
        for (int i = 0; i < n; i++) {
            a[i] += b[i];
        }
    }

    /** The sum of the first n elements of x; {@code work} of the same length is overwritten. */
    static float sum(float[] x, float[] work, int n) {
        System.arraycopy(x, 0, work, 0, n);
        return halve(work, n);
    }

    /** The inner product of the first n elements of x and y; {@code work} of the same length is overwritten. */
    static float dot(float[] x, float[] y, float[] work, int n) {
        for (int i = 0; i < n; i++) {
            work[i] = x[i] * y[i];
        }
        return halve(work, n);
    }

    /**
     * Sums by adding the upper half to the lower until one element is left. A running sum of floats cannot be vectorized
     * without changing its result; this order can, and its rounding grows with the logarithm of n only.
     */
    private static float halve(float[] x, int length) {
        int n = length;
        while (n > 1) {
            int half = (n + 1) / 2;
            addUpper(x, half, n - half);
            n = half;
        }
        return n == 0 ? 0 : x[0];
    }

    private static void addUpper(float[] x, int half, int count) {
        for (int i = 0; i < count; i++) {
            x[i] += x[i + half];
        }
    }

    /** u = gelu(u) in the erf form; d, where not null, receives the derivative first. */
    static void gelu(float[] u, float[] d, double[] gauss, int n) {
        if (d != null) {
            for (int i = 0; i < n; i++) {
                gauss[i] = -0.5 * u[i] * u[i];
            }
            expOfNegative(gauss, 0, n);
            double scale = 1 / Math.sqrt(2 * Math.PI);
            for (int i = 0; i < n; i++) {
                d[i] = 0.5f * (1 + erf(u[i] * INVERSE_SQRT_2)) + u[i] * (float) (scale * gauss[i]);
            }
        }
        for (int i = 0; i < n; i++) {
            u[i] = 0.5f * u[i] * (1 + erf(u[i] * INVERSE_SQRT_2));
        }
    }

    /** Sum of squares in double precision: four sums side by side, since one would wait for each of its additions. */
    static double squaredNorm(float[] x, int n) {
        double a = 0;
        double b = 0;
        double c = 0;
        double d = 0;
        int i = 0;
        for (; i + 3 < n; i += 4) {
            a += (double) x[i] * x[i];
            b += (double) x[i + 1] * x[i + 1];
            c += (double) x[i + 2] * x[i + 2];
            d += (double) x[i + 3] * x[i + 3];
        }
        for (; i < n; i++) {
            a += (double) x[i] * x[i];
        }
        return (a + b) + (c + d);
    }
}
