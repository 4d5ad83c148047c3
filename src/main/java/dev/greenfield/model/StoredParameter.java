package dev.greenfield.model;

import dev.greenfield.safetensors.DType;
import dev.greenfield.safetensors.Tensor;

/** A tensor under its canonical name. */
record StoredParameter(String name, Tensor tensor) implements Parameter {
    @Override
    public long[] shape() {
        return tensor.shape();
    }

    @Override
    public boolean single() {
        return single(tensor);
    }

    /** Whether every element of a tensor of floats is a float32. */
    static boolean single(Tensor tensor) {
        return tensor.dtype() != DType.F64;
    }

    @Override
    public void read(long from, double[] into, int at, int count) {
        tensor.read(from, into, at, count);
    }

    @Override
    public void read(long from, float[] into, int at, int count) {
        tensor.read(from, into, at, count);
    }
}
