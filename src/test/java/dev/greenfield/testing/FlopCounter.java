package dev.greenfield.testing;

import dev.greenfield.backend.Backend;
import dev.greenfield.backend.Matrix;
import dev.greenfield.backend.Product;
import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.Proxy;
import java.util.List;

/** A backend that adds up the flops of the products that it is asked for. */
public final class FlopCounter {
    private final Backend backend;
    private double flops;

    /** @param counted does the work */
    public FlopCounter(Backend counted) {
        this.backend = (Backend) Proxy.newProxyInstance(
                FlopCounter.class.getClassLoader(), new Class<?>[] {Backend.class}, (proxy, method, arguments) -> {
                    if (method.getName().equals("multiply")) {
                        Matrix a = (Matrix) arguments[1];
                        Matrix c = (Matrix) arguments[6];
                        boolean transposed = (Boolean) arguments[2];
                        flops += 2.0 * c.rows() * c.columns() * (transposed ? a.rows() : a.columns());
                    } else if (method.getName().equals("multiplyEach")) {
                        for (Object product : (List<?>) arguments[1]) {
                            flops += ((Product) product).flops();
                        }
                    }
                    try {
                        return method.invoke(counted, arguments);
                    } catch (InvocationTargetException e) {
                        throw e.getCause();
                    }
                });
    }

    /** The backend to be used. */
    public Backend backend() {
        return backend;
    }

    /** Flops since the last time that somebody asked. */
    public double taken() {
        double sum = flops;
        flops = 0;
        return sum;
    }
}
